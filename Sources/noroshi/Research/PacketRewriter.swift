import Anonymisation
import NetworkTypes
import PacketCapture

/// Replaces the addresses of one packet, and everything in its headers that gives them away.
///
/// The output begins with the IP header. Checksums are carried along (RFC 1624), so that a packet
/// whose checksum was wrong still has a wrong one: it may be the mark of a tool.
struct PacketRewriter {
  private var mapper: CachedCryptoPAn
  private let payloadOctets: Int

  init(mapper: CachedCryptoPAn, payloadOctets: Int) {
    self.mapper = mapper
    self.payloadOctets = payloadOctets
  }

  /// The new packet, nil when it cannot be made sure that no address stays in it.
  mutating func rewritten(
    _ record: PacketRecord, _ bytes: RawSpan
  ) -> (octets: [UInt8], originalLength: UInt32)? {
    var headers = PacketHeaders()
    guard PacketDecoder.decode(record, bytes, into: &headers) == .decoded else { return nil }
    // Routing and other extension headers of IPv6 may hold addresses anywhere.
    guard headers.source.isIPv4 || !headers.traits.contains(.ipOptions) else { return nil }
    guard let start = networkOffset(headers, bytes) else { return nil }
    let transport = Int(headers.transportOffset)
    let end = keptEnd(headers, from: start, limit: bytes.byteCount)
    guard transport >= start, end >= transport else { return nil }
    var packet = (start..<end).map { bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
    let at = transport - start
    var change = ChecksumChange()
    if headers.source.isIPv4 {
      rewriteIPv4(&packet, at: 0, headerLength: at, &change)
    } else {
      rewriteIPv6(&packet, at: 0, &change)
    }
    if !headers.traits.contains(.laterFragment) {
      rewriteTransport(&packet, at: at, headers, change)
    }
    let link = Int64(start)
    return (packet, UInt32(clamping: max(Int64(packet.count), Int64(record.originalLength) - link)))
  }

  /// Where the IP header begins: in front of the transport header, where the packet's own two
  /// addresses stand in their places.
  private func networkOffset(_ headers: PacketHeaders, _ bytes: RawSpan) -> Int? {
    let transport = Int(headers.transportOffset)
    guard headers.source.isIPv4 else {
      let start = transport - 40
      return start >= 0 && bytes.byteCount >= transport ? start : nil
    }
    return stride(from: transport - 20, through: max(transport - 60, 0), by: -4).first { start in
      start >= 0 && bytes.byteCount >= start + 20
        && Int(byte(bytes, start)) == 0x40 | (transport - start) / 4
        && IPAddress(v4: word(bytes, start + 12)) == headers.source
        && IPAddress(v4: word(bytes, start + 16)) == headers.destination
    }
  }

  /// How much of the packet is kept: its headers, the quoted headers of an ICMP error, and as much
  /// payload as was asked for.
  private func keptEnd(_ headers: PacketHeaders, from start: Int, limit: Int) -> Int {
    let transport = Int(headers.transportOffset)
    if headers.traits.contains(.laterFragment) {
      return min(limit, transport + payloadOctets)
    }
    if headers.traits.contains(.quotesPacket) {
      // The ICMP header, then the quoted IP header and eight octets behind it.
      return min(limit, transport + 8 + (headers.source.isIPv4 ? 68 : 48))
    }
    switch headers.transport {
    case .tcp, .udp, .icmp, .icmpv6, .sctp:
      // An error whose quoted packet could not be read may still hold addresses.
      if isICMPError(headers) { return min(limit, transport + 8) }
      return min(limit, Int(headers.payloadOffset) + min(payloadOctets, Int(headers.payloadLength)))
    default:
      // IP in IP, GRE and the rest: what is inside is not looked at, so it is left out.
      return min(limit, transport)
    }
  }

  private func isICMPError(_ headers: PacketHeaders) -> Bool {
    switch headers.transport {
    case .icmp: [3, 4, 5, 11, 12].contains(headers.icmpType)
    case .icmpv6: headers.icmpType < 128
    default: false
    }
  }

  // MARK: Headers

  private mutating func rewriteIPv4(
    _ packet: inout [UInt8], at start: Int, headerLength: Int, _ pseudoHeader: inout ChecksumChange
  ) {
    var header = ChecksumChange()
    for offset in [start + 12, start + 16] {
      let old = word(packet, offset)
      let new = mapper.anonymised(v4: old)
      set(&packet, offset, to: new, &header)
      pseudoHeader.replace(old, by: new)
    }
    // Record route, source routes and timestamps (RFC 791 §3.1) hold addresses: no operation.
    for offset in stride(from: start + 20, to: min(start + headerLength, packet.count), by: 2) {
      guard offset + 1 < packet.count else { break }
      header.replace(half(packet, offset), by: 0x0101)
      packet[offset] = 1
      packet[offset + 1] = 1
    }
    header.apply(to: &packet, at: start + 10)
  }

  private mutating func rewriteIPv6(
    _ packet: inout [UInt8], at start: Int, _ pseudoHeader: inout ChecksumChange
  ) {
    for offset in [start + 8, start + 24] {
      var bits: UInt128 = 0
      for index in 0..<16 { bits = bits << 8 | UInt128(packet[offset + index]) }
      let new = mapper.anonymised(IPAddress(bits: bits)).bits
      for part in 0..<4 {
        let value = UInt32(truncatingIfNeeded: new >> UInt128(96 - 32 * part))
        set(&packet, offset + 4 * part, to: value, &pseudoHeader)
      }
    }
  }

  private mutating func rewriteTransport(
    _ packet: inout [UInt8], at start: Int, _ headers: PacketHeaders, _ pseudo: ChecksumChange
  ) {
    var change = pseudo
    switch headers.transport {
    case .tcp where packet.count >= start + 20:
      keepMarks(&packet, at: start, headers, &change)
      change.apply(to: &packet, at: start + 16)
    case .udp where packet.count >= start + 8:
      // 0 means that there is none (RFC 768).
      if half(packet, start + 6) != 0 { change.apply(to: &packet, at: start + 6) }
    case .icmp where packet.count >= start + 8:
      // ICMP has no pseudo-header: only what is quoted changes its checksum.
      change = ChecksumChange()
      if headers.traits.contains(.quotesPacket) { rewriteQuoted(&packet, at: start + 8, &change) }
      change.apply(to: &packet, at: start + 2)
    case .icmpv6 where packet.count >= start + 8:
      if headers.traits.contains(.quotesPacket), packet.count >= start + 48 {
        rewriteIPv6(&packet, at: start + 8, &change)
      } else if isICMPError(headers) {
        packet.removeSubrange((start + 8)...)
      }
      change.apply(to: &packet, at: start + 2)
    default: break
    }
  }

  /// Tools that put the destination into other fields: the field gives the address away, and it is
  /// what they are recognised by, so it follows the address.
  private func keepMarks(
    _ packet: inout [UInt8], at start: Int, _ headers: PacketHeaders, _ change: inout ChecksumChange
  ) {
    guard let old = headers.destination.v4 else { return }
    let new = word(packet, 16)
    if headers.sequence == old {
      // Mirai: the sequence number is the destination address.
      set(&packet, start + 4, to: new, &change)
    }
    // masscan before 1.3: identification = destination ⊕ port ⊕ sequence, folded to 16 bits.
    let mark = { (address: UInt32) in
      UInt16(
        truncatingIfNeeded: address ^ UInt32(headers.destinationPort) ^ headers.sequence)
    }
    guard headers.sequence != old, headers.identification == mark(old) else { return }
    var header = ChecksumChange()
    header.replace(half(packet, 4), by: mark(new))
    packet[4] = UInt8(mark(new) >> 8)
    packet[5] = UInt8(truncatingIfNeeded: mark(new))
    header.apply(to: &packet, at: 10)
  }

  private mutating func rewriteQuoted(
    _ packet: inout [UInt8], at start: Int, _ change: inout ChecksumChange
  ) {
    let length = start < packet.count ? Int(packet[start] & 15) * 4 : 0
    guard length >= 20, packet.count >= start + 20 else {
      packet.removeSubrange(min(start, packet.count)...)
      return
    }
    if packet.count > start + length + 8 { packet.removeSubrange((start + length + 8)...) }
    let before = packet
    var pseudoHeader = ChecksumChange()
    rewriteIPv4(&packet, at: start, headerLength: length, &pseudoHeader)
    // A quoted sequence number can be Mirai's as well.
    if packet[start + 9] == 6, packet.count >= start + length + 8,
      word(before, start + length + 4) == word(before, start + 16)
    {
      var unused = ChecksumChange()
      set(&packet, start + length + 4, to: word(packet, start + 16), &unused)
    }
    for offset in stride(from: start, to: packet.count - 1, by: 2) {
      change.replace(half(before, offset), by: half(packet, offset))
    }
  }

  // MARK: Octets

  private func byte(_ bytes: RawSpan, _ offset: Int) -> UInt8 {
    bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
  }

  private func word(_ bytes: RawSpan, _ offset: Int) -> UInt32 {
    bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self).bigEndian
  }

