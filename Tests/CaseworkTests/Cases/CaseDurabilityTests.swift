import Casework
import Constituency
import Findings
import Foundation
import GRDB
import Glibc
import NetworkTypes
import Store
import Testing

/// The database that a child of a crash test works on; absent in a usual run.
private let crashPath = ProcessInfo.processInfo.environment["NOROSHI_CRASH_DATABASE"]

struct CaseDurabilityTests {
  @Test(
    "the child of the crash test, which records until it is killed", .enabled(if: crashPath != nil))
  func crashChild() throws {
    let path = try #require(crashPath)
    let desk = try CaseDesk(path: path)
    let log = open(path + ".log", O_WRONLY | O_CREAT | O_APPEND, 0o600)
    for batch in 0..<100_000 {
      let findings = (0..<20).map { sampleFinding("192.0.2.\($0)", from: Double(batch) / 100) }
      try desk.record(findings, at: Double(batch) / 100)
      // One octet for each batch that has been acknowledged.
      _ = write(log, "x", 1)
    }
  }

  @Test(
    "kill -9 in the middle loses nothing that was acknowledged and leaves no half batch",
    .enabled(if: crashPath == nil), arguments: [0.05, 0.2, 0.6])
  func killed(after seconds: Double) throws {
    let directory = try temporaryDirectory()
    defer { try? FileManager.default.removeItem(at: directory) }
    let path = directory.appending(path: "noroshi.sqlite").path
    let child = Process()
    child.executableURL = URL(
      fileURLWithPath: try FileManager.default.destinationOfSymbolicLink(
        atPath: "/proc/self/exe"))
    child.arguments = ["--testing-library", "swift-testing", "--filter", "crashChild"]
    child.environment = ProcessInfo.processInfo.environment.merging(
      ["NOROSHI_CRASH_DATABASE": path]) { $1 }
    child.standardOutput = FileHandle.nullDevice
    child.standardError = FileHandle.nullDevice
    try child.run()
    func acknowledged() -> Int {
      (try? Data(contentsOf: URL(fileURLWithPath: path + ".log")).count) ?? 0
    }
    let deadline = ContinuousClock.now + .seconds(60)
    while acknowledged() == 0, child.isRunning, ContinuousClock.now < deadline { usleep(2_000) }
    usleep(UInt32(seconds * 1e6))
    kill(child.processIdentifier, SIGKILL)
    child.waitUntilExit()
    let batches = acknowledged()
    #expect(batches > 0)

    let desk = try CaseDesk(path: path)
    try desk.register.store.checkIntegrity()
    let verification = try desk.register.trail.verify()
    guard case .intact = verification else {
      Issue.record("the audit trail is \(verification)")
      return
    }
    let findings = try desk.register.findings(ListQuery(limit: 1), visibleTo: .everything).total
    #expect(findings % 20 == 0)
    // At most the one batch that was under way may be there without having been acknowledged.
    #expect(findings == batches * 20 || findings == (batches + 1) * 20)
    let cases = try desk.all()
    #expect(cases.count == 20)
    #expect(cases.map(\.findings).reduce(0, +) == findings)
  }

  @Test("what throws in the middle leaves no trace")
  func rollback() throws {
    struct Stop: Error {}
    let desk = try CaseDesk()
    try desk.record(sampleFinding(inA), at: 1)
    let before = try desk.all()
    #expect(throws: Stop.self) {
      try desk.register.store.writer.write { db in
        try desk.register.change(
          [before[0].id], .acknowledged, by: .user("ken"), text: nil, at: day(2), in: db)
        throw Stop()
      }
    }
    #expect(try desk.all() == before)
    #expect(try desk.auditLines == 1)
  }

  @Test("readers work beside a writer and see whole batches only")
  func concurrentReaders() async throws {
    let directory = try temporaryDirectory()
    defer { try? FileManager.default.removeItem(at: directory) }
    let desk = try CaseDesk(path: directory.appending(path: "noroshi.sqlite").path)
    let register = desk.register
    let index = desk.index
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for batch in 0..<30 {
          _ = try register.record(
            findings: (0..<10).map { sampleFinding("192.0.2.\($0)", from: Double(batch)) },
            responsibility: { index.responsible(for: $0) }, at: day(Double(batch)))
        }
      }
      for _ in 0..<4 {
        group.addTask {
          var last = 0
          for _ in 0..<60 {
            let total = try register.findings(ListQuery(limit: 1), visibleTo: .everything).total
            #expect(total % 10 == 0)
            #expect(total >= last)
            last = total
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try register.findings(visibleTo: .organisation("isp-a")).total == 300)
  }

  @Test("an audit line edited behind the triggers is named")
  func tampering() throws {
    let desk = try CaseDesk()
    try desk.record(sampleFinding(inA), sampleFinding(inB), sampleFinding(inNone), at: 1)
    #expect(throws: (any Error).self) {
      try desk.register.store.writer.write {
        try $0.execute(sql: "UPDATE audit_trail SET subject = 'x' WHERE sequence = 2")
      }
    }
    try desk.register.store.writer.write {
      try $0.execute(
        sql: """
          DROP TRIGGER audit_trail_keeps_content;
          UPDATE audit_trail SET details = replace(details, 'isp-b', 'isp-a') WHERE sequence = 2;
          """)
    }
    guard case .broken(let sequence, _) = try desk.register.trail.verify() else {
      Issue.record("the edited line was not found")
      return
    }
    #expect(sequence == 2)
  }

  @Test("60,000 findings are recorded in one transaction")
  func many() throws {
    let desk = try CaseDesk()
    // A debug build is many times slower and says nothing about speed.
    #if DEBUG
      let count = 1_000
    #else
      let count = 60_000
    #endif
    let findings = (0..<count).map {
      sampleFinding("192.0.\($0 / 250 % 250).\($0 % 250)", from: Double($0 / 62_500))
    }
    let start = ContinuousClock.now
    let changes = try desk.record(findings, at: 1)
    let took = ContinuousClock.now - start
    print("\(count) findings, \(changes.opened.count) cases: \(took)")
    #expect(changes.newFindings == count)
    #expect(changes.opened.count == count)
    #expect(try desk.auditLines == Int64(count))
  }
}
