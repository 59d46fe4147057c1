/// What a flow is made of, as far as protocol and flags say: the classes that rates are kept for.
///
/// The flags of a flow are the OR of its packets' flags, so a whole connection shows SYN, ACK and
/// FIN together, while a flood shows one kind alone.
@frozen
public enum TrafficKind: UInt8, CaseIterable, Sendable, Codable, Hashable, BitwiseCopyable {
  /// Everything together.
  case all
  /// UDP whose source port is none of an amplifier's.
  case udp
  /// UDP from a source port of ``AmplificationService``.
  case udpFromAmplifierPort
  /// TCP with SYN and without ACK.
  case tcpSYN
  /// TCP with SYN and ACK and nothing else.
  case tcpSYNACK
  /// TCP with ACK, perhaps PSH or URG, and without SYN, FIN and RST: the middle of a connection.
  case tcpACK
  /// TCP with RST and without SYN.
  case tcpRST
  /// TCP of a whole connection, or its end: SYN and ACK with more, or FIN.
  case tcpConnection
  /// TCP with flags that no connection has: none at all, or URG or PSH alone.
  case tcpOdd
  /// ICMP and ICMPv6.
  case icmp
  /// UDP or TCP with both ports zero: what exporters make of fragments other than the first, which
  /// have no ports.
  case fragment
  /// Any other protocol, such as GRE.
  case other

  /// How many there are.
  public static let count = 12

  /// The name in JSON, tables and settings: `tcp-syn`.
  public var name: String {
    switch self {
    case .all: "all"
    case .udp: "udp"
    case .udpFromAmplifierPort: "udp-amplifier-port"
    case .tcpSYN: "tcp-syn"
    case .tcpSYNACK: "tcp-syn-ack"
    case .tcpACK: "tcp-ack"
    case .tcpRST: "tcp-rst"
    case .tcpConnection: "tcp-connection"
    case .tcpOdd: "tcp-odd"
    case .icmp: "icmp"
    case .fragment: "fragment"
    case .other: "other"
    }
  }

  /// The class of a flow.
  static func of(
    transport: UInt8, tcpFlags: UInt8, sourcePort: UInt16, destinationPort: UInt16
  ) -> TrafficKind {
    switch transport {
    case 17:
      if sourcePort == 0, destinationPort == 0 { return .fragment }
      return AmplificationService.isPort(sourcePort) ? .udpFromAmplifierPort : .udp
    case 6:
      if sourcePort == 0, destinationPort == 0 { return .fragment }
      return ofTCP(tcpFlags)
    case 1, 58: return .icmp
    default: return .other
    }
  }

  private static func ofTCP(_ flags: UInt8) -> TrafficKind {
    // FIN 1, SYN 2, RST 4, ACK 16; PSH, URG, ECE and CWR say nothing here.
    switch (flags & 2 != 0, flags & 16 != 0, flags & 4 != 0, flags & 1 != 0) {
    case (true, false, _, _): .tcpSYN
    case (true, true, false, false): flags & 8 != 0 ? .tcpConnection : .tcpSYNACK
    case (true, true, _, _): .tcpConnection
    case (false, _, true, _): .tcpRST
    case (false, true, false, false): .tcpACK
    case (false, true, false, true): .tcpConnection
    case (false, false, false, _): .tcpOdd
    }
  }
}
