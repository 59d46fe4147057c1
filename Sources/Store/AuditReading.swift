import Foundation
import GRDB

extension AuditTrail {
  /// The columns that ``entries(matching:)`` filters and sorts by.
  public static let columns: [ListColumn] = [
    .integer("sequence"), .integer("at"), .text("actor"), .text("action"), .text("subject"),
    .text("details"),
  ]

  /// The entries that fit, newest first unless the query sorts otherwise; its free text is looked
  /// for in actor, action, subject and details.
  ///
  /// - Throws: ``ListQueryError`` where the query names something that is not there.
  public func entries(matching query: ListQuery) throws -> ListPage<AuditRecord> {
    let statement = try ListStatement(
      query, columns: Self.columns, searched: ["actor", "action", "subject", "details"],
      order: .init(column: "sequence", isAscending: false), tieBreak: "sequence")
    return try store.writer.read { database in
      try statement.page(
        of: "sequence, at, actor, action, subject, details, previous, hash", from: "audit_trail",
        in: database, row: Self.record)
    }
  }

  static func record(_ row: Row) -> AuditRecord {
    let details: String = row["details"]
    let actor: String = row["actor"]
    return AuditRecord(
      sequence: row["sequence"],
      entry: AuditEntry(
        nanoseconds: row["at"],
        // A row that somebody edited is still shown; verify(against:progress:) names it.
        actor: AuditEntry.Actor(text: actor) ?? .system(actor), action: row["action"],
        subject: row["subject"],
        details: (try? JSONDecoder().decode([String: String].self, from: Data(details.utf8)))
          ?? ["unreadable": details]),
      previous: row["previous"], hash: row["hash"])
  }

  /// Reads the whole chain and says whether it stands as it was written.
  ///
  /// - Parameters:
  ///   - kept: heads that were copied elsewhere, in addition to the anchor file.
  ///   - progress: is given the checked and the total number of entries now and then.
  public func verify(
    against kept: [AuditHead] = [], progress: ((Int64, Int64) -> Void)? = nil
  ) throws -> AuditVerification {
    var anchors = kept
    do {
      if let anchor = try anchor() { anchors.append(anchor) }
    } catch {
      return .broken(
        sequence: 0, reason: "the anchor file audit-head.json is not an anchor; somebody changed it"
      )
    }
    let expected = Dictionary(anchors.map { ($0.sequence, $0.hash) }) { first, _ in first }
    return try store.writer.read { database in
      let total =
        try Int64.fetchOne(database, sql: "SELECT COUNT(*) FROM audit_trail") ?? 0
      var head = AuditHead(sequence: 0, hash: Self.origin)
      let rows = try Row.fetchCursor(
        database,
        sql: """
          SELECT sequence, at, actor, action, subject, details, previous, hash
          FROM audit_trail ORDER BY sequence
          """)
      while let row = try rows.next() {
        let sequence = head.sequence + 1
        if let reason = Self.fault(in: row, after: head) {
          return .broken(sequence: sequence, reason: reason)
        }
        head = AuditHead(sequence: sequence, hash: row["hash"])
        if let kept = expected[sequence], kept != head.hash {
          return .broken(
            sequence: sequence,
            reason: "the chain was rewritten: entry \(sequence) differs from the kept head")
        }
        if sequence % 10_000 == 0 { progress?(sequence, total) }
      }
      progress?(total, total)
      if let cut = anchors.map(\.sequence).filter({ $0 > head.sequence }).max() {
        return .broken(
          sequence: head.sequence + 1,
          reason: "entries \(head.sequence + 1) to \(cut) are missing at the end: they were cut "
            + "off, or an older backup was restored")
      }
      return .intact(head: head)
    }
  }

  private static func fault(in row: Row, after head: AuditHead) -> String? {
    let sequence = head.sequence + 1
    // Values are read by hand: an edited row may hold any type of SQLite.
    guard let stored = Int64.fromDatabaseValue(row["sequence"]), stored == sequence else {
      return "entry \(sequence) is missing"
    }
    guard let at = Int64.fromDatabaseValue(row["at"]) else {
      return "entry \(sequence) has no time"
    }
    let texts = ["actor", "action", "subject", "details", "previous", "hash"].map {
      String.fromDatabaseValue(row[$0])
    }
    guard let actor = texts[0], let action = texts[1], let subject = texts[2],
      let details = texts[3], let previous = texts[4], let hash = texts[5]
    else { return "entry \(sequence) holds values that are not text" }
    guard previous == head.hash else {
      return "entry \(sequence) does not continue the entry before it"
    }
    let right = Self.hash(
      sequence: sequence, at: at, actor: actor, action: action, subject: subject, details: details,
      previous: previous)
    return right == hash ? nil : "entry \(sequence) was changed after it was written"
  }
}
