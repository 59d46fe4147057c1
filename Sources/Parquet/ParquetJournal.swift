import Glibc

/// The journal of a part: what its footer would say so far, one entry for the schema and one for each
/// row group that is on the disk.
///
/// An entry is its length and its CRC-32, both as 32-bit little-endian numbers, and the Thrift struct of
/// the footer (`FileMetaData` without row groups, then `RowGroup`). An entry that is cut off or wrong
/// ends the journal.
final class ParquetJournal {
  private let path: String
  private let descriptor: Int32

  /// The journal's place beside the part of `path`.
  static func journalPath(of path: String) -> String { path + ".journal" }

  init(path: String, file: FileMetadata) throws(ParquetError) {
    self.path = Self.journalPath(of: path)
    descriptor = open(self.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw .system(operation: "creating", path: self.path, code: errno)
    }
    var writer = ThriftWriter()
    file.write(to: &writer)
    try append(writer.sink)
    try ParquetWriter.syncDirectory(of: path)
  }

  deinit { close(descriptor) }

  func append(_ group: RowGroupMetadata, ordinal: Int) throws(ParquetError) {
    var writer = ThriftWriter()
    group.write(to: &writer, ordinal: ordinal)
    try append(writer.sink)
  }

  private func append(_ entry: borrowing OctetSink) throws(ParquetError) {
    var sink = OctetSink()
    sink.append(word: UInt32(truncatingIfNeeded: entry.count))
    sink.append(word: Checksum.of(entry.bytes))
    sink.append(entry)
    let code = writeAll(sink.bytes, to: descriptor)
    guard code == 0 else { throw .system(operation: "writing", path: path, code: code) }
    guard fdatasync(descriptor) == 0 else {
      throw .system(operation: "syncing", path: path, code: errno)
    }
  }

  func remove() { unlink(path) }

  /// The footer that the journal of `path` makes for a part of so many octets: entries up to the first
  /// that is cut off, wrong, or points behind the part's end.
  static func read(
    path: String, limits: ParquetReaderLimits, octets: UInt64
  ) throws(ParquetError) -> FileMetadata {
    let source = try OctetSource(path: journalPath(of: path))
    guard source.count <= UInt64(limits.octetsOfFooter) else {
      throw .tooLarge(
        offset: 0, what: "the journal", size: source.count, limit: UInt64(limits.octetsOfFooter))
    }
    let content = try source.read(0, Int(source.count))
    let bytes = content.span.bytes
    var file: FileMetadata?
    var position = 0
    while position + 8 <= bytes.byteCount {
      let length = Int(bytes.bits(at: position * 8, width: 32))
      let checksum = UInt32(truncatingIfNeeded: bytes.bits(at: position * 8 + 32, width: 32))
      guard length <= bytes.byteCount - position - 8 else { break }
      let entry = bytes.extracting(position + 8..<position + 8 + length)
      guard Checksum.of(entry) == checksum else { break }
      var reader = ThriftReader(entry, start: UInt64(position + 8))
      if file == nil {
        file = try FileMetadata(&reader)
      } else {
        let group = try RowGroupMetadata(&reader)
        guard group.end <= octets else { break }
        file?.rowGroups.append(group)
        file?.rowCount &+= group.rowCount
      }
      position += 8 + length
    }
    guard let file else {
      throw .damaged(offset: 0, expected: "a journal that begins with a schema")
    }
    return file
  }
}

extension RowGroupMetadata {
  /// Where its last octet lies, plus one; the greatest number for nonsense.
  var end: UInt64 {
    var end: UInt64 = 4
    for chunk in chunks {
      let start = min(chunk.dataOffset, chunk.dictionaryOffset ?? chunk.dataOffset)
      let (sum, overflow) = start.addingReportingOverflow(chunk.compressedSize)
      guard start >= 4, chunk.compressedSize >= 0, !overflow else { return .max }
      end = max(end, UInt64(sum))
    }
    return end
  }
}

/// Completes files that a journalled writer left behind.
public enum ParquetRecovery {
  /// What became of a part.
  public struct Outcome: Hashable, Sendable {
    /// Rows and row groups that the finished file has; without any the part was taken away.
    public let rowCount: Int
    public let rowGroupCount: Int
    /// Octets at the part's end that belonged to no synced row group.
    public let lostOctets: Int
  }

