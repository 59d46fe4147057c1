import Foundation
import GRDB
import Store
import Testing

@Suite("The audit trail")
struct AuditTrailTests {
  let scratch: ScratchDirectory
  let store: DataStore

  init() throws {
    scratch = try ScratchDirectory()
    store = try DataStore(path: scratch.file("noroshi.sqlite"))
  }

  private var anchorPath: String { scratch.file("audit-head.json") }

  @Test("an untouched trail is intact and names its head")
  func intact() throws {
    let trail = try store.trail(20)
    guard case .intact(let head) = try trail.verify() else {
      Issue.record("it is not intact")
      return
    }
    #expect(head.sequence == 20)
    #expect(try head == trail.head())
    #expect(try trail.anchor() == head)
  }

  @Test("an empty trail is intact")
  func empty() throws {
    let trail = try store.trail(0)
    #expect(try trail.verify() == .intact(head: trail.head()))
    #expect(try trail.anchor() == nil)
  }

  @Test("rows can be neither changed nor removed")
  func appendOnly() throws {
    _ = try store.trail(2)
    for sql in [
      "UPDATE audit_trail SET actor = 'user:taro'", "DELETE FROM audit_trail",
      "UPDATE audit_trail SET sequence = sequence + 10",
    ] {
      #expect(throws: DatabaseError.self) {
        try store.writer.write { try $0.execute(sql: sql) }
      }
    }
  }

  @Test(
    "an edited row is named",
    arguments: [
      "at = at + 1", "actor = 'user:taro'", "action = 'case.closed'", "subject = 'C-9'",
      "details = '{}'", "previous = hash", "hash = previous", "details = x'00ff'", "at = 'soon'",
    ])
  func edited(_ change: String) throws {
    let trail = try store.trail(8)
    try store.tamper("UPDATE audit_trail SET \(change) WHERE sequence = 4")
    #expect(try trail.verify().brokenSequence == 4)
  }

  @Test("a removed row is named")
  func removed() throws {
    let trail = try store.trail(8)
    try store.tamper("DELETE FROM audit_trail WHERE sequence = 5")
    let found = try trail.verify()
    #expect(found.brokenSequence == 5)
    #expect(found.reason?.contains("missing") == true)
  }

  @Test("rows cut off the end are noticed by the anchor")
  func truncated() throws {
    let trail = try store.trail(8)
    try store.tamper("DELETE FROM audit_trail WHERE sequence > 6")
    let found = try trail.verify()
    #expect(found.brokenSequence == 7)
    #expect(found.reason?.contains("7 to 8") == true)
  }

  @Test("a chain that was rewritten whole, with its anchor, contradicts a head kept elsewhere")
  func rewritten() throws {
    let trail = try store.trail(8)
    let kept = try trail.head()
    let other = try DataStore(path: scratch.file("other.sqlite"))
    try other.migrate(AuditTrail.migrations)
    let forged = AuditTrail(store: other)
    try other.writer.write { database in
      _ = try forged.append((1...9).map { .step($0, details: ["n": "forged"]) }, in: database)
    }
    #expect(try forged.verify().brokenSequence == nil)
    #expect(try forged.verify(against: [kept]).brokenSequence == 8)
  }

  @Test("an anchor that is not one is an alarm")
  func spoiltAnchor() throws {
    let trail = try store.trail(3)
    try "forgotten".write(toFile: anchorPath, atomically: true, encoding: .utf8)
    #expect(try trail.verify().brokenSequence == 0)
  }

  @Test("a transaction that is rolled back leaves neither an entry nor a moved anchor")
  func rollback() throws {
    let trail = try store.trail(3)
    struct Refusal: Error {}
    #expect(throws: Refusal.self) {
      try store.writer.write { database in
        try trail.append(.step(4), in: database)
        throw Refusal()
      }
    }
    #expect(try trail.anchor()?.sequence == 3)
    try store.writer.write { _ = try trail.append(.step(5), in: $0) }
    #expect(try trail.anchor()?.sequence == 4)
    #expect(try trail.verify() == .intact(head: trail.head()))
  }

  @Test("two processes append to one chain")
  func twoProcesses() throws {
    let first = try store.trail(1)
    let elsewhere = try DataStore(path: scratch.file("noroshi.sqlite"))
    let second = AuditTrail(store: elsewhere)
    for number in 2...11 {
      let (database, trail) = number.isMultiple(of: 2) ? (elsewhere, second) : (store, first)
      try database.writer.write { _ = try trail.append(.step(number), in: $0) }
    }
    #expect(try first.verify() == .intact(head: second.head()))
    #expect(try first.anchor()?.sequence == 11)
  }

  @Test("the chain has the same hashes in every release: old trails must verify")
  func format() throws {
    let trail = try store.trail(0)
    let entries = [
      AuditEntry(
        nanoseconds: 1_764_000_000_000_000_000, actor: .system("casework"), action: "case.opened",
        subject: "C-2026-000001", details: ["text": "\"é\"\n", "address": "192.0.2.10"]),
      AuditEntry(
        nanoseconds: 1_764_000_000_000_000_001, actor: .user("狼"), action: "case.closed",
        subject: "C-2026-000001"),
    ]
    for entry in entries { try store.writer.write { _ = try trail.append(entry, in: $0) } }
    // Computed with Python's hashlib.
    #expect(
      try trail.head()
        == AuditHead(
          sequence: 2,
          hash: "ad0cf058a2a95ce7c9eedaa0072478d046ac4c9f9446e40c2d05455e1ecbe02c"))
  }

  @Test("fields that read alike when run together have different hashes")
  func noConfusion() throws {
    let trail = try store.trail(0)
    let entries = [("ab", "c"), ("a", "bc")].map {
      AuditEntry(nanoseconds: 1, actor: .system("x"), action: $0.0, subject: $0.1)
    }
    try store.writer.write { _ = try trail.append(entries, in: $0) }
    let hashes = try trail.entries(matching: ListQuery()).rows.map(\.hash)
    #expect(Set(hashes).count == 2)
  }

  @Test("entries come back as they were written, whatever their text")
  func roundTrip() throws {
    let trail = try store.trail(0)
    let entry = AuditEntry(
      nanoseconds: .min, actor: .commandLine("root:wheel"), action: "notice.sent",
      subject: "通知\"\\\n", details: ["鍵": "値\u{1}\u{1f}\t", "": "\u{2028}😀"])
    try store.writer.write { _ = try trail.append(entry, in: $0) }
    let rows = try trail.entries(matching: ListQuery()).rows
    #expect(rows.map(\.entry) == [entry])
    #expect(try trail.verify().brokenSequence == nil)
  }

  @Test("a NUL, at which SQLite's text would end, is replaced and does not break the chain")
  func nulls() throws {
    let trail = try store.trail(0)
    let entry = AuditEntry(
      nanoseconds: 1, actor: .user("a\u{0}b"), action: "x", subject: "1\u{0}2",
      details: ["n": "\u{0}"])
    try store.writer.write { _ = try trail.append(entry, in: $0) }
    let read = try #require(try trail.entries(matching: ListQuery()).rows.first?.entry)
    #expect(read.actor == .user("a\u{FFFD}b"))
    #expect(read.subject == "1\u{FFFD}2")
    #expect(read.details == ["n": "\u{0}"])
    #expect(try trail.verify().brokenSequence == nil)
  }

  @Test("the trail is filtered, searched, sorted and paged")
  func reading() throws {
    let trail = try store.trail(30)
    let opened = try trail.entries(
      matching: ListQuery(filters: ["action": "case.opened", "sequence_min": "11"], limit: 3))
    #expect(opened.total == 10)
    #expect(opened.rows.map(\.sequence) == [30, 28, 26])
    let second = try trail.entries(
      matching: ListQuery(
        sort: .init(column: "sequence", isAscending: true), offset: 10, limit: 2))
    #expect(second.rows.map(\.sequence) == [11, 12])
    #expect(try trail.entries(matching: ListQuery(search: "c-7")).rows.map(\.sequence) == [7])
    #expect(throws: ListQueryError.self) {
      try trail.entries(matching: ListQuery(filters: ["colour": "red"]))
    }
  }

  @Test("thirty thousand entries are written and verified in seconds, with progress")
  func speed() throws {
    let trail = try store.trail(0)
    let entries = (1...30_000).map { AuditEntry.step($0, details: ["n": "\($0)"]) }
    var reported: [Int64] = []
    let took = try ContinuousClock().measure {
      try store.writer.write { _ = try trail.append(entries, in: $0) }
      _ = try trail.verify { done, _ in reported.append(done) }
    }
    #expect(reported == [10_000, 20_000, 30_000, 30_000])
    #expect(took < .seconds(60))
  }
}
