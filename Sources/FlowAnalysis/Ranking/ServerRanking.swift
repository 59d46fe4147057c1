import Foundation
public import NetworkTypes

/// Ranks the services that a tracker remembers by how likely each is a C&C server.
///
/// ```swift
/// var ranking = ServerRanking()
/// ranking.lists = try ThreatList(files: ["c2.txt"])
/// for server in ranking.rank(tracker).servers where server.grade >= .probable { … }
/// ```
public struct ServerRanking: Sendable {
  public var parameters: RankingParameters
  /// Networks that are watched; nil to guess them from the flows.
  public var home: HomeNetworks?
  public var lists = ThreatList()
  /// Hosts that others know as infected: the telescope, the survey, members.
  public var knownInfected: Set<IPAddress> = []
  public var verdicts: [Service: ServerVerdict] = [:]
  /// Servers at most in a result.
  public var limit = 1_000

  public init(parameters: RankingParameters = RankingParameters()) { self.parameters = parameters }

  /// What came of it.
  public struct Result: Sendable {
    /// The most likely first; equal ones by address, so that the order is always the same.
    public var servers: [DetectedServer] = []
    /// The evidence of every service that had any, for fitting; the same order.
    public var home: [IPPrefix] = []
    public var population = 0
    public var suspects = 0.0
    public var counters = TrackingCounters()
    public var samplingRate: UInt32 = 0
    /// Services that were weighed.
    public var weighed = 0
    /// Clients that do harm.
    public var conduct: [IPAddress: ClientConduct] = [:]

    public init() {}
  }

  /// A service in the making.
  struct Weighing {
    var best: PairEvidence
    var score: Double
    var evidence: [Double]
  }

  public func rank(_ tracker: ContactTracker) -> Result {
    var known = knownInfected
    if verdicts.contains(where: { $0.value == .confirmed }) {
      known.formUnion(clientsOfConfirmed(tracker))
    }
    let survey = PopulationSurvey(
      tracker, home: home, knownInfected: known, parameters: parameters)
    var pairs = evidence(tracker, survey)
    complete(&pairs, tracker, survey)
    var weighings = weigh(pairs, tracker, survey)
    var result = Result()
    result.weighed = weighings.count
    result.home = survey.home.prefixes
    result.population = survey.population
    result.suspects = survey.suspects
    result.counters = tracker.counters
    result.samplingRate = tracker.samplingRate
    for (client, conduct) in survey.conduct where conduct.suspicion > 0 {
      result.conduct[IPAddress(bits: tracker.addresses[client])] = conduct
    }
    // Only what can still get somewhere is looked at more closely.
    var order = weighings.map { (number: $0.key, score: $0.value.score) }.sorted { one, other in
      one.score != other.score
        ? one.score > other.score : service(one.number, tracker) < service(other.number, tracker)
    }.map(\.number)
    let kept = order.prefix(max(limit * 2, 200))
    order =
      Array(kept)
      + order.dropFirst(kept.count).filter { verdicts[service($0, tracker)] != nil }
    let members = members(of: Set(order), tracker)
    for service in order {
      guard var weighing = weighings[service], let pairs = members[service] else { continue }
      addSynchrony(&weighing, pairs, tracker)
      weighings[service] = weighing
    }
    var servers: [DetectedServer] = []
    for service in order {
      guard let weighing = weighings[service] else { continue }
      servers.append(server(service, weighing, members[service] ?? [], tracker, survey))
    }
    result.servers = servers.sorted {
      $0.score != $1.score ? $0.score > $1.score : $0.service < $1.service
    }
    result.servers =
      Array(result.servers.prefix(limit))
      + result.servers.dropFirst(limit).filter { $0.verdict != nil }
    return result
  }

  private func clientsOfConfirmed(_ tracker: ContactTracker) -> Set<IPAddress> {
    var confirmed: Set<Int> = []
    for (service, verdict) in verdicts where verdict == .confirmed {
      if let server = tracker.addresses.find(service.address.bits),
        let number = tracker.services.find(
          ContactTracker.serviceKey(
            server: server, port: service.port, transport: service.transport.rawValue))
      {
        confirmed.insert(number)
      }
    }
    var clients: Set<IPAddress> = []
    for index in 0..<tracker.pairs.count
    where confirmed.contains(Int(tracker.pairs[index] & 0xffff_ffff)) {
      clients.insert(IPAddress(bits: tracker.addresses[Int(tracker.pairs[index] >> 32)]))
    }
    return clients
  }

  // MARK: Pairs

  /// Services that are on a list or have a verdict: they are weighed however seldom they are met.
  private func specialServices(_ tracker: ContactTracker) -> Set<Int> {
    guard lists.entryCount > 0 || !verdicts.isEmpty else { return [] }
    var special: Set<Int> = []
    for number in 0..<tracker.services.count {
      let service = service(number, tracker)
      if verdicts[service] != nil || lists.entryCount > 0 && !lists.matches(service).isEmpty {
        special.insert(number)
      }
    }
    return special
  }

