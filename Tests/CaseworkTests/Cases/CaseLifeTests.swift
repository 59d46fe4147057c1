import Casework
import Constituency
import Findings
import Foundation
import GRDB
import NetworkTypes
import Store
import Testing

struct CaseLifeTests {
  @Test("a finding opens one case at the organisation that answers for the address")
  func opening() throws {
    let desk = try CaseDesk()
    let changes = try desk.record(sampleFinding(inA), at: 1)
    let cases = try desk.all()
    #expect(changes.opened == ["C-2026-000001"])
    #expect(cases.map(\.id) == ["C-2026-000001"])
    #expect(cases[0].responsibility == .organisation("isp-a"))
    #expect(cases[0].state == .open)
    #expect(cases[0].opened == day(1))
    #expect(cases[0].detail == "mirai")
    let history = try desk.register.history(of: cases[0].id, visibleTo: .everything)
    #expect(history.map(\.action) == [.opened])
    #expect(history[0].text == "40 of 40 packets")
  }

  @Test("the same findings again change nothing at all, not even the audit trail")
  func idempotency() throws {
    let desk = try CaseDesk()
    let findings = [
      sampleFinding(inA), sampleFinding(inB), sampleFinding(inBoth), sampleFinding(inNone),
    ]
    try desk.record(findings, at: 1)
    let before = try desk.all()
    let lines = try desk.auditLines
    let changes = try desk.record(findings + findings, at: 2)
    #expect(changes.isEmpty)
    #expect(changes.unchangedFindings == 8)
    #expect(try desk.all() == before)
    #expect(try desk.auditLines == lines)
  }

  @Test("a stored document whose keys an older version had sorted says the same")
  func keyOrder() throws {
    let desk = try CaseDesk()
    let finding = sampleFinding(inA)
    try desk.record(finding, at: 1)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let sorted = String(decoding: try encoder.encode(finding), as: UTF8.self)
    try desk.register.store.writer.write { db in
      let stored = try String.fetchOne(db, sql: "SELECT document FROM findings")
      #expect(stored != sorted)
      try db.execute(sql: "UPDATE findings SET document = ?", arguments: [sorted])
    }
    #expect(try desk.record(finding, at: 2).unchangedFindings == 1)
    var surer = finding
    surer.confidence = Confidence(percent: 99)
    #expect(try desk.record(surer, at: 3).updatedFindings == 1)
  }

  @Test("what a case holds does not depend on how many findings came at once")
  func batches() throws {
    let findings = (0..<3_000).map { number in
      sampleFinding("192.0.2.\(number % 50)", from: Double(number) / 1_000, sensor: "s\(number)")
    }
    let together = try CaseDesk()
    let changes = try together.record(findings, at: 4)
    #expect(changes.newFindings == 3_000)
    #expect(changes.opened.count == 50)
    let alone = try CaseDesk()
    for finding in findings { try alone.record(finding, at: 4) }
    #expect(try together.all() == alone.all())
    #expect(try together.all().map(\.findings) == Array(repeating: 60, count: 50))
  }

  @Test("a later reading of a finding updates its case and is not counted twice")
  func laterReading() throws {
    let desk = try CaseDesk()
    try desk.record(sampleFinding(inA, to: 1, confidence: 60), at: 1)
    try desk.record(sampleFinding(inA, to: 2, confidence: 95, marking: .red), at: 2)
    let item = try #require(try desk.all().first)
    #expect(item.findings == 1)
    #expect(item.lastSeen == day(2))
    #expect(item.confidence.percent == 95)
    #expect(item.marking == .red)
    // An hourly file read again brings the first reading back: the later one stays.
    #expect(try desk.record(sampleFinding(inA, to: 1, confidence: 60), at: 3).isEmpty)
    #expect(try desk.all() == [item])
  }

