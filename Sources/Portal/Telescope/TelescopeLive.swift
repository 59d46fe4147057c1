import Constituency
import Foundation
import GRDB
import NetworkTypes
import Store
import Telescope

/// The telescope's tables of the house's database, read for the portal's lists, which filter and
/// sort by more than the command line does.
struct TelescopeLive: Sendable {
  let store: DataStore
  let telescope: TelescopeStore
  let constituency: @Sendable () -> ConstituencyIndex

  var reading: TelescopeReading {
    TelescopeReading(
      span: { try span() },
      series: { resolution, dimension, range in
        try telescope.series(
          dimension, resolution, from: Timestamp(seconds: range.lowerBound),
          to: Timestamp(seconds: range.upperBound))
      },
      hosts: { query, scope in
        try page(Self.hosts, query, scope, address: "address", system: "asn") {
          try Self.decode($0["document"])
        }
      },
      host: { address in try telescope.host(address).first },
      hostsByCountry: { scope in try hostsByCountry(scope) },
      verdicts: { scope in try verdicts(scope) },
      events: { query, scope in try events(query, scope) },
      victims: { query, scope in
        try page(Self.victims, query, scope, address: "victim", system: "asn") {
          try Self.decode($0["document"])
        }
      },
      alerts: { query, scope in
        try page(Self.alerts, query, scope, address: "address", system: nil) {
          try Self.decode($0["document"])
        }
      },
      campaigns: { query in
        try page(Self.campaigns, query, .everything, address: "key", system: nil) {
          try Self.decode($0["document"])
        }
      },
      counters: { try telescope.counters() })
  }

  /// A list: its table, its columns under the portal's names, and what makes a row unique.
  private struct List: Sendable {
    let table: String
    let columns: [ListColumn]
    let key: String
    let order: String
  }

  // MARK: Lists

  /// `23/tcp 2323/tcp` from the JSON array of ports.
  private static func portText(_ path: String) -> String {
    """
    (SELECT group_concat(json_extract(value, '$.port') || CASE json_extract(value, '$.transport') \
    WHEN 6 THEN '/tcp' WHEN 17 THEN '/udp' ELSE '' END, ' ') FROM json_each(document, '\(path)'))
    """
  }

  private static let hosts = List(
    table: "telescope_hosts",
    columns: [
      .address("address", "address"), .text("verdict"), .integer("confidence"),
      .text("tools", expression: "json_extract(document, '$.tools')"),
      .text("ports", expression: portText("$.ports")), .text("country"), .system("asn", "asn"),
      .integer("packets"), .integer("bytes", expression: "json_extract(document, '$.bytes')"),
      .integer("destinations"), .integer("rate_pps", expression: "rate"),
      .text("malware", expression: "coalesce(malware, '')"),
      .text("surveyor", expression: "coalesce(json_extract(document, '$.surveyor'), '')"),
      .moment("first_seen", "firstSeen"), .moment("last_seen", "lastSeen"),
    ], key: "address, firstSeen", order: "last_seen")

  private static let victims = List(
    table: "telescope_victims",
    columns: [
      .address("victim", "victim"), .moment("start", "start"), .moment("end", "\"end\""),
      .text("services", expression: portText("$.services")), .integer("packets"),
      .integer("peak_ppm", expression: "peak"),
      .integer("destinations", expression: "json_extract(document, '$.destinations')"),
      .integer("rate_pps", expression: "rate"),
      .integer("rate_lower", expression: "json_extract(document, '$.rate.lower')"),
      .integer("rate_upper", expression: "json_extract(document, '$.rate.upper')"),
      .integer("quote_mismatches", expression: "json_extract(document, '$.quoteMismatches')"),
      .text("country"), .system("asn", "asn"), .flag("closed", "isClosed"),
    ], key: "victim, start", order: "end")

  private static let alerts = List(
    table: "telescope_alerts",
    columns: [
      .text("organisation"), .address("address", "address"), .text("reach"), .text("state"),
      .integer("packets"),
      .integer("destinations", expression: "json_extract(document, '$.destinations')"),
      .text("ports", expression: "json_extract(document, '$.ports')"),
      .moment("first_seen", "firstSeen"), .moment("last_seen", "lastSeen"),
    ], key: "organisation, address, reach, firstSeen", order: "last_seen")

