import Foundation
import NetworkTypes

/// Measures the detector on labelled sets, with other methods beside it. The same sets, parameters and
/// seed give the same report to the last digit.
public struct DetectionEvaluation: Sendable {
  public struct Parameters: Hashable, Sendable, Codable {
    public var seed: UInt64 = 1
    public var resamples = 1_000
    /// Sampling rates that are tried besides none.
    public var samplingRates: [UInt32] = [10, 100, 1_000]
    /// Flows that are kept in memory; of larger sets only the whole is ranked.
    public var keptFlows = 3_000_000
    /// Rankings at most in a replay that measures the time to detection, and seconds between them at
    /// least.
    public var replayRankings = 48
    public var replaySeconds = 300
    /// Servers of the list that a report has.
    public var head = 15
    public var depth = 1_000
    public var includesBaselines = true
    public var overlays: [BeaconOverlay] = DetectionEvaluation.sweep

    public init() {}
  }

  public var parameters: Parameters
  public var ranking: ServerRanking
  public var tracking = TrackingParameters()
  /// Told what is being done.
  public var progress: (@Sendable (String) -> Void)?

  public init(
    parameters: Parameters = Parameters(), ranking: ServerRanking = ServerRanking()
  ) {
    self.parameters = parameters
    self.ranking = ranking
    self.ranking.limit = parameters.depth
  }

  /// Periods from a minute to an hour, jitter from none to what leaves no rhythm, regular and varying
  /// sizes, one client and three, on a port of its own and among the web, alone and beside a scan.
  public static let sweep: [BeaconOverlay] = {
    var all: [BeaconOverlay] = []
    for period in [30.0, 60, 300, 900, 1_800, 3_600] {
      for jitter in [0.0, 0.1, 0.3, 0.5, 0.9] {
        all.append(BeaconOverlay(period: period, jitter: jitter))
      }
      all.append(BeaconOverlay(period: period, jitter: 0.2, byteJitter: 0.8))
      all.append(BeaconOverlay(period: period, jitter: 0.2, gaps: 0.5))
      all.append(BeaconOverlay(period: period, jitter: 0.2, clients: 3))
      all.append(BeaconOverlay(period: period, jitter: 0.2, port: 443))
      all.append(BeaconOverlay(period: period, jitter: 0.2, scans: 500))
      all.append(BeaconOverlay(period: period, jitter: 0.9, byteJitter: 0.8, scans: 500))
      all.append(BeaconOverlay(period: period, jitter: 0.3, isAnswered: false))
    }
    return all
  }()

  /// Evaluates sets; overlays are laid over those of `bases`, which must be in memory.
  ///
  /// - Throws: ``LabelledFlowError``.
  public func run(
    _ sets: [EvaluationSet], bases: [EvaluationSet] = []
  ) throws -> EvaluationReport {
    var report = EvaluationReport(seed: parameters.seed, parameters: ranking.parameters)
    var pooled: [(probability: Double, isTrue: Bool)] = []
    for set in sets {
      progress?(set.name)
      let flows = try EvaluationFlows(set, keeping: parameters.keptFlows)
      report.scenarios.append(try scenario(flows, &pooled))
    }
    for base in bases {
      let flows = try EvaluationFlows(base, keeping: parameters.keptFlows)
      guard flows.canReplay else { continue }
      for overlay in parameters.overlays {
        progress?("\(base.name) with a beacon every \(Int(overlay.period)) s")
        report.overlays.append(try lay(overlay, over: flows, rate: 1))
      }
      for rate in parameters.samplingRates {
        for period in [30.0, 60, 300] {
          report.overlays.append(
            try lay(BeaconOverlay(period: period, jitter: 0.1), over: flows, rate: rate))
        }
      }
    }
    report.calibration = Self.calibration(pooled)
    return report
  }

  // MARK: One set

  private func ranker(_ set: EvaluationSet) -> ServerRanking {
    var ranker = ranking
    ranker.home = set.home ?? ranking.home
    return ranker
  }

