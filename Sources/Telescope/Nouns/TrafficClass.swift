/// What kind of traffic a packet on dark address space is: the first that fits, in this order.
///
/// The classifier of the research page, after CAIDA's Corsaro and Merit's ORION, with two corrections:
/// RST with ACK is backscatter (both drop it), and a high TTL alone is not a sign of forgery.
public enum TrafficClass: UInt8, Sendable, CaseIterable, Codable {
  /// From an address nobody can send from (RFC 6890, multicast, the dark space itself), or source
  /// equal to destination.
  case spoofedSource = 0
  /// A fragment, or IP-in-IP, 6in4 or GRE.
  case fragment
  case tunnel
  /// TCP with SYN alone.
  case synScan
  /// Answers to packets that somebody sent with our addresses as their forged source.
  case synAckBackscatter
  case rstBackscatter
  /// TCP probes other than SYN: NULL, FIN, Xmas, ACK, SYN-FIN and further odd flag sets.
  case stealthScan
  case icmpErrorBackscatter
  case icmpReplyBackscatter
  case dnsBackscatter
  case udpProbe
  /// ICMP echo, timestamp, information and address-mask requests.
  case icmpRequest
  case other

  /// Whether somebody is attacked by packets that carry our addresses.
  @inlinable public var isBackscatter: Bool {
    switch self {
    case .synAckBackscatter, .rstBackscatter, .icmpErrorBackscatter, .icmpReplyBackscatter,
      .dnsBackscatter:
      true
    default: false
    }
  }

  /// The stable name in files, tables and the API.
  public var name: String {
    switch self {
    case .spoofedSource: "spoofed-source"
    case .fragment: "fragment"
    case .tunnel: "tunnel"
    case .synScan: "syn-scan"
    case .synAckBackscatter: "syn-ack-backscatter"
    case .rstBackscatter: "rst-backscatter"
    case .stealthScan: "stealth-scan"
    case .icmpErrorBackscatter: "icmp-error-backscatter"
    case .icmpReplyBackscatter: "icmp-reply-backscatter"
    case .dnsBackscatter: "dns-backscatter"
    case .udpProbe: "udp-probe"
    case .icmpRequest: "icmp-request"
    case .other: "other"
    }
  }

  public init?(name: String) {
    guard let match = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = match
  }
}
