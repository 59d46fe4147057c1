import FlowArchive
package import FlowRecords
import NetworkTypes

/// One day of a small network as its router exports it: both directions of connections as records of their
/// own, long ones cut, with beacons, scans, floods and asymmetric routes among people's traffic.
package struct DayOfFlows {
  package static let start: Int64 = 1_795_392_000_000
  private var numbers = SeededNumbers(seed: 11)
  private let samplingRate: UInt32
  package private(set) var flows: [FlowRecord] = []

  private mutating func below(_ bound: Int) -> Int {
    Int(numbers.next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// - Parameter replies: 0 none, 1 both directions, 2 only what comes back.
  private mutating func add(
    _ client: IPAddress, _ server: IPAddress, _ ports: (Int, Int), at second: Double,
    lasting seconds: Double = 0.4, transport: IPProtocol = .tcp, packets: UInt64 = 5,
    bytes: UInt64 = 420, back: UInt64 = 900, replies: Int = 1, flags: UInt8 = 0x1b
  ) {
    var flow = FlowRecord()
    flow.source = client
    flow.destination = server
    flow.sourcePort = UInt16(ports.0)
    flow.destinationPort = UInt16(ports.1)
    flow.transport = transport
    flow.packets = packets
    flow.bytes = bytes
    flow.tcpFlags = transport == .tcp ? flags : 0
    flow.sampling = SamplingRate(rate: samplingRate, source: .record)
    let moment = Self.start + Int64(second * 1_000)
    flow.start = Timestamp(nanoseconds: moment * 1_000_000)
    flow.end = Timestamp(nanoseconds: (moment + Int64(seconds * 1_000)) * 1_000_000)
    if replies != 2 { flows.append(flow) }
    guard replies > 0 else { return }
    swap(&flow.source, &flow.destination)
    swap(&flow.sourcePort, &flow.destinationPort)
    flow.bytes = back
    flow.start = Timestamp(nanoseconds: (moment + 60) * 1_000_000)
    flow.end = max(flow.start, flow.end)
    flows.append(flow)
  }

  package init(people: Int = 6_000, samplingRate: UInt32 = 1) {
    self.samplingRate = samplingRate
    func v4(_ value: Int) -> IPAddress { IPAddress(v4: UInt32(truncatingIfNeeded: value)) }
    func v6(_ net: UInt64, _ host: Int) -> IPAddress {
      IPAddress(high: 0x2001_0db8_0000_0000 as UInt64 | net << 16, low: UInt64(host))
    }
    let home: Int = 0xc0a8_0100
    let out: Int = 0xcb00_7100
    // Beacons: plain, jittered, of IPv6, one way only, of two clients.
    let periods: [Double] = [60, 300, 45, 120, 600]
    for (number, period) in periods.enumerated() {
      var next = Double(below(100))
      while next < 86_000 {
        let port = 40_000 + below(20_000)
        switch number {
        case 2:
          add(v6(1, 7), v6(2, 9), (port, 6_667), at: next)
        case 3: add(v4(home + 23), v4(out + 3), (port, 9_001), at: next, replies: 2)
        case 4:
          add(v4(home + 24), v4(out + 4), (port, 4_443), at: next, replies: 0)
          add(v4(home + 25), v4(out + 4), (port, 4_443), at: next + 2)
        default: add(v4(home + 20 + number), v4(out + number), (port, 4_444 + number), at: next)
        }
        let jitter: Double = number == 1 ? 0.7 + Double(below(600)) / 1_000 : 1
        next += period * jitter
      }
    }
    // A session of ten hours, cut every minute, and one of the other direction alone.
    for minute in 0..<600 {
      let second = Double(minute) * 60.5
      add(
        v4(home + 30), v4(out + 8), (50_123, 8_443), at: second, lasting: 60, packets: 2,
        bytes: 120, back: 80)
      add(
        v4(home + 31), v4(out + 9), (50_124, 31_337), at: second, lasting: 60, packets: 2,
        bytes: 120, back: 80, replies: 2)
    }
    // A scanner that has a controller, a spammer, a flooder.
    for target in 0..<900 {
      let second = Double(below(86_000))
      let scanned = 0x2d00_0000 + below(1 << 24)
      add(
        v4(home + 22), v4(scanned), (1_024 + below(60_000), 23), at: second, lasting: 0,
        packets: 1, bytes: 40, replies: 0, flags: 2)
      guard target % 9 == 0 else { continue }
      add(v4(home + 22), v4(out + 5), (41_000 + target, 6_666), at: Double(target * 90))
      add(v4(home + 26), v4(0x2e00_0000 + target), (42_000, 25), at: second)
    }
    add(
      v4(home + 22), v4(out + 77), (42_424, 80), at: 40_000, lasting: 100, packets: 200_000,
      bytes: 8_000_000, replies: 0, flags: 2)
    // People, and what is left out.
    let ports: [Int] = [443, 443, 443, 80, 53, 123, 993, 8_080, 5_228, 51_413]
    let flags: [UInt8] = [0x1b, 0x02, 0x12, 0x14, 0x18]
    for _ in 0..<people {
      let port = ports[below(ports.count)]
      let isName = port == 53
      let server = 0x4a7d_0000 + below(isName ? 2 : 300)
      let client = home + 1 + below(40)
      let length = Double(below(port == 443 ? 4_000 : 3))
      let second = Double(below(86_000))
      let transport: IPProtocol = isName || port == 123 ? .udp : .tcp
      let packets = UInt64(1 + below(200))
      let bytes = UInt64(60 + below(90_000))
      let back = UInt64(60 + below(900_000))
      let replies = below(3) == 0 ? 2 : 1
      add(
        v4(client), v4(server), (32_768 + below(28_000), port), at: second, lasting: length,
        transport: transport, packets: packets, bytes: bytes, back: back, replies: replies,
        flags: flags[below(5)])
    }
    for target in [0xe000_00fb, 0xffff_ffff, 0x7f00_0001, 0xa9fe_0101] {
      add(v4(home + 1), v4(target), (5_353, 5_353), at: 5, transport: .udp, replies: 0)
    }
    add(v4(home + 1), v4(out + 9), (0, 0x0800), at: 7, transport: .icmp)
    add(v4(home + 1), v4(out + 9), (0, 0), at: 8, transport: .gre)
    // Biflows of exporters that name the initiator (RFC 5103).
    for minute in 0..<200 {
      add(
        v4(home + 35), v4(out + 20), (45_000 + minute, 1_337), at: Double(minute * 400), replies: 0)
      flows[flows.count - 1].reversePackets = 3
      flows[flows.count - 1].reverseBytes = 777
    }
    // As they are exported: in the order of their ends.
    var order: [(end: Int64, place: Int)] = []
    for (place, flow) in flows.enumerated() { order.append((flow.end.nanoseconds, place)) }
    order.sort { $0 < $1 }
    let unsorted = flows
    flows = order.map { unsorted[$0.place] }
  }

  package var batches: [FlowBatch] {
    stride(from: 0, to: flows.count, by: 1_000).map { first in
      let batch = FlowBatch(capacity: 1_000)
      for flow in flows[first..<min(first + 1_000, flows.count)] { batch.append(flow) }
      return batch
    }
  }

  package func write(to root: String) throws {
    let writer = try ArchiveWriter(root: root)
    for batch in batches { writer.appendPatiently(batch) }
    try writer.close()
  }
}
