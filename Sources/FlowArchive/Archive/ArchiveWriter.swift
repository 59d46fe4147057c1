public import FlowRecords
import Foundation
import NetworkTypes
import Synchronization

/// Keeps flows: takes batches, and has them on the disk within
/// ``ArchiveParameters/syncSeconds``, sorted and compressed, one folder an hour.
///
/// ``append(_:)`` copies and returns: sorting, compressing, syncing and beginning new files happen on a
/// queue of their own. Safe to use from several threads.
///
/// ```swift
/// let writer = try ArchiveWriter(root: "/var/lib/noroshi/flows")
/// writer.append(batch)
/// try writer.close()
/// ```
///
/// A writer that goes away without ``close()`` loses what it has not synced yet, as a kill does.
public final class ArchiveWriter: Sendable {
  /// What happened to the flows so far.
  public struct Counters: Hashable, Sendable {
    /// Flows taken.
    public var accepted = 0
    /// Flows that are on the disk.
    public var synced = 0
    /// Flows refused because all blocks were waiting for the disk.
    public var dropped = 0
    /// Flows that could not be written; see ``lastError``.
    public var lost = 0
    public var rowGroups = 0
    /// Octets of files, with the open one.
    public var octets = 0
    public var files = 0
    /// The last failure, as a sentence.
    public var lastError: String?
  }

  private struct State {
    var narrow: RowBlock?
    var wide: RowBlock?
    var hour: Int64?
    var counters = Counters()
    var isClosed = false
  }

  /// What is done on the queue; only the queue touches it.
  private final class Output: @unchecked Sendable {
    var files: ArchiveFileWriter
    init(_ files: ArchiveFileWriter) { self.files = files }
  }

  public let root: String
  /// What was repaired when the archive was opened.
  public let recovery: RecoveryReport
  private let parameters: ArchiveParameters
  /// Unix time in seconds; nil for an import, whose flows have any age.
  private let clock: (@Sendable () -> Int64)?
  private let lock: ArchiveLock
  private let state: Mutex<State>
  private let output: Output
  private let queue = DispatchQueue(label: "flow archive", qos: .utility)
  private let blocksFree: DispatchSemaphore
  /// Started in `init`, cancelled on the queue or in `deinit`: never touched twice at a time.
  private nonisolated(unsafe) let timer: any DispatchSourceTimer

  /// Opens an archive for writing, and completes what a kill left unfinished.
  ///
  /// - Parameters:
  ///   - root: the archive's folder; made if missing.
  ///   - clock: Unix time in seconds of a live collector, against which exporters' clocks are held; nil
  ///     for imports.
  /// - Throws: ``ArchiveError``, `ParquetError`.
  public init(
    root: String, parameters: ArchiveParameters = ArchiveParameters(),
    clock: (@Sendable () -> Int64)? = nil
  ) throws {
    self.root = root
    self.parameters = parameters
    self.clock = clock
    lock = try ArchiveLock(root: root)
    recovery = try ArchiveRecovery.run(root: root)
    state = Mutex(State())
    output = Output(ArchiveFileWriter(root: root, parameters: parameters, isCompacted: false))
    // Counted up from 0: a semaphore must not go away below the value that it began with.
    blocksFree = DispatchSemaphore(value: 0)
    for _ in 0..<max(2, parameters.blockCount) { blocksFree.signal() }
    timer = DispatchSource.makeTimerSource(queue: queue)
    let interval = max(0.05, parameters.syncSeconds / 4)
    timer.schedule(deadline: .now() + interval, repeating: interval)
    timer.setEventHandler { [weak self] in self?.handOverOldBlocks() }
    timer.resume()
  }

  deinit { timer.cancel() }

  /// How it went so far.
  public var counters: Counters {
    var counters = state.withLock { $0.counters }
    let written = progress.withLock { $0 }
    counters.synced = written.synced
    counters.lost = written.lost
    counters.rowGroups = written.rowGroups
    counters.octets = written.octets
    counters.files = written.files
    counters.lastError = written.lastError
    return counters
  }

  /// Takes flows of a live collector; those for which no block is free are dropped and counted.
  public func append(_ batch: FlowBatch) { take(batch, isPatient: false) }

  /// Takes flows of an import, and waits for the disk where need be.
  public func appendPatiently(_ batch: FlowBatch) { take(batch, isPatient: true) }

  private func take(_ batch: FlowBatch, isPatient: Bool) {
    guard batch.count > 0 else { return }
    let hour = hour(of: batch)
    state.withLock { state in
      guard !state.isClosed else {
        state.counters.dropped += batch.count
        return
      }
      moveOn(to: hour, &state)
      if batch.isIPv4 {
        take(batch, .range(0..<batch.count), isNarrow: true, isPatient, &state)
        return
      }
      var narrow: [Int] = []
      var wide: [Int] = []
      for row in 0..<batch.count {
        let isNarrow =
          batch.address(.sourceAddress, row: row).isIPv4
          && batch.address(.destinationAddress, row: row).isIPv4
        if isNarrow { narrow.append(row) } else { wide.append(row) }
      }
      take(batch, .some(narrow), isNarrow: true, isPatient, &state)
      take(batch, .some(wide), isNarrow: false, isPatient, &state)
    }
  }

