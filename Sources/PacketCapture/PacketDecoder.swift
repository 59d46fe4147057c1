/// Decodes a captured packet's headers into one flat value.
///
/// Ethernet and raw IP, VLAN and MPLS stacks, PPPoE, Linux cooked captures and BSD loopbacks; IPv4
/// (RFC 791) and IPv6 (RFC 8200) with fragments and extension headers; TCP, UDP, SCTP, and ICMP
/// with the packets that its errors quote. No input traps: every load is bounds-checked.
public enum PacketDecoder {
  /// Fills `headers` from one packet, and says what became of it.
  ///
  /// Whatever the outcome, `headers` holds this packet's time and wire length, the fields decoded
  /// before the fault, and defaults elsewhere. Link-layer padding never counts as payload.
  @inlinable @inline(__always)
  public static func decode(
    _ record: PacketRecord, _ bytes: RawSpan, into headers: inout PacketHeaders
  ) -> DecodeOutcome {
    headers = PacketHeaders()
    headers.timestamp = record.timestamp
    headers.wireLength = record.originalLength
    // Most packets of a darknet by far: Ethernet, IPv4 without options, not a fragment.
    if record.linkType == .ethernet, bytes.byteCount >= 54, bytes.loadBig16(12) == 0x0800,
      bytes.loadByte(14) == 0x45, bytes.loadBig16(20) & 0x3fff == 0
    {
      let total = Int(bytes.loadBig16(16))
      let end = min(14 &+ total, bytes.byteCount)
      if total >= 40 {
        ipv4Fields(bytes, at: 14, &headers)
        headers.transportOffset = 34
        switch bytes.loadByte(23) {
        case 6: return tcp(bytes, at: 34, end: end, wireEnd: 14 &+ total, &headers)
        case 17: return udp(bytes, at: 34, end: end, &headers)
        default: return transport(bytes, at: 34, end: end, wireEnd: 14 &+ total, &headers)
        }
      }
    }
    return decodeSlowly(record.linkType, bytes, &headers)
  }

  /// Any packet.
  @usableFromInline
  @inline(never)
  static func decodeSlowly(
    _ linkType: LinkType, _ bytes: RawSpan, _ headers: inout PacketHeaders
  ) -> DecodeOutcome {
    let network: NetworkLayer
    switch findNetworkLayer(linkType, bytes) {
    case .found(let layer): network = layer
    case .failed(let outcome): return outcome
    }
    return network.version == 4
      ? ipv4(bytes, at: network.offset, &headers) : ipv6(bytes, at: network.offset, &headers)
  }
}
