import Foundation
import NetworkTypes

/// Where the files of an archive lie: `YYYY/MM/DD/HH/flows-….parquet` in UTC.
///
/// A finished file's name ends with the seconds since 1970 of its first flow's start and its last one's
/// end, `…_FIRST_LAST.parquet`, so that a search passes over it without opening it.
public enum ArchiveLayout {
  /// The folder of an hour since 1970, relative to the archive: `2026/11/25/08`.
  public static func folder(hour: Int64) -> String {
    // RFC 3339 text: 2026-11-25T08:00:00Z.
    let (seconds, overflow) = hour.multipliedReportingOverflow(by: 3_600)
    let text = Timestamp(seconds: overflow ? 0 : seconds).description
    let date = text.split(separator: "T")
    let parts = date[0].split(separator: "-")
    return (parts + [date[1].prefix(2)]).joined(separator: "/")
  }

  /// The hour of a moment in milliseconds since 1970, rounded towards the past.
  static func hour(milliseconds: Int64) -> Int64 {
    let quotient = milliseconds / 3_600_000
    return milliseconds % 3_600_000 < 0 ? quotient - 1 : quotient
  }

  /// The hour that a folder `YYYY/MM/DD/HH` stands for; nil for another name.
  static func hour(folder: String) -> Int64? {
    let parts = folder.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 4, parts[0].count == 4, parts.dropFirst().allSatisfy({ $0.count == 2 }),
      let moment = Timestamp("\(parts[0])-\(parts[1])-\(parts[2])T\(parts[3]):00:00Z")
    else { return nil }
    return moment.seconds / 3_600
  }

  /// The name of a file while it is written, unique within the archive's life by clock and counter.
  static func name(milliseconds: Int64, counter: Int, isCompacted: Bool) -> String {
    let digits = String(counter)
    let padded = String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    return (isCompacted ? "compact-" : "flows-") + "\(milliseconds)-\(padded).parquet"
  }

  /// The name of a finished file whose flows lie between two moments in milliseconds since 1970.
  static func finished(_ name: String, from first: Int64, to last: Int64) -> String {
    // Both ends are rounded to the outside.
    let start = first / 1_000 - (first % 1_000 < 0 ? 1 : 0)
    let end = last / 1_000 + (last % 1_000 > 0 ? 1 : 0)
    let stem = name.hasSuffix(".parquet") ? String(name.dropLast(8)) : name
    return "\(stem)_\(start)_\(max(start, end)).parquet"
  }

  /// The seconds that a finished file's name tells; nil when it tells none.
  static func bounds(name: String) -> ClosedRange<Int64>? {
    guard name.hasSuffix(".parquet") else { return nil }
    let parts = name.dropLast(8).split(separator: "_", omittingEmptySubsequences: false)
    guard parts.count == 3, let first = Int64(parts[1]), let last = Int64(parts[2]), first <= last
    else { return nil }
    return first...last
  }
}

/// One file of an archive.
public struct ArchiveFile: Hashable, Sendable {
  public let path: String
  /// The hours since 1970 that its folder stands for.
  public let hour: Int64
  /// Seconds since 1970 of the first start and the last end in it, if its name tells.
  public let seconds: ClosedRange<Int64>?
  public let octets: Int
  /// Whether it is still being written: only its synced row groups can be read.
  public let isUnfinished: Bool

  /// The last part of the path.
  public var name: String {
    String(path[(path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex)...])
  }

  var isCompacted: Bool { name.hasPrefix("compact-") }
}

/// The files that lie in an archive now.
public struct ArchiveCatalogue: Sendable {
  /// By hour and name.
  public let files: [ArchiveFile]

  /// Lists an archive, or a part of it: any folder whose files lie in `YYYY/MM/DD/HH` below it, or that
  /// is such a folder, or a single Parquet file.
  ///
  /// - Throws: ``ArchiveError/system(operation:path:code:)`` when there is no such folder.
  public init(path: String) throws(ArchiveError) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw .system(operation: "opening", path: path, code: ENOENT)
    }
    guard isFolder.boolValue else {
      files = [Self.file(path, hour: 0)].compactMap(\.self)
      return
    }
    var found: [ArchiveFile] = []
    // Four levels of folders at most: year, month, day, hour.
    var folders: [(path: String, depth: Int)] = [(path, 0)]
    while let folder = folders.popLast() {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
      let parts = folder.path.split(separator: "/").suffix(4).joined(separator: "/")
      let hour = ArchiveLayout.hour(folder: parts) ?? 0
      for name in names {
        let place = folder.path + "/" + name
        if name.hasSuffix(".parquet") || name.hasSuffix(".parquet.part") {
          if let file = Self.file(place, hour: hour) { found.append(file) }
        } else if folder.depth < 4, !name.isEmpty, name.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }) {
          folders.append((place, folder.depth + 1))
        }
      }
    }
    files = found.sorted { ($0.hour, $0.name) < ($1.hour, $1.name) }
  }

  private static func file(_ path: String, hour: Int64) -> ArchiveFile? {
    guard let attributes = try? FileManager.default.attributesOfItem(atPath: path),
      let size = attributes[.size] as? NSNumber
    else { return nil }
    let isPart = path.hasSuffix(".part")
    let whole = isPart ? String(path.dropLast(5)) : path
    let name = whole[(whole.lastIndex(of: "/").map(whole.index(after:)) ?? whole.startIndex)...]
    return ArchiveFile(
      path: whole, hour: hour, seconds: isPart ? nil : ArchiveLayout.bounds(name: String(name)),
      octets: size.intValue, isUnfinished: isPart)
  }

  /// Octets of all files.
  public var octets: Int { files.reduce(0) { $0 + $1.octets } }

  /// The files that may hold flows of a window in seconds since 1970.
  public func files(in window: ClosedRange<Int64>?) -> [ArchiveFile] {
    guard let window else { return files }
    return files.filter { $0.seconds.map { $0.overlaps(window) } ?? true }
  }
}
