import Foundation
import Parquet
import Testing

@Suite struct JournalTests {
  private static func write(_ path: String, groups: Int) throws -> ParquetWriter {
    var parameters = ParquetWriterParameters()
    parameters.isJournalled = true
    parameters.hasChecksums = true
    parameters.pageVersion = .two
    let writer = try ParquetWriter(
      path: path, schema: [.integer("n", bits: 64), .string("t")], parameters: parameters)
    for group in 0..<groups {
      for row in 0..<100 {
        writer.columns[0].append(group * 1_000 + row)
        writer.columns[1].append("g\(group)")
        try writer.endRow()
      }
      try writer.endRowGroup()
    }
    return writer
  }

  private static func numbers(_ reader: ParquetReader) throws -> [Int64] {
    try reader.rowGroups.flatMap { try reader.read("n", rowGroup: $0.index).integers ?? [] }
  }

  private static func names(_ folder: TemporaryFolder) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
  }

  @Test("a part is read while it grows, and completed after its writer went away")
  func recovery() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.parquet")
    do {
      let writer = try Self.write(path, groups: 3)
      writer.columns[0].append(7)
      writer.columns[1].append("never synced")
      try writer.endRow()
      let reader = try ParquetReader(unfinished: path)
      #expect(reader.rowCount == 300)
      #expect(try Self.numbers(reader).last == 2_099)
      #expect(throws: ParquetError.self) { try ParquetReader(path: path + ".part") }
    }
    #expect(try Self.names(folder) == ["a.parquet.journal", "a.parquet.part"])
    let outcome = try ParquetRecovery.complete(path)
    #expect(outcome.rowCount == 300 && outcome.rowGroupCount == 3 && outcome.lostOctets == 0)
    #expect(try Self.names(folder) == ["a.parquet"])
    #expect(try Self.numbers(ParquetReader(path: path)).count == 300)
  }

  @Test("a finished file leaves no journal")
  func finished() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.parquet")
    try Self.write(path, groups: 2).finish()
    #expect(try Self.names(folder) == ["a.parquet"])
    #expect(try ParquetReader(path: path).rowCount == 200)
  }

  @Test("whatever of part and journal is cut off, the whole row groups before it are kept")
  func cuts() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.parquet")
    try Self.abandon(path)
    let part = try Data(contentsOf: URL(fileURLWithPath: path + ".part"))
    let journal = try Data(contentsOf: URL(fileURLWithPath: path + ".journal"))
    var seen: Set<Int> = []
    for step in 0..<60 {
      let partLength = step < 30 ? part.count * step / 29 : part.count
      let journalLength = step < 30 ? journal.count : journal.count * (step - 30) / 29
      try part.prefix(partLength).write(to: URL(fileURLWithPath: path + ".part"))
      try journal.prefix(journalLength).write(to: URL(fileURLWithPath: path + ".journal"))
      try? FileManager.default.removeItem(atPath: path)
      let outcome = try ParquetRecovery.complete(path)
      seen.insert(outcome.rowGroupCount)
      if outcome.rowGroupCount == 0 {
        #expect(try Self.names(folder).isEmpty)
      } else {
        let numbers = try Self.numbers(ParquetReader(path: path))
        let expected = (0..<outcome.rowGroupCount).flatMap { group in
          (0..<100).map { Int64(group * 1_000 + $0) }
        }
        #expect(numbers == expected)
      }
    }
    #expect(seen.isSuperset(of: [0, 1, 2, 3, 4]))
  }

  private static func abandon(_ path: String) throws {
    _ = try write(path, groups: 4)
  }

  @Test("a page that was changed on the disk is found by its checksum")
  func damage() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.parquet")
    try Self.write(path, groups: 2).finish()
    var octets = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    octets[120] ^= 4
    let reader = try ParquetReader(octets: octets)
    #expect(throws: ParquetError.self) {
      for group in reader.rowGroups { _ = try reader.checkPages(rowGroup: group.index) }
    }
  }
}
