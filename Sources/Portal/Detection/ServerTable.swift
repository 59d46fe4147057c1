import FlowAnalysis
import NetworkTypes

/// The list of suspected C&C servers.
struct ServerTable: Sendable {
  let reading: DetectionReading

  /// What a verdict is called where there is none.
  static let noVerdict = "open"
  static let verdictWords = [noVerdict] + ServerVerdict.allCases.map(\.rawValue)

  var table: Table<ServerSummary> {
    Table(
      name: "servers", path: "/servers", section: "servers", audience: .staff,
      columns: Self.columns, order: .init("-probability"),
      rows: { query, _ in try await reading.servers(Self.listed(query)) },
      lead: { visit in Self.lead(visit) })
  }

  /// What is expired or was found to be wrong is left out unless it is asked for.
  private static func listed(_ query: TableQuery) -> TableQuery {
    guard !query.filters.contains(where: { $0.column == "state" || $0.column == "server" }) else {
      return query
    }
    var query = query
    query.filters.append(
      .init(column: "state", condition: .equals(ServerSummary.State.listed.rawValue)))
    return query
  }

  private static func lead(_ visit: Visit) -> HTML {
    let current = visit.query("state") ?? ServerSummary.State.listed.rawValue
    let items = ServerSummary.State.allCases.map { state -> HTML in
      let path = state == .listed ? "/servers" : "/servers?state=\(state.rawValue)"
      return """
        <li><a href="\(path)"\(when: current == state.rawValue, " aria-current=\"true\"")>\
        \(visit.t("server-state.\(state.rawValue)"))</a></li>
        """
    }
    return "<nav class=\"sub\" aria-label=\"\(visit.t("column.state"))\"><ul>\(items)</ul></nav>"
  }

  static let columns: [Column<ServerSummary>] = [
    Column(
      "server", .text, link: { ServerPath.page($0.service) },
      value: { .text($0.service.description) }),
    Column("address", .address, hidden: true, value: { .text($0.service.address.description) }),
    Column("port", .integer, hidden: true, value: { .integer(Int64($0.service.port)) }),
    Column("probability", .number, value: { .number(percent($0.probability)) }),
    Column(
      "grade", .choice(prefix: "grade", words: ServerGrade.allCases.map(\.rawValue)),
      markup: { server, visit in badge(server.grade, visit) }, value: { .choice($0.grade.rawValue) }
    ),
    Column(
      "evidence", .list, sort: false, filter: false,
      markup: { server, visit in
        server.evidence.prefix(3).map { kind -> HTML in
          "<span class=\"tag\">\(visit.t("evidence.\(kind.rawValue)"))</span>"
        }.joined(" ")
      }, value: { .list($0.evidence.map(\.rawValue)) }),
    Column("clients", .integer, value: { .integer(Int64($0.clients)) }),
    Column("first_seen", .time, value: { .time($0.firstSeen) }),
    Column("last_seen", .time, value: { .time($0.lastSeen) }),
    Column("expires", .time, value: { .time($0.expires) }),
    Column(
      "verdict", .choice(prefix: "server-verdict", words: verdictWords),
      markup: { server, visit in badge(server.verdict?.verdict, visit) },
      value: { .choice($0.verdict?.verdict.rawValue ?? noVerdict) }),
    Column(
      "state",
      .choice(prefix: "server-state", words: ServerSummary.State.allCases.map(\.rawValue)),
      hidden: true, value: { .choice($0.state.rawValue) }),
    Column("highest", .number, hidden: true, value: { .number(percent($0.highest)) }),
    Column("verdict_by", .text, hidden: true, value: { .optional($0.verdict?.actor) }),
    Column("verdict_at", .time, hidden: true, value: { .optional($0.verdict?.at) }),
    Column("verdict_reason", .text, hidden: true, value: { .optional($0.verdict?.reason) }),
  ]

  /// To hundredths, as more is not known.
  static func percent(_ share: Double) -> Double { (share * 10_000).rounded() / 100 }

  static func badge(_ grade: ServerGrade, _ visit: Visit) -> HTML {
    "<span class=\"badge grade-\(grade.rawValue)\">\(visit.t("grade.\(grade.rawValue)"))</span>"
  }

  static func badge(_ verdict: ServerVerdict?, _ visit: Visit) -> HTML {
    guard let verdict else {
      return "<span class=\"none\">\(visit.t("server-verdict.\(noVerdict)"))</span>"
    }
    return """
      <span class="badge server-\(verdict.rawValue)">\
      \(visit.t("server-verdict.\(verdict.rawValue)"))</span>
      """
  }
}
