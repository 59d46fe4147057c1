public import NetworkTypes
public import PacketCapture

/// What the fingerprints say about the packets of one source so far, in 56 octets.
///
/// Feed it every probe of the source (SYN, other TCP probes, UDP, ICMP requests), and not its
/// backscatter, in packet order; ask ``FingerprintMatcher/decide(_:)`` at any time.
@frozen
public struct FingerprintTally: BitwiseCopyable, Sendable {
  /// Rules that every packet satisfied.
  @usableFromInline var common: UInt64 = ~0
  /// Four counters of 16 bits, the lowest first: consecutive pairs looked at, and of them those
  /// with the same sequence number, with nmap's nonce, and with a source port one larger.
  ///
  /// No counter exceeds the pairs, and all are halved together before the pairs overflow, so that
  /// the shares stay and one addition moves all four.
  @usableFromInline var pairs: UInt64 = 0
  @usableFromInline var total: UInt32 = 0
  @usableFromInline var count0: UInt32 = 0
  @usableFromInline var count1: UInt32 = 0
  @usableFromInline var count2: UInt32 = 0
  @usableFromInline var lastSequence: UInt32 = 0
  /// unicornscan's key of the last packet, with the address as it is and with its octets reversed.
  @usableFromInline var lastKey: UInt32 = 0
  @usableFromInline var lastReversedKey: UInt32 = 0
  /// Of 32 bits, as the compiler reads the octets behind one of 16 with it, and a load over two
  /// recent stores waits for both.
  @usableFromInline var lastSourcePort: UInt32 = 0
  /// Two counters of 16 bits: pairs with the same unicornscan key, and with another TTL.
  @usableFromInline var morePairs: UInt32 = 0
  @usableFromInline var lastTimeToLive: UInt8 = 0
  /// Bit numbers of the rules counted in `count0`, `count1` and `count2`.
  @usableFromInline var rule0 = FingerprintTally.freePlace
  @usableFromInline var rule1 = FingerprintTally.freePlace
  @usableFromInline var rule2 = FingerprintTally.freePlace

  @inlinable public init() {}

  /// Packets added; stays at its maximum.
  @inlinable public var considered: UInt32 { total }

  /// Bits of rules about single packets; the others are behaviours alone and need no counter.
  @inlinable static var packetRules: UInt64 {
    1 << UInt64(FingerprintParameters.firstWholeSourceBit) &- 1
  }

  /// A bit that no rule about single packets has.
  @inlinable static var freePlace: UInt8 { 63 }

  /// Counts one packet with the mask that ``FingerprintMatcher/match(_:)`` gave it.
  ///
  /// Free of branches but for a source's first packets, because packets of many sources alternate
  /// and a branch on what one of them sends could not be predicted.
  @inlinable @inline(__always)
  public mutating func add(mask: UInt64, headers: borrowing PacketHeaders) {
    guard total != .max else { return }
    let sequence = headers.sequence
    let destination = UInt32(truncatingIfNeeded: headers.destination.bits)
    let ports = UInt32(headers.destinationPort) &<< 16 &+ UInt32(headers.sourcePort)
    let key = sequence ^ destination ^ ports
    let reversedKey = sequence ^ destination.byteSwapped ^ ports
    let difference = sequence ^ lastSequence
    let isSame: UInt64 = difference == 0 ? 1 : 0
    let hasNonce: UInt64 = difference &>> 16 == difference & 0xffff ? 1 : 0
    let sourcePort = UInt32(headers.sourcePort)
    let isNextPort: UInt64 = sourcePort == (lastSourcePort &+ 1) & 0xffff ? 1 : 0
    let isKey: UInt32 = (key == lastKey ? 1 : 0) | (reversedKey == lastReversedKey ? 1 : 0)
    let isOtherTTL: UInt32 = headers.timeToLive == lastTimeToLive ? 0 : 1
    if pairs & 0xffff == 0xffff { halve() }
    let step = 1 | isSame &<< 16 | hasNonce &<< 32 | isNextPort &<< 48
    let moreStep = isKey & ~UInt32(truncatingIfNeeded: isSame) | isOtherTTL &<< 16
    // The first packet has none before it.
    pairs &+= total == 0 ? 0 : step
    morePairs &+= total == 0 ? 0 : moreStep
    lastSequence = sequence
    lastKey = key
    lastReversedKey = reversedKey
    lastSourcePort = sourcePort
    lastTimeToLive = headers.timeToLive
    total &+= 1
    common &= mask
    let matched = mask & Self.packetRules
    count0 &+= UInt32(truncatingIfNeeded: matched &>> UInt64(rule0)) & 1
    count1 &+= UInt32(truncatingIfNeeded: matched &>> UInt64(rule1)) & 1
    count2 &+= UInt32(truncatingIfNeeded: matched &>> UInt64(rule2)) & 1
    let places: UInt64 = 1 &<< UInt64(rule0) | 1 &<< UInt64(rule1) | 1 &<< UInt64(rule2)
    let uncounted = matched & ~places
    if uncounted != 0 { admit(uncounted) }
  }

