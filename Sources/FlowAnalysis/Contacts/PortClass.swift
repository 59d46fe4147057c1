/// What a port says about a service before anything is known of it.
public enum PortClass: String, Hashable, Sendable, Codable, CaseIterable {
  /// Services that programs contact by the clock in every network: names, time, mail, management,
  /// push messages, printing. Periodic contact is their nature.
  case infrastructure
  /// HTTP and HTTPS: most benign and much malicious traffic alike.
  case web
  /// Everything else.
  case other

  /// Ports of the IANA registry whose services poll or keep alive by design; TCP and UDP alike.
  static let infrastructurePorts: Set<UInt16> = [
    21, 22, 25, 37, 43, 53, 67, 68, 69, 88, 110, 111, 113, 119, 123, 135, 137, 138, 139, 143, 161,
    162, 179, 389, 427, 445, 464, 465, 500, 514, 515, 520, 543, 547,
    563, 587, 631, 636, 749, 853, 873, 989, 990, 992, 993, 995, 1194, 1433, 1521, 1701, 1723, 1812,
    1813, 1900, 2049, 2055, 3268, 3269, 3306, 3389, 3478, 3479, 3702, 4500, 4739, 5060, 5061, 5190,
    5222, 5223, 5228, 5229, 5230, 5269, 5349, 5351, 5353, 5355, 5432, 5683, 5938, 6343, 8883, 9100,
    9995, 10050, 10051, 19302, 19305,
  ]
  static let webPorts: Set<UInt16> = [80, 443, 8000, 8008, 8080, 8081, 8443, 8888, 3128]

  private static let table: [UInt8] = (0...65_535).map { port in
    let port = UInt16(port)
    return infrastructurePorts.contains(port) ? 1 : webPorts.contains(port) ? 2 : 0
  }

  public init(port: UInt16) {
    switch Self.table[Int(port)] {
    case 1: self = .infrastructure
    case 2: self = .web
    default: self = .other
    }
  }

  /// How much a port looks like the side that is contacted: 3 below 1024, 2 for a known service
  /// above it, 1 for a registered port, 0 from 49,152 on (RFC 6335 §6: dynamic ports).
  static func rank(_ port: UInt16) -> Int {
    if port == 0 { return 0 }
    if port < 1_024 { return 3 }
    if table[Int(port)] != 0 { return 2 }
    return port < 49_152 ? 1 : 0
  }
}
