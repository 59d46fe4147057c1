import Constituency
import Foundation
import GRDB
public import NetworkTypes
public import Store

/// The steps of a delivery. Each is one transaction with its line of the audit trail, so that a
/// process which is killed between two of them leaves a state that says what happened.
extension Outbox {
  /// A delivery that this process is trying.
  struct Claim: Sendable {
    let attempt: Int64
    let package: DeliveryPackage
  }

  /// Takes the next due delivery of these channels: its attempt is recorded before anything is sent.
  func claim(_ channels: [DeliveryPreferences.Channel], at now: Timestamp) throws -> Claim? {
    let names = channels.map { $0.rawValue.databaseValue }
    guard !names.isEmpty else { return nil }
    return try store.writer.write { db in
      let row = try Row.fetchOne(
        db,
        sql: """
          SELECT \(OutboxTables.deliveryColumns), d.sender, d.message, n.number
          FROM deliveries d JOIN notices n ON n.id = d.notice_id
          WHERE d.state IN ('pending', 'retrying') AND d.next_attempt <= ?
            AND d.channel IN (\(names.map { _ in "?" }.joined(separator: ", ")))
          ORDER BY d.next_attempt, d.id LIMIT 1
          """, arguments: StatementArguments([now.nanoseconds.databaseValue] + names))
      guard let row else { return nil }
      let delivery = try OutboxTables.delivery(row)
      let isResumed =
        try Bool.fetchOne(
          db,
          sql:
            "SELECT EXISTS (SELECT 1 FROM delivery_attempts WHERE delivery_id = ? AND transmitted)",
          arguments: [delivery.id]) ?? false
      let number = delivery.attempts + 1
      try db.execute(
        sql: """
          UPDATE deliveries SET state = 'sending', attempts = ?, last_attempt = ?, next_attempt = NULL
          WHERE id = ?
          """, arguments: [number, now.nanoseconds, delivery.id])
      try db.execute(
        sql: """
          INSERT INTO delivery_attempts (delivery_id, number, began, transmitted, outcome)
          VALUES (?, ?, ?, FALSE, 'running')
          """, arguments: [delivery.id, number, now.nanoseconds])
      let attempt = db.lastInsertedRowID
      try trail.append(
        entry(
          "delivery.attempted", delivery.id, at: now,
          ["attempt": String(number), "message_id": delivery.messageID]), in: db)
      let message: Data = row["message"]
      return Claim(
        attempt: attempt,
        package: DeliveryPackage(
          delivery: delivery, number: row["number"], sender: row["sender"],
          message: Array(message), parts: try OutboxTables.parts(of: delivery.notice, in: db),
          isResumed: isResumed))
    }
  }

  /// Records that from now on the notice may arrive.
  func markTransmitting(_ claim: Claim) throws {
    try store.writer.write { db in
      try db.execute(
        sql: "UPDATE delivery_attempts SET transmitted = TRUE WHERE id = ?",
        arguments: [claim.attempt])
    }
  }

  /// Writes down what came of an attempt, and what follows from it.
  func settle(_ claim: Claim, _ outcome: MailOutcome, at now: Timestamp) throws {
    let delivery = claim.package.delivery
    try store.writer.write { db in
      switch outcome {
      case .accepted(let words):
        try close(claim.attempt, .accepted, words, at: now, in: db)
        try set(delivery.id, .delivered, next: nil, delivered: now, failure: nil, in: db)
        try trail.append(
          entry(
            "delivery.delivered", delivery.id, at: now,
            ["message_id": delivery.messageID, "words": words]), in: db)
        try tellCases(of: delivery.notice, at: now, in: db)
      case .temporary(let words):
        try close(claim.attempt, .temporary, words, at: now, in: db)
        try postpone(delivery, words, at: now, in: db)
      case .permanent(let words):
        try close(claim.attempt, .permanent, words, at: now, in: db)
        try fail(delivery, words, at: now, in: db)
      case .unknown(let words):
        try close(claim.attempt, .unknown, words, at: now, in: db)
        // A connection that just broke is likely to break again.
        let pause = self.delivery.pause(after: delivery.attempts + 1, of: delivery.id)
        try doubt(
          delivery, words, isResumable: false, next: now.advanced(bySeconds: pause), at: now, in: db
        )
      }
    }
  }

