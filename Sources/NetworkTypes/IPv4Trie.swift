/// The IPv4 half of ``IPRunTable``: a trie of strides 16, 8, 8 over flat memory.
///
/// Where a full trie would repeat an answer 256 times, a node keeps one bit per address block that
/// begins a new answer, and the answers themselves once, found by counting bits (after Degermark,
/// Brodnik, Carlsson, Pink, "Small Forwarding Tables for Fast Routing Lookups", SIGCOMM 1997).
///
/// This is the one file of the target that reads memory without bounds checks, because they halve
/// the rate of look-ups. Every index stays inside by construction: the memory is written only by
/// `init`, `root` has an entry for each value of 16 bits, entries with the node flag name nodes that
/// were appended before them, and a node's first bit is always set, so that a rank is at least one
/// and at most the number of answers that the node appended.
@usableFromInline
final class IPv4Trie: Sendable {
  /// By the upper 16 bits the node of that block. Also a block with a single answer has a node
  /// (shared with its neighbours), because whether a /16 is cut further is a branch that random
  /// sources mispredict.
  @usableFromInline nonisolated(unsafe) let root: UnsafePointer<UInt32>
  /// Eight words a node, one cache line: for each of its four words of 64 blocks the bits, then the
  /// place in `leaves` before the first answer of that word.
  @usableFromInline nonisolated(unsafe) let nodes: UnsafePointer<UInt64>
  /// Answers, or nodes where the top bit is set.
  @usableFromInline nonisolated(unsafe) let leaves: UnsafePointer<UInt32>
  let byteCount: Int

  @usableFromInline static let nodeFlag: UInt32 = 0x8000_0000

  /// - Parameters:
  ///   - starts: rising strictly.
  ///   - numbers: one for each start, none with the top bit.
  init(starts: [UInt32], numbers: [UInt32]) {
    var builder = IPv4TrieBuilder(starts: starts, numbers: numbers)
    builder.build()
    root = Self.copy(builder.root, alignment: 64)
    nodes = Self.copy(builder.nodes, alignment: 64)
    leaves = Self.copy(builder.leaves, alignment: 64)
    byteCount = (builder.root.count + builder.leaves.count) * 4 + builder.nodes.count * 8
  }

  deinit {
    UnsafeMutableRawPointer(mutating: root).deallocate()
    UnsafeMutableRawPointer(mutating: nodes).deallocate()
    UnsafeMutableRawPointer(mutating: leaves).deallocate()
  }

  private static func copy<Word: BitwiseCopyable>(
    _ words: [Word], alignment: Int
  ) -> UnsafePointer<Word> {
    let raw = UnsafeMutableRawPointer.allocate(
      byteCount: max(1, words.count) * MemoryLayout<Word>.stride, alignment: alignment)
    let typed = raw.bindMemory(to: Word.self, capacity: max(1, words.count))
    for (index, word) in words.enumerated() { typed[index] = word }
    return UnsafePointer(typed)
  }

  @inlinable @inline(__always)
  func number(_ address: UInt32) -> UInt32 {
    let second = child(of: root[Int(address >> 16)], at: address >> 8 & 255)
    guard second & Self.nodeFlag != 0 else { return second }
    return child(of: second & ~Self.nodeFlag, at: address & 255)
  }

  @inlinable @inline(__always)
  func child(of node: UInt32, at block: UInt32) -> UInt32 {
    let word = Int(node) &* 8 &+ Int(block >> 6) &* 2
    let upToBlock: UInt64 = (2 &<< UInt64(block & 63)) &- 1
    let rank = (nodes[word] & upToBlock).nonzeroBitCount
    return leaves[Int(truncatingIfNeeded: nodes[word &+ 1]) &+ rank]
  }
}

/// Cuts the runs of IPv4 into the trie, from the lowest address to the highest.
private struct IPv4TrieBuilder {
  let starts: [UInt32]
  let numbers: [UInt32]
  var root = [UInt32](repeating: 0, count: 65_536)
  var nodes: [UInt64] = []
  // A node's place points before its first answer, so that the first node's place needs one too.
  var leaves: [UInt32] = [0]
  /// The number of the run that the sweep is in, and the next run to begin.
  private var current: UInt32 = 0
  private var next = 0

  init(starts: [UInt32], numbers: [UInt32]) {
    self.starts = starts
    self.numbers = numbers
    leaves.reserveCapacity(starts.count + 65_536)
  }

  mutating func build() {
    var uniform: (answer: UInt32, node: UInt32)?
    var scratch = [UInt32](repeating: 0, count: 512)
    for upper in 0..<65_536 {
      let answer = entry(first: UInt32(upper) << 16, blockBits: 16, depth: 0, &scratch)
      if answer & IPv4Trie.nodeFlag != 0 {
        root[upper] = answer & ~IPv4Trie.nodeFlag
      } else if let uniform, uniform.answer == answer {
        root[upper] = uniform.node
      } else {
        for child in 0..<256 { scratch[child] = answer }
        root[upper] = append(scratch[0..<256]) & ~IPv4Trie.nodeFlag
        uniform = (answer, root[upper])
      }
    }
  }

  /// The entry for the block of `2^blockBits` addresses at `first`; the sweep moves behind it.
  private mutating func entry(
    first: UInt32, blockBits: UInt32, depth: Int, _ scratch: inout [UInt32]
  ) -> UInt32 {
    if next < starts.count, starts[next] == first {
      current = numbers[next]
      next += 1
    }
    let last = first | ((1 << blockBits) - 1)
    guard blockBits > 0, next < starts.count, starts[next] <= last else { return current }
    let childBits = blockBits - 8
    for child in 0..<256 {
      scratch[depth * 256 + child] = entry(
        first: first | UInt32(child) << childBits, blockBits: childBits, depth: depth + 1, &scratch)
    }
    return append(scratch[depth * 256..<depth * 256 + 256])
  }

  private mutating func append(_ children: ArraySlice<UInt32>) -> UInt32 {
    let node = UInt32(nodes.count / 8)
    var previous: UInt32?
    for word in 0..<4 {
      let place = UInt64(leaves.count - 1)
      var bits: UInt64 = 0
      for bit in 0..<64 {
        let answer = children[children.startIndex + word * 64 + bit]
        guard answer != previous else { continue }
        previous = answer
        bits |= 1 << UInt64(bit)
        leaves.append(answer)
      }
      nodes.append(bits)
      nodes.append(place)
    }
    return node | IPv4Trie.nodeFlag
  }
}