  private func word(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
    UInt32(half(bytes, offset)) << 16 | UInt32(half(bytes, offset + 2))
  }

  private func half(_ bytes: [UInt8], _ offset: Int) -> UInt16 {
    UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1])
  }

  private func set(
    _ bytes: inout [UInt8], _ offset: Int, to value: UInt32, _ change: inout ChecksumChange
  ) {
    change.replace(word(bytes, offset), by: value)
    for index in 0..<4 {
      bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt32(24 - 8 * index))
    }
  }
}

/// What a set of replaced words does to an Internet checksum: HC' = ~(~HC + ~m + m'), RFC 1624.
struct ChecksumChange {
  private var sum: UInt64 = 0

  mutating func replace(_ old: UInt16, by new: UInt16) {
    sum += UInt64(~old) + UInt64(new)
  }

  mutating func replace(_ old: UInt32, by new: UInt32) {
    replace(UInt16(old >> 16), by: UInt16(new >> 16))
    replace(UInt16(truncatingIfNeeded: old), by: UInt16(truncatingIfNeeded: new))
  }

  func apply(to packet: inout [UInt8], at offset: Int) {
    guard offset + 1 < packet.count else { return }
    let old = UInt16(packet[offset]) << 8 | UInt16(packet[offset + 1])
    var total = sum + UInt64(~old)
    while total > 0xffff { total = total & 0xffff + total >> 16 }
    let new = ~UInt16(truncatingIfNeeded: total)
    packet[offset] = UInt8(new >> 8)
    packet[offset + 1] = UInt8(truncatingIfNeeded: new)
  }
}
