import ArgumentParser
import FlowArchive
import FlowRecords
import Foundation
import NetworkTypes
import ServiceLifecycle
import UnixSignals

struct FlowsCollectCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "collect",
    abstract: "Receive NetFlow, IPFIX and sFlow of routers into the flow archive.",
    discussion: """
      Every port takes NetFlow v5 and v9, IPFIX and sFlow v5; --tcp takes IPFIX. Templates are kept \
      over restarts. `noroshi flows exporters` shows who sends, what is lost, and where sampling rates \
      come from.

      Examples:
        noroshi flows collect
        noroshi flows collect --listen 0.0.0.0:2055 --listen 0.0.0.0:6343 --allow 192.0.2.0/24
        noroshi flows collect --sampling 192.0.2.1/32=1000 --tcp '[::]:4739'
      """)

  @OptionGroup var options: HouseOptions

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Address and port for datagrams; may be given several times. Default: 0.0.0.0:2055.",
      valueName: "address:port"))
  var listen: [FlowEndpoint] = []

  @Option(
    name: .long,
    help: ArgumentHelp("Address and port for IPFIX over TCP.", valueName: "address:port"))
  var tcp: [FlowEndpoint] = []

  @Option(name: .long, help: "The archive. Default: flows in the data directory.")
  var archive: String?

  @Option(
    name: .long,
    help: ArgumentHelp("Only exporters of this prefix; several times.", valueName: "prefix"))
  var allow: [String] = []

  @Option(name: .long, help: "Datagrams a second that one exporter may send.")
  var rateLimit: Double?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The sampling rate of exporters that do not say it; with ! at the end, whatever they say.",
      valueName: "prefix=rate"))
  var sampling: [String] = []

  @Option(name: .long, help: "Sockets and decoders per port.")
  var shards = 1

  @Option(name: .long, help: "Kilobytes of socket buffer.")
  var buffer = 4_096

  @Option(name: .long, help: "Stop after so many seconds.")
  var seconds: Int?

  func validate() throws {
    guard (1...64).contains(shards), (64...1_048_576).contains(buffer) else {
      throw ValidationError("--shards is 1 to 64, --buffer 64 to 1048576.")
    }
    guard (rateLimit ?? 1) > 0, (seconds ?? 1) > 0 else {
      throw ValidationError("--rate-limit and --seconds must be above 0.")
    }
    _ = try collectorConfiguration()
  }

  func run() async throws {
    let house = try options.house()
    try house.requireData()
    var configuration = try collectorConfiguration()
    configuration.stateFile = house.data.path + "/flow-templates.json"
    var service = try CollectService(
      configuration, archive: archive ?? house.data.path + "/flows",
      report: CollectorReport.path(in: house), logger: house.logger)
    service.duration = seconds.map { .seconds($0) }
    let ports = (configuration.datagrams + configuration.streams).map(\.description)
    Terminal.error.line("Collecting on \(ports.joined(separator: ", ")).")
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: [
          .init(service: service, successTerminationBehavior: .gracefullyShutdownGroup)
        ],
        gracefulShutdownSignals: [.sigterm, .sigint], logger: house.logger))
    do {
      try await group.run()
    } catch let error as CollectorError {
      throw CommandFailure("\(error)", status: .unavailable)
    }
    let statistics = service.collector.statistics()
    let kept = service.writer.counters
    Terminal.error.line(
      "\(Quantity.grouped(statistics.flows)) flows of "
        + "\(Quantity.grouped(statistics.datagrams)) datagrams; "
        + "\(Quantity.grouped(kept.synced)) are in \(service.writer.root), "
        + "\(Quantity.bytes(Int64(kept.octets))). Dropped by the kernel: "
        + "\(Quantity.grouped(statistics.kernelDrops)) datagrams; missing by sequence: "
        + "\(Quantity.grouped(statistics.lost)).")
  }

  private func collectorConfiguration() throws -> CollectorConfiguration {
    var configuration = CollectorConfiguration(
      datagrams: listen.isEmpty && tcp.isEmpty
        ? [.init(address: IPAddress(v4: 0), port: 2_055)] : listen.map(\.endpoint))
    configuration.streams = tcp.map(\.endpoint)
    configuration.shards = shards
    configuration.receiveBuffer = buffer << 10
    configuration.datagramsPerSecond = rateLimit
    configuration.allowed = try allow.map { text in
      guard let prefix = IPPrefix(text) else {
        throw ValidationError("--allow \(text) is no prefix such as 192.0.2.0/24.")
      }
      return prefix
    }
    configuration.parameters.sampling = try sampling.map { text in
      let parts = text.split(separator: "=", maxSplits: 1)
      let overrides = text.hasSuffix("!")
      guard parts.count == 2, let prefix = IPPrefix(String(parts[0])),
        let rate = UInt32(overrides ? parts[1].dropLast() : parts[1]), rate > 0
      else {
        throw ValidationError("--sampling \(text) is not such as 192.0.2.0/24=1000.")
      }
      return SamplingConfiguration(exporters: prefix, rate: rate, overrides: overrides)
    }
    return configuration
  }
}

/// `192.0.2.1:2055` or `[2001:db8::1]:2055` on the command line.
struct FlowEndpoint: ExpressibleByArgument {
  let endpoint: CollectorConfiguration.Endpoint

  init?(argument: String) {
    guard let colon = argument.lastIndex(of: ":"),
      let port = UInt16(argument[argument.index(after: colon)...]), port > 0
    else { return nil }
    var host = argument[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
    guard let address = IPAddress(host) else { return nil }
    endpoint = .init(address: address, port: port)
  }

  /// 127.0.0.0/8 or ::1.
  var isLoopback: Bool {
    endpoint.address.v4.map { $0 >> 24 == 127 } ?? (endpoint.address.bits == 1)
  }
}
