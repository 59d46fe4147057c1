import Glibc

/// Numbers that decide how files are written.
public struct ParquetWriterParameters: Hashable, Sendable {
  /// The layout of data pages (parquet.thrift, `DataPageHeader` and `DataPageHeaderV2`).
  public enum PageVersion: Hashable, Sendable {
    /// Read by everything.
    case one
    /// Levels stay uncompressed.
    case two
  }

  /// Rows of a row group, the unit of reading and pruning. 2^20 is arrow's choice; smaller ones prune
  /// better and take less memory while writing.
  public var rowsPerGroup = 262_144
  /// Rows of a page at most: our own choice, so that its values stay in the processor's cache.
  public var rowsPerPage = 65_536
  /// Octets of a page of strings, about: 1 MiB, as the format's documentation advises.
  public var octetsPerPage = 1 << 20
  public var pageVersion = PageVersion.one
  /// Level 1 is the fastest; 3 takes about twice the time for some percent less.
  public var compression = ParquetCompression.zstd(1)
  /// Whether pages carry a CRC-32 (parquet.thrift, `PageHeader.crc`), which readers may check.
  public var hasChecksums = false
  /// Whether a number column that was to have a dictionary and has too many values for one is split
  /// (``ParquetColumn/Encoding/streamSplit``) rather than plain.
  public var splitsWithoutDictionary = false
  /// Whether each row group is synced as soon as it is written, and noted in a journal beside the
  /// part, from which ``ParquetRecovery`` completes a part that was left behind.
  public var isJournalled = false

  /// The values above.
  public init() {}
}

/// Writes one Parquet file, column by column, readable by DuckDB, pandas, Spark and others.
///
/// It writes to `PATH.part`; ``finish()`` syncs and renames that to `PATH`, so that a file under its
/// own name is always whole. A writer that goes away unfinished takes its part away; one that is killed
/// leaves it, and the next writer of that path writes over it. With
/// ``ParquetWriterParameters/isJournalled`` the part stays in both cases, to be recovered.
///
/// ```swift
/// let writer = try ParquetWriter(
///   path: "flows.parquet", schema: [.timestamp("time"), .integer("port", bits: 16)])
/// let (time, port) = (try writer["time"], try writer["port"])
/// for flow in flows {
///   time.append(flow.start)
///   port.append(flow.port)
///   try writer.endRow()
/// }
/// try writer.finish()
/// ```
public final class ParquetWriter {
  /// Where the file is to be.
  public let path: String
  public let schema: [ParquetColumn]
  /// In the schema's order.
  public let columns: [ColumnBuilder]
  /// Notes for the footer; they may be set until ``finish()``.
  public var metadata: [ParquetPair] = []
  /// Rows of the row groups written so far.
  public private(set) var rowCount = 0
  let parameters: ParquetWriterParameters
  // Reached by ParquetWriter+Chunks.swift.
  var encoder: ColumnEncoder
  var open: OpenRowGroup?
  private var descriptor: Int32
  private var journal: ParquetJournal?
  private(set) var offset: Int64 = 0
  private var groups: [RowGroupMetadata] = []
  @usableFromInline var pending = 0
  @usableFromInline let rowsPerGroup: Int

  /// The name of a file that is not finished.
  public static func partPath(of path: String) -> String { path + ".part" }

