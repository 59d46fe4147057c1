import FlowAnalysis
import Foundation
import NetworkTypes

/// Why a server is on the list, in the words of the visitor: each kind of evidence with its numbers.
struct ServerEvidence: Sendable {
  let server: DetectedServer
  let visit: Visit

  /// `33 s`, `5 min`, `2.5 h`.
  static func duration(_ seconds: Double, _ visit: Visit) -> String {
    let (value, unit) =
      switch seconds {
      case ..<120: (seconds.rounded(), "seconds")
      case ..<7_200: (seconds / 60, "minutes")
      case ..<172_800: (seconds / 3_600, "hours")
      default: (seconds / 86_400, "days")
      }
    return visit.t(
      "duration.\(unit)", ["count": visit.number((value * 10).rounded() / 10)])
  }

  /// One in how many, from decades: `2,500`, `10^9`.
  private func odds(_ decades: Double) -> String {
    decades < 6
      ? visit.number(pow(10, max(0, decades)).rounded()) : "10^\(Int(decades.rounded(.down)))"
  }

  private func percent(_ share: Double) -> String { visit.number((share * 100).rounded()) }

  func sentence(_ kind: EvidenceKind, _ value: Double) -> String {
    func say(_ values: [String: String] = [:], _ variant: String = "") -> String {
      visit.t("evidence-long.\(kind.rawValue)\(variant)", values)
    }
    let client = server.clients.first
    let port = String(server.service.port)
    switch kind {
    case .periodic:
      guard let rhythm = client?.rhythm else { return say() }
      if rhythm.spectral > rhythm.modal {
        return say(
          [
            "period": Self.duration(rhythm.spectralPeriod, visit),
            "odds": odds(rhythm.spectral),
          ], "-spectrum")
      }
      return say(
        [
          "share": percent(rhythm.share), "contacts": visit.number(rhythm.contacts),
          "period": Self.duration(rhythm.period, visit), "odds": odds(rhythm.modal),
        ], "-intervals")
    case .sameSize: return say(["share": percent(value)])
    case .persistent:
      return say(["from": visit.time(server.firstSeen), "to": visit.time(server.lastSeen)])
    case .longSession:
      return say(["duration": Self.duration(Double(client?.longestSession ?? 0), visit)])
    case .enriched:
      return say(
        [
          "suspects": visit.number(server.clients.count { $0.conduct.suspicion > 0.5 }),
          "clients": visit.number(server.clientCount),
          "all": visit.number(server.suspects.rounded()),
          "population": visit.number(server.population),
          "odds": odds(-min(0, server.enrichmentChance)),
        ], value < 0 ? "-fewer" : "")
    case .rarePort, .infrastructure, .scanTarget: return say(["port": port])
    case .synchronous, .silent, .inbound: return say()
    case .new: return say(["from": visit.time(server.firstSeen)])
    case .listed:
      return say(["lists": Set(server.lists.map(\.list)).sorted().joined(separator: ", ")])
    case .popular: return say(["clients": visit.number(server.clientCount)])
    case .oneOfMany: return say(["count": visit.number(pow(10, min(value, 12)).rounded())])
    }
  }

  /// What a client does besides, that infected hosts do.
  static func conduct(_ conduct: ClientConduct, _ visit: Visit) -> [String] {
    var words: [String] = []
    if conduct.isKnownInfected { words.append(visit.t("conduct.infected")) }
    if conduct.scanned > 0 {
      words.append(
        visit.t(
          "conduct.scans",
          ["port": String(conduct.scannedPort), "count": visit.number(conduct.scanned)]))
    }
    if conduct.mailServers > 0 {
      words.append(visit.t("conduct.mail", ["count": visit.number(conduct.mailServers)]))
    }
    if conduct.floodRate > 0 {
      words.append(visit.t("conduct.flood", ["rate": visit.number(conduct.floodRate.rounded())]))
    }
    return words
  }

  /// The reckoning: what each kind adds to the log-odds, the sum, and what is made of it.
  func reckoning(_ parameters: RankingParameters) -> HTML {
    let explanation = ServerExplanation(server, parameters: parameters)
    let lines = explanation.lines.map { line -> HTML in
      row(
        line.points, visit.t("evidence.\(line.kind.rawValue)"), sentence(line.kind, line.value),
        isFor: line.points > 0)
    }
    let base = row(
      parameters.bias, visit.t("server.before"), visit.t("server.before-note"), isFor: false)
    return """
      <table role="table" class="reckoning"><caption class="unseen">\(visit.t("server.why"))</caption>
      <thead role="rowgroup"><tr role="row">
      <th scope="col" role="columnheader" class="number">\(visit.t("server.points"))</th>
      <th scope="col" role="columnheader">\(visit.t("column.evidence"))</th>
      <th scope="col" role="columnheader">\(visit.t("server.seen"))</th></tr></thead>
      <tbody role="rowgroup">\(base)\(lines)
      <tr role="row" class="sum"><td role="cell" class="number" \
      data-label="\(visit.t("server.points"))">\(Self.signed(server.score))</td>
      <td role="cell" data-label="\(visit.t("column.evidence"))">\(visit.t("server.sum"))</td>
      <td role="cell" data-label="\(visit.t("server.seen"))">\
      \(visit.t("server.sum-note", ["percent": visit.number(ServerTable.percent(server.probability))]))\
      </td></tr></tbody></table>
      """
  }

  private func row(_ points: Double, _ name: String, _ sentence: String, isFor: Bool) -> HTML {
    """
    <tr role="row"><td role="cell" class="number\(when: isFor, " for")" \
    data-label="\(visit.t("server.points"))">\(Self.signed(points))</td>\
    <td role="cell" data-label="\(visit.t("column.evidence"))">\(name)</td>\
    <td role="cell" data-label="\(visit.t("server.seen"))">\(sentence)</td></tr>
    """
  }

  /// `+3.53`, `−8.10`, with the sign of mathematics.
  static func signed(_ value: Double) -> String {
    guard value.isFinite, abs(value) < 1e6 else { return "–" }
    let scaled = Int((abs(value) * 100).rounded())
    let rest = scaled % 100
    return (value < 0 ? "−" : "+") + "\(scaled / 100)." + (rest < 10 ? "0" : "") + "\(rest)"
  }
}
