public import FlowRecords
public import NetworkTypes

/// A prefix whose hosts are watched.
public struct ProtectedNetwork: Sendable, Hashable {
  public var prefix: IPPrefix
  /// Limits of its hosts that differ from ``AttackParameters/hostLimits``.
  public var hostLimits: [TrafficKind: RateLimits]

  public init(_ prefix: IPPrefix, hostLimits: [TrafficKind: RateLimits] = [:]) {
    self.prefix = prefix
    self.hostLimits = hostLimits
  }
}

/// What became of an attack.
public enum AttackEvent: Sendable {
  case began(Attack)
  /// It goes on; told every ``AttackParameters/updateSeconds``.
  case changed(Attack)
  case ended(Attack)
  /// An attack on a block turned out to be part of one on the whole prefix, and is no attack of its
  /// own.
  case absorbed(String, into: Attack)
}

/// What a monitor has seen and what it could not keep.
public struct AttackCounters: Sendable, Codable, Hashable {
  /// Flows given to it.
  public var flows: UInt64 = 0
  /// Flows to addresses that are not protected.
  public var unprotected: UInt64 = 0
  /// Flows that ended longer before the latest than rates are kept for, or have no time.
  public var late: UInt64 = 0
  /// Hosts and blocks that rates are kept of at the moment.
  public var hosts = 0
  /// Hosts that were dropped for others, after they had been idle, and while they were not.
  public var droppedIdleHosts: UInt64 = 0
  public var droppedActiveHosts: UInt64 = 0
  /// Flows that were not counted for a host or class since there was no room for another.
  public var unmetered: UInt64 = 0
  /// Attacks that were not kept since there were too many at once.
  public var unkeptAttacks: UInt64 = 0
  public var attacks: UInt64 = 0
  public var ongoing = 0

  public init() {}
}

/// Finds denial-of-service attacks in flows: live, and the same in files.
///
/// It keeps rates per second of every host of the protected prefixes, of the blocks that they are
/// in, and of the prefixes, from one and the same reading of each flow, so that they agree. A flow
/// counts in the seconds that it lasted. Rates above a limit, fixed or learned, begin an attack,
/// which then is looked into from its first second on, by means of the flows kept last.
///
/// Its time is that of the data. It does no I/O and belongs to one thread; its memory is bounded by
/// ``AttackParameters``.
///
/// ```swift
/// let monitor = AttackMonitor(protecting: prefixes.map { ProtectedNetwork($0) })
/// monitor.ingest(batch)
/// for event in monitor.takeEvents() { … }
/// ```
public final class AttackMonitor {
  public let parameters: AttackParameters
  var bank: MeterBank
  var entities: EntityTable
  var recent: RecentFlows
  let baseline: Baseline
  private let protected: PrefixMap<Int32>
  var networks: [Network] = []
  var weeks: [Int32: WeekProfile] = [:]
  var ongoing: [OngoingAttack?] = []
  var events: [AttackEvent] = []
  var count = AttackCounters()
  /// The slot of the latest flow, or of the clock.
  var nowSlot = Int64.min
  private var lastSecond = Int64.min
  private var lastMinute = Int64.min
  private let detail: Float

  struct Network {
    let prefix: IPPrefix
    /// Whether the prefix is watched as a whole, too.
    let isWatched: Bool
    /// Whether it is longer than blocks are, so that these are watched.
    let hasBlocks: Bool
    let hostLimits: [SIMD4<Float>]
    let blockLimits: [SIMD4<Float>]
    /// Those of a block for each block that it has: what is usual of a prefix is learned.
    let prefixLimits: [SIMD4<Float>]
  }

  /// - Parameter networks: the prefixes to protect; without any, every address is, and only hosts
  /// and
  ///   blocks are watched.
  public init(
    protecting networks: [ProtectedNetwork] = [],
    parameters: AttackParameters = AttackParameters()
  ) {
    self.parameters = parameters
    bank = MeterBank(parameters)
    entities = EntityTable(capacity: parameters.largestHostCount)
    recent = RecentFlows(capacity: parameters.recentFlowCount)
    baseline = Baseline(parameters)
    var all = networks
    if all.isEmpty {
      for base in [IPAddress(v4: 0), IPAddress(bits: 0)] {
        if let prefix = IPPrefix(base, length: 0) { all.append(ProtectedNetwork(prefix)) }
      }
    }
    var places: [(IPPrefix, Int32)] = []
    var least = Float(parameters.detailPacketsPerSecond)
    for network in all {
      let prefix = network.prefix
      places.append((prefix, Int32(self.networks.count)))
      let limits = parameters.hostLimits.merging(network.hostLimits) { $1 }
      // Class meters begin at an eighth of the least limit at the latest.
      for (kind, limit) in limits where kind != .all {
        least = min(least, Float(limit.packetsPerSecond) / 8)
      }
      let blockLength =
        prefix.address.isIPv4 ? parameters.blockLengthV4 : parameters.blockLengthV6
      let shortest = prefix.address.isIPv4 ? 8 : 16
      let factor = max(1, parameters.prefixFactor)
      let blocks = Double(UInt64(1) << UInt64(min(32, max(0, blockLength - prefix.length))))
      self.networks.append(
        Network(
          prefix: prefix,
          isWatched: prefix.length >= shortest && prefix.length < prefix.address.bitWidth,
          hasBlocks: prefix.length < blockLength,
          hostLimits: Self.vectors(limits, factor: 1),
          blockLimits: Self.vectors(limits, factor: factor),
          prefixLimits: Self.vectors(limits, factor: factor * blocks)))
    }
    protected = PrefixMap(places)
    detail = max(0, least)
    ongoing = Array(repeating: nil, count: max(1, parameters.largestAttackCount))
  }

