import Foundation
import GRDB
public import NetworkTypes
public import Store

/// Whose addresses a reader may see.
///
/// The telescope knows no organisations: whoever asks hands in the prefixes.
public enum TelescopeScope: Sendable, Hashable {
  case everything
  case prefixes([IPPrefix])
}

extension TelescopeStore {
  /// A list that people read: its table, columns by which it may be sorted and filtered.
  private struct Table {
    let name: String
    let address: String?
    let columns: Set<String>
    let order: String
  }

  private static let hostTable = Table(
    name: "telescope_hosts", address: "address",
    columns: [
      "address", "firstSeen", "lastSeen", "verdict", "confidence", "packets", "destinations",
      "rate", "country", "asn", "tool", "malware",
    ], order: "lastSeen DESC, address")
  private static let victimTable = Table(
    name: "telescope_victims", address: "victim",
    columns: ["victim", "start", "end", "packets", "peak", "rate", "country", "asn", "isClosed"],
    order: "end DESC, victim")
  private static let alertTable = Table(
    name: "telescope_alerts", address: "address",
    columns: ["organisation", "address", "reach", "firstSeen", "lastSeen", "packets", "state"],
    order: "lastSeen DESC, address")
  private static let campaignTable = Table(
    name: "telescope_campaigns", address: nil,
    columns: [
      "subject", "key", "began", "lastSeen", "isOver", "peakSources", "baseline", "deviations",
    ], order: "began DESC, key")
  /// Columns by which each list can be sorted and filtered, for those who offer it.
  public static let hostColumns = hostTable.columns
  public static let victimColumns = victimTable.columns
  public static let alertColumns = alertTable.columns
  public static let campaignColumns = campaignTable.columns
  public static let eventColumns: Set<String> = [
    "source", "port", "class", "firstSeen", "lastSeen", "packets", "bytes", "destinations",
    "rate", "country", "asn", "isClosed",
  ]

  public func hosts(
    _ query: ListQuery = ListQuery(), scope: TelescopeScope = .everything
  ) throws -> ListPage<ObservedHost> {
    try documents(Self.hostTable, query, scope)
  }

  /// Everything known of one address, the latest stay first.
  public func host(
    _ address: IPAddress, scope: TelescopeScope = .everything
  ) throws -> [ObservedHost] {
    var query = ListQuery(filters: ["address": address.description], limit: 100)
    query.sort = .init(column: "lastSeen", isAscending: false)
    return try hosts(query, scope: scope).rows
  }

  public func victims(
    _ query: ListQuery = ListQuery(), scope: TelescopeScope = .everything
  ) throws -> ListPage<VictimEvent> {
    try documents(Self.victimTable, query, scope)
  }

  public func alerts(
    _ query: ListQuery = ListQuery(), scope: TelescopeScope = .everything
  ) throws -> ListPage<MemberAlert> {
    try documents(Self.alertTable, query, scope)
  }

  public func campaigns(_ query: ListQuery = ListQuery()) throws -> ListPage<Campaign> {
    try documents(Self.campaignTable, query, .everything)
  }

  // MARK: Whole tables

  /// Hands over every host of note that was seen in a time, the earliest first.
  public func forEachHost(
    since: Timestamp?, until: Timestamp?, progress: (Int, Int) -> Void = { _, _ in },
    _ body: (ObservedHost) throws -> Void
  ) throws {
    try forEachDocument(
      "telescope_hosts", first: "firstSeen", last: "lastSeen", key: "address", since, until,
      progress, body)
  }

  /// Hands over every attack that went on in a time, the earliest first.
  public func forEachVictim(
    since: Timestamp?, until: Timestamp?, progress: (Int, Int) -> Void = { _, _ in },
    _ body: (VictimEvent) throws -> Void
  ) throws {
    try forEachDocument(
      "telescope_victims", first: "start", last: "\"end\"", key: "victim", since, until,
      progress, body)
  }

  private func forEachDocument<Item: Decodable>(
    _ table: String, first: String, last: String, key: String, _ since: Timestamp?,
    _ until: Timestamp?, _ progress: (Int, Int) -> Void, _ body: (Item) throws -> Void
  ) throws {
    let decoder = JSONDecoder()
    try store.writer.read { database in
      let condition = "\(last) >= ? AND \(first) < ?"
      let arguments: StatementArguments = [
        since?.nanoseconds ?? .min, until?.nanoseconds ?? .max,
      ]
      let total =
        try Int.fetchOne(
          database, sql: "SELECT COUNT(*) FROM \(table) WHERE \(condition)", arguments: arguments)
        ?? 0
      let rows = try String.fetchCursor(
        database,
        sql: "SELECT document FROM \(table) WHERE \(condition) ORDER BY \(first), \(key)",
        arguments: arguments)
      var done = 0
      while let document = try rows.next() {
        try body(decoder.decode(Item.self, from: Data(document.utf8)))
        done += 1
        if done.isMultiple(of: 256) { progress(done, total) }
      }
      progress(done, total)
    }
  }

  // MARK: Series

