import Glibc
public import NetworkTypes

/// Numbers that look random and are the same for the same seed: SplitMix64 (Steele, Lea, Flood 2014).
public struct SeededNumbers: RandomNumberGenerator, Sendable {
  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }

  /// From 0 up to 1, which is not reached.
  mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// From 0 up to `bound`, which is not reached; bound from 1.
  mutating func below(_ bound: UInt64) -> UInt64 { next().multipliedFullWidth(by: bound).high }

  /// A rank from 0 of which the k-th comes about as often as 1/(k + 1): Zipf's law with exponent 1,
  /// by the inverse of its continuous form.
  mutating func rank(below bound: Int) -> Int {
    min(Int(exp(unit() * log(Double(bound) + 1))) - 1, bound - 1)
  }
}

/// What generated traffic is made of.
public struct TrafficProfile: Sendable {
  /// Hosts of the network that is looked after, in 10.0.0.0/8 and 2001:db8:1::/48.
  public var hosts = 200_000
  /// Hosts elsewhere, in 203.0.0.0/8 and 2001:db8:2::/48.
  public var peers = 50_000
  /// Share of flows of IPv6.
  public var ipv6Share = 0.15
  /// Share of flows that are scans: one packet to many addresses.
  public var scanShare = 0.02
  /// Seconds between the start of the hour's first flow and the last flow's export: how far flows
  /// reach back.
  public var longestFlowSeconds = 300.0
  /// A sampling rate that the counters are meant to have; 1 for none.
  public var samplingRate: UInt32 = 1

  public init() {}
}

/// Makes flows that look like those of a carrier: few hosts talk much and many little, sizes have a
/// heavy tail, the mix of services changes over the day. The same seed gives the same flows.
public struct FlowGenerator: Sendable {
  private var numbers: SeededNumbers
  private let profile: TrafficProfile
  private let exporter: FlowExporter

  public init(
    seed: UInt64, profile: TrafficProfile = TrafficProfile(),
    exporter: FlowExporter = FlowExporter(address: IPAddress(v4: 0x7f00_0001), domain: 1)
  ) {
    numbers = SeededNumbers(seed: seed)
    self.profile = profile
    self.exporter = exporter
  }

  /// Ports of services with the share that they have at night and by day (UTC+9), our own rough
  /// choice: web by day, backup and updates at night.
  private static let services: [(port: UInt16, transport: UInt8, night: Double, day: Double)] = [
    (443, 6, 30, 38), (443, 17, 12, 20), (53, 17, 16, 14), (80, 6, 8, 6), (123, 17, 6, 2),
    (22, 6, 3, 2), (25, 6, 2, 2), (993, 6, 2, 3), (3389, 6, 1, 1), (8080, 6, 2, 2),
    (5060, 17, 1, 2), (1883, 6, 3, 2), (445, 6, 2, 1), (873, 6, 6, 1), (6881, 17, 6, 4),
  ]

  /// Adds flows that end at or shortly before a moment, until the batch is full or holds `count`
  /// more.
  public mutating func fill(_ batch: FlowBatch, count: Int, endingBy moment: Timestamp) {
    // How far into the day of Japan it is, from 0 at 4 in the morning to 1 at 4 in the afternoon.
    let hour = Double((moment.seconds + 9 * 3_600) % 86_400) / 3_600
    let daylight = 0.5 - 0.5 * cos((hour - 4) / 24 * 2 * .pi)
    for _ in 0..<min(max(count, 0), batch.room) {
      batch.append(flow(endingBy: moment, daylight: daylight))
    }
  }

