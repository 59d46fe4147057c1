import NetworkTypes
import Sketches

extension AttackMonitor {
  /// A rate of this entity is above its limit, and no attack on it is known.
  func notice(_ number: Int32, _ meter: Int32) {
    let trigger = trigger(meter)
    let start = bank.beginning(meter, from: bank.aboveSlot, unit: trigger.unit)
    let over = bank.aboveSlot
    let entity = entities[number]
    if entity.kind == .host {
      begin(number, alias: nil, trigger.value, start: start, over: over, isCarpet: false)
      return
    }
    // A prefix: is it all of its hosts, or one of them?
    let look = look(at: entity, since: start)
    if look.destinations >= Double(parameters.carpetDestinations),
      look.hostShare <= parameters.carpetLargestShare
    {
      if entity.kind == .network, look.blockShare > parameters.carpetLargestShare,
        let block = entities.find(look.block, look.blockLength)
      {
        if entities[block].attack >= 0 {
          entities[number].quietUntil = nowSlot + 4
        } else {
          begin(block, alias: number, trigger.value, start: start, over: over, isCarpet: true)
        }
        return
      }
      begin(number, alias: nil, trigger.value, start: start, over: over, isCarpet: true)
      return
    }
    guard let host = entities.find(look.host.bits, 128) else {
      entities[number].quietUntil = nowSlot + 4
      return
    }
    if entities[host].attack >= 0 {
      // Explained; look again two seconds later.
      entities[number].quietUntil = nowSlot + 4
      return
    }
    begin(host, alias: number, trigger.value, start: start, over: over, isCarpet: false)
  }

  private func trigger(_ meter: Int32) -> (value: AttackTrigger, unit: Int) {
    let state = bank.meters[Int(meter)]
    let value = bank.aboveValue
    var unit = 0
    var greatest = -Float.infinity
    for candidate in 0..<3 {
      let ratio = value[candidate] / state.limit[candidate]
      if ratio.isFinite, ratio > greatest {
        greatest = ratio
        unit = candidate
      }
    }
    let units: [AttackTrigger.Unit] = [.packets, .bits, .flows]
    return (
      AttackTrigger(
        kind: state.kind, unit: units[unit], value: Self.rate(value[unit]),
        limit: Double(state.limit[unit]),
        basis: state.limit[unit] < state.fixed[unit] ? .learned : .fixed), unit
    )
  }

  /// A rate that fits every whole number it may be written as; counters of an exporter may be
  /// anything.
  static func rate(_ value: Float) -> Double { value < 1e18 ? Double(max(0, value)) : 1e18 }

  private struct Look {
    var destinations = 0.0
    var host = IPAddress(bits: 0)
    var hostShare = 0.0
    var block: UInt128 = 0
    var blockLength: UInt8 = 0
    var blockShare = 0.0
  }

