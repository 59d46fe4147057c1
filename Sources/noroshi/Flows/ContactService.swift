import Casework
import Findings
import FlowAnalysis
import FlowArchive
import FlowCluster
import FlowRecords
import Foundation
import Logging
import NetworkTypes
import ServiceLifecycle
import Settings
import Store
import Synchronization

/// Ranks the servers in the flows that a collector hands on, again and again for as long as it runs.
///
/// The archive of the last hours is read first, so that a restart forgets nothing; meanwhile what
/// comes in is taken in as well.
final class ContactService: ServiceLifecycle.Service, Sendable {
  /// How it goes, for `/metrics`.
  struct State: Sendable {
    var counters = TrackingCounters()
    var pairs = 0
    var rankings: UInt64 = 0
    /// Seconds that the last ranking took.
    var rankingSeconds = 0.0
    /// Servers above the reporting line in the last ranking.
    var reported = 0
    var failures: UInt64 = 0
  }

  private let house: House
  private let register: ServerRegister
  private let queue = PortionQueue<Contact>(capacity: largestQueue)
  private let state = Mutex(State())

  /// Contacts that may wait while servers are ranked, about 130 octets each: five seconds of 200,000
  /// a second.
  private static let largestQueue = 1_000_000
  private static let forgetSeconds = 86_400.0
  private static let unranked = "servers cannot be ranked"

  init(house: House, store: DataStore) throws {
    self.house = house
    register = try ServerRegister(opening: store)
    // Wrong weights or lists are told of at the start, not an hour later.
    _ = try house.configuredRanking()
  }

  /// Takes in a batch; the batch stays the caller's.
  func feed(_ batch: FlowBatch) {
    var contacts: [Contact] = []
    contacts.reserveCapacity(batch.count)
    for row in 0..<batch.count {
      if let contact = Orientation.contact(batch, row: row) { contacts.append(contact) }
    }
    queue.append(contacts)
  }

  /// What was seen, and how many flows were dropped before they were.
  var statistics: (state: State, dropped: UInt64) { (state.withLock { $0 }, queue.dropped) }

  func run() async throws {
    await queue.serve { [self] in work() }
  }

  private func work() {
    var tracking = TrackingParameters()
    tracking.pairs = house.configuration.detection.pairs
    let tracker = ContactTracker(parameters: tracking)
    attempt("the archive cannot be read") { try lookBack(tracker) }
    if tracker.pairCount > 0 { attempt(Self.unranked) { try rank(tracker) } }
    let interval = Duration.seconds(60 * house.configuration.detection.intervalMinutes)
    var ranked = ContinuousClock.now
    var forgot = ContinuousClock.now
    while let portions = queue.take(within: 1) {
      take(portions, into: tracker)
      if ContinuousClock.now - forgot >= .seconds(Self.forgetSeconds) {
        tracker.forgetIdle()
        forgot = .now
      }
      if ContinuousClock.now - ranked >= interval {
        attempt(Self.unranked) { try rank(tracker) }
        ranked = .now
      }
    }
    // What came since the last ranking is in the archive: the next start sees it.
  }

  private func take(_ portions: [[Contact]], into tracker: ContactTracker) {
    for contacts in portions {
      for contact in contacts { tracker.add(contact) }
    }
    state.withLock {
      $0.counters = tracker.counters
      $0.pairs = tracker.pairCount
    }
  }

  /// A tracker for a task that its thread waits for.
  private struct Handed: @unchecked Sendable {
    // @unchecked Sendable: the thread does nothing with it before the task has ended.
    let tracker: ContactTracker
  }

