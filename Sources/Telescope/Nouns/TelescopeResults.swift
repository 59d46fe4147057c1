public import NetworkTypes

/// One source's traffic of one class to (or, for backscatter, from) one port, without a silence
/// longer than the event timeout: the unit that a telescope counts in (Merit's darknet event).
public struct TelescopeEvent: Hashable, Sendable, Codable {
  public var source: IPAddress
  /// Destination port of probes, source port of backscatter (the attacked service), 0 for ICMP.
  public var port: UInt16
  public var trafficClass: TrafficClass
  public var firstSeen: Timestamp
  public var lastSeen: Timestamp
  public var packets: UInt64
  public var bytes: UInt64
  /// Distinct dark addresses: exact up to 64, then HyperLogLog.
  public var destinations: Double
  /// Distinct /24 blocks of them (/64 for IPv6).
  public var destinationBlocks: Double
  public var rate: RateEstimate
  public var country: CountryCode
  public var asn: ASN
  /// Tool names with version families, the most specific first: `ZMap ≥ 4.1`.
  public var tools: [String]
  /// Raw packets, sampled uniformly over the event.
  public var samples: [[UInt8]]
  /// False for an event that was still going on when the reading stopped.
  public var isClosed: Bool
}

/// What the telescope says a source is.
public enum HostVerdict: String, Sendable, Codable, CaseIterable {
  case infected
  /// A declared or recognised survey of the Internet.
  case survey
  /// Scans with a known or unknown tool and is neither of the above.
  case scanner
  /// Seen only by its backscatter: a victim, not an actor.
  case victim
  /// Too little to say.
  case undecided
}

/// A source of which there is more to say than an event: everything the telescope knows of it.
public struct ObservedHost: Hashable, Sendable, Codable {
  public var address: IPAddress
  public var verdict: HostVerdict
  /// In per cent.
  public var confidence: Int
  public var reasons: [Reason]
  public var firstSeen: Timestamp
  public var lastSeen: Timestamp
  public var packets: UInt64
  public var bytes: UInt64
  public var destinations: Double
  public var ports: [PortCount]
  public var distinctPorts: Double
  public var classes: [TrafficClass]
  public var tools: [String]
  /// The malware that a tool's packets belong to: `mirai`.
  public var malware: String?
  public var rate: RateEstimate
  public var country: CountryCode
  public var asn: ASN
  /// Who runs the survey, from the lists.
  public var surveyor: String?

  public struct PortCount: Hashable, Sendable, Codable {
    public var port: UInt16
    public var transport: IPProtocol
    public var packets: UInt64

    public init(port: UInt16, transport: IPProtocol, packets: UInt64) {
      self.port = port
      self.transport = transport
      self.packets = packets
    }
  }

  /// Why the verdict is what it is, under a stable name that catalogues translate.
  public struct Reason: Hashable, Sendable, Codable {
    public var name: String
    public var values: [String: String]

    public init(_ name: String, _ values: [String: String] = [:]) {
      self.name = name
      self.values = values
    }
  }
}

/// A host under a randomly spoofed denial-of-service attack, from one silence to the next.
public struct VictimEvent: Hashable, Sendable, Codable {
  public var victim: IPAddress
  public var start: Timestamp
  public var end: Timestamp
  public var packets: UInt64
  public var bytes: UInt64
  /// Packets in the strongest minute.
  public var peakPacketsPerMinute: UInt64
  public var destinations: Double
  /// The attacked services, the strongest first; empty for pure ICMP floods.
  public var services: [ObservedHost.PortCount]
  /// How the attack was seen: packets by class of backscatter.
  public var evidence: [ClassCount]
  /// ICMP errors whose quoted packet does not carry the address they came to.
  public var quoteMismatches: UInt64
  /// Rate of the victim's answers on the whole Internet: a lower bound of the attack's.
  public var rate: RateEstimate
  public var country: CountryCode
  public var asn: ASN
  public var isClosed: Bool

  public struct ClassCount: Hashable, Sendable, Codable {
    public var trafficClass: TrafficClass
    public var packets: UInt64

    public init(trafficClass: TrafficClass, packets: UInt64) {
      self.trafficClass = trafficClass
      self.packets = packets
    }
  }
}

/// An address of a member organisation reached dark space (DAEDALUS).
public struct MemberAlert: Hashable, Sendable, Codable {
  public enum Reach: String, Sendable, Codable, CaseIterable {
    /// Into the member's own dark network.
    case `internal`
    /// Into somebody else's.
    case external
    /// Backscatter: the member's server is being attacked.
    case backscatter
  }

