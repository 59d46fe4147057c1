public import Geolocation
public import NetworkTypes
public import PacketCapture
import Sketches

/// Observes packets on dark address space: one pass gives events, hosts, victims, alerts, campaigns and
/// series.
///
/// The thread that calls ``read(_:limit:)`` decodes and classifies; workers keep the tables. What comes
/// out depends on the packets and their order alone, not on the number of workers: each host belongs to
/// one of a fixed number of partitions, and everything that several partitions count is merged by
/// operations that do not care for order.
///
/// ```swift
/// let engine = TelescopeEngine(space: space, surroundings: .init())
/// var reader = try CaptureReader(path: "hour.pcap")
/// while try engine.read(&reader, limit: 1 << 20) > 0 {}
/// let results = engine.checkpoint(final: true)
/// ```
public final class TelescopeEngine {
  /// What the engine needs beside packets.
  public struct Surroundings: Sendable {
    public var parameters = TelescopeParameters()
    public var fingerprints = FingerprintRules.standard
    public var geo = GeoDatabase.empty
    public var surveys = SurveyLists.none
    /// Member organisations by prefix.
    public var members: [(organisation: String, prefix: IPPrefix)] = []
    /// Sources to leave out altogether: one's own measurements.
    public var ignoredSources: [IPPrefix] = []
    public var reverseName: @Sendable (IPAddress) -> String? = { _ in nil }
    /// Threads that keep tables, 1...64, beside the one that decodes.
    public var threads = 2

    public init() {}
  }

  public let space: DarkSpace
  public let parameters: TelescopeParameters
  public internal(set) var counters = TelescopeCounters()

  let surroundings: Surroundings
  let rules: PartitionRules
  private let classifier: PacketClassifier
  let partitions: PartitionSet
  let ring: BatchRing
  private let ignored: PrefixMap<Bool>
  private var undecoded = [UInt64](repeating: 0, count: DecodeOutcome.allCases.count)
  private var classPackets = [UInt64](repeating: 0, count: TrafficClass.allCases.count)
  var clock = EngineClock()
  var book: SeriesBook
  var storms = StormLog()
  var campaigns = CampaignWatch()
  private var finished = TelescopeResults()
  /// Whether the next checkpoint must look at hosts without new packets too.
  private var judgesAll = false
  var sources = HyperLogLog(precision: 14)

  public init(space: DarkSpace, surroundings: Surroundings) {
    self.space = space
    self.surroundings = surroundings
    parameters = surroundings.parameters
    let members = MemberIndex(members: surroundings.members, space: space)
    rules = PartitionRules(
      parameters: surroundings.parameters, space: space,
      matcher: FingerprintMatcher(surroundings.fingerprints), geo: surroundings.geo,
      members: members)
    classifier = PacketClassifier(space: space)
    partitions = PartitionSet(rules: rules)
    ignored = PrefixMap(surroundings.ignoredSources.map { ($0, true) })
    book = SeriesBook(
      parameters: surroundings.parameters,
      tools: surroundings.fingerprints.rules.map(\.tool))
    let count = min(Partition.count, max(1, surroundings.threads))
    let sampleLength = min(255, max(16, surroundings.parameters.sampleLength))
    ring = BatchRing(
      partitions: partitions, threads: count, sampleLength: sampleLength)
  }

  deinit {
    ring.stop()
  }

  /// Another engine with the same surroundings that has not read anything.
  func unused() -> TelescopeEngine { TelescopeEngine(space: space, surroundings: surroundings) }

  var organisations: [String] { rules.members.organisations }
  var toolNames: [String] { rules.matcher.rules.rules.map(\.tool) }

  /// Waits until the workers have nothing left to do.
  func drain() {
    ring.drain()
  }

  func writePartition(_ index: Int, to sink: inout CheckpointWriter) {
    partitions[index].write(to: &sink)
  }

  func readPartition(_ index: Int, from source: inout CheckpointReader) throws {
    try partitions[index].read(from: &source)
  }

  /// The latest moment seen; nil before the first packet.
  public var now: Timestamp? { clock.isSet ? Timestamp(nanoseconds: clock.now) : nil }

  /// Observes up to `limit` packets of a capture; 0 means that it has ended.
  public func read(_ reader: inout CaptureReader, limit: Int) throws(CaptureError) -> Int {
    var batch = Intake(self)
    let count = try reader.read(limit: limit) { record, bytes in
      batch.take(record, bytes, self)
    }
    batch.finish(self)
    return count
  }

  /// Observes packets of several captures in the order of their times, as ``read(_:limit:)``.
  public func read(_ captures: inout MergedCapture, limit: Int) throws(CaptureError) -> Int {
    var batch = Intake(self)
    let count = try captures.read(limit: limit) { record, bytes in
      batch.take(record, bytes, self)
    }
    batch.finish(self)
    return count
  }

