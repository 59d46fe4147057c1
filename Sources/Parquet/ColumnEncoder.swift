/// Turns the first rows of a column into the pages of a chunk.
struct ColumnEncoder: ~Copyable {
  let parameters: ParquetWriterParameters
  private let compressor: ZstandardCompressor?
  /// The chunk's pages with their headers.
  private(set) var output = OctetSink()
  // Reached by ColumnEncoder+Gathering.swift, as is what else is not private.
  var body = OctetSink()
  private var levels = OctetSink()
  private var joined = OctetSink()
  private var compressed = OctetSink()
  private var uncompressedSize = 0

  init(parameters: ParquetWriterParameters, compressor: ZstandardCompressor?) {
    self.parameters = parameters
    self.compressor = compressor
  }

  /// The encodings of a chunk's values, with the numbers of parquet.thrift (`Encoding`).
  enum ValueEncoding: Int32 {
    case plain = 0
    case delta = 5
    case dictionary = 8
    case streamSplit = 9

    /// 3 is RLE, of the definition levels; a dictionary itself is PLAIN.
    var codes: [Int32] {
      switch self {
      case .plain: [0, 3]
      case .delta: [5, 3]
      case .dictionary: [0, 3, 8]
      case .streamSplit: [9, 3]
      }
    }
  }

  /// A page: some rows and those of the column's values that belong to them.
  struct Page {
    var rows: Range<Int>
    var values: Range<Int>
  }

  /// Fills `output`; the offsets of the result are relative to its beginning.
  mutating func encode(_ builder: ColumnBuilder, rows: Int) throws(ParquetError) -> ColumnChunk {
    let column = builder.column
    let count = builder.valueCount(rows: rows)
    var chunk = begin(column, rows: rows)
    var statistics: RawStatistics
    let encoding: ValueEncoding
    switch column.physicalType {
    case .int32, .float:
      let stored = builder.words32
      let words = stored.span.extracting(0..<count)
      encoding = try write(words, of: builder, rows: rows, into: &chunk)
      statistics =
        column.physicalType == .float
        ? .floats(words) : .numbers(words, isUnsigned: column.isUnsigned)
    case .int64, .double:
      let stored = builder.words64
      let words = stored.span.extracting(0..<count)
      encoding = try write(words, of: builder, rows: rows, into: &chunk)
      statistics =
        column.physicalType == .double
        ? .doubles(words) : .numbers(words, isUnsigned: column.isUnsigned)
    case .boolean:
      let stored = builder.flags
      let flags = stored.span.extracting(0..<count)
      for page in pages(of: builder, rows: rows, rowsPerPage: parameters.rowsPerPage) {
        body.removeAll()
        body.append(packed: flags.extracting(page.values), width: 1)
        try finish(page, of: builder, .plain)
      }
      encoding = .plain
      statistics = .flags(flags)
    case .byteArray where !builder.prepared.isEmpty:
      (encoding, statistics) = try writePrepared(builder, rows: rows, into: &chunk)
    case .byteArray, .fixedLengthByteArray:
      let (octets, stored) = (builder.octets, builder.ends)
      let ends = stored.span.extracting(0..<count)
      encoding = try write(octets.span, ends: ends, of: builder, rows: rows, into: &chunk)
      statistics = .octets(octets.span, ends: ends)
    }
    statistics.nullCount = Int64(rows - count)
    return end(chunk, encoding, statistics)
  }

  mutating func begin(_ column: ParquetColumn, rows: Int) -> ColumnChunk {
    output.removeAll()
    uncompressedSize = 0
    var chunk = ColumnChunk()
    chunk.physicalCode = column.physicalType.code
    chunk.path = [column.name]
    if compressor != nil { chunk.codec = 6 }
    chunk.valueCount = Int64(rows)
    return chunk
  }

  func end(
    _ begun: ColumnChunk, _ encoding: ValueEncoding, _ statistics: RawStatistics
  ) -> ColumnChunk {
    var chunk = begun
    chunk.statistics = statistics
    chunk.encodings = encoding.codes
    chunk.compressedSize = Int64(output.count)
    chunk.uncompressedSize = Int64(uncompressedSize)
    return chunk
  }

  // MARK: Values