  /// - Throws: ``ParquetError/badSchema(_:)``, or ``ParquetError/system(operation:path:code:)`` when
  ///   the part cannot be made.
  public init(
    path: String, schema: [ParquetColumn],
    parameters: ParquetWriterParameters = ParquetWriterParameters()
  ) throws(ParquetError) {
    if let fault = schema.lazy.compactMap(\.fault).first { throw .badSchema(fault) }
    guard !schema.isEmpty else { throw .badSchema("it has no columns") }
    guard Set(schema.map(\.name)).count == schema.count else {
      throw .badSchema("two columns have the same name")
    }
    var compressor: ZstandardCompressor?
    if case .zstd(let level) = parameters.compression {
      guard let made = ZstandardCompressor(level: level) else {
        throw .system(operation: "compressing", path: path, code: ENOMEM)
      }
      compressor = made
    }
    self.path = path
    self.schema = schema
    self.parameters = parameters
    columns = schema.map(ColumnBuilder.init)
    rowsPerGroup = max(1, parameters.rowsPerGroup)
    encoder = ColumnEncoder(parameters: parameters, compressor: compressor)
    descriptor = Glibc.open(
      Self.partPath(of: path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw .system(operation: "creating", path: Self.partPath(of: path), code: errno)
    }
    var magic = OctetSink()
    magic.append("PAR1")
    try write(magic)
    if parameters.isJournalled {
      journal = try ParquetJournal(path: path, file: Self.footer(of: schema))
    }
  }

  deinit {
    if journal == nil {
      cancel()
    } else if descriptor >= 0 {
      close(descriptor)
    }
  }

  private static func footer(of schema: [ParquetColumn]) -> FileMetadata {
    var footer = FileMetadata()
    footer.elements = [SchemaElement(rootOf: schema.count)] + schema.map(SchemaElement.init)
    // "NAME version N (build HASH)" is the form that readers look for.
    footer.createdBy = "noroshi version 1.0.0 (build 0)"
    footer.hasTypeOrder = schema.map { _ in true }
    return footer
  }

  /// Octets of the part so far, without its footer.
  public var octetCount: Int { Int(offset) }

  /// Row groups written so far.
  public var rowGroupCount: Int { groups.count }

  /// A column's builder.
  ///
  /// - Throws: ``ParquetError/noColumn(_:)``.
  public subscript(name: String) -> ColumnBuilder {
    get throws(ParquetError) {
      guard let place = schema.firstIndex(where: { $0.name == name }) else { throw .noColumn(name) }
      return columns[place]
    }
  }

  /// Says that one value was appended to each column.
  @inlinable
  public func endRow() throws(ParquetError) {
    pending &+= 1
    if pending >= rowsPerGroup { try writeFullGroups() }
  }

  /// Says that `count` values were appended to each column.
  @inlinable
  public func endRows(_ count: Int) throws(ParquetError) {
    pending += count
    if pending >= rowsPerGroup { try writeFullGroups() }
  }

  @usableFromInline
  func writeFullGroups() throws(ParquetError) {
    try check()
    while pending >= rowsPerGroup { try writeGroup(rows: rowsPerGroup) }
  }

  private func check() throws(ParquetError) {
    for builder in columns {
      if builder.isMisfit {
        throw .misfit(column: builder.column.name, type: builder.column.typeDescription)
      }
      guard builder.rowCount == pending else {
        throw .uneven(column: builder.column.name, rows: builder.rowCount, expected: pending)
      }
    }
  }

  func writeGroup(rows: Int) throws(ParquetError) {
    var chunks: [ColumnChunk] = []
    for builder in columns {
      chunks.append(try place(try encoder.encode(builder, rows: rows)))
      builder.removeFirst(rows: rows)
    }
    pending -= rows
    try note(chunks, rows: rows)
  }

  /// Writes out the chunk that the encoder holds, and says where in the file it is.
  func place(_ encoded: ColumnChunk) throws(ParquetError) -> ColumnChunk {
    var chunk = encoded
    chunk.dataOffset += offset
    if let relative = chunk.dictionaryOffset { chunk.dictionaryOffset = relative + offset }
    try write(encoder.output)
    return chunk
  }

  /// Takes a row group, whose chunks are written, into the footer and the journal.
  func note(_ chunks: [ColumnChunk], rows: Int) throws(ParquetError) {
    let group = RowGroupMetadata(chunks: chunks, rowCount: Int64(rows))
    if let journal {
      // The row group must be on the disk before the journal says so.
      guard fdatasync(descriptor) == 0 else {
        throw .system(operation: "syncing", path: Self.partPath(of: path), code: errno)
      }
      try journal.append(group, ordinal: groups.count)
    }
    groups.append(group)
    rowCount += rows
  }

  /// Writes what is pending as a row group of its own, however small.
  ///
  /// - Throws: ``ParquetError``.
  public func endRowGroup() throws(ParquetError) {
    try check()
    while pending > 0 { try writeGroup(rows: min(pending, rowsPerGroup)) }
  }

  /// Writes what is pending and the footer, syncs, and gives the file its name, or another one in the
  /// same folder, which may tell what only now is known.
  ///
  /// - Throws: ``ParquetError``; the part then stays until the writer goes away.
  public func finish(as other: String? = nil) throws(ParquetError) {
    guard descriptor >= 0 else { return }
    try endRowGroup()
    var footer = Self.footer(of: schema)
    footer.rowCount = Int64(rowCount)
    footer.rowGroups = groups
    footer.pairs = metadata
    try write(footer.tail())
    let part = Self.partPath(of: path)
    guard fsync(descriptor) == 0 else {
      throw .system(operation: "syncing", path: part, code: errno)
    }
    close(descriptor)
    descriptor = -1
    guard rename(part, other ?? path) == 0 else {
      throw .system(operation: "renaming", path: part, code: errno)
    }
    try Self.syncDirectory(of: path)
    journal?.remove()
    journal = nil
  }

  /// Makes the new name itself survive a power failure.
  static func syncDirectory(of path: String) throws(ParquetError) {
    let directory: String
    if let slash = path.lastIndex(of: "/") {
      directory = slash == path.startIndex ? "/" : String(path[..<slash])
    } else {
      directory = "."
    }
    let handle = Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard handle >= 0 else {
      throw .system(operation: "opening", path: directory, code: errno)
    }
    defer { close(handle) }
    // Some file systems cannot sync a directory; the rename is then as safe as they make it.
    guard fsync(handle) == 0 || errno == EINVAL else {
      throw .system(operation: "syncing", path: directory, code: errno)
    }
  }

  /// Gives up: takes the part away. Nothing after ``finish()``.
  public func cancel() {
    guard descriptor >= 0 else { return }
    close(descriptor)
    descriptor = -1
    unlink(Self.partPath(of: path))
    journal?.remove()
    journal = nil
  }

  private func write(_ sink: borrowing OctetSink) throws(ParquetError) {
    guard descriptor >= 0 else {
      throw .system(operation: "writing", path: path, code: EBADF)
    }
    let code = writeAll(sink.bytes, to: descriptor)
    guard code == 0 else {
      // What a full disk took of it would put all that follows in the wrong place.
      if ftruncate(descriptor, off_t(offset)) == 0 {
        lseek(descriptor, off_t(offset), SEEK_SET)
      }
      throw .system(operation: "writing", path: Self.partPath(of: path), code: code)
    }
    offset += Int64(sink.count)
  }
}
