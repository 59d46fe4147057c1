import FlowAnalysis
import FlowRecords
import Foundation
import Logging
import NetworkTypes
import ServiceLifecycle
import Settings
import Synchronization

/// Looks for attacks in the flows that a collector hands on, for as long as it runs.
///
/// ``feed(_:)`` is called by the collector's threads and only copies what is needed into a bounded
/// queue; a thread of its own does the rest. What does not fit there is dropped and counted, so
/// that collecting never waits for it.
final class AttackService: ServiceLifecycle.Service, @unchecked Sendable {
  // @unchecked Sendable: `watch` belongs to the thread of `work()`.

  private let watch: AttackWatch
  private let store: AttackStore
  /// Told of what happens to attacks, from the service's thread.
  private let tell: @Sendable (AttackEvent) -> Void
  /// Makes findings and cases of what was found.
  private let conclude:
    @Sendable ([AttackEvent], [ObservedScan], [ObservedReflector]) throws -> Void
  private let clock: @Sendable () -> Timestamp
  private let retentionDays: Int
  private let logger: Logger

  private let queue = PortionQueue<AttackFlow>(capacity: largestQueue)
  private let counters = Mutex(AttackCounters())

  /// Flows that may wait, 80 octets each: about half a second of a million flows a second.
  private static let largestQueue = 1 << 19
  private static let precursorSeconds = 60.0
  private static let learnedSeconds = 600.0
  private static let forgetSeconds = 86_400.0

  init(
    watch: AttackWatch, store: AttackStore, retentionDays: Int, logger: Logger,
    clock: @escaping @Sendable () -> Timestamp,
    tell: @escaping @Sendable (AttackEvent) -> Void,
    conclude:
      @escaping @Sendable ([AttackEvent], [ObservedScan], [ObservedReflector]) throws -> Void
  ) throws {
    self.watch = watch
    self.store = store
    self.logger = logger
    self.retentionDays = retentionDays
    self.clock = clock
    self.tell = tell
    self.conclude = conclude
    try store.closeOngoing()
    watch.monitor.restore(try store.learned())
  }

  /// Takes in a batch; the batch stays the caller's.
  func feed(_ batch: FlowBatch) {
    queue.append(AttackWatch.flows(batch, received: clock()))
  }

  /// What was seen, and what was dropped before it was.
  var statistics: (counters: AttackCounters, dropped: UInt64) {
    (counters.withLock { $0 }, queue.dropped)
  }

  func run() async throws {
    await queue.serve { [self] in work() }
  }

  private func work() {
    var precursors = ContinuousClock.now
    var learned = ContinuousClock.now
    var forgot: ContinuousClock.Instant?
    while let portions = queue.take(within: 0.25) {
      for flows in portions {
        for flow in flows { watch.ingest(flow) }
      }
      // Flows come at their end and take their time: what the clock says of the last seconds, they
      // do not.
      watch.monitor.advance(to: clock().advanced(bySeconds: -1))
      let events = watch.monitor.takeEvents()
      for event in events { tell(event) }
      let isDue = ContinuousClock.now - precursors >= .seconds(Self.precursorSeconds)
      if isDue { precursors = .now }
      keep(events, withPrecursors: isDue)
      if ContinuousClock.now - learned >= .seconds(Self.learnedSeconds) {
        learned = .now
        attempt { try store.save(watch.monitor.learned) }
      }
      if forgot.map({ ContinuousClock.now - $0 >= .seconds(Self.forgetSeconds) }) ?? true {
        forgot = .now
        attempt {
          _ = try store.forget(before: clock().advanced(bySeconds: -86_400 * Double(retentionDays)))
        }
      }
      let now = watch.monitor.counters
      counters.withLock { $0 = now }
    }
    // What goes on is stored as far as it was seen; the next start sees it anew.
    watch.monitor.finish()
    let events = watch.monitor.takeEvents()
    for event in events { tell(event) }
    keep(events, withPrecursors: true)
    attempt { try store.save(watch.monitor.learned) }
  }

  private func keep(_ events: [AttackEvent], withPrecursors: Bool) {
    let scans = withPrecursors ? watch.scans.takeScans() : []
    let reflectors = withPrecursors ? watch.reflectors.reflectors : []
    guard !events.isEmpty || !scans.isEmpty || !reflectors.isEmpty else { return }
    attempt {
      try store.record(events)
      try store.record(scans: scans, reflectors: reflectors)
      try conclude(events, scans, reflectors)
    }
  }

  /// A full disk or a locked database must not end the watch.
  private func attempt(_ body: () throws -> Void) {
    do { try body() } catch { logger.error("attacks cannot be stored: \(error)") }
  }
}

extension House {
  /// Attack detection for a collector: its batches go to ``AttackService/feed(_:)``.
  func attackService(
    _ prefixes: [IPPrefix], _ parameters: AttackParameters,
    tell: @escaping @Sendable (AttackEvent) -> Void = { _ in }
  ) throws -> AttackService {
    let logger = logger
    return try AttackService(
      watch: attackWatch(prefixes, parameters), store: attackStore(),
      retentionDays: configuration.ddos.retention.days, logger: logger,
      clock: { House.now },
      tell: { event in
        if let line = AttackLine.text(event) { logger.warning("\(line)") }
        tell(event)
      },
      conclude: { events, scans, reflectors in
        try conclude(events, scans: scans, reflectors: reflectors, at: House.now)
      })
  }

  /// What a collector must have for attacks to be noticed at once: flows handed on every tenth of a
  /// second.
  static func hurried(_ configuration: CollectorConfiguration) -> CollectorConfiguration {
    var configuration = configuration
    configuration.flushSeconds = min(configuration.flushSeconds, 0.1)
    return configuration
  }
}

/// An attack in one line of the log.
enum AttackLine {
  static func text(_ event: AttackEvent) -> String? {
    switch event {
    case .began(let attack): "attack began: \(line(attack))"
    case .changed: nil
    case .ended(let attack): "attack ended: \(line(attack))"
    case .absorbed(let id, let attack): "attack \(id) is part of \(attack.id)"
    }
  }

  private static func line(_ attack: Attack) -> String {
    "\(attack.id) \(attack.name) on \(attack.target), "
      + "\(Quantity.grouped(Int64(max(attack.peak.packetsPerSecond, attack.trigger.unit == .packets ? attack.trigger.value : 0)))) pps, "
      + "\(Quantity.grouped(Int64(attack.sourceCount))) sources (\(attack.vectors.first?.nature.rawValue ?? "unknown")), "
      + DDoSTable.trigger(attack.trigger)
  }
}
