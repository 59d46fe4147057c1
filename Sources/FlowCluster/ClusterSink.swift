public import FlowRecords
import Foundation
public import Logging
import NetworkTypes
import Synchronization

/// Sends flows to a ClickHouse cluster: takes batches, has them in a spool on the disk within
/// ``SinkParameters/flushSeconds``, and from there inserts them, each exactly once.
///
/// ```swift
/// let sink = try ClusterSink(try ClusterAddress("clickhouse://db1,db2/noroshi/flows"), spool: "…/spool")
/// async let delivery: Void = sink.run()
/// sink.append(batch)
/// ```
///
/// Every insert goes into the local table of one shard as one block of one partition, which a server takes
/// whole or not at all. A shard that does not answer keeps its batches in the spool; new ones go to the
/// shard with the least waiting. An insert of which it is not known whether it arrived is recognised by the
/// server when it comes again (replicated tables, and plain ones from 21.1 on), or looked for by its batch
/// number before (plain tables of older servers).
///
/// Taking flows never waits for a server. When the spool is full, live flows are dropped and counted.
public final class ClusterSink: Sendable {
  /// What happened to the flows so far.
  public struct Counters: Hashable, Sendable, Codable {
    /// Flows taken.
    public var accepted = 0
    /// Flows that are in the spool or have left it.
    public var spooled = 0
    /// Flows that a server has.
    public var delivered = 0
    /// Flows of ``delivered`` that turned out to be there already when they were to be sent again.
    public var confirmed = 0
    /// Flows refused because the spool was full, or all blocks waited for the disk.
    public var dropped = 0
    /// Flows that could not be written to the spool, or whose file was damaged.
    public var lost = 0
    public var inserts = 0
    /// Inserts that failed and are tried again.
    public var failures = 0
    /// What waits in the spool.
    public var spoolOctets = 0
    public var spoolBatches = 0
    /// Batches in the spool for servers that the address does not name any more.
    public var strayBatches = 0
    /// The last failure as a sentence; nil when everything goes on again.
    public var lastError: String?
  }

  private struct Progress {
    var counters = Counters()
    /// The last failure of each shard since it last took a batch.
    var shardErrors: [String: String] = [:]
    /// The last failure of the spool since it last took a batch.
    var spoolError: String?
    /// The shard that is next when all wait alike.
    var turn = 0
  }

  private struct State {
    /// By their day.
    var blocks: [UInt16: BlockBuilder] = [:]
    var accepted = 0
    var dropped = 0
    var isClosed = false
  }

  public let address: ClusterAddress
  let parameters: SinkParameters
  let spool: Spool
  let logger: Logger
  /// The text by which the spool knows each shard.
  let shards: [String]
  private let clock: (@Sendable () -> Int64)?
  private let state = Mutex(State())
  private let progress = Mutex(Progress())
  private let queue = DispatchQueue(label: "cluster spool", qos: .utility)
  private let blocksFree: DispatchSemaphore
  /// Started in `init`, cancelled on the queue or in `deinit`: never touched twice at a time.
  private nonisolated(unsafe) let timer: any DispatchSourceTimer

  /// Opens the spool; nothing is sent before ``run()``.
  ///
  /// - Parameters:
  ///   - spool: a folder; made if missing.
  ///   - clock: Unix time in seconds of a live collector, against which exporters' clocks are held; nil
  ///     for imports.
  /// - Throws: ``ClusterError``.
  public init(
    _ address: ClusterAddress, spool: String, parameters: SinkParameters = SinkParameters(),
    clock: (@Sendable () -> Int64)? = nil, logger: Logger = Logger(label: "noroshi.cluster")
  ) throws(ClusterError) {
    self.address = address
    self.parameters = parameters
    self.logger = logger
    self.clock = clock
    self.spool = try Spool(folder: spool)
    shards = address.shards.map { $0.map(\.description).joined(separator: "+") }
    // Counted up from 0: a semaphore must not go away below the value that it began with.
    blocksFree = DispatchSemaphore(value: 0)
    for _ in 0..<max(2, parameters.blockCount) { blocksFree.signal() }
    timer = DispatchSource.makeTimerSource(queue: queue)
    let interval = max(0.02, parameters.flushSeconds / 4)
    timer.schedule(deadline: .now() + interval, repeating: interval)
    timer.setEventHandler { [weak self] in self?.flushOld() }
    timer.resume()
    for path in self.spool.unreadable {
      logger.error("\(path) of the spool cannot be read and is left there")
    }
  }

