import Casework
import Foundation
import GRDB
import NetworkTypes
import Store

/// The notices of the house's database, read for the portal's list.
struct NoticeLive: Sendable {
  let store: DataStore
  let outbox: Outbox
  let now: @Sendable () -> Timestamp

  var reading: NoticeReading {
    NoticeReading(
      notices: { query, scope in try page(query, scope) },
      detail: { number, scope in try detail(number, scope) },
      act: { id, action, account in try act(id, action, account) },
      states: Casework.Delivery.State.allCases.map(\.rawValue))
  }

  private func act(_ id: String, _ action: DeliveryAction, _ account: String) throws {
    do {
      switch action {
      case .retry: try outbox.retry(id, by: .user(account), at: now())
      case .confirm: try outbox.confirm(id, by: .user(account), at: now())
      }
    } catch let error as NoticeError {
      switch error {
      case .notFound, .noDelivery: throw Problem.notFound
      // It went on between the page and the click.
      default: throw Problem.conflict
      }
    }
  }

  /// The worst of a notice's deliveries is what a person should look at; without any it waits.
  private static let state = """
    (SELECT coalesce(min(CASE state WHEN 'failed' THEN '1failed' WHEN 'in-doubt' THEN '2in-doubt' \
    WHEN 'retrying' THEN '3retrying' WHEN 'sending' THEN '4sending' WHEN 'unsealed' THEN '5unsealed' \
    WHEN 'pending' THEN '6pending' ELSE '7delivered' END), '6pending') FROM deliveries WHERE notice_id = notices.id)
    """

  private static let caseCount =
    "(SELECT count(*) FROM notice_cases WHERE notice_id = notices.id)"

  /// Delivered when the last of its deliveries was.
  private static let delivered = """
    (SELECT CASE WHEN count(*) = count(delivered) THEN max(delivered) END FROM deliveries \
    WHERE notice_id = notices.id)
    """

  private static let selection = """
    number, organisation, substr(\(state), 2) AS state, \(caseCount) AS cases, created, \
    \(delivered) AS delivered, formats, id
    """

  private static let columns: [ListColumn] = [
    .text("id", expression: "number"), .text("organisation"),
    .text("state", expression: "substr(\(state), 2)"), .integer("cases", expression: caseCount),
    .text("formats"), .moment("created", "created"), .moment("delivered", delivered),
  ]

  private func page(_ query: TableQuery, _ scope: Scope) throws -> Rows<NoticeSummary> {
    try query.gather { listQuery in
      var statement = try ListStatement(
        listQuery, columns: Self.columns, searched: [],
        order: .init(column: "created", isAscending: false), tieBreak: "number")
      if let id = scope.organisation { statement.require("organisation = ?", [id.databaseValue]) }
      return try store.writer.read { [statement] db in
        try statement.page(of: Self.selection, from: "notices", in: db, row: Self.summary)
      }
    }
  }

  private static func summary(_ row: Row) -> NoticeSummary {
    let formats: String = row["formats"]
    let delivered: Int64? = row["delivered"]
    return NoticeSummary(
      id: row["number"], organisation: row["organisation"], state: row["state"],
      cases: row["cases"], created: Timestamp(nanoseconds: row["created"]),
      delivered: delivered.map { Timestamp(nanoseconds: $0) },
      formats: formats.split(separator: " ").map { String($0) })
  }

  private func detail(_ number: String, _ scope: Scope) throws -> NoticeDetail? {
    try store.writer.read { db in
      guard
        let row = try Row.fetchOne(
          db,
          sql: """
            SELECT \(Self.selection) FROM notices
            WHERE number = ?1 AND (?2 IS NULL OR organisation = ?2)
            """, arguments: [number, scope.organisation])
      else { return nil }
      let id: String = row["id"]
      return NoticeDetail(
        summary: Self.summary(row),
        parts: try Row.fetchAll(
          db,
          sql: "SELECT name, type, content FROM notice_parts WHERE notice_id = ? ORDER BY place",
          arguments: [id]
        ).map { row in
          let content: Data = row["content"]
          return NoticePart(
            name: row["name"], type: row["type"], content: Array(content))
        },
        deliveries: try Row.fetchAll(
          db, sql: "SELECT * FROM deliveries WHERE notice_id = ? ORDER BY id", arguments: [id]
        ).map(Self.delivery),
        cases: try String.fetchAll(
          db, sql: "SELECT case_id FROM notice_cases WHERE notice_id = ? ORDER BY place",
          arguments: [id]))
    }
  }

  private static func delivery(_ row: Row) -> NoticeDelivery {
    let last: Int64? = row["last_attempt"]
    let next: Int64? = row["next_attempt"]
    return NoticeDelivery(
      id: row["id"], channel: row["channel"], target: row["target"], state: row["state"],
      attempts: row["attempts"], lastAttempt: last.map { Timestamp(nanoseconds: $0) },
      nextAttempt: next.map { Timestamp(nanoseconds: $0) }, failure: row["failure"])
  }

  /// The notices that told of a case, the first one first.
  func telling(of caseID: String, _ scope: Scope) throws -> [(id: String, moment: Timestamp)] {
    try store.writer.read { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT n.number, n.created FROM notice_cases c JOIN notices n ON n.id = c.notice_id
          WHERE c.case_id = ?1 AND (?2 IS NULL OR n.organisation = ?2) ORDER BY n.created
          """, arguments: [caseID, scope.organisation]
      ).map { ($0[0], Timestamp(nanoseconds: $0[1])) }
    }
  }
}
