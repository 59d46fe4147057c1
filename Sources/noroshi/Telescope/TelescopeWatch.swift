import ArgumentParser
import Casework
import Dispatch
import Foundation
import NetworkTypes
import PacketCapture
import Settings
import Telescope

struct TelescopeWatch: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch",
    abstract: "Observe an interface live.",
    discussion: """
      Shows what is going on and stores it every five minutes and at the end (Ctrl-C). Needs the right \
      to capture: root, or `sudo setcap cap_net_raw=ep` on the program.

      Examples:
        noroshi telescope watch eth1
        noroshi telescope watch eth1 --network 198.51.100.0/24 --seconds 60
      """)

  @OptionGroup var options: HouseOptions

  @Argument(help: "The interface to listen on.")
  var interface: String

  @Option(name: .long, help: "A dark network, in place of telescope.networks.")
  var network: [String] = []

  @Option(name: .long, help: "Stop after this many seconds.")
  var seconds: Int?

  @Option(name: .long, help: "Only packets that this BPF expression fits.")
  var bpf: String?

  func validate() throws {
    for text in network where IPPrefix(text) == nil {
      throw ValidationError(
        "--network \(text) is no prefix such as 192.0.2.0/24 with its host bits zero.")
    }
    if let seconds, seconds < 1 { throw ValidationError("--seconds must be 1 or more.") }
  }

  func run() async throws {
    let house = try options.house()
    try house.requireData()
    let session = try house.telescopeSession(
      networks: network.compactMap { IPPrefix($0) }, threads: nil, captures: [])
    let live = try LiveCapture(interface: interface, bpfFilter: bpf)
    let signals = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { live.stop() }
      source.resume()
      return source
    }
    defer { for source in signals { source.cancel() } }

    let started = ContinuousClock.now
    var view = LiveView(interface: interface)
    var lastCommit = started
    while !live.isStopped {
      _ = try session.engine.read(live, limit: 100_000, timeoutMilliseconds: 200)
      let now = ContinuousClock.now
      view.draw(session.engine.counters, try live.statistics(), elapsed: now - started)
      if now - lastCommit > .seconds(300) {
        try Self.commit(session, house)
        lastCommit = now
      }
      if let seconds, now - started >= .seconds(seconds) { live.stop() }
    }
    view.finish()
    let changes = try Self.commit(session, house)
    let statistics = try live.statistics()
    TelescopeReport.write([], session, changes)
    if statistics.droppedByKernel + statistics.droppedByInterface > 0 {
      Terminal.error.line(
        "\(Quantity.grouped(statistics.droppedByKernel)) packets were dropped by the kernel and "
          + "\(Quantity.grouped(statistics.droppedByInterface)) by the interface.")
    }
  }

  @discardableResult
  private static func commit(_ session: TelescopeSession, _ house: House) throws -> CaseChanges {
    let results = try session.commit([])
    return try house.take(
      results.findings(sensor: house.configuration.telescope.sensor), at: session.engine.now)
  }
}

/// The line that shows a live capture at work.
private struct LiveView {
  let interface: String
  private var lastDrawn: ContinuousClock.Instant?
  private var lastPackets: UInt64 = 0

  init(interface: String) { self.interface = interface }

  mutating func draw(
    _ counters: TelescopeCounters, _ statistics: LiveCapture.Statistics, elapsed: Duration
  ) {
    let terminal = Terminal.error
    guard terminal.isInteractive else { return }
    let now = ContinuousClock.now
    if let lastDrawn, now - lastDrawn < .milliseconds(500) { return }
    let interval = lastDrawn.map { (now - $0) / .seconds(1) } ?? 1
    let rate = Double(counters.packets - lastPackets) / interval
    lastDrawn = now
    lastPackets = counters.packets
    let text =
      "\(interface)  \(Quantity.short(Double(counters.packets), unit: "packets"))  "
      + "\(Quantity.short(rate, unit: "packets"))/s  "
      + "dropped \(Quantity.grouped(statistics.droppedByKernel + statistics.droppedByInterface))  "
      + "outside \(Quantity.grouped(counters.outsideDarkSpace))  "
      + Quantity.duration(seconds: elapsed / .seconds(1))
    terminal.write("\r\u{1b}[K" + DisplayWidth.truncated(text, to: (terminal.columns ?? 80) - 1))
  }

  func finish() {
    if Terminal.error.isInteractive { Terminal.error.write("\r\u{1b}[K") }
  }
}