  private mutating func write<Word: FixedWidthInteger & SignedInteger & BitwiseCopyable>(
    _ words: Span<Word>, of builder: ColumnBuilder, rows: Int, into chunk: inout ColumnChunk
  ) throws(ParquetError) -> ValueEncoding where Word.Magnitude: BitwiseCopyable {
    let column = builder.column
    let isNumber = column.physicalType == .int32 || column.physicalType == .int64
    var dictionary: NumberDictionary<Word>?
    var encoding = ValueEncoding.plain
    var size = words.count * MemoryLayout<Word>.size
    if isNumber, column.encoding != .plain, column.encoding != .delta,
      let constant = NumberDictionary<Word>(constant: words)
    {
      return try write(constant, of: builder, rows: rows, into: &chunk)
    }
    if column.encoding == .delta
      || (column.encoding == .automatic || column.encoding == .compact) && isNumber
    {
      let deltas = DeltaEncoding.estimatedSize(words)
      if column.encoding == .delta || deltas < size / 10 * 9 {
        encoding = .delta
        size = deltas
      }
    }
    if column.encoding == .streamSplit {
      encoding = .streamSplit
    } else if column.encoding == .compact, isNumber {
      let split = StreamSplitEncoding.estimatedSize(words)
      // A split page costs less to write and to read than deltas do.
      if split < size / 20 * 21 {
        encoding = .streamSplit
        size = split
      }
    }
    if column.encoding == .dictionary || column.encoding == .automatic
      || column.encoding == .compact
    {
      dictionary = NumberDictionary(
        words, isWanted: column.encoding == .dictionary,
        isChoosy: column.encoding == .compact)
      if let built = dictionary {
        let width = Self.indexWidth(built.values.count)
        let bits = words.count * width + built.values.count * Word.bitWidth
        // Indices repeat and compress better than deltas do: a dictionary may be a little larger.
        if column.encoding == .dictionary || bits / 8 < size / 8 * 9 {
          encoding = .dictionary
        } else {
          dictionary = nil
        }
      } else if column.encoding == .dictionary, isNumber, prefersSplit {
        encoding = .streamSplit
      }
    }
    if let dictionary { return try write(dictionary, of: builder, rows: rows, into: &chunk) }
    chunk.dataOffset = Int64(output.count)
    for page in pages(of: builder, rows: rows, rowsPerPage: parameters.rowsPerPage) {
      body.removeAll()
      switch encoding {
      case .delta: DeltaEncoding.encode(words.extracting(page.values), into: &body)
      case .streamSplit: body.append(split: words.extracting(page.values))
      case .plain, .dictionary: body.append(words.extracting(page.values).bytes)
      }
      try finish(page, of: builder, encoding)
    }
    return encoding
  }

  private mutating func write<Word: FixedWidthInteger & SignedInteger & BitwiseCopyable>(
    _ dictionary: NumberDictionary<Word>, of builder: ColumnBuilder, rows: Int,
    into chunk: inout ColumnChunk
  ) throws(ParquetError) -> ValueEncoding {
    body.removeAll()
    body.append(dictionary.values.span.bytes)
    try finishDictionary(count: dictionary.values.count, &chunk)
    try write(
      indices: dictionary.indices.span, of: dictionary.values.count, builder, rows, &chunk)
    return .dictionary
  }

  /// Whether a column without room for a dictionary is split rather than PLAIN.
  private var prefersSplit: Bool { parameters.splitsWithoutDictionary }

  private mutating func write(
    _ octets: Span<UInt8>, ends: Span<Int>, of builder: ColumnBuilder, rows: Int,
    into chunk: inout ColumnChunk
  ) throws(ParquetError) -> ValueEncoding {
    let column = builder.column
    let isFixed = column.physicalType != .byteArray
    if column.encoding != .plain,
      let dictionary = OctetDictionary(
        octets, ends: ends, isWanted: column.encoding == .dictionary)
    {
      body.removeAll()
      appendPlain(
        dictionary.octets.span, ends: dictionary.ends.span, range: dictionary.ends.indices,
        isFixed: isFixed)
      try finishDictionary(count: dictionary.ends.count, &chunk)
      try write(indices: dictionary.indices.span, of: dictionary.ends.count, builder, rows, &chunk)
      return .dictionary
    }
    chunk.dataOffset = Int64(output.count)
    let length = ends.isEmpty ? 0 : ends[ends.count - 1]
    let average = max(1, length / max(1, rows))
    let rowsPerPage = min(parameters.rowsPerPage, max(1, parameters.octetsPerPage / average))
    for page in pages(of: builder, rows: rows, rowsPerPage: rowsPerPage) {
      body.removeAll()
      appendPlain(octets, ends: ends, range: page.values, isFixed: isFixed)
      try finish(page, of: builder, .plain)
    }
    return .plain
  }

  /// A column whose dictionary the caller made.
  private mutating func writePrepared(
    _ builder: ColumnBuilder, rows: Int, into chunk: inout ColumnChunk
  ) throws(ParquetError) -> (ValueEncoding, RawStatistics) {
    body.removeAll()
    var octets: [UInt8] = []
    var ends: [Int] = []
    for text in builder.prepared {
      octets += text.utf8
      ends.append(octets.count)
    }
    appendPlain(octets.span, ends: ends.span, range: ends.indices, isFixed: false)
    try finishDictionary(count: ends.count, &chunk)
    let codes = builder.codes
    try write(indices: codes.span, of: ends.count, builder, rows, &chunk)
    return (.dictionary, .octets(octets.span, ends: ends.span))
  }

