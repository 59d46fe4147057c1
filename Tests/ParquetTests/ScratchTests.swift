import Foundation
import Parquet
import Testing

extension ColumnScratch {
  fileprivate var numbers32: [UInt32] {
    var numbers: [UInt32] = []
    for row in words32.indices { numbers.append(words32[row]) }
    return numbers
  }

  fileprivate var numbers64: [UInt64] {
    var numbers: [UInt64] = []
    for row in words64.indices { numbers.append(words64[row]) }
    return numbers
  }

  fileprivate var numbers128: [UInt128] {
    var numbers: [UInt128] = []
    for row in words128.indices { numbers.append(words128[row]) }
    return numbers
  }

  fileprivate func hasEntry(_ wanted: UInt32) -> Bool {
    for index in dictionary32.indices where dictionary32[index] == wanted { return true }
    return false
  }
}

@Suite struct ScratchTests {
  /// Numbers of different kinds: few, rising, random, constant, and one that changes late.
  static func number(_ kind: Int, _ row: Int) -> UInt64 {
    let mixed = UInt64(row) &* 0x9e37_79b9_7f4a_7c15 ^ UInt64(row) >> 3
    switch kind {
    case 0: return mixed % 7
    case 1: return 1_700_000_000_000 + UInt64(row * 3) + mixed % 5
    case 2: return mixed
    case 3: return 42
    default: return row < 3_000 ? 5 : mixed % 1_000
    }
  }

  private static func fill(
    _ writer: ParquetWriter, _ kind: Int, _ rows: Int, _ order: [UInt32]
  ) {
    let wide = (0..<rows).map { number(kind, rows - 1 - $0) }
    let narrow = wide.map { UInt32(truncatingIfNeeded: $0) }
    writer.columns[kind * 2].append(gathering: narrow.span, order: order.span)
    writer.columns[kind * 2 + 1].append(gathering: wide.span, order: order.span)
  }

  @Test(
    "numbers of every encoding come back in a scratch, whole and page by page",
    arguments: [
      ParquetColumn.Encoding.automatic, .plain, .dictionary, .delta, .streamSplit, .compact,
    ])
  func roundTrip(encoding: ParquetColumn.Encoding) throws {
    let folder = try TemporaryFolder()
    for version in [ParquetWriterParameters.PageVersion.one, .two] {
      var parameters = ParquetWriterParameters()
      parameters.rowsPerGroup = 4_000
      parameters.rowsPerPage = 700
      parameters.pageVersion = version
      parameters.hasChecksums = true
      parameters.splitsWithoutDictionary = true
      let path = folder.file("\(encoding)-\(version).parquet")
      let schema = (0..<5).flatMap { kind in
        [
          ParquetColumn.integer("w\(kind)", bits: 32, encoding: encoding),
          .integer("l\(kind)", bits: 64, isOptional: kind == 1, encoding: encoding),
        ]
      }
      let rows = 9_001
      let writer = try ParquetWriter(path: path, schema: schema, parameters: parameters)
      let order = (0..<UInt32(rows)).map { UInt32(rows) - 1 - $0 }
      for kind in 0..<5 {
        Self.fill(writer, kind, rows, order)
      }
      try writer.endRows(rows)
      try writer.finish()
      let reader = try ParquetReader(path: path)
      let scratch = ColumnScratch()
      var first = 0
      for group in reader.rowGroups {
        for kind in 0..<5 {
          try reader.load(column: kind * 2, rowGroup: group.index, into: scratch)
          #expect(scratch.decodedRows == [0..<group.rowCount])
          let narrowWords = scratch.numbers32
          let narrow = (0..<group.rowCount).allSatisfy {
            narrowWords[$0] == UInt32(truncatingIfNeeded: Self.number(kind, first + $0))
          }
          #expect(narrow, "\(encoding) \(version) \(kind)")
          try reader.load(
            column: kind * 2 + 1, rowGroup: group.index, into: scratch,
            pages: { $0.contains(1_500) || $0.contains(300) })
          var read = 0
          let wideWords = scratch.numbers64
          for range in scratch.decodedRows {
            read += range.count
            let isSame = range.allSatisfy {
              wideWords[$0] == Self.number(kind, first + $0)
            }
            #expect(isSame, "\(encoding) \(version) \(kind) \(range)")
          }
          if group.rowCount == 4_000, version == .two || kind != 1 { #expect(read == 1_400) }
        }
        let pages = try reader.checkPages(rowGroup: group.index)
        #expect(pages.unchecked == 0 && pages.count > 0)
        first += group.rowCount
      }
    }
  }

  @Test("a dictionary without a wanted value leaves its pages compressed")
  func dictionarySkip() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("skip.parquet")
    let writer = try ParquetWriter(
      path: path, schema: [.integer("a", bits: 32, encoding: .dictionary)])
    writer.columns[0].append(contentsOf: (0..<5_000).map { UInt32($0 % 9 * 100) })
    try writer.endRows(5_000)
    try writer.finish()
    let reader = try ParquetReader(path: path)
    let scratch = ColumnScratch()
    func load(_ wanted: UInt32) throws -> Int {
      try reader.load(
        column: 0, rowGroup: 0, into: scratch,
        dictionary: { $0.hasEntry(wanted) })
      return scratch.decodedRows.reduce(0) { $0 + $1.count }
    }
    #expect(try load(300) == 5_000)
    #expect(try load(301) == 0)
  }

  @Test("texts and addresses of 16 octets load, with nulls as zero or the empty text")
  func textsAndAddresses() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("texts.parquet")
    var parameters = ParquetWriterParameters()
    parameters.pageVersion = .two
    let writer = try ParquetWriter(
      path: path,
      schema: [
        .string("numbered"), .string("plain", isOptional: true),
        ParquetColumn("address", .fixedLengthByteArray(16), isOptional: true),
        ParquetColumn("none", .fixedLengthByteArray(16), isOptional: true),
      ], parameters: parameters)
    let rows = 300
    writer.columns[0].append(
      numbered: ["a", "bc", "never"], indices: (0..<UInt32(rows)).map { $0 % 2 })
    for row in 0..<rows {
      writer.columns[1].append(row % 3 == 0 ? nil : "text \(row)")
      if row % 5 == 0 {
        writer.columns[2].appendNull()
      } else {
        writer.columns[2].append(octets: (0..<16).map { UInt8(truncatingIfNeeded: $0 + row) })
      }
    }
    writer.columns[3].appendNulls(rows)
    try writer.endRows(rows)
    try writer.finish()
    let reader = try ParquetReader(path: path)
    let scratch = ColumnScratch()
    try reader.load(column: 0, rowGroup: 0, into: scratch)
    let numbered = scratch.numbers32.map { scratch.texts[Int($0)] }
    #expect(numbered == (0..<rows).map { ["a", "bc"][$0 % 2] })
    #expect(try reader.read("numbered", rowGroup: 0).texts?[1] == "bc")
    try reader.load(column: 1, rowGroup: 0, into: scratch)
    let plain = scratch.numbers32.map { scratch.texts[Int($0)] }
    #expect(plain == (0..<rows).map { $0 % 3 == 0 ? "" : "text \($0)" })
    try reader.load(column: 2, rowGroup: 0, into: scratch)
    #expect(scratch.numbers128[0] == 0)
    #expect(scratch.numbers128[1] == 0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10)
    try reader.load(column: 3, rowGroup: 0, into: scratch)
    #expect(scratch.numbers128 == [UInt128](repeating: 0, count: rows))
  }
}
