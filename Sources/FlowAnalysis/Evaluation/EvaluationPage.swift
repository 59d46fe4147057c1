import Foundation

/// An evaluation as one HTML file: tables and plots in SVG, nothing fetched from elsewhere, no script.
public struct EvaluationPage: Sendable {
  public let report: EvaluationReport

  public init(_ report: EvaluationReport) { self.report = report }

  public var html: String {
    var body = "<h1>Noroshi: C&amp;C detection, evaluated</h1>\n"
    body +=
      "<p>Seed \(report.seed). The same sets, weights and seed give this page again to the last "
      + "digit.</p>\n"
    body += weights
    for scenario in report.scenarios { body += section(scenario) }
    if !report.overlays.isEmpty { body += overlays }
    if !report.calibration.isEmpty { body += calibration }
    return """
      <!doctype html>
      <html lang="en"><head><meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>Noroshi: C&amp;C detection, evaluated</title>
      <style>\(Self.style)</style></head><body>
      \(body)</body></html>

      """
  }

  private static let style = """
    body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;\
    color:#1c2430;background:#fff}h1{font-size:1.5rem}h2{font-size:1.2rem;margin-top:2.5rem;\
    border-top:1px solid #d5dae1;padding-top:1rem}table{border-collapse:collapse;margin:.6rem 0}\
    th,td{text-align:left;padding:.15rem .8rem .15rem 0;vertical-align:top}th{font-weight:600;\
    border-bottom:1px solid #d5dae1}td.n{text-align:right;font-variant-numeric:tabular-nums}\
    .true{color:#0a6b3d;font-weight:600}.false{color:#a3261f}svg{max-width:100%;height:auto;\
    margin:.4rem 0}svg text{font:11px system-ui,sans-serif;fill:#4a5565}figcaption{color:#4a5565}\
    figure{display:inline-block;margin:0 1.5rem 0 0;vertical-align:top}
    """