  deinit { timer.cancel() }

  /// The spool's folder.
  public var folder: String { spool.folder }

  /// How it went so far.
  public var counters: Counters {
    var counters = progress.withLock { progress in
      var counters = progress.counters
      counters.lastError =
        progress.spoolError ?? progress.shardErrors.min { $0.key < $1.key }?.value
      return counters
    }
    state.withLock { state in
      counters.accepted = state.accepted
      counters.dropped += state.dropped
    }
    (counters.spoolOctets, counters.spoolBatches) = spool.extent
    counters.strayBatches = spool.strays(Set(shards))
    return counters
  }

  func count(_ change: (inout Counters) -> Void) { progress.withLock { change(&$0.counters) } }

  /// Says how a shard does; nil when it has taken a batch.
  func note(_ error: String?, shard: String) {
    progress.withLock { $0.shardErrors[shard] = error }
  }

  private func note(spool error: String?) { progress.withLock { $0.spoolError = error } }

  /// What `/metrics` says: names, help and values; gauges are those that are no counters.
  public var metrics: [(name: String, help: String, isCounter: Bool, value: Int)] {
    let counters = counters
    return [
      (
        "noroshi_flows_cluster_accepted_total", "Flows handed to the sink.", true, counters.accepted
      ),
      ("noroshi_flows_cluster_spooled_total", "Flows put on the disk.", true, counters.spooled),
      (
        "noroshi_flows_cluster_delivered_total", "Flows that a server has.", true,
        counters.delivered
      ),
      (
        "noroshi_flows_cluster_confirmed_total", "Flows found there before they were sent again.",
        true, counters.confirmed
      ),
      (
        "noroshi_flows_cluster_dropped_total", "Flows dropped as the spool or its disk was full.",
        true, counters.dropped
      ),
      ("noroshi_flows_cluster_lost_total", "Flows that could not be kept.", true, counters.lost),
      ("noroshi_flows_cluster_inserts_total", "Inserts that succeeded.", true, counters.inserts),
      (
        "noroshi_flows_cluster_failures_total", "Inserts that failed and were tried again.", true,
        counters.failures
      ),
      ("noroshi_flows_cluster_spool_bytes", "What waits on the disk.", false, counters.spoolOctets),
      (
        "noroshi_flows_cluster_spool_batches", "Batches that wait on the disk.", false,
        counters.spoolBatches
      ),
      (
        "noroshi_flows_cluster_stray_batches", "Batches for servers that are not named any more.",
        false, counters.strayBatches
      ),
    ]
  }

  // MARK: Taking

  /// Takes flows of a live collector; those for which there is no room are dropped and counted.
  public func append(_ batch: FlowBatch) { take(batch, isPatient: false) }

  /// Takes flows of an import, and waits for room where need be; ``run()`` must be running.
  public func appendPatiently(_ batch: FlowBatch) { take(batch, isPatient: true) }

  private func take(_ batch: FlowBatch, isPatient: Bool) {
    guard batch.count > 0 else { return }
    let filing = Filing.of(batch, now: clock?(), tolerance: parameters.clockToleranceSeconds)
    var days: [UInt16: [Int32]] = [:]
    if let day = filing.first?.day, filing.allSatisfy({ $0.day == day }) {
      days[day] = (0..<batch.count).map { Int32(truncatingIfNeeded: $0) }
    } else {
      for (row, place) in filing.enumerated() {
        days[place.day, default: []].append(Int32(truncatingIfNeeded: row))
      }
    }
    state.withLock { state in
      guard !state.isClosed else {
        state.dropped += batch.count
        return
      }
      for (day, rows) in days {
        take(batch, rows[...], day: day, filing, isPatient: isPatient, &state)
      }
    }
  }