  @Test("findings of several sensors about the same thing are one case; another kind is another")
  func oneCase() throws {
    let desk = try CaseDesk()
    try desk.record(
      sampleFinding(inA, sensor: "darknet-1"), sampleFinding(inA, sensor: "darknet-2"),
      sampleFinding(inA, kind: .denialOfServiceVictim), at: 1)
    let cases = try desk.all()
    #expect(cases.map(\.kind) == [.infectedHost, .denialOfServiceVictim])
    #expect(cases.map(\.findings) == [2, 1])
  }

  @Test("addresses of nobody and of several are visible as such, and a person assigns them")
  func noneAndSeveral() throws {
    let desk = try CaseDesk()
    try desk.record(sampleFinding(inNone), sampleFinding(inBoth), at: 1)
    #expect(try desk.all().map(\.responsibility) == [.unassigned, .contested(["isp-a", "isp-b"])])
    try desk.register.reassign(
      "C-2026-000002", to: "isp-b", by: .user("hanako"), at: day(2))
    #expect(try desk.all()[1].responsibility == .organisation("isp-b"))
    // The constituency still says "several": the case that a person assigned stays the one.
    try desk.record(sampleFinding(inBoth, from: 3), at: 3)
    #expect(try desk.all().count == 2)
    #expect(try desk.all()[1].responsibility == .organisation("isp-b"))
    #expect(try desk.all()[1].findings == 2)
  }

  @Test("a case of nobody goes to the organisation once the constituency knows it")
  func takenOver() throws {
    let desk = try CaseDesk()
    try desk.record(sampleFinding(inNone), at: 1)
    _ = try desk.register.record(
      findings: [sampleFinding(inNone, from: 2)],
      responsibility: { .one(organisation: "isp-c", via: .prefix(IPPrefix($0))) }, at: day(2))
    let cases = try desk.all()
    #expect(cases.count == 1)
    #expect(cases[0].responsibility == .organisation("isp-c"))
    #expect(
      try desk.register.history(of: cases[0].id, visibleTo: .everything).map(\.action)
        == [.opened, .reassigned])
  }

  @Test("an address that moves to another organisation opens a case there")
  func moved() throws {
    let desk = try CaseDesk()
    try desk.record(sampleFinding(inA), at: 1)
    _ = try desk.register.record(
      findings: [sampleFinding(inA, from: 2)],
      responsibility: { .one(organisation: "isp-b", via: .prefix(IPPrefix($0))) }, at: day(2))
    #expect(try desk.all().map(\.responsibility.organisation) == ["isp-a", "isp-b"])
  }

  @Test("a closed case comes back for a later sighting, not for a late one")
  func reopening() throws {
    let desk = try CaseDesk()
    try desk.record(sampleFinding(inA), at: 1)
    try desk.register.close(
      "C-2026-000001", by: .user("hanako"), reason: "resolved", at: day(5), visibleTo: .everything)
    try desk.record(sampleFinding(inA, from: 4), at: 6)
    #expect(try desk.all()[0].state == .closed)
    let changes = try desk.record(sampleFinding(inA, from: 7), at: 7)
    #expect(changes.reopened == ["C-2026-000001"])
    let item = try desk.all()[0]
    #expect(item.state == .reopened)
    #expect(item.closed == nil)
    #expect(item.reopened == 1)
    #expect(
      try desk.register.history(of: item.id, visibleTo: .everything).map(\.action)
        == [.opened, .closed, .updated, .reopened])
  }

  @Test("after the window of reopening the same address is a new case")
  func newCaseAfterWindow() throws {
    let desk = try CaseDesk()
    try desk.record(sampleFinding(inA), at: 1)
    try desk.register.closeQuiet(asOf: day(20))
    try desk.record(sampleFinding(inA, from: 120), at: 120)
    #expect(try desk.all().map(\.state) == [.closed, .open])
  }

  @Test("a quiet case closes by itself after 14 days and not before")
  func quiet() throws {
    let desk = try CaseDesk()
    try desk.record(sampleFinding(inA, to: 2), sampleFinding(inB, to: 5), at: 5)
    #expect(try desk.register.closeQuiet(asOf: day(15.9)).isEmpty)
    #expect(try desk.register.closeQuiet(asOf: day(16)) == ["C-2026-000001"])
    #expect(try desk.all().map(\.state) == [.closed, .open])
    #expect(try desk.all()[0].closed == day(16))
  }

  @Test("weak findings and scanners are kept and open no case")
  func weak() throws {
    let desk = try CaseDesk()
    let changes = try desk.record(
      sampleFinding(inA, confidence: 49), sampleFinding(inB, kind: .scanner), at: 1)
    #expect(changes.newFindings == 2)
    #expect(try desk.all().isEmpty)
    #expect(try desk.register.findings(visibleTo: .everything).total == 2)
  }

  @Test("every step of a person is in the history and in the audit trail")
  func steps() throws {
    let desk = try CaseDesk()
    let id = "C-2026-000001"
    let register = desk.register
    try desk.record(sampleFinding(inA), at: 1)
    try register.store.writer.write { db in
      try register.change([id], .notified, by: .system("notices"), text: "N-1", at: day(2), in: db)
    }
    #expect(try desk.all()[0].due == day(16))
    try register.acknowledge(id, by: .user("ken"), at: day(3), visibleTo: .organisation("isp-a"))
    try register.comment(
      id, by: .user("ken"), text: "asked the customer", at: day(4),
      visibleTo: .organisation("isp-a"))
    try register.assign(id, to: "hanako", by: .user("hanako"), at: day(4), visibleTo: .everything)
    try register.markFixed(id, by: .user("ken"), at: day(5), visibleTo: .organisation("isp-a"))
    #expect(
      try register.history(of: id, visibleTo: .everything).map(\.action)
        == [.opened, .notified, .acknowledged, .commented, .assigned, .fixed])
    let audit = try register.trail.entries(
      matching: ListQuery(sort: .init(column: "sequence", isAscending: true)))
    #expect(
      audit.rows.map(\.entry.action) == [
        "case.opened", "case.notified", "case.acknowledged", "case.commented", "case.assigned",
        "case.fixed",
      ])
    #expect(try desk.all()[0].assignee == "hanako")
  }
}