  /// Puts right what a process that ended in the middle of an attempt left behind. Only the process
  /// that holds the lock of the outbox may do this.
  ///
  /// - Parameter resumable: the channels that finish a broken transmission without a double.
  /// - Returns: how many deliveries were in the middle.
  func recover(resumable: Set<DeliveryPreferences.Channel>, at now: Timestamp) throws -> Int {
    try store.writer.write { db in
      let rows = try Row.fetchAll(
        db,
        sql: """
          SELECT \(OutboxTables.deliveryColumns), a.id AS attempt_id, a.transmitted
          FROM deliveries d JOIN notices n ON n.id = d.notice_id
            JOIN delivery_attempts a ON a.delivery_id = d.id AND a.number = d.attempts
          WHERE d.state = 'sending' ORDER BY d.id
          """)
      for row in rows {
        let delivery = try OutboxTables.delivery(row)
        let isTransmitted: Bool = row["transmitted"]
        let words =
          isTransmitted
          ? "the process ended while it was sent" : "the process ended before it was sent"
        try close(row["attempt_id"], .interrupted, words, at: now, in: db)
        if isTransmitted {
          try doubt(
            delivery, words, isResumable: resumable.contains(delivery.channel), next: now, at: now,
            in: db)
        } else {
          try set(delivery.id, .retrying, next: now, delivered: nil, failure: words, in: db)
          try trail.append(
            entry("delivery.recovered", delivery.id, at: now, ["words": words]), in: db)
        }
      }
      return rows.count
    }
  }

  // MARK: - What people do

  /// Tries a delivery again now: one that waits, has failed, or is in doubt.
  ///
  /// - Throws: ``NoticeError``.
  public func retry(_ id: String, by actor: AuditEntry.Actor, at now: Timestamp) throws {
    try act(id, from: [.pending, .retrying, .failed, .inDoubt]) { db in
      try db.execute(
        sql: """
          UPDATE deliveries SET state = CASE attempts WHEN 0 THEN 'pending' ELSE 'retrying' END,
            queued = ?, next_attempt = ? WHERE id = ?
          """, arguments: [now.nanoseconds, now.nanoseconds, id])
      try trail.append(entry("delivery.retried", id, at: now, actor: actor), in: db)
    }
  }

  /// Says that a delivery in doubt has arrived after all.
  ///
  /// - Throws: ``NoticeError``.
  public func confirm(_ id: String, by actor: AuditEntry.Actor, at now: Timestamp) throws {
    try act(id, from: [.inDoubt]) { db in
      try set(id, .delivered, next: nil, delivered: now, failure: nil, in: db)
      try trail.append(entry("delivery.confirmed", id, at: now, actor: actor), in: db)
      let notice = try String.fetchOne(
        db, sql: "SELECT notice_id FROM deliveries WHERE id = ?", arguments: [id])
      if let notice { try tellCases(of: notice, at: now, in: db) }
    }
  }

  private func act(
    _ id: String, from states: Set<Delivery.State>, _ body: (Database) throws -> Void
  ) throws {
    try store.writer.write { db in
      let word = try String.fetchOne(
        db, sql: "SELECT state FROM deliveries WHERE id = ?", arguments: [id])
      guard let state = word.flatMap(Delivery.State.init(rawValue:)) else {
        throw NoticeError.noDelivery(id)
      }
      guard states.contains(state) else {
        throw NoticeError.notPossible(delivery: id, state: state)
      }
      try body(db)
    }
  }

  // MARK: - Inside a transaction

  private func close(
    _ attempt: Int64, _ outcome: DeliveryAttempt.Outcome, _ words: String, at now: Timestamp,
    in db: Database
  ) throws {
    try db.execute(
      sql: "UPDATE delivery_attempts SET ended = ?, outcome = ?, words = ? WHERE id = ?",
      arguments: [now.nanoseconds, outcome.rawValue, words, attempt])
  }

