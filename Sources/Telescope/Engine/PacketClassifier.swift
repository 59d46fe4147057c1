import NetworkTypes
import PacketCapture

/// Decides the ``TrafficClass`` of a packet, whom it is about and which port it belongs to.
///
/// Stateless, some ten nanoseconds a packet.
struct PacketClassifier: Sendable {
  /// One bit for each /8 that holds special addresses and needs the slow test.
  private let suspectBlocks: [Bool]
  private let unusable: [IPPrefix]
  private let dark: DarkIndex

  /// Space nobody can send from on the Internet: RFC 6890's registry, multicast and reserved space.
  static let unusableSpace: [IPPrefix] = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
    "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "::/128", "::1/128", "fc00::/7", "fe80::/10",
    "ff00::/8", "2001:db8::/32", "100::/64",
  ].compactMap { IPPrefix($0) }

  /// Blocks for documentation (RFC 5737, RFC 3849), in which a laboratory's hosts like to live.
  static let documentationSpace: Set<IPPrefix> = Set(
    ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"].compactMap {
      IPPrefix($0)
    })

  /// A telescope that lies in unusable space is a laboratory's: its own block and the documentation
  /// blocks are then not held against a source.
  init(space: DarkSpace) {
    dark = DarkIndex(space)
    let own = Self.unusableSpace.filter { block in
      space.networks.contains { block.contains($0.prefix) }
    }
    unusable = Self.unusableSpace.filter { block in
      !own.contains(block) && (own.isEmpty || !Self.documentationSpace.contains(block))
    }
    var blocks = [Bool](repeating: false, count: 256)
    for block in unusable where block.address.isIPv4 {
      guard let first = block.first.v4, let last = block.last.v4 else { continue }
      for index in Int(first >> 24)...Int(last >> 24) { blocks[index] = true }
    }
    for network in space.networks {
      guard let first = network.prefix.first.v4, let last = network.prefix.last.v4 else { continue }
      for index in Int(first >> 24)...Int(last >> 24) { blocks[index] = true }
    }
    suspectBlocks = blocks
  }

  @inline(__always)
  func isDark(_ address: IPAddress) -> Bool { dark.contains(address) }

  @inline(__always)
  private func isUnusable(_ source: IPAddress) -> Bool {
    if source.isIPv4 {
      let block = Int(truncatingIfNeeded: source.bits >> 24) & 255
      guard suspectBlocks[block] else { return false }
    }
    return isUnusableSlowly(source)
  }

  @inline(never)
  private func isUnusableSlowly(_ source: IPAddress) -> Bool {
    unusable.contains { $0.contains(source) } || dark.contains(source)
  }

  struct Sighting {
    var trafficClass: TrafficClass
    /// The host it is about: the sender, or the victim that an ICMP error quotes.
    var subject: IPAddress
    var port: UInt16
  }

  @inline(__always)
  func classify(_ packet: PacketHeaders, _ bytes: RawSpan) -> Sighting {
    var sighting = Sighting(
      trafficClass: .other, subject: packet.source, port: packet.destinationPort)
    if isUnusable(packet.source) || packet.source == packet.destination {
      sighting.trafficClass = .spoofedSource
      return sighting
    }
    if !packet.traits.isDisjoint(with: .fragment) {
      sighting.trafficClass = .fragment
      return sighting
    }
    switch packet.transport {
    case .tcp:
      sighting.trafficClass = Self.tcpClass(packet.tcpFlags)
      if sighting.trafficClass.isBackscatter { sighting.port = packet.sourcePort }
    case .udp:
      let isResponse =
        packet.sourcePort == 53 && packet.payloadLength >= 3
        && Int(packet.payloadOffset) &+ 2 < bytes.byteCount
        && bytes.unsafeLoad(fromByteOffset: Int(packet.payloadOffset) &+ 2, as: UInt8.self) & 0x80
          != 0
      sighting.trafficClass = isResponse ? .dnsBackscatter : .udpProbe
      if isResponse { sighting.port = 53 }
    case .icmp:
      classifyICMP(packet, &sighting)
    case .icmpv6:
      classifyICMPv6(packet, &sighting)
    case .ipv4, .ipv6, .gre:
      sighting.trafficClass = .tunnel
      sighting.port = 0
    default:
      break
    }
    return sighting
  }

  /// The low six flags decide; ECE and CWR (RFC 3168) may accompany any of them.
  @inline(__always)
  static func tcpClass(_ flags: UInt8) -> TrafficClass {
    switch flags & 0x3f {
    case 0x02: return .synScan
    case 0x12, 0x1a: return .synAckBackscatter
    case 0x04, 0x14: return .rstBackscatter
    // Data and orderly closing belong to connections, which dark space has none of.
    case 0x18, 0x11, 0x19, 0x38: return .other
    default: return .stealthScan
    }
  }

  @inline(__always)
  private func classifyICMP(_ packet: PacketHeaders, _ sighting: inout Sighting) {
    switch packet.icmpType {
    case 3, 4, 5, 11, 12:
      sighting.trafficClass = .icmpErrorBackscatter
      if packet.traits.contains(.quotesPacket) {
        sighting.subject = packet.quotedDestination
      } else {
        sighting.port = 0
      }
    case 0, 14, 16, 18:
      sighting.trafficClass = .icmpReplyBackscatter
      sighting.port = 0
    case 8, 13, 15, 17:
      sighting.trafficClass = .icmpRequest
      sighting.port = 0
    default:
      sighting.port = 0
    }
  }

  private func classifyICMPv6(_ packet: PacketHeaders, _ sighting: inout Sighting) {
    switch packet.icmpType {
    case 1, 2, 3, 4:
      sighting.trafficClass = .icmpErrorBackscatter
      if packet.traits.contains(.quotesPacket) {
        sighting.subject = packet.quotedDestination
      } else {
        sighting.port = 0
      }
    case 129:
      sighting.trafficClass = .icmpReplyBackscatter
      sighting.port = 0
    case 128:
      sighting.trafficClass = .icmpRequest
      sighting.port = 0
    default:
      sighting.port = 0
    }
  }
}

/// Membership in the dark space, quick for the usual case of few IPv4 networks.
struct DarkIndex: Sendable {
  private let v4: [(first: UInt32, last: UInt32)]
  private let others: [IPPrefix]

  init(_ space: DarkSpace) {
    v4 = space.networks.compactMap {
      guard let first = $0.prefix.first.v4, let last = $0.prefix.last.v4 else { return nil }
      return (first, last)
    }
    others = space.networks.map(\.prefix).filter { !$0.address.isIPv4 }
  }

  @inline(__always)
  func contains(_ address: IPAddress) -> Bool {
    if address.isIPv4 {
      let bits = UInt32(truncatingIfNeeded: address.bits)
      for network in v4 where bits >= network.first && bits <= network.last { return true }
      return false
    }
    return others.contains { $0.contains(address) }
  }
}
