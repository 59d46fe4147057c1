import Foundation
import NetworkTypes

/// Lines of Zeek's conn.log (and, without counters, of its ssl, http and dns logs): tab-separated with `#fields`, or JSON; with the columns `label` and
/// `detailedlabel` (or `detailed-label`) where the Stratosphere Laboratory labelled it.
///
/// The originator of a connection is its client, except in connections that Zeek came upon midway
/// (state `OTH`), where the ports decide.
struct ZeekLines {
  private var columns: [String: Int] = [:]
  /// ssl.log and http.log have no column of the protocol.
  private var isOverTCP = false

  /// Takes `#fields`; IoT-23's files separate the last three columns by spaces.
  mutating func readHeader(_ line: ArraySlice<UInt8>) {
    let text = FieldText.string(line)
    if text.hasPrefix("#path") { isOverTCP = text.hasSuffix("ssl") || text.hasSuffix("http") }
    guard text.hasPrefix("#fields") else { return }
    columns.removeAll()
    for (index, name) in text.split(whereSeparator: { $0 == "\t" || $0 == " " }).dropFirst()
      .enumerated()
    {
      columns[String(name)] = index
    }
  }

  var isReady: Bool { columns["ts"] != nil && columns["id.orig_h"] != nil }

  func flow(_ line: ArraySlice<UInt8>, labels: inout LabelTexts) -> LabelledFlow? {
    var fields = FieldText.split(line, by: 9)
    if fields.count < columns.count {
      fields = fields.flatMap { field -> [ArraySlice<UInt8>] in
        // `(empty)   Malicious   C&C`
        guard field.contains(32) else { return [field] }
        return field.split(separator: 32)
      }
    }
    func field(_ name: String) -> ArraySlice<UInt8> {
      guard let index = columns[name], index < fields.count else { return [] }
      return fields[index] == [45] ? [] : fields[index]
    }
    var text = Array(field("label"))
    let detail = columns["detailedlabel"] == nil ? field("detailed-label") : field("detailedlabel")
    if !detail.isEmpty { text += [32] + detail }
    return flow(text: text[...], labels: &labels, field: field)
  }

  /// A line of JSON.
  func flow(json line: ArraySlice<UInt8>, labels: inout LabelTexts) -> LabelledFlow? {
    guard
      let object = try? JSONSerialization.jsonObject(with: Data(line)) as? [String: Any]
    else { return nil }
    func field(_ name: String) -> ArraySlice<UInt8> {
      switch object[name] {
      case let text as String: Array(text.utf8)[...]
      case let number as NSNumber: Array(number.stringValue.utf8)[...]
      default: []
      }
    }
    let text = Array(field("label")) + [32] + field("detailedlabel")
    return flow(text: text[...], labels: &labels, field: field)
  }

  private func flow(
    text: ArraySlice<UInt8>, labels: inout LabelTexts, field: (String) -> ArraySlice<UInt8>
  ) -> LabelledFlow? {
    guard let transport = FieldText.transport(field("proto")) ?? (isOverTCP ? 6 : nil),
      let start = FieldText.nanoseconds(field("ts")),
      let source = FieldText.address(field("id.orig_h")),
      let destination = FieldText.address(field("id.resp_h"))
    else { return nil }
    let isICMP = transport == 1 || transport == 58
    let state = FieldText.string(field("conn_state"))
    let packetsIn = FieldText.unsigned(field("resp_pkts")) ?? 0
    let hasCounters = !field("orig_pkts").isEmpty
    // A reset is an answer of the machine, not of the service.
    let isAnswered = hasCounters ? packetsIn > 0 && state != "REJ" && state != "S0" : state != "S0"
    let duration = FieldText.nanoseconds(field("duration")) ?? 0
    var contact = Contact(
      start: start, end: start.addingReportingOverflow(duration).partialValue, client: source,
      server: destination,
      clientPort: isICMP ? 0 : FieldText.port(field("id.orig_p")) ?? 0,
      serverPort: isICMP ? 0 : FieldText.port(field("id.resp_p")) ?? 0, transport: transport,
      side: .both, isAnswered: isAnswered,
      packetsOut: FieldText.unsigned(field("orig_pkts")) ?? 1, packetsIn: packetsIn,
      bytesOut: FieldText.unsigned(field("orig_ip_bytes"))
        ?? FieldText.unsigned(field("orig_bytes")) ?? 0,
      bytesIn: FieldText.unsigned(field("resp_ip_bytes"))
        ?? FieldText.unsigned(field("resp_bytes")) ?? 0)
    var sourceIsClient = true
    if state == "OTH" || state == "SHR",
      PortClass.rank(contact.clientPort) > PortClass.rank(contact.serverPort)
    {
      contact = contact.reversed
      sourceIsClient = false
    }
    return LabelledFlow(
      contact: contact, sourceIsClient: sourceIsClient,
      label: text.isEmpty || text == [32] ? .background : labels.label(text))
  }
}
