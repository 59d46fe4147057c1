import Constituency
import Findings
import Foundation
import NetworkTypes
import Testing

@testable import Casework

@Suite("Notices as they are read")
struct NoticeRenderingTests {
  /// A notice of three cases: two infected hosts and a victim.
  private func parts(
    _ change: (inout NoticeParameters) -> Void = { _ in }, findings: [Finding]? = nil
  ) throws -> [NoticePart] {
    var parameters = try NoticeHouse.parameters
    change(&parameters)
    var house = try NoticeHouse(notices: parameters)
    defer { house.remove() }
    try house.constituency.update("kaede") {
      $0.contacts.append(Contact(name: "NOC", email: "noc@kaede.example", language: .english))
      $0.delivery.channels = [.smtp]
    }
    _ = try house.record(
      findings ?? [
        NoticeHouse.infected("192.0.2.200"),
        NoticeHouse.infected("192.0.2.10", confidence: 65, malware: nil),
        NoticeHouse.victim("192.0.2.80"),
      ])
    let report = try house.make()
    let notice = try #require(report.made.first)
    return try #require(try house.outbox.notice(notice.id, visibleTo: .everything)).parts
  }

  private func golden(_ name: String, _ text: String) throws {
    let path = "\(PythonTool.fixtures)/\(name)"
    if ProcessInfo.processInfo.environment["NOROSHI_WRITE_GOLDEN"] != nil {
      try text.write(toFile: path, atomically: true, encoding: .utf8)
    }
    #expect(try String(contentsOfFile: path, encoding: .utf8) == text, "differs from \(name)")
  }

  @Test("the Japanese and English texts are the golden ones")
  func texts() throws {
    let parts = try parts()
    let japanese = try #require(parts.first { $0.language == .japanese })
    let english = try #require(parts.first { $0.language == .english })
    #expect(japanese.subject == "【要確認】不審な通信等のお知らせ（3件）[N-20261125-0001]")
    #expect(
      english.subject
        == "[Action requested] Security findings: 3 address(es) in your network [N-20261125-0001]")
    try golden("notice.ja.txt", japanese.text)
    try golden("notice.en.txt", english.text)
  }

  @Test("table and reports are the golden ones")
  func files() throws {
    let parts = try parts()
    try golden("notice.csv", try #require(parts.first { $0.format == .csv }).text)
    try golden("notice.xarf.json", try #require(parts.first { $0.format == .xarf }).text)
  }

  @Test("every kind, marking, level and evidence of the telescope has a text in both languages")
  func catalogueIsComplete() throws {
    let catalogue = try NoticeCatalogue.embedded()
    var keys = Finding.Kind.allCases.flatMap {
      ["kind.\($0.rawValue)", "what.\($0.rawValue)", "notice.request.\($0.rawValue)"]
    }
    keys += TrafficLight.allCases.map { "tlp.\($0.rawValue)" }
    keys += Confidence.Level.allCases.map { "confidence.\($0.rawValue)" }
    keys += [
      "malware-fingerprint", "iot-port-set", "syn-ack-backscatter", "rst-backscatter",
      "icmp-error-backscatter", "icmp-reply-backscatter", "dns-backscatter", "member-internal",
      "member-external", "member-backscatter", "attack-source", "attack-reflector",
      "open-reflector",
    ].map { "evidence.\($0)" }
    for key in keys { #expect(catalogue.keys.contains(key), "\(key) has no text") }
  }

  @Test("a notice of flows says that flows were looked at, and asks to find the subscriber")
  func ofFlows() throws {
    let findings = [
      NoticeHouse.attacker("192.0.2.10", attributes: ["vectors": "udp-flood", "ports": "80/udp"]),
      NoticeHouse.reflector("192.0.2.12", port: 53),
    ]
    let mail = try parts(findings: findings).filter { $0.format == .mail }
    let japanese = try #require(mail.first { $0.language == .japanese }?.text)
    #expect(japanese.contains("フロー情報"))
    #expect(!japanese.contains("ダークネット"))
    #expect(japanese.contains("【DDoS攻撃への加担の疑い】"))
    #expect(japanese.contains("【DDoS攻撃の踏み台（リフレクター）となる機器】"))
    #expect(japanese.contains("利用者の特定について"))
    let english = try #require(mail.first { $0.language == .english }?.text)
    #expect(english.contains("looks at flow records of routers"))
    #expect(english.contains("812 packets (70000 octets) of attack traffic"))
    let mixed = try parts(findings: findings + [NoticeHouse.infected("192.0.2.7")])
    let both = try #require(mixed.first { $0.format == .mail && $0.language == .english }?.text)
    #expect(both.contains("(dark) address space, and flow records"))
    let table = try #require(mixed.first { $0.format == .csv }).text
    #expect(table.contains(",availability,ddos,dos-source,"))
    #expect(table.contains(",vulnerable,ddos-amplifier,dos-reflector,"))
  }

  @Test("no place in a text is left unfilled, and a value that looks like one is not filled in")
  func places() throws {
    for part in try parts() where part.format == .mail {
      #expect(part.text.firstMatch(of: /\{[a-z_]+\}/) == nil)
    }
    let catalogue = try NoticeCatalogue.embedded()
    let text = catalogue.text("kind.count", .english, ["kind": "{count}", "count": "7"])
    #expect(text == "7 × {count}")
  }

  @Test("evidence that the catalogue does not know is told in the sensor's English")
  func unknownEvidence() throws {
    var finding = NoticeHouse.infected("192.0.2.9")
    finding.evidence = [.init(name: "new-rule", summary: "A rule\r\nof tomorrow.")]
    let text = try #require(try parts(findings: [finding]).first { $0.language == .japanese }).text
    #expect(text.contains("・A rule  of tomorrow."))
  }

  @Test("a text with a table lists so many cases and says how many more there are")
  func longLists() throws {
    let findings = (1...9).map { NoticeHouse.infected("192.0.2.\($0)") }
    let text = try #require(
      try parts({ $0.listedCases = 4 }, findings: findings).first { $0.language == .english }
    ).text
    #expect(text.contains("(4) Address:"))
    #expect(!text.contains("(5) Address:"))
    #expect(text.contains("(5 more are in the attached table.)"))
  }

  @Test("what a sensor or an attacker puts into a value cannot break the text")
  func hostileValues() throws {
    var finding = NoticeHouse.infected("192.0.2.9", malware: "evil\r\n\r\n.\r\n\u{202E}name")
    finding.attributes["ports"] = String(repeating: "23/tcp ", count: 1_000)
    let part = try #require(try parts(findings: [finding]).first { $0.language == .english })
    #expect(part.text.contains("suspected malware infection (evil    .   name)"))
    #expect(part.text.utf8.count < 8_000)
    #expect(
      part.text.unicodeScalars.allSatisfy {
        $0 == "\n" || $0.properties.generalCategory != .control
      })
  }
}

