public import NetworkTypes

/// A rate in all three units.
public struct AttackRate: Sendable, Codable, Hashable {
  public var packetsPerSecond: Double
  public var bitsPerSecond: Double
  public var flowsPerSecond: Double

  public init(packetsPerSecond: Double = 0, bitsPerSecond: Double = 0, flowsPerSecond: Double = 0) {
    self.packetsPerSecond = packetsPerSecond
    self.bitsPerSecond = bitsPerSecond
    self.flowsPerSecond = flowsPerSecond
  }
}

/// Sums of flows, scaled by their sampling rates.
public struct AttackVolume: Sendable, Codable, Hashable {
  public var packets: UInt64
  public var octets: UInt64
  /// Flow records; these are not scaled.
  public var flows: UInt64

  public init(packets: UInt64 = 0, octets: UInt64 = 0, flows: UInt64 = 0) {
    self.packets = packets
    self.octets = octets
    self.flows = flows
  }

  mutating func add(_ other: AttackVolume) {
    packets = packets.addingClamped(other.packets)
    octets = octets.addingClamped(other.octets)
    flows = flows.addingClamped(other.flows)
  }

  /// Octets of IP per packet.
  public var octetsPerPacket: Double { packets == 0 ? 0 : Double(octets) / Double(packets) }
}

extension UInt64 {
  func addingClamped(_ other: UInt64) -> UInt64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}

/// Why an attack was noticed: a rate that was above its limit.
public struct AttackTrigger: Sendable, Codable, Hashable {
  public enum Unit: String, Sendable, Codable {
    case packets = "pps"
    case bits = "bps"
    case flows = "fps"
  }
  /// Where the limit is from.
  public enum Basis: String, Sendable, Codable {
    /// The configuration.
    case fixed
    /// What was learned of this host or prefix.
    case learned
    /// A person said that this is an attack.
    case told
  }

  public var kind: TrafficKind
  public var unit: Unit
  public var value: Double
  public var limit: Double
  public var basis: Basis
}

/// What an attack was, from its first second to its last so far.
public struct Attack: Sendable, Codable, Hashable, Identifiable {
  /// Start and target, such as `20261125T114500Z-203.0.113.7`: the same for the same data.
  public var id: String
  /// One host, or the block or prefix whose hosts are attacked together.
  public var target: IPPrefix
  /// Whether hosts of the target were attacked together (carpet bombing).
  public var isCarpet: Bool
  /// The protected network that the target is in.
  public var network: IPPrefix?
  /// The first second above half of the limit.
  public var start: Timestamp
  /// The data's time at which it was noticed.
  public var detected: Timestamp
  /// The last second above half of the limit, so far.
  public var end: Timestamp
  public var isOver: Bool
  public var trigger: AttackTrigger
  /// All traffic to the target since the start.
  public var total: AttackVolume
  /// The greatest rates of a second.
  public var peak: AttackRate
  /// When the packets were most.
  public var peakTime: Timestamp
  /// Rates of packets in equal steps from ``start`` on, for a plot and for percentiles.
  public var series: RateSeries
  /// What it was made of, the strongest first; never empty.
  public var vectors: [AttackVector]
  /// The strongest sources of these vectors, the strongest first.
  public var sources: [AttackSource]
  /// How many distinct sources there were, and the standard error of that as a share.
  public var sourceCount: Double
  public var sourceCountError: Double
  /// Destinations that were hit.
  public var destinationCount: Double
  /// The greatest sampling rate among its flows; 1 where none was said.
  public var samplingRate: UInt16

  /// The name of what it was: the only vector's, or `multi-vector`; with `carpet-` before it.
  public var name: String {
    // Large answers come in fragments: these belong to the reflection.
    let isReflection = vectors.contains { $0.service != nil }
    let strong = vectors.filter { $0.share >= 0.2 && !(isReflection && $0.kind == .fragment) }
    let plain =
      strong.count > 1 ? "multi-vector" : (strong.first ?? vectors.first)?.name ?? "flood"
    return isCarpet ? "carpet-bombing-" + plain : plain
  }

  /// Seconds from start to end, at least one.
  public var seconds: Double { max(1, end.seconds(since: start)) }
}

