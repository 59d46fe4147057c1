import FlowAnalysis
import Foundation
import NetworkTypes
import Testing

@Suite("Fingerprints of others")
struct ReceivedFingerprintTests {
  @Test("what this house writes is read again, and has everything in common with its attack")
  func ours() throws {
    let zone = try #require(TimeZone(secondsFromGMT: 9 * 3_600))
    for attack in try AttackExchangeTests.attacks() {
      let text = AttackFingerprint(attack, .init(timeZone: zone, namesTarget: true)).json
      let read = try ReceivedFingerprint(json: Data(text.utf8))
      #expect(read.key?.count == 32)
      #expect(read.target == attack.target)
      #expect(read.start.map { abs($0.seconds(since: attack.start)) <= 1 } == true)
      #expect(read.vectors.count == attack.vectors.count)
      #expect(read.packets == attack.total.packets)
      let comparison = attack.compared(with: read)
      #expect(comparison.vectors == attack.vectors.map(\.name))
      #expect(comparison.sharedSources == attack.sources.count)
      #expect(comparison.sourceShare == 1)
    }
  }

  @Test("attacks of other kinds have neither vectors nor sources in common")
  func others() throws {
    let zone = try #require(TimeZone(secondsFromGMT: 0))
    let attacks = try AttackExchangeTests.attacks()
    let reflection = try #require(attacks.first { $0.vectors.first?.sourcePort == 53 })
    for other in attacks where other.id != reflection.id {
      let text = AttackFingerprint(other, .init(timeZone: zone)).json
      let read = try ReceivedFingerprint(json: Data(text.utf8))
      #expect(read.target == nil)
      let comparison = reflection.compared(with: read)
      #expect(comparison.vectors.isEmpty && comparison.sharedSources == 0)
    }
  }

  @Test(
    "a fingerprint of DDoS-DB's older format is read",
    .enabled(if: SharedFlows.exists("ddos/1da3b62445e669fca0cef603c8247c05.json")))
  func older() throws {
    let path = SharedFlows.path("ddos/1da3b62445e669fca0cef603c8247c05.json")
    let read = try ReceivedFingerprint(json: Data(contentsOf: URL(fileURLWithPath: path)))
    #expect(read.sources.count == 5_214)
    #expect(read.vectors.first?.transport == .icmp)
    #expect(read.start?.description.hasPrefix("2018-04-24T09:08:44") == true)
    #expect(read.durationSeconds.map { Int($0) } == 435)
  }

  @Test(
    "what is no fingerprint is refused with a sentence",
    arguments: ["", "[]", "{", "{}", "{\"attack_vectors\": []}", "{\"attack_vectors\": [1, null]}"])
  func refused(text: String) {
    let error = #expect(throws: FingerprintError.self) {
      try ReceivedFingerprint(json: Data(text.utf8))
    }
    #expect(error?.description.contains("it ") == true)
  }

  @Test("members of the wrong kind and numbers out of range are passed over")
  func odd() throws {
    let text = """
      {"attack_vectors": [{"protocol": 1e300, "source_port": -5, "destination_ports": {"x": 1,
      "70000": 1, "80": null}, "fraction_of_attack": 7, "source_ips": [1, "192.0.2.1", {"ip":
      "2001:db8::1"}, {"ip": 5}, "nobody"]}], "total_packets": 1e40, "time_start": 7, "target": [],
      "tags": {"a": 1}, "duration_seconds": "long"}
      """
    let read = try ReceivedFingerprint(json: Data(text.utf8))
    #expect(read.vectors.count == 1)
    #expect(read.sources.count == 2)
    #expect(read.vectors.first?.destinationPorts == [80])
    #expect(read.vectors.first?.fraction == 1)
    #expect(read.vectors.first?.transport == nil && read.vectors.first?.sourcePort == nil)
    #expect(read.start == nil && read.durationSeconds == nil && read.target == nil)
    #expect(read.packets == 1_000_000_000_000_000_000)
  }
}
