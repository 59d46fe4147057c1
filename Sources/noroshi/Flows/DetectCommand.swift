import ArgumentParser
import Casework
import Findings
import FlowAnalysis
import FlowArchive
import FlowCluster
import Foundation
import NetworkTypes
import Store

/// What a ranking is told from outside: networks, lists, hosts known as infected.
struct DetectionOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "A network that is watched; may be given several times. Default: guessed from the flows.",
      valueName: "prefix"))
  var home: [String] = []

  @Option(
    name: .long,
    help: ArgumentHelp(
      "A list of C&C servers: addresses, address:port, CSV, maltrail, STIX bundle.",
      valueName: "file"),
    completion: .file())
  var list: [String] = []

  @Option(
    name: .long,
    help: ArgumentHelp("Addresses known as infected, one a line.", valueName: "file"),
    completion: .file())
  var infected: String?

  @Option(
    name: .long,
    help: ArgumentHelp("Weights as `noroshi flows fit` writes them.", valueName: "file"),
    completion: .file())
  var parameters: String?

  func validate() throws {
    for text in home where IPPrefix(text) == nil {
      throw ValidationError("--home: “\(text)” is no prefix such as 192.0.2.0/24.")
    }
  }

  func homeNetworks() -> HomeNetworks? {
    home.isEmpty ? nil : HomeNetworks(home.compactMap { IPPrefix($0) })
  }

  func ranking() throws -> ServerRanking {
    try add(to: ServerRanking())
  }

  /// What the options say, over what the house's configuration said already.
  func add(to ranking: ServerRanking) throws -> ServerRanking {
    var ranking = ranking
    if let parameters { ranking.parameters = try RankingParameters(file: parameters) }
    if let home = homeNetworks() { ranking.home = home }
    if !list.isEmpty { ranking.lists = try ThreatList(files: list) }
    if let infected {
      guard let data = FileManager.default.contents(atPath: infected) else {
        throw CommandFailure("There is no readable \(infected)", status: .noInput)
      }
      for line in String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline) {
        let field = line.prefix { !$0.isWhitespace && $0 != "," && $0 != "#" }
        if let address = IPAddress(field) { ranking.knownInfected.insert(address) }
      }
    }
    return ranking
  }
}

