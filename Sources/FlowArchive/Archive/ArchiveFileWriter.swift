import FlowRecords
import Foundation
import Parquet

/// The file that an archive's writer or compactor is at, and the next ones.
struct ArchiveFileWriter {
  let root: String
  let parameters: ArchiveParameters
  let isCompacted: Bool
  /// Names of files that the next finished file stands for.
  var replaced: [String] = []
  /// Names of the files that were finished.
  private(set) var finished: [String] = []
  private(set) var octetsFinished = 0
  private var writer: ParquetWriter?
  private var hour: Int64 = 0
  /// Columns that the files have besides those that all have.
  var presence: UInt64 = 0
  private var encoding = BlockEncoding()
  private var counter = 0
  private var first = Int64.max
  private var last = Int64.min

  init(root: String, parameters: ArchiveParameters, isCompacted: Bool) {
    self.root = root
    self.parameters = parameters
    self.isCompacted = isCompacted
  }

  var octetsOpen: Int { writer?.octetCount ?? 0 }

  /// Appends a block as a synced row group, in the file of its hour that has its columns.
  mutating func write(_ block: RowBlock) throws {
    guard block.count > 0 else { return }
    let isMissing = block.presence & ~presence & ~ArchiveSchema.alwaysMask != 0
    if let open = writer,
      hour != block.hour || isMissing || open.octetCount >= parameters.octetsPerFile
        || open.rowGroupCount >= parameters.rowGroupsPerFile
    {
      try finish()
    }
    let open = try writer ?? begin(block)
    try encoding.write(block, to: open)
    first = min(first, block.extremes(.start)?.lowerBound ?? 0)
    last = max(last, block.extremes(.end)?.upperBound ?? 0)
  }

  private mutating func begin(_ block: RowBlock) throws -> ParquetWriter {
    hour = block.hour
    // Columns once seen are kept in the files that follow, so that exporters that take turns do not
    // begin a file each.
    presence |= block.presence
    let folder = root + "/" + ArchiveLayout.folder(hour: hour)
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw ArchiveError.file(path: folder, reason: "cannot be made: \(error.localizedDescription)")
    }
    counter += 1
    let now = Int64(Date().timeIntervalSince1970 * 1_000)
    let name = ArchiveLayout.name(milliseconds: now, counter: counter, isCompacted: isCompacted)
    let made = try ParquetWriter(
      path: folder + "/" + name, schema: ArchiveSchema.columns(presence),
      parameters: ArchiveSchema.parquet(parameters))
    made.metadata = [
      ParquetPair(key: "noroshi.format", value: ArchiveSchema.format)
    ]
    writer = made
    first = .max
    last = .min
    return made
  }

  /// Finishes the open file, if there is one.
  mutating func finish() throws {
    guard let open = writer else { return }
    writer = nil
    if !replaced.isEmpty {
      open.metadata.append(
        ParquetPair(key: "noroshi.replaces", value: replaced.joined(separator: "\n")))
    }
    let path = ArchiveLayout.finished(open.path, from: first, to: max(first, last))
    try open.finish(as: path)
    finished.append(path)
    octetsFinished += open.octetCount
  }
}
