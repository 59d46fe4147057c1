/// Gathers the pages of one column chunk. Everything that it is given comes from the file and is
/// checked.
struct ChunkDecoder {
  let column: ParquetColumn
  let limits: ParquetReaderLimits
  /// Rows that are still to come.
  private(set) var missing: Int
  private let totalRows: Int
  private var rowsDone: Int { totalRows - missing }

  private var words32: [UInt32] = []
  private var words64: [UInt64] = []
  private var flags: [Bool] = []
  private var strings = OctetStrings(octets: [], starts: [], lengths: [])
  private var validity: [Bool] = []
  private var hasNull = false
  private var dictionary: Dictionary?

  private enum Dictionary {
    case words32([UInt32])
    case words64([UInt64])
    case strings(starts: [UInt32], lengths: [UInt32])

    var count: Int {
      switch self {
      case .words32(let words): words.count
      case .words64(let words): words.count
      case .strings(let starts, _): starts.count
      }
    }
  }

  init(column: ParquetColumn, rows: Int, limits: ParquetReaderLimits) {
    self.column = column
    self.limits = limits
    missing = rows
    totalRows = rows
  }

  private var isWide: Bool { column.physicalType == .int64 || column.physicalType == .double }

  mutating func addDictionary(
    _ bytes: RawSpan, count: Int, encoding: Int32, offset: UInt64
  ) throws(ParquetError) {
    guard encoding == 0 || encoding == 2 else {
      throw .damaged(offset: offset, expected: "a dictionary of encoding PLAIN, not \(encoding)")
    }
    guard dictionary == nil else {
      throw .damaged(offset: offset, expected: "one dictionary in a column chunk")
    }
    var cursor = OctetCursor(bytes, start: offset)
    switch column.physicalType {
    case .boolean: throw cursor.damaged("no dictionary of booleans")
    case .int32, .float: dictionary = .words32(try Self.words(&cursor, count))
    case .int64, .double: dictionary = .words64(try Self.words(&cursor, count))
    case .byteArray, .fixedLengthByteArray:
      // The dictionary's strings come first in the block and are shared by all rows.
      try appendPlainStrings(&cursor, count)
      dictionary = .strings(starts: strings.starts, lengths: strings.lengths)
      strings.starts = []
      strings.lengths = []
    }
  }

  private static func words<Word: BitwiseCopyable>(
    _ cursor: inout OctetCursor, _ count: Int
  ) throws(ParquetError) -> [Word] {
    // `count` is at most 2^31 (an Int32 of the header), so the product stays in range.
    let range = try cursor.range(count * MemoryLayout<Word>.size, "PLAIN values")
    return cursor.bytes.words(at: range.lowerBound, count: count)
  }

  /// One data page: definition levels (nil: all rows have values) and the values' octets.
  mutating func addPage(
    levels: [UInt32]?, rows: Int, _ bytes: RawSpan, encoding: Int32, offset: UInt64
  ) throws(ParquetError) {
    guard rows <= missing else {
      throw .damaged(offset: offset, expected: "at most \(missing) rows more in the row group")
    }
    let count = levels.map { $0.reduce(0) { $0 + Int($1) } } ?? rows
    var cursor = OctetCursor(bytes, start: offset)
    switch encoding {
    case 0: try appendPlain(&cursor, count)
    case 2, 8: try appendIndexed(&cursor, count, offset)
    case 3: try appendFlagRuns(&cursor, count, offset)
    case 5:
      switch column.physicalType {
      case .int32:
        words32 += try DeltaEncoding.decode(&cursor, count: count, as: UInt32.self)
      case .int64:
        words64 += try DeltaEncoding.decode(&cursor, count: count, as: UInt64.self)
      default: throw cursor.damaged("an integer column for DELTA_BINARY_PACKED")
      }
    case 6: try appendDeltaLengths(&cursor, count)
    case 7: try appendDeltaStrings(&cursor, count)
    case 9: try appendStreamSplit(&cursor, count)
    default: throw .unsupported("encoding \(encoding) in column \(column.name)")
    }
    if count < rows || hasNull { spread(levels, rows: rows, values: count) }
    missing -= rows
  }

  // MARK: Encodings

