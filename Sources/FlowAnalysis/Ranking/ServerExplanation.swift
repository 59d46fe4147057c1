import Foundation
import NetworkTypes

/// One screen of text that says why a server is on the list.
public struct ServerExplanation: Sendable {
  public let server: DetectedServer
  public let parameters: RankingParameters

  public init(_ server: DetectedServer, parameters: RankingParameters = RankingParameters()) {
    self.server = server
    self.parameters = parameters
  }

  /// A line of the reckoning: a kind of evidence, what was seen, and what it adds to the log-odds.
  public struct Line: Hashable, Sendable {
    public let kind: EvidenceKind
    public let value: Double
    public let weight: Double
    public let words: String
    public var points: Double { value * weight }
  }

  /// Log-odds below which a line is left out, as it would read `0.00`: a kind that says nothing must
  /// not look like one more reason.
  private static let leastPoints = 0.005

  /// The reckoning, what speaks loudest first; what adds nothing is left out.
  public var lines: [Line] {
    server.evidence.map { kind, value in
      Line(kind: kind, value: value, weight: parameters.weight(kind), words: words(kind, value))
    }.filter { abs($0.points) >= Self.leastPoints }.sorted {
      abs($0.points) != abs($1.points)
        ? abs($0.points) > abs($1.points) : $0.kind.rawValue < $1.kind.rawValue
    }
  }

  private func words(_ kind: EvidenceKind, _ value: Double) -> String {
    let client = server.clients.first
    let percent = Int((value * 100).rounded())
    switch kind {
    case .periodic:
      guard let rhythm = client?.rhythm else { return "comes back by the clock" }
      return rhythm.spectral > rhythm.modal
        ? "beats every \(Self.seconds(rhythm.spectralPeriod)) (spectrum; chance 1 in "
          + "\(Self.odds(rhythm.spectral)))"
        : "\(Int((rhythm.share * 100).rounded())) % of the intervals of \(rhythm.contacts) contacts "
          + "are near \(Self.seconds(rhythm.period)) (chance 1 in \(Self.odds(rhythm.modal)))"
    case .sameSize: return "\(percent) % of the contacts send the same amount"
    case .persistent:
      return "came back from \(server.firstSeen.shortText) to \(server.lastSeen.shortText)"
    case .longSession:
      return "a session of \(Self.seconds(Double(client?.longestSession ?? 0))) with little in it"
    case .enriched:
      let suspects = server.clients.count { $0.conduct.suspicion > 0.5 }
      let base =
        "\(suspects) of its \(server.clientCount) clients do harm elsewhere; in the population "
        + "\(Int(server.suspects.rounded())) of \(server.population)"
      return value < 0 ? base + ": rather fewer" : base
    case .rarePort: return "port \(server.service.port) is neither web nor infrastructure"
    case .synchronous: return "its clients act at the same moments"
    case .new: return "not seen in this network before \(server.firstSeen.shortText)"
    case .listed:
      return "on the lists " + server.lists.map(\.list).sorted().joined(separator: ", ")
    case .infrastructure: return "port \(server.service.port) is contacted by the clock anyway"
    case .popular:
      return "much of the population goes there or next to it (\(server.clientCount) clients)"
    case .silent: return "nobody ever got an answer"
    case .oneOfMany:
      return "its client treats \(Int(pow(10, value).rounded())) servers alike"
    case .scanTarget: return "its client scans port \(server.service.port); this is one of them"
    case .inbound: return "it is inside, and contacted from outside"
    }
  }

  /// `33 s`, `5 min`, `2.5 h`.
  static func seconds(_ value: Double) -> String {
    switch value {
    case ..<120: "\(Int(value.rounded())) s"
    case ..<7_200: "\(tenths(value / 60)) min"
    default: "\(tenths(value / 3_600)) h"
    }
  }

  private static func odds(_ decades: Double) -> String {
    decades < 6 ? "\(Int(pow(10, decades).rounded()))" : "10^\(Int(decades.rounded(.down)))"
  }

