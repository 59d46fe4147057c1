public import FlowRecords
import NetworkTypes

/// Remembers who contacted which service when, in bounded memory, from archive or live stream alike.
///
/// Time is that of the flows. A tracker has one owner; it may be handed to another task as a whole.
///
/// ```swift
/// let tracker = ContactTracker()
/// collector.onBatch { tracker.add($0) }
/// let ranking = ServerRanking().rank(tracker)
/// ```
public final class ContactTracker {
  public let parameters: TrackingParameters
  // One owner at a time, as said above: the runtime need not look for a second one at every access.
  @exclusivity(unchecked) public internal(set) var counters = TrackingCounters()
  /// The first start and the last end of all contacts, seconds since 1970; nil before any.
  @exclusivity(unchecked) public private(set) var firstSecond: UInt32?
  @exclusivity(unchecked) public private(set) var lastSecond: UInt32 = 0
  /// The highest sampling rate that was met: 0 unknown, 1 all packets.
  @exclusivity(unchecked) public private(set) var samplingRate: UInt32 = 0

  @exclusivity(unchecked) var addresses: Numbering<UInt128>
  /// Server number, port and protocol.
  @exclusivity(unchecked) var services: Numbering<UInt64>
  /// Client number and service number.
  @exclusivity(unchecked) var pairs: Numbering<UInt64>
  @exclusivity(unchecked) var states: Arena<Pair>
  @exclusivity(unchecked) var timelines: Timelines

  public init(parameters: TrackingParameters = TrackingParameters()) {
    self.parameters = parameters
    addresses = Numbering(capacity: parameters.addresses)
    services = Numbering(capacity: parameters.services)
    pairs = Numbering(capacity: parameters.pairs)
    states = Arena(capacity: parameters.pairs)
    timelines = Timelines(capacity: parameters.timelines)
  }

  /// Pairs that are remembered now.
  public var pairCount: Int { pairs.count }

  /// Takes in all flows of a batch.
  ///
  /// Some at a time go through each table together, because the processor then waits for the memory of
  /// all of them at once and not of one after the other: the tables are much larger than its caches.
  public func add(_ batch: FlowBatch) {
    var waiting: [Waiting] = []
    waiting.reserveCapacity(Self.together)
    for row in 0..<batch.count {
      if let contact = Orientation.contact(batch, row: row), let entry = accept(contact) {
        waiting.append(entry)
        if waiting.count == Self.together { take(&waiting) }
      }
    }
    take(&waiting)
  }

  /// Takes in one contact.
  public func add(_ contact: Contact) {
    guard let entry = accept(contact) else { return }
    guard let index = pairIndex(contact) else {
      counters.refused &+= 1
      return
    }
    note(contact, entry.start, entry.end, at: index)
  }

  /// Contacts that are looked up together.
  private static let together = 128

  /// A contact on its way through the tables.
  private struct Waiting {
    let contact: Contact
    let start: UInt32
    let end: UInt32
    /// Numbers of the address, the service, the pair as they become known; negative for no room.
    var client = -1
    var number = -1
  }

  /// What is counted of every contact; nil for one that is left out.
  private func accept(_ contact: Contact) -> Waiting? {
    guard !Self.staysLocal(contact.client), !Self.staysLocal(contact.server) else {
      counters.local &+= 1
      return nil
    }
    let start = UInt32(clamping: contact.start / 1_000_000_000)
    let end = max(start, UInt32(clamping: contact.end / 1_000_000_000))
    count(1, from: start, to: end, samplingRate: contact.samplingRate)
    return Waiting(contact: contact, start: start, end: end)
  }

  func count(_ contacts: UInt64, from start: UInt32, to end: UInt32, samplingRate rate: UInt32) {
    counters.contacts &+= contacts
    samplingRate = max(samplingRate, rate)
    firstSecond = min(firstSecond ?? start, start)
    lastSecond = max(lastSecond, end)
  }

  private func take(_ waiting: inout [Waiting]) {
    defer { waiting.removeAll(keepingCapacity: true) }
    // Making room gives pairs other numbers: then one after the other.
    guard pairs.count + waiting.count <= parameters.pairs else {
      for entry in waiting {
        if let index = pairIndex(entry.contact) {
          note(entry.contact, entry.start, entry.end, at: index)
        } else {
          counters.refused &+= 1
        }
      }
      return
    }
    for index in waiting.indices {
      waiting[index].number = addresses.number(waiting[index].contact.server.bits)?.number ?? -1
      waiting[index].client = addresses.number(waiting[index].contact.client.bits)?.number ?? -1
    }
    for index in waiting.indices where waiting[index].number >= 0 && waiting[index].client >= 0 {
      let entry = waiting[index]
      let key = Self.serviceKey(
        server: entry.number, port: entry.contact.serverPort, transport: entry.contact.transport)
      waiting[index].number = services.number(key)?.number ?? -1
    }
    for index in waiting.indices {
      let entry = waiting[index]
      guard entry.number >= 0, entry.client >= 0,
        let pair = pairs.number(UInt64(entry.client) << 32 | UInt64(entry.number))
      else {
        waiting[index].number = -1
        continue
      }
      if pair.isNew { _ = states.append(Pair()) }
      waiting[index].number = pair.number
    }
    for entry in waiting {
      guard entry.number >= 0 else {
        counters.refused &+= 1
        continue
      }
      note(entry.contact, entry.start, entry.end, at: entry.number)
    }
  }

