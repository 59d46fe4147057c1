public import FlowRecords
public import NetworkTypes
import Sketches

/// Attacks and their precursors from one reading of the flows: the monitor, the scanners, the
/// reflectors.
///
/// It belongs to one thread.
public final class AttackWatch {
  public let monitor: AttackMonitor
  public let scans: ScanWatch
  public let reflectors: ReflectorWatch
  /// Nanoseconds by which an exporter's newest flow may differ from the clock: a minute's active
  /// timeout and a minute on the way.
  private static let clockTolerance: Int64 = 120_000_000_000

  public init(monitor: AttackMonitor, scans: ScanWatch, reflectors: ReflectorWatch) {
    self.monitor = monitor
    self.scans = scans
    self.reflectors = reflectors
  }

  /// Takes in a batch.
  ///
  /// - Parameter received: the clock when it came, of live flows; nil for files.
  public func ingest(_ batch: FlowBatch, received: Timestamp? = nil) {
    for flow in Self.flows(batch, received: received) { ingest(flow) }
  }

  /// The flows of a batch, both directions of biflows.
  ///
  /// - Parameter received: the clock when it came, of live flows. What an exporter with a wrong
  /// clock
  ///   sends is moved by as much as its newest flow is wrong; nil for files.
  public static func flows(_ batch: FlowBatch, received: Timestamp?) -> [AttackFlow] {
    let shifts = received.map { self.shifts(batch, $0.nanoseconds) } ?? []
    let isBiflow = batch.has(.reversePackets)
    var flows: [AttackFlow] = []
    flows.reserveCapacity(batch.count * (isBiflow ? 2 : 1))
    for row in 0..<batch.count {
      guard var flow = AttackFlow(batch, row: row) else { continue }
      let back = isBiflow ? AttackFlow.reverse(of: batch, row: row) : nil
      let exporter = Int(batch.number(.exporter, row: row))
      let shift = exporter < shifts.count ? shifts[exporter] : 0
      flow.start &+= shift
      flow.end &+= shift
      // A single time that is wrong must not carry the watch into the future.
      if let received, flow.end &- received.nanoseconds > clockTolerance {
        flow.end = received.nanoseconds
        flow.start = flow.end
      }
      flows.append(flow)
      if var back {
        back.start &+= shift
        back.end &+= shift
        flows.append(back)
      }
    }
    return flows
  }

  /// Takes in a flow.
  public func ingest(_ flow: AttackFlow) {
    monitor.ingest(flow)
    scans.ingest(flow)
    reflectors.ingest(flow)
  }

  private static func shifts(_ batch: FlowBatch, _ now: Int64) -> [Int64] {
    // The newest that is not ahead of the clock, as one wrong time among right ones says nothing of
    // the clock; where all are ahead, the newest.
    var newest = [Int64](repeating: .min, count: batch.exporters.count)
    var ahead = newest
    for row in 0..<batch.count {
      let exporter = Int(batch.number(.exporter, row: row))
      guard exporter < newest.count else { continue }
      let end = Int64(bitPattern: batch.number(.end, row: row))
      if end &- now <= clockTolerance {
        newest[exporter] = max(newest[exporter], end)
      } else {
        ahead[exporter] = max(ahead[exporter], end)
      }
    }
    return newest.indices.map { exporter in
      let newest = newest[exporter] > 0 ? newest[exporter] : ahead[exporter]
      guard newest > 0 else { return 0 }
      let difference = now &- newest
      return difference.magnitude <= UInt64(clockTolerance) ? 0 : difference
    }
  }
}

/// Brings flows of files into the order of their ends, as far as a bounded memory reaches: archives
/// and nfcapd files have them in other orders.
public struct FlowSorter {
  private var flows: [AttackFlow] = []
  private let capacity: Int

  /// - Parameter capacity: flows in memory, 80 octets each; two row groups of the archive by
  /// default.
  public init(capacity: Int = 1 << 20) {
    self.capacity = max(2, capacity)
    flows.reserveCapacity(min(self.capacity, 1 << 16))
  }