  private mutating func appendPlain(
    _ cursor: inout OctetCursor, _ count: Int
  ) throws(ParquetError) {
    switch column.physicalType {
    case .int32, .float: words32 += try Self.words(&cursor, count) as [UInt32]
    case .int64, .double: words64 += try Self.words(&cursor, count) as [UInt64]
    case .boolean:
      let range = try cursor.range((count + 7) / 8, "booleans")
      for index in 0..<count {
        flags.append(cursor.bytes.bits(at: range.lowerBound * 8 + index, width: 1) == 1)
      }
    case .byteArray, .fixedLengthByteArray: try appendPlainStrings(&cursor, count)
    }
  }

  private mutating func appendString(
    _ cursor: inout OctetCursor, length: Int
  ) throws(ParquetError) {
    let range = try cursor.range(length, "a string")
    try checkBlock(adding: length, cursor.start)
    strings.starts.append(UInt32(strings.octets.count))
    strings.lengths.append(UInt32(length))
    strings.octets += cursor.bytes.octets(range)
  }

  private func checkBlock(adding length: Int, _ offset: UInt64) throws(ParquetError) {
    let limit = min(limits.octetsPerColumn, Int(UInt32.max))
    guard strings.octets.count + length <= limit else {
      throw .tooLarge(
        offset: offset, what: "the strings of column \(column.name)",
        size: UInt64(strings.octets.count + length), limit: UInt64(limit))
    }
  }

  private mutating func appendPlainStrings(
    _ cursor: inout OctetCursor, _ count: Int
  ) throws(ParquetError) {
    if case .fixedLengthByteArray(let length) = column.physicalType {
      guard count <= cursor.left / length else {
        throw cursor.damaged("\(count) values of \(length) octets")
      }
      for _ in 0..<count { try appendString(&cursor, length: length) }
    } else {
      for _ in 0..<count {
        try appendString(&cursor, length: Int(try cursor.word(octets: 4)))
      }
    }
  }

  private mutating func appendIndexed(
    _ cursor: inout OctetCursor, _ count: Int, _ offset: UInt64
  ) throws(ParquetError) {
    guard let dictionary else { throw cursor.damaged("a dictionary before its indices") }
    // A page of nulls alone may have no octets at all.
    guard count > 0 else { return }
    let width = Int(try cursor.word(octets: 1))
    guard width <= 32 else { throw cursor.damaged("indices of at most 32 bits") }
    guard dictionary.count > 0 else { throw cursor.damaged("a dictionary that is not empty") }
    let range = try cursor.range(cursor.left, "indices")
    let indices = try HybridEncoding.decode(
      cursor.bytes.extracting(range), width: width, count: count,
      maximum: UInt32(truncatingIfNeeded: dictionary.count - 1), offset: offset)
    // `decode` has checked every index against the dictionary.
    switch dictionary {
    case .words32(let words):
      words32.reserveCapacity(words32.count + count)
      for index in indices { words32.append(words[Int(index)]) }
    case .words64(let words):
      words64.reserveCapacity(words64.count + count)
      for index in indices { words64.append(words[Int(index)]) }
    case .strings(let starts, let lengths):
      for index in indices {
        strings.starts.append(starts[Int(index)])
        strings.lengths.append(lengths[Int(index)])
      }
    }
  }

  /// RLE as values: booleans of version 2 pages.
  private mutating func appendFlagRuns(
    _ cursor: inout OctetCursor, _ count: Int, _ offset: UInt64
  ) throws(ParquetError) {
    guard column.physicalType == .boolean else {
      throw cursor.damaged("a boolean column for RLE")
    }
    guard count > 0 else { return }
    let range = try cursor.range(Int(try cursor.word(octets: 4)), "runs")
    let values = try HybridEncoding.decode(
      cursor.bytes.extracting(range), width: 1, count: count, maximum: 1, offset: offset)
    for value in values { flags.append(value == 1) }
  }

  private var isString: Bool {
    switch column.physicalType {
    case .byteArray, .fixedLengthByteArray: true
    default: false
    }
  }

  private func checkFixed(_ length: Int, _ cursor: borrowing OctetCursor) throws(ParquetError) {
    if case .fixedLengthByteArray(let fixed) = column.physicalType, fixed != length {
      throw cursor.damaged("values of \(fixed) octets")
    }
  }

