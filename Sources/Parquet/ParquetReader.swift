import Glibc

/// How much memory a file may make the reader take.
public struct ParquetReaderLimits: Hashable, Sendable {
  /// Rows of a row group: 16 times arrow's default. A few octets of runs can stand for this many.
  public var rowsPerGroup = 1 << 24
  /// Octets of a page after decompression, as DuckDB's pages of whole row groups can need.
  public var octetsPerPage = 1 << 28
  /// Octets of all pages of a column in a row group after decompression, and of its strings.
  public var octetsPerColumn = 1 << 30
  /// Octets of the footer; in memory it takes up to some twenty times as much.
  public var octetsOfFooter = 1 << 24

  /// The values above.
  public init() {}
}

/// Reads Parquet files of flat columns: ours, and those of arrow, DuckDB and others within
/// PLAIN, RLE_DICTIONARY, RLE, DELTA_* and BYTE_STREAM_SPLIT encodings, uncompressed or Zstandard, pages
/// of version 1 and 2. Columns of other shapes are named in ``unreadColumns``.
///
/// The file is not trusted: what does not fit is refused with its place, and memory stays within
/// ``ParquetReaderLimits``. Safe to use from several threads.
///
/// ```swift
/// let reader = try ParquetReader(path: "flows.parquet")
/// for group in reader.rowGroups where group.statistics("time")?.mayContain(hour) ?? true {
///   let ports = try reader.read("port", rowGroup: group.index).integers
/// }
/// ```
public final class ParquetReader: Sendable {
  /// One row group as the footer describes it.
  public struct RowGroup: Sendable {
    /// Its number in the file, from 0.
    public let index: Int
    public let rowCount: Int
    fileprivate let bounds: [String: ColumnStatistics]

    /// The bounds of a column's values, if the file has them.
    public func statistics(_ column: String) -> ColumnStatistics? { bounds[column] }
  }

  /// The flat columns that can be read.
  public let schema: [ParquetColumn]
  /// Columns that are left out, because they are nested or of a type that is not read here.
  public let unreadColumns: [String]
  public let rowGroups: [RowGroup]
  public let rowCount: Int
  /// The notes of the footer.
  public let metadata: [ParquetPair]
  /// The program that wrote the file, as it names itself.
  public let createdBy: String

  let source: OctetSource
  let limits: ParquetReaderLimits
  let chunks: [[ColumnChunk]]
  /// Of each column of `schema`, its place among the leaves.
  let leaves: [Int]

  /// Opens a file and reads its footer.
  ///
  /// - Parameter keepsOpen: whether the file stays open. Otherwise it is opened again for each read: for
  ///   programs that have thousands of readers at a time.
  /// - Throws: ``ParquetError``; a file that was not finished has no footer and is `damaged`.
  public convenience init(
    path: String, limits: ParquetReaderLimits = ParquetReaderLimits(), keepsOpen: Bool = true
  ) throws(ParquetError) {
    try self.init(try OctetSource(path: path, keepsOpen: keepsOpen), limits)
  }

  /// Reads a file that is in memory.
  public convenience init(
    octets: [UInt8], limits: ParquetReaderLimits = ParquetReaderLimits()
  ) throws(ParquetError) {
    try self.init(OctetSource(octets: octets), limits)
  }

  /// Reads the row groups that are synced in the part of a file that is still being written, by its
  /// journal.
  ///
  /// - Throws: ``ParquetError``, also when the file was finished meanwhile.
  public convenience init(
    unfinished path: String, limits: ParquetReaderLimits = ParquetReaderLimits()
  ) throws(ParquetError) {
    let source = try OctetSource(path: ParquetWriter.partPath(of: path))
    let file = try ParquetJournal.read(path: path, limits: limits, octets: source.count)
    try self.init(source, limits, file, end: source.count)
  }

  private convenience init(
    _ source: OctetSource, _ limits: ParquetReaderLimits
  ) throws(ParquetError) {
    let size = source.count
    guard size >= 12, try source.read(0, 4) == Array("PAR1".utf8) else {
      throw .damaged(offset: 0, expected: "PAR1 and at least 12 octets")
    }
    let tail = try source.read(size - 8, 8)
    guard tail[4...] == ArraySlice("PAR1".utf8) else {
      throw .damaged(offset: size - 4, expected: "PAR1 at the end of a finished file")
    }
    let length = tail[..<4].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= size - 12 else {
      throw .damaged(offset: size - 8, expected: "a footer of at most \(size - 12) octets")
    }
    guard length <= UInt64(limits.octetsOfFooter) else {
      throw .tooLarge(
        offset: size - 8, what: "the footer", size: length, limit: UInt64(limits.octetsOfFooter))
    }
    let footer = try source.read(size - 8 - length, Int(length))
    var reader = ThriftReader(footer.span.bytes, start: size - 8 - length)
    try self.init(source, limits, try FileMetadata(&reader), end: size - 8 - length)
  }

