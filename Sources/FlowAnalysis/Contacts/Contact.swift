public import NetworkTypes

/// One flow as detection sees it: who contacted which service, when, and what went each way.
///
/// A contact is made of a biflow, of one of the two records of a connection (``Side``), or of a line of
/// a labelled file. Counters are as the exporter counted, not scaled by the sampling rate.
public struct Contact: Hashable, Sendable {
  /// What of the connection the record shows.
  public enum Side: UInt8, Hashable, Sendable {
    /// Both directions.
    case both
    /// Only what the client sent.
    case outward
    /// Only what the server sent.
    case inward
  }

  /// Nanoseconds since 1970 of the first and the last packet.
  public var start: Int64
  public var end: Int64
  public var client: IPAddress
  public var server: IPAddress
  public var clientPort: UInt16
  public var serverPort: UInt16
  /// IP protocol number.
  public var transport: UInt8
  public var side: Side
  /// Whether the record itself shows that the other side answered.
  public var isAnswered: Bool
  public var packetsOut: UInt64
  public var packetsIn: UInt64
  /// Octets from the client to the server.
  public var bytesOut: UInt64
  /// Octets from the server to the client.
  public var bytesIn: UInt64
  /// One of how many packets the exporter looked at; 0 unknown, 1 all.
  public var samplingRate: UInt32

  public init(
    start: Int64, end: Int64, client: IPAddress, server: IPAddress, clientPort: UInt16,
    serverPort: UInt16, transport: UInt8, side: Side = .both, isAnswered: Bool = true,
    packetsOut: UInt64 = 1, packetsIn: UInt64 = 0, bytesOut: UInt64 = 0, bytesIn: UInt64 = 0,
    samplingRate: UInt32 = 0
  ) {
    self.start = start
    self.end = max(start, end)
    self.client = client
    self.server = server
    self.clientPort = clientPort
    self.serverPort = serverPort
    self.transport = transport
    self.side = side
    self.isAnswered = isAnswered
    self.packetsOut = packetsOut
    self.packetsIn = packetsIn
    self.bytesOut = bytesOut
    self.bytesIn = bytesIn
    self.samplingRate = samplingRate
  }

  /// The same contact with client and server exchanged.
  public var reversed: Contact {
    var other = self
    other.client = server
    other.server = client
    other.clientPort = serverPort
    other.serverPort = clientPort
    other.packetsOut = packetsIn
    other.packetsIn = packetsOut
    other.bytesOut = bytesIn
    other.bytesIn = bytesOut
    switch side {
    case .both: break
    case .outward: other.side = .inward
    case .inward: other.side = .outward
    }
    return other
  }
}

/// A service: a port of an address.
public struct Service: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
  public let address: IPAddress
  public let port: UInt16
  public let transport: IPProtocol

  public init(_ address: IPAddress, port: UInt16, transport: IPProtocol) {
    self.address = address
    self.port = port
    self.transport = transport
  }

  public static func < (left: Self, right: Self) -> Bool {
    (left.address, left.port, left.transport.rawValue)
      < (right.address, right.port, right.transport.rawValue)
  }

  /// `192.0.2.1:6667/tcp`, `[2001:db8::1]:53/udp`.
  public var description: String {
    (address.isIPv4 ? "\(address)" : "[\(address)]") + ":\(port)/\(transport)"
  }

  /// Reads what ``description`` writes; without a protocol it is TCP.
  public init?(text: String) {
    var rest = text[...]
    var transport = IPProtocol.tcp
    if let slash = rest.lastIndex(of: "/") {
      guard let named = IPProtocol(name: String(rest[rest.index(after: slash)...])) else {
        return nil
      }
      transport = named
      rest = rest[..<slash]
    }
    guard let colon = rest.lastIndex(of: ":"),
      let port = UInt16(rest[rest.index(after: colon)...])
    else { return nil }
    var host = rest[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
    guard let address = IPAddress(host) else { return nil }
    self.init(address, port: port, transport: transport)
  }
}
