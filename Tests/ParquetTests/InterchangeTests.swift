import Foundation
import Parquet
import Testing

@Suite(.enabled(if: Others.areHere, "needs python3 with pyarrow and duckdb"))
struct InterchangeTests {
  @Test("pyarrow and DuckDB read every type as it was written, in every encoding")
  func readByOthers() throws {
    let folder = try TemporaryFolder()
    var files: [String] = []
    for version in [ParquetWriterParameters.PageVersion.one, .two] {
      for encoding in [ParquetColumn.Encoding.automatic, .plain, .dictionary, .delta] {
        var parameters = ParquetWriterParameters()
        parameters.pageVersion = version
        parameters.rowsPerGroup = 400
        parameters.rowsPerPage = 150
        parameters.compression = encoding == .plain ? .none : .zstd(3)
        let path = folder.file("\(version)-\(encoding).parquet")
        try Specimen.write(path, rows: 1_003, parameters: parameters, encoding: encoding)
        files += [path, "1003"]
      }
    }
    let result = try Others.script(["read"] + files)
    #expect(result.status == 0, "\(result.output)")
  }

  @Test("pyarrow and DuckDB read files of no row, one row, and one large row group")
  func sizes() throws {
    let folder = try TemporaryFolder()
    var files: [String] = []
    for rows in [0, 1, 9, 70_000] {
      let path = folder.file("\(rows).parquet")
      try Specimen.write(path, rows: rows)
      files += [path, "\(rows)"]
    }
    let result = try Others.script(["read"] + files)
    #expect(result.status == 0, "\(result.output)")
  }

  @Test("files that pyarrow and DuckDB write are read, in every layout", arguments: [1, 777])
  func writtenByOthers(rows: Int) throws {
    let folder = try TemporaryFolder()
    let result = try Others.script(["write", folder.path, "\(rows)"])
    try #require(result.status == 0, "\(result.output)")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    #expect(names.count == 13)
    for name in names where name != "nested.parquet" {
      let reader = try ParquetReader(path: folder.file(name))
      let expected = Set(Specimen.schema.map(\.name))
      #expect(Set(reader.schema.map(\.name)).isSubset(of: expected))
      #expect(reader.schema.count == expected.count, "\(name): \(reader.unreadColumns)")
      #expect(try Specimen.difference(reader, rows: rows) == nil, "\(name)")
      for group in reader.rowGroups where rows > 20 {
        #expect(group.statistics("i64")?.minimum != nil, "\(name)")
        let before: ClosedRange<Int64> = 0...1_699_999_999_999_999_999
        #expect(group.statistics("nanos")?.mayContain(before) == false, "\(name)")
      }
    }
    let nested = try ParquetReader(path: folder.file("nested.parquet"))
    #expect(nested.unreadColumns == ["nested", "pair"])
    #expect(try nested.read("before", rowGroup: 0).integers == [1, 2])
    #expect(try nested.read("after", rowGroup: 0).integers == [8, 9])
  }

  @Test("DuckDB skips a row group by our statistics")
  func pruning() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("pruned.parquet")
    var parameters = ParquetWriterParameters()
    parameters.rowsPerGroup = 1_000
    let writer = try ParquetWriter(
      path: path, schema: [.integer("value", bits: 32)], parameters: parameters)
    writer.columns[0].append(contentsOf: (0..<2_000).map { UInt32($0) })
    try writer.endRows(2_000)
    try writer.finish()
    // The first row group's pages become nonsense, so that only a reader that skips it succeeds.
    var octets = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    for index in 4..<40 { octets[index] = 0xff }
    try Data(octets).write(to: URL(fileURLWithPath: path))
    let result = try Others.script(["prune", path])
    #expect(result.status == 0, "\(result.output)")
  }
}
