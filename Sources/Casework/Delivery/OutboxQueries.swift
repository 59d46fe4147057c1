public import Constituency
public import Findings
import Foundation
import GRDB
public import NetworkTypes
public import Store

/// A line in the list of notices.
public struct NoticeListing: Hashable, Sendable, Identifiable {
  public let id: String
  public let number: String
  public let organisation: String
  /// The worst of its deliveries.
  public let state: Delivery.State
  public let cases: Int
  public let created: Timestamp
  /// When the last recipient got it; nil while one has not.
  public let delivered: Timestamp?
  public let formats: [DeliveryPreferences.Format]
  public let marking: TrafficLight
}

/// A notice with what was sent and what came of it.
public struct NoticeRecord: Hashable, Sendable {
  public let notice: Notice
  public let state: Delivery.State
  /// As they were sent.
  public let parts: [NoticePart]
  public let deliveries: [Delivery]
  public let attempts: [DeliveryAttempt]
}

/// Deliveries by where they stand.
public struct DeliveryCounts: Hashable, Sendable {
  public var states: [Delivery.State: Int] = [:]
  /// When the oldest that waits was queued.
  public var oldestWaiting: Timestamp?

  public init() {}

  public subscript(state: Delivery.State) -> Int { states[state] ?? 0 }
  /// Those that need a person.
  public var needsAttention: Int { self[.failed] + self[.inDoubt] }
}

extension Outbox {
  /// The worst first: what a person must look at.
  private static let byUrgency: [Delivery.State] = [
    .failed, .inDoubt, .retrying, .sending, .unsealed, .pending, .delivered,
  ]

  private static let listing = """
    (SELECT n.*,
      (SELECT count(*) FROM notice_cases t WHERE t.notice_id = n.id) AS cases,
      (SELECT min(\(rank("d.state"))) FROM deliveries d WHERE d.notice_id = n.id) AS urgency,
      (SELECT CASE WHEN min(d.state = 'delivered') THEN max(d.delivered) END
        FROM deliveries d WHERE d.notice_id = n.id) AS delivered
    FROM notices n)
    """

  private static func rank(_ column: String) -> String {
    "CASE \(column) "
      + byUrgency.enumerated().map { "WHEN '\($0.element.rawValue)' THEN \($0.offset) " }.joined()
      + "END"
  }

  private static func state(_ urgency: Int?) -> Delivery.State {
    urgency.flatMap { byUrgency.indices.contains($0) ? byUrgency[$0] : nil } ?? .pending
  }

  private static func time(_ name: String) -> ListColumn {
    ListColumn(name, expected: "a time such as 2026-11-25T05:10:58Z") { text in
      Timestamp(text).map { .integer($0.nanoseconds)...ListColumn.Key.integer($0.nanoseconds) }
    }
  }

  /// The columns that ``notices(_:visibleTo:)`` filters and sorts by.
  public static let noticeColumns: [ListColumn] = [
    .text("id"), .text("number"), .text("organisation"),
    .choice(
      "state", expression: "urgency",
      Dictionary(
        uniqueKeysWithValues: byUrgency.enumerated().map { ($0.element.rawValue, Int64($0.offset)) }
      )),
    .integer("cases"), .text("formats"), time("created"), time("delivered"),
    .choice(
      "marking",
      Dictionary(
        uniqueKeysWithValues: TrafficLight.allCases.enumerated().map {
          ($0.element.rawValue, Int64($0.offset))
        })),
  ]

  /// The notices that fit, the newest first.
  ///
  /// - Throws: `ListQueryError`.
  public func notices(_ query: ListQuery, visibleTo visibility: Visibility) throws
    -> ListPage<NoticeListing>
  {
    var statement = try ListStatement(
      query, columns: Self.noticeColumns, searched: ["id", "number", "organisation"],
      order: .init(column: "created", isAscending: false), tieBreak: "number")
    let (condition, values) = visibility.onCases
    statement.require(condition, values)
    return try store.writer.read { [statement] db in
      try statement.page(of: "*", from: Self.listing, in: db) { row in
        let formats: String = row["formats"]
        return NoticeListing(
          id: row["id"], number: row["number"], organisation: row["organisation"],
          state: Self.state(row["urgency"]), cases: row["cases"],
          created: Timestamp(nanoseconds: row["created"]),
          delivered: OutboxTables.moment(row["delivered"]),
          formats: formats.split(separator: " ").compactMap { .init(rawValue: String($0)) },
          marking: CaseTables.marking(row["marking"]))
      }
    }
  }

