package import FlowArchive
package import FlowRecords
import Foundation
import NetworkTypes

/// A folder that goes away with the test.
package final class TemporaryFolder {
  package let path: String

  package init() throws {
    path = NSTemporaryDirectory() + "noroshi-flows-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  package func file(_ name: String) -> String { path + "/" + name }

  /// Paths of all files below it that end so, relative.
  package func names(_ suffix: String) -> [String] {
    let all = FileManager.default.enumerator(atPath: path)?.allObjects as? [String] ?? []
    return all.filter { $0.hasSuffix(suffix) }.sorted()
  }
}

/// A small generator (xorshift64*, Vigna 2016), so that every run has the same flows.
package struct Dice: RandomNumberGenerator {
  package var state: UInt64
  package init(_ seed: UInt64) { state = seed | 1 }
  package mutating func next() -> UInt64 {
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    return state &* 0x2545_f491_4f6c_dd1d
  }
}

package enum Flows {
  /// 2026-11-25T08:00:00Z.
  package static let base: Int64 = 1_795_593_600_000

  package static let exporters = [
    FlowExporter(address: IPAddress(v4: 0xc000_0201), domain: 1),
    FlowExporter(address: IPAddress(v4: 0xc000_0201), domain: 7),
    FlowExporter(address: IPAddress(high: 0x2001_0db8 << 32, low: 9), domain: 0),
  ]

  /// A flow with every kind of value; `isPlain` leaves out what a NetFlow v9 router does not send.
  package static func flow(_ dice: inout Dice, isPlain: Bool = false, isIPv6: Bool) -> FlowRecord {
    var flow = FlowRecord()
    func address(_ dice: inout Dice, _ net: UInt32, _ hosts: UInt32) -> IPAddress {
      let host = UInt32.random(in: 1...hosts, using: &dice)
      return isIPv6
        ? IPAddress(high: 0x2001_0db8 << 32 | UInt64(net >> 24), low: UInt64(host))
        : IPAddress(v4: net + host)
    }
    flow.source = address(&dice, 0x0a00_0000, 60)
    flow.destination = address(&dice, Bool.random(using: &dice) ? 0xcb00_7100 : 0x0a00_0000, 60)
    let kind = Int.random(in: 0..<10, using: &dice)
    flow.transport = kind < 6 ? .tcp : kind < 9 ? .udp : isIPv6 ? .icmpv6 : .icmp
    let ports: [UInt16] = [22, 23, 25, 53, 80, 123, 443, 1_024, 6_667, 8_080]
    if kind < 9 {
      flow.sourcePort = UInt16.random(in: 1_020...1_060, using: &dice)
      flow.destinationPort = ports.randomElement(using: &dice) ?? 0
      if Bool.random(using: &dice) { swap(&flow.sourcePort, &flow.destinationPort) }
    } else {
      // Type and code as NetFlow has them.
      flow.destinationPort = [0, 0x0800, 0x0301, 0x0303].randomElement(using: &dice) ?? 0
    }
    if flow.transport == .tcp {
      flow.tcpFlags = [0x02, 0x12, 0x1b, 0x14, 0x18, 0x00].randomElement(using: &dice) ?? 0
    }
    flow.typeOfService = [0, 0, 8, 184].randomElement(using: &dice) ?? 0
    flow.packets = UInt64.random(in: 1...2_000, using: &dice)
    flow.bytes = flow.packets * UInt64.random(in: 40...1_500, using: &dice)
    let start = base + Int64.random(in: 0..<600_000, using: &dice)
    let duration =
      Int.random(in: 0..<5, using: &dice) == 0 ? 0 : Int64.random(in: 1..<60_000, using: &dice)
    flow.start = Timestamp(nanoseconds: start * 1_000_000)
    flow.end = Timestamp(nanoseconds: (start + duration) * 1_000_000)
    flow.inputInterface = UInt32.random(in: 1...4, using: &dice)
    flow.outputInterface = UInt32.random(in: 3...6, using: &dice)
    flow.sourceAS = UInt32.random(in: 64_500...64_506, using: &dice)
    flow.destinationAS = UInt32.random(in: 64_504...64_511, using: &dice)
    flow.sourceMask = isIPv6 ? 64 : [16, 24].randomElement(using: &dice) ?? 0
    flow.destinationMask = isIPv6 ? 48 : 24
    flow.nextHop = isIPv6 ? IPAddress(high: 0xfe80 << 48, low: 1) : IPAddress(v4: 0xc612_0001)
    flow.sourceVLAN = UInt16.random(in: 10...12, using: &dice)
    flow.destinationVLAN = UInt16.random(in: 11...13, using: &dice)
    flow.sourceMAC = 0x0200_5e10_0001
    flow.postDestinationMAC = 0x0200_5e10_0002 + UInt64.random(in: 0...1, using: &dice)
    if isPlain { return flow }
    flow.exporter = exporters.randomElement(using: &dice) ?? .unknown
    flow.sampling =
      [
        SamplingRate.unknown, SamplingRate(rate: 1, source: .record),
        SamplingRate(rate: 100, source: .options),
      ].randomElement(using: &dice) ?? .unknown
    if Int.random(in: 0..<9, using: &dice) == 0 { flow.aggregatedFlows = 3 }
    if Int.random(in: 0..<4, using: &dice) == 0 {
      flow.bgpNextHop = IPAddress(high: 0x2001_0db8 << 32, low: 77)
    }
    return flow
  }

  package static func many(_ count: Int, seed: UInt64 = 1, isPlain: Bool = false) -> [FlowRecord] {
    var dice = Dice(seed)
    return (0..<count).map { _ in
      let isIPv6 = Int.random(in: 0..<4, using: &dice) == 0
      return flow(&dice, isPlain: isPlain, isIPv6: isIPv6)
    }
  }

  package static func batches(_ flows: [FlowRecord], size: Int = 700) -> [FlowBatch] {
    stride(from: 0, to: flows.count, by: size).map { first in
      let batch = FlowBatch(capacity: size)
      for flow in flows[first..<min(first + size, flows.count)] { batch.append(flow) }
      return batch
    }
  }

  @discardableResult
  package static func write(
    _ flows: [FlowRecord], to root: String, parameters: ArchiveParameters = small
  ) throws -> ArchiveWriter.Counters {
    let writer = try ArchiveWriter(root: root, parameters: parameters)
    for batch in batches(flows) { writer.appendPatiently(batch) }
    try writer.close()
    return writer.counters
  }

  /// Small row groups and pages, so that tests have many.
  package static let small: ArchiveParameters = {
    var parameters = ArchiveParameters()
    parameters.rowsPerGroup = 1_000
    parameters.rowsPerPage = 128
    return parameters
  }()

  package static func purpose() throws -> SearchPurpose {
    try SearchPurpose(actor: "test", purpose: "a test")
  }
}