  private static func vectors(
    _ limits: [TrafficKind: RateLimits], factor: Double
  ) -> [SIMD4<Float>] {
    TrafficKind.allCases.map { kind in
      guard let limit = limits[kind]?.scaled(by: factor) else {
        return SIMD4(repeating: .infinity)
      }
      return SIMD4(
        Float(limit.packetsPerSecond), Float(limit.bitsPerSecond), Float(limit.flowsPerSecond),
        .infinity)
    }
  }

  /// What was seen, and what could not be kept.
  public var counters: AttackCounters {
    var counters = count
    counters.hosts = entities.count
    counters.droppedIdleHosts = entities.droppedIdle
    counters.droppedActiveHosts = entities.droppedActive
    counters.ongoing = ongoing.reduce(0) { $0 + ($1 == nil ? 0 : 1) }
    return counters
  }

  /// The time of the data so far; nil before the first flow.
  public var now: Timestamp? {
    nowSlot == .min ? nil : Timestamp(nanoseconds: (nowSlot + 1) * Spread.slotNanoseconds)
  }

  /// What has happened since the last call.
  public func takeEvents() -> [AttackEvent] {
    defer { events = [] }
    return events
  }

  /// Whether an address is in a protected prefix.
  public func isProtected(_ address: IPAddress) -> Bool { protected.index(address) != 0 }

  /// The prefixes that rates are kept for.
  public var protectedPrefixes: [IPPrefix] { networks.map(\.prefix) }

  /// Takes in a batch, in both directions where its rows have both.
  public func ingest(_ batch: FlowBatch) {
    let isBiflow = batch.has(.reversePackets)
    for row in 0..<batch.count {
      if let flow = AttackFlow(batch, row: row) { ingest(flow) }
      if isBiflow, let flow = AttackFlow.reverse(of: batch, row: row) { ingest(flow) }
    }
  }

  /// Takes in a flow; about half a microsecond.
  public func ingest(_ flow: AttackFlow) {
    count.flows &+= 1
    let place = protected.index(flow.destination)
    guard place != 0 else {
      count.unprotected &+= 1
      return
    }
    guard flow.hasTime else {
      count.late &+= 1
      return
    }
    let last = Spread.slot(flow.end)
    if last > nowSlot { advance(toSlot: last) }
    let oldest = nowSlot &- Int64(bank.slots) &+ 2
    guard last >= oldest else {
      count.late &+= 1
      return
    }
    recent.append(flow)
    let network = protected.values[Int(place) - 1]
    let addition = Addition(
      flow: flow, spread: Spread(flow, oldest: oldest),
      amount: SIMD4(Float(flow.packets), Float(flow.octets) * 8, Float(flow.flows), 0),
      rate: Float(flow.samplingRate), network: network)
    add(addition, bits: flow.destination.bits, length: 128, .host)
    let home = networks[Int(network)]
    let isIPv4 = flow.destination.isIPv4
    if home.hasBlocks {
      let length = isIPv4 ? 96 + parameters.blockLengthV4 : parameters.blockLengthV6
      add(
        addition, bits: Self.masked(flow.destination.bits, length), length: UInt8(length), .block)
    }
    if home.isWatched {
      add(
        addition, bits: home.prefix.address.bits, length: UInt8(home.prefix.mappedLength), .network)
    }
  }

  struct Addition {
    let flow: AttackFlow
    let spread: Spread
    let amount: SIMD4<Float>
    let rate: Float
    let network: Int32
  }

  static func masked(_ bits: UInt128, _ length: Int) -> UInt128 {
    length >= 128 ? bits : length <= 0 ? 0 : bits & (~0 << UInt128(128 - length))
  }