  /// Observes packets of a live capture, as ``read(_:limit:)``; 0 also when the time ran out.
  public func read(
    _ live: LiveCapture, limit: Int, timeoutMilliseconds: Int
  ) throws(CaptureError) -> Int {
    var batch = Intake(self)
    let count = try live.read(limit: limit, timeoutMilliseconds: timeoutMilliseconds) {
      record, bytes in
      batch.take(record, bytes, self)
    }
    batch.finish(self)
    return count
  }

  /// The decoding thread's state for one call, kept out of the class so that it stays in registers.
  private struct Intake {
    var packets: UInt64 = 0
    var bytes: UInt64 = 0
    var outside: UInt64 = 0
    var ignored: UInt64 = 0
    var late: UInt64 = 0
    var classPackets = InlineArray<32, UInt64>(repeating: 0)
    let classifier: PacketClassifier
    let ring: BatchRing
    let hasIgnored: Bool
    var now: Int64
    var binEnd: Int64
    var binStart: Int64
    /// The hour in which the sensor was last known to be alive by a packet that is not for the tables.
    var heardFrom = Int64.max
    var heardTo = Int64.min

    init(_ engine: TelescopeEngine) {
      classifier = engine.classifier
      ring = engine.ring
      hasIgnored = !engine.ignored.isEmpty
      now = engine.clock.now
      binStart = engine.clock.binStart
      binEnd = engine.clock.binEnd
    }

    @inline(__always)
    mutating func take(
      _ record: borrowing PacketRecord, _ octets: RawSpan, _ engine: TelescopeEngine,
      opensBin: Bool = true
    ) {
      packets &+= 1
      bytes &+= UInt64(record.originalLength)
      let batch = ring.filling()
      let open = batch.pointee.open
      let outcome = PacketDecoder.decode(copy record, octets, into: &open.pointee.packet)
      guard outcome == .decoded else {
        engine.undecoded[Int(outcome.rawValue)] &+= 1
        hear(record.timestamp.nanoseconds, engine)
        return
      }
      guard classifier.isDark(open.pointee.packet.destination) else {
        outside &+= 1
        hear(record.timestamp.nanoseconds, engine)
        return
      }
      if hasIgnored, engine.ignored[open.pointee.packet.source] != nil {
        ignored &+= 1
        hear(record.timestamp.nanoseconds, engine)
        return
      }
      let time = open.pointee.packet.timestamp.nanoseconds
      if opensBin, time >= binEnd {
        // Closing the bin sends the batch that the packet was decoded into.
        openBin(at: time, engine, record, octets)
        return
      }
      if time < binStart { late &+= 1 }
      if time > now { now = time }
      let sighting = classifier.classify(open.pointee.packet, octets)
      classPackets[Int(sighting.trafficClass.rawValue & 31)] &+= 1
      open.pointee.subject = sighting.subject
      open.pointee.hash = Partition.sourceHash(sighting.subject.bits)
      open.pointee.trafficClass = sighting.trafficClass.rawValue
      open.pointee.port = sighting.port
      batch.pointee.append(
        partition: UInt8(truncatingIfNeeded: open.pointee.hash >> 58), octets)
      if batch.pointee.isFull { ring.send(.observe) }
    }

    /// Closes the open bin, opens the one that holds `time`, and takes the packet again.
    @inline(never)
    private mutating func openBin(
      at time: Int64, _ engine: TelescopeEngine, _ record: borrowing PacketRecord,
      _ octets: RawSpan
    ) {
      engine.openBin(at: time)
      binStart = engine.clock.binStart
      binEnd = engine.clock.binEnd
      packets &-= 1
      bytes &-= UInt64(record.originalLength)
      // A time beyond what a clock can show lies behind every bin.
      take(record, octets, engine, opensBin: false)
    }

    @inline(__always)
    private mutating func hear(_ time: Int64, _ engine: TelescopeEngine) {
      if time >= heardFrom, time < heardTo { return }
      let hour = EngineClock.hour(of: time)
      engine.campaigns.hear(hour: hour, parameters: engine.parameters)
      heardFrom = hour &* 3_600_000_000_000
      heardTo = heardFrom &+ 3_600_000_000_000
    }

    func finish(_ engine: TelescopeEngine) {
      for trafficClass in TrafficClass.allCases {
        engine.classPackets[Int(trafficClass.rawValue)] +=
          classPackets[
            Int(trafficClass.rawValue & 31)]
      }
      engine.counters.packets += packets
      engine.counters.bytes += bytes
      engine.counters.outsideDarkSpace += outside
      engine.counters.ignored += ignored
      engine.counters.late += late
      if engine.clock.isSet { engine.clock.now = max(engine.clock.now, now) }
    }
  }

  // MARK: Bins

  /// Closes the open five-minute bin, and opens the one that holds `time`.
  @inline(never)
  private func openBin(at time: Int64) {
    if clock.isSet { closeBin(now: time) }
    clock.open(at: time)
  }

