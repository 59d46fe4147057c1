/// The structs of parquet.thrift, with the fields that are used here.

/// The least and greatest value of a column in a row group, and how many rows lack one.
struct RawStatistics: Hashable, Sendable {
  var minimum: [UInt8]?
  var maximum: [UInt8]?
  var nullCount: Int64?

  func write(_ field: Int16, to writer: inout ThriftWriter) {
    writer.structure(field) { writer in
      if let nullCount { writer.int64(3, nullCount) }
      if let maximum { writer.binary(5, maximum) }
      if let minimum { writer.binary(6, minimum) }
    }
  }

  init(minimum: [UInt8]? = nil, maximum: [UInt8]? = nil, nullCount: Int64? = nil) {
    self.minimum = minimum
    self.maximum = maximum
    self.nullCount = nullCount
  }

  init(_ reader: inout ThriftReader) throws(ParquetError) {
    var read = Self()
    try reader.structure { reader, field, type throws(ParquetError) in
      switch field {
      case 3: read.nullCount = try reader.integer(type)
      case 5: read.maximum = try reader.binary(type)
      case 6: read.minimum = try reader.binary(type)
      default: try reader.skip(type)
      }
    }
    self = read
  }
}

/// `ColumnMetaData`.
struct ColumnChunk: Hashable, Sendable {
  var physicalCode: Int32 = -1
  var encodings: [Int32] = []
  var path: [String] = []
  var codec: Int32 = 0
  var valueCount: Int64 = 0
  var uncompressedSize: Int64 = 0
  var compressedSize: Int64 = 0
  var dataOffset: Int64 = 0
  var dictionaryOffset: Int64?
  var statistics: RawStatistics?

  init() {}

  func write(to writer: inout ThriftWriter) {
    writer.structure { writer in
      // `file_offset` is deprecated and must be written as 0.
      writer.int64(2, 0)
      writer.structure(3) { writer in
        writer.int32(1, physicalCode)
        writer.list(2, of: .int32, count: encodings.count)
        for encoding in encodings { writer.element(encoding) }
        writer.list(3, of: .binary, count: path.count)
        for part in path { writer.element(Array(part.utf8)) }
        writer.int32(4, codec)
        writer.int64(5, valueCount)
        writer.int64(6, uncompressedSize)
        writer.int64(7, compressedSize)
        writer.int64(9, dataOffset)
        if let dictionaryOffset { writer.int64(11, dictionaryOffset) }
        statistics?.write(12, to: &writer)
      }
    }
  }

  init(_ reader: inout ThriftReader) throws(ParquetError) {
    var read = Self()
    var isElsewhere = false
    try reader.structure { reader, field, type throws(ParquetError) in
      switch field {
      case 1:
        isElsewhere = true
        try reader.skip(type)
      case 3:
        try reader.structure { reader, field, type throws(ParquetError) in
          switch field {
          case 1: read.physicalCode = try reader.int32(type)
          case 3:
            let (element, count) = try reader.list(type)
            for _ in 0..<count { read.path.append(try reader.text(element)) }
          case 4: read.codec = try reader.int32(type)
          case 5: read.valueCount = try reader.integer(type)
          case 6: read.uncompressedSize = try reader.integer(type)
          case 7: read.compressedSize = try reader.integer(type)
          case 9: read.dataOffset = try reader.integer(type)
          case 11: read.dictionaryOffset = try reader.integer(type)
          case 12: read.statistics = try RawStatistics(&reader)
          default: try reader.skip(type)
          }
        }
      default: try reader.skip(type)
      }
    }
    if isElsewhere { throw .unsupported("columns in another file") }
    guard read.physicalCode >= 0, !read.path.isEmpty else {
      throw reader.damaged("a column chunk with a type and a path")
    }
    self = read
  }
}

/// `RowGroup`.
struct RowGroupMetadata: Hashable, Sendable {
  var chunks: [ColumnChunk] = []
  var rowCount: Int64 = 0

  init(chunks: [ColumnChunk], rowCount: Int64) {
    self.chunks = chunks
    self.rowCount = rowCount
  }

