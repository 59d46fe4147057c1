import NetworkTypes
import PacketCapture
import Telescope
import Testing

@Suite("A glance at a running telescope")
struct GlanceTests {
  /// Three bots that begin one after the other, and a scanner.
  private func traffic() -> [UInt8] {
    var traffic = SyntheticTraffic()
    for index in 0..<900 as Range<UInt32> {
      let destination = darkBase | (index &* 2_654_435_761) >> 16
      let bot = min(2, index / 300)
      traffic.add(
        .init(source: 0x1401_0101 + bot, destination: destination, sequence: destination),
        at: start + UInt64(index) * 500_000)
      traffic.add(
        .init(
          source: 0x1402_0202, destination: destination, destinationPort: 445, sequence: index),
        at: start + UInt64(index) * 500_000 + 1)
    }
    return traffic.bytes
  }

  @Test("shows the newest bots first, ports and tools of the hour")
  func content() throws {
    let glance = try observe([traffic()], space: darkSixteen, threads: 2).glance(limit: 2)
    #expect(glance.counters.packets == 1_800)
    #expect(abs(glance.counters.sources - 4) < 0.5)
    #expect(glance.infectedCount == 3)
    #expect(
      glance.infected.map(\.address.description) == ["20.1.1.3", "20.1.1.2"])
    #expect(Set(glance.ports.map(\.key)) == ["23/tcp", "445/tcp"])
    #expect(glance.tools.first?.key == "mirai")
    #expect(glance.victims.isEmpty && glance.alerts.isEmpty)
  }

  @Test("changes nothing of what the next checkpoint says")
  func harmless() throws {
    func results(looking: Bool) throws -> TelescopeResults {
      var surroundings = TelescopeEngine.Surroundings()
      surroundings.threads = 2
      let engine = TelescopeEngine(space: darkSixteen, surroundings: surroundings)
      var reader = try CaptureReader(bytes: traffic())
      while try engine.read(&reader, limit: 100) > 0 {
        if looking { _ = engine.glance(limit: 10) }
      }
      return engine.checkpoint()
    }
    let (with, without) = (try results(looking: true), try results(looking: false))
    #expect(with.hosts == without.hosts)
    #expect(with.series == without.series)
    #expect(with.events == without.events)
    #expect(with.counters == without.counters)
  }
}
