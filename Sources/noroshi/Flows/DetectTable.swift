import FlowAnalysis
import NetworkTypes

/// The columns of lists of detected servers.
enum DetectTable {
  static var columns: [ListColumn<DetectedServer>] {
    [
      ListColumn("server") { .text($0.service.description) },
      ListColumn("probability") { .percent($0.probability * 100) },
      ListColumn("grade") { .text($0.grade.rawValue, style($0.grade)) },
      ListColumn("clients") { .count($0.clientCount) },
      // Of the clients that are kept by name.
      ListColumn("contacts") { .count($0.clients.reduce(0) { $0 + Int($1.contacts) }) },
      ListColumn("first_seen") { .time($0.firstSeen) },
      ListColumn("last_seen") { .time($0.lastSeen) },
      ListColumn("why") { .list(reasons($0)) },
      ListColumn("verdict", extra: true) { .text($0.verdict?.rawValue) },
      ListColumn("expires", extra: true) { .time($0.expires) },
      ListColumn("score", extra: true) { .decimal($0.score, digits: 2) },
      ListColumn("client_addresses", extra: true) { server in
        .list(server.clients.map(\.address.description))
      },
      ListColumn("lists", extra: true) { .list($0.lists.map(\.list)) },
      ListColumn("evidence", extra: true) { server in
        .list(
          server.evidence.sorted { $0.key.rawValue < $1.key.rawValue }.map { kind, value in
            "\(kind.rawValue)=\(Quantity.decimal(value, digits: 2))"
          })
      },
    ]
  }

  static func style(_ grade: ServerGrade) -> Terminal.Style {
    switch grade {
    case .confirmed: .red
    case .probable: .yellow
    case .candidate, .none: .plain
    }
  }

  /// The three kinds of evidence that speak loudest for it.
  static func reasons(_ server: DetectedServer) -> [String] {
    ServerExplanation(server).lines.filter { $0.points > 0.2 }.prefix(4).map(\.kind.rawValue)
  }
}
