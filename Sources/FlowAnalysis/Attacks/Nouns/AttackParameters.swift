/// The greatest rates that are normal: more in any of them is an attack.
public struct RateLimits: Sendable, Hashable, Codable {
  public var packetsPerSecond: Double
  public var bitsPerSecond: Double
  public var flowsPerSecond: Double

  /// Rates that are not given have no limit.
  public init(
    packetsPerSecond: Double = .infinity, bitsPerSecond: Double = .infinity,
    flowsPerSecond: Double = .infinity
  ) {
    self.packetsPerSecond = packetsPerSecond
    self.bitsPerSecond = bitsPerSecond
    self.flowsPerSecond = flowsPerSecond
  }

  func scaled(by factor: Double) -> RateLimits {
    RateLimits(
      packetsPerSecond: packetsPerSecond * factor, bitsPerSecond: bitsPerSecond * factor,
      flowsPerSecond: flowsPerSecond * factor)
  }
}

/// The numbers that decide what an attack is, each with its source.
public struct AttackParameters: Sendable {
  /// Fixed limits of one host. FastNetMon 1.2.4 ships 20,000 packets, 1 Gbit and 3,500 flows a
  /// second for everything; here that is for what a flood is made of, while the middle of
  /// connections, of which a download consists, may be more: a gigabit of full packets is 83,000 a
  /// second.
  public var hostLimits: [TrafficKind: RateLimits] = [
    .all: RateLimits(packetsPerSecond: 100_000, bitsPerSecond: 1e9, flowsPerSecond: 10_000),
    .udp: RateLimits(packetsPerSecond: 20_000, bitsPerSecond: 5e8, flowsPerSecond: 3_500),
    .udpFromAmplifierPort: RateLimits(
      packetsPerSecond: 20_000, bitsPerSecond: 2e8, flowsPerSecond: 3_500),
    .tcpSYN: RateLimits(packetsPerSecond: 10_000, flowsPerSecond: 3_500),
    .tcpSYNACK: RateLimits(packetsPerSecond: 10_000, flowsPerSecond: 3_500),
    .tcpRST: RateLimits(packetsPerSecond: 10_000, flowsPerSecond: 3_500),
    .tcpACK: RateLimits(packetsPerSecond: 100_000, bitsPerSecond: 1e9, flowsPerSecond: 10_000),
    .tcpOdd: RateLimits(packetsPerSecond: 5_000, flowsPerSecond: 3_500),
    .icmp: RateLimits(packetsPerSecond: 5_000, bitsPerSecond: 5e7, flowsPerSecond: 3_500),
    .fragment: RateLimits(packetsPerSecond: 10_000, bitsPerSecond: 2e8),
    .other: RateLimits(packetsPerSecond: 20_000, bitsPerSecond: 5e8),
  ]
  /// By how much a block may have more than one host; a prefix may have that for each of its
  /// blocks. Our own choice; what a prefix really has is learned.
  public var prefixFactor = 5.0
  /// Bits of the blocks within a protected prefix that are watched as a whole, for attacks on all
  /// of their hosts at once (carpet bombing): a /24, and a /56, which one subscriber has
  /// (RIPE-690).
  public var blockLengthV4 = 24
  public var blockLengthV6 = 56

  /// Whether limits are also learned.
  public var learns = true
  /// Minutes in which a host, block or prefix must have been seen before what was learned decides.
  public var warmUpMinutes = 30
  /// How far above the learned rate is an attack: as a factor of it, and in deviations of its
  /// logarithm (1.4826 mean absolute deviations are one standard deviation of a normal
  /// distribution); both must be exceeded. Six deviations: one false alarm in 10⁹ minutes if it
  /// were normal, which it is not.
  public var baselineFactor = 3.0
  public var baselineDeviations = 6.0
  /// The part of the fixed limit below which no learned limit goes, so that a quiet host may begin
  /// to download.
  public var baselineFloor = 0.25
  /// The weight of a new minute in what is learned. Our own choice: half is forgotten in 44
  /// minutes.
  public var learningRate = 1.0 / 64
  /// The weight of a new hour in the profile of the week, of prefixes only: half is forgotten in
  /// two weeks.
  public var weeklyLearningRate = 0.3

  /// An attack is over when it stays below this part of the limit …
  public var endShare = 0.5
  /// … for so long: longer than routers' active timeout, after which they say how a flow went on.
  public var quietSeconds = 70.0
  /// Seconds after which an attack that goes on is told again.
  public var updateSeconds = 10.0
  /// Standard errors of sampling that the rate must be above the limit, so that one sampled packet
  /// of 1:1000 is no thousand.
  public var samplingDeviations = 2.0

  /// Seconds for which rates are kept; a flow that lasted longer counts with the part within.
  /// Routers' active timeout is 60 s or less where attacks are looked for; what lies longer ago
  /// than this comes too late to matter. A power of two.
  public var horizonSeconds = 32
  /// Packets per second from which on a host's rates are kept by class; a quieter one has only a
  /// total.
  public var detailPacketsPerSecond = 500.0
  /// Hosts and blocks that rates are kept for, about 1 kB each. Above it the quietest are dropped
  /// and counted.
  public var largestHostCount = 131_072
  /// Classes of hosts that rates are kept for, about 1 kB each.
  public var largestMeterCount = 262_144
  /// Flows that are kept to look back at when an attack is noticed, 80 octets each.
  public var recentFlowCount = 262_144
  /// Attacks at the same time; more are counted.
  public var largestAttackCount = 64
  /// Sources kept of each vector of an attack, about 150 octets each.
  public var sourcesPerVector = 4_096
  /// Sources written down of an attack that is stored or told.
  public var reportedSourceCount = 1_000
  /// The least share of the attack's packets or octets that a vector has.
  public var leastVectorShare = 0.1
  /// Destinations from which on an attack on a prefix is a carpet, and the largest share that one
  /// of them may have.
  public var carpetDestinations = 8
  public var carpetLargestShare = 0.5
  public var nature = SourceNatureParameters()

  public init() {}

  /// The same fixed limits of packets, bits and flows for all traffic and for each class, as the
  /// other collectors have.
  public mutating func setLimits(_ limits: RateLimits) {
    hostLimits = Dictionary(uniqueKeysWithValues: TrafficKind.allCases.map { ($0, limits) })
  }
}

/// The numbers that decide where an attack's sources really are; see ``SourceNature``.
public struct SourceNatureParameters: Sendable {
  /// Addresses that no packet can come from (0/8, 127/8 and from 224/4 on: 13 % of IPv4) are
  /// forged. At this share the whole vector is. Our own choice: a sixth of what random forging
  /// makes.
  public var forgedShare = 0.02
  /// The share of flows with a source of their own, and the evenness of the sources' first octets
  /// over at least so many, from which on sources are probably forged. Our own choice: where real
  /// hosts are, some octets have many times what others have.
  public var singleFlowShare = 0.9
  public var evenness = 0.9
  public var leastOctets = 64

  public init() {}
}