  private func take(
    _ batch: FlowBatch, _ rows: RowChoice, isNarrow: Bool, _ isPatient: Bool,
    _ state: inout State
  ) {
    var rows = rows
    while rows.count > 0 {
      guard let block = block(isNarrow: isNarrow, isPatient, &state) else {
        state.counters.dropped += rows.count
        return
      }
      let (now, later) = rows.split(at: min(rows.count, block.room))
      block.append(batch, rows: now)
      state.counters.accepted += now.count
      rows = later
      if block.room == 0 { handOver(isNarrow: isNarrow, &state) }
    }
  }

  /// The block being filled, or a new one; nil when all are waiting for the disk.
  private func block(isNarrow: Bool, _ isPatient: Bool, _ state: inout State) -> RowBlock? {
    if let open = isNarrow ? state.narrow : state.wide { return open }
    // An import may wait here with the lock held: the queue gives blocks back without it.
    guard blocksFree.wait(timeout: isPatient ? .distantFuture : .now()) == .success else {
      return nil
    }
    let block =
      returned.withLock { $0.popLast() } ?? RowBlock(capacity: max(1, parameters.rowsPerGroup))
    block.begin(isNarrow: isNarrow, hour: state.hour ?? 0, since: Self.monotonicSeconds)
    if isNarrow { state.narrow = block } else { state.wide = block }
    return block
  }

  /// Blocks that the queue is done with.
  private let returned = Mutex<[RowBlock]>([])

  private static var monotonicSeconds: Double {
    Double(DispatchTime.now().uptimeNanoseconds) / 1e9
  }

  // MARK: Hours

  /// The partition of a batch: the hour in which the flow in its middle ended.
  private func hour(of batch: FlowBatch) -> Int64 {
    let row = batch.count / 2
    let nanoseconds = Int64(bitPattern: batch.number(.end, row: row))
    let seconds = Timestamp(nanoseconds: nanoseconds).seconds
    let hour = ArchiveLayout.hour(milliseconds: seconds &* 1_000)
    guard let now = clock?() else { return hour }
    let isPlausible = abs(Double(seconds) - Double(now)) <= Double(parameters.clockToleranceSeconds)
    return isPlausible ? hour : ArchiveLayout.hour(milliseconds: now &* 1_000)
  }

  private func moveOn(to hour: Int64, _ state: inout State) {
    if let current = state.hour {
      let isLate = hour < current && (current - hour) * 3_600 <= parameters.lateSeconds
      guard hour != current, !isLate else { return }
      handOver(isNarrow: true, &state)
      handOver(isNarrow: false, &state)
    }
    state.hour = hour
  }

  // MARK: The queue

  private func handOver(isNarrow: Bool, _ state: inout State) {
    guard let block = isNarrow ? state.narrow : state.wide else { return }
    if isNarrow { state.narrow = nil } else { state.wide = nil }
    queue.async { [self] in write(block) }
  }

  private func write(_ block: RowBlock) {
    let rows = block.count
    var failure: String?
    do { try output.files.write(block) } catch { failure = "\(error)" }
    returned.withLock { $0.append(block) }
    blocksFree.signal()
    let octets = output.files.octetsFinished + output.files.octetsOpen
    let files = output.files.finished.count
    progress.withLock { counters in
      if let failure {
        counters.lost += rows
        counters.lastError = failure
      } else {
        counters.synced += rows
        counters.rowGroups += 1
      }
      counters.octets = octets
      counters.files = files
    }
  }

  /// The queue's own counters: it must never wait for a thread that waits for a block.
  private let progress = Mutex(Counters())

  private func handOverOldBlocks() {
    let now = Self.monotonicSeconds
    // On the queue: a thread that holds the lock may be waiting for this queue, so do not wait for it.
    _ = state.withLockIfAvailable { state in
      for isNarrow in [true, false] {
        let block = isNarrow ? state.narrow : state.wide
        if let block, block.count > 0, now - block.since >= parameters.syncSeconds {
          handOver(isNarrow: isNarrow, &state)
        }
      }
    }
  }

  // MARK: Ends

  /// Returns when all flows taken so far are on the disk.
  ///
  /// - Throws: ``ArchiveError/file(path:reason:)`` when some could not be written since it was opened.
  public func flush() throws {
    state.withLock { state in
      handOver(isNarrow: true, &state)
      handOver(isNarrow: false, &state)
    }
    queue.sync {}
    if let reason = counters.lastError { throw ArchiveError.file(path: root, reason: reason) }
  }

  /// Writes what is left, finishes the open file and takes no more flows.
  ///
  /// - Throws: as ``flush()``.
  public func close() throws {
    state.withLock { state in
      handOver(isNarrow: true, &state)
      handOver(isNarrow: false, &state)
      state.isClosed = true
    }
    queue.sync {
      timer.cancel()
      do { try output.files.finish() } catch {
        progress.withLock { $0.lastError = "\(error)" }
      }
      progress.withLock { $0.files = output.files.finished.count }
    }
    lock.release()
    if let reason = counters.lastError { throw ArchiveError.file(path: root, reason: reason) }
  }
}
