import Foundation
public import GRDB

/// One step in the life of the database's schema. Identifiers are never reused or changed.
public struct StoreMigration: Sendable {
  /// `telescope-001`: the system and a number.
  public let id: String
  public let body: @Sendable (Database) throws -> Void

  public init(id: String, body: @escaping @Sendable (Database) throws -> Void) {
    self.id = id
    self.body = body
  }

  /// The system that brings this step: what stands before the last hyphen.
  static func system(of id: String) -> Substring {
    id.lastIndex(of: "-").map { id[..<$0] } ?? id[...]
  }
}

/// Why the database cannot be used, and what to do.
public enum StoreError: Error, Hashable, Sendable, CustomStringConvertible {
  case cannotOpen(path: String, reason: String)
  case cannotWrite(path: String, reason: String)
  case newerSchema(unknown: [String])
  case damaged([String])

  public var description: String {
    switch self {
    case .cannotOpen(let path, let reason):
      "the database \(path) cannot be opened: \(reason); check the path and its permissions"
    case .cannotWrite(let path, let reason):
      "\(path) cannot be written: \(reason); check the free space and the permissions there"
    case .newerSchema(let unknown):
      "the database was written by a newer Noroshi (it knows \(unknown.joined(separator: ", "))); "
        + "use that version, or restore a backup made with this one"
    case .damaged(let problems):
      "the database is damaged (\(problems.prefix(3).joined(separator: "; "))); restore a backup"
    }
  }
}

/// The one SQLite database of a data directory: what people work on.
///
/// Write-ahead logging with full synchronisation: once a transaction has returned, a power cut does
/// not take it back (SQLite, "PRAGMA synchronous"). Readers see a snapshot and never wait for a
/// writer. Each system brings its own migrations and reads and writes its own tables.
///
/// ```swift
/// let store = try DataStore(path: "data/noroshi.sqlite")
/// try store.migrate(AuditTrail.migrations + CaseRegister.migrations)
/// ```
public final class DataStore: Sendable {
  public let writer: any DatabaseWriter
  /// The database file; nil for a database in memory.
  public let path: String?

  /// Opens or creates the file.
  ///
  /// - Throws: ``StoreError/cannotOpen(path:reason:)``.
  public init(path: String) throws {
    var configuration = Self.configuration
    // Another process (the command line beside the server) may hold the write lock for a moment.
    configuration.busyMode = .timeout(10)
    do {
      let pool = try DatabasePool(path: path, configuration: configuration)
      // GRDB turns its one writing connection to NORMAL when it turns on the log: turn it back.
      try pool.writeWithoutTransaction { database in
        try database.execute(sql: "PRAGMA synchronous = FULL")
        try database.execute(sql: "PRAGMA cache_size = -\(Self.writingCacheKibibytes)")
      }
      writer = pool
    } catch {
      throw StoreError.cannotOpen(path: path, reason: "\(error)")
    }
    self.path = path
  }

  private init(writer: any DatabaseWriter) {
    self.writer = writer
    path = nil
  }

  /// Memory for pages of the one writing connection, taken when a transaction needs it. With SQLite's
  /// own 2 MB a checkpoint of a hundred thousand rows reads the same pages over and over, and what
  /// does not fit is written twice; 128 MiB hold one of fifty thousand cases (measured).
  private static let writingCacheKibibytes = 131_072

  private static var configuration: Configuration {
    var configuration = Configuration()
    configuration.foreignKeysEnabled = true
    configuration.prepareDatabase { database in
      try database.execute(sql: "PRAGMA synchronous = FULL")
    }
    return configuration
  }

  /// A database that lives as long as the value, for tests.
  public static func inMemory() throws -> DataStore {
    DataStore(writer: try DatabaseQueue(configuration: configuration))
  }

  /// Applies what has not been applied, each step in a transaction of its own.
  ///
  /// - Throws: ``StoreError/newerSchema(unknown:)`` where a system of `migrations` has already
  /// taken
  ///   a step that is not among them: a newer version wrote this database. Pass all steps of a
  ///   system together.
  public func migrate(_ migrations: [StoreMigration]) throws {
    guard !migrations.isEmpty else { return }
    try refuseNewerSchema(known: migrations)
    var migrator = DatabaseMigrator()
    for migration in migrations {
      migrator.registerMigration(migration.id) { try migration.body($0) }
    }
    try migrator.migrate(writer)
  }

  private func refuseNewerSchema(known: [StoreMigration]) throws {
    let applied = try writer.read { database -> [String] in
      guard try database.tableExists("grdb_migrations") else { return [] }
      return try String.fetchAll(database, sql: "SELECT identifier FROM grdb_migrations")
    }
    let ids = Set(known.map(\.id))
    let systems = Set(known.map { StoreMigration.system(of: $0.id) })
    let unknown = applied.filter {
      !ids.contains($0) && systems.contains(StoreMigration.system(of: $0))
    }
    if !unknown.isEmpty { throw StoreError.newerSchema(unknown: unknown.sorted()) }
  }

  /// Copies the database while it is in use; the copy appears under its name only when complete.
  ///
  /// - Throws: ``StoreError/cannotWrite(path:reason:)``.
  public func backup(to path: String) throws {
    let part = path + ".part"
    try? FileManager.default.removeItem(atPath: part)
    do {
      var plain = Configuration()
      plain.prepareDatabase { try $0.execute(sql: "PRAGMA journal_mode = DELETE") }
      let destination = try DatabaseQueue(path: part, configuration: plain)
      try writer.backup(to: destination)
      // The copied header asks for WAL again; a backup is one file without companions.
      try destination.writeWithoutTransaction { database in
        try database.execute(sql: "PRAGMA journal_mode = DELETE")
      }
      try destination.close()
      try DurableFile.publish(part, as: path)
    } catch {
      try? FileManager.default.removeItem(atPath: part)
      throw StoreError.cannotWrite(path: path, reason: "\(error)")
    }
  }

  /// SQLite's own check of every page and index, and of every reference between tables.
  ///
  /// - Throws: ``StoreError/damaged(_:)``.
  public func checkIntegrity() throws {
    let problems = try writer.read { database -> [String] in
      let pages = try String.fetchAll(database, sql: "PRAGMA integrity_check")
      let references = try Row.fetchAll(database, sql: "PRAGMA foreign_key_check").map {
        "table \($0[0] as String) points to a missing row of \($0[2] as String)"
      }
      return (pages == ["ok"] ? [] : pages) + references
    }
    guard problems.isEmpty else { throw StoreError.damaged(problems) }
  }
}
