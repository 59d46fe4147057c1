import FlowAnalysis
import Foundation
import NetworkTypes
import Testing

@Suite("Kinds of evidence")
struct EvidenceTests {
  private let test = PeriodicityTest()

  /// Seconds of contacts whose intervals `interval` gives.
  private func times(_ count: Int, _ interval: (Int) -> Double) -> [UInt32] {
    var now = 1_000_000.0
    var times: [UInt32] = []
    for index in 0..<count {
      times.append(UInt32(now))
      now += interval(index)
    }
    return times
  }

  /// A fixed scatter in 0..<1.
  private func scatter(_ index: Int) -> Double {
    let value = sin(Double(index) * 12.9898) * 43_758.5453
    return value - value.rounded(.down)
  }

  @Test("a clock is seen, with its period, at any common jitter", arguments: [0.0, 0.1, 0.2, 0.3])
  func jitter(_ jitter: Double) {
    let result = test.examine(times(64) { 300 * (1 + jitter * (2 * scatter($0) - 1)) })
    #expect(result.strength > 8)
    #expect(abs(result.period - 300) < 45)
  }

  @Test("bursts between the beats do not hide them")
  func bursts() {
    var seconds = times(40) { _ in 120 }
    for index in 0..<20 { seconds.append(1_000_000 + UInt32(index) * 240 + 7) }
    #expect(test.examine(Array(Set(seconds)).sorted()).strength > 5)
  }

  @Test("a beacon with most beats missing is seen by its spectrum")
  func missingBeats() {
    let seconds = (0..<400).filter { scatter($0) < 0.12 }.map { UInt32(1_000_000 + $0 * 60) }
    let result = test.examine(seconds)
    #expect(result.spectral > 3)
  }

  @Test("people are not clocks")
  func people() {
    // Memoryless intervals, and heavy-tailed ones.
    let poisson = test.examine(times(64) { -200 * log(max(scatter($0), 1e-6)) })
    #expect(poisson.strength < 3)
    let heavy = test.examine(times(64) { exp(6 * scatter($0)) + 2 })
    #expect(heavy.strength < 3)
  }

  @Test("few contacts say nothing, and odd input does no harm")
  func few() {
    #expect(test.examine([]).strength == 0)
    #expect(test.examine([1, 2, 3]).strength == 0)
    #expect(test.examine([0, .max]).strength == 0)
    #expect(test.examine(Array(repeating: 5, count: 50)).strength == 0)
  }

  @Test("the null keeps its word: of scattered series few look periodic")
  func falseAlarms() {
    var alarms = 0
    for series in 0..<200 {
      let seconds = (0..<50).map { UInt32(1_000_000 + 86_400 * scatter(series * 131 + $0)) }
      if test.examine(Array(Set(seconds)).sorted()).strength > 3 { alarms += 1 }
    }
    #expect(alarms <= 2)
  }

  @Test("suspects among a server's clients weigh by how rare they are elsewhere")
  func enrichment() {
    let test = EnrichmentTest()
    let rare = test.decades(suspects: 3, clients: 3, populationSuspects: 4, population: 1_000)
    let common = test.decades(suspects: 3, clients: 3, populationSuspects: 300, population: 1_000)
    let diluted = test.decades(suspects: 3, clients: 200, populationSuspects: 4, population: 1_000)
    #expect(rare == 3)
    #expect(common < rare / 1.5)
    #expect(diluted == -1)
    // The only host of a capture is not its own norm.
    #expect(test.decades(suspects: 1, clients: 1, populationSuspects: 1, population: 1) > 1)
    #expect(test.decades(suspects: 0, clients: 1, populationSuspects: 0, population: 1) < 0)
    #expect(test.decades(suspects: 0, clients: 0, populationSuspects: 0, population: 0) == 0)
  }

  @Test("long thin sessions count, transfers and short ones do not")
  func sessions() {
    let test = LongSessionTest()
    #expect(test.strength(seconds: 14_400, octets: 20_000) == 1)
    #expect(test.strength(seconds: 3_600, octets: 20_000) > 0.5)
    #expect(test.strength(seconds: 600, octets: 100) == 0)
    #expect(test.strength(seconds: 14_400, octets: 1e9) == 0)
  }

  @Test("clients that act together are told from clients that merely act")
  func synchrony() {
    let test = SynchronyTest()
    let orders = (0..<30).map { UInt32(1_000_000 + 400 * scatter($0) + Double($0) * 900) }
    let together = (0..<6).map { client in orders.map { $0 + UInt32(client) } }
    let apart = (0..<6).map { client in
      (0..<30).map { UInt32(1_000_000 + 27_000 * scatter(client * 100 + $0)) }.sorted()
    }
    #expect(test.decades(together) > 8)
    #expect(test.decades(apart) < 2)
    #expect(test.decades([orders]) == 0)
  }

  @Test("lists of all forms match")
  func lists() throws {
    var list = ThreatList()
    list.add(
      text: "# Copyright\n192.0.2.1:1234\n192.0.2.2\nevil.example\n198.51.100.0/24 # a block\n"
        + "192.0.2.77\t5\n\"192.0.2.78\",\"x\"\n", name: "plain")
    list.add(
      text: #"""
        {"type":"bundle","id":"bundle--1","objects":[
          {"type":"indicator","pattern_type":"stix","pattern":
            "[ipv4-addr:value = '192.0.2.9']"},
          {"type":"indicator","pattern":"[network-traffic:dst_ref.value = '192.0.2.10' AND network-traffic:dst_port = 6667]"},
          {"type":"indicator","pattern":"[domain-name:value = 'evil.example']"},
          {"type":"indicator","revoked":true,"pattern":"[ipv4-addr:value = '192.0.2.11']"}]}
        """#, name: "stix")
    func named(_ text: String) throws -> [String] {
      list.matches(try #require(Service(text: text))).map(\.list)
    }
    #expect(try named("192.0.2.1:1234") == ["plain"])
    #expect(try named("192.0.2.1:80").isEmpty)
    #expect(try named("192.0.2.2:80") == ["plain"])
    #expect(try named("198.51.100.9:443") == ["plain"])
    #expect(try named("192.0.2.77:1/udp") == ["plain"])
    #expect(try named("192.0.2.78:1") == ["plain"])
    #expect(try named("192.0.2.9:1") == ["stix"])
    #expect(try named("192.0.2.10:6667") == ["stix"])
    #expect(try named("192.0.2.10:80").isEmpty)
    #expect(try named("192.0.2.11:80").isEmpty)
  }

  @Test(
    "maltrail's lists give their addresses",
    .enabled(if: SharedFlows.exists("c2lists/maltrail-elf_mirai.txt")),
    arguments: [("elf_mirai", 10_916), ("elf_gafgyt", 32_673), ("cobaltstrike", 8_018)])
  func maltrail(name: String, addresses: Int) throws {
    let list = try ThreatList(files: [SharedFlows.path("c2lists/maltrail-\(name).txt")])
    #expect(abs(list.entryCount - addresses) <= addresses / 50)
  }

  @Test(
    "services are written and read alike", arguments: ["192.0.2.1:80/tcp", "[2001:db8::1]:53/udp"])
  func services(text: String) {
    #expect(Service(text: text)?.description == text)
    #expect(Service(text: "192.0.2.1:99999") == nil)
    #expect(Service(text: "host:80") == nil)
  }
}
