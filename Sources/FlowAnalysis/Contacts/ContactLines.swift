import NetworkTypes

/// Lines of CSV with the archive's own column names: `start` (RFC 3339 or seconds since 1970),
/// `source_address`, `destination_address`, `source_port`, `destination_port`, `protocol`, and where
/// there are any `end` or `duration`, `packets`, `bytes`, `reverse_packets`, `reverse_bytes`,
/// `tcp_flags`, `sampling_rate`, `label`.
struct ContactLines {
  private var columns: [String: Int] = [:]

  init(header: ArraySlice<UInt8>, path: String) throws(LabelledFlowError) {
    let synonyms = [
      "source": "source_address", "destination": "destination_address", "transport": "protocol",
      "proto": "protocol",
    ]
    for (index, field) in FieldText.split(header, by: 44).enumerated() {
      let name = FieldText.string(FieldText.trimmed(field)).lowercased()
      columns[synonyms[name] ?? name] = index
    }
    for name in ["start", "source_address", "destination_address", "destination_port", "protocol"] {
      guard columns[name] != nil else { throw .missingColumn(path: path, column: name) }
    }
  }

  func flow(_ line: ArraySlice<UInt8>, labels: inout LabelTexts) -> LabelledFlow? {
    let fields = FieldText.split(line, by: 44)
    func field(_ name: String) -> ArraySlice<UInt8> {
      guard let index = columns[name], index < fields.count else { return [] }
      return FieldText.trimmed(fields[index])
    }
    func moment(_ name: String) -> Int64? {
      let text = field(name)
      return text.isEmpty
        ? nil : FieldText.nanoseconds(text) ?? Timestamp(FieldText.string(text))?.nanoseconds
    }
    guard let start = moment("start"), let transport = FieldText.transport(field("protocol")),
      let source = FieldText.address(field("source_address")),
      let destination = FieldText.address(field("destination_address"))
    else { return nil }
    let end =
      moment("end") ?? start.addingReportingOverflow(moment("duration") ?? 0).partialValue
    let packets = FieldText.unsigned(field("packets")) ?? 1
    let back = FieldText.unsigned(field("reverse_packets"))
    let flags = FieldText.unsigned(field("tcp_flags")).map { UInt8(truncatingIfNeeded: $0) } ?? 0
    var contact = Contact(
      start: start, end: end, client: source, server: destination,
      clientPort: FieldText.port(field("source_port")) ?? 0,
      serverPort: FieldText.port(field("destination_port")) ?? 0, transport: transport,
      side: back == nil ? .outward : .both, isAnswered: (back ?? 0) > 0, packetsOut: packets,
      packetsIn: back ?? 0, bytesOut: FieldText.unsigned(field("bytes")) ?? 0,
      bytesIn: FieldText.unsigned(field("reverse_bytes")) ?? 0,
      samplingRate: FieldText.unsigned(field("sampling_rate")).flatMap { UInt32(exactly: $0) } ?? 0)
    var sourceIsClient = true
    if back == nil {
      if Orientation.isReply(
        sourcePort: contact.clientPort, destinationPort: contact.serverPort, transport: transport,
        flags: flags, packets: packets)
      {
        contact = contact.reversed
        contact.isAnswered = true
        sourceIsClient = false
      } else if transport == 6 {
        contact.isAnswered = flags & 16 != 0 && flags & ~(2 | 4 | 16) != 0
      }
    }
    return LabelledFlow(
      contact: contact, sourceIsClient: sourceIsClient,
      label: columns["label"] == nil ? .background : labels.label(field("label")))
  }
}
