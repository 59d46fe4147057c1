import Findings
import Foundation
import NetworkTypes
import Testing

@Suite("A finding")
struct FindingTests {
  private func finding(
    last: Int64 = 200, port: UInt16? = nil, sensor: String = "darknet", percent: Int = 90
  ) -> Finding {
    Finding(
      kind: .infectedHost,
      subject: .init(IPAddress("192.0.2.7")!, port: port, transport: port == nil ? nil : .tcp),
      sensor: sensor, firstSeen: Timestamp(seconds: 100), lastSeen: Timestamp(seconds: last),
      confidence: Confidence(percent: percent), marking: .amber, evidence: [])
  }

  @Test(
    "keeps its identifier while it goes on, and is another one for another sensor, port or start")
  func identity() {
    #expect(finding(last: 200).id == finding(last: 900, percent: 40).id)
    #expect(finding().id.count == 32)
    #expect(finding().id != finding(sensor: "other").id)
    #expect(finding().id != finding(port: 23).id)
  }

  @Test("has the same identifier in every release: it stands in databases and mails")
  func stableIdentifier() throws {
    // Reckoned apart from this code: SHA-256 of the fields joined by U+001F, first 16 octets.
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [
      "python3", "-c",
      """
      import hashlib
      f = ["noroshi-finding-1", "infected-host", "192.0.2.7", "darknet", "100000000000"]
      print(hashlib.sha256("\\x1f".join(f).encode()).hexdigest()[:32], end="")
      """,
    ]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    process.waitUntilExit()
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    #expect(finding().id == text)
  }

  @Test("survives JSON unchanged")
  func coding() throws {
    var original = finding(port: 2323)
    original.evidence = [.init(name: "mirai", summary: "three packets", values: ["packets": "3"])]
    original.attributes = ["malware.name": "mirai"]
    let data = try JSONEncoder().encode(original)
    #expect(try JSONDecoder().decode(Finding.self, from: data) == original)
  }

  @Test("never ends before it began")
  func order() {
    #expect(finding(last: 5).lastSeen == Timestamp(seconds: 100))
  }

  @Test(
    "clamps confidence to 0 to 100 per cent and names its level",
    arguments: [
      (-5, 0, Confidence.Level.low), (49, 49, .low), (50, 50, .medium), (79, 79, .medium),
      (80, 80, .high), (250, 100, .high),
    ])
  func confidence(given: Int, percent: Int, level: Confidence.Level) {
    #expect(Confidence(percent: given).percent == percent)
    #expect(Confidence(percent: given).level == level)
  }

  @Test("orders markings from the widest circle to the narrowest")
  func markings() {
    #expect(TrafficLight.clear < .green)
    #expect(TrafficLight.amber < .amberStrict)
    #expect(TrafficLight.amberStrict < .red)
    #expect(TrafficLight.allCases.sorted() == TrafficLight.allCases)
  }

  @Test("names its subject so that it can be read back by eye")
  func subjects() {
    let v6 = IPAddress("2001:db8::1")!
    #expect(Finding.Subject(v6, port: 53, transport: .udp).description == "[2001:db8::1]:53/udp")
    #expect(Finding.Subject(v6).description == "2001:db8::1")
    #expect(finding(port: 23).subject.description == "192.0.2.7:23/tcp")
  }

  @Test("who attacks and what reflects are told apart in the incident taxonomy")
  func attackKinds() {
    #expect(Finding.Kind.denialOfServiceSource.rawValue == "dos-source")
    #expect(
      Finding.Kind.denialOfServiceSource.incidentClass
        == IncidentClass(taxonomy: "availability", type: "ddos"))
    #expect(Finding.Kind.denialOfServiceReflector.rawValue == "dos-reflector")
    #expect(
      Finding.Kind.denialOfServiceReflector.incidentClass
        == IncidentClass(taxonomy: "vulnerable", type: "ddos-amplifier"))
  }
}
