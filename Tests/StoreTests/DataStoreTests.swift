import Foundation
import GRDB
import Store
import Testing

@Suite("The database")
struct DataStoreTests {
  let scratch: ScratchDirectory
  let store: DataStore
  let migrations = [
    StoreMigration(id: "things-001") {
      try $0.execute(sql: "CREATE TABLE thing (n INTEGER PRIMARY KEY)")
    }
  ]

  init() throws {
    scratch = try ScratchDirectory()
    store = try DataStore(path: scratch.file("noroshi.sqlite"))
    try store.migrate(migrations)
  }

  @Test("it keeps a write-ahead log, synchronises fully and checks references")
  func pragmas() throws {
    try store.writer.write { (database: Database) throws in
      #expect(try String.fetchOne(database, sql: "PRAGMA journal_mode") == "wal")
      #expect(try Int.fetchOne(database, sql: "PRAGMA synchronous") == 2)
      #expect(try Int.fetchOne(database, sql: "PRAGMA foreign_keys") == 1)
    }
  }

  @Test("migrating again, and another system's migrations, leave what is there")
  func migratingTwice() throws {
    try store.writer.write { try $0.execute(sql: "INSERT INTO thing VALUES (7)") }
    try store.migrate(AuditTrail.migrations)
    try store.migrate(migrations)
    #expect(try store.writer.read { try Int.fetchOne($0, sql: "SELECT n FROM thing") } == 7)
  }

  @Test("a later step of the same system is applied after the earlier one")
  func laterStep() throws {
    try store.migrate(
      migrations + [
        StoreMigration(id: "things-002") {
          try $0.execute(sql: "ALTER TABLE thing ADD COLUMN name TEXT")
        }
      ])
    try store.writer.read { _ = try Row.fetchAll($0, sql: "SELECT n, name FROM thing") }
  }

  @Test("a database that a newer version wrote is refused, naming what is unknown")
  func newerSchema() throws {
    try store.migrate(migrations + [StoreMigration(id: "things-002") { _ in }])
    #expect(throws: StoreError.newerSchema(unknown: ["things-002"])) {
      try store.migrate(migrations)
    }
  }

  @Test("a failing step changes nothing")
  func failingStep() throws {
    #expect(throws: (any Error).self) {
      try store.migrate(
        migrations + [
          StoreMigration(id: "things-002") {
            try $0.execute(sql: "CREATE TABLE other (n INTEGER)")
            try $0.execute(sql: "not SQL")
          }
        ])
    }
    #expect(try store.writer.read { try !$0.tableExists("other") })
    try store.migrate(migrations)
  }

  @Test("a file that is no database, or lies nowhere, is refused with its path")
  func unusable() throws {
    let text = scratch.file("letter.txt")
    try String(repeating: "Dear Sir or Madam, ", count: 100).write(
      toFile: text, atomically: true, encoding: .utf8)
    for path in [text, scratch.file("nowhere/noroshi.sqlite")] {
      let error = #expect(throws: StoreError.self) { try DataStore(path: path) }
      #expect(error?.description.contains(path) == true)
    }
  }

  @Test("a backup taken while it is written to is whole, alone and replaces the older one")
  func backup() throws {
    let copy = scratch.file("backup.sqlite")
    for _ in 0..<2 {
      try store.writer.write { database in
        for _ in 0..<500 { try database.execute(sql: "INSERT INTO thing DEFAULT VALUES") }
      }
      try store.backup(to: copy)
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: scratch.path)
    #expect(names.filter { $0.hasPrefix("backup") } == ["backup.sqlite"])
    let restored = try DataStore(path: copy)
    try restored.checkIntegrity()
    #expect(
      try restored.writer.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM thing") } == 1000)
  }

  @Test("a backup that cannot be written says so and leaves nothing half done")
  func failingBackup() throws {
    #expect(throws: StoreError.self) { try store.backup(to: scratch.file("nowhere/copy.sqlite")) }
  }

  @Test("damage is found by the check")
  func damage() throws {
    try store.writer.write { database in
      try database.execute(
        sql: """
          CREATE TABLE part (whole INTEGER REFERENCES thing (n) DEFERRABLE INITIALLY DEFERRED)
          """)
    }
    try store.checkIntegrity()
    try store.writer.writeWithoutTransaction { database in
      try database.execute(sql: "PRAGMA foreign_keys = OFF; INSERT INTO part VALUES (99)")
    }
    #expect(throws: StoreError.self) { try store.checkIntegrity() }
  }

  @Test("readers see a whole snapshot while a writer is at work")
  func concurrentReaders() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { [store] in
        for _ in 0..<40 {
          try await store.writer.write { database in
            for _ in 0..<10 { try database.execute(sql: "INSERT INTO thing DEFAULT VALUES") }
          }
        }
      }
      for _ in 0..<4 {
        group.addTask { [store] in
          for _ in 0..<40 {
            let count = try await store.writer.read {
              try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM thing") ?? 0
            }
            #expect(count.isMultiple(of: 10))
          }
        }
      }
      try await group.waitForAll()
    }
  }

  @Test("what was acknowledged survives the loss of the process; what was not is gone")
  func crash() throws {
    try store.writer.write { try $0.execute(sql: "INSERT INTO thing VALUES (1)") }
    let copies = [scratch.file("crashed.sqlite"), scratch.file("crashed.sqlite-wal")]
    // The files as the kernel holds them in the middle of a transaction are what kill -9 leaves.
    try store.writer.write { database in
      try database.execute(sql: "PRAGMA cache_spill = 1; PRAGMA cache_size = 5")
      for _ in 0..<20_000 { try database.execute(sql: "INSERT INTO thing DEFAULT VALUES") }
      try FileManager.default.copyItem(atPath: scratch.file("noroshi.sqlite"), toPath: copies[0])
      try FileManager.default.copyItem(
        atPath: scratch.file("noroshi.sqlite-wal"), toPath: copies[1])
    }
    let crashed = try DataStore(path: copies[0])
    try crashed.checkIntegrity()
    #expect(try crashed.writer.read { try Int.fetchAll($0, sql: "SELECT n FROM thing") } == [1])
  }
}
