import GRDB
import Logging
import NetworkTypes
import Store

extension AuditLine {
  init(_ record: AuditRecord) {
    let details = record.entry.details.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    self.init(
      sequence: record.sequence, moment: Timestamp(nanoseconds: record.entry.nanoseconds),
      actor: record.entry.actor.text, action: record.entry.action, subject: record.entry.subject,
      details: details.joined(separator: " "))
  }

  /// Lines of the trail as the portal's table wants them.
  static func live(_ trail: AuditTrail) -> @Sendable (TableQuery) async throws -> Rows<AuditLine> {
    { query in
      let inNanoseconds = { @Sendable (moment: Timestamp) in String(moment.nanoseconds) }
      let rows = try query.gather(
        names: ["time": "at", "subject_of": "subject"], moment: inNanoseconds
      ) { try trail.entries(matching: $0) }
      return Rows(rows.rows.map { AuditLine($0) }, total: rows.total)
    }
  }
}

extension Journal {
  /// Into the audit trail; what cannot be written there is said in the log.
  static func live(
    _ trail: AuditTrail, in store: DataStore, now: @escaping @Sendable () -> Timestamp
  ) -> Journal {
    Journal { actor, action, subject, details in
      let entry = AuditEntry(
        nanoseconds: now().nanoseconds,
        actor: actor == "command-line" ? .commandLine("noroshi") : .user(actor), action: action,
        subject: subject, details: details.filter { !$0.value.isEmpty })
      do {
        try await store.writer.write { db in _ = try trail.append(entry, in: db) }
      } catch {
        Logger(label: "noroshi.portal").error(
          "the audit trail could not be written",
          metadata: ["action": "\(action)", "error": "\(error)"])
      }
    }
  }
}