  private func set(
    _ id: String, _ state: Delivery.State, next: Timestamp?, delivered: Timestamp?,
    failure: String?,
    in db: Database
  ) throws {
    try db.execute(
      sql: """
        UPDATE deliveries SET state = ?, next_attempt = ?, delivered = ?, failure = ? WHERE id = ?
        """,
      arguments: [state.rawValue, next?.nanoseconds, delivered?.nanoseconds, failure, id])
  }

  private func postpone(
    _ delivery: Delivery, _ words: String, at now: Timestamp, in db: Database
  ) throws {
    let queued = try Int64.fetchOne(
      db, sql: "SELECT queued FROM deliveries WHERE id = ?", arguments: [delivery.id])
    let age = now.seconds(since: Timestamp(nanoseconds: queued ?? now.nanoseconds))
    guard age < self.delivery.maximumAgeDays * 86_400 else {
      try fail(delivery, "given up: \(words)", at: now, in: db)
      return
    }
    let attempts = delivery.attempts + 1
    let next = now.advanced(bySeconds: self.delivery.pause(after: attempts, of: delivery.id))
    try set(delivery.id, .retrying, next: next, delivered: nil, failure: words, in: db)
    try trail.append(
      entry(
        "delivery.postponed", delivery.id, at: now, ["words": words, "next": next.description]),
      in: db)
  }

  private func fail(_ delivery: Delivery, _ words: String, at now: Timestamp, in db: Database)
    throws
  {
    try set(delivery.id, .failed, next: nil, delivered: nil, failure: words, in: db)
    try trail.append(entry("delivery.failed", delivery.id, at: now, ["words": words]), in: db)
    let hasHope = try Bool.fetchOne(
      db,
      sql: "SELECT EXISTS (SELECT 1 FROM deliveries WHERE notice_id = ? AND state <> 'failed')",
      arguments: [delivery.notice])
    if hasHope == false {
      try change(
        casesOf: delivery.notice, .unreachable, text: words, at: now, in: db,
        except: [.unreachable])
    }
  }

  private func doubt(
    _ delivery: Delivery, _ words: String, isResumable: Bool, next: Timestamp, at now: Timestamp,
    in db: Database
  ) throws {
    if isResumable || self.delivery.inDoubt == .resend {
      try set(delivery.id, .retrying, next: next, delivered: nil, failure: words, in: db)
      try trail.append(
        entry(
          "delivery.resumed", delivery.id, at: now,
          ["message_id": delivery.messageID, "words": words]), in: db)
    } else {
      try set(delivery.id, .inDoubt, next: nil, delivered: nil, failure: words, in: db)
      try trail.append(
        entry(
          "delivery.in-doubt", delivery.id, at: now,
          ["message_id": delivery.messageID, "words": words]), in: db)
    }
  }

  /// The cases of a notice are notified once it has reached its first recipient.
  private func tellCases(of notice: String, at now: Timestamp, in db: Database) throws {
    let row = try Row.fetchOne(
      db,
      sql: """
        SELECT n.number, (SELECT count(*) FROM deliveries d
          WHERE d.notice_id = n.id AND d.state = 'delivered')
        FROM notices n WHERE n.id = ?
        """, arguments: [notice])
    guard let row, (row[1] as Int) == 1 else { return }
    try change(casesOf: notice, .notified, text: row[0], at: now, in: db, except: [])
  }

  /// Takes a step with those cases of a notice that still belong to its organisation and allow it.
  private func change(
    casesOf notice: String, _ action: CaseEvent.Action, text: String, at now: Timestamp,
    in db: Database, except: Set<Case.State>
  ) throws {
    let rows = try Row.fetchAll(
      db,
      sql: """
        SELECT c.id, c.state FROM notice_cases t JOIN cases c ON c.id = t.case_id
          JOIN notices n ON n.id = t.notice_id
        WHERE t.notice_id = ? AND c.organisation = n.organisation ORDER BY t.place
        """, arguments: [notice])
    let ids = rows.compactMap { row -> String? in
      guard let state = Case.State(rawValue: row[1]), !except.contains(state),
        CaseRules.state(after: action, from: state) != nil
      else { return nil }
      return row[0]
    }
    if !ids.isEmpty {
      try register.change(ids, action, by: Self.actor, text: text, at: now, in: db)
    }
  }
}
