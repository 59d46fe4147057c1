import FlowAnalysis
import FlowRecords
import NetworkTypes
import Testing

@Suite("Remembering pairs")
struct TrackerTests {
  private func ranked(_ contacts: [Contact]) -> [DetectedServer] {
    let tracker = ContactTracker()
    for contact in contacts { tracker.add(contact) }
    return ServerRanking().rank(tracker).servers
  }

  private func beacon(_ count: Int = 60) throws -> [Contact] {
    try (0..<count).map { try contact(1_000_000 + 60.0 * Double($0), "192.168.1.5", "203.0.113.9") }
  }

  @Test("the order in which contacts arrive changes nothing")
  func anyOrder() throws {
    var contacts = try beacon(100)
    for index in 0..<300 {
      contacts.append(
        try contact(
          1_000_000 + Double(index * index % 6_007), "192.168.1.\(index % 7)",
          "198.51.100.\(index % 5)", port: 443))
    }
    let forward = ranked(contacts)
    #expect(!forward.isEmpty)
    #expect(ranked(contacts.reversed()) == forward)
    var generator = SystemRandomNumberGenerator()
    #expect(ranked(contacts.shuffled(using: &generator)) == forward)
  }

  @Test("both records of a connection are one contact")
  func twoRecords() throws {
    let biflows = try beacon()
    var halves: [Contact] = []
    for whole in biflows {
      var out = whole
      out.side = .outward
      out.packetsIn = 0
      out.bytesIn = 0
      var back = whole
      back.side = .inward
      back.packetsOut = 0
      back.bytesOut = 0
      halves += [out, back]
    }
    let one = try #require(ranked(biflows).first)
    let two = try #require(ranked(halves).first)
    #expect(one.clients.first?.contacts == 60)
    #expect(two.clients.first?.contacts == 60)
    #expect(one.contacts == two.contacts)
    #expect(abs(one.score - two.score) < 0.2)
  }

  @Test("the pieces of a session that an exporter cut are one session")
  func cutSession() throws {
    // Thirty hours cut every 30 minutes.
    let contacts = try (0..<60).map {
      try contact(
        1_000_000 + 1_800 * Double($0), "192.168.1.5", "203.0.113.9", clientPort: 50_000,
        bytes: 2_000, seconds: 1_799)
    }
    let server = try #require(ranked(contacts).first)
    #expect(server.clients.first?.contacts == 1)
    #expect(server.clients.first?.longestSession == 107_999)
    #expect(server.evidence[.periodic] == nil)
    #expect((server.evidence[.longSession] ?? 0) > 0.9)
  }

  @Test("memory stays bounded, and what is let go is counted")
  func bounded() throws {
    var parameters = TrackingParameters()
    parameters.pairs = 1_000
    parameters.timelines = 50
    parameters.addresses = 100_000
    parameters.services = 100_000
    let tracker = ContactTracker(parameters: parameters)
    for contact in try beacon() { tracker.add(contact) }
    for index in 0..<20_000 {
      tracker.add(
        try contact(
          1_000_000 + Double(index) / 4, "10.0.\(index % 200).1",
          "198.51.\(index / 256 % 256).\(index % 256)",
          port: UInt16(1 + index % 1_000)))
    }
    #expect(tracker.pairCount <= 1_000)
    #expect(tracker.counters.evictedPairs > 0)
    // The beacon has a timeline and survives the crowd of single contacts.
    let servers = ServerRanking().rank(tracker).servers
    #expect(servers.contains { $0.service.address == IPAddress("203.0.113.9") })
  }

  @Test("a table of addresses that is full counts what it refuses")
  func fullAddresses() throws {
    var parameters = TrackingParameters()
    parameters.addresses = 10
    let tracker = ContactTracker(parameters: parameters)
    for index in 0..<100 {
      tracker.add(try contact(Double(index), "10.0.0.\(index)", "203.0.113.1"))
    }
    #expect(tracker.counters.refused > 80)
    #expect(tracker.pairCount < 10)
  }

  @Test("what stays in the local network is left out, and counted")
  func local() throws {
    let tracker = ContactTracker()
    for server in ["224.0.0.251", "255.255.255.255", "127.0.0.1", "169.254.1.1", "ff02::fb"] {
      tracker.add(try contact(1, "192.168.1.5", server))
    }
    #expect(tracker.counters.local == 5)
    #expect(tracker.pairCount == 0)
  }

