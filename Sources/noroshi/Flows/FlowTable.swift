import FlowArchive
import FlowRecords
import NetworkTypes

/// The columns that results of flow searches are written with.
enum FlowTable {
  static func write(
    _ result: FlowQueryResult, of query: FlowQuery, with list: ListOutput
  ) throws {
    if case .listing = query.kind {
      try list.write(
        result.records, columns: listing, total: result.matched, nothing: "No flow matches.")
    } else {
      try list.write(
        result.rows, columns: sums(query), total: result.groupCount, nothing: "No flow matches.")
    }
    guard list.format == .table else { return }
    let totals = result.totals
    Terminal.error.line(
      "\(Quantity.grouped(Int64(clamping: totals.flows))) flows, "
        + "\(Quantity.grouped(Int64(clamping: totals.packets))) packets, "
        + "\(Quantity.bytes(Int64(clamping: totals.bytes))); "
        + "\(Quantity.grouped(result.scanned)) records of \(Quantity.grouped(result.files)) files "
        + "looked at.")
  }

  private static func moment(_ milliseconds: Int64) -> ListCell {
    let (product, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
    return overflow ? .none : .time(Timestamp(nanoseconds: product))
  }

  private static func sums(_ query: FlowQuery) -> [ListColumn<FlowSum>] {
    var columns: [ListColumn<FlowSum>] = []
    for (index, element) in query.elements.enumerated() {
      let name = element.name
      columns.append(
        ListColumn(name) { row in
          if name == "proto", case .number(let value) = row.key[index],
            let octet = UInt8(exactly: value)
          {
            return .text(IPProtocol(rawValue: octet).description)
          }
          if case .interval = element.source, case .number(let value) = row.key[index] {
            return .time(Timestamp(seconds: Int64(clamping: value)))
          }
          return .text(row.key[index].description)
        })
    }
    columns += [
      ListColumn("first") { moment($0.first) },
      ListColumn("seconds") { .seconds(Double($0.last &- $0.first) / 1_000) },
      ListColumn("flows") { .count($0.flows) },
      ListColumn("packets") { .count($0.packets) },
      ListColumn("bytes") { .bytes(Int64(clamping: $0.bytes)) },
    ]
    if query.kind == .biflows {
      columns += [
        ListColumn("reverse_packets", "PACKETS BACK") { .count($0.reversePackets) },
        ListColumn("reverse_bytes", "BYTES BACK") { .bytes(Int64(clamping: $0.reverseBytes)) },
      ]
    }
    columns += [
      ListColumn("last", extra: true) { moment($0.last) },
      ListColumn("pps", extra: true) { .count($0.packetsPerSecond) },
      ListColumn("bps", extra: true) { .count($0.bitsPerSecond) },
      ListColumn("bpp", extra: true) { .count($0.bytesPerPacket) },
    ]
    return columns
  }

  private static var listing: [ListColumn<FlowListed>] {
    [
      ListColumn("start") { .time($0.record.start) },
      ListColumn("seconds") { .seconds($0.record.end.seconds(since: $0.record.start)) },
      ListColumn("protocol") { .text($0.record.transport.description) },
      ListColumn("source") { .text(address($0.record.source)) },
      ListColumn("source_port", "PORT") { .text("\($0.record.sourcePort)") },
      ListColumn("destination") { .text(address($0.record.destination)) },
      ListColumn("destination_port", "PORT") { .text("\($0.record.destinationPort)") },
      ListColumn("flags") { .text(flags($0.record.tcpFlags)) },
      ListColumn("packets") { .count($0.packets) },
      ListColumn("bytes") { .bytes(Int64(clamping: $0.bytes)) },
      ListColumn("end", extra: true) { .time($0.record.end) },
      ListColumn("tos", extra: true) { .count($0.record.typeOfService) },
      ListColumn("flows", extra: true) { .count(max(1, $0.record.aggregatedFlows)) },
      ListColumn("raw_packets", extra: true) { .count($0.record.packets) },
      ListColumn("raw_bytes", extra: true) { .count($0.record.bytes) },
      ListColumn("sampling_rate", extra: true) { .count($0.record.sampling.rate) },
      ListColumn("source_as", extra: true) { .count($0.record.sourceAS) },
      ListColumn("destination_as", extra: true) { .count($0.record.destinationAS) },
      ListColumn("input_interface", extra: true) { .count($0.record.inputInterface) },
      ListColumn("output_interface", extra: true) { .count($0.record.outputInterface) },
      ListColumn("next_hop", extra: true) { .text(address($0.record.nextHop)) },
      ListColumn("source_vlan", extra: true) { .count($0.record.sourceVLAN) },
      ListColumn("destination_vlan", extra: true) { .count($0.record.destinationVLAN) },
      ListColumn("exporter", extra: true) { .text(address($0.record.exporter.address)) },
      ListColumn("observation_domain", extra: true) { .count($0.record.exporter.domain) },
    ]
  }

  private static func address(_ address: IPAddress) -> String? {
    address.bits == 0 ? nil : address.description
  }

  /// `.AP.S.` as nfdump writes them: URG, ACK, PSH, RST, SYN, FIN.
  static func flags(_ flags: UInt8) -> String {
    zip("UAPRSF", [5, 4, 3, 2, 1, 0] as [UInt8]).map { letter, bit in
      flags >> bit & 1 == 1 ? String(letter) : "."
    }.joined()
  }
}