  private func scenario(
    _ flows: EvaluationFlows, _ pooled: inout [(probability: Double, isTrue: Bool)]
  ) throws -> EvaluationReport.Scenario {
    var scenario = EvaluationReport.Scenario()
    let ranker = ranker(flows.set)
    let tracker = ContactTracker(parameters: tracking)
    try flows.forEachFlow { tracker.add($0.contact) }
    let result = ranker.rank(tracker)
    scenario.name = flows.set.name
    scenario.flows = flows.counts.flows
    scenario.passedOver = flows.counts.passedOver
    scenario.days = flows.seconds / 86_400
    scenario.home = result.home.map(\.description)
    scenario.population = result.population
    scenario.suspects = result.suspects
    scenario.counters = result.counters
    scenario.metrics = metrics(result.servers, flows)
    scenario.truth = truth(result.servers, flows)
    scenario.head = result.servers.prefix(parameters.head).map { server in
      EvaluationReport.Listed(
        service: server.service.description, probability: server.probability, grade: server.grade,
        isTrue: flows.isTrue(server.service), clients: server.clientCount,
        contacts: server.clients.first?.contacts ?? 0, evidence: server.evidence,
        times: server.contacts)
    }
    scenario.candidates = result.servers.count { $0.grade >= .candidate }
    scenario.probable = result.servers.count { $0.grade >= .probable }
    scenario.confirmed = result.servers.count { $0.grade >= .confirmed }
    let wrong = result.servers.filter { $0.grade >= .probable && !flows.isTrue($0.service) }
    scenario.falseServers = wrong.count
    scenario.otherMalicious = wrong.count { flows.malicious.contains($0.service) }
    scenario.falseConfirmed = wrong.count { $0.grade == .confirmed }
    // A capture of less than a day counts as a day: nobody reports by the minute.
    let days = max(1, scenario.days)
    let interval = RankingMetrics.poisson(wrong.count)
    scenario.falsePerDay = RankingMetrics.Estimate(
      value: Double(wrong.count) / days, low: interval.low / days, high: interval.high / days)
    pooled += result.servers.map { ($0.probability, flows.isTrue($0.service)) }
    let home = HomeNetworks(result.home)
    let online = try replay(flows, ranker, &scenario)
    var baseline: BaselineCollector?
    if parameters.includesBaselines {
      // RITA looks from inside to outside; where the true server is inside, at everything.
      let isInside = flows.control.contains { home.contains($0.server) }
      var collector = BaselineCollector(home: isInside ? .unknown : home)
      try flows.forEachFlow { collector.add($0) }
      scenario.baselines = baselines(collector, flows)
      baseline = collector
    }
    scenario.garcia = try garcia(flows, result.servers, online, baseline)
    for rate in parameters.samplingRates {
      scenario.sampled.append(try sampled(flows, ranker, rate))
    }
    return scenario
  }

  private func metrics(_ servers: [DetectedServer], _ flows: EvaluationFlows) -> RankingMetrics {
    let entries = servers.map {
      RankingMetrics.Entry(score: $0.score, isTrue: flows.isTrue($0.service))
    }
    let listed = flows.trueServices.count { channel in
      servers.contains { Self.is($0.service, channel) }
    }
    return RankingMetrics(
      entries, missed: max(0, flows.trueServices.count - listed), resamples: parameters.resamples,
      seed: parameters.seed)
  }

  private static func `is`(_ service: Service, _ channel: EvaluationSet.Channel) -> Bool {
    channel.server == service.address && (channel.port ?? service.port) == service.port
  }

  private func truth(
    _ servers: [DetectedServer], _ flows: EvaluationFlows
  ) -> [EvaluationReport.Truth] {
    flows.trueServices.map { channel in
      var truth = EvaluationReport.Truth(server: channel.description)
      if let found = servers.first(where: { Self.is($0.service, channel) }) {
        // Other true servers before it do not push it down; equals that are false do.
        truth.rank =
          servers.count {
            ($0.score > found.score || $0.score == found.score && $0.service != found.service)
              && !flows.isTrue($0.service)
          } + 1
        truth.probability = found.probability
        truth.grade = found.grade
      }
      return truth
    }.sorted { ($0.rank ?? .max, $0.server) < ($1.rank ?? .max, $1.server) }
  }

  // MARK: Time

