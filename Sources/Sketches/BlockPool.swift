/// Equal blocks of plain words in chunks of memory that never move, with a free list: allocating and
/// releasing a block costs no call of the system's allocator.
///
/// Every access goes through ``withBlock(_:_:)`` or ``address(_:)``, which check the block's number.
struct BlockPool<Word: FixedWidthInteger & BitwiseCopyable>: ~Copyable {
  let blockCount: Int
  private var memory: ChunkedMemory
  private var created = 0
  private(set) var free: [UInt32] = []
  /// Of each block, whether it is handed out.
  private var held: [Bool] = []

  /// - Parameter blockCount: words of a block.
  init(blockCount: Int) {
    self.blockCount = blockCount
    let bytes = blockCount * MemoryLayout<Word>.stride
    memory = ChunkedMemory(recordBytes: bytes, chunkShift: bytes >= 1_024 ? 4 : 6)
  }

  var memoryBytes: Int { memory.memoryBytes + held.count + free.count * 4 }

  var usedBlocks: Int { created - free.count }

  /// The number of a block filled with zeros.
  mutating func allocate() -> UInt32 {
    let block: Int
    if let number = free.popLast() {
      block = Int(number)
    } else {
      if created == memory.capacity { memory.grow() }
      block = created
      created += 1
      held.append(false)
    }
    held[block] = true
    withBlock(UInt32(block)) { $0.update(repeating: 0) }
    return UInt32(block)
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
  func address(_ block: UInt32) -> UnsafeMutablePointer<Word> {
    guard Int(block) < created else {
      // Counters come from this arena's `insert`, or were checked with `owns`.
      preconditionFailure("a distinct counter was used with another arena than its own")
    }
    return memory.pointer(Int(block)).assumingMemoryBound(to: Word.self)
  }

  @inline(__always)
  func withBlock<Result>(
    _ block: UInt32, _ body: (UnsafeMutableBufferPointer<Word>) -> Result
  ) -> Result {
    body(UnsafeMutableBufferPointer(start: address(block), count: blockCount))
  }

  /// All blocks one after another.
  var words: [Word] {
    var result: [Word] = []
    result.reserveCapacity(created * blockCount)
    for block in 0..<created {
      withBlock(UInt32(block)) { result.append(contentsOf: $0) }
    }
    return result
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
    while blocks > memory.capacity { memory.grow() }
    created = blocks
    for block in 0..<blocks {
      withBlock(UInt32(block)) {
        _ = $0.update(fromContentsOf: words[block * blockCount..<(block + 1) * blockCount])
      }
    }
    self.free = free
    self.held = held
  }
}