struct FlowsDetectCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "detect",
    abstract: "Find C&C servers in flows, ranked, with reasons.",
    discussion: """
      Reads the flow archive (a search like any other: it needs a purpose and is written into the \
      audit trail) or files: CTU-13 binetflow, Zeek conn.log, CSV, nfcapd. Servers from 50 % on are \
      above the reporting line. What is found in the archive is kept in the register; analysts' \
      verdicts (`noroshi flows verdict`) count in the next ranking. See docs/detection.md.

      Examples:
        noroshi flows detect --purpose "daily C&C detection" --from 2026-11-24T00:00:00Z
        noroshi flows detect --purpose "case 41" --on clickhouse://noroshi@db1/noroshi/flows
        noroshi flows detect capture20110816.binetflow.xz --home 147.32.0.0/16
        noroshi flows detect conn.log.gz --explain 91.212.135.158:5678
      """)

  @OptionGroup var options: HouseOptions
  @OptionGroup var detection: DetectionOptions
  @OptionGroup var output: ListOutput

  @Argument(help: "Files of flows; without any, the archive.", completion: .file())
  var files: [String] = []

  @Option(name: .long, help: "Why these flows are looked at; it goes into the audit trail.")
  var purpose: String?

  @Option(name: .long, help: "The archive. Default: flows in the data directory.")
  var archive: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "A ClickHouse cluster instead of the archive: clickhouse://user@server/database/table.",
      valueName: "address"))
  var on: String?

  @Option(name: .long, help: "From this moment on (archive or cluster).")
  var from: String?

  @Option(name: .long, help: "Up to this moment (archive or cluster).")
  var to: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Say on one screen why this server is where it is.", valueName: "address:port"))
  var explain: String?

  @Option(name: [.customShort("n"), .customLong("limit")], help: "At most this many servers.")
  var limit = 20

  @Flag(name: .long, help: "Servers below the line of candidates as well.")
  var all = false

  @Flag(name: .long, help: "Do not enter what is found into the register.")
  var dryRun = false

  @Option(name: .long, help: "Pairs of client and server that are remembered at most.")
  var pairs = TrackingParameters().pairs

  func validate() throws {
    guard !files.isEmpty || purpose?.allSatisfy(\.isWhitespace) == false else {
      throw ValidationError(
        "--purpose must say why the flows of the archive are looked at, or name files.")
    }
    guard limit > 0, (1_000...50_000_000).contains(pairs) else {
      throw ValidationError("--limit must be above 0, --pairs 1000 to 50000000.")
    }
    guard [on != nil, archive != nil, !files.isEmpty].count(where: { $0 }) <= 1 else {
      throw ValidationError("Only one of --on, --archive and files can be looked into at a time.")
    }
    if let on {
      do {
        _ = try ClusterAddress(on)
      } catch {
        throw ValidationError("--on \(error).")
      }
    }
    if let explain, Service(text: explain) == nil {
      throw ValidationError("--explain: “\(explain)” is no service such as 192.0.2.1:6667.")
    }
    _ = try QueryWindow.read(from: from, to: to)
  }

  func run() async throws {
    var ranking = try ranking()
    ranking.limit = max(limit, 1_000)
    var tracking = TrackingParameters()
    tracking.pairs = pairs
    let tracker = ContactTracker(parameters: tracking)
    var register: ServerRegister?
    if files.isEmpty {
      let house = try options.house()
      let store = try house.store()
      let servers = try ServerRegister(opening: store)
      ranking.verdicts = try servers.verdicts()
      register = servers
      try await read(house, store, into: tracker)
    } else {
      let bar = ProgressBar("Reading flows", unit: "flows")
      for path in files {
        try LabelledFlowReader(path: path).forEachFlow { flow in
          tracker.add(flow.contact)
          if tracker.counters.contacts & 0xffff == 0 { bar.update(tracker.counters.contacts) }
        }
      }
      bar.finish()
    }
    let result = ranking.rank(tracker)
    if let register, !dryRun {
      let house = try options.house()
      try register.record(result.servers, at: House.now)
      let findings = result.servers.flatMap {
        $0.findings(
          kind: .commandAndControl, sensor: house.flowSensor, parameters: ranking.parameters)
      }
      let changes = try house.take(findings, at: result.servers.map(\.lastSeen).max())
      if !changes.isEmpty {
        Terminal.error.line(
          "\(changes.opened.count) cases opened, \(changes.updated.count) updated.")
      }
    }
    if let explain, let service = Service(text: explain) {
      guard let server = result.servers.first(where: { $0.service == service }) else {
        throw CommandFailure(
          "\(service) is not among the \(result.servers.count) servers that were ranked",
          advice: "It has too few contacts to be judged, or none in these flows.",
          status: .negative)
      }
      Terminal.output.write(
        ServerExplanation(server, parameters: ranking.parameters).text())
      return
    }
    let shown = result.servers.filter { all || $0.grade >= .candidate }.prefix(limit)
    try output.write(
      Array(shown), columns: DetectTable.columns,
      nothing: "No server is a candidate; --all lists the others.")
    if output.format == .table { summary(result) }
  }

  /// Of the archive with the house's networks, lists and infected hosts; files speak for themselves.
  private func ranking() throws -> ServerRanking {
    guard files.isEmpty else { return try detection.ranking() }
    let house = try options.house()
    var ranking = try detection.add(to: house.configuredRanking())
    ranking.knownInfected.formUnion(try house.infectedHosts(asOf: House.now))
    return ranking
  }

  private func read(
    _ house: House, _ store: DataStore, into tracker: ContactTracker
  ) async throws {
    let bar = ProgressBar("Reading flows", unit: "")
    let why = try SearchPurpose(actor: House.operatorName, purpose: purpose ?? "")
    let audit: @Sendable (SearchRecord) throws -> Void = { record in
      try house.record(
        "flows.search." + record.stage.rawValue, subject: record.archive, details: record.details,
        in: store)
    }
    let progress: @Sendable (Int, Int) -> Void = { done, total in
      bar.update(UInt64(done), fraction: total > 0 ? Double(done) / Double(total) : 1)
    }
    var query = try FlowQuery(.listing)
    query.window = try QueryWindow.read(from: from, to: to)
    query.windowRule = .overlapping
    // Counters stay as counted: the rate of sampling is judged, not multiplied away.
    query.isRaw = true
    if let on {
      var search = ClusterSearch(try ClusterAddress(on), purpose: why, audit: audit)
      search.progress = progress
      try await tracker.add(search, query)
    } else {
      var search = FlowSearch(archive: archive ?? house.data.flows, purpose: why, audit: audit)
      search.progress = progress
      search.isCancelled = { Task.isCancelled }
      try tracker.add(search, query)
    }
    bar.finish()
  }

  private func summary(_ result: ServerRanking.Result) {
    let home =
      result.home.isEmpty ? "unknown" : result.home.map(\.description).joined(separator: ", ")
    Terminal.error.line(
      "\(Quantity.grouped(Int64(clamping: result.counters.contacts))) flows, "
        + "\(Quantity.grouped(result.population)) clients (home networks \(home)), "
        + "\(Quantity.grouped(result.conduct.count)) of them suspicious; "
        + "\(Quantity.grouped(result.weighed)) servers weighed.")
    if result.samplingRate > 1 {
      Terminal.error.line(
        "The flows are sampled 1:\(result.samplingRate): short rhythms and single sessions are "
          + "mostly unseen.")
    }
    let lost =
      result.counters.evictedPairs + result.counters.refused + result.counters.refusedTimelines
    if lost > 0 {
      Terminal.error.line(
        "\(Quantity.grouped(Int64(clamping: lost))) pairs found no room; raise --pairs.")
    }
  }
}

extension ServerRegister {
  /// The register of a database, whose tables are made where they are missing.
  init(opening store: DataStore) throws {
    try store.migrate(ServerRegister.migrations)
    self.init(store: store, trail: AuditTrail(store: store))
  }
}