  /// Ranks again and again while flows come in, as a live detector would; gives back when each service
  /// first got above the reporting line, in nanoseconds.
  private func replay(
    _ flows: EvaluationFlows, _ ranker: ServerRanking, _ scenario: inout EvaluationReport.Scenario
  ) throws -> [Service: Int64] {
    guard flows.canReplay, parameters.replayRankings > 0 else { return [:] }
    // A ranking looks at every pair: of large sets fewer are made.
    let rankings = min(parameters.replayRankings, max(8, 20_000_000 / max(1, flows.counts.flows)))
    let step = Int64(
      max(Double(parameters.replaySeconds), flows.seconds / Double(rankings)) * 1e9
    )
    let tracker = ContactTracker(parameters: tracking)
    var quick = ranker
    quick.limit = 200
    var next = flows.first &+ step
    var first: [Service: Int64] = [:]
    var begun: [Service: Int64] = [:]
    func look(at moment: Int64) {
      for server in quick.rank(tracker).servers where server.grade >= .probable {
        if first[server.service] == nil { first[server.service] = moment }
      }
    }
    try flows.forEachByEnd { flow in
      while flow.contact.end >= next, next < flows.last {
        look(at: next)
        next = next &+ step
      }
      tracker.add(flow.contact)
      if flow.label == .commandAndControl || !flows.set.channels.isEmpty {
        let service = Service(
          flow.contact.server, port: flow.contact.serverPort,
          transport: IPProtocol(rawValue: flow.contact.transport))
        if flows.isTrue(service) {
          begun[service] = min(begun[service] ?? .max, flow.contact.start)
        }
      }
    }
    look(at: flows.last)
    for index in scenario.truth.indices {
      guard let channel = EvaluationSet.Channel(text: scenario.truth[index].server) else {
        continue
      }
      let moments = first.filter { Self.is($0.key, channel) }
      if let earliest = moments.min(by: { $0.value < $1.value }), let start = begun[earliest.key] {
        scenario.truth[index].secondsToDetection = Double(earliest.value &- start) / 1e9
      }
    }
    return first
  }

  private func sampled(
    _ flows: EvaluationFlows, _ ranker: ServerRanking, _ rate: UInt32
  ) throws -> EvaluationReport.Sampled {
    var sampling = FlowSampling(rate: rate, seed: parameters.seed)
    let tracker = ContactTracker(parameters: tracking)
    var count = 0
    try flows.forEachFlow { flow in
      if let flow = sampling.sample(flow) {
        tracker.add(flow.contact)
        count += 1
      }
    }
    let servers = ranker.rank(tracker).servers
    return EvaluationReport.Sampled(
      rate: rate, flows: count, metrics: metrics(servers, flows), truth: truth(servers, flows),
      falseServers: servers.count { $0.grade >= .probable && !flows.isTrue($0.service) })
  }

  // MARK: Others beside it

  private func garcia(
    _ flows: EvaluationFlows, _ servers: [DetectedServer], _ online: [Service: Int64],
    _ baseline: BaselineCollector?
  ) throws -> [EvaluationReport.Garcia] {
    let listed = Set(servers.filter { $0.grade >= .probable }.map(\.service))
    // RITA flags pairs from 0.9 on.
    let beacons = Set(
      (baseline?.ranking(.v5) ?? []).prefix { $0.parts.score >= 0.9 }.map {
        EvaluationSet.Channel(client: $0.source, server: $0.destination)
      })
    var metrics = [String: GarciaMetric]()
    let methods = ["list", "online", "everything"] + (baseline == nil ? [] : ["rita-v5"])
    for method in methods { metrics[method] = GarciaMetric() }
    var hasLabels = false
    try flows.forEachFlow { flow in
      let contact = flow.contact
      let service = Service(
        contact.server, port: contact.serverPort,
        transport: IPProtocol(rawValue: contact.transport))
      let source = flow.sourceIsClient ? contact.client : contact.server
      if flow.label != .background { hasLabels = true }
      let isListed = listed.contains(service)
      let isOnline = online[service].map { contact.start >= $0 } ?? false
      let isBeacon = beacons.contains(
        EvaluationSet.Channel(client: contact.client, server: contact.server))
      let flags = [
        "list": isListed, "online": isOnline, "everything": true, "rita-v5": isBeacon,
      ]
      for method in methods {
        metrics[method]?.add(
          nanoseconds: contact.start, source: source, label: flow.label,
          isFlagged: flags[method] ?? false)
      }
    }
    guard hasLabels else { return [] }
    return methods.compactMap { method in
      metrics[method].map { EvaluationReport.Garcia(method, $0.result) }
    }
  }

