import Glibc

/// The numbers of one column of a row group, in memory that is used again for the next one.
///
/// Reading into it costs no allocation once it has grown, and pages that nobody wants stay compressed:
///
/// ```swift
/// let ports = ColumnScratch()
/// try reader.load(column: 5, rowGroup: 0, into: ports)
/// for row in ports.words32.indices { counts[Int(ports.words32[row])] += 1 }
/// ```
///
/// A row without a value holds zero. Not for several threads at once.
public final class ColumnScratch {
  /// How the values lie in memory.
  public enum Form: Sendable {
    /// INT32: ``words32``.
    case words32
    /// INT64: ``words64``.
    case words64
    /// FIXED_LEN_BYTE_ARRAY(16), its octets from the highest one: ``words128``.
    case words128
    /// BYTE_ARRAY as numbers in ``texts``: ``words32``.
    case texts
  }

  public private(set) var form = Form.words32
  /// Rows of the row group.
  public private(set) var count = 0
  /// The rows that were decoded, in order; the others hold anything.
  public private(set) var decodedRows: [Range<Int>] = []
  /// What the numbers of form `texts` stand for.
  public internal(set) var texts: [String] = []

  // Reached by the decoding in ColumnScratch+Decoding.swift.
  var values = RawBlock()
  private var file = RawBlock()
  var page = RawBlock()
  var dictionary = RawBlock()
  var dictionaryCount = 0
  private let decompressor = ZstandardDecompressor()

  public init() {}

  /// INT32 values as their bits, or numbers in ``texts``.
  public var words32: Span<UInt32> {
    @_lifetime(borrow self)
    get { span(form == .words32 || form == .texts) }
  }

  /// INT64 values as their bits.
  public var words64: Span<UInt64> {
    @_lifetime(borrow self)
    get { span(form == .words64) }
  }

  /// Values of 16 octets.
  public var words128: Span<UInt128> {
    @_lifetime(borrow self)
    get { span(form == .words128) }
  }

  /// The distinct values of a column of form `words32` or `words64` that has a dictionary, while
  /// ``ParquetReader/load(column:rowGroup:into:pages:dictionary:)`` asks about them.
  public var dictionary32: Span<UInt32> {
    @_lifetime(borrow self)
    get { entries(form == .words32) }
  }

  /// The same for 64 bits.
  public var dictionary64: Span<UInt64> {
    @_lifetime(borrow self)
    get { entries(form == .words64) }
  }

  @_lifetime(borrow self)
  private func span<Word: BitwiseCopyable>(_ isForm: Bool) -> Span<Word> {
    let words = unsafe UnsafeBufferPointer(
      start: values.base.assumingMemoryBound(to: Word.self), count: isForm ? count : 0)
    return unsafe _overrideLifetime(Span(_unsafeElements: words), borrowing: self)
  }

  @_lifetime(borrow self)
  private func entries<Word: BitwiseCopyable>(_ isForm: Bool) -> Span<Word> {
    let words = unsafe UnsafeBufferPointer(
      start: dictionary.base.assumingMemoryBound(to: Word.self),
      count: isForm ? dictionaryCount : 0)
    return unsafe _overrideLifetime(Span(_unsafeElements: words), borrowing: self)
  }

  /// Makes it a column of zeros, for a column that a file lacks.
  public func clear(_ form: Form, count: Int) {
    begin(form, rows: count)
    memset(values.base, 0, count * width)
    decodedRows = count > 0 ? [0..<count] : []
    if form == .texts { texts = [""] }
  }

  /// Makes it a column of 16-octet values that the caller computes, one for each row.
  public func fill(count: Int, _ value: (Int) -> UInt128) {
    begin(.words128, rows: count)
    let target = values.base.assumingMemoryBound(to: UInt128.self)
    // `begin` made room for `count` values.
    for row in 0..<count { target[row] = value(row) }
    decodedRows = count > 0 ? [0..<count] : []
  }

  /// Divides decoded INT64 values, which have a sign, and rounds down: a time in microseconds by 1,000
  /// is one in milliseconds.
  public func divide(by divisor: Int64) {
    guard form == .words64, divisor > 1 else { return }
    let words = values.base.assumingMemoryBound(to: Int64.self)
    for rows in decodedRows {
      for row in rows {
        let value = words[row]
        words[row] = value / divisor - (value % divisor < 0 ? 1 : 0)
      }
    }
  }