  private mutating func appendDeltaLengths(
    _ cursor: inout OctetCursor, _ count: Int
  ) throws(ParquetError) {
    guard column.physicalType == .byteArray else {
      throw cursor.damaged("a BYTE_ARRAY column for DELTA_LENGTH_BYTE_ARRAY")
    }
    let lengths = try DeltaEncoding.decode(&cursor, count: count, as: UInt32.self)
    for length in lengths { try appendString(&cursor, length: Int(length)) }
  }

  private mutating func appendDeltaStrings(
    _ cursor: inout OctetCursor, _ count: Int
  ) throws(ParquetError) {
    guard isString else { throw cursor.damaged("octet strings for DELTA_BYTE_ARRAY") }
    let prefixes = try DeltaEncoding.decode(&cursor, count: count, as: UInt32.self)
    let suffixes = try DeltaEncoding.decode(&cursor, count: count, as: UInt32.self)
    var previous = 0..<0
    for (prefix, suffix) in zip(prefixes, suffixes) {
      guard Int(prefix) <= previous.count else {
        throw cursor.damaged("a prefix no longer than the string before")
      }
      let range = try cursor.range(Int(suffix), "a suffix")
      let length = Int(prefix) + Int(suffix)
      try checkFixed(length, cursor)
      try checkBlock(adding: length, cursor.start)
      let start = strings.octets.count
      strings.octets += strings.octets[previous.prefix(Int(prefix))]
      strings.octets += cursor.bytes.octets(range)
      strings.starts.append(UInt32(start))
      strings.lengths.append(UInt32(length))
      previous = start..<start + length
    }
  }

  /// BYTE_STREAM_SPLIT: the first octets of all values, then the second ones.
  private mutating func appendStreamSplit(
    _ cursor: inout OctetCursor, _ count: Int
  ) throws(ParquetError) {
    let width = column.physicalType.width
    guard width == 4 || width == 8, !isString else {
      throw .unsupported("BYTE_STREAM_SPLIT of \(column.physicalType) in column \(column.name)")
    }
    let range = try cursor.range(count * width, "split values")
    for index in 0..<count {
      var word: UInt64 = 0
      for octet in 0..<width {
        let place = range.lowerBound + octet * count + index
        word |= cursor.bytes.bits(at: place * 8, width: 8) << UInt64(8 * octet)
      }
      if width == 4 {
        words32.append(UInt32(truncatingIfNeeded: word))
      } else {
        words64.append(word)
      }
    }
  }

  // MARK: Nulls

  /// Moves the page's values to their rows.
  private mutating func spread(_ levels: [UInt32]?, rows: Int, values: Int) {
    if !hasNull {
      hasNull = true
      // All rows of earlier pages had values.
      validity = [Bool](repeating: true, count: rowsDone)
    }
    if let levels {
      for level in levels { validity.append(level == 1) }
    } else {
      validity.append(contentsOf: repeatElement(true, count: rows))
    }
    guard let levels, values < rows else { return }
    switch column.physicalType {
    case .boolean: Self.spread(&flags, false, levels, values)
    case .int32, .float: Self.spread(&words32, 0, levels, values)
    case .int64, .double: Self.spread(&words64, 0, levels, values)
    case .byteArray, .fixedLengthByteArray:
      Self.spread(&strings.starts, 0, levels, values)
      Self.spread(&strings.lengths, 0, levels, values)
    }
  }

  private static func spread<Word>(
    _ words: inout [Word], _ filler: Word, _ levels: [UInt32], _ values: Int
  ) {
    var source = words.count
    words.append(contentsOf: repeatElement(filler, count: levels.count - values))
    var target = words.count
    for level in levels.reversed() {
      target -= 1
      if level == 1 {
        source -= 1
        words[target] = words[source]
      } else {
        words[target] = filler
      }
    }
  }

  // MARK: Result

  func vector() -> ColumnVector {
    let storage: ColumnVector.Storage
    switch column.physicalType {
    case .boolean: storage = .booleans(flags)
    case .int32:
      storage = column.isUnsigned ? .uint32(words32) : .int32(words32.bitCast(to: Int32.self))
    case .int64:
      storage = column.isUnsigned ? .uint64(words64) : .int64(words64.bitCast(to: Int64.self))
    case .float: storage = .floats(words32.bitCast(to: Float.self))
    case .double: storage = .doubles(words64.bitCast(to: Double.self))
    case .byteArray, .fixedLengthByteArray: storage = .octets(strings)
    }
    return ColumnVector(column: column, storage: storage, validity: hasNull ? validity : nil)
  }
}