  static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
      .replacing("\"", with: "&quot;")
  }

  private static func table(_ head: [String], _ rows: [[String]]) -> String {
    var text = "<table><tr>" + head.map { "<th>\(escaped($0))</th>" }.joined() + "</tr>\n"
    for row in rows {
      // Cells are made here from escaped text; those that begin with a tag are taken as they are.
      text += "<tr>" + row.map { "<td>\($0)</td>" }.joined() + "</tr>\n"
    }
    return text + "</table>\n"
  }

  private var weights: String {
    let rows = EvidenceKind.allCases.map { kind in
      [Self.escaped(kind.rawValue), ServerExplanation.hundredths(report.parameters.weight(kind))]
    }
    return "<details><summary>Weights (log-odds), bias "
      + "\(ServerExplanation.hundredths(report.parameters.bias))</summary>\n"
      + Self.table(["evidence", "weight"], rows) + "</details>\n"
  }

  private func section(_ scenario: EvaluationReport.Scenario) -> String {
    let number = EvaluationReport.number
    var text = "<h2>\(Self.escaped(scenario.name))</h2>\n"
    text += "<p>\(scenario.flows) flows over \(number(scenario.days)) days, "
    text += "\(scenario.population) clients. Above the reporting line \(scenario.probable), "
    text += "false \(scenario.falseServers) "
    text += "(\(number(scenario.falsePerDay.value)) a day, 95 % "
    text += "\(number(scenario.falsePerDay.low))–\(number(scenario.falsePerDay.high))), "
    text += "confirmed \(scenario.confirmed), of them false \(scenario.falseConfirmed).</p>\n"
    if !scenario.truth.isEmpty {
      text += Self.table(
        ["true server", "rank", "probability", "grade", "time to detection"],
        scenario.truth.prefix(50).map { truth in
          [
            Self.escaped(truth.server), truth.rank.map(String.init) ?? "not listed",
            truth.probability.map(EvaluationReport.percent) ?? "–", truth.grade?.rawValue ?? "–",
            truth.secondsToDetection.map { ServerExplanation.seconds($0) } ?? "–",
          ]
        })
      let precision = scenario.metrics.averagePrecision
      text += "<p>Average precision \(number(precision.value)) "
      text += "(95 % \(number(precision.low))–\(number(precision.high))).</p>\n"
      text += Self.table(
        ["at", "listed", "correct", "precision", "recall"],
        (scenario.metrics.atDepth.map { ("depth \(Int($0.at))", $0) }
          + scenario.metrics.atProbability.map { ("probability \(number($0.at))", $0) }).map {
            [
              $0.0, "\($0.1.listed)", "\($0.1.correct)", number($0.1.precision),
              number($0.1.recall),
            ]
          })
    }
    text += Self.table(
      ["", "server", "probability", "grade", "clients", "evidence"],
      scenario.head.enumerated().map { index, listed in
        [
          "\(index + 1)",
          "<span class=\"\(listed.isTrue ? "true" : "")\">\(Self.escaped(listed.service))</span>",
          EvaluationReport.percent(listed.probability), listed.grade.rawValue,
          "\(listed.clients)",
          listed.evidence.sorted { $0.key.rawValue < $1.key.rawValue }
            .map { "\($0.key.rawValue) \(ServerExplanation.hundredths($0.value))" }
            .joined(separator: ", "),
        ]
      })
    text += contactPlots(scenario)
    if !scenario.garcia.isEmpty {
      text += "<h3>García et al. 2014</h3>\n"
      text += Self.table(
        ["flagged", "tTP", "tFN", "tFP", "tTN", "precision", "TPR", "FPR", "F1"],
        scenario.garcia.map {
          [
            $0.method, number($0.result.truePositives), number($0.result.falseNegatives),
            number($0.result.falsePositives), number($0.result.trueNegatives),
            number($0.precision), number($0.recall), number($0.falsePositiveRate), number($0.f1),
          ]
        })
    }
    if !scenario.baselines.isEmpty {
      text += "<h3>Other methods</h3>\n"
      text += Self.table(
        ["method", "ranked", "rank of the best true one", "score", "average precision", "≥ 0.9"],
        scenario.baselines.map {
          [
            $0.method, "\($0.scored)", $0.rank.map(String.init) ?? "–",
            $0.score.map(number) ?? "–", number($0.averagePrecision),
            $0.atLeast90.map(String.init) ?? "–",
          ]
        })
    }
    if !scenario.sampled.isEmpty {
      text += "<h3>Sampled</h3>\n"
      text += Self.table(
        ["rate", "flows", "best rank", "probability", "average precision", "false"],
        scenario.sampled.map {
          [
            "1:\($0.rate)", "\($0.flows)", $0.truth.first?.rank.map(String.init) ?? "–",
            $0.truth.first?.probability.map(EvaluationReport.percent) ?? "–",
            number($0.metrics.averagePrecision.value), "\($0.falseServers)",
          ]
        })
    }
    return text
  }

  /// When the first client of each server of the head made contact.
  private func contactPlots(_ scenario: EvaluationReport.Scenario) -> String {
    let shown = scenario.head.prefix(6).filter { $0.times.count >= 3 }
    guard let first = shown.compactMap(\.times.first).min(),
      let last = shown.compactMap(\.times.last).max(), last > first
    else { return "" }
    let row = 22
    let height = shown.count * row + 20
    var svg = "<svg viewBox=\"0 0 860 \(height)\" width=\"860\" height=\"\(height)\" role=\"img\">"
    for (index, listed) in shown.enumerated() {
      let y = index * row
      svg += "<text x=\"0\" y=\"\(y + 15)\">\(Self.escaped(listed.service))</text>"
      for time in listed.times {
        let x = 220 + Double(time - first) / Double(last - first) * 630
        svg += "<path d=\"M\(Self.rounded(x)) \(y + 4)v14\" stroke="
        svg += "\"\(listed.isTrue ? "#0a6b3d" : "#8a94a3")\" fill=\"none\"/>"
      }
    }
    svg += "</svg>"
    return "<figure>\(svg)<figcaption>Latest contacts of each server's most telling client."
      + "</figcaption></figure>\n"
  }

  private static func rounded(_ value: Double) -> String {
    ServerExplanation.tenths(value)
  }

  private var overlays: String {
    var text = "<h2>Synthetic beacons</h2>\n"
    for name in Set(report.overlays.map(\.set)).sorted() {
      let cells = report.overlays.filter {
        $0.set == name && $0.samplingRate == 1 && $0.overlay.clients == 1
          && $0.overlay.byteJitter == 0 && $0.overlay.gaps == 0 && $0.overlay.scans == 0
          && $0.overlay.isAnswered && $0.overlay.port != 443
      }
      let periods = Set(cells.map(\.overlay.period)).sorted()
      let jitters = Set(cells.map(\.overlay.jitter)).sorted()
      var svg = "<svg viewBox=\"0 0 560 \(jitters.count * 34 + 40)\" width=\"560\" height="
      svg += "\"\(jitters.count * 34 + 40)\" role=\"img\">"
      for (column, period) in periods.enumerated() {
        svg +=
          "<text x=\"\(90 + column * 76)\" y=\"14\">\(ServerExplanation.seconds(period))</text>"
        for (line, jitter) in jitters.enumerated() {
          guard
            let cell = cells.first(where: {
              $0.overlay.period == period && $0.overlay.jitter == jitter
            })
          else { continue }
          let x = 84 + column * 76
          let y = 22 + line * 34
          let light = Int(96 - 56 * cell.probability)
          svg += "<rect x=\"\(x)\" y=\"\(y)\" width=\"72\" height=\"30\" "
          svg += "fill=\"hsl(152 60% \(light)%)\"/>"
          let rank = cell.rank.map { "#\($0)" } ?? "–"
          svg += "<text x=\"\(x + 6)\" y=\"\(y + 19)\">\(rank) "
          svg += "\(Int((cell.probability * 100).rounded())) %</text>"
        }
      }
      for (line, jitter) in jitters.enumerated() {
        svg += "<text x=\"0\" y=\"\(42 + line * 34)\">± \(Int(jitter * 100)) %</text>"
      }
      svg += "</svg>"
      text +=
        "<figure>\(svg)<figcaption>\(Self.escaped(name)): rank and probability of a beacon on "
      text += "port 4444 by period (across) and jitter (down).</figcaption></figure>\n"
    }
    let others = report.overlays.filter {
      $0.samplingRate > 1 || $0.overlay.clients > 1 || $0.overlay.byteJitter > 0
        || $0.overlay.gaps > 0 || $0.overlay.scans > 0 || !$0.overlay.isAnswered
        || $0.overlay.port == 443
    }
    text += Self.table(
      [
        "set", "period", "jitter", "sizes", "missing", "clients", "scans", "port", "sampled",
        "rank", "probability",
      ],
      others.map { cell in
        let overlay = cell.overlay
        return [
          Self.escaped(cell.set), ServerExplanation.seconds(overlay.period),
          "± \(Int(overlay.jitter * 100)) %", "± \(Int(overlay.byteJitter * 100)) %",
          "\(Int(overlay.gaps * 100)) %", "\(overlay.clients)", "\(overlay.scans)",
          "\(overlay.port)", cell.samplingRate > 1 ? "1:\(cell.samplingRate)" : "no",
          cell.rank.map(String.init) ?? "–", EvaluationReport.percent(cell.probability),
        ]
      })
    return text
  }

  private var calibration: String {
    var svg = "<svg viewBox=\"0 0 320 320\" width=\"320\" height=\"320\" role=\"img\">"
    svg += "<path d=\"M30 290H310M30 290V10\" stroke=\"#8a94a3\" fill=\"none\"/>"
    svg += "<path d=\"M30 290L310 10\" stroke=\"#d5dae1\" fill=\"none\"/>"
    for bin in report.calibration {
      let x = 30 + 280 * bin.meanProbability
      let y = 290 - 280 * bin.observed
      let radius = 3 + log10(Double(bin.servers) + 1) * 2
      svg += "<circle cx=\"\(Self.rounded(x))\" cy=\"\(Self.rounded(y))\" r=\""
      svg += "\(Self.rounded(radius))\" fill=\"#0a6b3d\" fill-opacity=\"0.6\"/>"
    }
    svg += "<text x=\"120\" y=\"312\">mean probability</text>"
    svg += "<text x=\"4\" y=\"8\">share that is true</text></svg>"
    let number = EvaluationReport.number
    return "<h2>Calibration</h2>\n<figure>\(svg)</figure>\n"
      + Self.table(
        ["probability", "servers", "mean", "true"],
        report.calibration.map {
          [
            "\(number($0.from))–\(number($0.to))", "\($0.servers)", number($0.meanProbability),
            number($0.observed),
          ]
        })
  }
}
