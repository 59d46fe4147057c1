import Geolocation
import NetworkTypes
import Sketches

/// Ends of things: series bins, events, victims, alerts, and what the memory limit makes forget.
extension Partition {
  /// Closes the series bin that was open, and everything that has been silent for too long.
  mutating func tick(now: Int64) {
    // Entries are changed in place and then dropped; results go to arrays beside the tables.
    // A flood of single packets must not take the series' keys from what is really going on.
    for position in 0..<events.count where events[position].binPackets > 1 {
      flushBin(at: position)
    }
    for position in 0..<events.count where events[position].binPackets == 1 {
      flushBin(at: position)
    }
    closeSilentEvents(now: now)
    for position in 0..<victims.count where now &- victims[position].last > rules.victimIdle {
      closeVictim(at: position)
      victims[position].packets = 0
    }
    victims.removeAll { $0.packets == 0 }
    for position in 0..<alerts.count where now &- alerts[position].last > rules.alertQuiet {
      closeAlert(at: position)
      alerts[position].packets = 0
    }
    alerts.removeAll { $0.packets == 0 }
    for position in 0..<sources.count where now &- sources[position].last > rules.sourceIdle {
      departSource(at: position)
      sources[position].packets = 0
    }
    sources.removeAll { $0.packets == 0 }
  }

  /// Adds what an event counted since the last bin to the series.
  mutating func flushBin(at position: Int) {
    guard events[position].binPackets > 0 else { return }
    let series = series(of: events[position])
    results.cells.add(events[position], at: series.place, rule: series.rule)
    events[position].earlierBytes = events[position].bytes
    events[position].binPackets = 0
    events[position].binBytes = 0
  }

  /// Adds what the events count since the last bin, and leaves them as they are.
  func addOpenBin(to cells: inout SeriesCells) {
    for position in 0..<events.count where events[position].binPackets > 0 {
      let series = series(of: events[position])
      cells.add(events[position], at: series.place, rule: series.rule)
    }
  }

  /// To which series an event belongs, besides those that it names itself.
  private func series(of event: EventEntry) -> (place: GeoRecord, rule: UInt32?) {
    (
      rules.geo.lookup(IPAddress(bits: event.address)),
      rules.ruleNumber(of: event.tally)
    )
  }

  /// Where a source lies in its table, or -1.
  func position(ofSource address: UInt128) -> Int {
    sources.find(hash: Self.sourceHash(address), address: address, detail: 0)
  }

  static func sourceHash(_ address: UInt128) -> UInt64 {
    mix64(
      UInt64(truncatingIfNeeded: address)
        ^ mix64(UInt64(truncatingIfNeeded: address >> 64) &+ 0x9e37_79b9_7f4a_7c15))
  }

  // MARK: Closing

  /// Hands the event over and empties its entry, which is then to be removed or filled anew.
  mutating func closeEvent(at position: Int) {
    results.closedEvents.append(describe(events[position], isClosed: true))
    forgetEvent(at: position)
  }

  private mutating func forgetEvent(at position: Int) {
    settle(at: position)
    distinct.release(&events[position].destinations)
    distinct.release(&events[position].blocks)
    if events[position].hasSamples {
      samples.release(events[position].samples)
      events[position].hasSamples = false
    }
    events[position].packets = 0
  }

  /// Gives an event's destinations to its source, whose own are the union of its events'.
  ///
  /// Counting them for both with every packet would cost a cache miss more; a union may be taken as
  /// often as one likes.
  private mutating func settle(at position: Int) {
    let source = self.position(ofSource: events[position].address)
    guard source >= 0 else { return }
    distinct.merge(
      events[position].destinations, from: distinct, into: &sources[source].destinations)
  }

  /// Brings the sources' destinations up to date.
  mutating func settle() {
    for position in 0..<events.count { settle(at: position) }
  }