  var width: Int {
    switch form {
    case .words32, .texts: 4
    case .words64: 8
    case .words128: 16
    }
  }

  private func begin(_ form: Form, rows: Int) {
    self.form = form
    count = rows
    decodedRows.removeAll(keepingCapacity: true)
    texts.removeAll(keepingCapacity: true)
    dictionaryCount = 0
    values.reserve(rows * width)
  }

  // MARK: Loading

  /// Decodes a chunk's pages; see ``ParquetReader/load(column:rowGroup:into:pages:dictionary:)``.
  /// Gives back false where it needs the slow way.
  func load(
    _ reader: ParquetReader, column place: Int, rowGroup: Int, form: Form,
    pages: ((Range<Int>) -> Bool)?, dictionary mayMatch: ((ColumnScratch) -> Bool)?
  ) throws(ParquetError) -> Bool {
    let column = reader.schema[place]
    let rows = reader.rowGroups[rowGroup].rowCount
    let range = try reader.octetRange(column: place, rowGroup: rowGroup)
    begin(form, rows: rows)
    var isDictionaryWanted = true
    var hasDictionary = false
    var row = 0
    var position = 0
    let isWhole = pages == nil
    if isWhole {
      file.reserve(range.length)
      try reader.source.read(range.start, range.length, into: file.base)
    }
    while row < rows {
      let offset = range.start &+ UInt64(position)
      let left = range.length - position
      guard left > 0 else {
        throw .damaged(offset: offset, expected: "\(rows - row) rows more in the row group")
      }
      // A header with statistics may be long; 4 KiB is far more than the ones that are fast here.
      let available = isWhole ? left : min(left, 4_096)
      if !isWhole {
        file.reserve(available)
        try reader.source.read(offset, available, into: file.base)
      }
      let start = UnsafeRawPointer(file.base) + (isWhole ? position : 0)
      let window = UnsafeRawBufferPointer(start: start, count: available)
      var thrift = unsafe ThriftReader(RawSpan(_unsafeBytes: window), start: offset)
      let header = try PageHeader(&thrift)
      let size = Int(header.compressedSize)
      let prefixed = thrift.position
      let whole = Int(header.uncompressedSize)
      guard size <= left - prefixed else {
        throw .damaged(offset: offset, expected: "a page of at most \(left - prefixed) octets")
      }
      guard whole <= reader.limits.octetsPerPage else {
        throw .tooLarge(
          offset: offset, what: "a page", size: UInt64(whole),
          limit: UInt64(reader.limits.octetsPerPage))
      }
      position += prefixed + size
      let count = Int(header.valueCount)
      if header.kind == .index { continue }
      let isData = header.kind != .dictionary
      if isData {
        guard count <= rows - row else {
          throw .damaged(offset: offset, expected: "at most \(rows - row) rows more in the page")
        }
        let isIndexed = header.encoding == 2 || header.encoding == 8
        if isIndexed && !isDictionaryWanted || !(pages?(row..<row + count) ?? true) {
          row += count
          continue
        }
      }
      var body = start + prefixed
      if !isWhole, prefixed + size > available {
        file.reserve(size)
        try reader.source.read(offset &+ UInt64(prefixed), size, into: file.base)
        body = UnsafeRawPointer(file.base)
      }
      // Levels of version 2 come before the compressed part.
      let levels = header.kind == .data2 ? Int(header.levelsLength) : 0
      guard header.repetitionLength == 0, levels <= size, levels <= whole else {
        throw .damaged(offset: offset, expected: "levels inside the page, and none of repetition")
      }
      if isData, column.isOptional {
        if header.kind == .data { return false }
        if Int(header.nullCount) == count {
          memset(values.base + row * width, 0, count * width)
          noteDecoded(row..<row + count)
          row += count
          if form == .texts, texts.isEmpty { texts = [""] }
          continue
        }
        if header.nullCount != 0 { return false }
      }
      let isCompressed =
        range.isCompressed && (header.kind != .data2 || header.isCompressed) && whole > levels
      let content = whole - levels
      let stored = UnsafeRawBufferPointer(start: body + levels, count: size - levels)
      if isCompressed {
        page.reserve(content)
        try decompressor.decompress(
          stored, into: UnsafeMutableRawBufferPointer(start: page.base, count: content),
          offset: offset)
      } else {
        guard stored.count == content else {
          throw .damaged(offset: offset, expected: "\(content) octets in an uncompressed page")
        }
        // Copied, so that words may be loaded behind its end.
        page.reserve(content)
        if let source = stored.baseAddress, content > 0 { memcpy(page.base, source, content) }
      }
      if !isData {
        guard !hasDictionary, header.encoding == 0 || header.encoding == 2 else {
          throw .damaged(offset: offset, expected: "one dictionary, of encoding PLAIN")
        }
        hasDictionary = true
        guard try readDictionary(count: count, octets: content, offset: offset) else {
          return false
        }
        if let mayMatch, form == .words32 || form == .words64 {
          isDictionaryWanted = mayMatch(self)
        }
        continue
      }
      let isDone = try decode(
        header.encoding, at: row, count: count, octets: content, offset: offset)
      guard isDone else { return false }
      noteDecoded(row..<row + count)
      row += count
    }
    return true
  }