  private func baselines(
    _ collector: BaselineCollector, _ flows: EvaluationFlows
  ) -> [EvaluationReport.Baseline] {
    func isTrue(_ client: IPAddress?, _ server: IPAddress) -> Bool {
      flows.control.contains {
        $0.server == server && ($0.client == nil || client == nil || $0.client == client)
      }
    }
    let positives = Set(flows.control.map(\.server)).count
    var all: [EvaluationReport.Baseline] = []
    for version in RitaScore.Version.allCases {
      let pairs = collector.ranking(version)
      let best = pairs.first { isTrue($0.source, $0.destination) }
      all.append(
        EvaluationReport.Baseline(
          method: "rita-\(version.rawValue)", scored: pairs.count,
          rank: best.map { best in pairs.count { $0.parts.score >= best.parts.score } },
          score: best?.parts.score,
          averagePrecision: RankingMetrics.averagePrecision(
            pairs.map {
              RankingMetrics.Entry(
                score: $0.parts.score, isTrue: isTrue($0.source, $0.destination))
            }, positives: max(positives, pairs.count { isTrue($0.source, $0.destination) })),
          atLeast90: pairs.count { $0.parts.score >= 0.9 }))
    }
    let popular = collector.popularity()
    let best = popular.first { isTrue(nil, $0.server) }
    all.append(
      EvaluationReport.Baseline(
        method: "popularity", scored: popular.count,
        rank: best.map { best in popular.count { $0.score >= best.score } }, score: best?.score,
        averagePrecision: RankingMetrics.averagePrecision(
          popular.map {
            RankingMetrics.Entry(score: $0.score, isTrue: isTrue(nil, $0.server))
          }, positives: positives), atLeast90: nil))
    return all
  }

  // MARK: Overlays and calibration

  private func lay(
    _ overlay: BeaconOverlay, over flows: EvaluationFlows, rate: UInt32
  ) throws -> EvaluationReport.OverlayResult {
    var candidates = try flows.hosts()
    // Lonely captures get imaginary neighbours, so that several clients can be infected.
    var neighbour: UInt32 = 0xc0a8_01c8
    while candidates.count < overlay.clients {
      candidates.append(IPAddress(v4: neighbour))
      neighbour += 1
    }
    var sampling = FlowSampling(rate: rate, seed: parameters.seed)
    let tracker = ContactTracker(parameters: tracking)
    try flows.forEachFlow { flow in
      if let flow = sampling.sample(flow) { tracker.add(flow.contact) }
    }
    for flow in overlay.flows(
      from: flows.first, to: flows.last, hosts: candidates, seed: parameters.seed)
    {
      if let flow = sampling.sample(flow) { tracker.add(flow.contact) }
    }
    let servers = ranker(flows.set).rank(tracker).servers
    let place = servers.firstIndex { $0.service == overlay.service }
    return EvaluationReport.OverlayResult(
      set: flows.set.name, overlay: overlay, samplingRate: rate, rank: place.map { $0 + 1 },
      probability: place.map { servers[$0].probability } ?? 0,
      grade: place.map { servers[$0].grade } ?? .none)
  }

  static func calibration(
    _ pooled: [(probability: Double, isTrue: Bool)]
  ) -> [EvaluationReport.CalibrationBin] {
    let bounds = [0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.97, 1.000_001]
    return zip(bounds, bounds.dropFirst()).compactMap { from, to in
      let inside = pooled.filter { $0.probability >= from && $0.probability < to }
      guard !inside.isEmpty else { return nil }
      let mean = inside.reduce(0) { $0 + $1.probability } / Double(inside.count)
      let observed = Double(inside.count { $0.isTrue }) / Double(inside.count)
      return EvaluationReport.CalibrationBin(
        from: from, to: min(1, to), servers: inside.count, meanProbability: mean,
        observed: observed)
    }
  }
}
