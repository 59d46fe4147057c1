public import NetworkTypes

/// What one decoded packet says in its headers, as one flat value that the sensors read.
///
/// The innermost IP header of tunnels is *not* followed for IP-in-IP: the outer packet is what
/// reached us, and its ``transport`` says 4, 41 or 47. Everything is in host order. Fields that a protocol
/// lacks are zero.
@frozen
public struct PacketHeaders: BitwiseCopyable, Sendable {
  public var source = IPAddress(bits: 0)
  public var destination = IPAddress(bits: 0)
  /// The destination of the packet that an ICMP or ICMPv6 error quotes: who was attacked, when the
  /// error is backscatter. All zero bits unless ``traits`` holds `quotesPacket`.
  public var quotedDestination = IPAddress(bits: 0)
  public var timestamp = Timestamp(nanoseconds: 0)
  /// TCP sequence number; for an ICMP error, zero.
  public var sequence: UInt32 = 0
  public var acknowledgement: UInt32 = 0
  /// TCP option kinds in order, four bits each from the lowest: see ``TCPOptionLayout``.
  public var optionLayout = TCPOptionLayout.none
  /// TSval of the TCP timestamp option (RFC 7323).
  public var optionTimestamp: UInt32 = 0
  /// Length of the packet on the wire including the link layer, in octets.
  public var wireLength: UInt32 = 0
  /// IPv4 Total Length, or IPv6 Payload Length + 40, in octets.
  public var ipLength: UInt16 = 0
  /// IPv4 Identification; for IPv6 zero.
  public var identification: UInt16 = 0
  /// TCP, UDP or SCTP source port; for an ICMP error the quoted packet's source port.
  public var sourcePort: UInt16 = 0
  /// TCP, UDP or SCTP destination port; for an ICMP error the quoted packet's destination port.
  public var destinationPort: UInt16 = 0
  public var window: UInt16 = 0
  /// Maximum segment size option, zero without one.
  public var maximumSegmentSize: UInt16 = 0
  /// Where the transport header starts in the captured bytes.
  public var transportOffset: UInt16 = 0
  /// Where the payload behind the transport header starts in the captured bytes.
  public var payloadOffset: UInt16 = 0
  /// How many octets of the payload were captured, link-layer padding excluded.
  public var payloadLength: UInt16 = 0
  public var transport = IPProtocol(rawValue: 0)
  /// The protocol of the packet that an ICMP error quotes.
  public var quotedTransport = IPProtocol(rawValue: 0)
  public var timeToLive: UInt8 = 0
  /// FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128.
  public var tcpFlags: UInt8 = 0
  /// TCP header length in 32-bit words.
  public var dataOffset: UInt8 = 0
  /// Window scale option; 255 without one.
  public var windowScale: UInt8 = 255
  public var icmpType: UInt8 = 0
  public var icmpCode: UInt8 = 0
  public var traits: Traits = []

  @inlinable public init() {}

  @frozen
  public struct Traits: OptionSet, BitwiseCopyable, Sendable {
    public let rawValue: UInt8
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
    public static let dontFragment = Traits(rawValue: 1)
    /// Any fragment, the first one included.
    public static let fragment = Traits(rawValue: 2)
    /// A fragment other than the first: it has no transport header, so ports and flags are zero.
    public static let laterFragment = Traits(rawValue: 4)
    /// An ICMP error that quotes an IP packet, which was decoded.
    public static let quotesPacket = Traits(rawValue: 8)
    /// The quoted packet's source is not the address that the error was sent to.
    public static let quoteMismatch = Traits(rawValue: 16)
    /// The IP header carried IPv4 options or IPv6 extension headers.
    public static let ipOptions = Traits(rawValue: 32)
    /// The TCP options were cut off or inconsistent; the layout holds those before the fault.
    public static let brokenOptions = Traits(rawValue: 64)
  }
}

/// The order of a TCP header's options, up to sixteen, as the fingerprints compare it.
///
/// Four bits each, the first option lowest: end of list 1, NOP 2, MSS 3, window scale 4,
/// SACK permitted 5, timestamps 6, anything else 15. Zero bits mean "no further option".
@frozen
public struct TCPOptionLayout: Hashable, BitwiseCopyable, Sendable {
  public let bits: UInt64
  @inlinable public init(bits: UInt64) { self.bits = bits }
  public static let none = TCPOptionLayout(bits: 0)
}
