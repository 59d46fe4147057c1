import FlowAnalysis
import FlowRecords
import Foundation
import NetworkTypes
import Testing

@Suite("Attacks and precursors in captured data", .enabled(if: AttackData.isThere))
struct AttackDataTests {
  private func dissect(_ flows: [AttackFlow], target: IPPrefix? = nil) -> Attack? {
    var dissection = AttackDissection(target: target)
    for flow in flows { dissection.survey(flow) }
    dissection.begin()
    for flow in flows { dissection.ingest(flow) }
    return dissection.attack
  }

  /// Every address protected, and limits that a slice of 14 packets a second reaches.
  private func detect(_ flows: [AttackFlow], packetsPerSecond: Double? = nil) -> [Attack] {
    var parameters = AttackParameters()
    if let packetsPerSecond {
      parameters.setLimits(RateLimits(packetsPerSecond: packetsPerSecond))
      parameters.learns = false
    }
    return AttackTraffic.run(flows, protecting: [], parameters: parameters).attacks
  }

  @Test(
    "a router's sampled flood is a UDP flood of forged sources, with its packets and octets",
    .enabled(if: AttackData.hasNfdump))
  func sampledFlood() throws {
    let flows = try AttackData.nfcapd("ddos/20151011134357_dst80.nfdump")
    #expect(flows.count == 58_750)
    let attacks = detect(flows)
    let attack = try #require(attacks.first)
    #expect(attacks.count == 1)
    #expect(attack.name == "udp-flood")
    #expect(attack.target == IPPrefix("0.0.0.0/32"))
    #expect(attack.total.packets == 58_750_000)
    #expect(attack.total.octets == 2_025_180_000)
    #expect(attack.vectors.first?.destinationPorts.first?.value == 80)
    #expect(attack.vectors.first?.sourcePort == nil)
    #expect(attack.vectors.first?.nature == .forged)
    #expect(abs(attack.sourceCount - 58_748) / 58_748 < 3 * attack.sourceCountError)
    #expect(abs(attack.seconds - 56.2) <= 2)
    #expect(attack.peak.packetsPerSecond > 900_000)
  }

  @Test(
    "DNS and SSDP reflections are told apart, and the victim's ICMP is not the attack",
    .enabled(if: AttackData.hasNfdump))
  func combined() throws {
    let flows = try AttackData.nfcapd("ddos/combined.nfdump")
    let attack = try #require(dissect(flows))
    #expect(attack.target == IPPrefix("172.31.28.132/32"))
    let names = attack.vectors.map(\.name)
    #expect(names.contains("dns-amplification"))
    #expect(names.contains("ssdp-amplification"))
    #expect(!names.contains("icmp-flood"))
    #expect(attack.name == "multi-vector")
    let dns = try #require(attack.vectors.first { $0.service == "dns" })
    #expect(dns.volume.packets == 1_172)
    #expect(dns.nature == .reflector)
    #expect(attack.vectors.first { $0.service == "ssdp" }?.volume.packets == 395)
  }

  @Test("captures of one vector each give it, and the packets that the file has")
  func captures() throws {
    let dns = try #require(dissect(try AttackData.packets("ddos/20141229_src53.pcap")))
    #expect(dns.name == "dns-amplification")
    #expect(dns.total.packets == 1_172)
    #expect(dns.target == IPPrefix("1.1.1.1/32"))
    let mixed = try #require(dissect(try AttackData.packets("ddos/1419863855_dst_80.pcap")))
    #expect(Set(mixed.vectors.map(\.name)) == ["udp-flood", "ssdp-amplification"])
    #expect(mixed.total.packets == 1_375)
    let ssdp = try #require(mixed.vectors.first { $0.service == "ssdp" })
    #expect(ssdp.volume.packets == 395)
    #expect(ssdp.destinationPorts.map(\.value) == [80])
  }

  @Test("with limits as low as the slice is, the monitor finds the same")
  func monitored() throws {
    let dns = try AttackData.packets("ddos/20141229_src53.pcap")
    let attacks = detect(dns, packetsPerSecond: 4)
    #expect(!attacks.isEmpty)
    #expect(attacks.allSatisfy { $0.name == "dns-amplification" })
  }

  @Test(
    "benign traffic raises no alarm",
    arguments: [
      "slips/CTU-Normal-7-2013-13-07.binetflow", "slips/2013-10-21_capture-1.binetflow",
      "slips/2015-03-24_capture1-only-dns.binetflow", "stratosphere/2023-02-20.conn.log.labeled",
      "stratosphere/008-zeek-mixed/conn.log.labeled", "slips/test3-mixed.binetflow",
      "stratosphere/CTU-Malware-Capture-Botnet-4.conn.log.labeled",
    ])
  func benign(_ name: String) throws {
    let flows =
      name.hasSuffix("binetflow") ? try AttackData.argus(name) : try AttackData.zeek(name)
    #expect(flows.count > 80)
    #expect(detect(flows).map { "\($0.id) \($0.name) \($0.trigger)" } == [])
  }

  private func scans(
    _ flows: [AttackFlow], horizontal: Int? = nil, answered: Double? = nil
  ) -> [ObservedScan] {
    var parameters = ScanParameters()
    if let horizontal { parameters.horizontalTargets = horizontal }
    if let answered { parameters.largestAnsweredShare = answered }
    let watch = ScanWatch(parameters)
    for flow in flows.sorted(by: { $0.end < $1.end }) { watch.ingest(flow) }
    return watch.takeScans()
  }

  @Test("a vertical scan of a host's ports is found, by whom and on whom")
  func vertical() throws {
    let scan = try #require(
      scans(try AttackData.zeek("slips/port-scans_vertical_conn.log")).first)
    #expect(scan.shape == .vertical)
    #expect(scan.source == IPAddress("192.168.1.9"))
    #expect(scan.target == IPAddress("45.33.32.156"))
    let argus = scans(try AttackData.argus("slips/test11-portscan.binetflow"))
    let ports = try #require(argus.first { $0.shape == .vertical })
    #expect(ports.target == IPAddress("14.1.11.113"))
    #expect(ports.targets == 20)
    let pings = try #require(argus.first { $0.shape == .horizontal })
    #expect(pings.transport == .icmp)
    #expect(pings.targets == 21)
  }

  @Test("a bot's attempts on port 80 are a scan where as few targets as Slips takes are enough")
  func horizontal() throws {
    let flows = try AttackData.zeek("slips/port-scans_horizontal_conn.log")
    let scan = try #require(
      scans(flows, horizontal: 5, answered: 0.8).first { $0.shape == .horizontal })
    #expect(scan.source == IPAddress("10.0.2.112"))
    #expect(scan.port == 80)
    let nmap = scans(try AttackData.zeek("stratosphere/002-port-scanning/conn.log"))
    #expect(nmap.first?.source == IPAddress("172.16.1.11"))
    #expect(nmap.contains { $0.shape == .horizontal })
  }

  @Test("a ping sweep is a horizontal scan by ICMP")
  func pings() throws {
    let scan = try #require(
      scans(try AttackData.packets("slips/test12-icmp-portscan.pcap"), horizontal: 15).first)
    #expect(scan.source == IPAddress("192.168.1.109"))
    #expect(scan.transport == .icmp)
    #expect(scan.shape == .horizontal)
  }

  @Test("users of the benign days do not scan")
  func benignScans() throws {
    for name in ["stratosphere/2023-02-20.conn.log.labeled"] {
      #expect(scans(try AttackData.zeek(name)).map(\.id) == [])
    }
    #expect(scans(try AttackData.argus("slips/2013-10-21_capture-1.binetflow")).map(\.id) == [])
  }
}