  private mutating func appendPlain(
    _ octets: Span<UInt8>, ends: Span<Int>, range: Range<Int>, isFixed: Bool
  ) {
    for index in range {
      let start = index == 0 ? 0 : ends[index - 1]
      if !isFixed { body.append(word: UInt32(truncatingIfNeeded: ends[index] - start)) }
      body.append(octets.extracting(start..<ends[index]).bytes)
    }
  }

  private mutating func write(
    indices: Span<UInt32>, of distinct: Int, _ builder: ColumnBuilder, _ rows: Int,
    _ chunk: inout ColumnChunk
  ) throws(ParquetError) {
    chunk.dataOffset = Int64(output.count)
    let width = Self.indexWidth(distinct)
    for page in pages(of: builder, rows: rows, rowsPerPage: parameters.rowsPerPage) {
      body.removeAll()
      body.append(UInt8(width))
      HybridEncoding.encode(indices.extracting(page.values), width: width, into: &body)
      try finish(page, of: builder, .dictionary)
    }
  }

  /// Bits of an index; never none, for readers that do not expect it.
  static func indexWidth(_ distinct: Int) -> Int {
    max(1, Int.bitWidth - max(0, distinct - 1).leadingZeroBitCount)
  }

  // MARK: Pages

  private func pages(of builder: ColumnBuilder, rows: Int, rowsPerPage: Int) -> [Page] {
    var pages: [Page] = []
    var value = 0
    for start in stride(from: 0, to: rows, by: max(1, rowsPerPage)) {
      let end = min(rows, start + max(1, rowsPerPage))
      let taken =
        builder.present.isEmpty
        ? end - start : builder.present[start..<end].reduce(0) { $0 + Int($1) }
      pages.append(Page(rows: start..<end, values: value..<value + taken))
      value += taken
    }
    return pages
  }

  mutating func finishDictionary(
    count: Int, _ chunk: inout ColumnChunk
  ) throws(ParquetError) {
    chunk.dictionaryOffset = Int64(output.count)
    var header = PageHeader()
    header.kind = .dictionary
    header.valueCount = Int32(truncatingIfNeeded: count)
    try appendPage(&header)
  }

  /// Writes out `body` as a data page.
  private mutating func finish(
    _ page: Page, of builder: ColumnBuilder, _ encoding: ValueEncoding
  ) throws(ParquetError) {
    levels.removeAll()
    if builder.column.isOptional, !builder.present.isEmpty {
      let present = builder.present
      HybridEncoding.encode(present.span.extracting(page.rows), width: 1, into: &levels)
    }
    try finish(page, of: builder.column, encoding)
  }

  /// Writes out `body` as a data page; an optional column's rows are all there, unless `levels` has
  /// been filled.
  mutating func finish(
    _ page: Page, of column: ParquetColumn, _ encoding: ValueEncoding
  ) throws(ParquetError) {
    var header = PageHeader()
    header.valueCount = Int32(truncatingIfNeeded: page.rows.count)
    header.encoding = encoding.rawValue
    if column.isOptional, levels.count == 0 {
      // One run: of nulls where the page has no values.
      levels.append(varint: UInt64(page.rows.count) << 1)
      levels.append(page.values.isEmpty ? 0 : 1)
    }
    switch parameters.pageVersion {
    case .one:
      header.kind = .data
      if column.isOptional {
        joined.removeAll()
        joined.append(word: UInt32(truncatingIfNeeded: levels.count))
        joined.append(levels)
        joined.append(body)
        swap(&joined, &body)
      }
      try appendPage(&header)
    case .two:
      header.kind = .data2
      header.nullCount = Int32(truncatingIfNeeded: page.rows.count - page.values.count)
      header.levelsLength = Int32(truncatingIfNeeded: levels.count)
      try appendPage(&header, prefix: levels.count)
    }
    levels.removeAll()
  }

  /// Appends the header, `prefix` octets of levels as they are, and the compressed body.
  private mutating func appendPage(
    _ header: inout PageHeader, prefix: Int = 0
  ) throws(ParquetError) {
    let size = prefix + body.count
    guard size <= Int(Int32.max) / 2 else {
      throw .tooLarge(
        offset: UInt64(output.count), what: "a page", size: UInt64(size),
        limit: UInt64(Int32.max) / 2)
    }
    header.uncompressedSize = Int32(size)
    header.isCompressed = false
    if let compressor {
      compressed.removeAll()
      try compressor.compress(body, into: &compressed)
      // Version 2 may leave a page as it is, which then costs nothing to read.
      if header.kind != .data2 || compressed.count < body.count / 32 * 31 {
        swap(&compressed, &body)
        header.isCompressed = true
      }
    }
    header.compressedSize = Int32(truncatingIfNeeded: prefix + body.count)
    if parameters.hasChecksums {
      var checksum = Checksum()
      if prefix > 0 { checksum.add(levels.bytes) }
      checksum.add(body.bytes)
      header.checksum = checksum.value
    }
    var writer = ThriftWriter()
    header.write(to: &writer)
    output.append(writer.sink)
    if prefix > 0 { output.append(levels) }
    output.append(body)
    uncompressedSize += writer.sink.count + size
  }
}
