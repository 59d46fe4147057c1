import CPrefetch

/// A very small distinct counter, for millions of table entries: 20 octets in the entry, and room in
/// a shared ``DistinctArena`` only for the few that grow.
///
/// Up to four values are kept in the entry itself, up to 16 in a list that fills one cache line, up to
/// 48 in an exact set of 64 words, then in a HyperLogLog of 2^10 registers (standard error 3.3 %). Values
/// are 32-bit hashes: where they come from a bijection of IPv4 addresses (``mix32(_:)``), all but the
/// last form are exact.
@frozen
public struct DistinctCounter: BitwiseCopyable, Sendable {
  /// Inline: how many values. Otherwise `listForm`, `setForm` or `registerForm`.
  @usableFromInline var form: UInt8 = 0
  /// Of a list or set: how many values it holds.
  @usableFromInline var held: UInt8 = 0
  /// The first value; of a list, a set or registers, the block in the arena.
  @usableFromInline var a: UInt32 = 0
  /// The second value; of a set, whether it holds the value zero.
  @usableFromInline var b: UInt32 = 0
  @usableFromInline var c: UInt32 = 0
  @usableFromInline var d: UInt32 = 0

  /// The block in the arena, of a counter that has one.
  @inlinable var block: UInt32 {
    get { a }
    set { a = newValue }
  }

  @usableFromInline static let listForm: UInt8 = 5
  @usableFromInline static let setForm: UInt8 = 6
  @usableFromInline static let registerForm: UInt8 = 7

  /// A counter that has seen nothing.
  @inlinable public init() {}

  /// Whether nothing was inserted.
  @inlinable public var isEmpty: Bool { form == 0 }

  /// Whether the count is that of the distinct hashes, not an estimate.
  @inlinable public var isExact: Bool { form <= Self.setForm }

  /// Whether one more value makes the count an estimate.
  @inlinable public var isFull: Bool { form == Self.setForm && held == DistinctArena.exactLimit }
}

/// The memory behind many ``DistinctCounter``s: blocks of 64 octets (lists), 256 octets (sets) and 1 KiB
/// (registers) with free lists.
///
/// A counter belongs to the arena that it was filled in. Not safe for several threads at once.
///
/// ```swift
/// let arena = DistinctArena()
/// var counter = DistinctCounter()
/// arena.insert(hash: mix32(address), into: &counter)
/// arena.estimate(counter)  // 1
/// arena.release(&counter)
/// ```
public final class DistinctArena {
  private static let listWords = 16
  private static let setWords = 64
  /// How many values a counter holds exactly.
  @usableFromInline static let exactLimit: UInt8 = 48
  private static let registerCount = 1_024

  // Not checked at run time for overlapping accesses: no method of this class calls out while it holds
  // one of them.
  @exclusivity(unchecked) private var lists = BlockPool<UInt32>(blockCount: listWords)
  @exclusivity(unchecked) private var sets = BlockPool<UInt32>(blockCount: setWords)
  @exclusivity(unchecked) private var registers = BlockPool<UInt8>(blockCount: registerCount)

  /// An arena without memory.
  public init() {}

  /// Octets of memory taken from the system, free blocks included. It does not shrink.
  public var memoryBytes: Int {
    lists.memoryBytes + sets.memoryBytes + registers.memoryBytes
  }

  /// Octets of memory that counters hold at the moment; the rest of ``memoryBytes`` is free for reuse.
  public var usedBytes: Int {
    lists.usedBlocks * Self.listWords * 4 + sets.usedBlocks * Self.setWords * 4
      + registers.usedBlocks * Self.registerCount
  }

  /// Counts a value. One that an inline counter already holds costs one or two nanoseconds.
  ///
  /// - Returns: whether the counter changed. A value that does not change it does not change any
  ///   counter either that has taken in all that this one has, so that insertion can be spared.
  @discardableResult
  @inlinable @inline(__always)
  public func insert(hash value: UInt32, into counter: inout DistinctCounter) -> Bool {
    if counter.form <= 4 {
      let count = counter.form
      if count > 0, counter.a == value { return false }
      if count > 1, counter.b == value { return false }
      if count > 2, counter.c == value { return false }
      if count > 3, counter.d == value { return false }
    }
    return insertSlowly(value, into: &counter)
  }

  @usableFromInline
  @inline(never)
  func insertSlowly(_ value: UInt32, into counter: inout DistinctCounter) -> Bool {
    switch counter.form {
    case 0: counter.a = value
    case 1: counter.b = value
    case 2: counter.c = value
    case 3: counter.d = value
    case 4: startList(&counter, with: value)
    case DistinctCounter.listForm: return insertIntoList(value, &counter)
    case DistinctCounter.setForm: return insertIntoSet(value, &counter)
    default: return raise(value, block: counter.block)
    }
    if counter.form < 4 { counter.form += 1 }
    return true
  }