@Suite("The table of a notice")
struct NoticeTableTests {
  @Test(
    "a cell is never a formula, and is quoted where a reader needs it",
    arguments: [
      ("=1+1", "'=1+1"), ("+81", "'+81"), ("-x", "'-x"), ("@SUM(A1)", "'@SUM(A1)"),
      ("\tx", "' x"), ("\r=x", "' =x"), ("＝x", "'＝x"), ("a,b", "\"a,b\""),
      ("say \"hi\"", "\"say \"\"hi\"\"\""), ("a\nb", "a b"), ("plain", "plain"), ("", ""),
      ("=a,\"b\"", "\"'=a,\"\"b\"\"\""),
    ])
  func cells(_ text: String, _ cell: String) {
    #expect(NoticeTable.cell(text) == cell)
  }

  @Test(
    "IntelMQ takes every field of the table",
    .enabled(if: PythonTool.has("intelmq"), "needs the Python package intelmq"))
  func harmonization() throws {
    struct Answer: Decodable {
      var rows: [[String: String]]
      var problems: [String]
      var intelmq: Bool
    }
    let house = try NoticeHouse()
    defer { house.remove() }
    _ = try house.record([NoticeHouse.infected("192.0.2.7"), NoticeHouse.victim("192.0.2.8")])
    _ = try house.record([
      Finding(
        kind: .memberAlert, subject: .init(NoticeHouse.address("192.0.2.9")),
        sensor: "telescope/internal", firstSeen: NoticeHouse.morning, lastSeen: NoticeHouse.morning,
        confidence: Confidence(percent: 70), marking: .amberStrict, evidence: [])
    ])
    let notice = try #require(try house.make().made.first)
    let parts = try #require(try house.outbox.notice(notice.id, visibleTo: .everything)).parts
    let path = house.folder + "/table.csv"
    try Data(try #require(parts.first { $0.format == .csv }).content).write(
      to: URL(filePath: path))
    let answer = try JSONDecoder().decode(
      Answer.self, from: try PythonTool.run(["\(PythonTool.fixtures)/check_table.py", path]))
    #expect(answer.intelmq)
    #expect(answer.problems == [])
    #expect(answer.rows.map { $0["source.ip"] } == ["192.0.2.7", "192.0.2.8", "192.0.2.9"])
    #expect(answer.rows[0]["time.source"] == "2026-11-24 22:48:05")
    #expect(answer.rows[0]["classification.identifier"] == "mirai")
    #expect(answer.rows[0]["source.asn"] == "64496")
    #expect(answer.rows[1]["protocol.transport"] == "tcp")
  }
}

