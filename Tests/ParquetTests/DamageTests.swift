import Foundation
import Glibc
import Testing

@testable import Parquet

struct DamageTests {
  private func octets(
    rows: Int, _ version: ParquetWriterParameters.PageVersion,
    _ compression: ParquetCompression
  ) throws -> [UInt8] {
    let folder = try TemporaryFolder()
    var parameters = ParquetWriterParameters()
    parameters.rowsPerGroup = 40
    parameters.pageVersion = version
    parameters.compression = compression
    try Specimen.write(folder.file("t.parquet"), rows: rows, parameters: parameters)
    return [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder.file("t.parquet"))))
  }

  private var limits: ParquetReaderLimits {
    var limits = ParquetReaderLimits()
    limits.rowsPerGroup = 10_000
    limits.octetsPerPage = 1 << 20
    limits.octetsPerColumn = 1 << 20
    return limits
  }

  /// Reads all; gives back how many columns could be.
  private func readAll(_ octets: [UInt8]) -> Int {
    guard let reader = try? ParquetReader(octets: octets, limits: limits) else { return 0 }
    var read = 0
    for group in reader.rowGroups {
      for column in reader.schema {
        guard let vector = try? reader.read(column.name, rowGroup: group.index) else { continue }
        read += 1
        for row in 0..<min(vector.count, 50) { _ = vector[row] }
        _ = group.statistics(column.name)?.mayContain(0...9)
      }
    }
    return read
  }

  @Test("a file cut off anywhere is refused")
  func truncation() throws {
    let whole = try octets(rows: 12, .one, .zstd(1))
    #expect(readAll(whole) == Specimen.schema.count)
    for length in 0..<whole.count {
      #expect(throws: ParquetError.self) { try ParquetReader(octets: Array(whole[..<length])) }
    }
  }

  @Test(
    "a changed octet anywhere never traps the reader", arguments: [0x01, 0x80, 0xff] as [UInt8])
  func corruption(mask: UInt8) throws {
    let (version, compression): (ParquetWriterParameters.PageVersion, ParquetCompression) =
      switch mask {
      case 0x01: (.one, .none)
      case 0x80: (.two, .none)
      default: (.two, .zstd(1))
      }
    var octets = try octets(rows: 12, version, compression)
    for index in octets.indices {
      octets[index] ^= mask
      _ = readAll(octets)
      octets[index] ^= mask
    }
    #expect(readAll(octets) == Specimen.schema.count)
  }

  @Test("nonsense of any kind is refused with its place")
  func nonsense() throws {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<3_000 {
      let count = Int.random(in: 0..<200, using: &generator)
      var octets = Array("PAR1".utf8) + (0..<count).map { _ in UInt8.random(in: 0...255) }
      let length = UInt32(Int.random(in: 0...count, using: &generator))
      octets += withUnsafeBytes(of: length.littleEndian) { Array($0) } + Array("PAR1".utf8)
      _ = readAll(octets)
    }
    do throws(ParquetError) {
      _ = try ParquetReader(octets: Array("PAR1 is not all PAR2".utf8))
    } catch {
      #expect(error == .damaged(offset: 16, expected: "PAR1 at the end of a finished file"))
      #expect("\(error)".contains("octet 16"))
    }
  }

  @Test("a file that would take more memory than the limit is refused")
  func boundedMemory() throws {
    let folder = try TemporaryFolder()
    let writer = try ParquetWriter(path: folder.file("t.parquet"), schema: [.string("text")])
    for _ in 0..<100 { writer.columns[0].append(String(repeating: "a", count: 10_000)) }
    for row in 0..<100 { writer.columns[0].append("\(row)") }
    try writer.endRows(200)
    try writer.finish()
    var limits = ParquetReaderLimits()
    limits.rowsPerGroup = 199
    #expect(throws: ParquetError.self) {
      try ParquetReader(path: folder.file("t.parquet"), limits: limits)
    }
    limits = ParquetReaderLimits()
    limits.octetsPerPage = 100
    let reader = try ParquetReader(path: folder.file("t.parquet"), limits: limits)
    #expect(throws: ParquetError.self) { try reader.read("text", rowGroup: 0) }
  }

  @Test(
    "an unfinished part is not a file, does not stand under the file's name, and can be written over"
  )
  func parts() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("t.parquet")
    let part = ParquetWriter.partPath(of: path)
    var parameters = ParquetWriterParameters()
    parameters.rowsPerGroup = 10
    do {
      let writer = try ParquetWriter(
        path: path, schema: [.integer("a", bits: 32)], parameters: parameters)
      writer.columns[0].append(contentsOf: (0..<100).map { UInt32($0) })
      try writer.endRows(100)
      // As it would be found after a kill -9 at this moment.
      #expect(!FileManager.default.fileExists(atPath: path))
      #expect(throws: ParquetError.self) { try ParquetReader(path: part) }
      try FileManager.default.copyItem(atPath: part, toPath: part + ".killed")
    }
    #expect(!FileManager.default.fileExists(atPath: part))
    try FileManager.default.moveItem(atPath: part + ".killed", toPath: part)
    try Specimen.write(path, rows: 5)
    #expect(try Specimen.difference(try ParquetReader(path: path), rows: 5) == nil)
    #expect(!FileManager.default.fileExists(atPath: part))
  }

  @Test("a writer into a missing folder says so")
  func missingFolder() {
    #expect(
      throws: ParquetError.system(
        operation: "creating", path: "/nowhere/at/all.part", code: ENOENT)
    ) { try ParquetWriter(path: "/nowhere/at/all", schema: [.string("a")]) }
    #expect(throws: ParquetError.self) { try ParquetReader(path: "/nowhere/at/all") }
    #expect(throws: ParquetError.self) { try ParquetReader(path: "/") }
  }

  @Test("a file replaced while it is written keeps its old content until the new one is whole")
  func replacing() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("t.parquet")
    try Specimen.write(path, rows: 3)
    let writer = try ParquetWriter(path: path, schema: [.integer("a", bits: 32)])
    #expect(try Specimen.difference(try ParquetReader(path: path), rows: 3) == nil)
    writer.columns[0].append(1)
    try writer.endRow()
    try writer.finish()
    #expect(try ParquetReader(path: path).rowCount == 1)
  }
}