  private func add(_ addition: Addition, bits: UInt128, length: UInt8, _ kind: Entity.Kind) {
    guard let number = entity(bits, length, kind, network: addition.network) else {
      count.unmetered &+= 1
      return
    }
    entities.touch(number, addition.spread.last)
    var total = entities.meter(number, .all)
    if total < 0 {
      guard let made = makeMeter(number, .all) else {
        count.unmetered &+= 1
        return
      }
      total = made
    }
    let level = bank.add(
      total, addition.spread, amount: addition.amount, samplingRate: addition.rate)
    let attack = entities[number].attack
    if attack >= 0, let state = ongoing[Int(attack)], state.entity == number {
      state.profile.add(addition.flow)
    }
    if level != .below { passed(level, number, total) }
    let flowKind = addition.flow.kind
    var own = entities.meter(number, flowKind)
    if own < 0 {
      guard kind != .host || bank.window(total, endingAt: addition.spread.last)[0] >= detail else {
        return
      }
      guard let made = makeMeter(number, flowKind) else {
        count.unmetered &+= 1
        return
      }
      own = made
    }
    let ownLevel = bank.add(
      own, addition.spread, amount: addition.amount, samplingRate: addition.rate)
    if ownLevel != .below { passed(ownLevel, number, own) }
  }

  private func passed(_ level: MeterBank.Level, _ number: Int32, _ meter: Int32) {
    let attack = entities[number].attack
    if attack >= 0 {
      guard let state = ongoing[Int(attack)] else { return }
      state.lastOver = max(state.lastOver, bank.goingSlot)
    } else if level == .above, entities[number].quietUntil <= nowSlot {
      notice(number, meter)
    }
  }

  func entity(
    _ bits: UInt128, _ length: UInt8, _ kind: Entity.Kind, network: Int32
  ) -> Int32? {
    if let number = entities.find(bits, length) { return number }
    var entity = Entity()
    entity.bits = bits
    entity.length = length
    entity.kind = kind
    entity.network = network
    guard
      let (number, dropped) = entities.insert(
        entity, now: nowSlot, idleSlots: Int64(bank.slots))
    else { return nil }
    for meter in dropped { bank.release(meter) }
    return number
  }

  func makeMeter(_ number: Int32, _ kind: TrafficKind) -> Int32? {
    let entity = entities[number]
    let network = networks[Int(entity.network)]
    let place = Int(kind.rawValue)
    let floor = entity.kind == .host ? network.hostLimits[place] : network.blockLimits[place]
    let fixed = entity.kind == .network ? network.prefixLimits[place] : floor
    guard let meter = bank.make(kind, fixed: fixed, floor: floor) else { return nil }
    entities.setMeter(number, kind, meter)
    return meter
  }

  // MARK: Time

  /// Says what time it is while no flows come: seconds end, and attacks.
  public func advance(to moment: Timestamp) {
    guard moment.nanoseconds > 0, moment.nanoseconds < AttackFlow.latest else { return }
    let slot = Spread.slot(moment.nanoseconds)
    if slot > nowSlot { advance(toSlot: slot) }
  }

  /// Ends everything that goes on: after the last flow of a file.
  public func finish() {
    for state in ongoing { if let state { end(state) } }
  }

  /// Seconds that are gone through one by one; a longer silence is passed over, since by then all
  /// rates are zero and all attacks over.
  private static let longestWalk: Int64 = 256

  private func advance(toSlot slot: Int64) {
    let second = slot >> 1
    let isFirst = nowSlot == .min
    nowSlot = slot
    guard !isFirst else {
      lastSecond = second
      lastMinute = second / 60
      return
    }
    guard second > lastSecond else { return }
    let walk = max(Self.longestWalk, Int64(min(max(parameters.quietSeconds, 1), 1e6)) + 2)
    if second - lastSecond > walk {
      finish()
      lastSecond = second - 1
    }
    while lastSecond < second {
      lastSecond += 1
      tick(lastSecond)
    }
    let minute = second / 60
    if minute != lastMinute {
      learn(minute: lastMinute)
      lastMinute = minute
    }
  }

  private func tick(_ second: Int64) {
    for state in ongoing {
      guard let state else { continue }
      follow(state, second: second)
    }
  }

  private func learn(minute: Int64) {
    guard parameters.learns else { return }
    let attacked = ongoing.compactMap { $0?.target }
    let hour = WeekProfile.hour(ofMinute: max(0, minute))
    for number in 0..<Int32(entities.entities.count) {
      let entity = entities[number]
      guard entity.isInUse, entity.lastSlot > nowSlot &- 240 else { continue }
      // Neither the attacked nor what it is part of, nor the parts of it, learn what an attack is.
      let isDisturbed =
        !attacked.isEmpty
        && attacked.contains { target in
          target.contains(entity.prefix) || entity.prefix.contains(target)
        }
      for kind in TrafficKind.allCases {
        let meter = entities.meter(number, kind)
        guard meter >= 0 else { continue }
        let peak = bank.meters[Int(meter)].minutePeak
        if peak[0] > 0, !isDisturbed {
          var usual = SIMD4<Float>(repeating: 0)
          if entity.kind == .network {
            var week = weeks[meter] ?? WeekProfile()
            week.learn(peak, hour: hour, rate: baseline.weeklyRate)
            usual = week.expected(hour: WeekProfile.hour(ofMinute: max(0, minute + 1)))
            weeks[meter] = week
          }
          baseline.learn(&bank.meters[Int(meter)], usual: usual)
        }
        bank.meters[Int(meter)].minutePeak = .zero
      }
    }
  }
}
