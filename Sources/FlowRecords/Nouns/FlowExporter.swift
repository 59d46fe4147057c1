public import NetworkTypes

/// One source of records: the address that its datagrams come from, and within it an observation
/// domain (IPFIX), a source identifier (NetFlow v9), an engine (v5) or a sub-agent (sFlow).
public struct FlowExporter: Hashable, Sendable, Codable, CustomStringConvertible {
  public var address: IPAddress
  public var domain: UInt32

  public init(address: IPAddress, domain: UInt32) {
    self.address = address
    self.domain = domain
  }

  public static let unknown = FlowExporter(address: IPAddress(bits: 0), domain: 0)

  /// `192.0.2.1/256`: address and domain.
  public var description: String { "\(address)/\(domain)" }
}
