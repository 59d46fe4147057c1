import Findings
import Foundation
import NetworkTypes
import PacketCapture
import Store
import Telescope
import Testing

/// Equality whose failure does not print thousands of rows.
private func isSame<Value: Equatable>(_ left: Value, _ right: Value) -> Bool { left == right }

@Suite("The telescope's engine")
struct EngineTests {
  static let fixtures = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Fixtures")
  static let backscatter = fixtures.appending(path: "fingerprints/ncsa-backscatter.trace").path

  private func mixed(seed: UInt64, packets: Int) -> [UInt8] {
    var traffic = SyntheticTraffic()
    var state = seed
    func random(_ bound: UInt64) -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state >> 33) % bound
    }
    for index in 0..<packets {
      let source = UInt32(20 << 24) | UInt32(random(3_000))
      let destination = darkBase | UInt32(random(65_536))
      var tcp = SyntheticTraffic.TCP(source: source, destination: destination)
      tcp.destinationPort = [23, 2323, 80, 443, 8080][Int(random(5))]
      if source % 3 == 0 {
        tcp.sequence = destination
      } else {
        tcp.sequence = UInt32(random(1 << 31))
      }
      if source % 7 == 0 {
        tcp.flags = 0x12
        tcp.sourcePort = 80
      }
      traffic.add(tcp, at: start + UInt64(index) * 5_000)
    }
    return traffic.bytes
  }

  @Test("the 24-hour backscatter trace of a /23 gives exactly its one victim and no infected host")
  func oneVictim() throws {
    let space = DarkSpace(prefixes: [IPPrefix("192.150.186.0/23")!])
    let capture = Array(try Data(contentsOf: URL(filePath: Self.backscatter)))
    let results = try observe([capture], space: space).checkpoint()
    #expect(Set(results.victims.map(\.victim)) == [IPAddress("202.229.120.98")!])
    #expect(results.victims.count == 1)
    #expect(results.victims.first?.services.first?.port == 80)
    #expect(results.hosts.allSatisfy { $0.verdict != .infected })
    #expect(results.counters.packets == 4_771)
  }

  @Test("results are the same for any number of threads", arguments: [2, 3, 8])
  func threadsDoNotMatter(threads: Int) throws {
    let capture = mixed(seed: 7, packets: 40_000)
    let one = try observe([capture], space: darkSixteen)
    let many = try observe([capture], space: darkSixteen, threads: threads)
    let (left, right) = (one.checkpoint(), many.checkpoint())
    #expect(isSame(left.hosts, right.hosts))
    #expect(isSame(left.victims, right.victims))
    #expect(isSame(left.series, right.series))
    #expect(isSame(left.counters, right.counters))
    #expect(isSame(left.events, right.events))
    var openLeft: [TelescopeEvent] = []
    var openRight: [TelescopeEvent] = []
    one.forEachOpenEvent { openLeft.append($0) }
    many.forEachOpenEvent { openRight.append($0) }
    #expect(isSame(openLeft, openRight))
    #expect(!openLeft.isEmpty)
  }

  @Test("results stay the same for any number of threads when the memory limit makes it forget")
  func threadsDoNotMatterUnderPressure() throws {
    let capture = mixed(seed: 11, packets: 60_000)
    func run(_ threads: Int) throws -> TelescopeResults {
      try observe([capture], space: darkSixteen, threads: threads) {
        $0.parameters.memoryLimit = 4_000_000
      }.checkpoint()
    }
    let (left, right) = (try run(1), try run(4))
    #expect(left.counters.evictedEvents > 0)
    #expect(isSame(left.counters, right.counters))
    #expect(isSame(left.hosts, right.hosts))
    #expect(isSame(left.series, right.series))
  }

  @Test("packets are counted in exactly one class, and bytes as they were on the wire")
  func countsAddUp() throws {
    let capture = mixed(seed: 3, packets: 10_000)
    let counters = try observe([capture], space: darkSixteen).checkpoint().counters
    #expect(counters.packets == 10_000)
    #expect(counters.bytes == 540_000)
    #expect(counters.byClass.values.reduce(0, +) == 10_000)
  }

  @Test("series sums equal the packets read")
  func seriesAddUp() throws {
    let capture = mixed(seed: 5, packets: 150_000)
    let results = try observe([capture], space: darkSixteen).checkpoint()
    let closed = results.series.filter { $0.resolution == .fiveMinutes && $0.dimension == .all }
    // 150,000 packets at 200 a second are 750 s: two whole bins and half of one that is open.
    #expect(closed.map(\.packets) == [60_000, 60_000, 30_000])
    let byClass = results.series.filter {
      $0.resolution == .fiveMinutes && $0.dimension == .trafficClass
    }
    #expect(closed.reduce(0) { $0 + $1.packets } == byClass.reduce(0) { $0 + $1.packets })
    for point in closed { #expect(abs(point.hosts - 3_000) < 150) }
    let day = results.series.filter { $0.resolution == .day && $0.dimension == .all }
    #expect(day.map(\.packets) == [150_000])
  }

  @Test(
    "destination blocks are exact while the destinations are, and near the truth after",
    arguments: [3, 16, 17, 48, 49, 300, 4_000] as [UInt32])
  func destinationBlocks(count: UInt32) throws {
    var traffic = SyntheticTraffic()
    // Three destinations in each /24, one /24 after the other, each of them met twice.
    for index in 0..<2 * count {
      let number = index % count
      traffic.add(
        .init(source: 0x1401_0101, destination: darkBase | (number / 3 % 256) << 8 | number % 3),
        at: start + UInt64(index) * 1_000)
    }
    let engine = try observe([traffic.bytes], space: darkSixteen)
    var events: [TelescopeEvent] = []
    engine.forEachOpenEvent { events.append($0) }
    let event = try #require(events.first)
    let distinct = Double(min(count, 768))
    let blocks = Double(min((count + 2) / 3, 256))
    #expect(abs(event.destinations - distinct) <= (count <= 48 ? 0 : 0.15 * distinct))
    #expect(abs(event.destinationBlocks - blocks) <= (count <= 48 ? 0 : 0.15 * blocks))
  }

  @Test("a source's destinations are those of all its events together")
  func unionOfEvents() throws {
    var traffic = SyntheticTraffic()
    // Two ports over ranges that overlap by half: 30 and 30 destinations, 45 together.
    for index in 0..<60 as Range<UInt32> {
      let destination = darkBase | (index < 30 ? index : index - 15)
      traffic.add(
        .init(
          source: 0x1401_0101, destination: destination,
          destinationPort: index < 30 ? 23 : 2323, sequence: destination),
        at: start + UInt64(index) * 1_000)
    }
    let engine = try observe([traffic.bytes], space: darkSixteen)
    #expect(engine.checkpoint().hosts.first?.destinations == 45)
    // Looking again counts nothing twice, and a host without new packets is not told of again.
    #expect(engine.glance(limit: 1).infected.first?.destinations == 45)
    #expect(engine.checkpoint().hosts.isEmpty)
  }

  @Test("a Mirai bot is an infected host, with its reasons")
  func mirai() throws {
    var traffic = SyntheticTraffic()
    for index in 0..<12 as Range<UInt32> {
      let destination = darkBase | index * 4_099
      traffic.add(
        .init(source: 0x1401_0101, destination: destination, sequence: destination),
        at: start + UInt64(index) * 1_000_000)
    }
    let results = try observe([traffic.bytes], space: darkSixteen).checkpoint()
    let host = try #require(results.hosts.first)
    #expect(host.verdict == .infected)
    #expect(host.malware != nil)
    #expect(host.confidence >= 95)
    #expect(host.reasons.map(\.name) == ["malware-fingerprint"])
    let finding = try #require(results.findings(sensor: "darknet").first)
    #expect(finding.kind == .infectedHost)
    #expect(finding.subject.address == host.address)
  }

  @Test("a bot that is not Mirai-like is found by its ports; a tool on the same ports is not")
  func iotPorts() throws {
    var traffic = SyntheticTraffic()
    let ports: [UInt16] = [23, 2323, 5555, 37_215, 60_023]
    for index in 0..<40 as Range<UInt32> {
      for source: UInt32 in [0x1401_0101, 0x1401_0102] {
        var tcp = SyntheticTraffic.TCP(
          source: source, destination: darkBase | index * 1_021,
          destinationPort: ports[Int(index) % 5], sequence: index &* 2_654_435_761)
        // The second one is ZMap up to 4.0.
        if source == 0x1401_0102 {
          tcp.identification = 54_321
          tcp.window = 65_535
          tcp.timeToLive = 240
        }
        traffic.add(tcp, at: start + UInt64(index) * 1_000_000)
      }
    }
    let hosts = try observe([traffic.bytes], space: darkSixteen).checkpoint().hosts
    #expect(hosts.first { $0.address == IPAddress("20.1.1.1") }?.verdict == .infected)
    #expect(hosts.first { $0.address == IPAddress("20.1.1.2") }?.verdict == .scanner)
  }

  @Test("a storm of forged sources gives no infected host")
  func storm() throws {
    var traffic = SyntheticTraffic()
    var state: UInt64 = 99
    func random() -> UInt32 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt32(truncatingIfNeeded: state >> 32)
    }
    let ports: [UInt16] = [23, 2323, 5555, 37_215, 8080]
    // Forty forged packets from each of 500 forged sources, a fifth of them in unusable space.
    for index in 0..<20_000 as Range<UInt32> {
      let pool = random() % 500
      let source = pool &* 2_654_435_761 ^ 0x5a5a_0000
      var tcp = SyntheticTraffic.TCP(
        source: source, destination: darkBase | random() & 0xffff,
        sourcePort: UInt16(random() & 0xffff), destinationPort: ports[Int(random() % 5)],
        sequence: random(), window: UInt16(random() & 0xffff))
      tcp.timeToLive = UInt8(120 + random() % 80)
      traffic.add(tcp, at: start + UInt64(index) * 30_000)
    }
    let hosts = try observe([traffic.bytes], space: darkSixteen).checkpoint().hosts
    #expect(hosts.filter { $0.verdict == .infected }.isEmpty)
  }

  @Test("a listed survey scanner is a survey, whatever it sends")
  func survey() throws {
    var traffic = SyntheticTraffic()
    for index in 0..<12 as Range<UInt32> {
      let destination = darkBase | index * 4_099
      traffic.add(
        .init(source: 0x1401_0101, destination: destination, sequence: destination),
        at: start + UInt64(index) * 1_000_000)
    }
    let results = try observe([traffic.bytes], space: darkSixteen) {
      $0.surveys = SurveyLists(
        entries: [(IPPrefix("20.1.1.0/24")!, "Census Ltd")], reverseNames: [])
    }.checkpoint()
    #expect(results.hosts.first?.verdict == .survey)
    #expect(results.hosts.first?.surveyor == "Census Ltd")
    #expect(results.findings(sensor: "darknet").isEmpty)
  }

  @Test("a member's address in dark space is an alert: internal, external, backscatter")
  func memberAlerts() throws {
    let space = DarkSpace([
      .init(IPPrefix("100.200.0.0/17")!, organisation: "blue"),
      .init(IPPrefix("100.200.128.0/17")!, organisation: "red"),
    ])
    var traffic = SyntheticTraffic()
    let member: UInt32 = 0x1e01_0203
    traffic.add(.init(source: member, destination: darkBase | 5), at: start)
    traffic.add(.init(source: member, destination: darkBase | 0x8005), at: start + 1)
    traffic.add(
      .init(source: member, destination: darkBase | 6, sourcePort: 80, flags: 0x12), at: start + 2)
    let engine = try observe([traffic.bytes], space: space) {
      $0.members = [("blue", IPPrefix("30.1.0.0/16")!)]
    }
    let alerts = engine.checkpoint().alerts
    #expect(Set(alerts.map(\.reach)) == [.internal, .external, .backscatter])
    #expect(alerts.allSatisfy { $0.organisation == "blue" && $0.state == .new })
    #expect(engine.checkpoint().alerts.allSatisfy { $0.state == .continuing })
  }

  @Test("a port whose sources multiply is a campaign, with the hour it began in")
  func campaign() throws {
    var traffic = SyntheticTraffic()
    let hour = 1_760_000_400 / 3_600 * 3_600
    for index in 0..<14 {
      let count = index >= 10 ? 200 : 5
      for source in 0..<count {
        let time = UInt64(hour + index * 3_600 + 60 + source) * 1_000_000
        traffic.add(
          .init(
            source: 0x1400_0000 | UInt32(source), destination: darkBase | UInt32(source),
            destinationPort: 9_530, sequence: UInt32(source) &* 77_777), at: time)
      }
    }
    // A packet of the next hour closes the last one.
    traffic.add(
      .init(source: 0x1500_0001, destination: darkBase), at: UInt64(hour + 14 * 3_600) * 1_000_000)
    let campaigns = try observe([traffic.bytes], space: darkSixteen).checkpoint().campaigns
    let campaign = try #require(campaigns.first { $0.key == "9530/tcp" })
    #expect(campaign.began == Timestamp(seconds: Int64(hour + 10 * 3_600)))
    #expect(abs(campaign.peakSources - 200) < 10)
    #expect(campaign.baseline == 5)
    #expect(campaigns.allSatisfy { $0.began >= campaign.began })
  }

  @Test("Merit's event timeout of 624 s comes out of the formula")
  func eventTimeout() {
    var merit = DarkSpace(prefixes: [])
    #expect(merit.addressCount == 1)
    merit = DarkSpace(prefixes: [IPPrefix("10.0.0.0/13")!])
    let scaled = merit.eventTimeoutSeconds(TelescopeParameters()) * merit.addressCount / 475_136
    #expect(abs(scaled - 624) < 1)
  }
}
