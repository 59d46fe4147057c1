import Foundation
import NetworkTypes
import Testing

@testable import FlowRecords

@Suite("Batches of flows")
struct FlowBatchTests {
  private func random(_ numbers: inout SeededNumbers, isIPv6: Bool) -> FlowRecord {
    func address(_ numbers: inout SeededNumbers) -> IPAddress {
      isIPv6
        ? IPAddress(high: 0x2001_0db8 << 32, low: numbers.next() | 1)
        : IPAddress(v4: UInt32(truncatingIfNeeded: numbers.next()) | 1)
    }
    var flow = FlowRecord()
    flow.start = Timestamp(nanoseconds: Int64(truncatingIfNeeded: numbers.next()))
    flow.end = Timestamp(nanoseconds: Int64(truncatingIfNeeded: numbers.next()))
    flow.source = address(&numbers)
    flow.destination = address(&numbers)
    flow.nextHop = address(&numbers)
    flow.postSource = address(&numbers)
    flow.sourcePort = UInt16(truncatingIfNeeded: numbers.next())
    flow.destinationPort = UInt16(truncatingIfNeeded: numbers.next())
    flow.transport = .tcp
    flow.packets = numbers.next()
    flow.bytes = numbers.next()
    flow.sampling = SamplingRate(rate: 512, source: .options)
    flow.sourceMAC = numbers.next() >> 16
    flow.sourceVLAN = 7
    flow.mplsTopLabel = 0xf_ffff
    flow.reverseBytes = numbers.next()
    flow.exporter = FlowExporter(
      address: IPAddress(v4: UInt32(numbers.below(5))), domain: UInt32(numbers.below(3)))
    return flow
  }

  @Test("rows read as they were added, also when the first IPv6 address comes late")
  func roundTrip() {
    var numbers = SeededNumbers(seed: 1)
    let batch = FlowBatch(capacity: 300)
    for _ in 0..<2 {
      var flows: [FlowRecord] = []
      for row in 0..<300 {
        flows.append(random(&numbers, isIPv6: row > 100 && row % 3 == 0))
        #expect(batch.append(flows[row]))
      }
      #expect(!batch.append(flows[0]))
      #expect(batch.records == flows)
      #expect(!batch.isIPv4)
      // Nothing is left of these rows in the next ones.
      batch.removeAll()
      #expect(batch.presence == 0 && batch.isIPv4 && batch.count == 0)
      batch.append(FlowRecord())
      #expect(batch[0].bytes == 0 && batch[0].nextHop.bits == 0)
      batch.removeAll()
    }
  }

  @Test("columns are absent until a row fills them, and then zero in the other rows")
  func presence() {
    let batch = FlowBatch(capacity: 10)
    var flow = FlowRecord()
    flow.source = IPAddress(v4: 1)
    batch.append(flow)
    #expect(!batch.has(.sourceVLAN))
    #expect(batch.column(.sourceVLAN, as: UInt16.self).count == 0)
    flow.sourceVLAN = 12
    batch.append(flow)
    let column = batch.column(.sourceVLAN, as: UInt16.self)
    #expect(column.count == 2)
    #expect(column[0] == 0 && column[1] == 12)
    #expect(batch.width(of: .sourceAddress) == 4)
    batch.withMutableColumn(.sourceVLAN, as: UInt16.self) { $0[0] = 5 }
    #expect(batch[0].sourceVLAN == 5)
  }

  @Test("names, widths and kinds of columns do not contradict each other")
  func columns() {
    #expect(Set(FlowColumn.allCases.map(\.name)).count == FlowColumn.allCases.count)
    for column in FlowColumn.allCases {
      #expect(FlowColumn(name: column.name) == column)
      #expect([1, 2, 4, 8, 16].contains(column.width))
      if column.kind == .address { #expect(column.width == 16) }
    }
  }

  @Test("a record survives JSON")
  func json() throws {
    var numbers = SeededNumbers(seed: 2)
    let flow = random(&numbers, isIPv6: true)
    let octets = try JSONEncoder().encode(flow)
    #expect(try JSONDecoder().decode(FlowRecord.self, from: octets) == flow)
  }

  @Test("scaling multiplies, and stops at the largest number")
  func scaling() {
    #expect(SamplingRate.scaled(10, by: 0) == 10)
    #expect(SamplingRate.scaled(10, by: 100) == 1_000)
    #expect(SamplingRate.scaled(.max, by: 2) == .max)
  }
}