  private static let campaigns = List(
    table: "telescope_campaigns",
    columns: [
      .text("subject"), .text("key", expression: "\"key\""), .moment("began", "began"),
      .moment("last_seen", "lastSeen"), .flag("over", "isOver"),
      .integer("peak_sources", expression: "peakSources"), .integer("baseline"),
      .integer("deviations"), .text("tools", expression: "json_extract(document, '$.tools')"),
      .text("countries", expression: "json_extract(document, '$.countries')"),
    ], key: "subject, \"key\", began", order: "began")

  private func page<Item: Sendable>(
    _ list: List, _ query: TableQuery, _ scope: Scope, address: String, system: String?,
    _ read: @escaping @Sendable (Row) throws -> Item
  ) throws -> Rows<Item> {
    let condition = self.condition(scope, address: address, system: system)
    return try query.gather { listQuery in
      var statement = try ListStatement(
        listQuery, columns: list.columns, searched: [],
        order: .init(column: list.order, isAscending: false), tieBreak: list.key)
      statement.require(condition)
      return try store.writer.read { [statement] db in
        try statement.page(of: "*", from: list.table, in: db, row: read)
      }
    }
  }

  /// Events lie in the telescope's archive, which is asked for the whole page at once.
  private func events(_ query: TableQuery, _ scope: Scope) throws -> Rows<EventSummary> {
    var question = try EventQuery(query.listQuery(offset: query.offset, limit: 1))
    question.limit = query.size
    question.wantsSamples = false
    if let id = scope.organisation {
      let held = AddressHoldings(of: id, in: constituency().organisations.values)
      question.holdings = .init(
        ranges: held.ranges, systems: held.systems, claimed: held.claimed)
    }
    let page = try telescope.events(question)
    return Rows(page.rows.map { EventSummary($0) }, total: page.total)
  }

  private func condition(_ scope: Scope, address: String, system: String?) -> String {
    guard let id = scope.organisation else { return "1" }
    return AddressHoldings(of: id, in: constituency().organisations.values)
      .condition(address: address, system: system)
  }

  // MARK: Rows

  private static func decode<Item: Decodable>(_ document: String) throws -> Item {
    try JSONDecoder().decode(Item.self, from: Data(document.utf8))
  }

  // MARK: Counts

  private func span() throws -> (first: Timestamp, last: Timestamp)? {
    let step = SeriesPoint.Resolution.fiveMinutes.rawValue
    return try store.writer.read { db in
      guard
        let row = try Row.fetchOne(
          db,
          sql: """
            SELECT min(start), max(start) FROM telescope_series
            WHERE resolution = ? AND dimension = ?
            """, arguments: [step, SeriesPoint.Dimension.all.rawValue]),
        let first: Int64 = row[0], let last: Int64 = row[1]
      else { return nil }
      return (Timestamp(seconds: first), Timestamp(seconds: last + Int64(step) - 1))
    }
  }

  private func hostsByCountry(_ scope: Scope) throws -> [String: Double] {
    let condition = self.condition(scope, address: "address", system: "asn")
    return try store.writer.read { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT country, count(DISTINCT address) FROM telescope_hosts
          WHERE \(condition) GROUP BY country
          """
      ).reduce(into: [:]) { $0[$1[0]] = $1[1] }
    }
  }

  /// Hosts by the verdict of their latest stay.
  private func verdicts(_ scope: Scope) throws -> [HostVerdict: Int] {
    let condition = self.condition(scope, address: "address", system: "asn")
    return try store.writer.read { db in
      // SQLite gives the bare column of the row that holds the max (lang_select.html §2.5).
      let rows = try Row.fetchAll(
        db,
        sql: """
          SELECT verdict, count(*) FROM (
            SELECT address, verdict, max(lastSeen) FROM telescope_hosts
            WHERE \(condition) GROUP BY address) GROUP BY verdict
          """)
      var counts: [HostVerdict: Int] = [:]
      for row in rows {
        let word: String = row[0]
        if let verdict = HostVerdict(rawValue: word) { counts[verdict] = row[1] }
      }
      return counts
    }
  }
}
