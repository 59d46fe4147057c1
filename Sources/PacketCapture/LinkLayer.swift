/// Where the IP header of a frame starts.
struct NetworkLayer: BitwiseCopyable {
  var offset: Int
  /// 4 or 6, as the link layer says or, where it does not, the header's first four bits.
  var version: UInt8
}

/// What is in front of IP.
enum LinkOutcome: BitwiseCopyable {
  case found(NetworkLayer)
  case failed(DecodeOutcome)
}

extension PacketDecoder {
  /// Finds the IP header behind whatever the link type says is in front of it.
  static func findNetworkLayer(_ linkType: LinkType, _ bytes: RawSpan) -> LinkOutcome {
    switch linkType {
    case .ethernet: return ethernet(bytes, at: 0)
    case .raw, .rawBSD, .rawOpenBSD: return byVersion(bytes, at: 0, else: .malformedIPHeader)
    case .ipv4: return .found(NetworkLayer(offset: 0, version: 4))
    case .ipv6: return .found(NetworkLayer(offset: 0, version: 6))
    case .linuxCooked:
      // LINKTYPE_LINUX_SLL: the protocol is the last field of 16 octets.
      guard bytes.byteCount >= 16 else { return .failed(.truncatedLink) }
      return etherType(bytes.loadBig16(14), bytes, at: 16)
    case .linuxCooked2:
      // LINKTYPE_LINUX_SLL2: the protocol is the first field of 20 octets.
      guard bytes.byteCount >= 20 else { return .failed(.truncatedLink) }
      return etherType(bytes.loadBig16(0), bytes, at: 20)
    case .null, .loop: return loopback(bytes)
    default: return .failed(.unsupportedLinkType)
    }
  }

  /// A protocol family of four octets; whose byte order it has is seen from its size.
  private static func loopback(_ bytes: RawSpan) -> LinkOutcome {
    guard bytes.byteCount >= 4 else { return .failed(.truncatedLink) }
    var family = bytes.loadBig32(0)
    if family > 0xffff { family = family.byteSwapped }
    switch family {
    case 2: return .found(NetworkLayer(offset: 4, version: 4))
    // AF_INET6 of Linux, NetBSD and OpenBSD, FreeBSD, Darwin.
    case 10, 24, 28, 30: return .found(NetworkLayer(offset: 4, version: 6))
    default: return .failed(.notIP)
    }
  }

  private static func ethernet(_ bytes: RawSpan, at start: Int) -> LinkOutcome {
    guard bytes.byteCount &- start >= 14 else { return .failed(.truncatedLink) }
    return etherType(bytes.loadBig16(start &+ 12), bytes, at: start &+ 14)
  }

  /// Follows EtherTypes from the layer at `start` to IP.
  private static func etherType(
    _ first: UInt16, _ bytes: RawSpan, at start: Int
  ) -> LinkOutcome {
    var type = first
    var at = start
    for _ in 0..<CaptureParameters.maximumLinkLayers {
      let left = bytes.byteCount &- at
      switch type {
      case 0x0800: return .found(NetworkLayer(offset: at, version: 4))
      case 0x86dd: return .found(NetworkLayer(offset: at, version: 6))
      case 0x8100, 0x88a8, 0x9100, 0x9200:
        // IEEE 802.1Q and 802.1ad tags, and the numbers used before 802.1ad.
        guard left >= 4 else { return .failed(.truncatedLink) }
        type = bytes.loadBig16(at &+ 2)
        at &+= 4
      case 0x8847, 0x8848: return mpls(bytes, at: at)
      case 0x8864: return pppoe(bytes, at: at)
      case 0..<0x0600:
        // IEEE 802.3 length: LLC, of which only SNAP (RFC 1042) carries an EtherType.
        guard left >= 3 else { return .failed(.truncatedLink) }
        guard bytes.loadBig16(at) == 0xaaaa, bytes.loadByte(at &+ 2) == 3 else {
          return .failed(.notIP)
        }
        guard left >= 8 else { return .failed(.truncatedLink) }
        type = bytes.loadBig16(at &+ 6)
        at &+= 8
        guard type >= 0x0600 else { return .failed(.notIP) }
      default: return .failed(.notIP)
      }
    }
    return .failed(.tooManyLayers)
  }

  /// A label stack (RFC 3032 §2.1), then IP as its first four bits say (RFC 4928 §3).
  private static func mpls(_ bytes: RawSpan, at start: Int) -> LinkOutcome {
    var at = start
    for _ in 0..<CaptureParameters.maximumLinkLayers {
      guard bytes.byteCount &- at >= 4 else { return .failed(.truncatedLink) }
      let isBottom = bytes.loadByte(at &+ 2) & 1 != 0
      at &+= 4
      if isBottom { return byVersion(bytes, at: at, else: .notIP) }
    }
    return .failed(.tooManyLayers)
  }

  /// A PPPoE session frame (RFC 2516 §4) and its PPP protocol, which may be compressed to one octet
  /// (RFC 1661 §6.5).
  private static func pppoe(_ bytes: RawSpan, at start: Int) -> LinkOutcome {
    guard bytes.byteCount &- start >= 8 else { return .failed(.truncatedLink) }
    var type = UInt16(bytes.loadByte(start &+ 6))
    var at = start &+ 7
    if type & 1 == 0 {
      type = bytes.loadBig16(start &+ 6)
      at &+= 1
    }
    switch type {
    case 0x0021: return .found(NetworkLayer(offset: at, version: 4))
    case 0x0057: return .found(NetworkLayer(offset: at, version: 6))
    default: return .failed(.notIP)
    }
  }

  private static func byVersion(
    _ bytes: RawSpan, at offset: Int, else other: DecodeOutcome
  ) -> LinkOutcome {
    guard bytes.byteCount > offset else { return .failed(.truncatedIP) }
    let version = bytes.loadByte(offset) >> 4
    guard version == 4 || version == 6 else { return .failed(other) }
    return .found(NetworkLayer(offset: offset, version: version))
  }
}
