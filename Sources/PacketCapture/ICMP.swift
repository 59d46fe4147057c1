import NetworkTypes

extension PacketDecoder {
  /// RFC 792. Destination unreachable, source quench, redirect, time exceeded and parameter problem
  /// quote the packet that they are about.
  static func icmp(
    _ bytes: RawSpan, at start: Int, end: Int, _ headers: inout PacketHeaders
  ) -> DecodeOutcome {
    guard icmpHeader(bytes, at: start, end: end, &headers) else { return .truncatedTransport }
    switch headers.icmpType {
    case 3, 4, 5, 11, 12: quotedIPv4(bytes, at: start &+ 8, end: end, &headers)
    default: break
    }
    return .decoded
  }

  /// RFC 4443. Destination unreachable, packet too big, time exceeded and parameter problem quote
  /// the packet that they are about.
  static func icmpv6(
    _ bytes: RawSpan, at start: Int, end: Int, _ headers: inout PacketHeaders
  ) -> DecodeOutcome {
    guard icmpHeader(bytes, at: start, end: end, &headers) else { return .truncatedTransport }
    switch headers.icmpType {
    case 1, 2, 3, 4: quotedIPv6(bytes, at: start &+ 8, end: end, &headers)
    default: break
    }
    return .decoded
  }

  private static func icmpHeader(
    _ bytes: RawSpan, at start: Int, end: Int, _ headers: inout PacketHeaders
  ) -> Bool {
    guard end &- start >= 8 else { return false }
    headers.icmpType = bytes.loadByte(start)
    headers.icmpCode = bytes.loadByte(start &+ 1)
    setPayload(at: start &+ 8, end: end, &headers)
    return true
  }

  private static func quotedIPv4(
    _ bytes: RawSpan, at start: Int, end: Int, _ headers: inout PacketHeaders
  ) {
    guard end &- start >= 20 else { return }
    let first = bytes.loadByte(start)
    let headerLength = Int(first & 15) &* 4
    guard first >> 4 == 4, headerLength >= 20 else { return }
    let isLater = bytes.loadBig16(start &+ 6) & 0x1fff != 0
    quoted(
      source: IPAddress(v4: bytes.loadBig32(start &+ 12)),
      destination: IPAddress(v4: bytes.loadBig32(start &+ 16)),
      transport: IPProtocol(rawValue: bytes.loadByte(start &+ 9)),
      ports: isLater ? nil : start &+ headerLength, bytes, end: end, &headers)
  }

  private static func quotedIPv6(
    _ bytes: RawSpan, at start: Int, end: Int, _ headers: inout PacketHeaders
  ) {
    guard end &- start >= 40, bytes.loadByte(start) >> 4 == 6 else { return }
    let chain = ExtensionChain(
      bytes, at: start &+ 40, end: end, next: bytes.loadByte(start &+ 6))
    quoted(
      source: ipv6Address(bytes, at: start &+ 8),
      destination: ipv6Address(bytes, at: start &+ 24),
      transport: IPProtocol(rawValue: chain.transport),
      ports: chain.fault != nil || chain.isLaterFragment ? nil : chain.offset, bytes, end: end,
      &headers)
  }

  /// The first eight octets of a transport header are quoted at least (RFC 792), so its ports are.
  private static func quoted(
    source: IPAddress, destination: IPAddress, transport: IPProtocol, ports: Int?,
    _ bytes: RawSpan, end: Int, _ headers: inout PacketHeaders
  ) {
    headers.traits.insert(.quotesPacket)
    if source != headers.destination { headers.traits.insert(.quoteMismatch) }
    headers.quotedDestination = destination
    headers.quotedTransport = transport
    guard let ports, end &- ports >= 4,
      transport == .tcp || transport == .udp || transport == .sctp
    else { return }
    headers.sourcePort = bytes.loadBig16(ports)
    headers.destinationPort = bytes.loadBig16(ports &+ 2)
  }
}
