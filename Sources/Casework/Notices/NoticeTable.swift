import Constituency
import Findings
import NetworkTypes

/// The table of a notice: one line for each finding, with the column names of IntelMQ 3 as CERT.at's
/// feed has them, times in UTC as `YYYY-MM-DD HH:MM:SS`, RFC 4180 lines, UTF-8 with a header.
struct NoticeTable {
  static let columns = [
    "time.source", "source.ip", "source.port", "source.asn", "source.geolocation.cc",
    "protocol.transport", "classification.taxonomy", "classification.type",
    "classification.identifier", "malware.name", "event_description.text", "feed.name",
    "feed.accuracy", "tlp", "time.observation", "extra.first_seen", "extra.last_seen", "extra.case",
    "extra.notice", "extra.finding", "extra.destination_ports", "extra.packets",
    "extra.destinations", "extra.rate_pps", "extra.evidence", "extra.tlp",
  ]

  /// - Parameter feed: who observes: the sender's English name.
  static func render(_ notice: Notice, _ cases: [NoticeCase], feed: String) -> [UInt8] {
    var lines = [columns.joined(separator: ",")]
    for item in cases {
      for finding in item.findings {
        let fields = fields(finding, item.item, notice, feed: feed)
        lines.append(columns.map { cell(fields[$0] ?? "") }.joined(separator: ","))
      }
    }
    return Array((lines.joined(separator: "\r\n") + "\r\n").utf8)
  }

  private static func fields(
    _ finding: Finding, _ item: Case, _ notice: Notice, feed: String
  ) -> [String: String] {
    let attributes = finding.attributes
    let incident = finding.kind.incidentClass
    let malware = attributes["malware.name"].map(identifier)
    var fields = [
      "time.source": LocalTime.plain(finding.lastSeen),
      "source.ip": finding.subject.address.description,
      "protocol.transport": transport(of: finding)?.description ?? "",
      "classification.taxonomy": incident.taxonomy, "classification.type": incident.type,
      "classification.identifier": malware ?? finding.kind.rawValue,
      "malware.name": malware ?? "",
      "event_description.text": finding.evidence.first?.summary ?? finding.kind.rawValue,
      "feed.name": "\(feed) \(finding.sensor)",
      "feed.accuracy": String(finding.confidence.percent),
      "tlp": Self.oldLabel(finding.marking), "extra.tlp": finding.marking.rawValue,
      "time.observation": LocalTime.plain(notice.created),
      "extra.first_seen": LocalTime.plain(finding.firstSeen),
      "extra.last_seen": LocalTime.plain(finding.lastSeen), "extra.case": item.id,
      "extra.notice": notice.number, "extra.finding": finding.id,
      "extra.destination_ports": attributes["ports"] ?? attributes["services"] ?? "",
      "extra.packets": attributes["packets"] ?? "",
      "extra.destinations": attributes["destinations"] ?? "",
      "extra.rate_pps": attributes["rate.pps"] ?? "",
      "extra.evidence": finding.evidence.map(\.name).joined(separator: " "),
    ]
    // IntelMQ refuses reserved systems such as 65535; an unknown one is an empty cell.
    if let asn = attributes["asn"].flatMap({ ASN(text: $0) }), asn != .unknown {
      fields["source.asn"] = String(asn.number)
    }
    if let country = attributes["country"].flatMap({ CountryCode($0) }), country != .unknown {
      fields["source.geolocation.cc"] = country.description
    }
    if let port = finding.subject.port { fields["source.port"] = String(port) }
    return fields
  }

  /// IntelMQ 3.5 knows the four labels of TLP 1; `extra.tlp` has the label of TLP 2 itself.
  private static func oldLabel(_ marking: TrafficLight) -> String {
    switch marking {
    case .clear: "WHITE"
    case .green: "GREEN"
    case .amber, .amberStrict: "AMBER"
    case .red: "RED"
    }
  }

  /// The transport of the finding, or of the first of its ports (`23/tcp 2323/tcp`).
  static func transport(of finding: Finding) -> IPProtocol? {
    finding.subject.transport ?? Self.endpoint(of: finding)?.transport
  }

  /// The first of the ports that the finding is about.
  static func endpoint(of finding: Finding) -> (port: UInt16, transport: IPProtocol?)? {
    let ports = finding.attributes["ports"] ?? finding.attributes["services"] ?? ""
    guard let first = ports.split(separator: " ").first else { return nil }
    let parts = first.split(separator: "/")
    guard let number = parts.first.flatMap({ UInt16($0) }) else { return nil }
    return (number, parts.count > 1 ? IPProtocol(name: String(parts[1])) : nil)
  }

  /// A lower-case word as IntelMQ wants it for malware: printable ASCII.
  static func identifier(_ name: String) -> String {
    String(
      name.lowercased().unicodeScalars.filter { (0x20...0x7e).contains($0.value) }.prefix(80)
        .map(Character.init))
  }

  /// One cell: quoted where needed (RFC 4180 §2), and never a formula: a spreadsheet runs what begins
  /// with `=`, `+`, `-`, `@`, tab or CR (OWASP, "CSV Injection"), an apostrophe makes it text.
  static func cell(_ text: String) -> String {
    // Controls have no place in a value; a line break inside a cell breaks simple readers.
    var plain = String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
    if let first = text.unicodeScalars.first, "=+-@\t\r\n＝＋－＠".unicodeScalars.contains(first) {
      plain = "'" + plain
    }
    guard plain.contains(where: { $0 == "," || $0 == "\"" || $0 == ";" }) else { return plain }
    return "\"" + plain.replacing("\"", with: "\"\"") + "\""
  }
}