  func describe(_ event: EventEntry, isClosed: Bool) -> TelescopeEvent {
    let geo = rules.geo.lookup(IPAddress(bits: event.address))
    let first = Timestamp(nanoseconds: event.first)
    let last = Timestamp(nanoseconds: event.last)
    return TelescopeEvent(
      source: IPAddress(bits: event.address), port: event.port,
      trafficClass: TrafficClass(rawValue: event.trafficClass) ?? .other, firstSeen: first,
      lastSeen: last, packets: event.packets, bytes: event.bytes,
      destinations: distinct.estimate(event.destinations),
      destinationBlocks: blockCount(of: event),
      rate: RateEstimate(
        packets: event.packets, seconds: last.seconds(since: first), space: rules.space),
      country: geo.country, asn: geo.asn,
      tools: rules.matcher.decide(event.tally).map(\.label),
      samples: event.hasSamples ? samples.packets(group: event.samples) : [], isClosed: isClosed)
  }

  mutating func closeVictim(at position: Int) {
    if let event = describe(victims[position], isClosed: true) {
      results.closedVictims.append(event)
    }
    distinct.release(&victims[position].destinations)
  }

  /// Nil when it stays below the thresholds of an attack.
  func describe(_ victim: VictimEntry, isClosed: Bool) -> VictimEvent? {
    let parameters = rules.parameters
    let seconds = Double(victim.last - victim.first) / 1e9
    let destinations = distinct.estimate(victim.destinations)
    guard victim.packets >= UInt64(parameters.victimMinimumPackets),
      seconds >= parameters.victimMinimumSeconds,
      destinations
        >= min(
          Double(parameters.victimMinimumDestinations), rules.space.addressCount / 2),
      Double(victim.peak) >= rules.space.victimPacketsPerMinute(parameters)
    else { return nil }
    return VictimEvent(
      victim: IPAddress(bits: victim.address), start: Timestamp(nanoseconds: victim.first),
      end: Timestamp(nanoseconds: victim.last), packets: victim.packets, bytes: victim.bytes,
      peakPacketsPerMinute: UInt64(victim.peak), destinations: destinations,
      services: victim.services.counts,
      evidence: VictimEntry.classes.indices.compactMap {
        victim.classPackets[$0] == 0
          ? nil
          : .init(trafficClass: VictimEntry.classes[$0], packets: UInt64(victim.classPackets[$0]))
      }, quoteMismatches: victim.mismatches,
      rate: RateEstimate(packets: victim.packets, seconds: seconds, space: rules.space),
      country: CountryCode(packed: victim.country), asn: ASN(victim.asn), isClosed: isClosed)
  }

  mutating func closeAlert(at position: Int) {
    results.closedAlerts.append(describe(alerts[position], isClosed: true))
    distinct.release(&alerts[position].destinations)
  }

  func describe(_ alert: AlertEntry, isClosed: Bool) -> AlertRecord {
    AlertRecord(
      member: UInt16(alert.detail >> 8), reach: MemberAlert.Reach.allCases[Int(alert.detail & 3)],
      entry: alert, destinations: distinct.estimate(alert.destinations), isClosed: isClosed)
  }

  private mutating func departSource(at position: Int) {
    let summary = describe(sources[position])
    if summary.isNotable(rules.parameters) { results.departed.append(summary) }
    distinct.release(&sources[position].destinations)
    distinct.release(&sources[position].distinctPorts)
    distinct.release(&sources[position].dayPorts)
  }

  func describe(_ source: SourceEntry) -> SourceSummary {
    SourceSummary(
      entry: source, destinations: distinct.estimate(source.destinations),
      distinctPorts: distinct.estimate(source.distinctPorts),
      tools: rules.matcher.decide(source.tally))
  }

  // MARK: Relief

  private mutating func closeSilentEvents(now: Int64) {
    var gone = 0
    for position in 0..<events.count where now &- events[position].last > rules.eventTimeout {
      closeEvent(at: position)
      gone += 1
    }
    if gone > 0 { events.removeAll { $0.packets == 0 } }
  }

