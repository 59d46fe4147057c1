/// The columns that a flow may have.
///
/// Raw values are stable: they are positions in a presence mask of 64 bits. Names are those of the
/// archive's schema; element numbers those of the IANA registry "IPFIX Information Elements".
@frozen
public enum FlowColumn: UInt8, CaseIterable, Sendable, Codable, Hashable {
  /// Time of the first packet, Unix nanoseconds.
  case start
  /// Time of the last packet, Unix nanoseconds.
  case end
  case sourceAddress
  case destinationAddress
  case sourcePort
  case destinationPort
  /// IP protocol number.
  case transport
  /// The OR of the TCP flags: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128.
  case tcpFlags
  /// IPv4 type of service or IPv6 traffic class.
  case typeOfService
  /// Packets as the exporter counted them, not scaled by the sampling rate.
  case packets
  /// Octets of layer 3 as the exporter counted them, not scaled by the sampling rate.
  case bytes
  /// One of how many packets the exporter looked at: 0 unknown, 1 all of them.
  case samplingRate
  /// Where ``samplingRate`` came from: a ``SamplingSource``.
  case samplingSource
  case sourceAS
  case destinationAS
  /// SNMP index of the interface that the packets came in by.
  case inputInterface
  /// SNMP index of the interface that the packets went out by; 0 often means "dropped".
  case outputInterface
  /// Length of the route's prefix that the source is in.
  case sourceMask
  /// Length of the route's prefix that the destination is in.
  case destinationMask
  case nextHop
  case bgpNextHop
  case sourceVLAN
  case destinationVLAN
  /// Source MAC address as the packets came in.
  case sourceMAC
  /// Destination MAC address as the packets went out.
  case postDestinationMAC
  /// Destination MAC address as the packets came in.
  case destinationMAC
  /// Source MAC address as the packets went out.
  case postSourceMAC
  case icmpType
  case icmpCode
  /// 0 ingress, 1 egress.
  case direction
  /// Forwarding status (RFC 7270 §4.12): top two bits unknown, forwarded, dropped, consumed.
  case forwardingStatus
  /// Why the exporter ended the flow (RFC 5102 §5.11.3): 1 idle, 2 active, 3 end, 4 forced, 5 lack
  /// of resources.
  case endReason
  /// Packets of the reverse direction of a biflow (RFC 5103).
  case reversePackets
  /// Octets of the reverse direction of a biflow (RFC 5103).
  case reverseBytes
  /// TCP flags of the reverse direction of a biflow (RFC 5103).
  case reverseTCPFlags
  /// Source address behind a NAT.
  case postSourceAddress
  /// Destination address behind a NAT.
  case postDestinationAddress
  case postSourcePort
  case postDestinationPort
  /// The 20 bits of the topmost MPLS label.
  case mplsTopLabel
  /// An index into the batch's table of exporters.
  case exporter
  /// How many flows an aggregated record stands for; 0 means one.
  case aggregatedFlows
  /// Type of service as the packets went out.
  case postTypeOfService
  /// VRF that the packets came in by.
  case ingressVRF
  /// VRF that the packets went out by.
  case egressVRF
  /// Firewall or NAT event (RFC 8158 §4.3 and IPFIX 233): 1 created, 2 deleted, 3 denied …
  case event
  /// When the collector received the record, Unix nanoseconds.
  case received
}

extension FlowColumn {
  /// What a column's values are.
  @frozen
  public enum Kind: Sendable {
    /// Unix nanoseconds with a sign.
    case time
    /// An address: 32 bits where the whole batch is IPv4, 128 bits otherwise.
    case address
    /// An amount that sums add up.
    case counter
    /// A number that names something: port, interface, AS, VLAN, flags.
    case number
    /// 48 bits in the low end of 64.
    case mac
  }

  // Two plain switches and not the table below, because they are asked for every value that is set.
  @inlinable
  public var kind: Kind {
    switch self {
    case .start, .end, .received: .time
    case .sourceAddress, .destinationAddress, .nextHop, .bgpNextHop, .postSourceAddress,
      .postDestinationAddress:
      .address
    case .packets, .bytes, .reversePackets, .reverseBytes, .aggregatedFlows: .counter
    case .sourceMAC, .destinationMAC, .postSourceMAC, .postDestinationMAC: .mac
    default: .number
    }
  }