  /// Takes in what the archive, or the cluster, has of the last hours. What the collector receives
  /// from now on is not in it yet: its blocks are opened at once, and a block is on the disk only
  /// seconds after its flows came.
  private func lookBack(_ tracker: ContactTracker) throws {
    let hours = house.configuration.detection.lookbackHours
    guard hours > 0 else { return }
    let now = House.now
    var query = try FlowQuery(.listing)
    query.window = now.advanced(bySeconds: -3_600 * Double(hours))...now
    query.windowRule = .overlapping
    query.isRaw = true
    let purpose = try SearchPurpose(
      actor: "detection", purpose: "C&C detection of serve, as detection.enabled says")
    let (house, queue) = (house, queue)
    let audit: @Sendable (SearchRecord) throws -> Void = { record in
      try house.record(
        "flows.search." + record.stage.rawValue, subject: record.archive, details: record.details,
        by: .system("detection"), in: house.store())
    }
    if let cluster = house.configuration.flows.cluster {
      let search = ClusterSearch(try ClusterAddress(cluster), purpose: purpose, audit: audit)
      let handed = Handed(tracker: tracker)
      let work: @Sendable () async throws -> Void = { [query] in
        try await handed.tracker.add(search, query)
      }
      return try Waiting.forAnswer(isCancelled: { queue.isEnding }, work)
    }
    guard FileManager.default.fileExists(atPath: house.data.flows) else { return }
    var search = FlowSearch(archive: house.data.flows, purpose: purpose, audit: audit)
    search.isCancelled = { queue.isEnding }
    try tracker.add(search, query) { take(queue.take(within: 0) ?? [], into: tracker) }
  }

  private func rank(_ tracker: ContactTracker) throws {
    let start = ContinuousClock.now
    var ranking = try house.configuredRanking()
    ranking.verdicts = try register.verdicts()
    ranking.knownInfected.formUnion(try house.infectedHosts(asOf: House.now))
    let result = ranking.rank(tracker)
    try register.record(result.servers, at: House.now)
    let changes = try house.take(
      result.servers.flatMap {
        $0.findings(
          kind: .commandAndControl, sensor: house.flowSensor, parameters: ranking.parameters)
      }, at: House.now)
    let reported = result.servers.filter { $0.grade >= .probable }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    state.withLock {
      $0.rankings &+= 1
      $0.rankingSeconds = seconds
      $0.reported = reported.count
    }
    if !changes.opened.isEmpty || !changes.reopened.isEmpty {
      let names = reported.prefix(5).map(\.service.description).joined(separator: ", ")
      house.logger.warning("servers that command infected hosts, it seems: \(names)")
    }
  }

  /// A full disk or a list that was broken meanwhile must not end the watch.
  private func attempt(_ what: String, _ body: () throws -> Void) {
    do { try body() } catch {
      state.withLock { $0.failures &+= 1 }
      house.logger.error("\(what): \(error)")
    }
  }
}

extension House {
  /// A ranking as the keys below `detection` have it; verdicts and infected hosts are the caller's.
  func configuredRanking() throws -> ServerRanking {
    let detection = configuration.detection
    var ranking = ServerRanking()
    if let weights = detection.weights {
      ranking.parameters = try RankingParameters(file: weights.path)
    }
    let home = try detection.home.isEmpty ? ownPrefixes() : detection.home
    if !home.isEmpty { ranking.home = HomeNetworks(home) }
    ranking.lists = try ThreatList(files: detection.lists.map(\.path))
    return ranking
  }

  /// The hosts that others than the ranking itself found to be infected in the days of
  /// `detection.infectedDays`: what it concluded must not be its own evidence.
  func infectedHosts(asOf moment: Timestamp) throws -> Set<IPAddress> {
    let days = Double(configuration.detection.infectedDays)
    guard days > 0 else { return [] }
    return try caseRegister(store()).addresses(
      of: .infectedHost, seenSince: moment.advanced(bySeconds: -86_400 * days), notBy: flowSensor)
  }
}

extension RankingParameters {
  /// Weights as `noroshi flows fit` writes them.
  init(file path: String) throws {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw CommandFailure("There is no readable \(path)", status: .noInput)
    }
    do {
      self = try JSONDecoder().decode(RankingParameters.self, from: data)
    } catch {
      throw CommandFailure(
        "\(path) holds no weights: \(error)",
        advice: "`noroshi flows fit` writes such a file.", status: .badData)
    }
  }
}
