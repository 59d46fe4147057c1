import Foundation
import Parquet

/// A table with every type, each value a formula of its row; `Fixtures/others.py` has the same ones.
enum Specimen {
  static let schema: [ParquetColumn] = [
    ParquetColumn("flag", .boolean),
    .integer("u8", bits: 8), .integer("i8", bits: 8, isSigned: true),
    .integer("u16", bits: 16), .integer("i16", bits: 16, isSigned: true),
    .integer("u32", bits: 32), .integer("i32", bits: 32, isSigned: true),
    .integer("u64", bits: 64), .integer("i64", bits: 64, isSigned: true),
    ParquetColumn("f32", .float), ParquetColumn("f64", .double),
    .timestamp("nanos"), .timestamp("micros", .microseconds),
    ParquetColumn("date", .int32, .date),
    .string("text"), .string("line"),
    ParquetColumn("blob", .byteArray), ParquetColumn("fixed", .fixedLengthByteArray(6)),
    .integer("o_u32", bits: 32, isOptional: true), .string("o_text", isOptional: true),
    .timestamp("o_nanos", isOptional: true),
    ParquetColumn("o_f64", .double, isOptional: true),
    ParquetColumn("o_flag", .boolean, isOptional: true),
    ParquetColumn("o_fixed", .fixedLengthByteArray(6), isOptional: true),
    .integer("o_none", bits: 32, isSigned: true, isOptional: true),
  ]

  private static func u64(_ i: Int) -> UInt64 { UInt64(i) &* 0x9e37_79b9_7f4a_7c15 }
  private static func u32(_ i: Int) -> UInt32 {
    UInt32(truncatingIfNeeded: UInt64(i) &* 2_654_435_761)
  }
  private static func nanos(_ i: Int) -> Int64 {
    1_700_000_000_000_000_000 + Int64(i) * 1_000_000 + Int64(i % 7) * 1_000
  }
  private static func fixed(_ i: Int) -> [UInt8] {
    (0..<6).map { UInt8(truncatingIfNeeded: i >> (8 * (5 - $0))) }
  }

  static func value(_ name: String, _ i: Int) -> ParquetValue {
    if name.hasPrefix("o_"), i.isMultiple(of: 5) || name == "o_none" { return .null }
    switch name {
    case "flag", "o_flag": return .boolean(i.isMultiple(of: 3))
    case "u8": return .unsigned(UInt64(UInt8(truncatingIfNeeded: i * 7)))
    case "i8": return .integer(Int64(Int8(truncatingIfNeeded: i * 7)))
    case "u16": return .unsigned(UInt64(UInt16(truncatingIfNeeded: i * 31)))
    case "i16": return .integer(Int64(Int16(truncatingIfNeeded: i * 31)))
    case "u32", "o_u32": return .unsigned(UInt64(u32(i)))
    case "i32": return .integer(Int64(Int32(bitPattern: u32(i))))
    case "u64": return .unsigned(u64(i))
    case "i64": return .integer(Int64(bitPattern: u64(i)))
    case "f32": return .float(Float(Double(i) * 0.25 - 100))
    case "f64", "o_f64": return .double(Double(i) * 0.1 - 7)
    case "nanos", "o_nanos": return .integer(nanos(i))
    case "micros": return .integer(nanos(i) / 1_000)
    case "date": return .integer(Int64(19_000 + i % 400))
    case "text", "o_text": return .text("狼煙-\(i % 50)")
    case "line": return .text("row \(i * i)")
    case "blob": return .octets([UInt8](repeating: UInt8(i & 0xff), count: i % 20))
    default: return .octets(fixed(i))
    }
  }

  static func append(_ value: ParquetValue, to builder: ColumnBuilder) {
    switch value {
    case .null: builder.appendNull()
    case .boolean(let value): builder.append(value)
    case .integer(let value): builder.append(value)
    case .unsigned(let value): builder.append(value)
    case .float(let value): builder.append(value)
    case .double(let value): builder.append(value)
    case .octets(let value): builder.append(octets: value)
    case .text(let value): builder.append(value)
    }
  }

  static func write(
    _ path: String, rows: Int, parameters: ParquetWriterParameters = ParquetWriterParameters(),
    encoding: ParquetColumn.Encoding = .automatic
  ) throws {
    let schema = schema.map { column in
      var column = column
      let isNumber = column.physicalType == .int32 || column.physicalType == .int64
      column.encoding = encoding == .delta && !isNumber ? .automatic : encoding
      return column
    }
    let writer = try ParquetWriter(path: path, schema: schema, parameters: parameters)
    writer.metadata = [ParquetPair(key: "sensor", value: "東京")]
    for row in 0..<rows {
      for builder in writer.columns { append(value(builder.column.name, row), to: builder) }
      try writer.endRow()
    }
    try writer.finish()
  }

  /// The first place where a file differs from the formulas; nil if it does not.
  static func difference(_ reader: ParquetReader, rows: Int) throws -> String? {
    guard reader.rowCount == rows else { return "\(reader.rowCount) rows" }
    var first = 0
    for group in reader.rowGroups {
      for column in reader.schema {
        let vector = try reader.read(column.name, rowGroup: group.index)
        guard vector.count == group.rowCount else { return "\(column.name): \(vector.count) rows" }
        for row in 0..<vector.count where vector[row] != value(column.name, first + row) {
          return "\(column.name), row \(first + row): \(vector[row])"
        }
      }
      first += group.rowCount
    }
    return nil
  }
}

/// A folder that goes away with the test.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "parquet-tests-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }
}

/// The programs of others.
enum Others {
  /// Whether there is a python3 with pyarrow and duckdb.
  static let areHere = (try? run(["-c", "import pyarrow, duckdb"]))?.status == 0

  static func script(_ arguments: [String]) throws -> (status: Int32, output: String) {
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures/others.py").path
    return try run([script] + arguments)
  }

  private static func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3"] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
  }
}