  /// How the packets to a prefix are spread over its hosts and blocks.
  private func look(at entity: Entity, since start: Int64) -> Look {
    let prefix = entity.prefix
    let length =
      prefix.address.isIPv4 ? 96 + parameters.blockLengthV4 : parameters.blockLengthV6
    var profile = AttackProfile(start: start * Spread.slotNanoseconds, parameters: parameters)
    var blocks: [UInt128: UInt64] = [:]
    recent.forEachFlow { flow in
      guard flow.end >= profile.start, prefix.contains(flow.destination) else { return }
      profile.addDestination(flow)
      blocks[Self.masked(flow.destination.bits, length), default: 0] &+= flow.packets
    }
    var look = Look()
    look.destinations = profile.destinationCount.estimate.rounded()
    let packets = Double(max(1, profile.destinations.total))
    if let top = profile.destinations.entries(limit: 1).first {
      look.host = top.key
      look.hostShare = Double(top.count - top.error) / packets
    }
    if let top = blocks.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }) {
      look.block = top.key
      look.blockLength = UInt8(length)
      look.blockShare = Double(top.value) / packets
    }
    return look
  }

  private func begin(
    _ number: Int32, alias: Int32?, _ trigger: AttackTrigger, start: Int64, over: Int64,
    isCarpet: Bool
  ) {
    guard let place = ongoing.firstIndex(where: { $0 == nil }) else {
      count.unkeptAttacks &+= 1
      entities[number].quietUntil = nowSlot + 20
      return
    }
    let target = entities[number].prefix
    var profile = AttackProfile(start: start * Spread.slotNanoseconds, parameters: parameters)
    recent.forEachFlow { flow in
      if target.contains(flow.destination) { profile.add(flow) }
    }
    let home = networks[Int(entities[number].network)]
    let detected =
      profile.last == .min
      ? now ?? .distantPast : Timestamp(nanoseconds: max(profile.last, profile.start))
    let state = OngoingAttack(
      place: place, target: target, entity: number, isCarpet: isCarpet,
      network: home.prefix.length == 0 ? nil : home.prefix, startSlot: start, detected: detected,
      lastOver: over, trigger: trigger, profile: profile)
    state.lastTold = nowSlot >> 1
    ongoing[place] = state
    entities[number].attack = Int32(place)
    if let alias, entities[alias].attack < 0 {
      entities[alias].attack = Int32(place)
      state.aliases.append(alias)
    }
    count.attacks &+= 1
    if isCarpet { absorb(into: state) }
    events.append(.began(snapshot(state)))
  }

  /// Attacks on blocks of the prefix are part of it.
  private func absorb(into whole: OngoingAttack) {
    for part in ongoing {
      guard let part, part !== whole, part.isCarpet, whole.target.contains(part.target) else {
        continue
      }
      release(part)
      events.append(.absorbed(part.id, into: snapshot(whole)))
    }
  }

  func release(_ state: OngoingAttack) {
    ongoing[state.place] = nil
    for number in [state.entity] + state.aliases
    where entities[number].attack == Int32(state.place) {
      entities[number].attack = -1
    }
  }

  // MARK: While it goes on

  /// Seconds by which the series stays behind the data, since flows come at their end.
  private static let seriesLag: Int64 = 10

  func follow(_ state: OngoingAttack, second: Int64) {
    note(state, upTo: second - Self.seriesLag)
    let quiet = Int64(max(1, parameters.quietSeconds))
    if second - state.lastOver / 2 > quiet {
      end(state)
    } else if second - state.lastTold >= Int64(max(1, parameters.updateSeconds)) {
      state.lastTold = second
      events.append(.changed(snapshot(state)))
    }
  }

  /// Brings series and peak up to this second.
  private func note(_ state: OngoingAttack, upTo second: Int64) {
    let meter = entities.meter(state.entity, .all)
    guard meter >= 0 else { return }
    while state.seriesSecond < second {
      state.seriesSecond += 1
      let window = bank.window(meter, endingAt: state.seriesSecond * 2 + 1)
      state.series.append(packets: Self.rate(window[0]), bits: Self.rate(window[1]))
    }
    let first = max(state.start / Spread.slotNanoseconds, nowSlot - Int64(bank.slots) + 2)
    guard first <= nowSlot else { return }
    for slot in first...nowSlot {
      let window = bank.window(meter, endingAt: slot)
      if Self.rate(window[0]) > state.peak.packetsPerSecond {
        state.peak.packetsPerSecond = Self.rate(window[0])
        state.peakSlot = slot - 1
      }
      state.peak.bitsPerSecond = max(state.peak.bitsPerSecond, Self.rate(window[1]))
      state.peak.flowsPerSecond = max(state.peak.flowsPerSecond, Self.rate(window[2]))
    }
  }

  func end(_ state: OngoingAttack) {
    note(state, upTo: min(state.lastOver / 2, nowSlot / 2))
    release(state)
    events.append(.ended(snapshot(state, isOver: true)))
  }

  func snapshot(_ state: OngoingAttack, isOver: Bool = false) -> Attack {
    if !isOver { note(state, upTo: state.seriesSecond) }
    let outcome = VectorNaming(parameters: parameters).outcome(state.profile)
    return Attack(
      id: state.id, target: state.target, isCarpet: state.isCarpet, network: state.network,
      start: Timestamp(nanoseconds: state.start), detected: state.detected,
      end: Timestamp(nanoseconds: (state.lastOver + 1) * Spread.slotNanoseconds), isOver: isOver,
      trigger: state.trigger, total: state.profile.total, peak: state.peak,
      peakTime: Timestamp(nanoseconds: state.peakSlot * Spread.slotNanoseconds),
      series: state.series, vectors: outcome.vectors, sources: outcome.sources,
      sourceCount: outcome.sourceCount, sourceCountError: outcome.sourceCountError,
      destinationCount: state.profile.destinationCount.estimate.rounded(),
      samplingRate: state.profile.samplingRate)
  }

  /// The attacks that go on, as they stand.
  public var ongoingAttacks: [Attack] {
    ongoing.compactMap { $0.map { snapshot($0) } }.sorted { ($0.start, $0.id) < ($1.start, $1.id) }
  }

  // MARK: What was learned

  /// What was learned of the protected prefixes, to be kept over restarts.
  public var learned: [LearnedRates] {
    var all: [LearnedRates] = []
    for number in 0..<Int32(entities.entities.count) {
      let entity = entities[number]
      guard entity.isInUse, entity.kind == .network else { continue }
      for kind in TrafficKind.allCases {
        let meter = entities.meter(number, kind)
        guard meter >= 0, bank.meters[Int(meter)].samples > 0 else { continue }
        let state = bank.meters[Int(meter)]
        all.append(
          LearnedRates(
            prefix: entity.prefix, kind: kind, mean: (0..<3).map { state.mean[$0] },
            deviation: (0..<3).map { state.deviation[$0] }, minutes: state.samples,
            week: weeks[meter]?.usual ?? []))
      }
    }
    return all
  }

  /// Takes up what was learned before; to be called before the first flow. What does not fit is
  /// passed over.
  public func restore(_ learned: [LearnedRates]) {
    for rates in learned {
      guard rates.mean.count == 3, rates.deviation.count == 3,
        (rates.mean + rates.deviation).allSatisfy({ $0.isFinite && $0 >= 0 && $0 < 80 }),
        let place = networks.firstIndex(where: { $0.prefix == rates.prefix && $0.isWatched }),
        let meter = networkMeter(Int32(place), rates.kind)
      else { continue }
      bank.meters[Int(meter)].mean = SIMD4(rates.mean[0], rates.mean[1], rates.mean[2], 0)
      bank.meters[Int(meter)].deviation = SIMD4(
        rates.deviation[0], rates.deviation[1], rates.deviation[2], 0)
      bank.meters[Int(meter)].samples = rates.minutes
      weeks[meter] = WeekProfile(rates.week)
      baseline.setLimit(&bank.meters[Int(meter)], usual: .zero)
    }
  }

  private func networkMeter(_ place: Int32, _ kind: TrafficKind) -> Int32? {
    let prefix = networks[Int(place)].prefix
    guard
      let number = entity(
        prefix.address.bits, UInt8(prefix.mappedLength), .network, network: place)
    else { return nil }
    let known = entities.meter(number, kind)
    return known >= 0 ? known : makeMeter(number, kind)
  }
}
