import Foundation
import Testing

@testable import Parquet

struct RoundTripTests {
  private static let encodings: [ParquetColumn.Encoding] = [
    .automatic, .plain, .dictionary, .delta,
  ]

  @Test("every type comes back, in every encoding and page version", arguments: encodings)
  func types(encoding: ParquetColumn.Encoding) throws {
    let folder = try TemporaryFolder()
    for version in [ParquetWriterParameters.PageVersion.one, .two] {
      for compression in [ParquetCompression.none, .zstd(1)] {
        for rows in [0, 1, 8, 999] {
          var parameters = ParquetWriterParameters()
          parameters.pageVersion = version
          parameters.compression = compression
          parameters.rowsPerGroup = 300
          parameters.rowsPerPage = 77
          let path = folder.file("t.parquet")
          try Specimen.write(path, rows: rows, parameters: parameters, encoding: encoding)
          let reader = try ParquetReader(path: path)
          #expect(try Specimen.difference(reader, rows: rows) == nil)
          #expect(reader.rowGroups.count == (rows + 299) / 300)
          #expect(reader.metadata == [ParquetPair(key: "sensor", value: "東京")])
          let plainSchema = Specimen.schema
          #expect(reader.schema == plainSchema)
          #expect(reader.unreadColumns.isEmpty)
        }
      }
    }
  }

  @Test("extreme numbers come back from every encoding", arguments: encodings)
  func extremes(encoding: ParquetColumn.Encoding) throws {
    let folder = try TemporaryFolder()
    var generator = SystemRandomNumberGenerator()
    var values: [Int64] = [.min, .max, 0, -1, 1, .min, .max, .max, .min]
    for _ in 0..<2_000 {
      values.append(Int64.random(in: .min ... .max, using: &generator) >> Int64.random(in: 0..<64))
    }
    for _ in 0..<500 { values.append(7) }
    let path = folder.file("t.parquet")
    let writer = try ParquetWriter(
      path: path,
      schema: [
        ParquetColumn("wide", .int64, encoding: encoding),
        ParquetColumn("narrow", .int32, encoding: encoding),
      ])
    let narrow = values.map { Int32(truncatingIfNeeded: $0) }
    try writer["wide"].append(contentsOf: values)
    try writer["narrow"].append(contentsOf: narrow)
    try writer.endRows(values.count)
    try writer.finish()
    let reader = try ParquetReader(path: path)
    #expect(try reader.read("wide", rowGroup: 0).integers == values)
    #expect(try reader.read("narrow", rowGroup: 0).integers == narrow.map(Int64.init))
    #expect(reader.rowGroups[0].statistics("wide")?.minimum == .integer(.min))
    #expect(reader.rowGroups[0].statistics("wide")?.maximum == .integer(.max))
  }

  @Test("the RLE/bit-packing hybrid gives back any runs of any width")
  func hybrid() throws {
    var generator = SystemRandomNumberGenerator()
    for width in 1...32 {
      for _ in 0..<30 {
        var values: [UInt32] = []
        while values.count < 300 {
          let value = UInt32.random(in: 0...UInt32.max, using: &generator) >> UInt32(32 - width)
          let run = Bool.random(using: &generator) ? 1 : Int.random(in: 1...60, using: &generator)
          values += [UInt32](repeating: value, count: run)
        }
        values.removeLast(Int.random(in: 0...20, using: &generator))
        var sink = OctetSink()
        HybridEncoding.encode(values.span, width: width, into: &sink)
        let maximum = UInt32.max >> UInt32(32 - width)
        let back = try HybridEncoding.decode(
          sink.bytes, width: width, count: values.count, maximum: maximum, offset: 0)
        #expect(back == values)
      }
    }
  }

  @Test("repeated, sorted and random columns take about what their information does")
  func sizes() throws {
    let folder = try TemporaryFolder()
    func size(_ values: [UInt32]) throws -> Int {
      let path = folder.file("t.parquet")
      let writer = try ParquetWriter(path: path, schema: [.integer("value", bits: 32)])
      writer.columns[0].append(contentsOf: values)
      try writer.endRows(values.count)
      try writer.finish()
      return try Data(contentsOf: URL(fileURLWithPath: path)).count
    }
    let rows = 100_000
    #expect(try size([UInt32](repeating: 9, count: rows)) < 600)
    #expect(try size((0..<rows).map { UInt32($0) }) < 8_000)
    #expect(try size((0..<rows).map { _ in UInt32.random(in: 0..<16) }) < rows * 6 / 10)
    #expect(try size((0..<rows).map { _ in UInt32.random(in: 0...UInt32.max) }) < rows * 41 / 10)
  }

