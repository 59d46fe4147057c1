import FlowArchive
import FlowRecords
import FlowSamples
import Foundation
import NetworkTypes
import Parquet
import Testing

@Suite struct ArchiveTests {
  static func read(_ root: String) throws -> [FlowRecord] {
    var found: [FlowRecord] = []
    try Flows.search(root).forEachBatch(try FlowQuery(.listing)) { found += $0.records }
    return found
  }

  @Test("flows come back as they were written, of both families and with every column")
  func roundTrip() throws {
    let folder = try TemporaryFolder()
    let flows = Flows.many(2_500)
    let counters = try Flows.write(flows, to: folder.path)
    #expect(counters.accepted == 2_500 && counters.synced == 2_500)
    #expect(counters.dropped == 0 && counters.lost == 0)
    let found = try Self.read(folder.path)
    #expect(found.count == flows.count && Set(found) == Set(flows))
    #expect(folder.names(".parquet").allSatisfy { $0.hasPrefix("2026/11/25/08/flows-") })
    #expect(folder.names(".part").isEmpty && folder.names(".journal").isEmpty)
    let report = try ArchiveVerification(path: folder.path)
    #expect(report.isWhole && report.rows == 2_500)
    #expect(report.reports.allSatisfy { $0.uncheckedPages == 0 && $0.pages > 0 })
  }

  @Test("every hour has its folder, and late flows open none")
  func hours() throws {
    let folder = try TemporaryFolder()
    let writer = try ArchiveWriter(root: folder.path, parameters: Flows.small)
    var flow = Flows.many(1)[0]
    // Three hours on, one of them with a flow that is an hour late, then one that is a day late.
    for hours in [0, 1, 2, 1, 2, -24] {
      let batch = FlowBatch(capacity: 4)
      flow.end = Timestamp(nanoseconds: (Flows.base + Int64(hours) * 3_600_000) * 1_000_000)
      flow.start = flow.end
      batch.append(flow)
      writer.appendPatiently(batch)
    }
    try writer.close()
    let folders = Set(folder.names(".parquet").map { String($0.prefix(13)) })
    #expect(folders == ["2026/11/25/08", "2026/11/25/09", "2026/11/25/10", "2026/11/24/08"])
    #expect(try Self.read(folder.path).count == 6)
  }

  @Test("an exporter with a wrong clock makes no folder of another century")
  func wrongClock() throws {
    let folder = try TemporaryFolder()
    let now = Flows.base / 1_000
    let writer = try ArchiveWriter(
      root: folder.path, parameters: Flows.small, clock: { now })
    var flow = Flows.many(1)[0]
    flow.end = Timestamp(nanoseconds: 4_000_000_000_000_000_000)
    let batch = FlowBatch(capacity: 1)
    batch.append(flow)
    writer.append(batch)
    try writer.close()
    #expect(folder.names(".parquet").allSatisfy { $0.hasPrefix("2026/11/25/08/") })
  }

  @Test("flows are on the disk after the sync time without anybody asking, and can be searched")
  func syncTime() async throws {
    let folder = try TemporaryFolder()
    var parameters = Flows.small
    parameters.syncSeconds = 0.1
    let writer = try ArchiveWriter(root: folder.path, parameters: parameters)
    for batch in Flows.batches(Flows.many(50)) { writer.append(batch) }
    for _ in 0..<200 where writer.counters.synced < 50 {
      try await Task.sleep(for: .milliseconds(50))
    }
    #expect(writer.counters.synced == 50)
    #expect(folder.names(".part").count == 1)
    let found = try Self.read(folder.path)
    #expect(found.count == 50)
    let report = try ArchiveVerification(path: folder.path)
    #expect(report.isWhole && report.rows == 50)
    try writer.close()
    #expect(try Self.read(folder.path).count == 50)
  }

