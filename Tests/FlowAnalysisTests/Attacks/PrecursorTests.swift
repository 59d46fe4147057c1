import FlowAnalysis
import NetworkTypes
import Testing

@Suite("Precursors of attacks")
struct PrecursorTests {
  private let outside = IPAddress(v4: 0x0808_0808)

  @Test("an own host that answers little questions with much is a reflector, with its factor")
  func reflector() throws {
    let watch = ReflectorWatch(own: [AttackTraffic.network])
    for second in 0..<100 {
      let client = IPAddress(v4: 0x5010_0000 + UInt32(second % 10))
      watch.ingest(
        AttackTraffic.flow(
          client, at: Double(second), packets: 1, octetsPerPacket: 60, destinationPort: 53))
      watch.ingest(
        AttackTraffic.flow(
          AttackTraffic.victim, client, at: Double(second), packets: 2, octetsPerPacket: 1_500,
          sourcePort: 53, destinationPort: 40_000))
    }
    let found = try #require(watch.reflectors.first)
    #expect(found.address == AttackTraffic.victim)
    #expect(found.service == "dns")
    #expect(found.factor == 50)
    #expect(found.clients == 10)
  }

  @Test("an ordinary name server and a time server are none")
  func ordinary() {
    let watch = ReflectorWatch(own: [AttackTraffic.network])
    for (port, size) in [(53, 180), (123, 76)] as [(UInt16, UInt64)] {
      for second in 0..<500 {
        watch.ingest(
          AttackTraffic.flow(
            outside, at: Double(second), packets: 1, octetsPerPacket: 76, destinationPort: port))
        watch.ingest(
          AttackTraffic.flow(
            AttackTraffic.victim, outside, at: Double(second), packets: 1, octetsPerPacket: size,
            sourcePort: port, destinationPort: 40_000))
      }
    }
    #expect(watch.reflectors.isEmpty)
  }

  @Test("a service that nobody outside should reach is told though no question is seen")
  func memcached() throws {
    let watch = ReflectorWatch(own: [AttackTraffic.network])
    watch.ingest(
      AttackTraffic.flow(
        AttackTraffic.victim, outside, at: 1, packets: 100, octetsPerPacket: 1_400,
        sourcePort: 11_211, destinationPort: 40_000))
    let found = try #require(watch.reflectors.first)
    #expect(found.factor == nil)
    #expect(found.topClientShare == 1)
  }

  @Test("a client whose connections succeed does not scan; one who gets no answer does")
  func scan() {
    let watch = ScanWatch()
    for index in 0..<50 as Range<UInt32> {
      let server = IPAddress(v4: 0x5010_0000 + index)
      // A browser: whole connections.
      watch.ingest(
        AttackTraffic.flow(
          AttackTraffic.victim, server, at: Double(index), packets: 10, sourcePort: 50_000,
          destinationPort: 443,
          transport: .tcp, flags: 0b1_1011))
      // A scanner: SYN alone.
      watch.ingest(
        AttackTraffic.flow(
          outside, IPAddress(v4: 0xcb00_7100 + index), at: Double(index), packets: 1,
          destinationPort: 23, transport: .tcp, flags: 2))
    }
    let scans = watch.takeScans()
    #expect(scans.count == 1)
    #expect(scans.first?.source == outside)
    #expect(scans.first?.port == 23)
    #expect(scans.first?.targets == 50)
  }

  @Test("a scan has no more targets than questions, though they are estimated")
  func noMoreTargetsThanQuestions() throws {
    let watch = ScanWatch()
    for index in 1...200 as ClosedRange<UInt32> {
      watch.ingest(
        AttackTraffic.flow(
          outside, IPAddress(v4: 0xcb00_7100 + index), at: Double(index), packets: 1,
          destinationPort: 22, transport: .tcp, flags: 2))
    }
    let scan = try #require(watch.takeScans().first)
    #expect(scan.targets > 180)
    #expect(scan.targets <= 200)
    #expect(scan.packets == 200)
  }

  @Test("memory of the scan watch is bounded, and what is dropped is counted")
  func bounded() {
    var parameters = ScanParameters()
    parameters.largestEntryCount = 500
    let watch = ScanWatch(parameters)
    for index in 0..<5_000 as Range<UInt32> {
      watch.ingest(
        AttackTraffic.flow(
          IPAddress(v4: 0x0b00_0000 + index), at: Double(index), packets: 1, transport: .tcp,
          flags: 2)
      )
    }
    #expect(watch.dropped > 0)
    #expect(watch.takeScans().isEmpty)
  }
}