@Suite("XARF reports")
struct XARFReportTests {
  @Test(
    "the reports of every kind are valid by the package xarf and by the schemas",
    .enabled(
      if: PythonTool.has("xarf", "jsonschema", "referencing"),
      "needs the Python packages xarf and jsonschema"))
  func validity() throws {
    struct Answer: Decodable {
      var count: Int
      var problems: [String]
    }
    let parameters = try NoticeHouse.parameters
    var findings = [
      NoticeHouse.infected("192.0.2.7"),
      NoticeHouse.infected("2001:db8::7", malware: "x\"y\u{0}ü Z"),
      NoticeHouse.victim("192.0.2.8"),
    ]
    for kind in [Finding.Kind.memberAlert, .scanner] {
      findings.append(
        Finding(
          kind: kind, subject: .init(NoticeHouse.address("192.0.2.9"), port: 0, transport: .icmp),
          sensor: "telescope", firstSeen: NoticeHouse.morning, lastSeen: NoticeHouse.morning,
          confidence: Confidence(percent: 70), marking: .amberStrict, evidence: [],
          attributes: ["ports": "0/tcp"]))
    }
    findings += [
      NoticeHouse.attacker("192.0.2.10", attributes: ["vectors": "udp-flood", "ports": "80/udp"]),
      NoticeHouse.attacker(
        "192.0.2.11", attributes: ["vectors": "tcp-syn-flood", "source.port": "1024"]),
      NoticeHouse.reflector("192.0.2.12", port: 53),
      NoticeHouse.reflector("2001:db8::12", port: nil),
    ]
    let cases = findings.enumerated().map { place, finding in
      NoticeCase(
        item: Case(
          id: "C-2026-00000\(place)", kind: finding.kind, address: finding.subject.address,
          responsibility: .organisation("kaede"), state: .open, opened: NoticeHouse.morning,
          updated: NoticeHouse.morning, firstSeen: finding.firstSeen, lastSeen: finding.lastSeen,
          confidence: finding.confidence, marking: finding.marking, findings: 1),
        findings: [finding])
    }
    let notice = Notice(
      id: String(repeating: "0", count: 32), number: "N-20261125-0001", organisation: "kaede",
      aggregate: "organisation", created: NoticeHouse.morning, firstSeen: NoticeHouse.morning,
      lastSeen: NoticeHouse.morning, marking: .amber, cases: cases.map(\.item.id))
    let folder = NSTemporaryDirectory() + "/xarf-\(UUID().uuidString).json"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try Data(try XARFReport.render(notice, cases, sender: parameters.sender)).write(
      to: URL(filePath: folder))
    let answer = try JSONDecoder().decode(
      Answer.self,
      from: try PythonTool.run([
        "\(PythonTool.fixtures)/check_xarf.py", folder, "\(PythonTool.fixtures)/xarf",
      ]))
    #expect(answer.count == 9)
    #expect(answer.problems == [])
    let reports = try #require(
      try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: folder)))
        as? [[String: Any]])
    let kinds = reports.suffix(4).map { "\($0["category"] ?? "")/\($0["type"] ?? "")" }
    #expect(
      kinds == [
        "reputation/threat_intelligence", "connection/ddos", "vulnerability/open_service",
        "vulnerability/open_service",
      ])
    #expect(reports[5]["threat_type"] as? String == "dos_source")
    #expect(reports[6]["attack_vector"] as? String == "tcp-syn-flood")
    #expect(reports[7]["service"] as? String == "dns")
    #expect(reports[7]["source_port"] as? Int == 53)
  }

  @Test("the identifier of a report is a UUID of version 5, as Python derives it")
  func identifiers() {
    // uuid.uuid5(uuid.NAMESPACE_URL, "urn:noroshi:finding:00ff")
    #expect(XARFReport.identifier(of: "00ff") == "805a6de9-7d54-5972-b411-0906f8e7b76f")
  }
}
