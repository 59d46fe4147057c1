public import NetworkTypes

extension PacketDecoder {
  /// The fixed fields of an IPv4 header whose 20 octets are captured.
  @inlinable @inline(__always)
  static func ipv4Fields(_ bytes: RawSpan, at start: Int, _ headers: inout PacketHeaders) {
    headers.ipLength = bytes.loadBig16(start &+ 2)
    headers.identification = bytes.loadBig16(start &+ 4)
    if bytes.loadByte(start &+ 6) & 0x40 != 0 { headers.traits.insert(.dontFragment) }
    headers.timeToLive = bytes.loadByte(start &+ 8)
    headers.transport = IPProtocol(rawValue: bytes.loadByte(start &+ 9))
    headers.source = IPAddress(v4: bytes.loadBig32(start &+ 12))
    headers.destination = IPAddress(v4: bytes.loadBig32(start &+ 16))
  }

  /// RFC 791 §3.1.
  static func ipv4(
    _ bytes: RawSpan, at start: Int, _ headers: inout PacketHeaders
  ) -> DecodeOutcome {
    let captured = bytes.byteCount &- start
    guard captured >= 1 else { return .truncatedIP }
    let first = bytes.loadByte(start)
    let headerLength = Int(first & 15) &* 4
    guard first >> 4 == 4, headerLength >= 20 else { return .malformedIPHeader }
    guard captured >= 20 else { return .truncatedIP }
    ipv4Fields(bytes, at: start, &headers)
    var total = Int(headers.ipLength)
    if total == 0 {
      // TCP segmentation offload: the capturing machine's card would have filled it in.
      total = captured
      headers.ipLength = UInt16(clamping: captured)
    }
    guard total >= headerLength else { return .malformedIPHeader }
    guard captured >= headerLength else { return .truncatedIP }
    if headerLength > 20 { headers.traits.insert(.ipOptions) }
    let payload = start &+ headerLength
    let end = start &+ min(total, captured)
    headers.transportOffset = UInt16(clamping: payload)
    let fragment = bytes.loadBig16(start &+ 6) & 0x3fff
    if fragment != 0 {
      headers.traits.insert(.fragment)
      if fragment & 0x1fff != 0 { return laterFragment(at: payload, end: end, &headers) }
    }
    return transport(bytes, at: payload, end: end, wireEnd: start &+ total, &headers)
  }

  static func laterFragment(
    at payload: Int, end: Int, _ headers: inout PacketHeaders
  ) -> DecodeOutcome {
    headers.traits.insert(.laterFragment)
    setPayload(at: payload, end: end, &headers)
    return .decoded
  }

  /// RFC 8200 §3.
  static func ipv6(
    _ bytes: RawSpan, at start: Int, _ headers: inout PacketHeaders
  ) -> DecodeOutcome {
    let captured = bytes.byteCount &- start
    guard captured >= 1 else { return .truncatedIP }
    guard bytes.loadByte(start) >> 4 == 6 else { return .malformedIPHeader }
    guard captured >= 40 else { return .truncatedIP }
    let next = bytes.loadByte(start &+ 6)
    var total = Int(bytes.loadBig16(start &+ 4)) &+ 40
    // A length of zero is a jumbogram (RFC 2675) or segmentation offload, unless nothing follows.
    if total == 40, next != 59 { total = captured }
    headers.ipLength = UInt16(clamping: total)
    headers.timeToLive = bytes.loadByte(start &+ 7)
    headers.source = ipv6Address(bytes, at: start &+ 8)
    headers.destination = ipv6Address(bytes, at: start &+ 24)
    let end = start &+ min(total, captured)
    let chain = ExtensionChain(bytes, at: start &+ 40, end: end, next: next)
    headers.transport = IPProtocol(rawValue: chain.transport)
    if chain.offset > start &+ 40 { headers.traits.insert(.ipOptions) }
    if chain.isFragment { headers.traits.insert(.fragment) }
    if let fault = chain.fault { return fault }
    headers.transportOffset = UInt16(clamping: chain.offset)
    if chain.isLaterFragment { return laterFragment(at: chain.offset, end: end, &headers) }
    return transport(bytes, at: chain.offset, end: end, wireEnd: start &+ total, &headers)
  }

  static func ipv6Address(_ bytes: RawSpan, at start: Int) -> IPAddress {
    IPAddress(high: bytes.loadBig64(start), low: bytes.loadBig64(start &+ 8))
  }
}
