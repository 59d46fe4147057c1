/// The order of a block's rows by source address, for compression and for searches; rows of the same
/// source stay in the order in which they came.
struct BlockSorting {
  private(set) var order: [UInt32] = []
  private var other: [UInt32] = []
  private var pairs: [UInt64] = []
  private var otherPairs: [UInt64] = []
  private var counts = [Int](repeating: 0, count: 256)

  /// Sorts 32-bit keys: they move along with their rows' numbers, so that every pass reads memory from
  /// the beginning to the end.
  mutating func sort(_ keys: Span<UInt32>) {
    var difference: UInt32 = 0
    let first = keys.isEmpty ? 0 : keys[0]
    for index in keys.indices { difference |= keys[unchecked: index] ^ first }
    // `order` too: sorting 128-bit keys in between gives it another length.
    if pairs.count != keys.count || order.count != keys.count {
      pairs = [UInt64](repeating: 0, count: keys.count)
      otherPairs = pairs
      order = [UInt32](repeating: 0, count: keys.count)
    }
    Self.pair(keys, &pairs)
    for octet in 0..<4 where difference &>> UInt32(8 * octet) & 255 != 0 {
      Self.pass(pairs, shift: UInt64(32 + 8 * octet), &otherPairs, &counts)
      swap(&pairs, &otherPairs)
    }
    Self.unpair(pairs, &order)
  }

  private static func pair(_ keys: Span<UInt32>, _ pairs: inout [UInt64]) {
    var target = pairs.mutableSpan
    // `sort` made both of one length.
    for index in keys.indices {
      target[unchecked: index] =
        UInt64(keys[unchecked: index]) &<< 32 | UInt64(truncatingIfNeeded: index)
    }
  }

  private static func unpair(_ source: [UInt64], _ order: inout [UInt32]) {
    let pairs = source.span
    var target = order.mutableSpan
    for index in pairs.indices {
      target[unchecked: index] = UInt32(truncatingIfNeeded: pairs[unchecked: index])
    }
  }

  /// One pass over pairs.
  private static func pass(
    _ source: [UInt64], shift: UInt64, _ other: inout [UInt64], _ counts: inout [Int]
  ) {
    let pairs = source.span
    for index in 0..<256 { counts[index] = 0 }
    var places = counts.mutableSpan
    for index in pairs.indices {
      places[unchecked: Int(truncatingIfNeeded: pairs[unchecked: index] &>> shift & 255)] &+= 1
    }
    var sum = 0
    for digit in 0..<256 {
      let count = places[digit]
      places[digit] = sum
      sum += count
    }
    var target = other.mutableSpan
    for index in pairs.indices {
      // The places of a digit end where the next one's begin: all are inside.
      let pair = pairs[unchecked: index]
      let digit = Int(truncatingIfNeeded: pair &>> shift & 255)
      target[unchecked: places[unchecked: digit]] = pair
      places[unchecked: digit] &+= 1
    }
  }

  /// Sorts 128-bit keys.
  mutating func sort(_ keys: Span<UInt128>) {
    var difference: UInt128 = 0
    let first = keys.isEmpty ? 0 : keys[0]
    for index in keys.indices { difference |= keys[unchecked: index] ^ first }
    begin(keys.count)
    for octet in 0..<16 where difference &>> UInt128(8 * octet) & 255 != 0 {
      Self.pass(keys, shift: UInt128(8 * octet), order, &other, &counts)
      swap(&order, &other)
    }
  }

  private mutating func begin(_ count: Int) {
    order.removeAll(keepingCapacity: true)
    order.append(contentsOf: 0..<UInt32(count))
    other.removeAll(keepingCapacity: true)
    other.append(contentsOf: repeatElement(0, count: count))
  }

  /// One pass of a radix sort from the lowest octet (Knuth, TAOCP 5.2.5).
  private static func pass<Key: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ keys: Span<Key>, shift: Key, _ order: [UInt32], _ other: inout [UInt32],
    _ counts: inout [Int]
  ) {
    for index in 0..<256 { counts[index] = 0 }
    var places = counts.mutableSpan
    for index in keys.indices {
      places[unchecked: Int(truncatingIfNeeded: keys[unchecked: index] &>> shift & 255)] &+= 1
    }
    var sum = 0
    for digit in 0..<256 {
      let count = places[digit]
      places[digit] = sum
      sum += count
    }
    let source = order.span
    var target = other.mutableSpan
    for index in source.indices {
      // `order` is a permutation of the keys' indices, and the places of a digit end where the next
      // one's begin: all three subscripts are inside.
      let row = source[unchecked: index]
      let digit = Int(truncatingIfNeeded: keys[unchecked: Int(row)] &>> shift & 255)
      target[unchecked: places[unchecked: digit]] = row
      places[unchecked: digit] &+= 1
    }
  }
}
