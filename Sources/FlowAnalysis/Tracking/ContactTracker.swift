public import FlowRecords
import NetworkTypes
import Sketches

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
  public internal(set) var counters = TrackingCounters()
  /// The first start and the last end of all contacts, seconds since 1970; nil before any.
  public private(set) var firstSecond: UInt32?
  public private(set) var lastSecond: UInt32 = 0
  /// The highest sampling rate that was met: 0 unknown, 1 all packets.
  public private(set) var samplingRate: UInt32 = 0

  var addresses: Numbering<UInt128>
  /// Server number, port and protocol.
  var services: Numbering<UInt64>
  /// Client number and service number.
  var pairs: Numbering<UInt64>
  var states: Arena<Pair>
  var timelines: Timelines

  public init(parameters: TrackingParameters = TrackingParameters()) {
    self.parameters = parameters
    addresses = Numbering(capacity: parameters.addresses) { bits in
      mix64(UInt64(truncatingIfNeeded: bits >> 64), UInt64(truncatingIfNeeded: bits))
    }
    services = Numbering(capacity: parameters.services) { mix64($0) }
    pairs = Numbering(capacity: parameters.pairs) { mix64($0) }
    states = Arena(capacity: parameters.pairs)
    timelines = Timelines(capacity: parameters.timelines)
  }

  /// Pairs that are remembered now.
  public var pairCount: Int { pairs.count }

  /// Takes in all flows of a batch.
  public func add(_ batch: FlowBatch) {
    for row in 0..<batch.count {
      if let contact = Orientation.contact(batch, row: row) { add(contact) }
    }
  }

  /// Takes in one contact.
  public func add(_ contact: Contact) {
    guard !Self.staysLocal(contact.client), !Self.staysLocal(contact.server) else {
      counters.local &+= 1
      return
    }
    counters.contacts &+= 1
    samplingRate = max(samplingRate, contact.samplingRate)
    let start = UInt32(clamping: contact.start / 1_000_000_000)
    let end = max(start, UInt32(clamping: contact.end / 1_000_000_000))
    firstSecond = min(firstSecond ?? start, start)
    lastSecond = max(lastSecond, end)
    guard let index = pairIndex(contact) else {
      counters.refused &+= 1
      return
    }
    note(contact, start, end, at: index)
  }

  private func pairIndex(_ contact: Contact) -> Int? {
    guard let server = addresses.number(contact.server.bits)?.number,
      let client = addresses.number(contact.client.bits)?.number,
      let service = services.number(
        Self.serviceKey(server: server, port: contact.serverPort, transport: contact.transport))?
        .number
    else { return nil }
    let key = UInt64(client) << 32 | UInt64(service)
    var entry = pairs.number(key)
    if entry == nil {
      makeRoom()
      entry = pairs.number(key)
    }
    guard let entry else { return nil }
    if entry.isNew { _ = states.append(Pair()) }
    return entry.number
  }

  static func serviceKey(server: Int, port: UInt16, transport: UInt8) -> UInt64 {
    UInt64(server) << 24 | UInt64(port) << 8 | UInt64(transport)
  }

  private func note(_ contact: Contact, _ start: UInt32, _ end: UInt32, at index: Int) {
    let octets =
      UInt64.max - contact.bytesOut < contact.bytesIn
      ? .max : contact.bytesOut + contact.bytesIn
    let units = octets / 16
    var pair = states[index]
    pair.first = min(pair.first, start)
    // The session goes on where the record before was cut.
    let isContinued =
      contact.clientPort != 0 && pair.sessionPort == contact.clientPort && pair.sessionStart != 0
      && start >= pair.sessionStart
      && start
        <= pair.last.addingReportingOverflow(UInt32(clamping: parameters.continuationSeconds))
        .partialValue
      && (start >= pair.last || pair.last - start <= 1)
    let isOtherSide = contact.side == .inward
    if isContinued, !isOtherSide {
      pair.saturatingAdd(\.sessionBytes, units)
    } else if !isOtherSide {
      pair.sessionStart = start
      pair.sessionBytes = UInt32(clamping: units)
      pair.sessionPort = contact.clientPort
    }
    let session = isContinued ? end - min(end, pair.sessionStart) : end - start
    if session > pair.longest {
      pair.longest = session
      pair.longestBytes = isContinued ? pair.sessionBytes : UInt32(clamping: units)
    }
    pair.last = max(pair.last, end)
    pair.saturatingAdd(\.bytesOut, Pair.units(contact.bytesOut))
    pair.saturatingAdd(\.bytesIn, Pair.units(contact.bytesIn))
    pair.saturatingAdd(\.packetsOut, contact.packetsOut)
    if isOtherSide {
      pair.saturatingAdd(\.replies, 1)
    } else if !isContinued || pair.contacts == 0 {
      pair.saturatingAdd(\.contacts, 1)
      if contact.isAnswered { pair.saturatingAdd(\.answered, 1) }
    }
    if !isContinued {
      enter(start, size: isOtherSide ? 0 : Pair.code(contact.bytesOut), into: &pair)
    }
    states[index] = pair
  }

  /// Enters the second of a contact: the first two in the pair itself, then in a timeline.
  private func enter(_ second: UInt32, size: UInt16, into pair: inout Pair) {
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
