import FlowArchive
import FlowRecords
import NetworkTypes

/// Filters and sums over plain records, as simply as can be: what the engine must agree with.
enum Model {
  static func matches(_ filter: FlowFilter, _ flow: FlowRecord, isNegated: Bool = false) -> Bool {
    switch filter {
    case .any: return !isNegated
    case .not(let inner): return matches(inner, flow, isNegated: !isNegated)
    case .all(let parts):
      return isNegated
        ? parts.contains { matches($0, flow, isNegated: true) }
        : parts.allSatisfy { matches($0, flow) }
    case .some(let parts):
      return isNegated
        ? parts.allSatisfy { matches($0, flow, isNegated: true) }
        : parts.contains { matches($0, flow) }
    case .predicate(.flags(let mask)):
      let isTCP = flow.transport == .tcp
      return isNegated
        ? !isTCP || flow.tcpFlags & mask == 0 : isTCP && flow.tcpFlags & mask == mask
    case .predicate(let predicate): return test(predicate, flow) != isNegated
    }
  }

  private static func test(_ predicate: FlowPredicate, _ flow: FlowRecord) -> Bool {
    switch predicate {
    case .compare(let quantity, let comparison, let constant):
      let number = number(quantity, flow)
      switch comparison {
      case .equal: return number == constant
      case .less: return number < constant
      case .greater: return number > constant
      case .atMost: return number <= constant
      case .atLeast: return number >= constant
      }
    case .among(let quantity, let values): return values.contains(number(quantity, flow))
    case .address(let column, let blocks):
      let address = address(column, flow)
      return blocks.contains { $0.contains(address) }
    case .family(let isIPv4):
      return flow.source.isIPv4 == isIPv4 && flow.destination.isIPv4 == isIPv4
    case .flags: return false
    }
  }

  static func address(_ column: FlowColumn, _ flow: FlowRecord) -> IPAddress {
    switch column {
    case .sourceAddress: flow.source
    case .destinationAddress: flow.destination
    case .nextHop: flow.nextHop
    case .bgpNextHop: flow.bgpNextHop
    case .exporter: flow.exporter.address
    default: IPAddress(bits: 0)
    }
  }

  static func milliseconds(_ flow: FlowRecord) -> UInt64 {
    UInt64(bitPattern: flow.end.nanoseconds / 1_000_000 - flow.start.nanoseconds / 1_000_000)
  }

  static func number(_ quantity: FlowQuantity, _ flow: FlowRecord) -> UInt64 {
    let time = milliseconds(flow)
    switch quantity {
    case .packets: return flow.scaledPackets
    case .bytes: return flow.scaledBytes
    case .flows: return UInt64(max(1, flow.aggregatedFlows))
    case .packetsPerSecond: return time == 0 ? 0 : flow.scaledPackets * 1_000 / time
    case .bitsPerSecond: return time == 0 ? 0 : flow.scaledBytes * 8_000 / time
    case .bytesPerPacket: return flow.packets == 0 ? 0 : flow.scaledBytes / flow.scaledPackets
    case .duration: return time
    case .icmpType: return UInt64(flow.destinationPort >> 8)
    case .icmpCode: return UInt64(flow.destinationPort & 255)
    case .observationDomain: return UInt64(flow.exporter.domain)
    case .column(let column):
      let batch = FlowBatch(capacity: 1)
      batch.append(flow)
      return batch.number(column, row: 0)
    }
  }

  /// Flows, packets, octets.
  struct Sums: Hashable {
    var flows: UInt64 = 0
    var packets: UInt64 = 0
    var bytes: UInt64 = 0
    var first = Int64.max
    var last = Int64.min

    mutating func add(_ flow: FlowRecord) {
      flows += UInt64(max(1, flow.aggregatedFlows))
      packets += flow.scaledPackets
      bytes += flow.scaledBytes
      first = min(first, flow.start.nanoseconds / 1_000_000)
      last = max(last, flow.end.nanoseconds / 1_000_000)
    }
  }

  static func value(_ element: FlowElement, _ flow: FlowRecord) -> FlowValue {
    switch element.source {
    case .number(let column):
      let value = number(.column(column), flow)
      return column.kind == .mac ? .mac(value) : .number(value)
    case .observationDomain: return .number(UInt64(flow.exporter.domain))
    case .exporter: return .address(flow.exporter.address)
    case .interval(let seconds):
      return .number(UInt64(flow.start.seconds / seconds * seconds))
    case .address(let column, let v4Bits, let v6Bits):
      let address = address(column, flow)
      return .address(cut(address, address.isIPv4 ? v4Bits : v6Bits))
    case .network(let column, let length):
      return .address(cut(address(column, flow), Int(number(.column(length), flow))))
    }
  }

  private static func cut(_ address: IPAddress, _ length: Int) -> IPAddress {
    address.bits == 0
      ? address : IPPrefix(address, length: min(length, address.bitWidth))?.address ?? address
  }

  static func group(_ flows: [FlowRecord], _ passes: [[FlowElement]]) -> [[FlowValue]: Sums] {
    var groups: [[FlowValue]: Sums] = [:]
    for flow in flows {
      for elements in passes {
        groups[elements.map { value($0, flow) }, default: Sums()].add(flow)
      }
    }
    return groups
  }
}
