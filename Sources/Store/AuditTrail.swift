import Crypto
import Foundation
public import GRDB
import Synchronization

/// The append-only record of every step that matters, each entry chained to the one before by its
/// hash (after Schneier and Kelsey, "Secure Audit Logs to Support Computer Forensics", 1999).
///
/// Whoever changes, removes or inserts an entry with an editor must recompute every later hash;
/// whoever does that, or cuts entries off the end, contradicts the *anchor*: a small file beside
/// the database, `audit-head.json`, that names the last committed entry. Keep copies of it on
/// another machine; ``verify(against:progress:)`` takes them too.
///
/// ```swift
/// try store.writer.write { db in
///   try change(db)
///   try trail.append(entry, in: db)   // both happen, or neither
/// }
/// ```
public final class AuditTrail: Sendable {
  let store: DataStore
  private let anchorPath: String?
  /// Whether the running transaction already promised to write the anchor when it commits.
  private let anchorPromised = Mutex(false)

  /// The trail of a database; its anchor lies beside the database file.
  public init(store: DataStore) {
    self.store = store
    anchorPath = store.path.map { path in
      let directory = (path as NSString).deletingLastPathComponent as NSString
      return directory.appendingPathComponent("audit-head.json")
    }
  }

  public static let migrations = [
    StoreMigration(id: "audit-001") { database in
      try database.execute(
        sql: """
          CREATE TABLE audit_trail (
            sequence INTEGER PRIMARY KEY,
            at INTEGER NOT NULL,
            actor TEXT NOT NULL,
            action TEXT NOT NULL,
            subject TEXT NOT NULL,
            details TEXT NOT NULL,
            previous TEXT NOT NULL,
            hash TEXT NOT NULL
          );
          CREATE INDEX audit_trail_subject ON audit_trail (subject);
          CREATE TRIGGER audit_trail_keeps_rows BEFORE DELETE ON audit_trail
            BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
          CREATE TRIGGER audit_trail_keeps_content BEFORE UPDATE ON audit_trail
            BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
          """)
    }
  ]

  /// The `previous` of the first entry.
  static let origin = String(repeating: "0", count: 64)

  /// Adds an entry as part of the caller's transaction, and gives its place.
  @discardableResult
  public func append(_ entry: AuditEntry, in database: Database) throws -> Int64 {
    try append([entry], in: database)
  }

  /// Adds entries in their order as part of the caller's transaction, and gives the last one's
  /// place.
  ///
  /// Costs about 15 µs an entry.
  @discardableResult
  public func append(_ entries: [AuditEntry], in database: Database) throws -> Int64 {
    var head = try Self.head(in: database)
    guard !entries.isEmpty else { return head.sequence }
    let statement = try database.cachedStatement(
      sql: """
        INSERT INTO audit_trail (sequence, at, actor, action, subject, details, previous, hash)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """)
    var bytes: [UInt8] = []
    for var entry in entries {
      entry.takeOutNulls()
      let sequence = head.sequence + 1
      let actor = entry.actor.text
      let details = CanonicalJSON.text(ofStrings: entry.details)
      let hash = Self.hash(
        sequence: sequence, at: entry.nanoseconds, actor: actor, action: entry.action,
        subject: entry.subject, details: details, previous: head.hash, in: &bytes)
      try statement.execute(arguments: [
        sequence, entry.nanoseconds, actor, entry.action, entry.subject, details, head.hash, hash,
      ])
      head = AuditHead(sequence: sequence, hash: hash)
    }
    promiseAnchor(in: database)
    return head.sequence
  }

  /// The end of the chain now.
  public func head() throws -> AuditHead {
    try store.writer.read { try Self.head(in: $0) }
  }

  static func head(in database: Database) throws -> AuditHead {
    let statement = try database.cachedStatement(
      sql: "SELECT sequence, hash FROM audit_trail ORDER BY sequence DESC LIMIT 1")
    guard let row = try Row.fetchOne(statement) else {
      return AuditHead(sequence: 0, hash: origin)
    }
    return AuditHead(sequence: row[0], hash: row[1])
  }

  /// SHA-256 over the fields, each behind its length, so that no two entries read alike.
  static func hash(
    sequence: Int64, at nanoseconds: Int64, actor: String, action: String, subject: String,
    details: String, previous: String
  ) -> String {
    var bytes: [UInt8] = []
    return hash(
      sequence: sequence, at: nanoseconds, actor: actor, action: action, subject: subject,
      details: details, previous: previous, in: &bytes)
  }

  /// The same with a buffer that many entries share.
  private static func hash(
    sequence: Int64, at nanoseconds: Int64, actor: String, action: String, subject: String,
    details: String, previous: String, in bytes: inout [UInt8]
  ) -> String {
    func append(_ field: String) {
      JSONText.append(field.utf8.count, to: &bytes)
      bytes.append(UInt8(ascii: ":"))
      bytes.append(contentsOf: field.utf8)
    }
    bytes.removeAll(keepingCapacity: true)
    append("noroshi-audit-1")
    append(String(sequence))
    append(String(nanoseconds))
    append(actor)
    append(action)
    append(subject)
    append(details)
    append(previous)
    return Hexadecimal.text(of: SHA256.hash(data: bytes))
  }

  private func promiseAnchor(in database: Database) {
    guard let anchorPath else { return }
    let isPromised = anchorPromised.withLock { promised in
      defer { promised = true }
      return promised
    }
    guard !isPromised else { return }
    database.afterNextTransaction { [weak self] database in
      self?.anchorPromised.withLock { $0 = false }
      // The entries are committed; an anchor that could not be written stays behind the chain,
      // which loses protection of its newest entries but never contradicts them.
      guard let head = try? Self.head(in: database) else { return }
      try? Self.write(head, to: anchorPath)
    } onRollback: { [weak self] _ in
      self?.anchorPromised.withLock { $0 = false }
    }
  }

  private static func write(_ head: AuditHead, to path: String) throws {
    let json = CanonicalJSON.object([
      "hash": .string(head.hash), "sequence": .integer(head.sequence),
    ])
    try DurableFile.write((json.text + "\n").utf8, to: path)
  }

  /// The head that the anchor file names; nil where there is none.
  ///
  /// - Throws: a decoding error where the file is not an anchor.
  public func anchor() throws -> AuditHead? {
    guard let anchorPath, let data = FileManager.default.contents(atPath: anchorPath) else {
      return nil
    }
    return try JSONDecoder().decode(AuditHead.self, from: data)
  }
}

/// Hashes as text.
enum Hexadecimal {
  static func text(of digest: SHA256.Digest) -> String {
    String(unsafeUninitializedCapacity: 2 * SHA256.byteCount) { text in
      var place = 0
      for byte in digest {
        text[place] = digit(byte >> 4)
        text[place + 1] = digit(byte & 15)
        place += 2
      }
      return place
    }
  }

  private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 87 + value }
}