  func write(to writer: inout ThriftWriter, ordinal: Int) {
    writer.structure { writer in
      writer.list(1, of: .structure, count: chunks.count)
      for chunk in chunks { chunk.write(to: &writer) }
      writer.int64(2, chunks.reduce(0) { $0 + $1.uncompressedSize })
      writer.int64(3, rowCount)
      if let first = chunks.first { writer.int64(5, first.dictionaryOffset ?? first.dataOffset) }
      writer.int64(6, chunks.reduce(0) { $0 + $1.compressedSize })
    }
  }

  init(_ reader: inout ThriftReader) throws(ParquetError) {
    var chunks: [ColumnChunk] = []
    var rowCount: Int64 = -1
    try reader.structure { reader, field, type throws(ParquetError) in
      switch field {
      case 1:
        let (_, count) = try reader.list(type)
        for _ in 0..<count { chunks.append(try ColumnChunk(&reader)) }
      case 3: rowCount = try reader.integer(type)
      default: try reader.skip(type)
      }
    }
    guard rowCount >= 0 else { throw reader.damaged("a row group with a number of rows") }
    self.init(chunks: chunks, rowCount: rowCount)
  }
}

/// `FileMetaData`, the footer.
struct FileMetadata: Hashable, Sendable {
  var elements: [SchemaElement] = []
  var rowCount: Int64 = 0
  var rowGroups: [RowGroupMetadata] = []
  var pairs: [ParquetPair] = []
  var createdBy = ""
  /// Of each leaf, whether its statistics are in the order of its type.
  var hasTypeOrder: [Bool] = []

  init() {}

  func write(to writer: inout ThriftWriter) {
    writer.structure { writer in
      writer.int32(1, 2)
      writer.list(2, of: .structure, count: elements.count)
      for element in elements { element.write(to: &writer) }
      writer.int64(3, rowCount)
      writer.list(4, of: .structure, count: rowGroups.count)
      for (ordinal, group) in rowGroups.enumerated() { group.write(to: &writer, ordinal: ordinal) }
      if !pairs.isEmpty {
        writer.list(5, of: .structure, count: pairs.count)
        for pair in pairs {
          writer.structure { writer in
            writer.text(1, pair.key)
            writer.text(2, pair.value)
          }
        }
      }
      writer.text(6, createdBy)
      // TYPE_ORDER for each column: signed, unsigned or by octets, as its type says.
      writer.list(7, of: .structure, count: hasTypeOrder.count)
      for _ in hasTypeOrder {
        writer.structure { writer in writer.structure(1) { _ in } }
      }
    }
  }

  /// What comes after the row groups: the footer, its length, and the file's last four octets.
  func tail() -> OctetSink {
    var writer = ThriftWriter()
    write(to: &writer)
    var sink = OctetSink()
    sink.append(writer.sink)
    sink.append(word: UInt32(truncatingIfNeeded: writer.sink.count))
    sink.append("PAR1")
    return sink
  }

  init(_ reader: inout ThriftReader) throws(ParquetError) {
    var read = Self()
    try reader.structure { reader, field, type throws(ParquetError) in
      switch field {
      case 2:
        let (_, count) = try reader.list(type)
        for _ in 0..<count { read.elements.append(try SchemaElement(&reader)) }
      case 3: read.rowCount = try reader.integer(type)
      case 4:
        let (_, count) = try reader.list(type)
        for _ in 0..<count { read.rowGroups.append(try RowGroupMetadata(&reader)) }
      case 5:
        let (_, count) = try reader.list(type)
        for _ in 0..<count {
          var pair = ParquetPair(key: "", value: "")
          try reader.structure { reader, field, type throws(ParquetError) in
            switch field {
            case 1: pair.key = try reader.text(type)
            case 2: pair.value = try reader.text(type)
            default: try reader.skip(type)
            }
          }
          read.pairs.append(pair)
        }
      case 6: read.createdBy = try reader.text(type)
      case 7:
        let (_, count) = try reader.list(type)
        for _ in 0..<count {
          var isTypeOrder = false
          try reader.structure { reader, field, type throws(ParquetError) in
            isTypeOrder = field == 1
            try reader.skip(type)
          }
          read.hasTypeOrder.append(isTypeOrder)
        }
      default: try reader.skip(type)
      }
    }
    self = read
  }
}