  /// Evidence of all pairs that can be judged, without the spectrum.
  private func evidence(
    _ tracker: ContactTracker, _ survey: borrowing PopulationSurvey
  ) -> [PairEvidence] {
    let sizeTest = SizeRegularityTest(parameters: parameters.sizes)
    let sessionTest = LongSessionTest(parameters: parameters.sessions)
    var quick = parameters.periodicity
    quick.spectralContacts = .max
    let rhythmTest = PeriodicityTest(parameters: quick)
    let isCoarse = tracker.samplingRate >= parameters.coarseSampling
    let window = Double(
      max(1, min(86_400, tracker.lastSecond - min(tracker.lastSecond, tracker.firstSecond ?? 0))))
    let special = specialServices(tracker)
    var pairs: [PairEvidence] = []
    for index in 0..<tracker.pairs.count {
      let pair = tracker.states[index]
      let key = tracker.pairs[index]
      let client = Int(key >> 32)
      let number = Int(key & 0xffff_ffff)
      let isLong = Double(pair.longest) > parameters.sessions.shortest
      let isOften = max(pair.contacts, pair.replies) >= 3
      // Once or twice is enough where the client is a suspect already.
      guard
        isLong || isOften || (survey.suspicion[client] > 300 && !PopulationSurvey.isSilent(pair))
          || special.contains(number)
      else { continue }
      let service = tracker.services[number]
      let transport = UInt8(truncatingIfNeeded: service)
      guard transport == 6 || transport == 17 else { continue }
      let direction = survey.direction(client: client, server: Int(service >> 24))
      guard direction != .other else { continue }
      // An address inside that answers nobody offers no service.
      guard direction != .inbound || survey.isAnswered[number] else { continue }
      let port = UInt16(truncatingIfNeeded: service >> 8)
      var evidence = PairEvidence(
        pair: index, client: client, service: number, portClass: PortClass(port: port),
        isInbound: direction == .inbound)
      let timeline = tracker.timeline(pair)
      if timeline.seconds.count > parameters.periodicity.minimumIntervals {
        let rhythm = rhythmTest.examine(timeline.seconds)
        evidence.rhythm = rhythm.strength
        evidence.periodic = graded(rhythm.strength)
        evidence.period = rhythm.period
      }
      if !isCoarse { evidence.sameSize = sizeTest.share(timeline.sizes) ?? 0 }
      evidence.persistent = persistence(pair, evidence, timeline.seconds.count, window)
      evidence.longSession = sessionTest.strength(
        seconds: Double(pair.longest), octets: Double(pair.longestBytes) * 16)
      if transport == 6 {
        let scan = survey.scan(client: client, port: port)
        if scan.servers >= parameters.scanTargets,
          PopulationSurvey.isSilent(pair) || scan.servers >= 50,
          Double(pair.contacts) < parameters.standsOut * max(1, scan.contacts)
        {
          evidence.scanTarget = 1
        }
      }
      evidence.isRegular =
        evidence.scanTarget == 0
        && (evidence.periodic > 0.3 || PopulationSurvey.isSilent(pair) && isOften
          || evidence.longSession > 0)
      pairs.append(evidence)
    }
    return pairs
  }

  /// How much of the time a client kept coming, and how few beats it left out where it has a rhythm: a
  /// beacon beats through, a person's program in bursts.
  private func persistence(
    _ pair: Pair, _ evidence: PairEvidence, _ seconds: Int, _ window: Double
  ) -> Double {
    let span = Double(pair.last - min(pair.last, pair.first))
    let covered = min(1, span / window)
    let contacts = seconds < Timelines.length ? seconds : Int(max(pair.contacts, pair.replies))
    let beats = evidence.periodic > 0 ? Double(contacts) * evidence.period / max(1, span) : 0.5
    return max(0, (covered - parameters.persistentFrom) / (1 - parameters.persistentFrom))
      * min(1, Double(seconds) / parameters.persistentContacts)
      * (1 - parameters.steadiness + parameters.steadiness * min(1, beats))
  }

  func graded(_ strength: Double) -> Double {
    min(
      1,
      max(
        0,
        (strength - parameters.periodicFrom) / (parameters.periodicFull - parameters.periodicFrom)))
  }

  /// Adds the spectrum where it can lift a pair over the line of candidates.
  private func complete(
    _ pairs: inout [PairEvidence], _ tracker: ContactTracker, _ survey: borrowing PopulationSurvey
  ) {
    let test = PeriodicityTest(parameters: parameters.periodicity)
    let window = Double(
      max(1, min(86_400, tracker.lastSecond - min(tracker.lastSecond, tracker.firstSecond ?? 0))))
    let goal = log(parameters.candidate / (1 - parameters.candidate)) - 2
    for index in pairs.indices where pairs[index].periodic < 0.9 {
      let pair = tracker.states[pairs[index].pair]
      guard pair.early == Pair.hasTimeline else { continue }
      var best = pairs[index]
      best.periodic = 1
      best.rhythm = .infinity
      guard weigh(best, 1, examined: 1, tracker, survey).score > goal else { continue }
      let seconds = tracker.timeline(pair).seconds
      let result = test.examine(seconds)
      if graded(result.strength) > pairs[index].periodic {
        pairs[index].rhythm = result.strength
        pairs[index].periodic = graded(result.strength)
        pairs[index].period = result.period
        pairs[index].persistent = persistence(pair, pairs[index], seconds.count, window)
      }
      if pairs[index].scanTarget == 0, pairs[index].periodic > 0.3 { pairs[index].isRegular = true }
    }
  }

