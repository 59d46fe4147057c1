import Foundation
import GRDB
public import NetworkTypes
public import Store

/// The detected C&C servers of a data directory: what rankings found, what analysts said of it, and
/// when each leaves the list. Nothing is deleted: a server that expired stays as history.
///
/// ```swift
/// let register = ServerRegister(store: store, trail: trail)
/// ranking.verdicts = try register.verdicts()
/// try register.record(ranking.rank(tracker).servers, at: now)
/// ```
public struct ServerRegister: Sendable {
  let store: DataStore
  let trail: AuditTrail

  /// The database must have taken ``migrations`` and those of ``AuditTrail``.
  public init(store: DataStore, trail: AuditTrail) {
    self.store = store
    self.trail = trail
  }

  public static let migrations: [StoreMigration] = [
    StoreMigration(id: "detection-001") { database in
      try database.execute(
        sql: """
          CREATE TABLE detection_servers (
            service TEXT PRIMARY KEY, firstSeen INTEGER NOT NULL, lastSeen INTEGER NOT NULL,
            expires INTEGER NOT NULL, probability REAL NOT NULL, highest REAL NOT NULL,
            grade TEXT NOT NULL, clients INTEGER NOT NULL, recorded INTEGER NOT NULL,
            document TEXT NOT NULL
          ) WITHOUT ROWID;
          CREATE INDEX detection_servers_by_time ON detection_servers (lastSeen);
          CREATE TABLE detection_verdicts (
            service TEXT PRIMARY KEY, verdict TEXT NOT NULL, actor TEXT NOT NULL,
            reason TEXT NOT NULL, at INTEGER NOT NULL
          ) WITHOUT ROWID;
          """)
    }
  ]

  /// A server of the register.
  public struct Entry: Hashable, Sendable, Codable {
    /// As the latest ranking that saw it had it.
    public var server: DetectedServer
    /// The first sight of all rankings.
    public var firstSeen: Timestamp
    public var lastSeen: Timestamp
    public var expires: Timestamp
    /// The highest probability that it ever had.
    public var highest: Double
    public var verdict: Statement?

    public func isExpired(at now: Timestamp) -> Bool { expires < now }
  }

  /// An analyst's verdict.
  public struct Statement: Hashable, Sendable, Codable {
    public var verdict: ServerVerdict
    /// Who said it, as the audit trail has it: `cli:hanako`.
    public var actor: String
    public var reason: String
    public var at: Timestamp

    public init(verdict: ServerVerdict, actor: String, reason: String, at: Timestamp) {
      self.verdict = verdict
      self.actor = actor
      self.reason = reason
      self.at = at
    }
  }

  /// Enters the servers of a ranking that are at least candidates, or updates them.
  public func record(_ servers: [DetectedServer], at now: Timestamp) throws {
    try store.writer.write { database in
      for server in servers where server.grade >= .candidate || server.verdict != nil {
        let document = try JSONEncoder.stable.encode(server)
        try database.execute(
          sql: """
            INSERT INTO detection_servers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (service) DO UPDATE SET
              firstSeen = min(firstSeen, excluded.firstSeen),
              lastSeen = max(lastSeen, excluded.lastSeen),
              expires = max(expires, excluded.expires), probability = excluded.probability,
              highest = max(highest, excluded.highest), grade = excluded.grade,
              clients = excluded.clients, recorded = excluded.recorded,
              document = excluded.document
            """,
          arguments: [
            server.service.description, server.firstSeen.nanoseconds, server.lastSeen.nanoseconds,
            server.expires.nanoseconds, server.probability, server.probability,
            server.grade.rawValue, server.clientCount, now.nanoseconds,
            String(decoding: document, as: UTF8.self),
          ])
      }
    }
  }

  /// What analysts said, for the next ranking.
  public func verdicts() throws -> [Service: ServerVerdict] {
    try store.writer.read { database in
      var verdicts: [Service: ServerVerdict] = [:]
      let rows = try Row.fetchAll(
        database, sql: "SELECT service, verdict FROM detection_verdicts")
      for row in rows {
        if let service = Service(text: row[0]), let verdict = ServerVerdict(rawValue: row[1]) {
          verdicts[service] = verdict
        }
      }
      return verdicts
    }
  }

