/// A block of addresses: a network address and a length, `192.0.2.0/24` or `2001:db8::/32`.
///
/// The bits behind the length are always zero; `IPPrefix("192.0.2.7/24")` is refused, as a typing
/// error would otherwise silently widen what somebody answers for.
@frozen
public struct IPPrefix: Hashable, Sendable, BitwiseCopyable {
  public let address: IPAddress
  /// 0...32 for IPv4, 0...128 for IPv6.
  public let length: Int

  /// The block of `length` bits that holds `address`; nil when the length does not fit its family.
  public init?(_ address: IPAddress, length: Int) {
    guard length >= 0, length <= address.bitWidth else { return nil }
    let hostBits = address.bitWidth - length
    let mask: UInt128 = hostBits == 128 ? 0 : ~0 << UInt128(hostBits)
    self.address = IPAddress(bits: address.bits & mask)
    self.length = length
  }

  /// A single address as a block of one.
  public init(_ address: IPAddress) {
    self.address = address
    self.length = address.bitWidth
  }

  /// The length counted in the 128-bit mapped form: IPv4 `/24` is 120.
  @inlinable public var mappedLength: Int { address.isIPv4 ? length + 96 : length }

  @inlinable public func contains(_ other: IPAddress) -> Bool {
    other.bits >= address.bits && other.bits <= last.bits && other.isIPv4 == address.isIPv4
  }

  @inlinable public func contains(_ other: IPPrefix) -> Bool {
    other.length >= length && contains(other.address)
  }

  @inlinable public var first: IPAddress { address }

  @inlinable public var last: IPAddress {
    let hostBits = 128 - mappedLength
    return IPAddress(bits: address.bits | (hostBits == 128 ? ~0 : (1 << UInt128(hostBits)) - 1))
  }

  /// How many addresses it holds; `::/0` saturates at `UInt128.max`.
  @inlinable public var count: UInt128 {
    let hostBits = 128 - mappedLength
    return hostBits == 128 ? .max : 1 << UInt128(hostBits)
  }
}

extension IPPrefix: Comparable {
  public static func < (left: Self, right: Self) -> Bool {
    (left.address.bits, left.length) < (right.address.bits, right.length)
  }
}

extension IPPrefix: LosslessStringConvertible {
  /// Reads `ADDRESS/LENGTH`, or a bare address as a block of one.
  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count <= 2, let address = IPAddress(parts[0]) else { return nil }
    guard parts.count == 2 else {
      self.init(address)
      return
    }
    guard !parts[1].isEmpty, parts[1].utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }),
      let length = Int(parts[1]), let prefix = IPPrefix(address, length: length),
      prefix.address == address
    else { return nil }
    self = prefix
  }

  public init?(_ description: String) {
    self.init(description[...])
  }

  public var description: String { "\(address)/\(length)" }
}

extension IPPrefix: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let prefix = IPPrefix(text) else {
      throw DecodingError.dataCorruptedError(
        in: container,
        debugDescription: "\(text) is not a prefix such as 192.0.2.0/24 with its host bits zero")
    }
    self = prefix
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