  /// Adds a flow, and hands on the earlier half when the memory is full.
  public mutating func add(_ flow: AttackFlow, _ body: (AttackFlow) -> Void) {
    flows.append(flow)
    guard flows.count >= capacity else { return }
    flows.sort { $0.end < $1.end }
    let half = flows.count / 2
    for index in 0..<half { body(flows[index]) }
    flows.removeFirst(half)
  }

  /// Hands on the rest.
  public mutating func finish(_ body: (AttackFlow) -> Void) {
    flows.sort { $0.end < $1.end }
    for flow in flows { body(flow) }
    flows = []
  }
}

/// Looks into flows that are known to be an attack: a capture that somebody cut out.
///
/// ```swift
/// var dissection = AttackDissection(target: nil)
/// for flow in flows { dissection.survey(flow) }
/// dissection.begin()
/// for flow in flows { dissection.ingest(flow) }
/// let attack = dissection.attack
/// ```
public struct AttackDissection {
  private let parameters: AttackParameters
  private var target: IPPrefix?
  private var surveyed = DestinationSurvey()
  private var profile: AttackProfile?
  private var seconds: [Int64: (packets: Double, bits: Double, flows: Double)] = [:]
  private static let largestSeconds = 100_000

  /// - Parameter target: whom the attack was on; the destination of most packets unless given.
  public init(target: IPPrefix?, parameters: AttackParameters = AttackParameters()) {
    self.target = target
    self.parameters = parameters
  }

  /// The first reading: who is it on, and when does it begin?
  public mutating func survey(_ flow: AttackFlow) {
    guard flow.hasTime, target?.contains(flow.destination) ?? true else { return }
    surveyed.add(flow)
  }

  /// Between the two readings.
  public mutating func begin() {
    guard let top = surveyed.top else { return }
    if target == nil { target = IPPrefix(top) }
    profile = AttackProfile(start: surveyed.first, parameters: parameters)
  }

  /// The second reading.
  public mutating func ingest(_ flow: AttackFlow) {
    guard flow.hasTime, let target, target.contains(flow.destination) else { return }
    profile?.add(flow)
    let second = flow.end / 1_000_000_000
    guard seconds[second] != nil || seconds.count < Self.largestSeconds else { return }
    let sum = seconds[second] ?? (0, 0, 0)
    seconds[second] = (
      min(sum.packets + Double(flow.packets), 1e18),
      min(sum.bits + Double(flow.octets) * 8, 1e18),
      sum.flows + Double(flow.flows)
    )
  }

  /// What it was; nil when there was no flow to the target.
  public var attack: Attack? {
    guard let target, let profile, profile.total.flows > 0 else { return nil }
    let outcome = VectorNaming(parameters: parameters).outcome(profile)
    let start = Timestamp(nanoseconds: outcome.vectors.map(\.first.nanoseconds).min() ?? 0)
    let end = Timestamp(nanoseconds: profile.last)
    var series = RateSeries()
    let first = start.seconds
    let last = min(end.seconds, first + Int64(Self.largestSeconds))
    for second in first...max(first, last) {
      series.append(packets: seconds[second]?.packets ?? 0, bits: seconds[second]?.bits ?? 0)
    }
    let peak = seconds.max { $0.value.packets < $1.value.packets }
    let rate = AttackRate(
      packetsPerSecond: peak?.value.packets ?? 0,
      bitsPerSecond: seconds.values.map(\.bits).max() ?? 0,
      flowsPerSecond: seconds.values.map(\.flows).max() ?? 0)
    let count = profile.destinationCount.estimate.rounded()
    return Attack(
      id: Attack.identifier(start: start, target: target), target: target,
      isCarpet: count >= Double(parameters.carpetDestinations), network: nil, start: start,
      detected: end, end: end, isOver: true,
      trigger: AttackTrigger(
        kind: .all, unit: .packets, value: rate.packetsPerSecond, limit: 0, basis: .told),
      total: profile.total, peak: rate,
      peakTime: Timestamp(seconds: peak?.key ?? first), series: series, vectors: outcome.vectors,
      sources: outcome.sources, sourceCount: outcome.sourceCount,
      sourceCountError: outcome.sourceCountError, destinationCount: count,
      samplingRate: profile.samplingRate)
  }
}
