import Geolocation
import NetworkTypes
import PacketCapture
import Sketches

/// What every partition needs to know and none may change.
struct PartitionRules: Sendable {
  let parameters: TelescopeParameters
  let space: DarkSpace
  let matcher: FingerprintMatcher
  let geo: GeoDatabase
  let members: MemberIndex
  let eventTimeout: Int64
  let victimIdle: Int64
  let sourceIdle: Int64
  let alertQuiet: Int64
  /// Index + 1 of a port in the parameters' IoT ports; 0 for all others.
  let iotIndex: [UInt8]
  /// On up to 256 blocks the destinations that change an event's sketch, some thousands, meet every
  /// block too; on larger telescopes each packet's block is counted.
  let countsEveryBlock: Bool
  private let ruleNumbers: [String: UInt32]
  /// Octets for each partition's tables.
  let memoryLimit: Int

  init(
    parameters: TelescopeParameters, space: DarkSpace, matcher: FingerprintMatcher,
    geo: GeoDatabase, members: MemberIndex
  ) {
    self.parameters = parameters
    self.space = space
    self.matcher = matcher
    self.geo = geo
    self.members = members
    countsEveryBlock = space.addressCount > 65_536
    eventTimeout = Self.nanoseconds(space.eventTimeoutSeconds(parameters))
    victimIdle = Self.nanoseconds(space.victimIdleSeconds(parameters))
    sourceIdle = Self.nanoseconds(
      max(parameters.sourceIdleSeconds, space.eventTimeoutSeconds(parameters)))
    alertQuiet = Self.nanoseconds(parameters.alertQuietSeconds)
    var index = [UInt8](repeating: 0, count: 65_536)
    for (place, port) in parameters.iotPorts.prefix(32).enumerated() {
      index[Int(port)] = UInt8(place + 1)
    }
    iotIndex = index
    var numbers: [String: UInt32] = [:]
    for (number, rule) in matcher.rules.rules.enumerated() { numbers[rule.id] = UInt32(number) }
    ruleNumbers = numbers
    memoryLimit = max(1 << 16, parameters.memoryLimit / 10 * 8 / Partition.count)
  }

  /// The place of the most specific rule that a tally proves, in the rule set's order.
  func ruleNumber(of tally: FingerprintTally) -> UInt32? {
    guard tally.considered >= 3, let tool = matcher.decide(tally).first else { return nil }
    return ruleNumbers[tool.rule]
  }

  /// Clamped to what a timestamp can hold.
  private static func nanoseconds(_ seconds: Double) -> Int64 {
    Int64(min(9e18, max(0, seconds * 1e9)))
  }
}

/// A 64th of all that the telescope remembers: the hosts whose hash falls into it.
///
/// The number of partitions is fixed, so that what is forgotten under the memory limit, and hence
/// every result, is the same for any number of threads.
struct Partition: ~Copyable {
  static let count = 64

  let rules: PartitionRules
  var events = FlatTable<EventEntry>()
  var sources = FlatTable<SourceEntry>()
  var victims = FlatTable<VictimEntry>()
  var alerts = FlatTable<AlertEntry>()
  var distinct = DistinctArena()
  var samples: SampleArena
  var results: PartitionResults
  private var observed: UInt32 = 0

  init(rules: PartitionRules) {
    self.rules = rules
    results = PartitionResults(parameters: rules.parameters)
    samples = SampleArena(
      slotsPerGroup: rules.parameters.samplesPerEvent, slotLength: rules.parameters.sampleLength,
      limitBytes: rules.memoryLimit / 5)
  }

  var memoryBytes: Int { tableBytes + distinct.memoryBytes + samples.memoryBytes }

  private var tableBytes: Int {
    events.memoryBytes + sources.memoryBytes + victims.memoryBytes + alerts.memoryBytes
  }

  /// Whether `growth` more octets would exceed the limit. Of the sketches' memory only what is in use
  /// counts: what was given back is taken again before more is asked for.
  func isTight(growth: Int) -> Bool {
    tableBytes + distinct.usedBytes + samples.memoryBytes + growth > rules.memoryLimit
  }