  /// - Parameter end: where the footer begins, for errors.
  private init(
    _ source: OctetSource, _ limits: ParquetReaderLimits, _ file: FileMetadata, end: UInt64
  ) throws(ParquetError) {
    let layout = try SchemaLayout(file.elements, offset: end)
    schema = layout.columns
    leaves = layout.leaves
    unreadColumns = layout.unread
    metadata = file.pairs
    createdBy = file.createdBy
    var total = 0
    var groups: [RowGroup] = []
    for (index, group) in file.rowGroups.enumerated() {
      guard group.chunks.count == layout.leafCount else {
        throw .damaged(
          offset: end, expected: "\(layout.leafCount) columns in row group \(index)")
      }
      guard group.rowCount <= Int64(limits.rowsPerGroup) else {
        throw .tooLarge(
          offset: end, what: "row group \(index), in rows,",
          size: UInt64(group.rowCount), limit: UInt64(limits.rowsPerGroup))
      }
      // At most 2^24 octets of footer and 2^24 rows a group by default: no overflow in 63 bits.
      total &+= Int(group.rowCount)
      var bounds: [String: ColumnStatistics] = [:]
      for (column, leaf) in zip(schema, leaves) {
        guard let raw = group.chunks[leaf].statistics else { continue }
        let isOrdered = leaf < file.hasTypeOrder.count && file.hasTypeOrder[leaf]
        bounds[column.name] = ColumnStatistics(raw, of: column, isOrdered: isOrdered)
      }
      groups.append(RowGroup(index: index, rowCount: Int(group.rowCount), bounds: bounds))
    }
    guard file.rowCount == Int64(total) else {
      throw .damaged(
        offset: end, expected: "\(total) rows, as the row groups have, not \(file.rowCount)")
    }
    rowGroups = groups
    rowCount = total
    chunks = file.rowGroups.map(\.chunks)
    self.source = source
    self.limits = limits
  }

  /// Some columns of a row group, in the order asked for. The row group must exist.
  public func read(_ names: [String], rowGroup: Int) throws(ParquetError) -> [ColumnVector] {
    var vectors: [ColumnVector] = []
    for name in names { vectors.append(try read(name, rowGroup: rowGroup)) }
    return vectors
  }

  /// One column of a row group. The row group must exist.
  ///
  /// - Throws: ``ParquetError``.
  public func read(_ name: String, rowGroup: Int) throws(ParquetError) -> ColumnVector {
    guard let place = schema.firstIndex(where: { $0.name == name }) else { throw .noColumn(name) }
    let range = try octetRange(column: place, rowGroup: rowGroup)
    let octets = try source.read(range.start, range.length)
    return try decode(
      octets.span.bytes, column: schema[place], rows: rowGroups[rowGroup].rowCount,
      isCompressed: range.isCompressed, start: range.start)
  }

  /// Where a column chunk lies, checked against the file's size.
  func octetRange(
    column place: Int, rowGroup: Int
  ) throws(ParquetError) -> (start: UInt64, length: Int, isCompressed: Bool) {
    let column = schema[place]
    let chunk = chunks[rowGroup][leaves[place]]
    let rows = rowGroups[rowGroup].rowCount
    var start = chunk.dataOffset
    // Some writers say 0 where there is no dictionary.
    if let dictionary = chunk.dictionaryOffset, dictionary > 0 { start = min(start, dictionary) }
    guard chunk.physicalCode == column.physicalType.code, chunk.valueCount == Int64(rows),
      start >= 4,
      chunk.compressedSize >= 0, UInt64(start) <= source.count,
      UInt64(chunk.compressedSize) <= source.count - UInt64(start)
    else {
      throw .damaged(
        offset: UInt64(max(0, start)),
        expected:
          "column \(column.name) of row group \(rowGroup) inside the file, of its type and rows")
    }
    guard chunk.codec == 0 || chunk.codec == 6 else {
      throw .unsupported("compression codec \(chunk.codec) in column \(column.name)")
    }
    return (UInt64(start), Int(chunk.compressedSize), chunk.codec == 6)
  }

