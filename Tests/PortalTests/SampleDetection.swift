import FlowAnalysis
import NetworkTypes
import Store

@testable import Portal

/// C&C servers and attacks of the sample house, found by the engines in made-up flows.
enum SampleDetection {
  /// The beacon's server, as it stands in addresses.
  static let server = "203.0.113.66:6667-tcp"
  static let service = Service(
    IPAddress(v4: 0xcb00_7142), port: 6_667, transport: .tcp)
  /// The client that beats and scans.
  static let client = IPAddress(v4: 0xc000_0207)  // 192.0.2.7
  /// The identifiers of the two attacks: a reflection that goes on, a flood that is over.
  static let reflection = "20261122T225959Z-192.0.2.80"
  static let flood = "20261122T095959Z-192.0.2.81"

  static func reading(
    in store: DataStore, now: @escaping @Sendable () -> Timestamp
  ) throws -> DetectionReading {
    try store.migrate(AuditTrail.migrations)
    try record(in: store)
    return try DetectionLive(
      store: store, trail: AuditTrail(store: store), ranking: { RankingParameters() }, now: now
    ).reading {
      { address in
        SourceOwner(
          organisation: SampleHouse.owner(address)?.id, asn: ASN(64_500),
          country: CountryCode("JP"),
          network: IPPrefix(address, length: 24))
      }
    }
  }

  static func record(in store: DataStore) throws {
    try store.migrate(ServerRegister.migrations)
    let register = ServerRegister(store: store, trail: AuditTrail(store: store))
    try register.record(servers, at: SampleHouse.start.advanced(bySeconds: 3 * 86_400))
    let attacks = try AttackStore(store)
    try attacks.record(events)
    let (scans, reflectors) = precursors
    try attacks.record(scans: scans, reflectors: reflectors)
  }

  static let servers: [DetectedServer] = {
    let tracker = ContactTracker()
    let from = Double(SampleHouse.start.seconds)
    func add(
      _ second: Double, _ client: IPAddress, _ server: IPAddress, port: UInt16,
      answered: Bool = true
    ) {
      let start = Int64((from + second) * 1e9)
      tracker.add(
        Contact(
          start: start, end: start + 300_000_000, client: client, server: server, clientPort: 0,
          serverPort: port, transport: 6, isAnswered: answered, packetsOut: 5,
          packetsIn: answered ? 4 : 0, bytesOut: 400, bytesIn: answered ? 300 : 0))
    }
    for index in 0..<300 as Range<UInt32> {
      add(
        Double(index) * 200, client, IPAddress(v4: 0xc612_0301 + index % 250), port: 23,
        answered: false)
    }
    for beat in 0..<200 { add(Double(beat) * 400, client, service.address, port: 6_667) }
    for beat in 0..<40 {
      add(Double(beat) * 1_700, IPAddress(v4: 0xc000_0208), service.address, port: 6_667)
    }
    // A weaker candidate, of one client that does nothing else.
    for beat in 0..<160 {
      add(Double(beat) * 500, IPAddress(v4: 0xc000_0209), IPAddress(v4: 0xcb00_7143), port: 4_444)
    }
    return ServerRanking().rank(tracker).servers
  }()

  static let events: [AttackEvent] = {
    let network = ProtectedNetwork(SampleHouse.organisations[0].prefixes[0])
    let reflected = AttackMonitor(protecting: [network])
    let day = SampleHouse.start.advanced(bySeconds: 2 * 86_400)
    for step in 0..<400 {
      let end = day.advanced(bySeconds: 23 * 3_600 + Double(step) * 0.05)
      for source in 0..<20 as Range<UInt32> {
        // Half of the amplifiers are みどりケーブル's.
        let address = source.isMultiple(of: 2) ? 0xc633_6401 + source : 0xcb00_7101 + source
        reflected.ingest(
          AttackFlow(
            start: end.advanced(bySeconds: -0.05), end: end, source: IPAddress(v4: address),
            destination: IPAddress(v4: 0xc000_0250), sourcePort: 53, destinationPort: 40_000,
            transport: .udp, packets: 200, octets: 240_000))
      }
    }
    let flooded = AttackMonitor(protecting: [network])
    for step in 0..<400 {
      let end = day.advanced(bySeconds: 10 * 3_600 + Double(step) * 0.05)
      for source in 0..<8 as Range<UInt32> {
        flooded.ingest(
          AttackFlow(
            start: end.advanced(bySeconds: -0.05), end: end,
            source: IPAddress(v4: 0xc633_6421 + source), destination: IPAddress(v4: 0xc000_0251),
            sourcePort: 40_000, destinationPort: 443, transport: .tcp, tcpFlags: 2, packets: 200,
            octets: 12_000))
      }
    }
    flooded.finish()
    return reflected.takeEvents() + flooded.takeEvents()
  }()

  static var precursors: (scans: [ObservedScan], reflectors: [ObservedReflector]) {
    let scans = ScanWatch()
    let reflectors = ReflectorWatch(own: SampleHouse.organisations.flatMap(\.prefixes))
    for second in 0..<60 as Range<UInt32> {
      let moment = SampleHouse.start.advanced(bySeconds: 100_000 + Double(second))
      scans.ingest(
        AttackFlow(
          start: moment, end: moment, source: IPAddress(v4: 0xcb00_71c8),
          destination: IPAddress(v4: 0xc000_0200 + second), sourcePort: 50_000,
          destinationPort: 23, transport: .tcp, tcpFlags: 2, packets: 1, octets: 40))
      reflectors.ingest(
        AttackFlow(
          start: moment, end: moment, source: IPAddress(v4: 0xc633_6435),
          destination: IPAddress(v4: 0xcb00_7110), sourcePort: 11_211, destinationPort: 40_000,
          transport: .udp, packets: 100, octets: 140_000))
    }
    return (scans.takeScans(), reflectors.reflectors)
  }
}