  private func startList(_ counter: inout DistinctCounter, with value: UInt32) {
    let first = counter
    counter = DistinctCounter()
    counter.form = DistinctCounter.listForm
    counter.held = 5
    counter.block = lists.allocate()
    lists.withBlock(counter.block) { words in
      // Words without a value of their own repeat the first one, so that a search may look at all.
      words.update(repeating: first.a)
      words[1] = first.b
      words[2] = first.c
      words[3] = first.d
      words[4] = value
    }
  }

  private func insertIntoList(_ value: UInt32, _ counter: inout DistinctCounter) -> Bool {
    let words = lists.address(counter.block)
    var isHeld = false
    for index in 0..<Self.listWords { isHeld = isHeld || words[index] == value }
    if isHeld { return false }
    if Int(counter.held) < Self.listWords {
      words[Int(counter.held)] = value
      counter.held &+= 1
      return true
    }
    let list = counter
    counter = DistinctCounter()
    counter.block = sets.allocate()
    counter.form = DistinctCounter.setForm
    for index in 0..<Self.listWords { insertIntoSet(words[index], &counter) }
    lists.release(list.block)
    return insertIntoSet(value, &counter)
  }

  @discardableResult
  private func insertIntoSet(_ value: UInt32, _ counter: inout DistinctCounter) -> Bool {
    // Zero marks an empty word, so the value zero is noted in the entry, in `b`.
    if value == 0 {
      guard counter.b == 0 else { return false }
      counter.b = 1
    } else {
      let isNew = sets.withBlock(counter.block) { words in
        // At most 48 of the 64 words are taken (`exactLimit`), so the search meets an empty one.
        var slot = Int(value >> 26)
        while words[slot] != 0 {
          if words[slot] == value { return false }
          slot = (slot &+ 1) & (Self.setWords &- 1)
        }
        words[slot] = value
        return true
      }
      guard isNew else { return false }
    }
    counter.held &+= 1
    if counter.held > Self.exactLimit { promote(&counter) }
    return true
  }

  private func promote(_ counter: inout DistinctCounter) {
    let block = registers.allocate()
    forEachValue(counter) { raise($0, block: block) }
    sets.release(counter.block)
    counter = DistinctCounter()
    counter.form = DistinctCounter.registerForm
    counter.block = block
  }

  /// The values of a counter that still knows them: see ``DistinctCounter/isExact``.
  public func forEachValue(_ counter: DistinctCounter, _ body: (UInt32) -> Void) {
    if counter.form == DistinctCounter.listForm {
      for place in 0..<Int(counter.held) { body(lists.withBlock(counter.block) { $0[place] }) }
    } else if counter.form == DistinctCounter.setForm {
      for slot in 0..<Self.setWords {
        let value = sets.withBlock(counter.block) { $0[slot] }
        if value != 0 { body(value) }
      }
      if counter.b == 1 { body(0) }
    } else if counter.form <= 4 {
      if counter.form > 0 { body(counter.a) }
      if counter.form > 1 { body(counter.b) }
      if counter.form > 2 { body(counter.c) }
      if counter.form > 3 { body(counter.d) }
    }
  }

  /// Asks for the memory that ``insert(hash:into:)`` would touch.
  public func prefetch(hash value: UInt32, of counter: DistinctCounter) {
    switch counter.form {
    case DistinctCounter.listForm: noroshi_prefetch(lists.address(counter.block))
    case DistinctCounter.setForm:
      noroshi_prefetch(sets.address(counter.block) + Int(value >> 26))
    case DistinctCounter.registerForm:
      noroshi_prefetch(registers.address(counter.block) + Self.place(value).index)
    default: break
    }
  }

  /// The register that a value belongs to, and the height it raises it to.
  @inline(__always)
  private static func place(_ value: UInt32) -> (index: Int, height: UInt8) {
    // 32 bits alone would bend the estimate above some ten million; mixed to 64 they name 2^32 things.
    let hash = mix64(UInt64(value) &+ 0x9e37_79b9_7f4a_7c15)
    return (
      Int(hash &>> 54),
      UInt8(truncatingIfNeeded: min(54, (hash &<< 10).leadingZeroBitCount) &+ 1)
    )
  }

  @discardableResult
  private func raise(_ value: UInt32, block: UInt32) -> Bool {
    let place = Self.place(value)
    let register = registers.address(block) + place.index
    guard register.pointee < place.height else { return false }
    register.pointee = place.height
    return true
  }

