import FlowRecords
import Foundation
import Parquet

/// Puts the small row groups of past hours together to large ones, which are smaller and quicker to
/// search.
///
/// The new file names the old ones in its footer before they are removed: a kill in between costs
/// nothing, and searches never count a flow twice.
public struct ArchiveCompaction: Sendable {
  /// What was done.
  public struct Outcome: Hashable, Sendable {
    public var filesBefore = 0
    public var filesAfter = 0
    public var octetsBefore = 0
    public var octetsAfter = 0
    public var rows = 0

    /// Nothing.
    public init() {}
  }

  public let root: String
  public let parameters: ArchiveParameters

  public init(root: String, parameters: ArchiveParameters = ArchiveParameters()) {
    self.root = root
    self.parameters = parameters
  }

  /// Compacts the hours before `hour` (hours since 1970) whose row groups are less than half full on
  /// average. The archive may be written to meanwhile, in later hours.
  ///
  /// - Throws: ``ArchiveError``, `ParquetError`.
  public func run(before hour: Int64) throws -> Outcome {
    var outcome = Outcome()
    let files = try ArchiveCatalogue(path: root).files.filter { $0.hour < hour }
    for (hour, all) in Dictionary(grouping: files, by: \.hour).sorted(by: { $0.key < $1.key }) {
      guard !all.contains(where: \.isUnfinished) else { continue }
      try compact(hour, all, &outcome)
    }
    return outcome
  }

  private func compact(
    _ hour: Int64, _ files: [ArchiveFile], _ outcome: inout Outcome
  ) throws {
    var open: [(ArchiveFile, OpenFile)] = []
    var rows = 0
    var groups = 0
    for file in files {
      guard let one = try OpenFile(file) else { return }
      rows += one.reader.rowCount
      groups += one.reader.rowGroups.count
      open.append((file, one))
    }
    let least = (rows + parameters.rowsPerGroup - 1) / max(1, parameters.rowsPerGroup)
    guard groups > least * 2, groups > 2 else { return }
    // One file for all: the old ones go when it stands.
    var single = parameters
    single.octetsPerFile = .max
    single.rowGroupsPerFile = .max
    var writer = ArchiveFileWriter(root: root, parameters: single, isCompacted: true)
    writer.replaced = files.map(\.name)
    writer.presence = try presence(open.map(\.1))
    let narrow = RowBlock(capacity: max(1, parameters.rowsPerGroup))
    let wide = RowBlock(capacity: max(1, parameters.rowsPerGroup))
    narrow.begin(isNarrow: true, hour: hour, since: 0)
    wide.begin(isNarrow: false, hour: hour, since: 0)
    let scan = GroupScan()
    let batch = FlowBatch()
    for (_, file) in open {
      for group in file.reader.rowGroups {
        scan.begin(file, group: group.index)
        let columns = try scan.loadAll(nil)
        let isNarrow =
          file.isNarrow(.sourceAddress, group: group.index)
          && file.isNarrow(.destinationAddress, group: group.index)
        let block = isNarrow ? narrow : wide
        var row = 0
        while row < group.rowCount {
          let count = min(batch.capacity, block.room, group.rowCount - row)
          batch.removeAll()
          let indices = (row..<row + count).map { Int32($0) }
          scan.append(indices[...], columns, to: batch)
          block.append(batch, rows: .range(0..<count))
          row += count
          if block.room == 0 {
            try writer.write(block)
            block.begin(isNarrow: isNarrow, hour: hour, since: 0)
          }
        }
      }
    }
    try writer.write(narrow)
    try writer.write(wide)
    try writer.finish()
    for (file, _) in open {
      guard unlink(file.path) == 0 || errno == ENOENT else {
        throw ArchiveError.system(operation: "removing", path: file.path, code: errno)
      }
    }
    outcome.filesBefore += files.count
    outcome.filesAfter += writer.finished.count
    outcome.octetsBefore += files.reduce(0) { $0 + $1.octets }
    outcome.octetsAfter += writer.octetsFinished
    outcome.rows += rows
  }

  /// All columns that any row group fills, so that one file holds them all.
  private func presence(_ files: [OpenFile]) throws -> UInt64 {
    var presence: UInt64 = 0
    for file in files {
      for group in file.reader.rowGroups {
        for column in FlowColumn.allCases
        where file.place(column, group: group.index) != nil
          || file.place(column, group: group.index, isWide: true) != nil
        {
          presence |= column.bit
        }
      }
    }
    return presence
  }
}