  private func pairIndex(_ contact: Contact) -> Int? {
    pair(
      client: contact.client, server: contact.server, port: contact.serverPort,
      transport: contact.transport)?.index
  }

  /// A pair's place, a new one where it had none; nil where there is no room.
  func pair(
    client: IPAddress, server: IPAddress, port: UInt16, transport: UInt8
  ) -> (index: Int, isNew: Bool)? {
    guard let server = addresses.number(server.bits)?.number,
      let client = addresses.number(client.bits)?.number,
      let service = services.number(
        Self.serviceKey(server: server, port: port, transport: transport))?.number
    else { return nil }
    let key = UInt64(client) << 32 | UInt64(service)
    var entry = pairs.number(key)
    if entry == nil {
      makeRoom()
      entry = pairs.number(key)
    }
    guard let entry else { return nil }
    if entry.isNew { _ = states.append(Pair()) }
    return (entry.number, entry.isNew)
  }

  static func serviceKey(server: Int, port: UInt16, transport: UInt8) -> UInt64 {
    UInt64(server) << 24 | UInt64(port) << 8 | UInt64(transport)
  }

  private func note(_ contact: Contact, _ start: UInt32, _ end: UInt32, at index: Int) {
    var pair = states[index]
    pair.first = min(pair.first, start)
    pair.last = max(pair.last, end)
    Pair.add(Pair.units(contact.bytesOut), to: &pair.bytesOut)
    Pair.add(Pair.units(contact.bytesIn), to: &pair.bytesIn)
    Pair.add(contact.packetsOut, to: &pair.packetsOut)
    let isOtherSide = contact.side == .inward
    // Sampling takes either side's packets: then the answer's time may be all that is left of a contact.
    let isSampled = contact.samplingRate > 1
    if isOtherSide {
      Pair.add(1, to: &pair.replies)
    } else if pair.contacts == 0, pair.replies > 0 {
      // From here on the client's records speak.
      forgetSessions(of: &pair, keepsSeconds: isSampled)
    }
    if !isOtherSide || pair.contacts == 0 {
      follow(
        contact, start, end, isOtherSide: isOtherSide, enters: !(isOtherSide && isSampled),
        into: &pair)
    }
    if isOtherSide, isSampled { enter(start, size: 0, into: &pair) }
    states[index] = pair
  }

  /// Joins a record with the session before, or enters it as a contact of its own.
  private func follow(
    _ contact: Contact, _ start: UInt32, _ end: UInt32, isOtherSide: Bool, enters: Bool,
    into pair: inout Pair
  ) {
    let octets =
      UInt64.max - contact.bytesOut < contact.bytesIn
      ? .max : contact.bytesOut + contact.bytesIn
    // The session goes on where the record before was cut.
    let longestPause = Int64(parameters.continuationSeconds)
    let isContinued =
      contact.clientPort != 0 && pair.sessionPort == contact.clientPort
      && Int64(start) <= Int64(pair.sessionEnd) + longestPause
      && Int64(start) >= Int64(pair.sessionEnd) - 1
    if isContinued {
      Pair.add(octets / 16, to: &pair.sessionBytes)
    } else {
      pair.sessionStart = start
      pair.sessionBytes = UInt32(clamping: octets / 16)
      pair.sessionPort = contact.clientPort
      if !isOtherSide { Pair.add(1, to: &pair.contacts) }
      if enters {
        enter(start, size: isOtherSide ? 0 : Pair.code(contact.bytesOut), into: &pair)
      }
    }
    pair.sessionEnd = max(pair.sessionEnd, end)
    if !isOtherSide, contact.isAnswered { pair.isAnswered = true }
    let session = end - min(end, pair.sessionStart)
    if session >= pair.longest {
      pair.longest = session
      pair.longestBytes = pair.sessionBytes
    }
  }

