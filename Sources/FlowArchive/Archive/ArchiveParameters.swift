/// The numbers that decide how flows are kept, each with its reason.
public struct ArchiveParameters: Hashable, Sendable {
  /// Rows of a row group, which are sorted together: half of arrow's default. Larger ones compress a
  /// little better (a tenth at 2^20) and take proportionally more memory, about 80 octets a row.
  public var rowsPerGroup = 1 << 19
  /// Rows of a page: what a search for one address has to decompress at least. Our own choice.
  public var rowsPerPage = 1 << 15
  /// Zstandard's level; 1 is its fastest regular one.
  public var compressionLevel = 1
  /// Seconds after which received flows are on the disk at the latest: what a power failure or a kill
  /// may cost. nfcapd's files rotate every 300 s and are not synced before.
  public var syncSeconds = 10.0
  /// Octets from which on a file is finished and the next one begun.
  public var octetsPerFile = 256 << 20
  /// Row groups from which on a file is finished: its footer then has some hundred kilobytes.
  public var rowGroupsPerFile = 360
  /// Blocks of ``rowsPerGroup`` rows that wait to be written or are being filled; when all are taken,
  /// live flows are dropped and counted.
  public var blockCount = 6
  /// A batch whose flows ended more than this before the current hour began opens an older hour
  /// again; others go to the current hour with what came with them. Our own choice: twice the
  /// longest active timeout that routers have (1 h).
  public var lateSeconds: Int64 = 7_200
  /// Live flows that say they ended further from the clock than this are filed under the clock's hour:
  /// an exporter with a wrong clock makes no folders of 1970 or 2106.
  public var clockToleranceSeconds: Int64 = 86_400

  /// The values above.
  public init() {}
}

/// Why flows could not be kept or read.
public enum ArchiveError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The system refused an operation.
  case system(operation: String, path: String, code: Int32)
  /// Another process writes to this archive.
  case locked(path: String)
  /// A file of the archive could not be read.
  case file(path: String, reason: String)
  /// A query would take more memory than it may.
  case tooMuchMemory(what: String, limitOctets: Int)
  /// Whoever asked does not want the answer any more.
  case cancelled
  /// A query that makes no sense.
  case badQuery(String)

  /// What happened, where, and what to do.
  public var description: String {
    switch self {
    case .system(let operation, let path, let code):
      "\(operation) \(path): \(describe(code)); check the path, its permissions and the free space"
    case .locked(let path):
      "\(path) is being written by another process; stop it or use another archive"
    case .file(let path, let reason): "\(path): \(reason)"
    case .tooMuchMemory(let what, let limit):
      "\(what) would take more than \(limit >> 20) MiB of memory; narrow the time window or the filter, "
        + "aggregate by fewer elements, or raise the limit"
    case .cancelled: "the search was cancelled"
    case .badQuery(let reason): reason
    }
  }
}