  mutating func relieve() {
    relieveEvents()
    relieveSources()
  }

  /// Forgets the least active quarter or more of the events. Those of one or two packets are counted
  /// and dropped; the others are closed early, so that only their continuity is lost.
  mutating func relieveEvents() {
    let line = Self.evictionLine(count: events.count) { (events[$0].packets, events[$0].last) }
    for position in 0..<events.count
    where line.isBelow(events[position].packets, events[position].last) {
      flushBin(at: position)
      results.evictedEvents += 1
      if events[position].packets >= 3 {
        closeEvent(at: position)
      } else {
        results.evictedPackets += events[position].packets
        forgetEvent(at: position)
      }
    }
    events.removeAll { $0.packets == 0 }
  }

  mutating func relieveSources() {
    settle()
    let line = Self.evictionLine(count: sources.count) { (sources[$0].packets, sources[$0].last) }
    for position in 0..<sources.count
    where line.isBelow(sources[position].packets, sources[position].last) {
      results.evictedSources += 1
      departSource(at: position)
      sources[position].packets = 0
    }
    sources.removeAll { $0.packets == 0 }
  }

  mutating func relieveVictims() {
    let line = Self.evictionLine(count: victims.count) { (victims[$0].packets, victims[$0].last) }
    for position in 0..<victims.count
    where line.isBelow(victims[position].packets, victims[position].last) {
      results.evictedVictims += 1
      closeVictim(at: position)
      victims[position].packets = 0
    }
    victims.removeAll { $0.packets == 0 }
  }

  /// Below the line lie a quarter of the entries or somewhat more: those with the fewest packets,
  /// and of the ones on the line those not seen for longest.
  struct EvictionLine {
    let packets: UInt64
    let last: Int64
    func isBelow(_ packets: UInt64, _ last: Int64) -> Bool {
      packets < self.packets || packets == self.packets && last <= self.last
    }
  }

  static func evictionLine(
    count: Int, _ activity: (Int) -> (packets: UInt64, last: Int64)
  ) -> EvictionLine {
    guard count > 0 else { return EvictionLine(packets: 0, last: 0) }
    var ranks = (0..<count).map { activity($0) }
    ranks.sort { ($0.packets, $0.last) < ($1.packets, $1.last) }
    let border = ranks[count / 4]
    return EvictionLine(packets: border.packets, last: border.last)
  }
}

extension SeriesCells {
  /// Adds what an event counted since the last bin to each series it belongs to.
  ///
  /// - Parameters:
  ///   - place: where its source is.
  ///   - rule: the number of the rule that names its tool.
  mutating func add(_ event: EventEntry, at place: GeoRecord, rule: UInt32?) {
    let packets = UInt64(event.binPackets)
    let bytes = UInt64(event.binBytes)
    let host = Partition.sourceHash(event.address)
    let trafficClass = TrafficClass(rawValue: event.trafficClass) ?? .other
    func add(_ dimension: Dimension, _ number: UInt32) {
      self.add(dimension, number, packets: packets, bytes: bytes, host: host)
    }
    add(.all, 0)
    add(.trafficClass, UInt32(event.trafficClass))
    if place.country != .unknown { add(.country, UInt32(place.country.packed)) }
    if place.asn.number != 0 { add(.asn, place.asn.number) }
    switch trafficClass {
    case .synScan: add(.port, 6 << 16 | UInt32(event.port))
    case .udpProbe: add(.port, 17 << 16 | UInt32(event.port))
    case .spoofedSource: add(.bogonPort, UInt32(event.port))
    default: break
    }
    if let rule {
      add(.rule, rule)
    } else if trafficClass == .synScan {
      let number = UInt32(truncatingIfNeeded: mix64(event.signature.identity)) & 0xffff
      add(.signature, number)
      if signatures[number] == nil { signatures[number] = event.signature }
    }
  }
}
