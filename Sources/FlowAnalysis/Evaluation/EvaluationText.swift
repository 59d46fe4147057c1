import Foundation

extension EvaluationReport {
  /// The whole report, keys in order.
  public func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
  }

  /// The report for a terminal.
  public var table: String {
    var lines: [String] = []
    for scenario in scenarios { lines += Self.lines(scenario) + [""] }
    if !overlays.isEmpty { lines += overlayLines + [""] }
    if !calibration.isEmpty {
      lines.append("Calibration (all sets): servers, mean probability, share that is true")
      for bin in calibration {
        lines.append(
          "  \(Self.percent(bin.from)) to \(Self.percent(bin.to)): \(bin.servers), "
            + "\(Self.percent(bin.meanProbability)), \(Self.percent(bin.observed))")
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  static func percent(_ value: Double) -> String {
    ServerExplanation.tenths(value * 100) + " %"
  }

  static func number(_ value: Double) -> String {
    let scaled = Int((abs(value) * 1_000).rounded())
    let digits = String(scaled % 1_000)
    return (value < 0 ? "-" : "") + "\(scaled / 1_000)."
      + String(repeating: "0", count: 3 - digits.count) + digits
  }

  private static func lines(_ scenario: Scenario) -> [String] {
    var lines = [
      "== \(scenario.name)",
      "\(scenario.flows) flows, \(number(scenario.days)) days, \(scenario.population) clients, home "
        + (scenario.home.isEmpty ? "unknown" : scenario.home.joined(separator: " ")),
    ]
    for truth in scenario.truth.prefix(20) {
      lines.append("  true server " + line(truth))
    }
    if scenario.truth.count > 20 { lines.append("  … \(scenario.truth.count - 20) more") }
    let metrics = scenario.metrics
    if metrics.positives > 0 {
      lines.append(
        "  average precision \(number(metrics.averagePrecision.value)) "
          + "(\(number(metrics.averagePrecision.low)) to \(number(metrics.averagePrecision.high)))")
      lines.append(
        "  precision/recall at depth: "
          + metrics.atDepth.map {
            "\(Int($0.at)): \(number($0.precision))/\(number($0.recall))"
          }.joined(separator: "  "))
      lines.append(
        "  precision/recall from probability: "
          + metrics.atProbability.map {
            "\(number($0.at)): \(number($0.precision))/\(number($0.recall))"
          }.joined(separator: "  "))
    }
    lines.append(
      "  above the line \(scenario.probable), confirmed \(scenario.confirmed), candidates "
        + "\(scenario.candidates); false \(scenario.falseServers) (\(scenario.otherMalicious) "
        + "malicious otherwise), confirmed false \(scenario.falseConfirmed); a day "
        + "\(number(scenario.falsePerDay.value)) (\(number(scenario.falsePerDay.low)) to "
        + "\(number(scenario.falsePerDay.high)))")
    for listed in scenario.head.prefix(5) {
      let evidence = listed.evidence.sorted { $0.key.rawValue < $1.key.rawValue }
        .map { "\($0.key.rawValue) \(ServerExplanation.hundredths($0.value))" }
      lines.append(
        "    \(listed.service) \(percent(listed.probability)) \(listed.grade.rawValue)"
          + (listed.isTrue ? " TRUE" : "") + ": " + evidence.joined(separator: ", "))
    }
    for garcia in scenario.garcia {
      lines.append(
        "  García \(garcia.method): tTP \(number(garcia.result.truePositives)) tFN "
          + "\(number(garcia.result.falseNegatives)) tFP \(number(garcia.result.falsePositives)) "
          + "tTN \(number(garcia.result.trueNegatives)), precision \(number(garcia.precision)), "
          + "F1 \(number(garcia.f1)), \(garcia.result.windows) windows")
    }
    for baseline in scenario.baselines where baseline.rank != nil || metrics.positives == 0 {
      lines.append(
        "  \(baseline.method): rank \(baseline.rank.map(String.init) ?? "none") of "
          + "\(baseline.scored), score \(baseline.score.map(number) ?? "none"), average precision "
          + "\(number(baseline.averagePrecision))"
          + (baseline.atLeast90.map { ", \($0) at 0.9 or more" } ?? ""))
    }
    for sampled in scenario.sampled {
      let best = sampled.truth.first.map(line) ?? "no true server"
      lines.append(
        "  sampled 1:\(sampled.rate): \(sampled.flows) flows, false \(sampled.falseServers), "
          + "average precision \(number(sampled.metrics.averagePrecision.value)); " + best)
    }
    return lines
  }

  private static func line(_ truth: Truth) -> String {
    guard let rank = truth.rank, let probability = truth.probability else {
      return "\(truth.server): not listed"
    }
    return "\(truth.server): rank \(rank), \(percent(probability)), "
      + "\(truth.grade?.rawValue ?? "none")"
      + (truth.secondsToDetection.map { ", above the line after \(ServerExplanation.seconds($0))" }
        ?? "")
  }

  private var overlayLines: [String] {
    var lines = ["Synthetic beacons: rank and probability"]
    for cell in overlays {
      let overlay = cell.overlay
      var words = "\(cell.set): every \(ServerExplanation.seconds(overlay.period)) "
      words += "± \(Int((overlay.jitter * 100).rounded())) %"
      if overlay.byteJitter > 0 { words += ", sizes ± \(Int(overlay.byteJitter * 100)) %" }
      if overlay.gaps > 0 { words += ", \(Int(overlay.gaps * 100)) % missing" }
      if overlay.clients > 1 { words += ", \(overlay.clients) clients" }
      if overlay.scans > 0 { words += ", scanning \(overlay.scans)" }
      if !overlay.isAnswered { words += ", no answer" }
      words += ", port \(overlay.port)"
      if cell.samplingRate > 1 { words += ", sampled 1:\(cell.samplingRate)" }
      lines.append(
        "  " + words + ": "
          + (cell.rank.map {
            "rank \($0), \(Self.percent(cell.probability)), \(cell.grade.rawValue)"
          }
            ?? "not listed"))
    }
    return lines
  }
}
