/// Consecutive runs of one address family, each with a number; 0 is "not known".
///
/// A run goes from its start to the address before the next start.
struct AddressRuns<Number: FixedWidthInteger & UnsignedInteger & Sendable>: Sendable {
  private(set) var starts: [Number] = []
  private(set) var numbers: [UInt32] = []

  /// A block of a source, with what the source says of it.
  struct Block: Sendable {
    let first: Number
    let last: Number
    let number: UInt32
  }

  init() {}

  /// Runs from blocks that may nest or overlap in any way: inside a greater block a smaller one
  /// counts, of two equal blocks the later one, and of two that merely overlap the one that begins
  /// later.
  init(_ blocks: [Block]) {
    var order = Array(0..<UInt32(clamping: blocks.count))
    let precedes = { (left: UInt32, right: UInt32) -> Bool in
      let one = blocks[Int(left)]
      let two = blocks[Int(right)]
      if one.first != two.first { return one.first < two.first }
      if one.last != two.last { return one.last > two.last }
      return left < right
    }
    // Published files come in order, where one comparison an entry is all it takes.
    order.sort(by: precedes)
    var open: [Block] = []
    for place in order {
      let block = blocks[Int(place)]
      close(&open, before: block.first)
      append(start: block.first, number: block.number)
      open.append(block)
    }
    close(&open, before: nil)
  }

  /// Ends the open blocks that end below `next`, from the innermost on.
  private mutating func close(_ open: inout [Block], before next: Number?) {
    while let innermost = open.last, next.map({ innermost.last < $0 }) ?? true {
      open.removeLast()
      guard innermost.last < .max else {
        // Nothing is behind it, and whatever else is open ends here or has ended.
        open.removeAll()
        return
      }
      let behind = innermost.last + 1
      while let outer = open.last, outer.last < behind { open.removeLast() }
      append(start: behind, number: open.last?.number ?? 0)
    }
  }

  /// Adds a run behind all others, or renames the last one where the start is the same.
  mutating func append(start: Number, number: UInt32) {
    if starts.last == start { removeLast() }
    if numbers.last ?? 0 != number {
      starts.append(start)
      numbers.append(number)
    }
  }

  private mutating func removeLast() {
    starts.removeLast()
    numbers.removeLast()
  }

  /// Runs over two tables at once: each run of the result is constant in both, and gets the number
  /// that `combine` makes of theirs.
  func merged(
    with other: AddressRuns, combine: (UInt32, UInt32) throws -> UInt32
  ) rethrows -> AddressRuns {
    var result = AddressRuns()
    var left = 0
    var right = 0
    while left < starts.count || right < other.starts.count {
      let start: Number
      if right == other.starts.count {
        start = starts[left]
      } else if left == starts.count {
        start = other.starts[right]
      } else {
        start = Swift.min(starts[left], other.starts[right])
      }
      if left < starts.count, starts[left] == start { left += 1 }
      if right < other.starts.count, other.starts[right] == start { right += 1 }
      let number = try combine(
        left == 0 ? 0 : numbers[left - 1], right == 0 ? 0 : other.numbers[right - 1])
      result.append(start: start, number: number)
    }
    return result
  }

  /// This table, with the gaps filled from a less trusted one.
  func filled(from other: AddressRuns) -> AddressRuns {
    if starts.isEmpty { return other }
    if other.starts.isEmpty { return self }
    return merged(with: other) { own, theirs in own != 0 ? own : theirs }
  }
}
