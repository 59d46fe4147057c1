import Glibc

/// Equal blocks of plain words in one growing piece of memory, with a free list: allocating and
/// releasing one costs no call of the system's allocator.
///
/// The only file of this target with raw memory: every access goes through ``withBlock(_:_:)``, which
/// checks the block's number.
struct BlockPool<Word: FixedWidthInteger & BitwiseCopyable>: ~Copyable {
  let blockCount: Int
  private var base: UnsafeMutablePointer<Word>?
  private var capacity = 0
  private var created = 0
  private(set) var free: [UInt32] = []
  /// Of each block, whether it is handed out.
  private var held: [Bool] = []

  init(blockCount: Int) {
    self.blockCount = blockCount
  }

  deinit { Glibc.free(base) }

  var memoryBytes: Int {
    capacity * blockCount * MemoryLayout<Word>.stride + held.capacity + free.capacity * 4
  }

  var usedBlocks: Int { created - free.count }

  /// The number of a block filled with zeros.
  mutating func allocate() -> UInt32 {
    let block: Int
    if let number = free.popLast() {
      block = Int(number)
    } else {
      if created == capacity { grow(to: max(8, capacity + capacity / 2)) }
      block = created
      created += 1
      held.append(false)
    }
    held[block] = true
    withBlock(UInt32(block)) { $0.update(repeating: 0) }
    return UInt32(block)
  }

  /// Moves the memory to a larger place, as the allocator can often do without copying.
  private mutating func grow(to blocks: Int) {
    let bytes = blocks * blockCount * MemoryLayout<Word>.stride
    guard let moved = realloc(base, bytes) else {
      // Out of memory: nothing here can go on, as when the standard library's own arrays cannot grow.
      fatalError("no memory for \(bytes) octets of distinct counters")
    }
    base = moved.bindMemory(to: Word.self, capacity: blocks * blockCount)
    capacity = blocks
  }

  /// Hands a block back. Releasing one twice is a mistake of the program.
  mutating func release(_ block: UInt32) {
    precondition(isHeld(block), "a block of distinct counters was released twice")
    held[Int(block)] = false
    free.append(block)
  }

  func isHeld(_ block: UInt32) -> Bool {
    Int(block) < created && held[Int(block)]
  }

  @inline(__always)
  func withBlock<Result>(
    _ block: UInt32, _ body: (UnsafeMutableBufferPointer<Word>) -> Result
  ) -> Result {
    guard let base, Int(block) < created else {
      // Counters come from this arena's `insert`, or were checked with `owns`.
      preconditionFailure("a distinct counter was used with another arena than its own")
    }
    return body(
      UnsafeMutableBufferPointer(start: base + Int(block) * blockCount, count: blockCount))
  }

  /// All blocks one after another.
  var words: [Word] {
    Array(UnsafeBufferPointer(start: base, count: created * blockCount))
  }

  mutating func restore(words: [Word], free: [UInt32]) throws(SketchError) {
    guard words.count % blockCount == 0, words.count / blockCount <= Int(UInt32.max) else {
      throw .damaged("\(words.count) words are not whole blocks of \(blockCount)")
    }
    let blocks = words.count / blockCount
    var held = [Bool](repeating: true, count: blocks)
    for number in free {
      guard Int(number) < blocks, held[Int(number)] else {
        throw .damaged("free block \(number) does not exist or is named twice")
      }
      held[Int(number)] = false
    }
    if blocks > capacity { grow(to: blocks) }
    words.withUnsafeBufferPointer { source in
      // `source` has `blocks * blockCount` words and `grow` made room for as many.
      if let start = source.baseAddress { base?.update(from: start, count: source.count) }
    }
    created = blocks
    self.free = free
    self.held = held
  }
}
