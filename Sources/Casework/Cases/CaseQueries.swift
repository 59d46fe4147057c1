public import Findings
import Foundation
public import GRDB
public import NetworkTypes
public import Store

extension CaseRegister {
  // MARK: - Cases

  /// Cases by filter, the last changed first. The text of a search is looked for in number,
  /// address, organisation, assignee and detail.
  ///
  /// - Throws: `ListQueryError` where the query names something that is not there.
  public func cases(_ query: ListQuery = ListQuery(), visibleTo visibility: Visibility) throws
    -> ListPage<Case>
  {
    var statement = try ListStatement(
      query, columns: Self.caseColumns,
      searched: ["id", "address_text", "organisation", "assignee", "detail"],
      order: .init(column: "updated", isAscending: false), tieBreak: "number")
    let (condition, values) = visibility.onCases
    statement.require(condition, values)
    return try store.writer.read { [statement] db in
      try statement.page(of: CaseTables.caseColumns, from: "cases", in: db) {
        try CaseTables.caseRow($0).value
      }
    }
  }

  /// Nil where there is none, or the asker must not see it.
  public func `case`(_ id: String, visibleTo visibility: Visibility) throws -> Case? {
    try store.writer.read { try Self.stored(id, visibility, in: $0)?.value }
  }

  /// What was done, the first step first; empty where the asker must not see the case.
  public func history(of id: String, visibleTo visibility: Visibility) throws -> [CaseEvent] {
    let (condition, values) = visibility.onCases
    return try store.writer.read { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT * FROM case_events WHERE case_id = ?
            AND case_id IN (SELECT id FROM cases WHERE \(condition)) ORDER BY id
          """, arguments: StatementArguments([id.databaseValue] + values)
      ).map(CaseTables.event)
    }
  }

  /// The active cases of an organisation inside a transaction, by number: what a notice is made of.
  public func activeCases(of organisation: String, in db: Database) throws -> [Case] {
    try Row.fetchAll(
      db,
      sql: """
        SELECT \(CaseTables.caseColumns) FROM cases
        WHERE organisation = ? AND state NOT IN ('closed', 'fixed') ORDER BY number
        """, arguments: [organisation]
    ).map { try CaseTables.caseRow($0).value }
  }

  // MARK: - Findings

  /// Findings by filter, the last seen first. Whoever sees not everything sees the findings in its
  /// own cases.
  ///
  /// - Throws: `ListQueryError`.
  public func findings(_ query: ListQuery = ListQuery(), visibleTo visibility: Visibility) throws
    -> ListPage<Finding>
  {
    var statement = try ListStatement(
      query, columns: Self.findingColumns, searched: ["id", "address_text", "sensor", "detail"],
      order: .init(column: "last_seen", isAscending: false), tieBreak: "id")
    let (condition, values) = visibility.onFindings
    statement.require(condition, values)
    return try store.writer.read { [statement] db in
      try statement.page(of: "document", from: "findings", in: db) {
        try CaseTables.finding($0[0])
      }
    }
  }

  public func finding(_ id: String, visibleTo visibility: Visibility) throws -> Finding? {
    try store.writer.read {
      try Self.findings("id = ?", [id.databaseValue], visibility, in: $0).first
    }
  }

  /// All that is known about an address, the latest first; at most `limit`.
  public func findings(
    about address: IPAddress, visibleTo visibility: Visibility, limit: Int = 1_000
  ) throws -> [Finding] {
    try store.writer.read {
      try Self.findings(
        "address = ?", [CaseTables.octets(address).databaseValue], visibility, limit, in: $0)
    }
  }

  /// The findings of a case, the latest first; at most `limit`.
  public func findings(
    ofCase id: String, visibleTo visibility: Visibility, limit: Int = 10_000
  ) throws -> [Finding] {
    try store.writer.read {
      try Self.findings("case_id = ?", [id.databaseValue], visibility, limit, in: $0)
    }
  }

  /// The findings of a case that were recorded after the moment, inside a transaction: what the
  /// last notice did not hold.
  public func findings(ofCase id: String, recordedAfter moment: Timestamp, in db: Database) throws
    -> [Finding]
  {
    try Self.findings(
      "case_id = ? AND recorded > ?", [id.databaseValue, moment.nanoseconds.databaseValue],
      .everything, in: db)
  }

  /// The addresses that findings of a kind, seen since a moment by another sensor than `excluded`,
  /// are about; at most `limit`, the last seen first.
  public func addresses(
    of kind: Finding.Kind, seenSince moment: Timestamp, notBy excluded: String? = nil,
    limit: Int = 1_000_000
  ) throws -> Set<IPAddress> {
    try store.writer.read { db in
      try Set(
        String.fetchAll(
          db,
          sql: """
            SELECT address_text FROM findings
            WHERE kind = ?1 AND last_seen >= ?2 AND (?3 IS NULL OR sensor <> ?3)
            ORDER BY last_seen DESC LIMIT ?4
            """, arguments: [kind.rawValue, moment.nanoseconds, excluded, limit]
        ).compactMap { IPAddress($0) })
    }
  }

  /// The moment of the last sighting; nil without findings. The clock of a replay.
  public func latestSighting() throws -> Timestamp? {
    try store.writer.read {
      try Int64.fetchOne($0, sql: "SELECT max(last_seen) FROM findings")
        .map(Timestamp.init(nanoseconds:))
    }
  }

  private static func findings(
    _ condition: String, _ values: [DatabaseValue], _ visibility: Visibility,
    _ limit: Int = 100_000,
    in db: Database
  ) throws -> [Finding] {
    let (visible, bound) = visibility.onFindings
    return try String.fetchAll(
      db,
      sql: """
        SELECT document FROM findings WHERE (\(condition)) AND (\(visible))
        ORDER BY last_seen DESC, id LIMIT \(max(0, limit))
        """, arguments: StatementArguments(values + bound)
    ).map(CaseTables.finding)
  }

  // MARK: - Columns

  /// The columns that ``cases(_:visibleTo:)`` filters and sorts by.
  public static let caseColumns: [ListColumn] = [
    .text("id"), .text("state"), .text("kind"), .address("address"), .text("address_text"),
    .text("detail"), .text("organisation"), .text("responsibility"), .text("assignee"),
    .integer("confidence"), .integer("findings"), .integer("reopened"), .marking, .moment("opened"),
    .moment("updated"), .moment("closed"), .moment("closed_at", "closed"), .moment("due"),
    .moment("first_seen"), .moment("last_seen"),
  ]

  /// The columns that ``findings(_:visibleTo:)`` filters and sorts by.
  public static let findingColumns: [ListColumn] = [
    .text("id"), .text("kind"), .address("address"), .text("address_text"), .text("subject"),
    .text("sensor"), .text("detail"), .text("case", expression: "case_id"), .integer("confidence"),
    .marking, .moment("first_seen"), .moment("last_seen"), .moment("recorded"),
  ]
}

extension ListColumn {
  /// A column of nanoseconds, asked for by RFC 3339.
  fileprivate static func moment(_ name: String, _ expression: String? = nil) -> ListColumn {
    ListColumn(name, expression: expression, expected: "a time such as 2026-11-25T05:10:58Z") {
      Timestamp($0).map { .integer($0.nanoseconds)...Key.integer($0.nanoseconds) }
    }
  }

  /// A column of addresses, asked for by an address or a prefix.
  fileprivate static func address(_ name: String) -> ListColumn {
    ListColumn(name, expected: "an address or a prefix such as 192.0.2.0/24") { text in
      IPPrefix(text).map {
        .bytes(Array(CaseTables.octets($0.first)))...Key.bytes(Array(CaseTables.octets($0.last)))
      }
    }
  }

  fileprivate static var marking: ListColumn {
    .choice(
      "marking",
      Dictionary(
        TrafficLight.allCases.map { ($0.rawValue, Int64(CaseTables.rank($0))) },
        uniquingKeysWith: { first, _ in first }))
  }
}

extension Visibility {
  /// The condition on `cases`, with its values.
  var onCases: (sql: String, values: [DatabaseValue]) {
    switch self {
    case .everything: ("TRUE", [])
    case .organisation(let id): ("organisation = ?", [id.databaseValue])
    }
  }

  /// The condition on `findings`, with its values.
  var onFindings: (sql: String, values: [DatabaseValue]) {
    switch self {
    case .everything: ("TRUE", [])
    case .organisation(let id):
      ("case_id IN (SELECT id FROM cases WHERE organisation = ?)", [id.databaseValue])
    }
  }
}