  private func noteDecoded(_ rows: Range<Int>) {
    if let last = decodedRows.last, last.upperBound == rows.lowerBound {
      decodedRows[decodedRows.count - 1] = last.lowerBound..<rows.upperBound
    } else if !rows.isEmpty {
      decodedRows.append(rows)
    }
  }

  // MARK: The slow way

  /// Takes over values that ``ParquetReader/read(_:rowGroup:)`` decoded, in any encoding and with nulls.
  func take(_ vector: ColumnVector, form: Form) throws(ParquetError) {
    begin(form, rows: vector.count)
    func store<Value: BitwiseCopyable>(_ words: [Value]) {
      let target = values.base.assumingMemoryBound(to: Value.self)
      for index in words.indices { target[index] = words[index] }
    }
    switch (form, vector.storage) {
    case (.words32, .int32(let words)): store(words)
    case (.words32, .uint32(let words)): store(words)
    case (.words64, .int64(let words)): store(words)
    case (.words64, .uint64(let words)): store(words)
    case (.words128, .octets(let strings)):
      store(
        (0..<strings.count).map { row in
          strings[row].prefix(16).reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
        })
    case (.texts, .octets(let strings)):
      var numbers: [String: UInt32] = [:]
      store(
        (0..<strings.count).map { row in
          let text = strings.text(row)
          if let known = numbers[text] { return known }
          let number = UInt32(texts.count)
          numbers[text] = number
          texts.append(text)
          return number
        })
    default: throw .unsupported("column \(vector.column.name) as \(form)")
    }
    decodedRows = count > 0 ? [0..<count] : []
  }
}

extension ParquetReader {
  /// The place of a column in ``schema``; nil when the file does not have it.
  public func place(of name: String) -> Int? { schema.firstIndex { $0.name == name } }

  /// Decodes a column of a row group into memory that is used again. Both must exist.
  ///
  /// - Parameters:
  ///   - column: a place in ``schema``: a column of INT32, INT64, FIXED_LEN_BYTE_ARRAY(16) or BYTE_ARRAY.
  ///   - pages: says whether any of a page's rows are wanted; other pages stay compressed.
  ///   - dictionary: looks at ``ColumnScratch/dictionary32`` or `dictionary64` and says whether any of
  ///     these values is wanted; if not, the pages that refer to it stay compressed.
  /// - Throws: ``ParquetError``; the scratch then holds nothing of use.
  public func load(
    column: Int, rowGroup: Int, into scratch: ColumnScratch,
    pages: ((Range<Int>) -> Bool)? = nil, dictionary: ((ColumnScratch) -> Bool)? = nil
  ) throws(ParquetError) {
    let form: ColumnScratch.Form
    switch schema[column].physicalType {
    case .int32: form = .words32
    case .int64: form = .words64
    case .fixedLengthByteArray(16): form = .words128
    case .byteArray: form = .texts
    default: throw .unsupported("column \(schema[column].name) of \(schema[column].physicalType)")
    }
    let isDone = try scratch.load(
      self, column: column, rowGroup: rowGroup, form: form, pages: pages, dictionary: dictionary)
    if !isDone { try scratch.take(try read(schema[column].name, rowGroup: rowGroup), form: form) }
  }
}