  @Test("a second writer is refused while the first one works")
  func lock() throws {
    let folder = try TemporaryFolder()
    let writer = try ArchiveWriter(root: folder.path)
    #expect(throws: ArchiveError.locked(path: folder.path)) {
      try ArchiveWriter(root: folder.path)
    }
    try writer.close()
  }

  @Test("files are finished at their size, and a new column begins a new file")
  func rotation() throws {
    let folder = try TemporaryFolder()
    var parameters = Flows.small
    parameters.rowGroupsPerFile = 2
    let plain = Flows.many(4_000, isPlain: true).filter { $0.source.isIPv4 }
    try Flows.write(plain, to: folder.path, parameters: parameters)
    let before = folder.names(".parquet").count
    #expect(before == (plain.count + 1_999) / 2_000)
    var rich = plain[0]
    rich.postSource = IPAddress(v4: 0x0101_0101)
    try Flows.write([plain[1]], to: folder.path)
    try Flows.write([rich], to: folder.path)
    #expect(folder.names(".parquet").count == before + 2)
    #expect(try Self.read(folder.path).contains(rich))
  }

  @Test("small row groups of past hours are put together, and nothing is lost or counted twice")
  func compaction() throws {
    let folder = try TemporaryFolder()
    let flows = Flows.many(1_500)
    for part in 0..<15 {
      try Flows.write(Array(flows[part * 100..<(part + 1) * 100]), to: folder.path)
    }
    #expect(folder.names(".parquet").count == 15)
    let before = try Self.read(folder.path)
    let compaction = ArchiveCompaction(root: folder.path, parameters: Flows.small)
    let hour = Flows.base / 3_600_000
    #expect(try compaction.run(before: hour) == .init())
    let outcome = try compaction.run(before: hour + 1)
    #expect(outcome.filesBefore == 15 && outcome.filesAfter == 1 && outcome.rows == 1_500)
    #expect(outcome.octetsAfter < outcome.octetsBefore)
    #expect(folder.names(".parquet").count == 1)
    let after = try Self.read(folder.path)
    #expect(after.count == 1_500 && Set(after) == Set(before) && Set(after) == Set(flows))
    #expect(try compaction.run(before: hour + 1) == .init())
    #expect(try ArchiveVerification(path: folder.path).isWhole)
  }

  @Test(
    "after a kill between a compaction's rename and the removal of the old files, they do not count"
  )
  func interruptedCompaction() throws {
    let folder = try TemporaryFolder()
    let flows = Flows.many(600)
    for part in 0..<6 {
      try Flows.write(Array(flows[part * 100..<(part + 1) * 100]), to: folder.path)
    }
    let names = folder.names(".parquet")
    var copies: [String: Data] = [:]
    for name in names {
      copies[name] = try Data(contentsOf: URL(fileURLWithPath: folder.file(name)))
    }
    _ = try ArchiveCompaction(root: folder.path, parameters: Flows.small)
      .run(before: Flows.base / 3_600_000 + 1)
    for (name, data) in copies { try data.write(to: URL(fileURLWithPath: folder.file(name))) }
    #expect(try Self.read(folder.path).count == 600)
    let writer = try ArchiveWriter(root: folder.path)
    #expect(writer.recovery.replacedFiles == 6)
    try writer.close()
    #expect(folder.names(".parquet").count == 1)
    #expect(try Self.read(folder.path).count == 600)
  }

  @Test("old files go by age, then by size, and empty folders with them")
  func retention() throws {
    let folder = try TemporaryFolder()
    for hours in 0..<5 {
      let flows = Flows.many(200).map { flow in
        var moved = flow
        moved.start = flow.start.advanced(bySeconds: Double(hours) * 3_600)
        moved.end = flow.end.advanced(bySeconds: Double(hours) * 3_600)
        return moved
      }
      try Flows.write(flows, to: folder.path)
    }
    let now = Flows.base / 1_000 + 5 * 3_600
    let aged = try ArchiveRetention(keepSeconds: 3 * 3_600 + 1_800)
      .enforce(root: folder.path, now: now)
    #expect(aged.folders == ["2026/11/25/08", "2026/11/25/09"] && aged.files == 2)
    #expect(!FileManager.default.fileExists(atPath: folder.file("2026/11/25/08")))
    let left = try ArchiveCatalogue(path: folder.path)
    let sized = try ArchiveRetention(keepOctets: left.octets - 1)
      .enforce(root: folder.path, now: now)
    #expect(sized.folders == ["2026/11/25/10"])
    #expect(try ArchiveCatalogue(path: folder.path).files.count == 2)
    #expect(try ArchiveRetention().enforce(root: folder.path, now: now) == .init())
  }

  @Test("verification names the file that was changed, and reads the others")
  func damage() throws {
    let folder = try TemporaryFolder()
    try Flows.write(Flows.many(300), to: folder.path)
    try Flows.write(Flows.many(300, seed: 2), to: folder.path)
    let name = folder.names(".parquet")[0]
    var data = try Data(contentsOf: URL(fileURLWithPath: folder.file(name)))
    data[200] ^= 0x10
    try data.write(to: URL(fileURLWithPath: folder.file(name)))
    let report = try ArchiveVerification(path: folder.path)
    #expect(!report.isWhole)
    let faults = report.reports.filter { $0.fault != nil }
    #expect(faults.map(\.file.path) == [folder.file(name)])
    #expect(throws: ArchiveError.self) { try ArchiveVerification(path: folder.file("none")) }
  }

  @Test("live flows are dropped and counted when the disk cannot keep up, and never block")
  func pressure() throws {
    let folder = try TemporaryFolder()
    var parameters = Flows.small
    parameters.rowsPerGroup = 100
    parameters.blockCount = 2
    let writer = try ArchiveWriter(root: folder.path, parameters: parameters)
    let flows = Flows.many(20_000, isPlain: true)
    for batch in Flows.batches(flows) { writer.append(batch) }
    try writer.close()
    let counters = writer.counters
    #expect(counters.accepted + counters.dropped == flows.count)
    #expect(counters.synced == counters.accepted)
    #expect(try Self.read(folder.path).count == counters.synced)
    writer.append(Flows.batches(Flows.many(5))[0])
    #expect(writer.counters.dropped == counters.dropped + 5)
  }

  @Test("an empty archive answers with nothing")
  func empty() throws {
    let folder = try TemporaryFolder()
    let result = try Flows.search(folder.path).run(
      try FlowQuery(.aggregation(FlowElement.connection)))
    #expect(result.rows.isEmpty && result.matched == 0)
    #expect(throws: ArchiveError.self) {
      try Flows.search(folder.file("none")).run(try FlowQuery(.listing))
    }
  }
}
