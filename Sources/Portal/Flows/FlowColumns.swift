import FlowArchive
import FlowRecords
import NetworkTypes

/// The columns of flows and of their sums, with the names of the command line's.
enum FlowColumns {
  static func moment(_ milliseconds: Int64) -> Timestamp? {
    let (product, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
    return overflow ? nil : Timestamp(nanoseconds: product)
  }

  /// Of single flows. `question` is what links on an address lead on from.
  static func listing(_ question: FlowQuestion) -> [Column<FlowListed>] {
    let shown: [Column<FlowListed>] = [
      Column("start", .time, value: { .time($0.record.start) }),
      Column("seconds", .number, value: { .number($0.record.end.seconds(since: $0.record.start)) }),
      Column("protocol", .text, sort: false, value: { .text($0.record.transport.description) }),
      Column(
        "source", .address, sort: false, link: { host($0.record.source) },
        value: { address($0.record.source) }),
      Column(
        "source_port", .integer, sort: false, markup: { item, _ in "\(item.record.sourcePort)" },
        value: { .integer(Int64($0.record.sourcePort)) }),
      Column(
        "destination", .address, sort: false, link: { host($0.record.destination) },
        value: { address($0.record.destination) }),
      Column(
        "destination_port", .integer, sort: false, markup: { item, _ in "\(port(item.record))" },
        value: { .integer(Int64($0.record.destinationPort)) }),
      Column(
        "tcp_flags", .text, sort: false,
        markup: { item, _ in "<code>\(flags(item.record.tcpFlags))</code>" },
        value: { .text(flags($0.record.tcpFlags)) }),
      Column("packets", .integer, value: { .count($0.packets) }),
      Column("bytes", .integer, value: { .count($0.bytes) }),
      Column(
        "conversation", .text, sort: false, exported: false,
        markup: { item, visit in
          conversation(item.record.source, item.record.destination, question, visit)
        }, value: { _ in .none }),
    ]
    return shown + details
  }

  private static let details: [Column<FlowListed>] = [
    Column("end", .time, hidden: true, value: { .time($0.record.end) }),
    detail("tos") { Int64($0.typeOfService) },
    detail("flows") { Int64(max(1, $0.aggregatedFlows)) },
    Column("raw_packets", .integer, hidden: true, value: { .count($0.record.packets) }),
    Column("raw_bytes", .integer, hidden: true, value: { .count($0.record.bytes) }),
    detail("sampling_rate") { Int64($0.sampling.rate) },
    detail("source_as") { Int64($0.sourceAS) },
    detail("destination_as") { Int64($0.destinationAS) },
    detail("input_interface") { Int64($0.inputInterface) },
    detail("output_interface") { Int64($0.outputInterface) },
    Column("next_hop", .address, hidden: true, value: { address($0.record.nextHop) }),
    detail("source_vlan") { Int64($0.sourceVLAN) },
    detail("destination_vlan") { Int64($0.destinationVLAN) },
    Column("exporter", .address, hidden: true, value: { address($0.record.exporter.address) }),
    detail("observation_domain") { Int64($0.exporter.domain) },
  ]

  private static func detail(
    _ name: String, _ value: @escaping @Sendable (FlowRecord) -> Int64
  ) -> Column<FlowListed> {
    Column(name, .integer, hidden: true, value: { .integer(value($0.record)) })
  }

  /// Of the rows of a query that groups.
  static func sums(_ query: FlowQuery, _ question: FlowQuestion) -> [Column<FlowSum>] {
    let isBiflow = query.kind == .biflows
    let isStatistic = if case .statistic = query.kind { true } else { false }
    var columns = query.elements.enumerated().map { place, element in
      // `ip` counts a flow under its source and its destination: the column is neither of them.
      let name =
        isStatistic && place == query.elements.count - 1
        ? String(question.by.prefix { $0 != ":" }) : element.name
      return key(name, element, place, question, isStatistic: isStatistic)
    }
    columns += [
      Column("flows", .integer, value: { .count($0.flows) }),
      Column("packets", .integer, value: { .count($0.packets) }),
      Column("bytes", .integer, value: { .count($0.bytes) }),
    ]
    if isBiflow {
      columns += [
        Column("reverse_packets", .integer, sort: false, value: { .count($0.reversePackets) }),
        Column("reverse_bytes", .integer, sort: false, value: { .count($0.reverseBytes) }),
      ]
    }
    columns += [
      Column("start", .time, value: { .optional(moment($0.first)) }),
      Column("seconds", .number, value: { .number(Double($0.last &- $0.first) / 1_000) }),
      Column("end", .time, hidden: true, value: { .optional(moment($0.last)) }),
      Column("pps", .integer, hidden: true, value: { .count($0.packetsPerSecond) }),
      Column("bps", .integer, value: { .count($0.bitsPerSecond) }),
      Column("bpp", .integer, hidden: true, value: { .count($0.bytesPerPacket) }),
    ]
    if let source = query.elements.firstIndex(where: { $0.name == "srcip" }),
      let destination = query.elements.firstIndex(where: { $0.name == "dstip" })
    {
      columns.append(
        Column(
          "conversation", .text, sort: false, exported: false,
          markup: { row, visit in
            guard case .address(let a) = row.key[source],
              case .address(let b) = row.key[destination]
            else { return .empty }
            return conversation(a, b, question, visit)
          }, value: { _ in .none }))
    }
    return columns
  }

  private static func key(
    _ name: String, _ element: FlowElement, _ place: Int, _ question: FlowQuestion,
    isStatistic: Bool
  ) -> Column<FlowSum> {
    var kind = Column<FlowSum>.Kind.text
    if case .address = element.source { kind = .address }
    var column = Column<FlowSum>(
      name, kind, sort: false, value: { .text(text(element, $0.key[place])) })
    column.titleKey = "element"
    column.markup = { row, visit in
      let value = row.key[place]
      let shown: HTML =
        if case .interval = element.source, case .number(let seconds) = value {
          visit.timeElement(Timestamp(seconds: Int64(clamping: seconds)))
        } else { "\(text(element, value))" }
      guard let condition = condition(isStatistic ? name : element.name, value) else {
        return shown
      }
      let link = question.narrowed(by: condition).link { narrowed in
        narrowed.view = .list
        narrowed.sort = nil
      }
      return """
        <a href="\(link)" title="\(visit.t("flows.narrow", ["condition": condition]))">\(shown)</a>
        """
    }
    return column
  }

  // MARK: Texts

  /// A value as people and programs read it.
  static func text(_ element: FlowElement, _ value: FlowValue) -> String {
    guard case .number(let number) = value else { return value.description }
    if case .interval = element.source {
      return Timestamp(seconds: Int64(clamping: number)).description
    }
    switch element.name {
    case "proto":
      return UInt8(exactly: number).map { IPProtocol(rawValue: $0).description } ?? "\(number)"
    case "flags": return UInt8(exactly: number).map { flags($0) } ?? "\(number)"
    default: return value.description
    }
  }

  /// The test that flows of a value pass; nil where the language has none for the element.
  static func condition(_ element: String, _ value: FlowValue) -> String? {
    let parts = element.split(separator: "/")
    if parts.count == 2, case .address(let address) = value {
      // A mask of one family leaves addresses of the other whole.
      guard ["srcip4", "srcip6", "dstip4", "dstip6"].contains(parts[0]) else { return nil }
      let side = parts[0].prefix(3)
      return parts[0].hasSuffix("4") == (address.isIPv4 || address.bits == 0)
        ? "\(side) net \(value)/\(parts[1])" : "\(side) ip \(value)"
    }
    let words = [
      "srcip": "src ip", "dstip": "dst ip", "ip": "ip", "srcport": "src port",
      "dstport": "dst port", "port": "port", "proto": "proto", "srcas": "src as",
      "dstas": "dst as", "as": "as", "inif": "in if", "outif": "out if", "if": "if",
      "router": "router ip", "next": "next ip", "bgpnext": "bgpnext ip", "srcvlan": "src vlan",
      "dstvlan": "dst vlan", "vlan": "vlan", "tos": "tos", "odid": "observation domain id",
    ]
    return words[element].map { "\($0) \(value)" }
  }

  /// `.AP.S.` as nfdump writes them: URG, ACK, PSH, RST, SYN, FIN.
  static func flags(_ flags: UInt8) -> String {
    zip("UAPRSF", [5, 4, 3, 2, 1, 0] as [UInt8]).map { letter, bit in
      flags >> bit & 1 == 1 ? String(letter) : "."
    }.joined()
  }

  /// Of ICMP, type and code in place of the port.
  private static func port(_ record: FlowRecord) -> String {
    guard record.transport == .icmp || record.transport == .icmpv6 else {
      return String(record.destinationPort)
    }
    let isColumn = record.icmpType != 0 || record.icmpCode != 0
    let type = isColumn ? record.icmpType : UInt8(record.destinationPort >> 8)
    let code = isColumn ? record.icmpCode : UInt8(record.destinationPort & 255)
    return "\(type).\(code)"
  }

  private static func address(_ address: IPAddress) -> Cell {
    address.bits == 0 ? .none : .text(address.description)
  }

  private static func host(_ address: IPAddress) -> String? {
    address.bits == 0 ? nil : "/hosts/\(QueryText.encode(address.description))"
  }

  static func conversation(
    _ a: IPAddress, _ b: IPAddress, _ question: FlowQuestion, _ visit: Visit
  ) -> HTML {
    let link = question.link("/flows/conversation") { asked in
      asked.a = a
      asked.b = b
      asked.filter = ""
      asked.view = .summary
      asked.sort = nil
      asked.page = 1
    }
    let label = visit.t(
      "flows.conversation-of", ["first": a.description, "second": b.description])
    return "<a href=\"\(link)\" aria-label=\"\(label)\" title=\"\(label)\">⇄</a>"
  }
}
