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
      On a terminal, shows what is going on, every second: rates by class, ports, tools, infected \
      hosts, victims, alerts, and what was dropped; q ends it. Elsewhere, writes a line every ten \
      seconds. Stores everything every five minutes and at the end (Ctrl-C). Needs the right to \
      capture: root, or `sudo setcap cap_net_raw=ep` on the program.

      Examples:
        noroshi telescope watch eth1
        noroshi telescope watch eth1 --network 198.51.100.0/24 --seconds 60
        noroshi telescope watch eth1 --plain --every 60 >> watch.log
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

  @Flag(name: .long, help: "Write lines, also on a terminal.")
  var plain = false

  @Option(name: .long, help: "Seconds between two drawings (1) or lines (10).")
  var every: Int?

  @Option(name: .long, help: "Store what was seen every so many seconds.")
  var saveEvery = 300

  func validate() throws {
    for text in network where IPPrefix(text) == nil {
      throw ValidationError(
        "--network \(text) is no prefix such as 192.0.2.0/24 with its host bits zero.")
    }
    for (name, value) in [("seconds", seconds), ("every", every), ("save-every", saveEvery)] {
      if let value, value < 1 { throw ValidationError("--\(name) must be 1 or more.") }
    }
  }

  func run() async throws {
    let house = try options.house()
    try house.requireData()
    let session = try house.telescopeSession(
      networks: network.compactMap { IPPrefix($0) }, threads: nil, captures: [])
    let live = try LiveCapture(interface: interface, bpfFilter: bpf)
    let signals = [SIGINT, SIGTERM, SIGHUP].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { live.stop() }
      source.resume()
      return source
    }
    defer { for source in signals { source.cancel() } }

    let view = WatchView(
      interface: interface, space: session.engine.space, screen: plain ? nil : FullScreen(),
      every: every)
    // On every way out, so that an error is read on the screen that it belongs to.
    defer { view.close() }
    let started = ContinuousClock.now
    var lastSave = started
    while !live.isStopped {
      _ = try session.engine.read(live, limit: 100_000, timeoutMilliseconds: 100)
      if view.wantsToQuit { live.stop() }
      let now = ContinuousClock.now
      try view.show(session.engine, live, lastSave: lastSave)
      if now - lastSave >= .seconds(saveEvery) {
        try Self.commit(session, house)
        lastSave = ContinuousClock.now
      }
      if let seconds, now - started >= .seconds(seconds) { live.stop() }
    }
    let statistics = try live.statistics()
    view.close()
    let changes = try Self.commit(session, house)
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
