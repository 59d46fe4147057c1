import Crypto
import Findings
import Foundation
import NetworkTypes

/// One finding as an XARF v4 report (xarf.org, specification 4.2.0).
///
/// An infected host is `connection/infected_host`, a scanner `connection/vulnerability_scan`. XARF has
/// no type for a victim: `connection/ddos` reports the attacker. A victim and a member alert are
/// therefore `reputation/threat_intelligence` with `threat_type` `dos_victim` or `darknet_alert`, so
/// that no machine takes the victim for the source. An attack's source is `connection/ddos`; that type
/// demands a source port, so one whose ports vary is `threat_intelligence` too, with `dos_source`. A
/// reflector is `vulnerability/open_service`.
struct XARFReport: Encodable {
  struct Party: Encodable, Hashable {
    var org: String
    var contact: String
    var domain: String

    /// XARF wants a host name and at most 200 characters.
    init(_ sender: NoticeSender) {
      org = String(MailText.plain(sender.name).prefix(200))
      contact = sender.from.address
      domain = sender.from.domain
    }
  }

  struct Evidence: Encodable, Hashable {
    var contentType: String
    var description: String
    var payload: String
    var hash: String
    var size: Int
  }

  // The standard's fields; the encoder writes them in snake case.
  var xarfVersion = "4.2.0"
  var reportId: String
  var timestamp: String
  var reporter: Party
  var sender: Party
  var sourceIdentifier: String
  var sourcePort: UInt16?
  var category = "connection"
  var type: String
  var evidenceSource = "traffic_analysis"
  var evidence: [Evidence]
  var tags: [String]
  var confidence: Double
  var description: String
  var destinationPort: UInt16?
  var `protocol`: String
  var botType: String?
  var botName: String?
  var behaviorPattern: String?
  var malwareFamily: String?
  var scanType: String?
  var threatType: String?
  var attackVector: String?
  var service: String?
  var firstSeen: String
  var lastSeen: String

  init(_ finding: Finding, case item: Case, notice: Notice, sender party: NoticeSender) throws {
    let malware = finding.attributes["malware.name"].map(NoticeTable.identifier)
    let endpoint = NoticeTable.endpoint(of: finding)
    let transport = NoticeTable.transport(of: finding) ?? .tcp
    reportId = Self.identifier(of: finding.id)
    timestamp = finding.lastSeen.description
    reporter = Party(party)
    sender = Party(party)
    sourceIdentifier = finding.subject.address.description
    confidence = Double(finding.confidence.percent) / 100
    firstSeen = finding.firstSeen.description
    lastSeen = finding.lastSeen.description
    description = String(
      MailText.plain(finding.evidence.map(\.summary).joined(separator: " ")).prefix(1_000))
    // 4.2.0 allows tcp and udp for infected hosts, and icmp for scans and attacks too.
    let known: [IPProtocol] = finding.kind == .infectedHost ? [.tcp, .udp] : [.tcp, .udp, .icmp]
    `protocol` = (known.contains(transport) ? transport : .tcp).description
    var labels = ["noroshi:\(finding.kind.rawValue)", "tlp:\(Self.label(finding.marking))"]
    switch finding.kind {
    case .infectedHost:
      type = "infected_host"
      botType = "malicious"
      behaviorPattern = "vulnerability_probing"
      botName = malware
      malwareFamily = malware
      destinationPort = endpoint?.port
      sourcePort = finding.subject.port
      if let malware { labels.append("malware:\(Self.tag(malware))") }
    case .denialOfServiceVictim:
      category = "reputation"
      type = "threat_intelligence"
      threatType = "dos_victim"
      // The attacked service is where the answers come from.
      sourcePort = finding.subject.port ?? endpoint?.port
      description = String(
        ("The reported address is the victim; the sources of the attack are forged. " + description)
          .prefix(1_000))
    case .memberAlert:
      category = "reputation"
      type = "threat_intelligence"
      threatType = "darknet_alert"
      destinationPort = endpoint?.port
      sourcePort = finding.subject.port
    case .commandAndControl:
      category = "reputation"
      type = "threat_intelligence"
      threatType = "command_and_control"
      sourcePort = finding.subject.port
    case .denialOfServiceSource:
      let vector = Self.word(finding.attributes["vectors"])
      attackVector = vector
      destinationPort = endpoint?.port
      sourcePort = finding.subject.port ?? Self.port(finding.attributes["source.port"])
      if let port = sourcePort, port != 0 {
        type = "ddos"
        // What this type allows there.
        evidenceSource = "flow_analysis"
      } else {
        category = "reputation"
        type = "threat_intelligence"
        threatType = "dos_source"
      }
      if let vector { labels.append("attack:\(Self.tag(vector))") }
    case .denialOfServiceReflector:
      category = "vulnerability"
      type = "open_service"
      service = Self.word(finding.attributes["service"]) ?? "unknown"
      sourcePort = finding.subject.port ?? Self.port(finding.attributes["source.port"])
    case .scanner:
      type = "vulnerability_scan"
      scanType = "port_scan"
      destinationPort = endpoint?.port
      sourcePort = finding.subject.port
    }
    if destinationPort == 0 { destinationPort = nil }
    if sourcePort == 0 { sourcePort = nil }
    tags = labels
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let document = try encoder.encode(finding)
    evidence = [
      Evidence(
        contentType: "application/json",
        description: "The finding \(finding.id) of case \(item.id) in notice \(notice.number).",
        payload: document.base64EncodedString(),
        hash: "sha256:" + MailMessage.hexadecimal(SHA256.hash(data: document)),
        size: document.count)
    ]
  }

