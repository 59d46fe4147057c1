import Findings
import FlowAnalysis
import Foundation
import NetworkTypes
import Store
import Testing

@Suite("What is told of attacks")
struct AttackExchangeTests {
  /// A reflection, a SYN flood of steady sources and a flood of forged ones.
  static func attacks() throws -> [Attack] {
    var numbers = SeededNumbersForTests(seed: 7)
    var flows: [AttackFlow] = []
    for step in 0..<200 {
      let now = Double(step) * 0.05
      for source in 0..<10 as Range<UInt32> {
        flows.append(
          AttackTraffic.flow(
            IPAddress(v4: 0x5010_0000 + source), at: now, lasting: 0.05, packets: 200,
            octetsPerPacket: 1_200, sourcePort: 53))
        flows.append(
          AttackTraffic.flow(
            IPAddress(v4: 0x5020_0000 + source), IPAddress(v4: 0xcb00_7108), at: now,
            lasting: 0.05, packets: 200, octetsPerPacket: 60, destinationPort: 443,
            transport: .tcp, flags: 2))
        flows.append(
          AttackTraffic.flow(
            IPAddress(v4: UInt32(truncatingIfNeeded: numbers.next())), IPAddress(v4: 0xcb00_7109),
            at: now, lasting: 0.05, packets: 200, octetsPerPacket: 60,
            sourcePort: UInt16(truncatingIfNeeded: numbers.next())))
      }
    }
    let attacks = AttackTraffic.run(flows).attacks
    try #require(attacks.count == 3)
    return attacks
  }

  private func object(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test("a fingerprint has the members of the Clearing House's format, and its key is its MD5")
  func fingerprint() throws {
    let attack = try #require(try Self.attacks().first { $0.name == "dns-amplification" })
    let zone = try #require(TimeZone(identifier: "Asia/Tokyo"))
    let fingerprint = AttackFingerprint(attack, .init(timeZone: zone, namesTarget: true))
    let root = try object(fingerprint.json)
    let members: Set<String> = [
      "attack_vectors", "target", "tags", "key", "time_start", "time_end", "duration_seconds",
      "total_flows", "total_megabytes", "total_packets", "total_ips", "avg_bps", "avg_pps",
      "avg_Bpp", "location",
    ]
    #expect(Set(root.keys) == members)
    #expect(root["target"] as? String == "203.0.113.7")
    #expect((root["time_start"] as? String)?.hasSuffix("+09:00") == true)
    #expect((root["key"] as? String)?.count == 32)
    let vector = try #require((root["attack_vectors"] as? [[String: Any]])?.first)
    #expect(vector["service"] as? String == "DNS")
    #expect(vector["protocol"] as? String == "UDP")
    #expect(vector["source_port"] as? Int == 53)
    #expect(vector["fraction_of_attack"] as? Double == 1)
    #expect((vector["source_ips"] as? [String])?.count == 10)
    #expect((vector["destination_ports"] as? [String: Double])?["80"] == 1)
    let shared = AttackFingerprint(attack, .init(timeZone: zone))
    #expect(try object(shared.json)["target"] as? String == "Anonymous")
    #expect(!shared.json.contains("203.0.113.7"))
  }

  @Test("telemetry has the members of RFC 9244, 64-bit numbers as strings")
  func telemetry() throws {
    let attack = try #require(try Self.attacks().first { $0.name == "tcp-syn-flood" })
    let root = try object(AttackTelemetry(attack).telemetryJSON)
    let telemetry = try #require(root["ietf-dots-telemetry:telemetry"] as? [String: Any])
    let item = try #require(
      (telemetry["pre-or-ongoing-mitigation"] as? [[String: Any]])?.first)
    #expect((item["target"] as? [String: Any])?["target-prefix"] as? [String] == ["203.0.113.8/32"])
    let traffic = try #require((item["total-attack-traffic"] as? [[String: Any]])?.first)
    #expect(traffic["unit"] as? String == "packet-ps")
    #expect(traffic["peak-g"] as? String == "40000")
    let detail = try #require((item["attack-detail"] as? [[String: Any]])?.first)
    #expect(detail["vendor-id"] as? Int == 32_473)
    #expect(detail["start-time"] as? String == "\(attack.start.seconds)")
    let talkers = (detail["top-talker"] as? [String: Any])?["talker"] as? [[String: Any]]
    #expect(talkers?.count == 10)
    #expect(talkers?.first?["spoofed-status"] as? Bool == false)
  }