  /// The points of one dimension, oldest first, from `from` on and before `to`.
  ///
  /// - Parameter keys: only these keys; all when nil.
  public func series(
    _ dimension: SeriesPoint.Dimension, _ resolution: SeriesPoint.Resolution,
    from: Timestamp? = nil, to: Timestamp? = nil, keys: [String]? = nil
  ) throws -> [SeriesPoint] {
    try store.writer.read { database in
      var sql = "SELECT * FROM telescope_series WHERE resolution = ? AND dimension = ?"
      var arguments: StatementArguments = [resolution.rawValue, dimension.rawValue]
      if let from {
        sql += " AND start >= ?"
        arguments += [from.seconds]
      }
      if let to {
        sql += " AND start < ?"
        arguments += [to.seconds]
      }
      if let keys {
        sql += " AND key IN (\(keys.map { _ in "?" }.joined(separator: ",")))"
        arguments += StatementArguments(keys)
      }
      return try Row.fetchAll(
        database, sql: sql + " ORDER BY start, hosts DESC, key", arguments: arguments
      ).map { row in
        SeriesPoint(
          resolution: resolution, start: row["start"], dimension: dimension, key: row["key"],
          packets: UInt64(clamping: row["packets"] as Int64),
          bytes: UInt64(clamping: row["bytes"] as Int64), hosts: row["hosts"])
      }
    }
  }

  /// Sums over a time by key, the largest number of hosts first. Hosts of several bins may be the same
  /// ones, so the figure is the largest bin's, a lower bound.
  public func top(
    _ dimension: SeriesPoint.Dimension, _ resolution: SeriesPoint.Resolution,
    from: Timestamp? = nil, to: Timestamp? = nil, limit: Int = 10
  ) throws -> [SeriesPoint] {
    try store.writer.read { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT key, SUM(packets) AS packets, SUM(bytes) AS bytes, MAX(hosts) AS hosts,
            MIN(start) AS start
          FROM telescope_series
          WHERE resolution = ? AND dimension = ? AND start >= ? AND start < ? AND key != 'other'
          GROUP BY key ORDER BY hosts DESC, packets DESC, key LIMIT ?
          """,
        arguments: [
          resolution.rawValue, dimension.rawValue, from?.seconds ?? .min, to?.seconds ?? .max,
          limit,
        ]
      ).map { row in
        SeriesPoint(
          resolution: resolution, start: row["start"], dimension: dimension, key: row["key"],
          packets: UInt64(clamping: row["packets"] as Int64),
          bytes: UInt64(clamping: row["bytes"] as Int64), hosts: row["hosts"])
      }
    }
  }

  /// How many hosts have each verdict.
  public func verdictCounts(scope: TelescopeScope = .everything) throws -> [HostVerdict: Int] {
    try store.writer.read { database in
      let condition = Self.condition(scope, column: "address")
      let rows = try Row.fetchAll(
        database,
        sql: "SELECT verdict, COUNT(*) AS n FROM telescope_hosts WHERE \(condition.sql) "
          + "GROUP BY verdict", arguments: condition.arguments)
      var counts: [HostVerdict: Int] = [:]
      for row in rows {
        if let verdict = HostVerdict(rawValue: row["verdict"]) { counts[verdict] = row["n"] }
      }
      return counts
    }
  }

  // MARK: Pages

  private func documents<Row: Decodable & Sendable>(
    _ table: Table, _ query: ListQuery, _ scope: TelescopeScope
  ) throws -> ListPage<Row> {
    let decoder = JSONDecoder()
    return try page(table, query, scope) { row in
      try decoder.decode(Row.self, from: Data((row["document"] as String).utf8))
    }
  }

  private func page<Item: Sendable>(
    _ table: Table, _ query: ListQuery, _ scope: TelescopeScope, _ read: (Row) throws -> Item
  ) throws -> ListPage<Item> {
    try store.writer.read { database in
      var condition: (sql: String, arguments: StatementArguments) =
        table.address.map { Self.condition(scope, column: $0) } ?? ("1", [])
      for (column, value) in query.filters.sorted(by: { $0.key < $1.key })
      where table.columns.contains(column) {
        if column == table.address {
          guard let prefix = IPPrefix(value) else {
            condition.sql += " AND 0"
            continue
          }
          condition.sql += " AND \(column) BETWEEN ? AND ?"
          condition.arguments += [Self.blob(prefix.first), Self.blob(prefix.last)]
        } else {
          condition.sql += " AND CAST(\(column) AS TEXT) = ?"
          condition.arguments += [value]
        }
      }
      if let search = query.search, !search.isEmpty {
        condition.sql += " AND document LIKE ? ESCAPE '\\'"
        condition.arguments += ["%\(Self.escaped(search))%"]
      }
      let total =
        try Int.fetchOne(
          database, sql: "SELECT COUNT(*) FROM \(table.name) WHERE \(condition.sql)",
          arguments: condition.arguments) ?? 0
      var order = table.order
      if let sort = query.sort, table.columns.contains(sort.column) {
        order = "\(sort.column) \(sort.isAscending ? "ASC" : "DESC"), " + order
      }
      let rows = try Row.fetchAll(
        database,
        sql: "SELECT * FROM \(table.name) WHERE \(condition.sql) ORDER BY \(order) "
          + "LIMIT ? OFFSET ?", arguments: condition.arguments + [query.limit, query.offset])
      return ListPage(rows: try rows.map(read), total: total)
    }
  }

  private static func condition(
    _ scope: TelescopeScope, column: String
  ) -> (sql: String, arguments: StatementArguments) {
    guard case .prefixes(let prefixes) = scope else { return ("1", []) }
    guard !prefixes.isEmpty else { return ("0", []) }
    var arguments = StatementArguments()
    for prefix in prefixes { arguments += [blob(prefix.first), blob(prefix.last)] }
    let parts = prefixes.map { _ in "\(column) BETWEEN ? AND ?" }
    return ("(\(parts.joined(separator: " OR ")))", arguments)
  }

  /// A search text in which LIKE's wildcards stand for themselves.
  private static func escaped(_ text: String) -> String {
    text.reduce(into: "") { result, character in
      if "%_\\".contains(character) { result.append("\\") }
      result.append(character)
    }
  }
}