  /// Octets of one value in memory; for addresses the width in a batch that is not all IPv4.
  @inlinable
  public var width: Int {
    switch self {
    case .start, .end, .received, .packets, .bytes, .reversePackets, .reverseBytes, .sourceMAC,
      .destinationMAC, .postSourceMAC, .postDestinationMAC:
      8
    case .sourceAddress, .destinationAddress, .nextHop, .bgpNextHop, .postSourceAddress,
      .postDestinationAddress:
      16
    case .samplingRate, .sourceAS, .destinationAS, .inputInterface, .outputInterface,
      .mplsTopLabel, .aggregatedFlows, .ingressVRF, .egressVRF:
      4
    case .sourcePort, .destinationPort, .sourceVLAN, .destinationVLAN, .postSourcePort,
      .postDestinationPort, .exporter:
      2
    default: 1
    }
  }

  /// The column's name in the archive and in JSON.
  public var name: String { properties.name }

  /// IPFIX information elements that fill this column, the plainest first; empty where there is
  /// none. Reverse elements (RFC 5103) have enterprise number 29305.
  public var elements: [UInt16] { properties.elements }

  /// The name that nfdump's CSV output gives this column; nil where it has none.
  public var nfdumpName: String? { properties.nfdump }

  /// The column of that name in the archive.
  public init?(name: String) {
    guard let match = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = match
  }

  /// This column's bit in a presence mask.
  @inlinable public var bit: UInt64 { 1 &<< UInt64(rawValue) }

  struct Properties {
    let name: String
    let elements: [UInt16]
    let nfdump: String?

    init(
      _ name: String, _ elements: [UInt16], _ nfdump: String? = nil
    ) {
      self.name = name
      self.elements = elements
      self.nfdump = nfdump
    }
  }

  var properties: Properties {
    switch self {
    case .start: .init("start", [152, 154, 156, 150, 22], "ts")
    case .end: .init("end", [153, 155, 157, 151, 21], "te")
    case .sourceAddress: .init("source_address", [8, 27], "sa")
    case .destinationAddress: .init("destination_address", [12, 28], "da")
    case .sourcePort: .init("source_port", [7], "sp")
    case .destinationPort: .init("destination_port", [11], "dp")
    case .transport: .init("protocol", [4], "pr")
    case .tcpFlags: .init("tcp_flags", [6], "flg")
    case .typeOfService: .init("tos", [5], "stos")
    case .packets: .init("packets", [2, 86], "ipkt")
    case .bytes: .init("bytes", [1, 85], "ibyt")
    case .samplingRate: .init("sampling_rate", [34, 50, 305])
    case .samplingSource: .init("sampling_source", [])
    case .sourceAS: .init("source_as", [16], "sas")
    case .destinationAS: .init("destination_as", [17], "das")
    case .inputInterface: .init("input_interface", [10], "in")
    case .outputInterface: .init("output_interface", [14], "out")
    case .sourceMask: .init("source_mask", [9, 29], "smk")
    case .destinationMask: .init("destination_mask", [13, 30], "dmk")
    case .nextHop: .init("next_hop", [15, 62], "nh")
    case .bgpNextHop: .init("bgp_next_hop", [18, 63], "nhb")
    case .sourceVLAN: .init("source_vlan", [58, 243], "svln")
    case .destinationVLAN: .init("destination_vlan", [59, 254], "dvln")
    case .sourceMAC: .init("source_mac", [56], "ismc")
    case .postDestinationMAC: .init("post_destination_mac", [57], "odmc")
    case .destinationMAC: .init("destination_mac", [80], "idmc")
    case .postSourceMAC: .init("post_source_mac", [81], "osmc")
    case .icmpType: .init("icmp_type", [176, 178, 32, 139])
    case .icmpCode: .init("icmp_code", [177, 179])
    case .direction: .init("direction", [61], "dir")
    case .forwardingStatus: .init("forwarding_status", [89], "fwd")
    case .endReason: .init("end_reason", [136])
    case .reversePackets: .init("reverse_packets", [2], "opkt")
    case .reverseBytes: .init("reverse_bytes", [1], "obyt")
    case .reverseTCPFlags: .init("reverse_tcp_flags", [6])
    case .postSourceAddress: .init("post_source_address", [225, 281])
    case .postDestinationAddress: .init("post_destination_address", [226, 282])
    case .postSourcePort: .init("post_source_port", [227])
    case .postDestinationPort: .init("post_destination_port", [228])
    case .mplsTopLabel: .init("mpls_top_label", [70], "mpls1")
    case .exporter: .init("exporter", [])
    case .aggregatedFlows: .init("aggregated_flows", [3], "fl")
    case .postTypeOfService: .init("post_tos", [55], "dtos")
    case .ingressVRF: .init("ingress_vrf", [234])
    case .egressVRF: .init("egress_vrf", [235])
    case .event: .init("event", [233, 230])
    case .received: .init("received", [], "tr")
    }
  }
}
