public import FlowRecords
import Foundation
import NetworkTypes
import Parquet
import Synchronization

/// Searches an archive, with several threads and bounded memory.
///
/// Every search names who asks and why, and is told to `audit` before it begins and when it ended:
///
/// ```swift
/// let search = FlowSearch(
///   archive: "/var/lib/noroshi/flows",
///   purpose: try SearchPurpose(actor: "k.sato", purpose: "case 41: who talked to 192.0.2.7"),
///   audit: { record in … })
/// let query = try FlowQuery(.statistic(FlowElement.statistic("srcip")!, splitsByProtocol: false),
///   filter: "dst port 23", order: .bytes, limit: 10)
/// for row in try search.run(query).rows { print(row.key[0], row.bytes) }
/// ```
///
/// Searches block the thread that asks; start them from one that may wait.
public struct FlowSearch: Sendable {
  /// A folder of an archive, or one file of it.
  public let archive: String
  public let purpose: SearchPurpose
  public var parameters: QueryParameters
  /// Told of every search; what it throws stops the search before anything is read.
  public let audit: @Sendable (SearchRecord) throws -> Void
  /// Told now and then how many of how many row groups are done, from several threads.
  public var progress: (@Sendable (_ done: Int, _ total: Int) -> Void)?
  /// Asked now and then whether the answer is still wanted.
  public var isCancelled: (@Sendable () -> Bool)?

  public init(
    archive: String, purpose: SearchPurpose, parameters: QueryParameters = QueryParameters(),
    audit: @escaping @Sendable (SearchRecord) throws -> Void
  ) {
    self.archive = archive
    self.purpose = purpose
    self.parameters = parameters
    self.audit = audit
  }

  /// Answers a query.
  ///
  /// - Throws: ``ArchiveError``, or what `audit` throws.
  public func run(_ query: FlowQuery) throws -> FlowQueryResult {
    try audited(query) {
      try QueryRun(self, query).answer()
    }
  }

  /// Hands over all flows that match as batches, file by file and sorted only within a row group, with
  /// no limit: for exports and replays. The batch is used again after `body` returns. Gives back how
  /// many there were.
  ///
  /// - Throws: ``ArchiveError``, or what `audit` or `body` throws.
  @discardableResult
  public func forEachBatch(_ query: FlowQuery, _ body: (FlowBatch) throws -> Void) throws -> Int {
    try audited(query, kind: "export") {
      let run = try QueryRun(self, query)
      var result = FlowQueryResult()
      result.matched = try run.export(body)
      result.scanned = run.scannedRows
      return result
    }.matched
  }

  /// The same with only some columns, each row group in the order in which its flows ended, and with the
  /// next row groups decoded on other threads while `body` has one: for reckonings over many flows.
  ///
  /// - Parameter columns: all but the exporter's, which is left out.
  /// - Throws: ``ArchiveError``, or what `audit` or `body` throws.
  @discardableResult
  public func forEachBatch(
    _ query: FlowQuery, columns: [FlowColumn], _ body: (FlowBatch) throws -> Void
  ) throws -> Int {
    try audited(query, kind: "export") {
      let run = try QueryRun(self, query)
      var result = FlowQueryResult()
      result.matched = try run.export(columns, body)
      result.scanned = run.scannedRows
      return result
    }.matched
  }

  private func audited(
    _ query: FlowQuery, kind: String? = nil, _ work: () throws -> FlowQueryResult
  ) throws -> FlowQueryResult {
    let record = SearchRecord(begun: query, for: purpose, kind: kind, archive: archive)
    try audit(record)
    do {
      let result = try work()
      try audit(record.ended(with: result))
      return result
    } catch {
      try audit(record.failed(error))
      throw error
    }
  }
}

extension FlowQuery.Kind {
  /// What the audit trail calls it.
  var words: String {
    switch self {
    case .listing: "listing"
    case .statistic(let elements, _):
      "statistic " + elements.map(\.name).joined(separator: " or ")
    case .aggregation(let elements):
      "aggregation " + elements.map(\.name).joined(separator: ",")
    case .biflows: "biflows"
    }
  }
}

/// One query at work.
struct QueryRun {
  /// A row group to look at.
  struct Unit: Sendable {
    let file: OpenFile
    let group: Int
    /// Whether all of its rows match, by its statistics.
    let isWhole: Bool
    /// Whether all of its rows are in the window.
    let isInWindow: Bool
  }

  let search: FlowSearch
  let query: FlowQuery
  let filter: CompiledFilter
  /// The window in milliseconds.
  let window: ClosedRange<Int64>?
  let files: [OpenFile]
  let units: [Unit]

  init(_ search: FlowSearch, _ query: FlowQuery) throws(ArchiveError) {
    self.search = search
    self.query = query
    filter = CompiledFilter(query.filter, isRaw: query.isRaw)
    window = query.window.map { window in
      // Whole milliseconds, as the archive has them.
      let first = window.lowerBound.nanoseconds / 1_000_000
      return first...max(first, window.upperBound.nanoseconds / 1_000_000)
    }
    files = try Self.open(
      search.archive, query.window, openFileLimit: search.parameters.openFiles)
    var units: [Unit] = []
    for file in files {
      for group in file.reader.rowGroups where group.rowCount > 0 {
        let inside = Self.outcome(window, query.windowRule, file, group.index)
        if case .none = inside { continue }
        let outcome = filter.outcome(file, group.index)
        if case .none = outcome { continue }
        var isWhole = false
        if case .all = outcome { isWhole = true }
        var isInWindow = false
        if case .all = inside { isInWindow = true }
        units.append(
          Unit(file: file, group: group.index, isWhole: isWhole, isInWindow: isInWindow))
      }
    }
    self.units = units
  }

