import FlowArchive
import FlowRecords
import FlowSamples
import Foundation
import NetworkTypes
import Testing

/// What the killed child does: it writes flows numbered by their packets, and notes how many it knows
/// to be on the disk.
enum ArchiveVictim {
  static let folder = ProcessInfo.processInfo.environment["NOROSHI_ARCHIVE_VICTIM"]

  static func run(_ root: String) throws {
    var parameters = ArchiveParameters()
    parameters.rowsPerGroup = 64
    parameters.rowGroupsPerFile = 5
    let note = FileHandle(forWritingAtPath: root + ".note")
    var number: UInt64 = 0
    var isFirst = true
    while true {
      let writer = try ArchiveWriter(root: root, parameters: parameters)
      if isFirst {
        // Goes on where the one before was killed.
        number = try KillTests.numbers(root).max() ?? 0
        isFirst = false
      }
      for _ in 0..<6 {
        try write(&number, to: writer)
        try note?.write(contentsOf: Data("\(number)\n".utf8))
      }
      try writer.close()
      let hour = (Flows.base / 1_000 + Int64(number) / 4) / 3_600
      _ = try ArchiveCompaction(root: root, parameters: parameters).run(before: hour + 1)
    }
  }
}

extension ArchiveVictim {
  /// Some hundred flows, four a second, until they are on the disk.
  private static func write(_ number: inout UInt64, to writer: ArchiveWriter) throws {
    for _ in 0..<8 {
      let batch = FlowBatch(capacity: 50)
      for _ in 0..<50 {
        number += 1
        var flow = FlowRecord()
        flow.source = IPAddress(v4: UInt32(truncatingIfNeeded: number &* 2_654_435_761))
        flow.destination = IPAddress(v4: 1)
        flow.packets = number
        flow.start = Timestamp(seconds: Flows.base / 1_000 + Int64(number) / 4)
        flow.end = flow.start
        batch.append(flow)
      }
      writer.appendPatiently(batch)
    }
    try writer.flush()
  }
}

@Suite(.serialized) struct KillTests {
  @Test("the victim of the test below", .enabled(if: ArchiveVictim.folder != nil))
  func victim() throws {
    try ArchiveVictim.run(try #require(ArchiveVictim.folder))
  }

  static func numbers(_ root: String) throws -> [UInt64] {
    var found: [UInt64] = []
    try Flows.search(root).forEachBatch(try FlowQuery(.listing)) { batch in
      for row in 0..<batch.count { found.append(batch.number(.packets, row: row)) }
    }
    return found
  }

  @Test(
    "a writer killed at any moment loses no synced flow and leaves an archive that reads",
    .enabled(
      if: ArchiveVictim.folder == nil
        && FileManager.default.isReadableFile(atPath: "/proc/self/exe")))
  func kill() throws {
    let folder = try TemporaryFolder()
    let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    var dice = Dice(99)
    let rounds = Int(ProcessInfo.processInfo.environment["NOROSHI_KILL_ROUNDS"] ?? "") ?? 20
    var kills = 0
    var recovered = 0
    var lastNumber: UInt64 = 0
    var root = ""
    for round in 0..<rounds {
      // A new archive now and then, so that the readings do not grow.
      if round.isMultiple(of: 10) {
        root = folder.file("archive-\(round)")
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        _ = FileManager.default.createFile(atPath: root + ".note", contents: nil)
        lastNumber = 0
      }
      let child = Process()
      child.executableURL = URL(fileURLWithPath: program)
      child.arguments = Self.arguments
      child.environment = ProcessInfo.processInfo.environment.merging(
        ["NOROSHI_ARCHIVE_VICTIM": root]) { $1 }
      child.standardOutput = FileHandle.nullDevice
      child.standardError = FileHandle.nullDevice
      let noteBefore = try Self.noted(root)
      try child.run()
      // Not before it writes, and then at any moment.
      let deadline = Date().addingTimeInterval(60)
      while try Self.noted(root) == noteBefore, Date() < deadline { usleep(2_000) }
      usleep(UInt32.random(in: 0...60_000, using: &dice))
      Glibc.kill(child.processIdentifier, SIGKILL)
      child.waitUntilExit()
      kills += 1
      let synced = try Self.noted(root)
      // Before any repair a reader sees all that was synced, each flow once.
      let seen = try Self.numbers(root)
      #expect(Set(seen).count == seen.count)
      #expect(Set(1...max(1, synced)).isSubset(of: seen) || synced == 0)
      let writer = try ArchiveWriter(root: root)
      recovered += writer.recovery.completedFiles
      try writer.close()
      #expect(folder.names(".part").isEmpty && folder.names(".journal").isEmpty)
      let numbers = try Self.numbers(root).sorted()
      #expect(numbers == Array(1...UInt64(max(1, numbers.count))))
      #expect(UInt64(numbers.count) >= synced && synced > lastNumber)
      lastNumber = synced
      #expect(try ArchiveVerification(path: root).isWhole)
    }
    #expect(kills == rounds)
    #expect(recovered > 0)
  }

  /// How this test program is asked for one test.
  private static var arguments: [String] {
    var arguments = ["--testing-library", "swift-testing", "--filter", "KillTests/victim"]
    // Run through SwiftPM's helper, the bundle is the first argument.
    if let bundle = CommandLine.arguments.firstIndex(of: "--test-bundle-path"),
      CommandLine.arguments.indices.contains(bundle + 1)
    {
      arguments = ["--test-bundle-path", CommandLine.arguments[bundle + 1]] + arguments
    }
    return arguments
  }

  private static func noted(_ root: String) throws -> UInt64 {
    let text = try String(contentsOfFile: root + ".note", encoding: .utf8)
    return text.split(separator: "\n").compactMap { UInt64($0) }.max() ?? 0
  }
}