  public enum State: String, Sendable, Codable, CaseIterable {
    /// Began in this reading.
    case new
    /// Began before it and went on.
    case continuing
    case closed
  }

  public var organisation: String
  public var address: IPAddress
  public var reach: Reach
  public var state: State
  public var firstSeen: Timestamp
  public var lastSeen: Timestamp
  public var packets: UInt64
  public var destinations: Double
  public var ports: [UInt16]
}

/// Something that many sources began to do together.
public struct Campaign: Hashable, Sendable, Codable {
  public enum Subject: String, Sendable, Codable, CaseIterable {
    case port
    case portSet = "port-set"
    /// A SYN signature that no fingerprint rule knows.
    case signature
    /// A tool on a port set that was not seen before.
    case cluster
  }

  public var subject: Subject
  /// `23/tcp`, `23,2323,5555/tcp`, or a SYN signature `64:1024:mss:1460:-:0`.
  public var key: String
  public var began: Timestamp
  public var lastSeen: Timestamp
  public var isOver: Bool
  /// Unique sources in the strongest hour.
  public var peakSources: Double
  /// The median of the hours before it began.
  public var baseline: Double
  public var deviations: Double
  public var tools: [Share]
  public var countries: [Share]

  public struct Share: Hashable, Sendable, Codable {
    public var name: String
    public var sources: Double

    public init(name: String, sources: Double) {
      self.name = name
      self.sources = sources
    }
  }
}

/// One point of a time series.
public struct SeriesPoint: Hashable, Sendable, Codable {
  public enum Dimension: String, Sendable, Codable, CaseIterable {
    case all
    case trafficClass = "class"
    case port
    case country
    case asn
    case tool
  }

  public enum Resolution: Int, Sendable, Codable, CaseIterable {
    case fiveMinutes = 300
    case hour = 3_600
    case day = 86_400
  }

  public var resolution: Resolution
  /// The start of the bin in seconds since 1970.
  public var start: Int64
  public var dimension: Dimension
  /// `syn-scan`, `23/tcp`, `JP`, `AS2497`, `Mirai`; empty for `all`; `other` for the rest of a bin.
  public var key: String
  public var packets: UInt64
  public var bytes: UInt64
  /// Unique sources, by HyperLogLog.
  public var hosts: Double
}

/// What was read and what was lost, so that nothing is dropped in silence.
public struct TelescopeCounters: Hashable, Sendable, Codable {
  public var packets: UInt64 = 0
  public var bytes: UInt64 = 0
  /// Not decodable, by reason.
  public var undecoded: [String: UInt64] = [:]
  /// Decoded, but not addressed to the dark space.
  public var outsideDarkSpace: UInt64 = 0
  /// From sources that the configuration leaves out.
  public var ignored: UInt64 = 0
  public var byClass: [String: UInt64] = [:]
  /// Forgotten under the memory limit: entries, and the packets they held. Totals keep them.
  public var evictedEvents: UInt64 = 0
  public var evictedSources: UInt64 = 0
  public var evictedVictims: UInt64 = 0
  public var evictedPackets: UInt64 = 0
  /// Samples not kept because their memory was used up.
  public var unsampled: UInt64 = 0
  /// Packets older than their five-minute bin, counted in the bin that was open.
  public var late: UInt64 = 0
  /// Unique sources over everything read, by HyperLogLog (relative standard error 0.8 %).
  public var sources: Double = 0

  public init() {}
}

/// What a stretch of reading concluded.
public struct TelescopeResults: Sendable {
  /// Events that have ended. Those that go on come from ``TelescopeEngine/forEachOpenEvent(_:)``.
  public var events: [TelescopeEvent] = []
  /// Notable hosts, as they stand now.
  public var hosts: [ObservedHost] = []
  /// Attacks that ended or are going on.
  public var victims: [VictimEvent] = []
  public var alerts: [MemberAlert] = []
  public var campaigns: [Campaign] = []
  public var series: [SeriesPoint] = []
  public var counters = TelescopeCounters()
  var departed: [SourceSummary] = []

  public init() {}

  /// One order for any number of threads.
  mutating func sort() {
    events.sort {
      ($0.firstSeen, $0.source, $0.port, $0.trafficClass.rawValue)
        < ($1.firstSeen, $1.source, $1.port, $1.trafficClass.rawValue)
    }
    hosts.sort { ($0.firstSeen, $0.address) < ($1.firstSeen, $1.address) }
    victims.sort { ($0.start, $0.victim) < ($1.start, $1.victim) }
    alerts.sort {
      ($0.firstSeen, $0.address, $0.reach.rawValue) < ($1.firstSeen, $1.address, $1.reach.rawValue)
    }
  }
}
