import Constituency
import Foundation
import GRDB
public import NetworkTypes
import Store

/// What a round of sealing did.
public struct SealingRound: Hashable, Sendable {
  /// Notices.
  public var sealed = 0
  /// Why the others wait.
  public var failures: [String] = []

  public init() {}
}

extension Outbox {
  /// Seals the notices that wait for it; from then on their deliveries are due.
  ///
  /// What is sealed is stored in one transaction, so that a process that is killed has either sealed
  /// a notice or not, and none leaves without its seals. Where one cannot be sealed the others wait
  /// for the next round: the time-stamp authority is likely away.
  public func seal(
    with sealing: NoticeSealing, at now: @Sendable () -> Timestamp
  ) async throws -> SealingRound {
    var round = SealingRound()
    for notice in try unsealedNotices() {
      let parts = try contents(of: notice.id)
      var seals: [NoticePart] = []
      do {
        for part in parts { seals.append(part.sealed(by: try await sealing.seal(part.content))) }
      } catch {
        round.failures.append("\(notice.number): \(error)")
        try note("cannot be sealed: \(error)", of: notice.id)
        return round
      }
      try keep(seals, after: parts.count, of: notice, at: now())
      round.sealed += 1
    }
    return round
  }

  /// Seals of notices, the latest first.
  public func seals(limit: Int) throws -> [[UInt8]] {
    try store.writer.read { db in
      try Data.fetchAll(
        db, sql: "SELECT content FROM notice_parts WHERE type = ? ORDER BY rowid DESC LIMIT ?",
        arguments: [NoticePart.sealType, limit]
      ).map { Array($0) }
    }
  }

  private func unsealedNotices() throws -> [(id: String, number: String)] {
    try store.writer.read { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT DISTINCT n.id, n.number FROM notices n JOIN deliveries d ON d.notice_id = n.id
          WHERE d.state = 'unsealed' ORDER BY n.number
          """
      ).map { ($0[0], $0[1]) }
    }
  }

  private func contents(of notice: String) throws -> [NoticePart] {
    try store.writer.read { try OutboxTables.parts(of: notice, in: $0) }.filter { !$0.isSeal }
  }

  private func note(_ failure: String, of notice: String) throws {
    try store.writer.write { db in
      try db.execute(
        sql: "UPDATE deliveries SET failure = ? WHERE notice_id = ? AND state = 'unsealed'",
        arguments: [String(failure.prefix(500)), notice])
    }
  }

  private func keep(
    _ seals: [NoticePart], after count: Int, of notice: (id: String, number: String),
    at now: Timestamp
  ) throws {
    try store.writer.write { db in
      let rows = try Row.fetchAll(
        db,
        sql: """
          SELECT id, language, message_id, message FROM deliveries
          WHERE notice_id = ? AND state = 'unsealed'
          """, arguments: [notice.id])
      // Somebody else sealed it meanwhile.
      guard !rows.isEmpty else { return }
      for (place, seal) in seals.enumerated() {
        try OutboxTables.insert(seal, place: count + place, of: notice.id, in: db)
      }
      for row in rows {
        let language = Language(rawValue: row["language"]) ?? .japanese
        let message: Data = row["message"]
        let whole = MailMessage.octets(
          Array(message), messageID: row["message_id"],
          adding: seals.filter { $0.isFile(in: language, sealed: true) }.map(\.attachment))
        guard let whole else {
          throw NoticeError.incomplete(
            notice: notice.number, reason: "its mail has no place for seals")
        }
        try db.execute(
          sql: """
            UPDATE deliveries SET state = 'pending', message = ?, queued = ?, next_attempt = ?,
              failure = NULL WHERE id = ?
            """, arguments: [Data(whole), now.nanoseconds, now.nanoseconds, row["id"] as String])
      }
      try trail.append(
        [entry("notice.sealed", notice.number, at: now, ["seals": String(seals.count)])], in: db)
    }
  }
}

extension NoticePart {
  var attachment: MailMessage.Attachment {
    MailMessage.Attachment(name: name, type: type, content: content)
  }
}
