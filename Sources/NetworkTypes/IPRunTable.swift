/// Which run does an address lie in? The two address spaces cut into consecutive runs, each with a
/// number, and looked up at packet rate.
///
/// ``PrefixMap`` and the geographic database stand on it. A run begins at its start and ends before
/// the next start of its family; what lies before the first start has the number 0, "none".
///
/// IPv4 is a trie (``IPv4Trie``) that takes some 10 MB for a million prefixes; a look-up reads at most
/// seven words. IPv6 is a binary search in the sorted starts, narrowed by the first 16 bits.
public struct IPRunTable: Sendable {
  @usableFromInline let trie: IPv4Trie
  @usableFromInline let starts6: [UInt128]
  @usableFromInline let numbers6: [UInt32]
  /// How many of `starts6` lie below each value of the first 16 bits; empty without IPv6 runs.
  @usableFromInline let buckets6: [UInt32]

  /// The greatest number a run may have; the top bit is the trie's own.
  public static let greatestNumber: UInt32 = 0x7fff_ffff

  /// A table from run starts, or nil unless the starts of each family rise strictly, there is one
  /// number for each, and no number exceeds ``greatestNumber``.
  public init?(
    v4 starts4: [UInt32], numbers numbers4: [UInt32], v6 starts6: [UInt128],
    numbers numbers6: [UInt32]
  ) {
    guard starts4.count == numbers4.count, starts6.count == numbers6.count,
      Self.risesStrictly(starts4), Self.risesStrictly(starts6),
      numbers4.allSatisfy({ $0 <= Self.greatestNumber }),
      numbers6.allSatisfy({ $0 <= Self.greatestNumber })
    else { return nil }
    trie = IPv4Trie(starts: starts4, numbers: numbers4)
    self.starts6 = starts6
    self.numbers6 = numbers6
    buckets6 = Self.buckets(of: starts6)
  }

  /// The number of the run that holds this IPv4 address (host order), 0 for none.
  ///
  /// At most seven memory reads, no allocation, no branch that depends on the table's size.
  @inlinable public func number(v4: UInt32) -> UInt32 { trie.number(v4) }

  /// The number of the run that holds this IPv6 address, 0 for none.
  @inlinable public func number(v6: UInt128) -> UInt32 {
    guard !buckets6.isEmpty else { return 0 }
    let bucket = Int(truncatingIfNeeded: v6 >> 112)
    var low = Int(buckets6[bucket])
    var high = Int(buckets6[bucket &+ 1])
    while low < high {
      let middle = (low &+ high) >> 1
      if starts6[middle] <= v6 { low = middle &+ 1 } else { high = middle }
    }
    return low == 0 ? 0 : numbers6[low &- 1]
  }

  /// The number of the run that holds the address, 0 for none.
  @inlinable public func number(_ address: IPAddress) -> UInt32 {
    if let v4 = address.v4 { return number(v4: v4) }
    return number(v6: address.bits)
  }

  /// The memory that the table holds, in bytes.
  public var byteCount: Int {
    trie.byteCount + (numbers6.count + buckets6.count) * 4 + starts6.count * 16
  }

  private static func risesStrictly<Number: FixedWidthInteger>(_ starts: [Number]) -> Bool {
    for index in starts.indices.dropFirst() where starts[index - 1] >= starts[index] {
      return false
    }
    return true
  }

  private static func buckets(of starts: [UInt128]) -> [UInt32] {
    guard !starts.isEmpty else { return [] }
    var buckets = [UInt32](repeating: 0, count: 65_537)
    var bucket = 0
    for (position, start) in starts.enumerated() {
      let own = Int(truncatingIfNeeded: start >> 112)
      while bucket < own {
        bucket += 1
        buckets[bucket] = UInt32(position)
      }
    }
    while bucket < 65_536 {
      bucket += 1
      buckets[bucket] = UInt32(starts.count)
    }
    return buckets
  }
}