  /// One notice, by its identifier or its number; nil where there is none, or the asker must not see it.
  public func notice(_ id: String, visibleTo visibility: Visibility) throws -> NoticeRecord? {
    let (condition, values) = visibility.onCases
    return try store.writer.read { db in
      let row = try Row.fetchOne(
        db, sql: "SELECT * FROM \(Self.listing) WHERE (id = ? OR number = ?) AND \(condition)",
        arguments: StatementArguments([id.databaseValue, id.databaseValue] + values))
      guard let row else { return nil }
      let notice = try OutboxTables.notice(row, in: db)
      let deliveries = try Row.fetchAll(
        db,
        sql: """
          SELECT \(OutboxTables.deliveryColumns) FROM deliveries d JOIN notices n
          ON n.id = d.notice_id WHERE n.id = ? ORDER BY d.id
          """, arguments: [notice.id]
      ).map(OutboxTables.delivery)
      let attempts = try Row.fetchAll(
        db,
        sql: """
          SELECT a.* FROM delivery_attempts a JOIN deliveries d ON d.id = a.delivery_id
          WHERE d.notice_id = ? ORDER BY a.id
          """, arguments: [notice.id]
      ).map(OutboxTables.attempt)
      return NoticeRecord(
        notice: notice, state: Self.state(row["urgency"]),
        parts: try OutboxTables.parts(of: notice.id, in: db), deliveries: deliveries,
        attempts: attempts)
    }
  }

  /// The notices that told of a case, the newest first.
  public func notices(ofCase id: String, visibleTo visibility: Visibility) throws
    -> [(number: String, created: Timestamp)]
  {
    let (condition, values) = visibility.onCases
    return try store.writer.read { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT number, created FROM notices WHERE \(condition)
            AND id IN (SELECT notice_id FROM notice_cases WHERE case_id = ?)
          ORDER BY created DESC, number DESC
          """, arguments: StatementArguments(values + [id.databaseValue])
      ).map { (number: $0[0], created: Timestamp(nanoseconds: $0[1])) }
    }
  }

  /// The columns that ``deliveries(_:visibleTo:)`` filters and sorts by.
  public static let deliveryColumns: [ListColumn] = [
    .text("id"), .text("notice"), .text("organisation"), .text("channel"), .text("target"),
    .text("state"), .integer("attempts"), time("last_attempt"), time("next_attempt"),
    time("delivered"),
  ]

  /// The deliveries that fit, the next to be tried first.
  ///
  /// - Throws: `ListQueryError`.
  public func deliveries(_ query: ListQuery, visibleTo visibility: Visibility) throws
    -> ListPage<Delivery>
  {
    var statement = try ListStatement(
      query, columns: Self.deliveryColumns, searched: ["id", "target", "organisation"],
      order: .init(column: "id", isAscending: false), tieBreak: "id")
    let (condition, values) = visibility.onCases
    statement.require(condition, values)
    return try store.writer.read { [statement] db in
      try statement.page(
        of: "*",
        from: """
          (SELECT \(OutboxTables.deliveryColumns), n.number AS notice
           FROM deliveries d JOIN notices n ON n.id = d.notice_id)
          """, in: db, row: OutboxTables.delivery)
    }
  }

  /// How many deliveries stand where.
  public func counts(visibleTo visibility: Visibility = .everything) throws -> DeliveryCounts {
    let (condition, values) = visibility.onCases
    return try store.writer.read { db in
      var counts = DeliveryCounts()
      for row in try Row.fetchAll(
        db,
        sql: """
          SELECT d.state, count(*), min(d.queued) FROM deliveries d JOIN notices n
          ON n.id = d.notice_id WHERE \(condition) GROUP BY d.state
          """, arguments: StatementArguments(values))
      {
        guard let state = Delivery.State(rawValue: row[0]) else { continue }
        counts.states[state] = row[1]
        if state == .pending || state == .retrying || state == .unsealed {
          let queued = Timestamp(nanoseconds: row[2])
          counts.oldestWaiting = min(counts.oldestWaiting ?? queued, queued)
        }
      }
      return counts
    }
  }
}
