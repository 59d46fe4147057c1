import Foundation

/// Takes the oldest files of an archive away, by age and by size.
public struct ArchiveRetention: Hashable, Sendable {
  /// Seconds after their last flow ended that files are kept; nil for ever.
  public var keepSeconds: Int64?
  /// Octets of all files together; nil without limit.
  public var keepOctets: Int?

  /// What was taken away.
  public struct Outcome: Hashable, Sendable {
    public var files = 0
    public var octets = 0
    /// The names of the hours' folders that are gone or thinner, `2026/11/25/08`.
    public var folders: [String] = []

    /// Nothing.
    public init() {}
  }

  public init(keepSeconds: Int64? = nil, keepOctets: Int? = nil) {
    self.keepSeconds = keepSeconds
    self.keepOctets = keepOctets
  }

  /// Removes files that are too old, then the oldest ones until the rest fits. Files that are being
  /// written stay, and folders that become empty go.
  ///
  /// - Parameter now: Unix time in seconds.
  /// - Throws: ``ArchiveError``.
  public func enforce(root: String, now: Int64) throws(ArchiveError) -> Outcome {
    var outcome = Outcome()
    let files = try ArchiveCatalogue(path: root).files
    var left = files.reduce(0) { $0 + $1.octets }
    var folders: Set<String> = []
    for file in files where !file.isUnfinished {
      let last = file.seconds?.upperBound ?? (file.hour &+ 1) &* 3_600
      let isOld = keepSeconds.map { last < now &- $0 } ?? false
      let isTooMuch = keepOctets.map { left > $0 } ?? false
      guard isOld || isTooMuch else { continue }
      guard unlink(file.path) == 0 || errno == ENOENT else {
        throw .system(operation: "removing", path: file.path, code: errno)
      }
      left -= file.octets
      outcome.files += 1
      outcome.octets += file.octets
      folders.insert(ArchiveLayout.folder(hour: file.hour))
    }
    for folder in folders {
      // An hour's folder, then the day's, the month's and the year's: each only if it is empty.
      var path = root + "/" + folder
      for _ in 0..<4 where rmdir(path) == 0 {
        path = String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)])
      }
    }
    outcome.folders = folders.sorted()
    return outcome
  }
}