  private func take(
    _ batch: FlowBatch, _ rows: ArraySlice<Int32>, day: UInt16, _ filing: [Filing], isPatient: Bool,
    _ state: inout State
  ) {
    var rest = rows
    while !rest.isEmpty {
      if state.blocks[day] == nil {
        if state.blocks.count >= max(1, parameters.openDays),
          let oldest = state.blocks.values.min(by: { $0.since < $1.since })
        {
          state.blocks[oldest.day] = nil
          hand(over: oldest, isPatient: isPatient)
        }
        // The semaphore is signalled by the queue, which takes no lock of this state.
        let isFree =
          isPatient
          ? {
            blocksFree.wait()
            return true
          }() : blocksFree.wait(timeout: .now()) == .success
        guard isFree else {
          state.dropped += rest.count
          return
        }
        state.blocks[day] = BlockBuilder(
          capacity: parameters.rowsPerBatch, day: day, since: Self.monotonicSeconds)
      }
      // Made just above where it was missing.
      guard let block = state.blocks[day] else { return }
      let part = rest.prefix(block.room)
      block.append(batch, rows: part, filing: filing)
      state.accepted += part.count
      rest = rest.dropFirst(part.count)
      if block.room == 0 {
        state.blocks[day] = nil
        hand(over: block, isPatient: isPatient)
      }
    }
  }

  static var monotonicSeconds: Double {
    Double(DispatchTime.now().uptimeNanoseconds) / 1e9
  }

  // MARK: Spooling

  private func flushOld() {
    let now = Self.monotonicSeconds
    let old = state.withLock { state in
      let old = state.blocks.values.filter { now - $0.since >= parameters.flushSeconds }
      for block in old { state.blocks[block.day] = nil }
      return old
    }
    for block in old { hand(over: block, isPatient: false) }
  }

  private func hand(over block: BlockBuilder, isPatient: Bool) {
    queue.async { [self] in
      store(block, isPatient: isPatient)
      blocksFree.signal()
    }
  }

  private func store(_ block: BlockBuilder, isPatient: Bool) {
    while spool.extent.octets >= parameters.spoolOctets {
      guard isPatient, !state.withLock({ $0.isClosed }) else {
        count { $0.dropped += block.count }
        note(
          spool:
            "the spool \(spool.folder) is full: its limit is \(parameters.spoolOctets >> 20) MiB; "
            + "see why the cluster does not take flows")
        return
      }
      usleep(20_000)
    }
    // The shard with the least waiting; each in turn where they are equal.
    let turn = progress.withLock { progress in
      progress.turn &+= 1
      return progress.turn
    }
    let order = shards.indices.map { shards[($0 &+ turn) % shards.count] }
    let shard = order.map { ($0, spool.octets(for: $0)) }.min { $0.1 < $1.1 }?.0 ?? shards[0]
    do {
      try spool.store(block, shard: shard)
      count { $0.spooled += block.count }
      note(spool: nil)
    } catch {
      count { $0.lost += block.count }
      note(spool: "\(error)")
      logger.error("flows are lost: \(error)")
    }
  }

  /// Puts everything that was taken into the spool, and takes no more.
  public func close() {
    let blocks = state.withLock { state in
      state.isClosed = true
      defer { state.blocks = [:] }
      return Array(state.blocks.values)
    }
    for block in blocks { hand(over: block, isPatient: false) }
    queue.sync {}
  }

  /// Whether nothing waits any more.
  public var isEmpty: Bool {
    spool.extent.batches == 0 && state.withLock { $0.blocks.isEmpty }
  }

  /// Puts what was taken so far into the spool without waiting for the time to pass.
  public func flush() {
    let blocks = state.withLock { state in
      defer { state.blocks = [:] }
      return Array(state.blocks.values)
    }
    for block in blocks { hand(over: block, isPatient: false) }
    queue.sync {}
  }
}
