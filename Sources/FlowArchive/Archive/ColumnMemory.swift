import Glibc

/// Flat memory of one column of a block: room for a number of rows of one width. With its spans this is
/// the only file of the target that touches raw memory; every function checks its rows against the
/// capacity.
final class ColumnMemory {
  private let base: UnsafeMutableRawPointer
  let octets: Int

  init(octets: Int) {
    self.octets = octets
    base = .allocate(byteCount: max(64, octets), alignment: 64)
  }

  deinit { base.deallocate() }

  /// The first `count` values.
  @_lifetime(borrow self)
  func span<Value: BitwiseCopyable>(_ count: Int, as: Value.Type = Value.self) -> Span<Value> {
    precondition(count >= 0 && count * MemoryLayout<Value>.stride <= octets, "rows of the block")
    let values = unsafe UnsafeBufferPointer(
      start: base.assumingMemoryBound(to: Value.self), count: count)
    return unsafe _overrideLifetime(Span(_unsafeElements: values), borrowing: self)
  }

  /// The first `count` values, to be changed.
  @_lifetime(borrow self)
  func mutableSpan<Value: BitwiseCopyable>(
    _ count: Int, as: Value.Type = Value.self
  ) -> MutableSpan<Value> {
    precondition(count >= 0 && count * MemoryLayout<Value>.stride <= octets, "rows of the block")
    let values = unsafe UnsafeMutableBufferPointer(
      start: base.assumingMemoryBound(to: Value.self), count: count)
    return unsafe _overrideLifetime(MutableSpan(_unsafeElements: values), borrowing: self)
  }

  /// Copies values behind the first `start` ones.
  func copy<Value: BitwiseCopyable>(_ values: Span<Value>, at start: Int) {
    let width = MemoryLayout<Value>.stride
    precondition(start >= 0 && (start + values.count) * width <= octets, "rows of the block")
    values.withUnsafeBytes { source in
      if let first = source.baseAddress { memcpy(base + start * width, first, source.count) }
    }
  }

  /// Zeros some octets.
  func clear(_ range: Range<Int>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= octets, "rows of the block")
    memset(base + range.lowerBound, 0, range.count)
  }
}

/// What the system calls an error number.
func describe(_ code: Int32) -> String { String(cString: strerror(code)) }

/// A flat run of words for code that is hot: subscripts are checked in debug builds only, and every user
/// keeps below ``capacity``.
struct WordRun<Word: BitwiseCopyable & ExpressibleByIntegerLiteral>: ~Copyable {
  private var base: UnsafeMutablePointer<Word>
  private(set) var capacity: Int

  /// Zeros.
  init(capacity: Int) {
    self.capacity = max(1, capacity)
    base = .allocate(capacity: self.capacity)
    base.initialize(repeating: 0, count: self.capacity)
  }

  deinit { base.deallocate() }

  @inline(__always)
  subscript(index: Int) -> Word {
    get {
      assert(index >= 0 && index < capacity)
      return base[index]
    }
    nonmutating set {
      assert(index >= 0 && index < capacity)
      base[index] = newValue
    }
  }

  /// Makes room for more words, keeping the first `used` ones; the others hold anything.
  mutating func grow(to capacity: Int, keeping used: Int) {
    precondition(used <= self.capacity && used <= capacity)
    let larger = UnsafeMutablePointer<Word>.allocate(capacity: capacity)
    larger.update(from: base, count: used)
    base.deallocate()
    base = larger
    self.capacity = capacity
  }

  func clear() { base.update(repeating: 0, count: capacity) }

  /// A copy of a part.
  func words(_ range: Range<Int>) -> [Word] {
    precondition(range.lowerBound >= 0 && range.upperBound <= capacity)
    return Array(UnsafeBufferPointer(start: base + range.lowerBound, count: range.count))
  }

  /// Overwrites the first words.
  func take(_ words: [Word]) {
    precondition(words.count <= capacity)
    words.withUnsafeBufferPointer { source in
      if let first = source.baseAddress { base.update(from: first, count: source.count) }
    }
  }

  /// Copies some words of another run here; both ranges must be inside.
  @inline(__always)
  func copy(_ other: borrowing WordRun, from source: Int, to target: Int, count: Int) {
    assert(source >= 0 && source + count <= other.capacity && target + count <= capacity)
    for index in 0..<count { base[target &+ index] = other.base[source &+ index] }
  }
}
