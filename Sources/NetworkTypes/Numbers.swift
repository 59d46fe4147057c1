/// An autonomous system number (RFC 6793): 0 means "not known".
@frozen
public struct ASN: Hashable, Comparable, Sendable, BitwiseCopyable, CustomStringConvertible {
  public let number: UInt32

  @inlinable public init(_ number: UInt32) { self.number = number }

  /// Reads `64496`, `AS64496` and the dotted `1.10` of RFC 5396.
  public init?(text: some StringProtocol) {
    var digits = Substring(text)
    if digits.lowercased().hasPrefix("as") { digits = digits.dropFirst(2) }
    let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
    // Swift's integers also read "+5" and "-0", which no registry writes.
    guard parts.allSatisfy({ $0.utf8.allSatisfy { $0 >= 48 && $0 <= 57 } }) else { return nil }
    if parts.count == 2, let high = UInt16(parts[0]), let low = UInt16(parts[1]) {
      number = UInt32(high) << 16 | UInt32(low)
    } else if parts.count == 1, let plain = UInt32(parts[0]) {
      number = plain
    } else {
      return nil
    }
  }

  public static let unknown = ASN(0)
  public static func < (left: Self, right: Self) -> Bool { left.number < right.number }
  public var description: String { "AS\(number)" }
}

extension ASN: Codable {
  public init(from decoder: any Decoder) throws {
    number = try decoder.singleValueContainer().decode(UInt32.self)
  }
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(number)
  }
}

/// A country by its two letters of ISO 3166-1 alpha-2, packed into 16 bits; `ZZ` is "not known".
@frozen
public struct CountryCode: Hashable, Comparable, Sendable, BitwiseCopyable, CustomStringConvertible
{
  public let packed: UInt16

  @inlinable public init(packed: UInt16) { self.packed = packed }

  /// Nil unless the text is two ASCII letters.
  public init?(_ text: some StringProtocol) {
    let bytes = text.utf8.map { $0 & 0xdf }
    guard bytes.count == 2, bytes.allSatisfy({ $0 >= 65 && $0 <= 90 }),
      text.utf8.allSatisfy({ $0 >= 65 })
    else { return nil }
    packed = UInt16(bytes[0]) << 8 | UInt16(bytes[1])
  }

  public static let unknown = CountryCode(packed: 0x5a5a)
  public static func < (left: Self, right: Self) -> Bool { left.packed < right.packed }
  public var description: String {
    String(decoding: [UInt8(packed >> 8), UInt8(packed & 255)], as: UTF8.self)
  }
}

extension CountryCode: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let code = CountryCode(text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "\(text) is not a country code of two letters")
    }
    self = code
  }
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

/// An IP protocol number (IANA "Protocol Numbers").
@frozen
public struct IPProtocol: Hashable, Sendable, BitwiseCopyable, Codable, RawRepresentable,
  CustomStringConvertible
{
  public let rawValue: UInt8
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

  public static let icmp = IPProtocol(rawValue: 1)
  public static let ipv4 = IPProtocol(rawValue: 4)
  public static let tcp = IPProtocol(rawValue: 6)
  public static let udp = IPProtocol(rawValue: 17)
  public static let ipv6 = IPProtocol(rawValue: 41)
  public static let gre = IPProtocol(rawValue: 47)
  public static let icmpv6 = IPProtocol(rawValue: 58)
  public static let sctp = IPProtocol(rawValue: 132)

  public var description: String {
    switch self {
    case .icmp: "icmp"
    case .ipv4: "ipv4"
    case .tcp: "tcp"
    case .udp: "udp"
    case .ipv6: "ipv6"
    case .gre: "gre"
    case .icmpv6: "icmpv6"
    case .sctp: "sctp"
    default: "ip-\(rawValue)"
    }
  }

  /// Reads the names that ``description`` writes, and bare numbers.
  public init?(name: String) {
    let named: [IPProtocol] = [.icmp, .ipv4, .tcp, .udp, .ipv6, .gre, .icmpv6, .sctp]
    if let match = named.first(where: { $0.description == name.lowercased() }) {
      self = match
      return
    }
    let digits = name.lowercased().hasPrefix("ip-") ? name.dropFirst(3) : name[...]
    guard digits.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), let number = UInt8(digits) else {
      return nil
    }
    self.init(rawValue: number)
  }
}