  /// Gives the part of `path` a footer over the row groups that its journal names and whose pages have
  /// the right checksums, syncs it and renames it to `path`. A part without any is removed.
  ///
  /// No writer may be at work on the path.
  ///
  /// - Throws: ``ParquetError/system(operation:path:code:)``.
  public static func complete(
    _ path: String, limits: ParquetReaderLimits = ParquetReaderLimits()
  ) throws(ParquetError) -> Outcome {
    let part = ParquetWriter.partPath(of: path)
    let source = try OctetSource(path: part)
    var file = FileMetadata()
    do {
      file = try ParquetJournal.read(path: path, limits: limits, octets: source.count)
    } catch .damaged, .unsupported {
      // Killed before the journal's first entry was whole: nothing was synced.
    } catch .system(_, _, ENOENT) {
      // Killed before there was a journal.
    }
    var end: UInt64 = 4
    var whole: [RowGroupMetadata] = []
    for group in file.rowGroups {
      guard (try? checkPages(of: group, in: source)) != nil else { break }
      whole.append(group)
      end = max(end, group.end)
    }
    let lost = Int(source.count) - Int(min(end, source.count))
    guard !whole.isEmpty else {
      unlink(part)
      unlink(ParquetJournal.journalPath(of: path))
      return Outcome(rowCount: 0, rowGroupCount: 0, lostOctets: lost)
    }
    file.rowGroups = whole
    file.rowCount = whole.reduce(0) { $0 &+ $1.rowCount }
    let descriptor = open(part, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system(operation: "opening", path: part, code: errno) }
    defer { close(descriptor) }
    guard ftruncate(descriptor, off_t(end)) == 0, lseek(descriptor, 0, SEEK_END) >= 0 else {
      throw .system(operation: "truncating", path: part, code: errno)
    }
    let code = writeAll(file.tail().bytes, to: descriptor)
    guard code == 0 else { throw .system(operation: "writing", path: part, code: code) }
    guard fsync(descriptor) == 0 else {
      throw .system(operation: "syncing", path: part, code: errno)
    }
    guard rename(part, path) == 0 else {
      throw .system(operation: "renaming", path: part, code: errno)
    }
    try ParquetWriter.syncDirectory(of: path)
    unlink(ParquetJournal.journalPath(of: path))
    return Outcome(
      rowCount: Int(file.rowCount), rowGroupCount: whole.count, lostOctets: lost)
  }

  /// Takes away the journal of a file that was finished, where a kill left it behind.
  public static func removeStrayJournal(of path: String) {
    unlink(ParquetJournal.journalPath(of: path))
  }

  @discardableResult
  static func checkPages(
    of group: RowGroupMetadata, in source: OctetSource
  ) throws(ParquetError) -> PageCount {
    var pages = PageCount()
    for chunk in group.chunks {
      var start = chunk.dataOffset
      if let dictionary = chunk.dictionaryOffset, dictionary > 0 { start = min(start, dictionary) }
      guard start >= 4, chunk.compressedSize >= 0, UInt64(start) <= source.count,
        UInt64(chunk.compressedSize) <= source.count - UInt64(start)
      else {
        throw .damaged(offset: UInt64(max(0, start)), expected: "a column chunk inside the file")
      }
      let octets = try source.read(UInt64(start), Int(chunk.compressedSize))
      let bytes = octets.span.bytes
      var position = 0
      var values: Int64 = 0
      while position < bytes.byteCount {
        let offset = UInt64(start) &+ UInt64(position)
        var reader = ThriftReader(bytes.extracting(position..<bytes.byteCount), start: offset)
        let header = try PageHeader(&reader)
        let first = position + reader.position
        guard Int(header.compressedSize) <= bytes.byteCount - first else {
          throw .damaged(offset: offset, expected: "a whole page in its column chunk")
        }
        position = first + Int(header.compressedSize)
        if header.kind == .data || header.kind == .data2 { values &+= Int64(header.valueCount) }
        pages.count += 1
        pages.octets += position - first
        guard let checksum = header.checksum else {
          pages.unchecked += 1
          continue
        }
        guard Checksum.of(bytes.extracting(first..<position)) == checksum else {
          throw .damaged(
            offset: offset,
            expected: "a page of column \(chunk.path.joined(separator: ".")) with its checksum")
        }
      }
      guard values == chunk.valueCount, values == group.rowCount else {
        throw .damaged(
          offset: UInt64(start), expected: "\(group.rowCount) rows in each column chunk")
      }
    }
    return pages
  }

  /// Pages that were looked at.
  public struct PageCount: Hashable, Sendable {
    public var count = 0
    /// Those without a checksum.
    public var unchecked = 0
    /// Octets of their bodies.
    public var octets = 0
  }
}

extension ParquetReader {
  /// Reads all pages of a row group, and compares their checksums and row counts. The row group must
  /// exist.
  ///
  /// - Throws: ``ParquetError/damaged(offset:expected:)`` at the first page that is not as it was
  ///   written.
  public func checkPages(rowGroup: Int) throws(ParquetError) -> ParquetRecovery.PageCount {
    try ParquetRecovery.checkPages(
      of: RowGroupMetadata(
        chunks: chunks[rowGroup], rowCount: Int64(rowGroups[rowGroup].rowCount)), in: source)
  }
}