  /// Takes one packet in.
  @inline(__always)
  mutating func observe(
    _ observation: Observation, _ place: Place, sample: UnsafeRawBufferPointer
  ) {
    let packet = observation.packet
    let time = packet.timestamp.nanoseconds
    // Sketches grow without a new entry, so their memory is looked at now and then as well.
    observed &+= 1
    if observed & 1_023 == 0, isTight(growth: 0) { relieve() }
    let source = sourcePosition(observation, time)
    let trafficClass = TrafficClass(rawValue: observation.trafficClass) ?? .other
    let isProbe = Self.isProbe(trafficClass)
    let mask = isProbe ? rules.matcher.match(packet) : 0

    updateEvent(observation, place, time, isProbe, mask, sample)
    updateSource(source, observation, trafficClass, time, isProbe, mask)
    if trafficClass.isBackscatter {
      updateVictim(observation, trafficClass, time, place.destination)
    }
    if sources[source].member != 0 {
      updateAlert(sources[source].member, observation, trafficClass, time, place.destination)
    }
  }

  @inline(__always)
  private static func isProbe(_ trafficClass: TrafficClass) -> Bool {
    switch trafficClass {
    case .synScan, .stealthScan, .udpProbe, .icmpRequest: true
    default: false
    }
  }

  // MARK: Sources

  @inline(__always)
  private mutating func sourcePosition(_ observation: Observation, _ time: Int64) -> Int {
    let found = sources.find(
      hash: observation.hash, address: observation.subject.bits, detail: 0)
    if found >= 0 { return found }
    return addSource(observation, time)
  }

  @inline(never)
  private mutating func addSource(_ observation: Observation, _ time: Int64) -> Int {
    if isTight(growth: sources.memoryBytesAfterAppend - sources.memoryBytes) {
      relieve()
    }
    let geo = rules.geo.lookup(observation.subject)
    results.sources.insert(hash: observation.hash)
    return sources.append(
      SourceEntry(
        address: observation.subject.bits, first: time, last: time, asn: geo.asn.number,
        country: geo.country.packed, member: rules.members.member(of: observation.subject)),
      hash: observation.hash)
  }

  @inline(__always)
  private mutating func updateSource(
    _ position: Int, _ observation: Observation, _ trafficClass: TrafficClass, _ time: Int64,
    _ isProbe: Bool, _ mask: UInt64
  ) {
    let packet = observation.packet
    sources[position].isFresh = true
    sources[position].packets &+= 1
    sources[position].bytes &+= UInt64(packet.wireLength)
    if time > sources[position].last { sources[position].last = time }
    sources[position].classes |= 1 << UInt16(trafficClass.rawValue)
    guard isProbe else { return }
    let portKey = UInt32(packet.transport.rawValue) << 16 | UInt32(observation.port)
    let slot = sources[position].ports.add(
      port: observation.port, transport: packet.transport.rawValue)
    if slot.isNew {
      distinct.insert(hash: Self.mix32(portKey), into: &sources[position].distinctPorts)
    }
    sources[position].tally.add(mask: mask, headers: packet)
    let ttl = packet.timeToLive
    if ttl < sources[position].lowestTTL { sources[position].lowestTTL = ttl }
    if ttl > sources[position].highestTTL { sources[position].highestTTL = ttl }
    if trafficClass == .synScan {
      if sources[position].synPackets == 0 {
        sources[position].firstWindow = packet.window
        sources[position].firstSourcePort = packet.sourcePort
        sources[position].signature = SYNSignature(packet)
      }
      sources[position].synPackets &+= sources[position].synPackets == .max ? 0 : 1
      if packet.window == sources[position].firstWindow { sources[position].sameWindow &+= 1 }
      if packet.sourcePort == sources[position].firstSourcePort {
        sources[position].sameSourcePort &+= 1
      }
      let iot = rules.iotIndex[Int(observation.port)]
      if iot != 0 {
        sources[position].iotPackets &+= 1
        sources[position].iotMask |= 1 << UInt32(iot &- 1)
      }
    }
    if trafficClass == .synScan || trafficClass == .udpProbe {
      countDay(position, time, portKey, slot)
    }
  }

  /// NICTER's survey rule counts SYN and UDP packets and their ports by UTC day.
  @inline(__always)
  private mutating func countDay(
    _ position: Int, _ time: Int64, _ portKey: UInt32, _ slot: PortSlots.Placement
  ) {
    let day = Int32(truncatingIfNeeded: time / 86_400_000_000_000)
    if day != sources[position].day {
      sources[position].day = day
      sources[position].dayPackets = 0
      sources[position].daySlots = 0
      distinct.release(&sources[position].dayPorts)
    }
    sources[position].dayPackets &+= 1
    let bit: UInt8 = 1 << slot.index
    guard slot.isNew || sources[position].daySlots & bit == 0 else { return }
    sources[position].daySlots |= bit
    distinct.insert(hash: Self.mix32(portKey), into: &sources[position].dayPorts)
    // Only a source of very many ports gets here often, so this is looked at on new ports alone.
    if !sources[position].surveyDay,
      Double(sources[position].dayPackets) >= rules.parameters.surveyPacketsPerDarkAddress
        * rules.space.addressCount,
      distinct.estimate(sources[position].dayPorts) >= Double(rules.parameters.surveyPorts)
    {
      sources[position].surveyDay = true
    }
  }

