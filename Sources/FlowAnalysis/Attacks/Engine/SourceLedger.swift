import NetworkTypes
import Sketches

/// The strongest sources of a vector, in bounded memory: packets by Space-Saving with its error
/// bound, and beside it what else is known of the sources that are kept.
struct SourceLedger {
  struct Details {
    var octets: UInt64 = 0
    var flows: UInt64 = 0
    var first = Int64.max
    var last = Int64.min
    var hasConnections = false
  }

  private(set) var counts: TopK<IPAddress>
  private(set) var details: [IPAddress: Details] = [:]
  private let capacity: Int

  init(capacity: Int) {
    self.capacity = max(16, capacity)
    counts = TopK(capacity: self.capacity)
  }

  mutating func add(_ flow: AttackFlow, packets: UInt64, octets: UInt64) {
    counts.add(flow.source, count: packets)
    if details.count >= 2 * capacity {
      details = details.filter { counts[$0.key] != nil }
    }
    details[flow.source, default: Details()].add(flow, octets: octets)
  }

  /// Takes in what another ledger counted.
  mutating func merge(_ other: SourceLedger) {
    counts.merge(other.counts)
    details.merge(other.details) { left, right in
      var sum = left
      sum.octets = left.octets.addingClamped(right.octets)
      sum.flows &+= right.flows
      sum.first = min(left.first, right.first)
      sum.last = max(left.last, right.last)
      sum.hasConnections = left.hasConnections || right.hasConnections
      return sum
    }
    details = details.filter { counts[$0.key] != nil }
  }
}

extension SourceLedger.Details {
  fileprivate mutating func add(_ flow: AttackFlow, octets: UInt64) {
    self.octets = self.octets.addingClamped(octets)
    flows &+= UInt64(flow.flows)
    first = min(first, flow.start)
    last = max(last, flow.end)
    if flow.kind == .tcpConnection { hasConnections = true }
  }
}

/// The last flows, to look back at when an attack is noticed.
struct RecentFlows {
  private var flows: [AttackFlow] = []
  private var next = 0
  private let capacity: Int

  init(capacity: Int) { self.capacity = max(1_024, capacity) }

  mutating func append(_ flow: AttackFlow) {
    if flows.count < capacity {
      flows.append(flow)
    } else {
      flows[next] = flow
      next = next &+ 1 == capacity ? 0 : next &+ 1
    }
  }

  /// In the order in which they came.
  func forEachFlow(_ body: (AttackFlow) -> Void) {
    for place in 0..<flows.count {
      var index = next &+ place
      if index >= flows.count { index &-= flows.count }
      body(flows[index])
    }
  }
}

/// Whom flows go to, and since when.
struct DestinationSurvey {
  private var counts: TopK<IPAddress> = TopK(capacity: 1_024)
  private(set) var first = Int64.max

  mutating func add(_ flow: AttackFlow) {
    counts.add(flow.destination, count: flow.packets)
    first = min(first, flow.start)
  }

  var top: IPAddress? { counts.entries(limit: 1).first?.key }
}