  var scannedRows: Int {
    units.reduce(0) { $0 + $1.file.reader.rowGroups[$1.group].rowCount }
  }

  private static func open(
    _ path: String, _ window: ClosedRange<Timestamp>?, openFileLimit: Int
  ) throws(ArchiveError) -> [OpenFile] {
    let catalogue = try ArchiveCatalogue(path: path)
    // A compacted file stands for others, which may still lie beside it for a moment.
    var replaced: Set<String> = []
    for file in catalogue.files where file.isCompacted && !file.isUnfinished {
      do { replaced.formUnion(try ArchiveRecovery.replaced(by: file)) } catch {
        throw .file(path: file.path, reason: "\(error)")
      }
    }
    let seconds = window.map { $0.lowerBound.seconds...$0.upperBound.seconds }
    var files: [OpenFile] = []
    for file in catalogue.files(in: seconds)
    where !replaced.contains(file.path) && !(file.isCompacted && file.isUnfinished) {
      // Beyond some hundred files each is opened again for every read: descriptors are few.
      if let open = try OpenFile(file, keepsOpen: files.count < openFileLimit) {
        files.append(open)
      } else if let again = try Self.renamed(file) {
        files.append(again)
      }
    }
    return files
  }

  /// A file that was finished between listing and opening: it lies under another name now.
  private static func renamed(_ file: ArchiveFile) throws(ArchiveError) -> OpenFile? {
    guard file.isUnfinished, let slash = file.path.lastIndex(of: "/") else { return nil }
    let stem = String(file.path.dropLast(8)) + "_"
    for other in try ArchiveCatalogue(path: String(file.path[..<slash])).files
    where other.path.hasPrefix(stem) && !other.isUnfinished {
      return try OpenFile(other)
    }
    return nil
  }

  /// Whether a row group's flows lie in the window.
  private static func outcome(
    _ window: ClosedRange<Int64>?, _ rule: FlowQuery.WindowRule, _ file: OpenFile, _ group: Int
  ) -> PruneOutcome {
    guard let window else { return .all }
    guard let starts = file.milliseconds(.start, group: group),
      let ends = file.milliseconds(.end, group: group)
    else { return .some }
    switch rule {
    case .inside:
      if starts.upperBound < window.lowerBound || ends.lowerBound > window.upperBound {
        return .none
      }
      return starts.lowerBound >= window.lowerBound && ends.upperBound <= window.upperBound
        ? .all : .some
    case .overlapping:
      if ends.upperBound < window.lowerBound || starts.lowerBound > window.upperBound {
        return .none
      }
      return ends.lowerBound >= window.lowerBound && starts.upperBound <= window.upperBound
        ? .all : .some
    }
  }

  /// The rows of a unit that match; nil for all of them.
  func mask(_ unit: Unit, _ scan: GroupScan) throws(ArchiveError) -> RowMask? {
    scan.begin(unit.file, group: unit.group)
    if unit.isWhole, unit.isInWindow { return nil }
    var mask = RowMask(count: scan.count)
    if !unit.isWhole { try filter.apply(to: &mask, scan) }
    if !unit.isInWindow, let window, mask.isAnyWanted(in: 0..<scan.count) {
      let starts = try scan.load(.start, mask)
      let ends = try scan.load(.end, mask)
      for row in 0..<scan.count where mask.flags[row] != 0 {
        let start = Int64(bitPattern: scan.number(starts, row))
        let end = Int64(bitPattern: scan.number(ends, row))
        let isIn =
          query.windowRule == .inside
          ? start >= window.lowerBound && end <= window.upperBound
          : end >= window.lowerBound && start <= window.upperBound
        if !isIn { mask.flags[row] = 0 }
      }
    }
    return mask
  }

  // MARK: Threads

  var threadCount: Int {
    let wanted = search.parameters.threads
    let threads = wanted > 0 ? wanted : ProcessInfo.processInfo.activeProcessorCount
    return max(1, min(threads, 256))
  }

  /// Runs `body` for 0..<count on several threads, each with a worker of its own made by `worker`.
  /// Gives back the workers. Stops at the first error.
  func parallel<Worker>(
    _ count: Int, worker: @autoclosure () -> Worker,
    _ body: (Worker, Int) throws(ArchiveError) -> Void
  ) throws(ArchiveError) -> [Worker] {
    let threads = max(1, min(threadCount, count))
    let state = Mutex(ParallelState())
    let workers = (0..<threads).map { _ in worker() }
    // `concurrentPerform` returns when all have: what is borrowed here lives long enough, and each
    // worker is touched by one iteration only.
    nonisolated(unsafe) let borrowed = workers
    withoutActuallyEscaping(body) { body in
      nonisolated(unsafe) let body = body
      DispatchQueue.concurrentPerform(iterations: threads) { thread in
        while true {
          let next: Int? = state.withLock { state in
            guard state.failure == nil, state.next < count else { return nil }
            defer { state.next += 1 }
            return state.next
          }
          guard let next else { return }
          do throws(ArchiveError) {
            if search.isCancelled?() ?? false { throw .cancelled }
            try body(borrowed[thread], next)
          } catch {
            state.withLock { if $0.failure == nil { $0.failure = error } }
            return
          }
          let done = state.withLock { state in
            state.done += 1
            return state.done
          }
          search.progress?(done, count)
        }
      }
    }
    if let failure = state.withLock({ $0.failure }) { throw failure }
    return workers
  }

  private struct ParallelState {
    var next = 0
    var done = 0
    var failure: ArchiveError?
  }
}