/// A note in a file's footer.
public struct ParquetPair: Hashable, Sendable {
  public var key: String
  public var value: String

  /// A note under a key that should be unique in the file.
  public init(key: String, value: String) {
    self.key = key
    self.value = value
  }
}

/// `PageHeader`, with the header of its kind.
struct PageHeader: Hashable, Sendable {
  enum Kind: Int32 {
    case data = 0
    case index = 1
    case dictionary = 2
    case data2 = 3
  }

  var kind = Kind.data
  var uncompressedSize: Int32 = 0
  var compressedSize: Int32 = 0
  var valueCount: Int32 = 0
  var encoding: Int32 = 0
  /// Of version 1.
  var levelEncoding: Int32 = 3
  /// Of version 2.
  var nullCount: Int32 = 0
  var levelsLength: Int32 = 0
  var repetitionLength: Int32 = 0
  var isCompressed = true
  /// CRC-32 of the page as it is stored.
  var checksum: UInt32?

  init() {}

  func write(to writer: inout ThriftWriter) {
    writer.structure { writer in
      writer.int32(1, kind.rawValue)
      writer.int32(2, uncompressedSize)
      writer.int32(3, compressedSize)
      if let checksum { writer.int32(4, Int32(bitPattern: checksum)) }
      switch kind {
      case .data:
        writer.structure(5) { writer in
          writer.int32(1, valueCount)
          writer.int32(2, encoding)
          writer.int32(3, levelEncoding)
          writer.int32(4, levelEncoding)
        }
      case .index: break
      case .dictionary:
        writer.structure(7) { writer in
          writer.int32(1, valueCount)
          writer.int32(2, encoding)
        }
      case .data2:
        writer.structure(8) { writer in
          writer.int32(1, valueCount)
          writer.int32(2, nullCount)
          writer.int32(3, valueCount)
          writer.int32(4, encoding)
          writer.int32(5, levelsLength)
          writer.int32(6, repetitionLength)
          writer.boolean(7, isCompressed)
        }
      }
    }
  }

  init(_ reader: inout ThriftReader) throws(ParquetError) {
    var read = Self()
    var hasKind = false
    var sub: Int16 = 0
    try reader.structure { reader, field, type throws(ParquetError) in
      switch field {
      case 1:
        guard let kind = Kind(rawValue: try reader.int32(type)) else {
          throw reader.damaged("a page type of 0 to 3")
        }
        read.kind = kind
        hasKind = true
      case 2: read.uncompressedSize = try reader.int32(type)
      case 3: read.compressedSize = try reader.int32(type)
      case 4: read.checksum = UInt32(bitPattern: try reader.int32(type))
      case 5, 7, 8:
        sub = field
        try reader.structure { reader, inner, type throws(ParquetError) in
          switch (field, inner) {
          case (_, 1): read.valueCount = try reader.int32(type)
          case (8, 2): read.nullCount = try reader.int32(type)
          case (8, 4), (5, 2), (7, 2): read.encoding = try reader.int32(type)
          case (5, 3): read.levelEncoding = try reader.int32(type)
          case (8, 5): read.levelsLength = try reader.int32(type)
          case (8, 6): read.repetitionLength = try reader.int32(type)
          case (8, 7): read.isCompressed = try reader.boolean(type)
          default: try reader.skip(type)
          }
        }
      default: try reader.skip(type)
      }
    }
    let expected: Int16 =
      switch read.kind {
      case .data: 5
      case .index: 0
      case .dictionary: 7
      case .data2: 8
      }
    guard hasKind, sub == expected || read.kind == .index, read.uncompressedSize >= 0,
      read.compressedSize >= 0, read.valueCount >= 0, read.nullCount >= 0, read.levelsLength >= 0,
      read.repetitionLength >= 0
    else { throw reader.damaged("a page header with its kind's own header and no negative sizes") }
    self = read
  }
}
