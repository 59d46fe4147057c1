import NetworkTypes
import Sketches

/// How a partition counts addresses: hashes that can be undone, and the blocks that follow from them.
extension Partition {
  /// A bijection of 32-bit words (the finaliser of MurmurHash3): exact sets of IPv4 addresses stay
  /// exact, and sketches see well-mixed bits.
  @inline(__always)
  static func mix32(_ value: UInt32) -> UInt32 {
    var x = value
    x ^= x &>> 16
    x = x &* 0x85eb_ca6b
    x ^= x &>> 13
    x = x &* 0xc2b2_ae35
    return x ^ x &>> 16
  }

  /// The word that ``mix32(_:)`` maps to `value`.
  static func unmix32(_ value: UInt32) -> UInt32 {
    // The multipliers are the inverses of mix32's modulo 2^32.
    var x = value
    x ^= x &>> 16
    x = x &* 0x7ed1_b41d
    x ^= x &>> 13 ^ x &>> 26
    x = x &* 0xa5cb_9243
    return x ^ x &>> 16
  }

  /// IPv4 as it is; IPv6 mixed down to 32 bits.
  @inline(__always)
  static func fold(_ bits: UInt128) -> UInt32 {
    if bits >> 32 == 0xffff { return UInt32(truncatingIfNeeded: bits) }
    let mixed = mix64(
      UInt64(truncatingIfNeeded: bits) ^ mix64(UInt64(truncatingIfNeeded: bits >> 64)))
    return UInt32(truncatingIfNeeded: mixed)
  }

  /// The /24 of an IPv4 address, the /64 of an IPv6 address mixed down.
  @inline(__always)
  static func block(of bits: UInt128) -> UInt32 {
    if bits >> 32 == 0xffff { return UInt32(truncatingIfNeeded: bits >> 8) & 0xff_ffff }
    return fold(bits >> 64)
  }

  /// The addresses are about to be forgotten: their blocks are counted from here on.
  @inline(never)
  mutating func startBlocks(_ position: Int) {
    guard events[position].blocks.isEmpty else { return }
    var blocks = events[position].blocks
    distinct.forEachValue(events[position].destinations) {
      distinct.insert(hash: Self.blockHash(ofDestination: $0), into: &blocks)
    }
    events[position].blocks = blocks
  }

  /// The hash of an IPv4 destination's block from the destination's own.
  private static func blockHash(ofDestination hash: UInt32) -> UInt32 {
    mix32(unmix32(hash) >> 8)
  }

  /// How many blocks of addresses an event has met.
  func blockCount(of event: EventEntry) -> Double {
    guard event.destinations.isExact, IPAddress(bits: event.address).isIPv4 else {
      return distinct.estimate(event.blocks)
    }
    var blocks: Set<UInt32> = []
    distinct.forEachValue(event.destinations) { blocks.insert(Self.unmix32($0) >> 8) }
    return Double(blocks.count)
  }
}