  private func closeBin(now: Int64) {
    ring.tick(now: now)
    drain()
    collect()
    let hourEnds = EngineClock.hour(of: clock.binStart) != EngineClock.hour(of: now)
    if storms.examine(
      book.bin, from: clock.binStart, to: clock.binEnd, parameters: parameters)
    {
      judgesAll = true
    }
    book.closeBin(start: clock.binStart / 1_000_000_000)
    if hourEnds { closeHour() }
    book.closeBefore(now / 1_000_000_000)
    finished.series += book.takePoints()
  }

  private func closeHour() {
    let hour = EngineClock.hour(of: clock.binStart)
    let from = hour * 3_600_000_000_000
    var counts = book.hourSources()
    for (subject, number) in portSets(since: from) { counts[subject] = Double(number) }
    campaigns.examine(hour: hour, sources: counts, parameters: parameters) { subject in
      mix(of: subject, since: from)
    }
    finished.campaigns += campaigns.takeFinished()
  }

  /// Takes what the partitions have finished. The workers must be idle.
  private func collect() {
    for index in 0..<Partition.count {
      var results = PartitionResults(parameters: parameters)
      swap(&results, &partitions[index].results)
      finished.events += results.closedEvents
      finished.victims += results.closedVictims
      finished.alerts += results.closedAlerts.map { alert($0) }
      finished.departed += results.departed
      book.take(results.cells)
      sources.merge(results.sources)
      counters.evictedEvents += results.evictedEvents
      counters.evictedSources += results.evictedSources
      counters.evictedVictims += results.evictedVictims
      counters.evictedPackets += results.evictedPackets
      counters.unsampled += results.unsampled
    }
  }

  // MARK: Results

  func alert(_ record: AlertRecord) -> MemberAlert {
    let number = Int(record.member) - 1
    return MemberAlert(
      organisation: rules.members.organisations.indices.contains(number)
        ? rules.members.organisations[number] : "",
      address: IPAddress(bits: record.entry.address), reach: record.reach,
      state: record.isClosed ? .closed : record.entry.isReported ? .continuing : .new,
      firstSeen: Timestamp(nanoseconds: record.entry.first),
      lastSeen: Timestamp(nanoseconds: record.entry.last), packets: record.entry.packets,
      destinations: record.destinations, ports: record.entry.ports.counts.map(\.port))
  }

  /// Everything that has been concluded since the last call, and what is still going on. Of the hosts
  /// those that sent packets since then; all, when a storm of forged sources has come to light.
  ///
  /// The bin that is open is described as it stands; the call after it has ended describes it anew.
  public func checkpoint() -> TelescopeResults {
    ring.settle()
    collect()
    var results = finished
    finished = TelescopeResults()
    let judge = HostJudge(
      parameters: parameters, space: space, surveys: surroundings.surveys, members: rules.members,
      reverseName: surroundings.reverseName)
    results.hosts = results.departed.map { judge.judge($0, storms: storms) }
    for index in 0..<Partition.count {
      for position in 0..<partitions[index].sources.count {
        guard judgesAll || partitions[index].sources[position].isFresh else { continue }
        partitions[index].sources[position].isFresh = false
        let summary = partitions[index].describe(partitions[index].sources[position])
        guard summary.isNotable(parameters) else { continue }
        results.hosts.append(judge.judge(summary, storms: storms))
      }
      for position in 0..<partitions[index].victims.count {
        if let victim = partitions[index].describe(
          partitions[index].victims[position], isClosed: false)
        {
          results.victims.append(victim)
        }
      }
      for position in 0..<partitions[index].alerts.count {
        results.alerts.append(
          alert(
            partitions[index].describe(partitions[index].alerts[position], isClosed: false)))
        partitions[index].alerts[position].isReported = true
      }
    }
    judgesAll = false
    results.departed = []
    results.campaigns += campaigns.active
    results.series += book.openPoints(with: openBin(), start: clock.binStart / 1_000_000_000)
    results.sort()
    results.counters = totals()
    return results
  }

  /// What the bin that is open holds so far; the bin itself stays as it is.
  func openBin() -> SeriesCells {
    var cells = book.bin
    for index in 0..<Partition.count { partitions[index].addOpenBin(to: &cells) }
    return cells
  }

  /// Hands over the events that are still going on, partition by partition.
  public func forEachOpenEvent(_ body: (TelescopeEvent) throws -> Void) rethrows {
    drain()
    for index in 0..<Partition.count {
      for position in 0..<partitions[index].events.count {
        try body(partitions[index].describe(partitions[index].events[position], isClosed: false))
      }
    }
  }

  /// Octets of all tables and sketches now.
  public var memoryBytes: Int {
    (0..<Partition.count).reduce(0) { $0 + partitions[$1].memoryBytes }
  }

  func totals() -> TelescopeCounters {
    var result = counters
    for outcome in DecodeOutcome.allCases where outcome != .decoded {
      let count = undecoded[Int(outcome.rawValue)]
      if count > 0 { result.undecoded[outcome.name, default: 0] += count }
    }
    for trafficClass in TrafficClass.allCases {
      let count = classPackets[Int(trafficClass.rawValue)]
      if count > 0 { result.byClass[trafficClass.name, default: 0] += count }
    }
    result.sources = sources.estimate
    return result
  }
}
