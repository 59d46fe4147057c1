/// A UDP service that answers a small request with much: what amplification attacks are reflected
/// by.
///
/// Ports and bandwidth amplification factors are those of CISA's alert TA14-017A, "UDP-Based
/// Amplification Attacks" (2014, last revised 2019), which follows Rossow, "Amplification Hell"
/// (NDSS 2014); ports that it lacks are IANA's or the vendors'. The factor is octets of UDP payload
/// answered for one octet asked.
public struct AmplificationService: Sendable, Hashable {
  /// The name in vectors and files: `dns`.
  public let name: String
  /// The name that people know: `DNS`.
  public let title: String
  public let port: UInt16
  /// The factor that is published, its upper end where there is a range; nil where none is.
  public let publishedFactor: Double?
  /// Octets of IP that packets of a reflection have on average at least; smaller ones are forged,
  /// or ordinary answers. Our own choice: above an ordinary answer where there is an ordinary use
  /// (76 octets of NTP time), otherwise a header and some payload.
  public let leastOctetsPerPacket: Double
  /// Whether hosts answer this to the whole Internet on purpose, as name servers do.
  public let isPublic: Bool

  init(
    _ name: String, _ title: String, _ port: UInt16, _ factor: Double?, least: Double = 100,
    isPublic: Bool = false
  ) {
    self.name = name
    self.title = title
    self.port = port
    publishedFactor = factor
    leastOctetsPerPacket = least
    self.isPublic = isPublic
  }

  /// The table.
  public static let all: [AmplificationService] = [
    AmplificationService("qotd", "QOTD", 17, 140.3, least: 60),
    AmplificationService("chargen", "CharGEN", 19, 358.8, least: 60),
    AmplificationService("dns", "DNS", 53, 54, isPublic: true),
    AmplificationService("tftp", "TFTP", 69, 60),
    AmplificationService("portmap", "Portmap (RPC)", 111, 28, least: 60),
    AmplificationService("ntp", "NTP", 123, 556.9, least: 120, isPublic: true),
    AmplificationService("netbios", "NetBIOS", 137, 3.8),
    AmplificationService("snmp", "SNMPv2", 161, 6.3),
    AmplificationService("cldap", "CLDAP", 389, 70, least: 200),
    AmplificationService("rip", "RIPv1", 520, 131.24),
    AmplificationService("mssql", "MS SQL browser", 1434, 25),
    AmplificationService("l2tp", "L2TP", 1701, nil),
    AmplificationService("ssdp", "SSDP", 1900, 30.8, least: 150),
    AmplificationService("plex", "Plex media discovery", 32_414, 4.68),
    AmplificationService("ard", "Apple Remote Desktop", 3_283, 35.5, least: 200),
    AmplificationService("wsd", "WS-Discovery", 3_702, 500, least: 200),
    AmplificationService("stun", "STUN", 3_478, 2.32),
    AmplificationService("coap", "CoAP", 5_683, 34, least: 60),
    AmplificationService("mdns", "mDNS", 5_353, 10),
    AmplificationService("ubiquiti", "Ubiquiti discovery", 10_001, 35),
    AmplificationService("memcached", "Memcached", 11_211, 51_000),
    AmplificationService("quake", "Quake", 27_960, 63.9),
    AmplificationService("steam", "Steam", 27_015, 5.5),
    AmplificationService("dvr", "DVR-DHCPDiscover", 37_810, 25),
    AmplificationService("openvpn", "OpenVPN", 1_194, 4.8, isPublic: true),
    AmplificationService("ipmi", "IPMI RMCP", 623, 1.1),
    AmplificationService("citrix-dtls", "Citrix ADC (DTLS)", 4_433, 36),
    AmplificationService("jenkins", "Jenkins discovery", 33_848, 100),
  ]

  /// The service of a UDP source port.
  public static func at(_ port: UInt16) -> AmplificationService? { byPort[port] }

  private static let byPort = Dictionary(
    all.map { ($0.port, $0) }, uniquingKeysWith: { first, _ in first })

  /// One bit for each port, since it is asked for every flow.
  private static let portBits: [UInt64] = {
    var bits = [UInt64](repeating: 0, count: 1_024)
    for service in all { bits[Int(service.port >> 6)] |= 1 << UInt64(service.port & 63) }
    return bits
  }()

  @inline(__always)
  static func isPort(_ port: UInt16) -> Bool {
    portBits[Int(port &>> 6)] &>> UInt64(port & 63) & 1 != 0
  }
}
