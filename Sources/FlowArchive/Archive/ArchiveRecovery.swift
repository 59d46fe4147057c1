import Foundation
import Parquet

/// What was done to an archive when it was opened.
public struct RecoveryReport: Hashable, Sendable {
  /// Parts that a kill had left behind and that are files now.
  public var completedFiles = 0
  public var recoveredRows = 0
  /// Octets of blocks that were not synced.
  public var lostOctets = 0
  /// Files removed because a compacted file stands for them.
  public var replacedFiles = 0
}

enum ArchiveRecovery {
  /// Completes the parts of an archive that nobody writes to, and finishes compactions. Needs the lock.
  static func run(root: String) throws -> RecoveryReport {
    var report = RecoveryReport()
    for file in try ArchiveCatalogue(path: root).files where file.isUnfinished {
      let outcome = try ParquetRecovery.complete(file.path)
      report.lostOctets += outcome.lostOctets
      report.recoveredRows += outcome.rowCount
      guard outcome.rowGroupCount > 0 else { continue }
      report.completedFiles += 1
      // A compaction that did not come to its end stands for nothing: what it would have replaced is
      // still there.
      if file.isCompacted {
        report.recoveredRows -= outcome.rowCount
        unlink(file.path)
        continue
      }
      let reader = try ParquetReader(path: file.path)
      if let bounds = milliseconds(of: reader) {
        let path = ArchiveLayout.finished(
          file.path, from: bounds.lowerBound, to: bounds.upperBound)
        guard rename(file.path, path) == 0 else {
          throw ArchiveError.system(operation: "renaming", path: file.path, code: errno)
        }
      }
    }
    for file in try ArchiveCatalogue(path: root).files where file.isCompacted {
      for path in try replaced(by: file) where FileManager.default.fileExists(atPath: path) {
        unlink(path)
        report.replacedFiles += 1
      }
    }
    try removeStrayJournals(root)
    return report
  }

  /// The files that a compacted one stands for: their paths.
  static func replaced(by file: ArchiveFile) throws -> [String] {
    guard file.isCompacted, !file.isUnfinished else { return [] }
    let reader = try ParquetReader(path: file.path)
    let folder = file.path.dropLast(file.name.count)
    let names = reader.metadata.first { $0.key == "noroshi.replaces" }?.value ?? ""
    // A name with a slash would reach out of the folder.
    return names.split(separator: "\n").filter { !$0.contains("/") }.map { String(folder + $0) }
  }

  /// The first start and the last end of a file, from its statistics.
  static func milliseconds(of reader: ParquetReader) -> ClosedRange<Int64>? {
    var first = Int64.max
    var last = Int64.min
    for group in reader.rowGroups {
      guard case .integer(let start) = group.statistics("start")?.minimum,
        case .integer(let end) = group.statistics("end")?.maximum
      else { return nil }
      first = min(first, start)
      last = max(last, end)
    }
    return first <= last ? first...last : nil
  }

  private static func removeStrayJournals(_ root: String) throws {
    guard let names = FileManager.default.enumerator(atPath: root) else { return }
    for case let name as String in names where name.hasSuffix(".parquet.journal") {
      let path = root + "/" + name.dropLast(8)
      if !FileManager.default.fileExists(atPath: path + ".part") {
        ParquetRecovery.removeStrayJournal(of: path)
      }
    }
  }
}

/// The right to write to an archive: one process at a time.
final class ArchiveLock: Sendable {
  private let descriptor: Int32

  init(root: String) throws {
    do {
      try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    } catch {
      throw ArchiveError.file(path: root, reason: "cannot be made: \(error.localizedDescription)")
    }
    let path = root + "/.lock"
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw ArchiveError.system(operation: "opening", path: path, code: errno)
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      throw ArchiveError.locked(path: root)
    }
  }

  deinit {
    release()
    close(descriptor)
  }

  /// Gives the right back. Closing alone would leave it with children that were forked meanwhile and
  /// have not come to their exec yet.
  func release() { flock(descriptor, LOCK_UN) }
}