  @Test("extreme times and counters do no harm")
  func extremes() throws {
    let tracker = ContactTracker()
    var odd = try contact(1, "192.168.1.5", "203.0.113.9")
    for start in [Int64.min, -1, 0, 1, Int64.max] {
      odd.start = start
      odd.end = start
      odd.bytesOut = .max
      odd.bytesIn = .max
      odd.packetsOut = .max
      for _ in 0..<5 { tracker.add(odd) }
      odd.start &+= 5_000_000_000
      tracker.add(odd)
    }
    _ = ServerRanking().rank(tracker)
    #expect(tracker.counters.contacts == 30)
  }

  @Test("silence is forgotten")
  func idle() throws {
    let tracker = ContactTracker()
    tracker.add(try contact(1_000, "192.168.1.5", "203.0.113.9"))
    tracker.add(try contact(1_000 + 8 * 86_400, "192.168.1.5", "203.0.113.10"))
    tracker.forgetIdle()
    #expect(tracker.pairCount == 1)
    #expect(tracker.counters.idlePairs == 1)
  }

  @Test(
    "one-way records find their client by flags, then by ports",
    arguments: [
      // source port, destination port, flags, packets, whether it is a reply
      (40_000, 6_667, 0x02, 1, false), (6_667, 40_000, 0x12, 1, true),
      (6_667, 50_000, 0x1b, 9, true), (50_000, 6_667, 0x1b, 9, false),
      (23, 1_500, 0x18, 4, true), (443, 8_443, 0x18, 4, true), (1_234, 1_234, 0x18, 4, false),
    ] as [(UInt16, UInt16, UInt8, UInt64, Bool)])
  func orientation(source: UInt16, destination: UInt16, flags: UInt8, packets: UInt64, reply: Bool)
  {
    #expect(
      Orientation.isReply(
        sourcePort: source, destinationPort: destination, transport: 6, flags: flags,
        packets: packets) == reply)
  }

  @Test("a batch gives the same contacts as its records")
  func batch() throws {
    let batch = FlowBatch(capacity: 4)
    var record = FlowRecord()
    record.start = Timestamp(seconds: 100)
    record.end = Timestamp(seconds: 101)
    record.source = try #require(IPAddress("198.51.100.7"))
    record.destination = try #require(IPAddress("192.168.1.5"))
    record.sourcePort = 6_667
    record.destinationPort = 51_000
    record.transport = .tcp
    record.tcpFlags = 0x1b
    record.packets = 7
    record.bytes = 900
    batch.append(record)
    record.transport = .gre
    batch.append(record)
    let contact = try #require(Orientation.contact(batch, row: 0))
    #expect(contact.client == record.destination && contact.side == .inward)
    #expect(contact.bytesIn == 900 && contact.isAnswered)
    #expect(Orientation.contact(batch, row: 1) == nil)
  }

  @Test("home networks are guessed from the flows that have an end there")
  func home() throws {
    func pairs(_ count: Int, _ inside: String) -> [(IPAddress, IPAddress, UInt64)] {
      (0..<count).compactMap { index in
        guard let one = IPAddress("\(inside).\(index % 250 + 1)"),
          let other = IPAddress("\(20 + index % 70).\(index % 200).7.9")
        else { return nil }
        return (one, other, 1)
      }
    }
    let campus = HomeNetworks.inferred(from: pairs(1_000, "147.32.80"))
    #expect(campus.prefixes.map(\.description) == ["147.32.0.0/16"])
    let house = HomeNetworks.inferred(from: pairs(100, "192.168.1"))
    #expect(try house.contains(#require(IPAddress("192.168.1.3"))))
    var scattered: [(IPAddress, IPAddress, UInt64)] = []
    for index in 0..<1_000 {
      guard let one = IPAddress("\(11 + index % 100).\(index % 250).1.1"),
        let other = IPAddress("\(130 + index % 60).\(index % 240).2.2")
      else { continue }
      scattered.append((one, other, 1))
    }
    #expect(HomeNetworks.inferred(from: scattered).isUnknown)
  }
}