struct CaseRuleTests {
  @Test(
    "what each action makes of each state",
    arguments: [
      // open, notified, acknowledged, fixed, unreachable, reopened, closed
      (CaseEvent.Action.notified, "notified notified acknowledged - notified notified -"),
      (.acknowledged, "acknowledged acknowledged acknowledged - acknowledged acknowledged -"),
      (.fixed, "fixed fixed fixed - fixed fixed -"),
      (.unreachable, "unreachable unreachable - - unreachable unreachable -"),
      (.closed, "closed closed closed closed closed closed -"),
      (.reopened, "- - - reopened - - reopened"),
      (.commented, "open notified acknowledged fixed unreachable reopened closed"),
      (.opened, "- - - - - - -"),
    ])
  func table(action: CaseEvent.Action, row: String) {
    let after = Case.State.allCases.map {
      CaseRules.state(after: action, from: $0)?.rawValue ?? "-"
    }
    #expect(after.joined(separator: " ") == row)
  }

  @Test("an action that a state does not allow is refused and changes nothing")
  func refused() throws {
    let desk = try CaseDesk()
    try desk.record(sampleFinding(inA), at: 1)
    let lines = try desk.auditLines
    #expect(throws: CaseError.notPossible(id: "C-2026-000001", action: .reopened, state: .open)) {
      try desk.register.reopen(
        "C-2026-000001", by: .user("ken"), at: day(2), visibleTo: .everything)
    }
    #expect(throws: CaseError.emptyText(.commented)) {
      try desk.register.comment(
        "C-2026-000001", by: .user("ken"), text: "", at: day(2), visibleTo: .everything)
    }
    #expect(try desk.auditLines == lines)
  }
}