  static func tenths(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(abs(tenths % 10))"
  }

  static func hundredths(_ value: Double) -> String {
    let scaled = Int((abs(value) * 100).rounded())
    let fraction = scaled % 100
    return (value < 0 ? "-" : "") + "\(scaled / 100)." + (fraction < 10 ? "0" : "") + "\(fraction)"
  }

  /// The screen, at most about 40 lines of 100 columns.
  public func text() -> String {
    var lines: [String] = []
    let percent = Self.tenths(server.probability * 100)
    lines.append("\(server.service)   \(server.grade.rawValue), \(percent) % likely a C&C server")
    if let verdict = server.verdict { lines.append("Analyst's verdict: \(verdict.rawValue)") }
    lines.append(
      "First seen \(server.firstSeen.shortText), last \(server.lastSeen.shortText), expires "
        + "\(server.expires.shortText)")
    if server.samplingRate > 1 {
      lines.append(
        "Sampled 1:\(server.samplingRate): most contacts are unseen; "
          + (server.samplingRate >= parameters.coarseSampling
            ? "sizes and answers are not judged." : "rhythms need longer."))
    }
    lines.append("")
    lines.append("Why (log-odds; \(Self.hundredths(parameters.bias)) before any evidence)")
    for line in self.lines {
      let points = Self.hundredths(line.points)
      let signed = line.points > 0 ? "+" + points : points
      lines.append(
        String(repeating: " ", count: max(0, 7 - signed.count)) + signed + "  " + line.words)
    }
    let sum = Self.hundredths(server.score)
    lines.append(String(repeating: " ", count: max(0, 7 - sum.count)) + sum + "  in all")
    lines.append("")
    lines.append("Clients (\(server.clientCount))")
    for client in server.clients.prefix(8) {
      var words = "\(client.contacts) contacts, \(client.firstSeen.shortText) to "
      words += "\(client.lastSeen.shortText), \(client.bytesOut) octets out, \(client.bytesIn) in"
      lines.append("  \(client.address)  \(words)")
      for word in client.conduct.words { lines.append("      " + word) }
    }
    if server.clientCount > 8 { lines.append("  … and \(server.clientCount - 8) more") }
    lines += plot()
    return lines.joined(separator: "\n") + "\n"
  }

  /// Contacts of the first client over time, and its intervals.
  private func plot() -> [String] {
    guard server.contacts.count >= 3, let first = server.contacts.first,
      let last = server.contacts.last, last > first
    else { return [] }
    let width = 72
    var columns = [Int](repeating: 0, count: width)
    for second in server.contacts {
      columns[Int(UInt64(second - first) * UInt64(width - 1) / UInt64(last - first))] += 1
    }
    let bars = Array(" ▁▂▃▄▅▆▇█")
    let most = max(1, columns.max() ?? 1)
    let line = String(columns.map { bars[$0 == 0 ? 0 : max(1, $0 * 8 / most)] })
    var lines = ["", "Latest \(server.contacts.count) contacts of the first client"]
    lines.append("  " + line)
    let from = Timestamp(seconds: Int64(first)).shortText
    let to = Timestamp(seconds: Int64(last)).shortText
    lines.append(
      "  " + from + String(repeating: " ", count: max(1, width - from.count - to.count)) + to)
    let gaps = zip(server.contacts, server.contacts.dropFirst()).map { Double($1 - $0) }.sorted()
    let quartile = { (share: Double) in gaps[min(gaps.count - 1, Int(share * Double(gaps.count)))] }
    lines.append(
      "  intervals: a quarter below \(Self.seconds(quartile(0.25))), half below "
        + "\(Self.seconds(quartile(0.5))), three quarters below \(Self.seconds(quartile(0.75)))")
    return lines
  }
}

extension Timestamp {
  /// To the second, without the T: `2011-08-16 10:01:46`.
  var shortText: String {
    Timestamp(seconds: seconds).description.replacing("T", with: " ").replacing("Z", with: "")
  }
}