  @Test("a call home names the sources of one network, and no forged ones")
  func callHome() throws {
    let attacks = try Self.attacks()
    let real = try #require(attacks.first { $0.name == "tcp-syn-flood" })
    let text = try #require(
      AttackTelemetry(real).callHomeJSON(sources: Array(real.sources.prefix(2))))
    let scopes =
      (try object(text)["ietf-dots-signal-channel:mitigation-scope"] as? [String: Any])?["scope"]
    let scope = try #require((scopes as? [[String: Any]])?.first)
    #expect((scope["ietf-dots-call-home:source-prefix"] as? [String])?.count == 2)
    #expect(scope["target-protocol"] as? [Int] == [6])
    #expect(scope["lifetime"] as? Int == 3_600)
    let forged = try #require(attacks.first { $0.vectors.first?.nature == .forged })
    #expect(AttackTelemetry(forged).callHomeJSON(sources: forged.sources) == nil)
  }

  @Test("sources are grouped by who answers for them")
  func groups() throws {
    let attack = try #require(try Self.attacks().first { $0.name == "tcp-syn-flood" })
    let groups = attack.sourceGroups(by: .organisation) { address in
      SourceOwner(organisation: address.bits & 1 == 0 ? "isp-a" : "isp-b", asn: ASN(64_496))
    }
    #expect(groups.map(\.sources.count) == [5, 5])
    #expect(Set(groups.compactMap(\.owner.organisation)) == ["isp-a", "isp-b"])
    #expect(groups.reduce(0) { $0 + $1.packets } == attack.total.packets)
  }

  @Test("findings name the victim, and the sources that are not forged, with stable identifiers")
  func findings() throws {
    for attack in try Self.attacks() {
      let findings = attack.findings(sensor: "border")
      #expect(findings.first?.kind == .denialOfServiceVictim)
      #expect(findings.first?.subject.address == attack.target.address)
      if attack.vectors.first?.nature == .forged { #expect(findings.count == 1) }
      #expect(findings.map(\.id) == attack.findings(sensor: "border").map(\.id))
      let nature = attack.vectors.first?.nature
      if nature == .forged { continue }
      #expect(findings.count == 11)
      let kind: Finding.Kind =
        nature == .reflector ? .denialOfServiceReflector : .denialOfServiceSource
      for finding in findings.dropFirst() {
        #expect(finding.kind == kind)
        #expect(finding.attributes["attack.id"] == attack.id)
      }
      if nature == .reflector {
        #expect(findings.last?.attributes["service"] == attack.vectors.first?.service)
        #expect(
          findings.last?.attributes["source.port"]
            == attack.vectors.first?.sourcePort.map { String($0) })
      }
    }
  }

  @Test("only sources that somebody answers for make findings, and a later reading is the same one")
  func answeredSources() throws {
    var attack = try #require(try Self.attacks().first { $0.vectors.first?.nature == .direct })
    let own = try #require(attack.sources.last?.address)
    let first = attack.findings(sensor: "border") { $0 == own }
    #expect(first.map(\.subject.address) == [attack.target.address, own])
    attack.sources[attack.sources.count - 1].packets += 1_000
    attack.sources[attack.sources.count - 1].last = attack.end.advanced(bySeconds: 30)
    let second = attack.findings(sensor: "border") { $0 == own }
    #expect(second.map(\.id) == first.map(\.id))
    #expect(second.last != first.last)
  }

  @Test("attacks, scans and what was learned come back from the database as they were")
  func store() throws {
    let attacks = try Self.attacks()
    let store = try AttackStore(DataStore.inMemory())
    try store.record(attacks.map { .ended($0) })
    try store.record(attacks.map { .ended($0) })
    let page = try store.attacks()
    #expect(page.total == 3)
    #expect(Set(page.rows) == Set(attacks))
    let source = try #require(attacks.first { $0.name == "tcp-syn-flood" }?.sources.first)
    #expect(try store.attacks(touching: source.address).map(\.name) == ["tcp-syn-flood"])
    #expect(try store.attacks(touching: AttackTraffic.victim).count == 1)
    #expect(
      try store.attacks(ListQuery(filters: ["name": "udp-flood", "peak_pps_min": "1000"])).total
        == 1)
    #expect(try store.attack("latest") != nil)
    #expect(throws: ListQueryError.self) {
      _ = try store.attacks(ListQuery(filters: ["colour": "red"]))
    }
    let watch = ScanWatch()
    for host in 0..<50 as Range<UInt32> {
      watch.ingest(
        AttackTraffic.flow(
          source.address, IPAddress(v4: 0xcb00_7100 + host), at: Double(host), packets: 1,
          destinationPort: 23, transport: .tcp, flags: 2))
    }
    let scan = try #require(watch.takeScans().first)
    try store.record(scans: [scan], reflectors: [])
    #expect(try store.scans().rows == [scan])
    #expect(try store.forget(before: AttackTraffic.at(1_000)) == 4)
    #expect(try store.attacks().total == 0)
  }
}

/// SplitMix64 with a name of its own here.
struct SeededNumbersForTests {
  private var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }
}