  /// How many distinct values were inserted: exact up to 48, then with a standard error of 3.3 %.
  public func estimate(_ counter: DistinctCounter) -> Double {
    switch counter.form {
    case 0...4: return Double(counter.form)
    case DistinctCounter.listForm, DistinctCounter.setForm: return Double(counter.held)
    default:
      return registers.withBlock(counter.block) { HyperLogLog.estimate(registers: $0.span) }
    }
  }

  /// Takes into a counter of this arena all that a counter of `other` (or of this arena) has seen.
  public func merge(
    _ source: DistinctCounter, from other: DistinctArena, into counter: inout DistinctCounter
  ) {
    guard source.form == DistinctCounter.registerForm else {
      other.forEachValue(source) { insert(hash: $0, into: &counter) }
      return
    }
    if counter.form != DistinctCounter.registerForm {
      let block = registers.allocate()
      forEachValue(counter) { raise($0, block: block) }
      release(&counter)
      counter.form = DistinctCounter.registerForm
      counter.block = block
    }
    let from = UnsafeRawPointer(other.registers.address(source.block))
    let to = UnsafeMutableRawPointer(registers.address(counter.block))
    for offset in stride(from: 0, to: Self.registerCount, by: 32) {
      let theirs = from.load(fromByteOffset: offset, as: SIMD32<UInt8>.self)
      let ours = to.load(fromByteOffset: offset, as: SIMD32<UInt8>.self)
      to.storeBytes(
        of: pointwiseMax(ours, theirs), toByteOffset: offset, as: SIMD32<UInt8>.self)
    }
  }

  /// Gives the counter's memory back; it then counts from zero.
  public func release(_ counter: inout DistinctCounter) {
    if counter.form == DistinctCounter.listForm { lists.release(counter.block) }
    if counter.form == DistinctCounter.setForm { sets.release(counter.block) }
    if counter.form == DistinctCounter.registerForm { registers.release(counter.block) }
    counter = DistinctCounter()
  }

  /// The blocks of an arena, as they go into a checkpoint beside the counters that point into them.
  public struct Image: Hashable, Sendable {
    /// 16 words for each list.
    public var lists: [UInt32]
    /// Numbers of the lists that no counter holds.
    public var freeLists: [UInt32]
    /// 64 words for each set.
    public var sets: [UInt32]
    /// Numbers of the sets that no counter holds.
    public var freeSets: [UInt32]
    /// 1,024 octets for each block of registers.
    public var registers: [UInt8]
    /// Numbers of the register blocks that no counter holds.
    public var freeRegisters: [UInt32]

    /// An image from its parts; ``DistinctArena/init(image:)`` checks them.
    public init(
      lists: [UInt32], freeLists: [UInt32], sets: [UInt32], freeSets: [UInt32], registers: [UInt8],
      freeRegisters: [UInt32]
    ) {
      self.lists = lists
      self.freeLists = freeLists
      self.sets = sets
      self.freeSets = freeSets
      self.registers = registers
      self.freeRegisters = freeRegisters
    }
  }

  /// A copy of all blocks.
  public var image: Image {
    Image(
      lists: lists.words, freeLists: lists.free, sets: sets.words, freeSets: sets.free,
      registers: registers.words,
      freeRegisters: registers.free)
  }

  /// An arena as it was when `image` was taken.
  ///
  /// - Throws: ``SketchError`` when the parts do not fit together. Each counter read back with it must
  ///   then pass ``owns(_:)``.
  public init(image: Image) throws(SketchError) {
    try lists.restore(words: image.lists, free: image.freeLists)
    try sets.restore(words: image.sets, free: image.freeSets)
    try registers.restore(words: image.registers, free: image.freeRegisters)
    for block in 0..<image.sets.count / Self.setWords {
      let words = image.sets[block * Self.setWords..<(block + 1) * Self.setWords]
      guard
        words.count(where: { $0 != 0 }) <= Int(Self.exactLimit) || !sets.isHeld(UInt32(block))
      else { throw .damaged("set \(block) of the arena is overfull") }
    }
  }

  /// Whether the counter is whole and its block, if it has one, lies in this arena and is not free.
  /// For counters read back from storage.
  public func owns(_ counter: DistinctCounter) -> Bool {
    switch counter.form {
    case 0...4: return true
    case DistinctCounter.listForm:
      return lists.isHeld(counter.block) && (5...UInt8(Self.listWords)).contains(counter.held)
    case DistinctCounter.setForm:
      guard counter.b <= 1, sets.isHeld(counter.block) else { return false }
      let taken = sets.withBlock(counter.block) { words in
        (0..<Self.setWords).count(where: { words[$0] != 0 })
      }
      return Int(counter.held) == taken + Int(counter.b) && counter.held <= Self.exactLimit
    case DistinctCounter.registerForm: return registers.isHeld(counter.block)
    default: return false
    }
  }
}
