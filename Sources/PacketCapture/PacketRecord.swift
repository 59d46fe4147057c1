public import NetworkTypes

/// What a capture says about one packet besides its octets.
@frozen
public struct PacketRecord: BitwiseCopyable, Sendable {
  /// When the packet was captured.
  ///
  /// A pcapng simple packet block carries no time: it has the time of the packet before it, or
  /// 1970-01-01 as the first packet.
  public var timestamp: Timestamp
  /// The packet's number in its capture, from 0.
  public var index: Int
  /// How many octets were captured.
  public var capturedLength: UInt32
  /// How many octets the packet had on the wire; it may be smaller than ``capturedLength`` in files
  /// of careless writers.
  public var originalLength: UInt32
  /// What the first header is.
  public var linkType: LinkType

  @inlinable
  public init(
    timestamp: Timestamp, index: Int, capturedLength: UInt32, originalLength: UInt32,
    linkType: LinkType
  ) {
    self.timestamp = timestamp
    self.index = index
    self.capturedLength = capturedLength
    self.originalLength = originalLength
    self.linkType = linkType
  }
}

/// A link-layer header type by its LINKTYPE number (tcpdump.org, "Link-Layer Header Types").
@frozen
public struct LinkType: Hashable, BitwiseCopyable, Sendable, RawRepresentable,
  CustomStringConvertible
{
  public let rawValue: UInt16
  @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// BSD loopback: a protocol family in the byte order of the capturing machine.
  @inlinable public static var null: LinkType { LinkType(rawValue: 0) }
  /// IEEE 802.3 Ethernet.
  @inlinable public static var ethernet: LinkType { LinkType(rawValue: 1) }
  /// Raw IP by its number of some BSDs.
  @inlinable public static var rawBSD: LinkType { LinkType(rawValue: 12) }
  /// Raw IP by its number of OpenBSD.
  @inlinable public static var rawOpenBSD: LinkType { LinkType(rawValue: 14) }
  /// Raw IPv4 or IPv6; the version is in the first four bits.
  @inlinable public static var raw: LinkType { LinkType(rawValue: 101) }
  /// OpenBSD loopback: a protocol family in network byte order.
  @inlinable public static var loop: LinkType { LinkType(rawValue: 108) }
  /// Linux "cooked" capture, version 1.
  @inlinable public static var linuxCooked: LinkType { LinkType(rawValue: 113) }
  /// Raw IPv4.
  @inlinable public static var ipv4: LinkType { LinkType(rawValue: 228) }
  /// Raw IPv6.
  @inlinable public static var ipv6: LinkType { LinkType(rawValue: 229) }
  /// Linux "cooked" capture, version 2.
  @inlinable public static var linuxCooked2: LinkType { LinkType(rawValue: 276) }

  /// The name without its prefix, such as `ETHERNET`, or the number.
  public var description: String {
    switch self {
    case .null: "NULL"
    case .ethernet: "ETHERNET"
    case .rawBSD, .rawOpenBSD, .raw: "RAW"
    case .loop: "LOOP"
    case .linuxCooked: "LINUX_SLL"
    case .ipv4: "IPV4"
    case .ipv6: "IPV6"
    case .linuxCooked2: "LINUX_SLL2"
    default: "LINKTYPE \(rawValue)"
    }
  }
}