  // MARK: Events

  @inline(__always)
  static func eventHash(_ sourceHash: UInt64, _ detail: UInt32) -> UInt64 {
    mix64(sourceHash ^ UInt64(detail) &* 0x9e37_79b9_7f4a_7c15)
  }

  @inline(__always)
  private mutating func updateEvent(
    _ observation: Observation, _ place: Place, _ time: Int64, _ isProbe: Bool, _ mask: UInt64,
    _ sample: UnsafeRawBufferPointer
  ) {
    let packet = observation.packet
    let detail = EventEntry.detail(
      port: observation.port, trafficClass: observation.trafficClass)
    var position = events.find(
      hash: place.eventHash, address: observation.subject.bits, detail: detail)
    if position < 0 {
      position = addEvent(observation, place.eventHash, time)
    } else if time &- events[position].last > rules.eventTimeout {
      restartEvent(position, time)
    }
    if time > events[position].last { events[position].last = time }
    events[position].packets &+= 1
    events[position].binPackets &+= 1
    events[position].binBytes &+= packet.wireLength
    // Far below the counters' end even when the next packet is as large as a packet can be.
    if events[position].binBytes >= 1 << 31 { flushBin(at: position) }
    countDestination(position, place, isIPv4: packet.destination.isIPv4)
    if isProbe {
      if events[position].tally.considered == 0, packet.transport == .tcp {
        events[position].signature = SYNSignature(packet)
      }
      events[position].tally.add(mask: mask, headers: packet)
    }
    if events[position].packets >= 3 { keepSample(position, place.eventHash, sample) }
  }

  /// Counts destinations and their blocks. While the addresses themselves are known, their blocks
  /// follow from them (see ``blockCount(of:)``) and need no memory.
  @inline(__always)
  private mutating func countDestination(_ position: Int, _ place: Place, isIPv4: Bool) {
    if isIPv4 {
      if events[position].destinations.isFull { startBlocks(position) }
      let isNew = distinct.insert(
        hash: place.destination, into: &events[position].destinations)
      if events[position].destinations.isExact || !(isNew || rules.countsEveryBlock) { return }
    } else {
      distinct.insert(hash: place.destination, into: &events[position].destinations)
    }
    distinct.insert(hash: place.block, into: &events[position].blocks)
  }

  @inline(never)
  private mutating func addEvent(_ observation: Observation, _ hash: UInt64, _ time: Int64) -> Int {
    // The source's entry was found before: relief must not move it, so it waits for addSource.
    let entry = EventEntry(
      address: observation.subject.bits, port: observation.port,
      trafficClass: observation.trafficClass, first: time, last: time)
    if isTight(growth: events.memoryBytesAfterAppend - events.memoryBytes) {
      relieveEvents()
    }
    return events.append(entry, hash: hash)
  }

  @inline(never)
  private mutating func restartEvent(_ position: Int, _ time: Int64) {
    flushBin(at: position)
    closeEvent(at: position)
    let old = events[position]
    events[position] = EventEntry(
      address: old.address, port: old.port, trafficClass: old.trafficClass, first: time, last: time)
  }

  /// Reservoir sampling (Vitter 1985, algorithm R) from the third packet on, with the packet's number
  /// hashed in place of a random number, so that a second reading keeps the same packets: the slot
  /// that packet `number`, from zero, goes to, or nil.
  @inline(__always)
  func sampleSlot(_ number: UInt64, _ hash: UInt64) -> Int? {
    let slots = UInt64(samples.slotsPerGroup)
    let place = number < slots ? number : mix64(hash ^ number) % (number &+ 1)
    return place < slots ? Int(place) : nil
  }

  @inline(__always)
  private mutating func keepSample(
    _ position: Int, _ hash: UInt64, _ sample: UnsafeRawBufferPointer
  ) {
    let number = events[position].packets &- 3
    if !events[position].hasSamples {
      guard number < 64 else { return }
      guard let group = samples.allocate() else {
        if number == 0 { results.unsampled &+= 1 }
        return
      }
      events[position].hasSamples = true
      events[position].samples = group
      samples.store(sample, group: group, slot: 0)
      return
    }
    if let slot = sampleSlot(number, hash) {
      samples.store(sample, group: events[position].samples, slot: slot)
    }
  }
}