  private func decode(
    _ bytes: RawSpan, column: ParquetColumn, rows: Int, isCompressed: Bool, start: UInt64
  ) throws(ParquetError) -> ColumnVector {
    var decoder = ChunkDecoder(column: column, rows: rows, limits: limits)
    var position = 0
    var pages = 0
    var decompressed = 0
    // One empty page follows for no rows; a hostile chunk of empty pages ends with its octets.
    while decoder.missing > 0 || (pages == 0 && position < bytes.byteCount) {
      let offset = start &+ UInt64(position)
      var reader = ThriftReader(bytes.extracting(position..<bytes.byteCount), start: offset)
      let header = try PageHeader(&reader)
      let bodyStart = position + reader.position
      guard Int(header.compressedSize) <= bytes.byteCount - bodyStart else {
        throw .damaged(
          offset: offset, expected: "a page of at most \(bytes.byteCount - bodyStart) octets")
      }
      guard Int(header.uncompressedSize) <= limits.octetsPerPage else {
        throw .tooLarge(
          offset: offset, what: "a page", size: UInt64(header.uncompressedSize),
          limit: UInt64(limits.octetsPerPage))
      }
      decompressed += Int(header.uncompressedSize)
      guard decompressed <= limits.octetsPerColumn else {
        throw .tooLarge(
          offset: offset, what: "column \(column.name)", size: UInt64(decompressed),
          limit: UInt64(limits.octetsPerColumn))
      }
      let body = bytes.extracting(bodyStart..<bodyStart + Int(header.compressedSize))
      position = bodyStart + Int(header.compressedSize)
      pages += 1
      try add(header, body, isCompressed, offset, to: &decoder)
    }
    return decoder.vector()
  }

  private func add(
    _ header: PageHeader, _ body: RawSpan, _ isCompressed: Bool, _ offset: UInt64,
    to decoder: inout ChunkDecoder
  ) throws(ParquetError) {
    let isOptional = decoder.column.isOptional
    let rows = Int(header.valueCount)
    if header.kind != .dictionary, rows > decoder.missing {
      throw .damaged(
        offset: offset, expected: "at most \(decoder.missing) rows more, not \(rows), in the page")
    }
    switch header.kind {
    case .index: return
    case .dictionary:
      let content = try content(
        body, Int(header.uncompressedSize), isCompressed: isCompressed, offset)
      try decoder.addDictionary(
        content.span.bytes, count: rows, encoding: header.encoding, offset: offset)
    case .data:
      let content = try content(
        body, Int(header.uncompressedSize), isCompressed: isCompressed, offset)
      var cursor = OctetCursor(content.span.bytes, start: offset)
      var levels: [UInt32]?
      if isOptional {
        guard header.levelEncoding == 3 else {
          throw .unsupported(
            "level encoding \(header.levelEncoding) in column \(decoder.column.name)")
        }
        let range = try cursor.range(Int(try cursor.word(octets: 4)), "definition levels")
        levels = try HybridEncoding.decode(
          content.span.bytes.extracting(range), width: 1, count: rows, maximum: 1, offset: offset)
      }
      let values = try cursor.range(cursor.left, "values")
      try decoder.addPage(
        levels: levels, rows: rows, content.span.bytes.extracting(values),
        encoding: header.encoding, offset: offset)
    case .data2:
      // Levels come first and are never compressed.
      let prefix = Int(header.repetitionLength) + Int(header.levelsLength)
      guard header.repetitionLength == 0, prefix <= body.byteCount,
        prefix <= Int(header.uncompressedSize)
      else {
        throw .damaged(offset: offset, expected: "levels inside the page, and none of repetition")
      }
      var levels: [UInt32]?
      if isOptional {
        levels = try HybridEncoding.decode(
          body.extracting(0..<prefix), width: 1, count: rows, maximum: 1, offset: offset)
      }
      let values = try content(
        body.extracting(prefix..<body.byteCount), Int(header.uncompressedSize) - prefix,
        isCompressed: isCompressed && header.isCompressed, offset)
      try decoder.addPage(
        levels: levels, rows: rows, values.span.bytes, encoding: header.encoding, offset: offset)
    }
  }

  private func content(
    _ body: RawSpan, _ length: Int, isCompressed: Bool, _ offset: UInt64
  ) throws(ParquetError) -> [UInt8] {
    // A page of nulls alone is empty, and some writers do not make a frame of it.
    if isCompressed, length > 0 || body.byteCount > 0 {
      return try zstandardContent(body, length: length, offset: offset)
    }
    guard body.byteCount == length else {
      throw .damaged(offset: offset, expected: "\(length) octets in a page that is not compressed")
    }
    return body.octets(0..<length)
  }
}