  // MARK: Weighing

  private func weigh(
    _ pairs: [PairEvidence], _ tracker: ContactTracker, _ survey: borrowing PopulationSurvey
  ) -> [Int: Weighing] {
    // How many servers each client treats alike, by kind of port.
    var alike: [Int: Int] = [:]
    for pair in pairs where pair.isRegular && pair.portClass != .infrastructure {
      alike[pair.client << 2 | (pair.portClass == .web ? 1 : 0), default: 0] += 1
    }
    // In how many of its clients a rhythm was looked for.
    var examined: [Int: Int] = [:]
    for pair in pairs where pair.rhythm != nil { examined[pair.service, default: 0] += 1 }
    var weighings: [Int: Weighing] = [:]
    for pair in pairs {
      let like = alike[pair.client << 2 | (pair.portClass == .web ? 1 : 0)] ?? 0
      let (score, evidence) = weigh(
        pair, max(1, like), examined: examined[pair.service] ?? 1, tracker, survey)
      if let known = weighings[pair.service],
        known.score > score
          || known.score == score
            && !isBefore(pair.pair, known.best.pair, tracker)
      {
        continue
      }
      weighings[pair.service] = Weighing(best: pair, score: score, evidence: evidence)
    }
    return weighings
  }

  private func weigh(
    _ pair: PairEvidence, _ alike: Int, examined: Int, _ tracker: ContactTracker,
    _ survey: borrowing PopulationSurvey
  ) -> (score: Double, evidence: [Double]) {
    var values = [Double](repeating: 0, count: EvidenceKind.allCases.count)
    func set(_ kind: EvidenceKind, _ value: Double) {
      values[Self.index(kind)] = value
    }
    let number = pair.service
    let isCoarse = tracker.samplingRate >= parameters.coarseSampling
    // Of many clients one has a rhythm by chance: the best of so many is worth that much less (Bonferroni).
    set(.periodic, pair.rhythm.map { graded($0 - log10(Double(max(1, examined)))) } ?? 0)
    set(.sameSize, pair.sameSize)
    set(.persistent, pair.persistent)
    set(.longSession, pair.longSession)
    set(.rarePort, pair.portClass == .other ? 1 : 0)
    set(.infrastructure, pair.portClass == .infrastructure ? 1 : 0)
    set(.silent, !isCoarse && !survey.isAnswered[number] ? 1 : 0)
    set(.oneOfMany, log10(Double(max(1, alike))))
    set(.scanTarget, pair.scanTarget)
    set(.inbound, pair.isInbound ? 1 : 0)
    let suspects = Double(survey.suspectClients[number]) / 1_000
    if !pair.isInbound {
      set(
        .enriched,
        EnrichmentTest(parameters: parameters.enrichment).decades(
          suspects: suspects, clients: Int(survey.clients[number]),
          populationSuspects: survey.suspects, population: survey.population))
    }
    if survey.population >= parameters.population || pair.isInbound {
      let address = IPAddress(bits: tracker.addresses[Int(tracker.services[number] >> 24)])
      let own =
        pair.isInbound
        ? Double(survey.repeatingClients[number]) : Double(survey.clients[number]) - suspects
      let near = pair.isInbound ? 0 : 0.5 * (survey.neighbourClientCount(address) - suspects)
      let population = Double(
        max(10, pair.isInbound ? Int(survey.clients[number]) : survey.population))
      set(.popular, min(1, log10(max(1, own, near)) / log10(population)))
    }
    let first = survey.firstSeen[number]
    let begin = tracker.firstSecond ?? 0
    if Double(first - min(first, begin)) >= parameters.learningSeconds,
      Double(tracker.lastSecond - min(tracker.lastSecond, first)) <= parameters.newSeconds
    {
      set(.new, 1)
    }
    if lists.entryCount > 0, !lists.matches(service(number, tracker)).isEmpty { set(.listed, 1) }
    return (score(values), values)
  }

  /// Log-odds of evidence in the order of ``EvidenceKind/allCases``.
  func score(_ values: [Double]) -> Double {
    var sum = parameters.bias
    for (index, kind) in EvidenceKind.allCases.enumerated() where values[index] != 0 {
      sum += parameters.weight(kind) * values[index]
    }
    return sum
  }

  static func index(_ kind: EvidenceKind) -> Int { indices[kind] ?? 0 }

  private static let indices = Dictionary(
    uniqueKeysWithValues: EvidenceKind.allCases.enumerated().map { ($1, $0) })

  func service(_ number: Int, _ tracker: ContactTracker) -> Service {
    let key = tracker.services[number]
    return Service(
      IPAddress(bits: tracker.addresses[Int(key >> 24)]),
      port: UInt16(truncatingIfNeeded: key >> 8),
      transport: IPProtocol(rawValue: UInt8(truncatingIfNeeded: key)))
  }
}