  /// Gives places to rules without one, the most specific first.
  ///
  /// Without a free place the rule with the smallest count loses its own, and the newcomer starts
  /// at one: a count is never larger than the truth. A rule that holds for most packets keeps the
  /// place it gets, as only a count of one or less is given up.
  @usableFromInline
  @inline(never)
  mutating func admit(_ uncounted: UInt64) {
    var rest = uncounted
    while rest != 0 {
      let rule = UInt8(truncatingIfNeeded: rest.trailingZeroBitCount)
      rest &= rest &- 1
      // Free places have the count 0, so they are taken first; of equals, the first place.
      if count0 <= count1, count0 <= count2 {
        if count0 <= 1 { (rule0, count0) = (rule, 1) }
      } else if count1 <= count2 {
        if count1 <= 1 { (rule1, count1) = (rule, 1) }
      } else if count2 <= 1 {
        (rule2, count2) = (rule, 1)
      }
    }
  }

  @usableFromInline
  @inline(never)
  mutating func halve() {
    pairs = pairs &>> 1 & 0x7fff_7fff_7fff_7fff
    morePairs = morePairs &>> 1 & 0x7fff_7fff
  }

  /// Adds another tally of the same source, whose packets came after this one's.
  public mutating func merge(_ later: FingerprintTally) {
    guard later.considered > 0 else { return }
    guard considered > 0 else {
      self = later
      return
    }
    var later = later
    while pairCount + later.pairCount > Int(UInt16.max) {
      halve()
      later.halve()
    }
    pairs &+= later.pairs
    morePairs &+= later.morePairs
    lastSequence = later.lastSequence
    lastKey = later.lastKey
    lastReversedKey = later.lastReversedKey
    lastSourcePort = later.lastSourcePort
    lastTimeToLive = later.lastTimeToLive
    total = Self.sum(total, later.total)
    common &= later.common
    // Of up to six counters the three largest stay, of equals those of the more specific rules.
    var sums: [UInt8: UInt32] = [:]
    for (rule, count) in counters + later.counters {
      sums[rule] = Self.sum(sums[rule] ?? 0, count)
    }
    let kept = sums.sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }
    (rule0, rule1, rule2) = (Self.freePlace, Self.freePlace, Self.freePlace)
    (count0, count1, count2) = (0, 0, 0)
    for (place, entry) in kept.prefix(3).enumerated() {
      switch place {
      case 0: (rule0, count0) = (entry.key, entry.value)
      case 1: (rule1, count1) = (entry.key, entry.value)
      default: (rule2, count2) = (entry.key, entry.value)
      }
    }
  }

  private static func sum(_ left: UInt32, _ right: UInt32) -> UInt32 {
    let (sum, overflow) = left.addingReportingOverflow(right)
    return overflow ? .max : sum
  }

  /// Bit number and count of the rules that are counted.
  var counters: [(rule: UInt8, count: UInt32)] {
    [(rule0, count0), (rule1, count1), (rule2, count2)].filter { $0.0 != Self.freePlace }
  }

  /// Consecutive pairs looked at.
  var pairCount: Int { Int(pairs & 0xffff) }
  var sameSequenceCount: Int { Int(pairs >> 16 & 0xffff) }
  var nonceCount: Int { Int(pairs >> 32 & 0xffff) }
  var nextPortCount: Int { Int(pairs >> 48) }
  var sameKeyCount: Int { Int(morePairs & 0xffff) }
  var otherTTLCount: Int { Int(morePairs >> 16) }
}