  private mutating func flow(endingBy moment: Timestamp, daylight: Double) -> FlowRecord {
    var flow = FlowRecord()
    flow.exporter = exporter
    let isIPv6 = numbers.unit() < profile.ipv6Share
    let host = numbers.rank(below: max(profile.hosts, 1))
    let peer = numbers.rank(below: max(profile.peers, 1))
    let isInbound = numbers.unit() < 0.5
    let inside = Self.address(host, isInside: true, isIPv6)
    let outside = Self.address(peer, isInside: false, isIPv6)
    flow.source = isInbound ? outside : inside
    flow.destination = isInbound ? inside : outside
    let insideAS: UInt32 = 64_496
    let outsideAS = 64_512 + UInt32(peer % 1_000)
    flow.sourceAS = isInbound ? outsideAS : insideAS
    flow.destinationAS = isInbound ? insideAS : outsideAS
    flow.inputInterface = UInt32(isInbound ? 1 + peer % 4 : 5 + host % 4)
    flow.outputInterface = UInt32(isInbound ? 5 + host % 4 : 1 + peer % 4)
    flow.sourceMask = isIPv6 ? 48 : 24
    flow.destinationMask = isIPv6 ? 48 : 24
    if numbers.unit() < profile.scanShare {
      scan(&flow, isIPv6)
    } else {
      conversation(&flow, isInbound: isInbound, isIPv6: isIPv6, daylight: daylight)
    }
    let ended = moment.nanoseconds &- Int64(numbers.below(1_000)) &* 1_000_000
    let wanted = flow.packets <= 1 ? 0 : exp(numbers.unit() * log(profile.longestFlowSeconds * 1e3))
    // Milliseconds, as the protocols have.
    flow.end = Timestamp(nanoseconds: ended / 1_000_000 &* 1_000_000)
    flow.start = Timestamp(nanoseconds: flow.end.nanoseconds &- Int64(wanted) &* 1_000_000)
    if profile.samplingRate > 1 {
      flow.sampling = SamplingRate(rate: profile.samplingRate, source: .record)
    }
    return flow
  }

  private mutating func scan(_ flow: inout FlowRecord, _ isIPv6: Bool) {
    let ports: [UInt16] = [23, 2_323, 22, 445, 3_389, 5_555, 8_080, 80, 7_547, 37_215]
    flow.transport = .tcp
    flow.sourcePort = UInt16(1_024 + numbers.below(64_000))
    flow.destinationPort = ports[numbers.rank(below: ports.count)]
    flow.tcpFlags = 2
    flow.packets = 1
    flow.bytes = isIPv6 ? 60 : 40
    // To anyone in the network, and not to those who talk much.
    let target = Int(numbers.below(UInt64(max(profile.hosts, 1))))
    flow.destination = Self.address(target, isInside: true, isIPv6)
  }

  private mutating func conversation(
    _ flow: inout FlowRecord, isInbound: Bool, isIPv6: Bool, daylight: Double
  ) {
    if numbers.unit() < 0.02 {
      flow.transport = isIPv6 ? .icmpv6 : .icmp
      flow.destinationPort = isIPv6 ? 128 << 8 : 8 << 8
      flow.packets = 1 + numbers.below(10)
      flow.bytes = flow.packets * 84
      return
    }
    let service = service(daylight)
    let client = UInt16(32_768 + numbers.below(28_000))
    flow.transport = IPProtocol(rawValue: service.transport)
    // Half of what comes in answers what went out.
    let isAnswer = isInbound
    flow.sourcePort = isAnswer ? service.port : client
    flow.destinationPort = isAnswer ? client : service.port
    if service.port == 53 || service.port == 123 {
      flow.packets = 1
      flow.bytes = 60 + numbers.below(isAnswer ? 400 : 40)
      return
    }
    // Pareto with exponent 1.2: finite mean, no finite variance (Crovella and Bestavros 1997 found
    // 1.0 to 1.3 for transfers).
    let tail = pow(1 - numbers.unit(), -1 / 1.2)
    flow.packets = UInt64(min(max(3 * tail, 1), 5_000_000))
    let size: UInt64 = isAnswer ? 900 + numbers.below(560) : 52 + numbers.below(300)
    flow.bytes = flow.packets * size
    if service.transport == 6 { flow.tcpFlags = numbers.unit() < 0.85 ? 0x1b : 0x1a }
    if numbers.unit() < 0.05 { flow.typeOfService = 0xb8 }
  }

  private mutating func service(_ daylight: Double) -> (port: UInt16, transport: UInt8) {
    let total = Self.services.reduce(0) { $0 + $1.night + ($1.day - $1.night) * daylight }
    var left = numbers.unit() * total
    for service in Self.services {
      left -= service.night + (service.day - service.night) * daylight
      if left < 0 { return (service.port, service.transport) }
    }
    return (443, 6)
  }

  /// The address of a rank: neighbours in rank are not neighbours in the network.
  private static func address(_ rank: Int, isInside: Bool, _ isIPv6: Bool) -> IPAddress {
    // An odd factor permutes the numbers of 24 bits.
    let scattered = UInt32(truncatingIfNeeded: rank &* 0x9e_3779) & 0xff_ffff
    if isIPv6 {
      let net: UInt64 = isInside ? 0x2001_0db8_0001_0000 : 0x2001_0db8_0002_0000
      return IPAddress(high: net | UInt64(scattered >> 8), low: UInt64(scattered & 0xff) + 1)
    }
    return IPAddress(v4: (isInside ? 0x0a00_0000 : 0xcb00_0000) | scattered)
  }
}
