public import NetworkTypes

/// An address and a port to listen on: `192.0.2.1:2055`, `[2001:db8::1]:2055`.
public struct ListeningAddress: ConfigurationValue, Hashable {
  public let address: IPAddress
  /// 1 to 65535.
  public let port: UInt16

  public init(address: IPAddress, port: UInt16) {
    self.address = address
    self.port = port
  }

  /// 127.0.0.0/8 or ::1.
  public var isLoopback: Bool {
    address.v4.map { $0 >> 24 == 127 } ?? (address.bits == 1)
  }

  public static var expectation: String {
    "an address with its port such as 0.0.0.0:2055 or [::]:2055"
  }

  public static func read(_ text: String, base: String) -> ListeningAddress? {
    guard let colon = text.lastIndex(of: ":"),
      let port = UInt16(text[text.index(after: colon)...]), port > 0
    else { return nil }
    var host = text[..<colon]
    let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
    if isBracketed { host = host.dropFirst().dropLast() }
    // Without brackets, the last group of an IPv6 address would be taken for the port.
    guard let address = IPAddress(host), isBracketed || address.isIPv4 else { return nil }
    return ListeningAddress(address: address, port: port)
  }

  public var configurationText: String {
    address.isIPv4 ? "\(address):\(port)" : "[\(address)]:\(port)"
  }
}

/// The sampling rate of exporters that do not say it, or say it wrong: `192.0.2.1/32=1000`,
/// `192.0.2.1/32=1000!`.
public struct ExporterSampling: ConfigurationValue, Hashable {
  public let exporters: IPPrefix
  /// One of this many packets was looked at; at least 1.
  public let rate: UInt32
  /// Whether it holds whatever the exporters say.
  public let overrides: Bool

  public init(exporters: IPPrefix, rate: UInt32, overrides: Bool) {
    self.exporters = exporters
    self.rate = rate
    self.overrides = overrides
  }

  public static var expectation: String {
    "a network and a rate such as 192.0.2.0/24=1000, or 192.0.2.0/24=1000! to overrule exporters"
  }

  public static func read(_ text: String, base: String) -> ExporterSampling? {
    let parts = text.split(separator: "=", omittingEmptySubsequences: false)
    guard parts.count == 2, let exporters = IPPrefix(parts[0]) else { return nil }
    let overrides = parts[1].hasSuffix("!")
    guard let rate = UInt32(overrides ? parts[1].dropLast() : parts[1]), rate > 0 else {
      return nil
    }
    return ExporterSampling(exporters: exporters, rate: rate, overrides: overrides)
  }

  public var configurationText: String { "\(exporters)=\(rate)\(overrides ? "!" : "")" }
}
