/// The bounds that keep a hostile capture from using more memory or time than a real one.
public struct CaptureParameters: Sendable {
  /// The longest packet believed, in octets: `MAXIMUM_SNAPLEN` of libpcap 1.10 for IP link types.
  @inlinable public static var maximumCapturedLength: Int { 262_144 }
  /// The longest pcapng block believed, in octets: libpcap 1.10's initial `max_blocksize`.
  @inlinable public static var maximumBlockLength: Int { 16 * 1024 * 1024 }
  /// Interfaces of one pcapng section: our own choice, far above any real file.
  @inlinable public static var maximumInterfaces: Int { 65_536 }
  /// The first size of the window over a stream, in octets: our own choice, ten thousand SYNs.
  @inlinable public static var windowLength: Int { 262_144 }
  /// How much compressed input is read at once, in octets: our own choice.
  @inlinable public static var inputLength: Int { 262_144 }
  /// Captures that are merged and overlap at one moment: our own choice, far above the taps of any
  /// sensor; a compressed one holds about two megabytes.
  @inlinable public static var maximumOpenCaptures: Int { 64 }
  /// VLAN tags, or MPLS labels, in front of IP: our own choice, far above any real network.
  @inlinable public static var maximumLinkLayers: Int { 16 }
  /// IPv6 extension headers of one packet: our own choice; RFC 8200 §4.1 orders seven.
  @inlinable public static var maximumExtensionHeaders: Int { 12 }
}