  /// The reports of a notice as a JSON array, one for each finding.
  static func render(_ notice: Notice, _ cases: [NoticeCase], sender: NoticeSender) throws
    -> [UInt8]
  {
    let reports = try cases.flatMap { told in
      try told.findings.map {
        try XARFReport($0, case: told.item, notice: notice, sender: sender)
      }
    }
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
    return Array(try encoder.encode(reports)) + [0x0a]
  }

  /// A UUID of version 5 (RFC 9562 §5.5) in the URL namespace over `urn:noroshi:finding:ID`: the same
  /// finding has the same report, also when it is told again.
  static func identifier(of finding: String) -> String {
    let namespace: [UInt8] = [
      0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30,
      0xc8,
    ]
    let name = Array("urn:noroshi:finding:\(finding)".utf8)
    var octets = Array(Insecure.SHA1.hash(data: namespace + name).prefix(16))
    octets[6] = octets[6] & 0x0f | 0x50
    octets[8] = octets[8] & 0x3f | 0x80
    let digits = MailMessage.hexadecimal(octets)
    var groups: [Substring] = []
    var rest = digits[...]
    for length in [8, 4, 4, 4, 12] {
      groups.append(rest.prefix(length))
      rest = rest.dropFirst(length)
    }
    return groups.joined(separator: "-")
  }

  /// The first of the words of an attribute; nil where it has none.
  private static func word(_ text: String?) -> String? {
    let word = text?.split(whereSeparator: { $0 == " " || $0 == "," }).first
    return word.map { NoticeTable.identifier(String($0)) }
  }

  private static func port(_ text: String?) -> UInt16? { text.flatMap { UInt16($0) } }

  /// `TLP:AMBER+STRICT` as a predicate: `amber+strict`.
  private static func label(_ marking: TrafficLight) -> String {
    marking.rawValue.lowercased().replacing("tlp:", with: "")
  }

  /// What XARF's pattern for tags allows.
  private static func tag(_ text: String) -> String {
    let plain = text.map {
      $0.isASCII && ($0.isLetter || $0.isNumber || "_+-".contains($0)) ? $0 : "-"
    }
    guard let first = plain.first else { return "unknown" }
    return (first.isLetter || first.isNumber ? "" : "x") + String(plain)
  }
}
