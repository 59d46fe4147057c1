import ArgumentParser
import FlowArchive
import FlowCluster
import FlowRecords
import Foundation
import NetworkTypes
import ServiceLifecycle
import Settings
import UnixSignals

struct FlowsCollectCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "collect",
    abstract: "Receive NetFlow, IPFIX and sFlow of routers into the flow archive.",
    discussion: """
      Every port takes NetFlow v5 and v9, IPFIX and sFlow v5; --tcp takes IPFIX. Templates are kept \
      over restarts. `noroshi flows exporters` shows who sends, what is lost, and where sampling rates \
      come from. What is not given here is as the configuration's keys below `flows` say. The \
      archive of the data directory is kept within flows.retention; another one is not.

      Examples:
        noroshi flows collect
        noroshi flows collect --listen 0.0.0.0:2055 --listen 0.0.0.0:6343 --allow 192.0.2.0/24
        noroshi flows collect --sampling 192.0.2.1/32=1000 --tcp '[::]:4739'
        noroshi flows collect --to clickhouse://noroshi@db1,db2/noroshi/flows
      """)

  @OptionGroup var options: HouseOptions

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Address and port for datagrams, several times (flows.listen).",
      valueName: "address:port"))
  var listen: [FlowEndpoint] = []

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Address and port for IPFIX over TCP (flows.tcp).", valueName: "address:port"))
  var tcp: [FlowEndpoint] = []

  @Option(name: .long, help: "The archive. Default: flows in the data directory.")
  var archive: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "A ClickHouse cluster instead of the archive: clickhouse://user@shard1,shard2/database/table.",
      valueName: "address"))
  var to: String?

  @Flag(name: .long, help: "Make the cluster's tables where they are missing, then collect.")
  var createTables = false

  @OptionGroup var definition: ClusterDefinitionOptions

  @Option(
    name: .long,
    help: "Where flows wait for the cluster. Default: flow-spool in the data directory.")
  var spool: String?

  @Option(name: .long, help: "Gigabytes that the spool takes at most.")
  var spoolGigabytes = 20.0

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Only exporters of this prefix, several times (flows.allow).", valueName: "prefix"))
  var allow: [String] = []

  @Option(name: .long, help: "Datagrams a second that one exporter may send (flows.rateLimit).")
  var rateLimit: Double?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The rate of exporters that do not say theirs; with !, whatever they say (flows.sampling).",
      valueName: "prefix=rate"))
  var sampling: [String] = []

  @Option(name: .long, help: "Sockets and decoders per port (flows.shards).")
  var shards: Int?

  @Option(name: .long, help: "Kilobytes of socket buffer (flows.bufferKilobytes).")
  var buffer: Int?

  @Option(name: .long, help: "Stop after so many seconds.")
  var seconds: Int?

  func validate() throws {
    guard (1...64).contains(shards ?? 1), (64...1_048_576).contains(buffer ?? 64) else {
      throw ValidationError("--shards is 1 to 64, --buffer 64 to 1048576.")
    }
    guard (rateLimit ?? 1) > 0, (seconds ?? 1) > 0 else {
      throw ValidationError("--rate-limit and --seconds must be above 0.")
    }
    guard to == nil || archive == nil else {
      throw ValidationError(
        "Flows go to an archive or to a cluster: only one of --archive and --to.")
    }
    guard to != nil || !createTables else {
      throw ValidationError("--create-tables goes with --to.")
    }
    guard (0.001...1e6).contains(spoolGigabytes) else {
      throw ValidationError("--spool-gigabytes is above 0 and at most 1000000.")
    }
    if let to {
      do {
        _ = try ClusterAddress(to)
      } catch {
        throw ValidationError("--to \(error).")
      }
    }
    _ = try prefixes()
    _ = try samplingRates()
  }

  func run() async throws {
    let house = try options.house()
    try house.requireData()
    let configuration = try collectorConfiguration(of: house)
    if let to { return try await collect(to: try ClusterAddress(to), configuration, house) }
    var service = try house.collectService(configuration, archive: archive)
    service.duration = seconds.map { .seconds($0) }
    let ports = (configuration.datagrams + configuration.streams).map(\.description)
    Terminal.error.line("Collecting on \(ports.joined(separator: ", ")).")
    var services = [
      ServiceGroupConfiguration.ServiceConfiguration(
        service: service, successTerminationBehavior: .gracefullyShutdownGroup)
    ]
    if archive == nil {
      services.append(.init(service: try ArchiveUpkeep(of: house, store: house.store())))
    }
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: house.logger))
    try await group.run()
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

  private func collect(
    to address: ClusterAddress, _ configuration: CollectorConfiguration, _ house: House
  ) async throws {
    if createTables {
      try await ClusterTables.make(
        try definition.definition(database: address.database, table: address.table), on: address)
    }
    var parameters = SinkParameters()
    parameters.spoolOctets = Int(spoolGigabytes * 1e9)
    var service = try ClusterCollectService(
      configuration, to: address, spool: spool ?? house.data.flowSpool,
      parameters: parameters, report: house.data.flowExporters, logger: house.logger)
    service.duration = seconds.map { .seconds($0) }
    let ports = (configuration.datagrams + configuration.streams).map(\.description)
    Terminal.error.line("Collecting on \(ports.joined(separator: ", ")), to \(address).")
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: [
          .init(service: service, successTerminationBehavior: .gracefullyShutdownGroup)
        ], gracefulShutdownSignals: [.sigterm, .sigint], logger: house.logger))
    try await group.run()
    let statistics = service.collector.statistics()
    let sent = service.sink.counters
    Terminal.error.line(
      "\(Quantity.grouped(statistics.flows)) flows of "
        + "\(Quantity.grouped(statistics.datagrams)) datagrams; "
        + "\(Quantity.grouped(sent.delivered)) are in the cluster, "
        + "\(Quantity.bytes(Int64(sent.spoolOctets))) wait in \(service.sink.folder). Dropped by the "
        + "kernel: \(Quantity.grouped(statistics.kernelDrops)) datagrams; missing by sequence: "
        + "\(Quantity.grouped(statistics.lost)); flows dropped or lost: "
        + "\(Quantity.grouped(sent.dropped + sent.lost))."
        + (sent.lastError.map { " Last failure: \($0)." } ?? ""))
  }

  /// The configuration's, with what was given on the command line in its place.
  private func collectorConfiguration(of house: House) throws -> CollectorConfiguration {
    var configuration = house.collectorConfiguration()
    if !listen.isEmpty || !tcp.isEmpty {
      configuration.datagrams = listen.map(\.endpoint)
      configuration.streams = tcp.map(\.endpoint)
    }
    if let shards { configuration.shards = shards }
    if let buffer { configuration.receiveBuffer = buffer << 10 }
    if let rateLimit { configuration.datagramsPerSecond = rateLimit }
    if !allow.isEmpty { configuration.allowed = try prefixes() }
    if !sampling.isEmpty { configuration.parameters.sampling = try samplingRates() }
    return configuration
  }

  private func prefixes() throws -> [IPPrefix] {
    try allow.map { text in
      guard let prefix = IPPrefix(text) else {
        throw ValidationError("--allow \(text) is no prefix such as 192.0.2.0/24.")
      }
      return prefix
    }
  }

  private func samplingRates() throws -> [SamplingConfiguration] {
    try sampling.map { text in
      guard let rate = ExporterSampling.read(text, base: "") else {
        throw ValidationError("--sampling \(text) is not such as 192.0.2.0/24=1000.")
      }
      return SamplingConfiguration(rate)
    }
  }
}

/// `192.0.2.1:2055` or `[2001:db8::1]:2055` on the command line.
struct FlowEndpoint: ExpressibleByArgument {
  let place: ListeningAddress

  init?(argument: String) {
    guard let place = ListeningAddress.read(argument, base: "") else { return nil }
    self.place = place
  }

  var endpoint: CollectorConfiguration.Endpoint { .init(place) }

  /// 127.0.0.0/8 or ::1.
  var isLoopback: Bool { place.isLoopback }
}