/// One kind of traffic that an attack is made of.
public struct AttackVector: Sendable, Codable, Hashable {
  /// `udp-flood`, `tcp-syn-flood`, `dns-amplification`, `fragments` …
  public var name: String
  public var kind: TrafficKind
  /// IP protocol number.
  public var transport: UInt8
  /// The amplifiers' service, where it is a reflection.
  public var service: String?
  /// The source port of (nearly) all of it; nil where they vary.
  public var sourcePort: UInt16?
  public var volume: AttackVolume
  /// Share of the attack's packets or octets, whichever is greater.
  public var share: Double
  public var first: Timestamp
  public var last: Timestamp
  /// The most frequent destination ports with their share of packets; empty where they vary.
  public var destinationPorts: [PortShare]
  /// TCP flags with their share of packets; empty for other protocols.
  public var tcpFlags: [FlagShare]
  /// ICMP types with their share of packets; empty for other protocols.
  public var icmpTypes: [PortShare]
  public var sourceCount: Double
  public var nature: SourceNature
  /// Why ``nature`` is believed, in one sentence with figures.
  public var evidence: String

  public struct PortShare: Sendable, Codable, Hashable {
    public var value: UInt16
    public var share: Double
  }
  public struct FlagShare: Sendable, Codable, Hashable {
    public var flags: UInt8
    public var share: Double
  }
}

/// What the sources that the packets name really are.
///
/// - `reflector`: a service answered; the address is true, its owner a bystander. Source port of an
///   amplifier, packets as large as its answers, and next to no impossible source address; or
/// SYN-ACK
///   and RST of servers.
/// - `forged`: the address is probably not where the packets came from: impossible addresses among
/// the
///   sources, or nearly every source seen once and spread evenly over the address space.
/// - `direct`: the address is probably true: whole connections, or the same source again and again.
/// - `unknown`: too few packets to say.
public enum SourceNature: String, Sendable, Codable, CaseIterable {
  case reflector
  case forged
  case direct
  case unknown
}

/// One address that an attack's packets name as their source.
public struct AttackSource: Sendable, Codable, Hashable {
  public var address: IPAddress
  /// At least the true number of packets …
  public var packets: UInt64
  /// … and at most so many too many: the bound of the counter, when there were more sources than it
  /// keeps.
  public var error: UInt64
  public var octets: UInt64
  public var flows: UInt64
  public var first: Timestamp
  public var last: Timestamp
  public var nature: SourceNature
  /// The vectors that it took part in, by name.
  public var vectors: [String]
}

/// Rates in equal steps of whole seconds; when it is full, steps become twice as long.
public struct RateSeries: Sendable, Codable, Hashable {
  public private(set) var stepSeconds: Int
  /// Mean packets and bits per second of each step.
  public private(set) var packets: [Double]
  public private(set) var bits: [Double]
  private var inStep: Int
  private static let capacity = 512

  public init() {
    stepSeconds = 1
    packets = []
    bits = []
    inStep = 0
  }

  /// Adds one second.
  mutating func append(packets newPackets: Double, bits newBits: Double) {
    if inStep == 0 {
      if packets.count == Self.capacity { halve() }
      packets.append(newPackets / Double(stepSeconds))
      bits.append(newBits / Double(stepSeconds))
    } else {
      packets[packets.count - 1] += newPackets / Double(stepSeconds)
      bits[bits.count - 1] += newBits / Double(stepSeconds)
    }
    inStep = (inStep + 1) % stepSeconds
  }

  private mutating func halve() {
    packets = stride(from: 0, to: packets.count, by: 2).map { (packets[$0] + packets[$0 + 1]) / 2 }
    bits = stride(from: 0, to: bits.count, by: 2).map { (bits[$0] + bits[$0 + 1]) / 2 }
    stepSeconds *= 2
  }

  /// The value that this share of the steps is at most, by the nearest rank; 0 without any.
  public static func percentile(_ share: Double, of values: [Double]) -> Double {
    guard !values.isEmpty else { return 0 }
    let sorted = values.sorted()
    let rank = Int((share * Double(sorted.count)).rounded(.up))
    return sorted[min(max(rank, 1), sorted.count) - 1]
  }
}
