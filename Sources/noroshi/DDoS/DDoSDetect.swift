import ArgumentParser
import Casework
import Constituency
import FlowAnalysis
import Foundation
import Logging
import NetworkTypes

struct DDoSDetect: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "detect",
    abstract: "Look for attacks in files of nfcapd, captures, or the flow archive.",
    discussion: """
      Time is that of the data, so that a file gives what the live watch gave. With --record what is \
      found goes into the data directory, and cases are opened for it. Exit code 2: there was none.

      Examples:
        noroshi ddos detect --protect 203.0.113.0/24 /var/cache/nfdump/nfcapd.2026*
        noroshi ddos detect --limit-packets 1000 attack.pcap
        noroshi ddos detect --from 2026-11-25T00:00:00Z --purpose "report of 25 November" --record
      """)

  @OptionGroup var options: HouseOptions
  @OptionGroup var limits: DDoSOptions
  @OptionGroup var input: FlowInput
  @OptionGroup var list: ListOutput

  @Flag(name: .long, help: "Store what is found, and open cases.")
  var record = false

  func run() async throws {
    let house = try options.house()
    let prefixes = try limits.prefixes(of: house)
    let watch = house.attackWatch(prefixes, limits.parameters(of: house))
    var attacks: [Attack] = []
    var events: [AttackEvent] = []
    func take() {
      for event in watch.monitor.takeEvents() {
        if case .ended(let attack) = event { attacks.append(attack) }
        // Only how they ended, and what was no attack after all, is worth storing of a file.
        switch event {
        case .ended, .absorbed: events.append(event)
        case .began, .changed: break
        }
      }
    }
    let flows = try input.forEach(house, title: "Looking for attacks") { flow in
      watch.ingest(flow)
      take()
    }
    watch.monitor.finish()
    take()
    if record {
      try house.keep(
        events, scans: watch.scans.takeScans(), reflectors: watch.reflectors.reflectors,
        at: watch.monitor.now)
    }
    attacks.sort { ($0.start, $0.id) < ($1.start, $1.id) }
    try list.write(attacks, columns: DDoSTable.attacks, nothing: "No attack was found.")
    if list.format == .table {
      let counters = watch.monitor.counters
      Terminal.error.line(
        "\(Quantity.grouped(flows)) flows; \(Quantity.grouped(counters.unprotected)) to addresses "
          + "that are not protected, \(Quantity.grouped(counters.late)) too late, "
          + "\(Quantity.grouped(counters.unmetered)) without room to count.")
    }
    if attacks.isEmpty { throw ExitCode(ExitStatus.negative.rawValue) }
  }
}

extension House {
  func attackStore() throws -> AttackStore { try AttackStore(store()) }

  /// The sensor's name in findings of flows.
  var flowSensor: String { "flows" }

  /// Stores what was found, and makes cases of it.
  func keep(
    _ events: [AttackEvent], scans: [ObservedScan], reflectors: [ObservedReflector],
    at moment: Timestamp?
  ) throws {
    let store = try attackStore()
    try store.record(events)
    try store.record(scans: scans, reflectors: reflectors)
    try conclude(events, scans: scans, reflectors: reflectors, at: moment)
  }

  /// Makes cases of what was found.
  ///
  /// - Parameter moment: the time of the data; the latest sighting where it is nil.
  func conclude(
    _ events: [AttackEvent], scans: [ObservedScan], reflectors: [ObservedReflector],
    at moment: Timestamp?
  ) throws {
    // Sources of other networks are nobody's whom this house can tell.
    let index = ConstituencyIndex(try constituency())
    var findings = events.flatMap { event in
      switch event {
      case .began(let attack), .changed(let attack), .ended(let attack), .absorbed(_, let attack):
        attack.findings(sensor: flowSensor) { address in
          if case .none = index.responsible(for: address) { false } else { true }
        }
      }
    }
    findings += scans.map { $0.finding(sensor: flowSensor) }
    findings += reflectors.map { $0.finding(sensor: flowSensor) }
    guard !findings.isEmpty else { return }
    let changes = try take(findings, at: moment)
    if !changes.isEmpty {
      logger.info(
        """
        cases: \(changes.opened.count) opened, \(changes.reopened.count) reopened, \
        \(changes.updated.count) updated
        """)
    }
  }
}