  @Test("statistics prune, and unsigned numbers are compared without sign")
  func statistics() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("t.parquet")
    var parameters = ParquetWriterParameters()
    parameters.rowsPerGroup = 2
    let writer = try ParquetWriter(
      path: path,
      schema: [
        .integer("address", bits: 32), .string("name", isOptional: true),
        ParquetColumn("ratio", .double),
      ],
      parameters: parameters)
    writer.columns[0].append(contentsOf: [0xc000_0201, 0x0a00_0001, 5, 6] as [UInt32])
    for name in ["kizuna", nil, nil, nil] { writer.columns[1].append(name) }
    writer.columns[2].append(contentsOf: [0.0, -0.0, .nan, 1])
    try writer.endRows(4)
    try writer.finish()
    let groups = try ParquetReader(path: path).rowGroups
    let address = try #require(groups[0].statistics("address"))
    #expect(address.minimum == .unsigned(0x0a00_0001) && address.maximum == .unsigned(0xc000_0201))
    #expect(address.mayContain(0xc000_0000...0xc000_ffff))
    #expect(!address.mayContain(0...255))
    #expect(!address.mayContain(-9 ... -1))
    #expect(groups[0].statistics("name")?.mayContain("kizuna") == true)
    #expect(groups[0].statistics("name")?.mayContain("kumo") == false)
    #expect(groups[0].statistics("name")?.nullCount == 1)
    #expect(groups[1].statistics("name")?.nullCount == 2)
    #expect(groups[1].statistics("name")?.minimum == nil)
    #expect(groups[1].statistics("name")?.mayContain("kumo") == true)
    #expect(groups[1].statistics("ratio")?.minimum == nil)
    guard case .double(let least)? = groups[0].statistics("ratio")?.minimum else {
      Issue.record("no bounds of zeros")
      return
    }
    #expect(least.sign == .minus)
  }

  @Test("a value outside its column's type is refused when rows are written")
  func misfits() throws {
    let folder = try TemporaryFolder()
    func isRefused(_ column: ParquetColumn, _ append: (ColumnBuilder) -> Void) throws -> Bool {
      let writer = try ParquetWriter(path: folder.file("t.parquet"), schema: [column])
      append(writer.columns[0])
      do throws(ParquetError) {
        try writer.endRow()
        try writer.finish()
        return false
      } catch {
        guard case .misfit = error else { return false }
        return true
      }
    }
    #expect(try isRefused(.integer("a", bits: 8)) { $0.append(256) })
    #expect(try isRefused(.integer("a", bits: 8)) { $0.append(-1) })
    #expect(try isRefused(.integer("a", bits: 16, isSigned: true)) { $0.append(32_768) })
    #expect(try isRefused(.integer("a", bits: 32)) { $0.append(1 << 32) })
    #expect(try isRefused(.integer("a", bits: 32)) { $0.append(contentsOf: [-1 as Int32]) })
    #expect(try isRefused(.integer("a", bits: 32)) { $0.append(UInt64.max) })
    #expect(try isRefused(.integer("a", bits: 64)) { $0.append(-1) })
    #expect(try isRefused(.timestamp("a")) { $0.append(UInt64.max) })
    #expect(try isRefused(.timestamp("a")) { $0.append(contentsOf: [UInt64.max]) })
    #expect(try isRefused(.string("a")) { $0.append(1) })
    #expect(try isRefused(.string("a")) { $0.appendNull() })
    #expect(try isRefused(.timestamp("a")) { $0.append("text") })
    #expect(try isRefused(ParquetColumn("a", .fixedLengthByteArray(4))) { $0.append(octets: [1]) })
    #expect(try !isRefused(.integer("a", bits: 32)) { $0.append(UInt32.max) })
    #expect(try !isRefused(.integer("a", bits: 64)) { $0.append(UInt64.max) })
    #expect(try !isRefused(.integer("a", bits: 8)) { $0.append(contentsOf: [255]) })
  }

  @Test("columns of different length are refused")
  func uneven() throws {
    let folder = try TemporaryFolder()
    let writer = try ParquetWriter(
      path: folder.file("t.parquet"), schema: [.integer("a", bits: 8), .integer("b", bits: 8)])
    writer.columns[0].append(1)
    try writer.endRow()
    #expect(throws: ParquetError.uneven(column: "b", rows: 0, expected: 1)) { try writer.finish() }
  }

  @Test("schemas that the format does not know are refused")
  func schemas() throws {
    let folder = try TemporaryFolder()
    for schema: [ParquetColumn] in [
      [], [.string("a"), .string("a")], [.string("")],
      [ParquetColumn("a", .fixedLengthByteArray(0))],
      [ParquetColumn("a", .int32, .timestamp(.nanoseconds))], [.integer("a", bits: 7)],
      [ParquetColumn("a", .int32, .integer(bits: 64, isSigned: true))],
      [.string("a", encoding: .delta)],
    ] {
      #expect(throws: ParquetError.self) {
        try ParquetWriter(path: folder.file("t.parquet"), schema: schema)
      }
    }
    #expect(!FileManager.default.fileExists(atPath: folder.file("t.parquet.part")))
  }
}
