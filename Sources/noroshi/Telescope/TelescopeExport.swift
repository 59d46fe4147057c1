import ArgumentParser
import Foundation
import NetworkTypes
import PacketCapture
import Telescope

struct TelescopeExport: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write events, hosts, victims or flowtuples as Parquet, CSV or JSON for other tools.",
    discussion: """
      Examples:
        noroshi telescope export events --since 24h --out events.parquet
        noroshi telescope export victims --out victims.csv
        noroshi telescope export flowtuples day.pcap.gz --out flowtuples.parquet
        noroshi telescope export events --anonymise study.key --out study.parquet
      """,
    subcommands: [
      ExportEvents.self, ExportFlowtuples.self, ExportHosts.self, ExportVictims.self,
    ])
}

struct ExportEvents: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "events",
    abstract: "Write events, those that are going on last.",
    discussion: """
      Sampled packets are left out, since they hold addresses.

      Examples:
        noroshi telescope export events --out events.parquet
        noroshi telescope export events --port 23 --tool Mirai --since 7d --format csv --out -
      """)

  @OptionGroup var options: HouseOptions
  @OptionGroup var events: EventOptions
  @OptionGroup var output: ExportOptions

  func run() async throws {
    let store = try options.house().telescopeStore()
    try output.check()
    var query = EventQuery()
    try events.restrict(&query, now: store.now())
    var export = try EventExport(store, anonymisedWith: output.key())
    let bar = ProgressBar("Writing", unit: "events")
    let count = try export.writeEvents(to: output.out, format: output.chosenFormat, query) {
      done, total in
      bar.update(UInt64(done), fraction: total == 0 ? 1 : Double(done) / Double(total))
    }
    bar.finish()
    output.report(count, "events")
  }
}

struct ExportHosts: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hosts",
    abstract: "Write hosts of note that were seen in a time.",
    discussion: """
      Examples:
        noroshi telescope export hosts --since 2026-11-01 --until 2026-12-01 --out november.parquet
      """)

  @OptionGroup var options: HouseOptions
  @OptionGroup var time: TimeOptions
  @OptionGroup var output: ExportOptions

  func run() async throws {
    let store = try options.house().telescopeStore()
    try output.check()
    let (since, until) = try time.bounds(now: store.now())
    var export = try EventExport(store, anonymisedWith: output.key())
    let bar = ProgressBar("Writing", unit: "hosts")
    let count = try export.writeHosts(
      to: output.out, format: output.chosenFormat, since: since, until: until
    ) { done, total in
      bar.update(UInt64(done), fraction: total == 0 ? 1 : Double(done) / Double(total))
    }
    bar.finish()
    output.report(count, "hosts")
  }
}

struct ExportVictims: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "victims",
    abstract: "Write denial-of-service attacks that went on in a time.",
    discussion: """
      Examples:
        noroshi telescope export victims --out victims.csv
      """)

  @OptionGroup var options: HouseOptions
  @OptionGroup var time: TimeOptions
  @OptionGroup var output: ExportOptions

  func run() async throws {
    let store = try options.house().telescopeStore()
    try output.check()
    let (since, until) = try time.bounds(now: store.now())
    var export = try EventExport(store, anonymisedWith: output.key())
    let bar = ProgressBar("Writing", unit: "victims")
    let count = try export.writeVictims(
      to: output.out, format: output.chosenFormat, since: since, until: until
    ) { done, total in
      bar.update(UInt64(done), fraction: total == 0 ? 1 : Double(done) / Double(total))
    }
    bar.finish()
    output.report(count, "victims")
  }
}

struct ExportFlowtuples: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "flowtuples",
    abstract:
      "Write flowtuples of captures: packets by minute, addresses, ports, TTL, flags, length.",
    discussion: """
      A row for each minute and each set of source, destination, source port (ICMP type), destination \
      port (ICMP code), protocol, TTL, TCP flags and IP length, after CAIDA's FlowTuple. All packets \
      count, or those to the networks named with --network. Needs no data directory.

      When more tuples come in a minute than --tuples lets memory hold, those it has are written early, \
      and one tuple may have several rows: add them up. How many were written early is said at the end.

      Examples:
        noroshi telescope export flowtuples 2026-11-25T*.pcap.gz --out flowtuples.parquet
        noroshi telescope export flowtuples day.pcap --network 198.51.100.0/24 --out day.csv
      """)

  @Argument(help: "Captures; - reads standard input.", completion: .file())
  var captures: [String]

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Only packets to this network; may be given several times.", valueName: "prefix"))
  var network: [String] = []

  @Option(name: .long, help: "Tuples that memory holds at most.")
  var tuples = FlowtupleParameters().tuples

  @OptionGroup var time: TimeOptions
  @OptionGroup var output: ExportOptions

  func validate() throws {
    for text in network where IPPrefix(text) == nil {
      throw ValidationError(
        "--network \(text) is no prefix such as 192.0.2.0/24 with its host bits zero.")
    }
    guard (1_000...1_000_000_000).contains(tuples) else {
      throw ValidationError("--tuples must be 1000 to 1000000000.")
    }
  }

  func run() async throws {
    for path in captures where path != "-" && !FileManager.default.isReadableFile(atPath: path) {
      throw CommandFailure("\(path) does not exist or cannot be read", status: .noInput)
    }
    try output.check()
    let (since, until) = try time.bounds(now: nil)
    var parameters = FlowtupleParameters()
    parameters.tuples = tuples
    var source = try MergedCapture(paths: captures)
    var export = try FlowtupleExport(
      to: output.out, format: output.chosenFormat, networks: network.compactMap { IPPrefix($0) },
      since: since, until: until, anonymisedWith: output.key(), parameters: parameters)
    let sizes = captures.map { path -> Int? in
      path == "-"
        ? nil : (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? nil
    }
    let total = sizes.contains(nil) ? nil : sizes.reduce(0) { $0 + ($1 ?? 0) }
    let bar = ProgressBar("Reading", unit: "packets")
    while try export.read(&source, limit: 1 << 17) > 0 {
      bar.update(
        export.counts.packets,
        fraction: total.map { $0 == 0 ? 1 : Double(source.bytesRead) / Double($0) },
        detail: (source.currentPath as NSString).lastPathComponent)
    }
    let counts = try export.finish()
    bar.finish()
    for part in source.parts where part.ending != .complete {
      Terminal.error.line("\(part.path): \(part.ending)")
    }
    report(counts)
  }

  private func report(_ counts: FlowtupleExport.Counts) {
    output.report(counts.rows, "flowtuples of \(Quantity.grouped(counts.packets)) packets")
    let left = [
      (counts.undecoded, "not decodable"), (counts.outside, "to other networks"),
      (counts.otherTime, "of another time"),
    ].filter { $0.0 > 0 }.map { "\(Quantity.grouped($0.0)) \($0.1)" }
    if !left.isEmpty { Terminal.error.line("Left out: \(left.joined(separator: ", ")).") }
    if counts.spilledRows > 0 {
      Terminal.error.line(
        "\(Quantity.grouped(counts.spilledRows)) rows were written before their minute had ended, as "
          + "memory was full: a tuple may have several rows. --tuples raises the limit.")
    }
    if counts.latePackets > 0 {
      Terminal.error.line(
        "\(Quantity.grouped(counts.latePackets)) packets came more than a minute late: their tuples "
          + "have rows of their own.")
    }
  }
}
