public import FlowRecords

/// What flows are grouped by: an element of nfdump's `-s` and `-A`.
public struct FlowElement: Hashable, Sendable {
  /// Where its values come from.
  public enum Source: Hashable, Sendable {
    case number(FlowColumn)
    /// An address with its upper bits of each family; 32 and 128 for whole addresses.
    case address(FlowColumn, v4Bits: Int, v6Bits: Int)
    /// An address cut to the prefix length in a column of the same flow.
    case network(FlowColumn, length: FlowColumn)
    case exporter
    case observationDomain
    /// The Unix second at which the interval of so many seconds that the flow starts in begins: for time
    /// series.
    case interval(seconds: Int64)
  }

  /// nfdump's name of it: `srcip`, `srcip4/24`.
  public let name: String
  public let source: Source

  init(_ name: String, _ source: Source) {
    self.name = name
    self.source = source
  }

  private static func address(_ name: String, _ column: FlowColumn) -> FlowElement {
    FlowElement(name, .address(column, v4Bits: 32, v6Bits: 128))
  }

  private static let known: [FlowElement] = [
    address("srcip", .sourceAddress), address("dstip", .destinationAddress),
    address("next", .nextHop), address("nhip", .nextHop),
    address("bgpnext", .bgpNextHop), address("nhbip", .bgpNextHop),
    address("xsrcip", .postSourceAddress), address("xdstip", .postDestinationAddress),
    address("nsrcip", .postSourceAddress), address("ndstip", .postDestinationAddress),
    FlowElement("srcnet", .network(.sourceAddress, length: .sourceMask)),
    FlowElement("dstnet", .network(.destinationAddress, length: .destinationMask)),
    FlowElement("router", .exporter), FlowElement("odid", .observationDomain),
    FlowElement("srcport", .number(.sourcePort)), FlowElement("dstport", .number(.destinationPort)),
    FlowElement("xsrcport", .number(.postSourcePort)),
    FlowElement("xdstport", .number(.postDestinationPort)),
    FlowElement("proto", .number(.transport)), FlowElement("flags", .number(.tcpFlags)),
    FlowElement("tos", .number(.typeOfService)), FlowElement("srctos", .number(.typeOfService)),
    FlowElement("dsttos", .number(.postTypeOfService)), FlowElement("dir", .number(.direction)),
    FlowElement("srcas", .number(.sourceAS)), FlowElement("dstas", .number(.destinationAS)),
    FlowElement("inif", .number(.inputInterface)), FlowElement("outif", .number(.outputInterface)),
    FlowElement("srcmask", .number(.sourceMask)), FlowElement("dstmask", .number(.destinationMask)),
    FlowElement("srcvlan", .number(.sourceVLAN)), FlowElement("dstvlan", .number(.destinationVLAN)),
    FlowElement("insrcmac", .number(.sourceMAC)), FlowElement("indstmac", .number(.destinationMAC)),
    FlowElement("outsrcmac", .number(.postSourceMAC)),
    FlowElement("outdstmac", .number(.postDestinationMAC)),
    FlowElement("mpls1", .number(.mplsTopLabel)), FlowElement("event", .number(.event)),
    FlowElement("ivrf", .number(.ingressVRF)), FlowElement("evrf", .number(.egressVRF)),
    FlowElement("fwdstat", .number(.forwardingStatus)),
  ]

  /// The element of that name, with a mask for addresses: `srcip4/24`, `dstip6/48`; `time/300` is the
  /// interval of 300 seconds that a flow starts in.
  public init?(name: String) {
    let text = name.lowercased()
    if let found = Self.known.first(where: { $0.name == text }) {
      self = found
      return
    }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let bits = Int(parts[1]), bits >= 0 else { return nil }
    if parts[0] == "time" {
      // Up to a week.
      guard (1...604_800).contains(bits) else { return nil }
      self.init(text, .interval(seconds: Int64(bits)))
      return
    }
    let columns: [Substring: (FlowColumn, Bool)] = [
      "srcip4": (.sourceAddress, true), "srcip6": (.sourceAddress, false),
      "dstip4": (.destinationAddress, true), "dstip6": (.destinationAddress, false),
    ]
    guard let (column, isIPv4) = columns[parts[0]], bits <= (isIPv4 ? 32 : 128) else { return nil }
    self.init(
      text,
      .address(column, v4Bits: isIPv4 ? bits : 32, v6Bits: isIPv4 ? 128 : bits))
  }

  /// The elements that a statistic of `-s` counts a flow under: `ip` counts it under its source and its
  /// destination.
  public static func statistic(_ name: String) -> [FlowElement]? {
    let pairs: [String: [String]] = [
      "ip": ["srcip", "dstip"], "port": ["srcport", "dstport"], "as": ["srcas", "dstas"],
      "if": ["inif", "outif"], "mask": ["srcmask", "dstmask"], "vlan": ["srcvlan", "dstvlan"],
      "srcmac": ["insrcmac", "outsrcmac"], "dstmac": ["indstmac", "outdstmac"],
      "inmac": ["insrcmac", "indstmac"], "outmac": ["outsrcmac", "outdstmac"],
    ]
    let names = pairs[name.lowercased()] ?? [name]
    let elements = names.compactMap(FlowElement.init(name:))
    return elements.count == names.count ? elements : nil
  }

  /// The elements of `-A`, separated by commas.
  ///
  /// - Throws: ``ArchiveError/badQuery(_:)`` that names the first one that is unknown.
  public static func aggregation(_ text: String) throws(ArchiveError) -> [FlowElement] {
    var elements: [FlowElement] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let element = FlowElement(name: String(part)) else {
        throw .badQuery("there is no element \(part) to aggregate by; see docs/flow-archive.md")
      }
      if elements.contains(element) {
        throw .badQuery("\(part) is named twice in the aggregation; name it once")
      }
      // srcip4/24 and srcip6/64 are one element with a mask for each family.
      if case .address(let column, let v4Bits, let v6Bits) = element.source,
        let place = elements.firstIndex(where: { other in
          if case .address(column, _, _) = other.source { true } else { false }
        }), case .address(_, let otherV4, let otherV6) = elements[place].source
      {
        elements[place] = FlowElement(
          elements[place].name + "," + element.name,
          .address(column, v4Bits: min(v4Bits, otherV4), v6Bits: min(v6Bits, otherV6)))
      } else {
        elements.append(element)
      }
    }
    guard !elements.isEmpty, elements.count <= 12 else {
      throw .badQuery("an aggregation has one to twelve elements")
    }
    return elements
  }

  /// The five elements of a connection, which `-a` and `-s record` aggregate by.
  public static let connection: [FlowElement] = [
    "proto", "srcip", "dstip", "srcport", "dstport",
  ].compactMap(FlowElement.init(name:))

  /// Bits that its values take, addresses at most 32 where all are IPv4.
  func bits(isNarrow: Bool) -> Int {
    switch source {
    case .number(let column): column.width * 8
    case .address, .network: isNarrow ? 32 : 128
    case .exporter, .observationDomain: 32
    case .interval: 64
    }
  }
}