  /// Takes back what was entered of sessions, and of seconds.
  private func forgetSessions(of pair: inout Pair, keepsSeconds: Bool) {
    if !keepsSeconds {
      if pair.early == Pair.hasTimeline { timelines.release(pair.second0) }
      pair.early = 0
    }
    pair.longest = 0
    pair.longestBytes = 0
    pair.sessionEnd = 0
    pair.sessionPort = 0
  }

  /// Enters the second of a contact: the first two in the pair itself, then in a timeline.
  func enter(_ second: UInt32, size: UInt16, into pair: inout Pair) {
    switch pair.early {
    case Pair.hasTimeline:
      timelines.insert(second, size: size, into: pair.second0)
    case Pair.wasRefused:
      break
    case 0:
      pair.second0 = second
      pair.size0 = size
      pair.early = 1
    case 1:
      if pair.second0 == second {
        pair.size0 = max(pair.size0, size)
      } else {
        pair.second1 = second
        pair.size1 = size
        pair.early = 2
      }
    default:
      if pair.second0 == second {
        pair.size0 = max(pair.size0, size)
      } else if pair.second1 == second {
        pair.size1 = max(pair.size1, size)
      } else if let number = timelines.make() {
        timelines.insert(pair.second0, size: pair.size0, into: number)
        timelines.insert(pair.second1, size: pair.size1, into: number)
        timelines.insert(second, size: size, into: number)
        pair.second0 = number
        pair.early = Pair.hasTimeline
      } else {
        counters.refusedTimelines &+= 1
        pair.early = Pair.wasRefused
      }
    }
  }

  /// The seconds of a pair's latest contacts, and the size codes of what was sent in them.
  func timeline(_ pair: Pair) -> (seconds: [UInt32], sizes: [UInt16]) {
    switch pair.early {
    case Pair.hasTimeline: return timelines.read(pair.second0)
    case 1: return ([pair.second0], [pair.size0])
    case 2:
      return pair.second0 < pair.second1
        ? ([pair.second0, pair.second1], [pair.size0, pair.size1])
        : ([pair.second1, pair.second0], [pair.size1, pair.size0])
    default: return ([], [])
    }
  }

  /// Lets go of the pairs heard of longest ago; those with a timeline only where that is not enough.
  private func makeRoom() {
    let wanted = max(1, Int(parameters.evictedShare * Double(pairs.count)))
    // A histogram of age in 4,096 steps finds the limit without sorting.
    let newest = lastSecond
    let step = max(1, (newest - min(newest, firstSecond ?? 0)) / 4_096)
    for includesTimelines in [false, true] {
      var ages = [Int](repeating: 0, count: 4_098)
      var eligible = 0
      for index in 0..<states.count
      where includesTimelines || states[index].early != Pair.hasTimeline {
        ages[min(4_097, Int((newest - min(newest, states[index].last)) / step))] += 1
        eligible += 1
      }
      guard eligible >= wanted || includesTimelines else { continue }
      var limit = 4_097
      var sum = ages[limit]
      while limit > 0, sum < wanted {
        limit -= 1
        sum += ages[limit]
      }
      forget { pair in
        (includesTimelines || pair.early != Pair.hasTimeline)
          && Int((newest - min(newest, pair.last)) / step) >= limit
      } count: {
        counters.evictedPairs &+= $0
      }
      return
    }
  }

  /// Forgets pairs that have been silent for ``TrackingParameters/idleSeconds``.
  public func forgetIdle() {
    let limit = lastSecond - min(lastSecond, UInt32(clamping: parameters.idleSeconds))
    guard limit > 0 else { return }
    forget {
      $0.last < limit
    } count: {
      counters.idlePairs &+= $0
    }
  }

  private func forget(where isForgotten: (Pair) -> Bool, count: (UInt64) -> Void) {
    let before = states.count
    var released: [UInt32] = []
    pairs.compact({ !isForgotten(states[$0]) }, moved: { _, _ in })
    var next = 0
    for old in 0..<before {
      let pair = states[old]
      if isForgotten(pair) {
        if pair.early == Pair.hasTimeline { released.append(pair.second0) }
        continue
      }
      if old != next { states[next] = pair }
      next += 1
    }
    states.shrink(to: next)
    for number in released { timelines.release(number) }
    count(UInt64(before - next))
  }

  /// Multicast, broadcast, loopback, link-local and unspecified addresses: no server of the Internet.
  static func staysLocal(_ address: IPAddress) -> Bool {
    if let v4 = address.v4 {
      let top = v4 >> 24
      return top >= 224 || top == 0 || top == 127 || v4 >> 16 == 0xa9fe
    }
    let top = UInt16(truncatingIfNeeded: address.bits >> 112)
    return top >= 0xff00 || top & 0xffc0 == 0xfe80 || address.bits <= 1
  }
}
