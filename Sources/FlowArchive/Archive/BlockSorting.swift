/// The order of a block's rows by source address, for compression and for searches; rows of the same
/// source stay in the order in which they came.
struct BlockSorting {
  private(set) var order: [UInt32] = []
  private var other: [UInt32] = []
  private var counts = [Int](repeating: 0, count: 256)

  /// Sorts 32-bit keys.
  mutating func sort(_ keys: Span<UInt32>) {
    var difference: UInt32 = 0
    let first = keys.isEmpty ? 0 : keys[0]
    for index in keys.indices { difference |= keys[unchecked: index] ^ first }
    begin(keys.count)
    for octet in 0..<4 where difference &>> UInt32(8 * octet) & 255 != 0 {
      Self.pass(keys, shift: UInt32(8 * octet), order, &other, &counts)
      swap(&order, &other)
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
