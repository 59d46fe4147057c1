import Foundation
import Parquet

/// Reads an archive page by page and compares checksums and counts.
public struct ArchiveVerification: Sendable {
  /// What is true of one file.
  public struct FileReport: Hashable, Sendable {
    public let file: ArchiveFile
    public var rows = 0
    public var rowGroups = 0
    public var pages = 0
    /// Pages that carry no checksum, because another program wrote them.
    public var uncheckedPages = 0
    /// The first thing that is wrong, as a sentence; nil for a whole file.
    public var fault: String?
  }

  public let reports: [FileReport]

  public var isWhole: Bool { reports.allSatisfy { $0.fault == nil } }
  public var rows: Int { reports.reduce(0) { $0 + $1.rows } }

  /// Reads all files of an archive or of a part of it.
  ///
  /// - Parameter progress: told how many of how many files are done.
  /// - Throws: ``ArchiveError`` when the folder cannot be listed; what is wrong with a file is in its
  ///   report.
  public init(
    path: String, progress: ((Int, Int) -> Void)? = nil
  ) throws(ArchiveError) {
    let files = try ArchiveCatalogue(path: path).files
    var reports: [FileReport] = []
    for file in files {
      reports.append(Self.check(file))
      progress?(reports.count, files.count)
    }
    self.reports = reports
  }

  private static func check(_ file: ArchiveFile) -> FileReport {
    var report = FileReport(file: file)
    do {
      let reader =
        file.isUnfinished
        ? try ParquetReader(unfinished: file.path) : try ParquetReader(path: file.path)
      report.rows = reader.rowCount
      for group in reader.rowGroups {
        let pages = try reader.checkPages(rowGroup: group.index)
        report.rowGroups += 1
        report.pages += pages.count
        report.uncheckedPages += pages.unchecked
      }
      if !file.isUnfinished, let seconds = file.seconds,
        let bounds = ArchiveRecovery.milliseconds(of: reader),
        bounds.lowerBound < seconds.lowerBound * 1_000
          || bounds.upperBound > seconds.upperBound * 1_000
      {
        report.fault = "its name tells another time than its flows have; give it its old name back"
      }
    } catch {
      report.fault = "\(error)"
    }
    return report
  }
}
