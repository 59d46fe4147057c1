/// The rule set as look-up tables: from each field's value to the rules that it leaves possible.
///
/// All tables lie in one block of 64-bit words. A field of 16 bits has a directory of 256 entries,
/// by its upper octet, which name pages of 256 masks; equal pages are stored once, so that the
/// tables of a usual set stay within the first-level cache.
///
/// This is the target's one file for these unsafe pointers. Bounds: every index below is an octet
/// or a masked number added to an offset that ``Builder`` has laid out with room for 256 (or, for
/// ``layoutSlots``, that many) entries, and directory entries are written by ``Builder`` alone.
@usableFromInline
final class FingerprintTables: @unchecked Sendable {
  // @unchecked Sendable: the words are written in init only and freed in deinit.
  @usableFromInline let words: UnsafeMutablePointer<UInt64>
  @usableFromInline let wordCount: Int
  /// Multiplier of the option layouts' perfect hash.
  @usableFromInline let multiplier: UInt64

  /// Slots of two words (layout, mask) for the option layouts.
  @inlinable static var layoutSlots: Int { 512 }
  @inlinable static var layoutShift: UInt64 { 55 }
  // Where each table of single octets starts.
  @inlinable static var kinds: Int { 0 }  // TCP flags 0..255, ICMP types 256.., protocols 512..
  @inlinable static var timeToLive: Int { 768 }
  @inlinable static var traits: Int { 1024 }
  @inlinable static var windowScale: Int { 1280 }
  @inlinable static var facts: Int { 1536 }  // 32 combinations of IPv4 and the formulas.
  @inlinable static var layoutMiss: Int { 1568 }
  @inlinable static var layouts: Int { 1569 }
  // Directories of the fields of sixteen bits.
  @inlinable static var window: Int { layouts + 2 * layoutSlots }
  @inlinable static var ipLength: Int { window + 256 }
  @inlinable static var identification: Int { ipLength + 256 }
  @inlinable static var maximumSegmentSize: Int { identification + 256 }
  @inlinable static var sourcePort: Int { maximumSegmentSize + 256 }
  @inlinable static var destinationPort: Int { sourcePort + 256 }
  @inlinable static var payloadLength: Int { destinationPort + 256 }
  static let pages = payloadLength + 256

  init(words source: [UInt64], multiplier: UInt64) {
    wordCount = source.count
    words = .allocate(capacity: source.count)
    words.initialize(from: source, count: source.count)
    self.multiplier = multiplier
  }

  deinit {
    words.deallocate()
  }

  /// An entry of a table of octets.
  @inlinable @inline(__always)
  func octet(_ table: Int, _ value: UInt8) -> UInt64 { words[table &+ Int(value)] }

  /// An entry of a two-level table of 16 bits.
  @inlinable @inline(__always)
  func wide(_ directory: Int, _ value: UInt16) -> UInt64 {
    let page = Int(truncatingIfNeeded: words[directory &+ Int(value >> 8)])
    return words[page &+ Int(value & 255)]
  }

  /// The rules that an option layout leaves possible.
  @inlinable @inline(__always)
  func layout(_ bits: UInt64) -> UInt64 {
    let slot = Int(truncatingIfNeeded: (bits &* multiplier) >> Self.layoutShift)
    let at = Self.layouts &+ 2 &* slot
    return words[at] == bits ? words[at &+ 1] : words[Self.layoutMiss]
  }
}
