import NetworkTypes
import PacketCapture
import Testing

@testable import Telescope

@Suite("Campaigns and the silence of the sensor")
struct CampaignWatchTests {
  private let parameters = TelescopeParameters()
  private let telnet = CampaignWatch.Subject(kind: .port, key: "23/tcp")
  private let web = CampaignWatch.Subject(kind: .port, key: "80/tcp")

  private func examine(
    _ watch: inout CampaignWatch, _ hour: Int64, _ counts: [CampaignWatch.Subject: Double]
  ) {
    watch.examine(hour: hour, sources: counts, parameters: parameters) { _ in ([], []) }
  }

  /// A day of fifty sources an hour on both ports.
  private func usual() -> CampaignWatch {
    var watch = CampaignWatch()
    for hour in 0..<24 as Range<Int64> { examine(&watch, hour, [telnet: 50, web: 50]) }
    return watch
  }

  @Test("an hour like all others after a long gap is no campaign", arguments: [1, 5, 30, 160])
  func gap(hours: Int64) {
    var watch = usual()
    for hour in 0..<8 as Range<Int64> { examine(&watch, 24 + hours + hour, [telnet: 50, web: 55]) }
    #expect(watch.active.isEmpty && watch.takeFinished().isEmpty)
  }

  @Test("the first hour after a gap begins no campaign, the second may")
  func afterGap() {
    var watch = usual()
    examine(&watch, 40, [telnet: 400, web: 50])
    #expect(watch.active.isEmpty)
    examine(&watch, 41, [telnet: 400, web: 50])
    #expect(watch.active.map(\.key) == ["23/tcp"])
    #expect(watch.active.first?.baseline == 50)
  }

  @Test("a port that was silent while the sensor heard others counts as zero")
  func silentPort() {
    var watch = CampaignWatch()
    for hour in 0..<24 as Range<Int64> { examine(&watch, hour, [web: 50]) }
    examine(&watch, 24, [web: 50, telnet: 50])
    #expect(watch.active.map(\.key) == ["23/tcp"])
    #expect(watch.active.first?.baseline == 0)
  }

  @Test("hours in which the sensor heard only other packets count as zero")
  func silentSpace() {
    var watch = CampaignWatch()
    examine(&watch, 0, [web: 3])
    for hour in 1..<20 as Range<Int64> { watch.hear(hour: hour, parameters: parameters) }
    examine(&watch, 20, [web: 50])
    #expect(watch.active.map(\.key) == ["80/tcp"])

    var deaf = CampaignWatch()
    examine(&deaf, 0, [web: 3])
    examine(&deaf, 20, [web: 50])
    #expect(deaf.active.isEmpty)
  }

  @Test("a campaign goes on over a short gap and ends with a long one")
  func runningCampaign() {
    var watch = usual()
    examine(&watch, 24, [telnet: 400, web: 50])
    let began = watch.active.first?.began
    examine(&watch, 27, [telnet: 400, web: 50])
    #expect(watch.active.map(\.began) == [began])
    examine(&watch, 60, [telnet: 50, web: 50])
    #expect(watch.active.isEmpty)
    #expect(watch.takeFinished().map(\.isOver) == [true])
  }

  @Test("after a gap as long as the history the baselines begin anew")
  func forgotten() {
    var watch = usual()
    for hour in 200..<206 as Range<Int64> { examine(&watch, hour, [telnet: 400]) }
    #expect(watch.active.isEmpty)
    examine(&watch, 206, [telnet: 400])
    #expect(watch.active.isEmpty)
  }

  @Test("what the sensor heard outlives a checkpoint")
  func checkpoint() throws {
    var watch = CampaignWatch()
    examine(&watch, 0, [web: 3])
    for hour in 1..<20 as Range<Int64> { watch.hear(hour: hour, parameters: parameters) }
    var resumed = try CampaignWatch(image: watch.image())
    examine(&resumed, 20, [web: 50])
    #expect(resumed.active.count == 1)
  }

  /// `sources` hosts that each send one SYN to port 23 in one hour.
  private func hour(_ traffic: inout SyntheticTraffic, _ hour: UInt64, sources: UInt32) {
    for index in 0..<sources {
      traffic.add(
        .init(
          source: 0x1500_0000 + index, destination: darkBase + index, sequence: index &* 77 + 5),
        at: (start / 3_600_000_000 + hour) * 3_600_000_000 + UInt64(index) * 1_000_000)
    }
  }

  @Test("two busy days with a dead week between them are no campaign")
  func packets() throws {
    var traffic = SyntheticTraffic()
    for number in 0..<12 as Range<UInt64> { hour(&traffic, number, sources: 40) }
    for number in 120..<132 as Range<UInt64> { hour(&traffic, number, sources: 40) }
    #expect(try observe([traffic.bytes], space: darkSixteen).checkpoint().campaigns.isEmpty)
  }

  @Test("packets for other addresses show that the sensor was alive")
  func alive() throws {
    var traffic = SyntheticTraffic()
    hour(&traffic, 0, sources: 1)
    for number in 1..<12 as Range<UInt64> {
      traffic.add(
        .init(source: 0x1500_0000, destination: 0x0808_0808),
        at: (start / 3_600_000_000 + number) * 3_600_000_000)
    }
    hour(&traffic, 12, sources: 40)
    hour(&traffic, 13, sources: 1)
    let campaigns = try observe([traffic.bytes], space: darkSixteen).checkpoint().campaigns
    #expect(campaigns.contains { $0.key == "23/tcp" })
  }
}
