import NetworkTypes

extension PacketDecoder {
  /// Whatever IP carries: `end` is where the captured octets of the IP packet end, `wireEnd` where
  /// the packet itself ended.
  @usableFromInline
  @inline(never)
  static func transport(
    _ bytes: RawSpan, at start: Int, end: Int, wireEnd: Int, _ headers: inout PacketHeaders
  ) -> DecodeOutcome {
    switch headers.transport {
    case .tcp: return tcp(bytes, at: start, end: end, wireEnd: wireEnd, &headers)
    case .udp: return udp(bytes, at: start, end: end, &headers)
    case .sctp:
      guard end &- start >= 12 else { return .truncatedTransport }
      headers.sourcePort = bytes.loadBig16(start)
      headers.destinationPort = bytes.loadBig16(start &+ 2)
      setPayload(at: start &+ 12, end: end, &headers)
      return .decoded
    case .icmp: return icmp(bytes, at: start, end: end, &headers)
    case .icmpv6: return icmpv6(bytes, at: start, end: end, &headers)
    default:
      // IP in IP (4, 41, 47) among them: the outer packet is what reached us.
      setPayload(at: start, end: end, &headers)
      return .decoded
    }
  }

  /// RFC 768. The UDP length counts only where it is shorter than what IP carries.
  @inlinable @inline(__always)
  static func udp(
    _ bytes: RawSpan, at start: Int, end: Int, _ headers: inout PacketHeaders
  ) -> DecodeOutcome {
    guard end &- start >= 8 else { return .truncatedTransport }
    headers.sourcePort = bytes.loadBig16(start)
    headers.destinationPort = bytes.loadBig16(start &+ 2)
    let length = Int(bytes.loadBig16(start &+ 4))
    setPayload(
      at: start &+ 8, end: length >= 8 ? min(end, start &+ length) : end, &headers)
    return .decoded
  }

  /// RFC 9293 §3.1.
  @inlinable @inline(__always)
  static func tcp(
    _ bytes: RawSpan, at start: Int, end: Int, wireEnd: Int, _ headers: inout PacketHeaders
  ) -> DecodeOutcome {
    guard end &- start >= 20 else { return .truncatedTransport }
    headers.sourcePort = bytes.loadBig16(start)
    headers.destinationPort = bytes.loadBig16(start &+ 2)
    headers.sequence = bytes.loadBig32(start &+ 4)
    headers.acknowledgement = bytes.loadBig32(start &+ 8)
    headers.dataOffset = bytes.loadByte(start &+ 12) >> 4
    let flags = bytes.loadByte(start &+ 13)
    headers.tcpFlags = flags
    headers.window = bytes.loadBig16(start &+ 14)
    let payload = start &+ Int(headers.dataOffset) &* 4
    guard headers.dataOffset >= 5, payload <= wireEnd else { return .malformedTCPHeader }
    setPayload(at: min(payload, end), end: end, &headers)
    // Only the options of the handshake tell one program from another.
    if flags & 2 != 0, headers.dataOffset > 5 {
      tcpOptions(bytes, from: start &+ 20, to: payload, captured: end, &headers)
    }
    return .decoded
  }

  @inlinable @inline(__always)
  static func setPayload(at start: Int, end: Int, _ headers: inout PacketHeaders) {
    headers.payloadOffset = UInt16(clamping: start)
    headers.payloadLength = UInt16(clamping: max(0, end &- start))
  }

  /// TCP options between two offsets (RFC 9293 §3.2, RFC 7323), of which those up to `captured`
  /// are there.
  @usableFromInline
  @inline(never)
  static func tcpOptions(
    _ bytes: RawSpan, from start: Int, to wireEnd: Int, captured: Int,
    _ headers: inout PacketHeaders
  ) {
    let end = min(wireEnd, captured)
    var at = start
    var layout: UInt64 = 0
    var shift: UInt64 = 0
    var broken = end < wireEnd
    loop: while at < end {
      let kind = bytes.loadByte(at)
      var code: UInt64 = 15
      var length = 1
      if kind > 1 {
        length = at &+ 1 < end ? Int(bytes.loadByte(at &+ 1)) : 0
        guard length >= 2, at &+ length <= end else {
          broken = true
          break
        }
      }
      switch kind {
      case 0: code = 1
      case 1: code = 2
      case 2:
        guard length == 4 else {
          broken = true
          break loop
        }
        code = 3
        headers.maximumSegmentSize = bytes.loadBig16(at &+ 2)
      case 3:
        guard length == 3 else {
          broken = true
          break loop
        }
        code = 4
        headers.windowScale = bytes.loadByte(at &+ 2)
      case 4:
        guard length == 2 else {
          broken = true
          break loop
        }
        code = 5
      case 8:
        guard length == 10 else {
          broken = true
          break loop
        }
        code = 6
        headers.optionTimestamp = bytes.loadBig32(at &+ 2)
      default: break
      }
      if shift < 64 {
        layout |= code << shift
        shift &+= 4
      }
      if kind == 0 {
        // What follows the end of the list is padding.
        broken = false
        break
      }
      at &+= length
    }
    headers.optionLayout = TCPOptionLayout(bits: layout)
    if broken { headers.traits.insert(.brokenOptions) }
  }
}
