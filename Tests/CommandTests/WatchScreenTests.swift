import NetworkTypes
import PacketCapture
import Testing

@testable import Telescope
@testable import noroshi

@Suite("The view of a live capture")
struct WatchScreenTests {
  private func moment() -> WatchMoment {
    var moment = WatchMoment(
      interface: "eth1", space: DarkSpace(prefixes: [IPPrefix("198.51.100.0/24")!]),
      elapsedSeconds: 75)
    var counters = TelescopeCounters()
    moment.rates.update(counters, at: 10)
    counters.packets = 12_345
    counters.bytes = 1_000_000
    counters.byClass = ["syn-scan": 12_000, "udp-probe": 345]
    counters.outsideDarkSpace = 17
    counters.evictedSources = 4
    moment.counters = counters
    moment.rates.update(counters, at: 20)
    moment.statistics.droppedByKernel = 3
    moment.secondsSinceSave = 61
    moment.glance.counters.sources = 99
    for (key, hosts) in [("23/tcp", 50.0), ("445/tcp", 7)] {
      moment.glance.ports.append(
        SeriesPoint(
          resolution: .hour, start: 0, dimension: .port, key: key, packets: 100, bytes: 0,
          hosts: hosts))
    }
    moment.glance.tools = [
      SeriesPoint(
        resolution: .hour, start: 0, dimension: .tool, key: "Mirai", packets: 90, bytes: 0,
        hosts: 45)
    ]
    return moment
  }

  private func text(_ columns: Int, _ rows: Int, _ moment: WatchMoment) -> [String] {
    WatchScreen(columns: columns, rows: rows, terminal: .unstyled).lines(moment)
  }

  @Test("shows rates, classes, ports, tools and what was dropped")
  func content() {
    let lines = text(120, 40, moment())
    #expect(lines[0].hasPrefix("noroshi  eth1 → 198.51.100.0/24  1 min 15 s"))
    #expect(lines[0].hasSuffix("saved 1 min 01 s ago  q quits"))
    #expect(lines[1] == "12,345 packets  1.23 k packets/s  800 k bit/s  about 99 sources")
    #expect(lines[2] == "dropped by the kernel 3, by the interface 0")
    #expect(lines[3].contains("not to dark addresses 17"))
    #expect(lines[3].contains("forgotten early 4"))
    let row = lines.first { $0.hasPrefix("syn-scan") }
    #expect(row?.contains("1200") == true && row?.contains("12,000") == true)
    #expect(row?.contains("23/tcp") == true && row?.contains("Mirai") == true)
    #expect(lines.contains("INFECTED HOSTS: no infected host so far"))
    #expect(lines.contains("VICTIMS OF DENIAL OF SERVICE: no attack is going on"))
  }

  @Test(
    "fits into any window",
    arguments: [(1, 1), (10, 3), (40, 12), (80, 24), (83, 25), (84, 10), (200, 60), (500, 5)])
  func fits(columns: Int, rows: Int) {
    let lines = text(columns, rows, moment())
    #expect(lines.count <= rows && !lines.isEmpty)
    for line in lines { #expect(DisplayWidth.of(line) <= max(1, columns - 1)) }
  }

  @Test("a narrow window shows the tables under each other")
  func narrow() {
    let lines = text(60, 50, moment())
    #expect(lines.contains { $0.hasPrefix("syn-scan") && !$0.contains("23/tcp") })
    #expect(lines.contains { $0.hasPrefix("23/tcp") })
  }

  @Test("names that others chose cannot steer the terminal")
  func escapes() {
    var moment = moment()
    moment.glance.alerts = [
      MemberAlert(
        organisation: "evil\u{1b}[2J", address: IPAddress("192.0.2.1")!, reach: .external,
        state: .new, firstSeen: Timestamp(seconds: 0), lastSeen: Timestamp(seconds: 0), packets: 1,
        destinations: 1, ports: [23])
    ]
    moment.glance.alertCount = 1
    let lines = text(100, 40, moment)
    #expect(lines.contains { $0.contains("192.0.2.1") })
    #expect(!lines.contains { $0.contains("\u{1b}") })
  }

  @Test("the line for logs says the same in one line")
  func line() {
    let line = WatchLine.text(moment())
    #expect(
      line == "no packet yet eth1: 12,345 packets, 1.23 k/s (syn-scan 1.20 k, udp-probe 34); "
        + "dropped 3; outside 17")
  }
}
