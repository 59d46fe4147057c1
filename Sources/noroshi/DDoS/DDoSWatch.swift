import ArgumentParser
import FlowAnalysis
import FlowRecords
import Foundation
import Logging
import NetworkTypes
import ServiceLifecycle
import UnixSignals

struct DDoSWatch: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch",
    abstract: "Collect flows and tell of attacks at once.",
    discussion: """
      Collects as `noroshi flows collect` does, and looks for attacks on the protected prefixes; each that \
      begins or ends is a line. Attacks, their sources, scanners and reflectors are stored, and cases are \
      opened. What is usual is learned of each prefix, and kept over restarts.

      Examples:
        noroshi ddos watch --protect 203.0.113.0/24
        noroshi ddos watch --listen 127.0.0.1:2055 --protect 203.0.113.0/24 --limit-packets 20000
      """)

  @OptionGroup var options: HouseOptions
  @OptionGroup var limits: DDoSOptions

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Address and port for datagrams, several times (flows.listen).", valueName: "address:port"))
  var listen: [FlowEndpoint] = []

  @Option(name: .long, help: "Stop after so many seconds.")
  var seconds: Int?

  func validate() throws {
    guard (seconds ?? 1) > 0 else { throw ValidationError("--seconds must be above 0.") }
  }

  func run() async throws {
    let house = try options.house()
    try house.requireData()
    var configuration = House.hurried(house.collectorConfiguration())
    if !listen.isEmpty { configuration.datagrams = listen.map(\.endpoint) }
    let prefixes = try limits.prefixes(of: house)
    let attacks = try house.attackService(prefixes, limits.parameters(of: house)) { event in
      guard let line = AttackLine.text(event) else { return }
      Terminal.output.line("\(House.now) \(line)")
    }
    var collector = try house.collectService(configuration, tap: { attacks.feed($0) })
    collector.duration = seconds.map { .seconds($0) }
    let places = configuration.datagrams.map(\.description).joined(separator: ", ")
    Terminal.error.line(
      "Watching \(prefixes.isEmpty ? "every address" : "\(prefixes.count) prefixes"), flows on \(places)."
    )
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: [
          .init(service: attacks),
          .init(service: collector, successTerminationBehavior: .gracefullyShutdownGroup),
        ], gracefulShutdownSignals: [.sigterm, .sigint], logger: house.logger))
    try await group.run()
    let (counters, dropped) = attacks.statistics
    Terminal.error.line(
      "\(Quantity.grouped(counters.flows)) flows, \(counters.attacks) attacks; "
        + "\(Quantity.grouped(dropped)) flows dropped, \(Quantity.grouped(counters.late)) late.")
  }
}
