/// An IPv4 or IPv6 address.
///
/// Both families live in one 128-bit number, IPv4 as its IPv4-mapped form `::ffff:a.b.c.d`
/// (RFC 4291 §2.5.5.2), so that one table, one column and one comparison serve both. A mapped
/// address read from text or from a packet therefore *is* the IPv4 address.
///
/// ```swift
/// let resolver = IPAddress("192.0.2.1")!
/// resolver.isIPv4            // true
/// IPAddress("2001:db8::1")!  // IPv6
/// ```
@frozen
public struct IPAddress: Hashable, Sendable, BitwiseCopyable {
  /// The address in host order; IPv4 in its mapped form.
  public let bits: UInt128

  @inlinable public init(bits: UInt128) { self.bits = bits }

  /// An IPv4 address from its 32 bits in host order.
  @inlinable public init(v4: UInt32) { bits = Self.mappedBase | UInt128(v4) }

  /// An IPv6 address from its two halves in host order.
  @inlinable public init(high: UInt64, low: UInt64) { bits = UInt128(high) << 64 | UInt128(low) }

  @usableFromInline static let mappedBase: UInt128 = 0xffff_0000_0000

  @inlinable public var isIPv4: Bool { bits >> 32 == 0xffff }

  /// The 32 bits of an IPv4 address in host order; nil for IPv6.
  @inlinable public var v4: UInt32? { isIPv4 ? UInt32(truncatingIfNeeded: bits) : nil }

  /// 32 for IPv4, 128 for IPv6.
  @inlinable public var bitWidth: Int { isIPv4 ? 32 : 128 }
}

extension IPAddress: Comparable {
  @inlinable public static func < (left: Self, right: Self) -> Bool { left.bits < right.bits }
}

extension IPAddress: LosslessStringConvertible {
  /// Reads dotted-quad IPv4 and every text form of IPv6 of RFC 4291 §2.2.
  ///
  /// Leading zeros in IPv4 octets (`010.0.0.1`) are refused, because programs disagree about
  /// whether they are octal. Zone identifiers (`fe80::1%eth0`) are refused.
  public init?(_ text: some StringProtocol) {
    var parser = AddressParser(text: text.utf8.map { $0 })
    guard let bits = parser.address() else { return nil }
    self.bits = bits
  }

  public init?(_ description: String) {
    self.init(description[...])
  }

  /// Dotted quad for IPv4, the canonical form of RFC 5952 for IPv6.
  public var description: String {
    if let v4 { return Self.dottedQuad(v4) }
    let groups = (0..<8).map { UInt16(truncatingIfNeeded: bits >> UInt128(112 - 16 * $0)) }
    var best = 0..<0
    var start = 0
    while start < 8 {
      var end = start
      while end < 8, groups[end] == 0 { end += 1 }
      if end - start > best.count, end - start >= 2 { best = start..<end }
      start = max(end, start + 1)
    }
    let hex = { (range: Range<Int>) in
      range.map { String(groups[$0], radix: 16) }.joined(separator: ":")
    }
    if best.isEmpty { return hex(0..<8) }
    return hex(0..<best.lowerBound) + "::" + hex(best.upperBound..<8)
  }

  private static func dottedQuad(_ v4: UInt32) -> String {
    String(unsafeUninitializedCapacity: 15) { text in
      var count = 0
      for shift: UInt32 in [24, 16, 8, 0] {
        let octet = UInt8(truncatingIfNeeded: v4 >> shift)
        if count > 0 {
          text[count] = UInt8(ascii: ".")
          count += 1
        }
        if octet >= 100 {
          text[count] = 48 + octet / 100
          count += 1
        }
        if octet >= 10 {
          text[count] = 48 + octet / 10 % 10
          count += 1
        }
        text[count] = 48 + octet % 10
        count += 1
      }
      return count
    }
  }
}

extension IPAddress: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let address = IPAddress(text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "\(text) is not an IP address")
    }
    self = address
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

/// A hand-written reader of address text: no allocation beyond the bytes, no libc, no traps.
private struct AddressParser {
  let text: [UInt8]
  var position = 0

  mutating func address() -> UInt128? {
    if text.contains(UInt8(ascii: ":")) { return ipv6() }
    guard let v4 = ipv4(), position == text.count else { return nil }
    return IPAddress(v4: v4).bits
  }

  private mutating func ipv4() -> UInt32? {
    var result: UInt32 = 0
    for octet in 0..<4 {
      if octet > 0 {
        guard position < text.count, text[position] == UInt8(ascii: ".") else { return nil }
        position += 1
      }
      var value: UInt32 = 0
      let start = position
      while position < text.count, let digit = decimal(text[position]), position - start < 3 {
        value = value * 10 + digit
        position += 1
      }
      let length = position - start
      guard length > 0, value <= 255, length == 1 || text[start] != UInt8(ascii: "0") else {
        return nil
      }
      result = result << 8 | value
    }
    return result
  }

  private mutating func ipv6() -> UInt128? {
    var groups: [UInt16] = []
    var gap: Int?
    if text.starts(with: [UInt8(ascii: ":")]) {
      guard text.count >= 2, text[1] == UInt8(ascii: ":") else { return nil }
      gap = 0
      position = 2
    }
    while position < text.count {
      guard groups.count < 8 else { return nil }
      let start = position
      var value: UInt32 = 0
      while position < text.count, position - start < 4, let digit = hexadecimal(text[position]) {
        value = value << 4 | digit
        position += 1
      }
      if position < text.count, text[position] == UInt8(ascii: "."), groups.count <= 6 {
        position = start
        guard let v4 = ipv4(), position == text.count else { return nil }
        groups.append(UInt16(v4 >> 16))
        groups.append(UInt16(truncatingIfNeeded: v4))
        break
      }
      guard position > start else { return nil }
      groups.append(UInt16(value))
      guard position < text.count else { break }
      guard text[position] == UInt8(ascii: ":") else { return nil }
      position += 1
      if position < text.count, text[position] == UInt8(ascii: ":") {
        guard gap == nil else { return nil }
        gap = groups.count
        position += 1
      } else if position == text.count {
        return nil
      }
    }
    if let gap {
      guard groups.count < 8 else { return nil }
      groups.insert(contentsOf: repeatElement(0, count: 8 - groups.count), at: gap)
    }
    guard groups.count == 8 else { return nil }
    return groups.reduce(0) { $0 << 16 | UInt128($1) }
  }

  private func decimal(_ byte: UInt8) -> UInt32? {
    byte >= 48 && byte <= 57 ? UInt32(byte - 48) : nil
  }

  private func hexadecimal(_ byte: UInt8) -> UInt32? {
    switch byte {
    case 48...57: UInt32(byte - 48)
    case 97...102: UInt32(byte - 87)
    case 65...70: UInt32(byte - 55)
    default: nil
    }
  }
}