  /// Keeps a verdict, or takes it back (nil), with a line in the audit trail in the same transaction.
  ///
  /// - Throws: ``ServerRegisterError/needsReason`` where the reason is blank.
  public func judge(
    _ service: Service, _ verdict: ServerVerdict?, by actor: AuditEntry.Actor, reason: String,
    at now: Timestamp
  ) throws {
    guard !reason.allSatisfy(\.isWhitespace) else { throw ServerRegisterError.needsReason }
    try store.writer.write { database in
      let before = try String.fetchOne(
        database, sql: "SELECT verdict FROM detection_verdicts WHERE service = ?",
        arguments: [service.description])
      if let verdict {
        try database.execute(
          sql: "INSERT OR REPLACE INTO detection_verdicts VALUES (?, ?, ?, ?, ?)",
          arguments: [
            service.description, verdict.rawValue, actor.text, reason, now.nanoseconds,
          ])
      } else {
        try database.execute(
          sql: "DELETE FROM detection_verdicts WHERE service = ?",
          arguments: [service.description])
      }
      try trail.append(
        AuditEntry(
          nanoseconds: now.nanoseconds, actor: actor, action: "detection.verdict",
          subject: service.description,
          details: [
            "verdict": verdict?.rawValue ?? "none", "before": before ?? "none", "reason": reason,
          ]), in: database)
    }
  }

  /// One server; nil where no ranking listed it.
  public func entry(_ service: Service) throws -> Entry? {
    try entries("WHERE servers.service = ?", [service.description]).first
  }

  /// The servers that have not expired at a moment, the most likely first.
  public func current(at now: Timestamp, limit: Int = 1_000) throws -> [Entry] {
    try entries(
      "WHERE servers.expires >= ? ORDER BY servers.probability DESC, servers.service LIMIT ?",
      [now.nanoseconds, max(0, limit)])
  }

  /// All of them, expired ones too, the last seen first.
  public func history(limit: Int = 10_000) throws -> [Entry] {
    try entries("ORDER BY servers.lastSeen DESC, servers.service LIMIT ?", [max(0, limit)])
  }

  private func entries(_ condition: String, _ arguments: StatementArguments) throws -> [Entry] {
    try store.writer.read { database in
      let rows = try Row.fetchAll(
        database,
        sql: """
          SELECT servers.document, servers.firstSeen, servers.lastSeen, servers.expires,
            servers.highest, verdicts.verdict, verdicts.actor, verdicts.reason, verdicts.at
          FROM detection_servers AS servers
          LEFT JOIN detection_verdicts AS verdicts ON verdicts.service = servers.service
          """ + " " + condition, arguments: arguments)
      return try rows.map { row in
        let text: String = row[0]
        let server = try JSONDecoder().decode(DetectedServer.self, from: Data(text.utf8))
        var statement: Statement?
        if let word: String = row[5], let verdict = ServerVerdict(rawValue: word) {
          statement = Statement(
            verdict: verdict, actor: row[6] ?? "", reason: row[7] ?? "",
            at: Timestamp(nanoseconds: row[8] ?? 0))
        }
        return Entry(
          server: server, firstSeen: Timestamp(nanoseconds: row[1]),
          lastSeen: Timestamp(nanoseconds: row[2]), expires: Timestamp(nanoseconds: row[3]),
          highest: row[4], verdict: statement)
      }
    }
  }
}

/// Why a verdict is not taken.
public enum ServerRegisterError: Error, Hashable, Sendable, CustomStringConvertible {
  case needsReason

  public var description: String {
    "a verdict needs a reason; say what it rests on, as others will act on it"
  }
}

extension JSONEncoder {
  /// Keys in order, so that the same value makes the same text.
  static var stable: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return encoder
  }
}
