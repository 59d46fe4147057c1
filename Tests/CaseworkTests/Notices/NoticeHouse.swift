import Constituency
import Findings
import Foundation
import NetworkTypes
import Store

@testable import Casework

/// A house with two providers, in a folder of its own, for the tests of notices and deliveries.
struct NoticeHouse {
  let folder: String
  let register: CaseRegister
  let outbox: Outbox
  var constituency: Constituency

  /// 2026-11-25 09:00 in Japan.
  static let morning = moment("2026-11-25T00:00:00Z")

  static func moment(_ text: String) -> Timestamp {
    // The literals of the tests are times.
    Timestamp(text)!
  }

  static func address(_ text: String) -> IPAddress {
    // The literals of the tests are addresses.
    IPAddress(text)!
  }

  static var parameters: NoticeParameters {
    get throws {
      NoticeParameters(
        sender: NoticeSender(
          name: "Example Observatory", nameJa: "例示観測センター",
          from: try Mailbox(address: "notice@observatory.example"),
          replyTo: try Mailbox(name: "Abuse", address: "abuse@observatory.example"),
          contact: ["Phone: +81-3-0000-0000 (weekdays 09:00-17:00 JST)"],
          contactJa: ["電話：03-0000-0000（平日 9:00～17:00）"]))
    }
  }

  static func provider(
    _ id: String, ja: String, prefix: String, channel: DeliveryPreferences.Channel = .directory
  ) -> Organisation {
    Organisation(
      id: id, name: "\(id.capitalized) Network", nameJa: ja, roles: [.isp],
      // The literals of the tests are prefixes.
      prefixes: [IPPrefix(prefix)!], language: .japanese,
      contacts: [Contact(name: "Abuse desk", email: "abuse@\(id).example")],
      delivery: DeliveryPreferences(
        formats: [.mail, .csv, .xarf], channels: [channel], intervalSeconds: 0,
        aggregateBy: .nothing, minimumConfidence: 0, maximumMarking: "TLP:AMBER+STRICT"))
  }

  init(
    folder: String? = nil, channel: DeliveryPreferences.Channel = .directory,
    notices: NoticeParameters? = nil, delivery: DeliveryParameters = DeliveryParameters()
  ) throws {
    self.folder = folder ?? NSTemporaryDirectory() + "/notices-\(UUID().uuidString)"
    try FileManager.default.createDirectory(
      atPath: self.folder, withIntermediateDirectories: true)
    let store = try DataStore(path: self.folder + "/noroshi.sqlite")
    register = try CaseRegister(store: store, trail: AuditTrail(store: store))
    outbox = try Outbox(
      register: register, notices: try notices ?? Self.parameters, delivery: delivery)
    constituency = try Constituency([
      Self.provider("kaede", ja: "楓ネットワーク", prefix: "192.0.2.0/24", channel: channel),
      Self.provider("momiji", ja: "紅葉ネットワーク", prefix: "198.51.100.0/24", channel: channel),
    ])
  }

  func remove() { try? FileManager.default.removeItem(atPath: folder) }

  static func infected(
    _ address: String, first: String = "2026-11-24T13:02:11Z",
    last: String = "2026-11-24T22:48:05Z",
    confidence: Int = 99, marking: TrafficLight = .amber, malware: String? = "mirai"
  ) -> Finding {
    var attributes = [
      "packets": "812", "destinations": "640", "ports": "23/tcp 2323/tcp", "rate.pps": "41",
      "country": "JP", "asn": "64496",
    ]
    attributes["malware.name"] = malware
    return Finding(
      kind: .infectedHost, subject: .init(Self.address(address)), sensor: "telescope",
      firstSeen: moment(first), lastSeen: moment(last), confidence: Confidence(percent: confidence),
      marking: marking,
      evidence: [
        .init(
          name: "malware-fingerprint", summary: "812 packets carry the mark of mirai malware.",
          values: ["packets": "812", "share": "98", "rule": "mirai-sequence"]),
        .init(
          name: "iot-port-set", summary: "812 attempts on ports of IoT malware.",
          values: ["packets": "812", "ports": "23 2323"]),
      ], attributes: attributes)
  }

  static func victim(_ address: String) -> Finding {
    Finding(
      kind: .denialOfServiceVictim,
      subject: .init(Self.address(address), port: 80, transport: .tcp), sensor: "telescope",
      firstSeen: moment("2026-11-24T10:00:00Z"), lastSeen: moment("2026-11-24T10:20:00Z"),
      confidence: Confidence(percent: 90), marking: .green,
      evidence: [
        .init(
          name: "syn-ack-backscatter", summary: "4096 answers (syn-ack-backscatter).",
          values: ["packets": "4096"])
      ], attributes: ["packets": "4096", "services": "80/tcp 443/tcp", "rate.pps": "70000"])
  }

  static func attacker(_ address: String, attributes: [String: String]) -> Finding {
    Finding(
      kind: .denialOfServiceSource, subject: .init(Self.address(address)), sensor: "flows",
      firstSeen: moment("2026-11-24T11:00:00Z"), lastSeen: moment("2026-11-24T11:05:00Z"),
      confidence: Confidence(percent: 75), marking: .amber,
      evidence: [
        .init(
          name: "attack-source", summary: "812 packets of udp-flood to a host under attack.",
          values: ["packets": "812", "octets": "70000"])
      ], attributes: attributes)
  }

  static func reflector(_ address: String, port: UInt16?) -> Finding {
    Finding(
      kind: .denialOfServiceReflector,
      subject: .init(Self.address(address), port: port, transport: port == nil ? nil : .udp),
      sensor: "flows", firstSeen: moment("2026-11-24T11:00:00Z"),
      lastSeen: moment("2026-11-24T11:05:00Z"), confidence: Confidence(percent: 80),
      marking: .amber,
      evidence: [
        .init(
          name: "open-reflector", summary: "Answered 41 addresses outside.",
          values: ["out": "912000", "in": "40000"])
      ], attributes: ["service": "dns"])
  }

  func record(_ findings: [Finding], at moment: Timestamp = morning) throws -> CaseChanges {
    let index = ConstituencyIndex(constituency)
    return try register.record(findings, at: moment) { index.responsible(for: $0.subject.address) }
  }

  func make(at moment: Timestamp = morning, isForced: Bool = false) throws -> Outbox.Report {
    try outbox.makeNotices(for: constituency, at: moment, isForced: isForced)
  }

  /// The files below the folder of the directory channel, without hidden ones.
  func delivered(_ organisation: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/out/\(organisation)")) ?? [])
      .filter { !$0.hasPrefix(".") }.sorted()
  }

  var isTrailIntact: Bool {
    get throws {
      if case .intact = try AuditTrail(store: register.store).verify() { true } else { false }
    }
  }

  func actions(of subject: String) throws -> [String] {
    try register.trail.entries(
      matching: ListQuery(
        filters: ["subject": subject], sort: .init(column: "sequence", isAscending: true),
        limit: 1_000)
    ).rows.map(\.entry.action)
  }
}

/// Python, the other side of many tests.
enum PythonTool {
  static let fixtures = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures").path

  /// Whether Python can import these modules.
  static func has(_ modules: String...) -> Bool {
    (try? run(["-c", "import " + modules.joined(separator: ", ")])) != nil
  }

  struct Failure: Error, CustomStringConvertible { let description: String }

  /// Runs `python3` and gives its standard output.
  @discardableResult
  static func run(_ arguments: [String]) throws -> Data {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3"] + arguments
    let output = Pipe()
    let errors = Pipe()
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    let words = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(description: String(decoding: words, as: UTF8.self))
    }
    return data
  }
}
