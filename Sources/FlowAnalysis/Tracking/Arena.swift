import Sketches

/// A fixed number of plain values in memory that the system provides as it is touched: capacity costs
/// nothing until it is used. All access is checked against ``count``.
///
/// The only file of this room's tracking that reaches memory by address.
struct Arena<Value: BitwiseCopyable>: ~Copyable {
  private let base: UnsafeMutablePointer<Value>
  let capacity: Int
  private(set) var count = 0

  init(capacity: Int) {
    self.capacity = max(1, capacity)
    base = .allocate(capacity: self.capacity)
  }

  deinit { base.deallocate() }

  /// Adds a value; false when there is no room.
  mutating func append(_ value: Value) -> Bool {
    guard count < capacity else { return false }
    (base + count).initialize(to: value)
    count += 1
    return true
  }

  /// Grows by values that are all the same; false when there is no room.
  mutating func extend(by number: Int, _ value: Value) -> Bool {
    guard number >= 0, number <= capacity - count else { return false }
    (base + count).initialize(repeating: value, count: number)
    count += number
    return true
  }

  mutating func shrink(to number: Int) { count = max(0, min(count, number)) }

  subscript(index: Int) -> Value {
    get {
      precondition(index >= 0 && index < count, "an index below the count")
      return base[index]
    }
    _modify {
      precondition(index >= 0 && index < count, "an index below the count")
      yield &base[index]
    }
  }
}

/// What can be numbered: a key that knows where it belongs in a table.
protocol NumberedKey: BitwiseCopyable, Hashable {
  /// Every bit depends on every bit of the key.
  var mixed: UInt64 { get }
}

extension UInt64: NumberedKey {
  @inline(__always) var mixed: UInt64 { mix64(self) }
}

extension UInt128: NumberedKey {
  @inline(__always) var mixed: UInt64 {
    mix64(UInt64(truncatingIfNeeded: self >> 64), UInt64(truncatingIfNeeded: self))
  }
}

/// Numbers 0, 1, 2 … for keys, by open addressing with linear probing (Knuth, TAOCP 6.4).
struct Numbering<Key: NumberedKey>: ~Copyable {
  private(set) var keys: Arena<Key>
  /// Number + 1; 0 is free. As many as a power of two, at most 70 % full.
  private var slots: Arena<UInt32>
  private var mask: Int

  init(capacity: Int) {
    keys = Arena(capacity: min(capacity, Int(UInt32.max) - 1))
    slots = Arena(capacity: 1 << 12)
    _ = slots.extend(by: 1 << 12, 0)
    mask = (1 << 12) - 1
  }

  var count: Int { keys.count }

  func find(_ key: Key) -> Int? {
    var slot = Int(truncatingIfNeeded: key.mixed) & mask
    while slots[slot] != 0 {
      let number = Int(slots[slot]) - 1
      if keys[number] == key { return number }
      slot = (slot + 1) & mask
    }
    return nil
  }

  /// The key's number, a new one where it had none; nil when there is no room.
  mutating func number(_ key: Key) -> (number: Int, isNew: Bool)? {
    var slot = Int(truncatingIfNeeded: key.mixed) & mask
    while slots[slot] != 0 {
      let number = Int(slots[slot]) - 1
      if keys[number] == key { return (number, false) }
      slot = (slot + 1) & mask
    }
    guard keys.append(key) else { return nil }
    slots[slot] = UInt32(keys.count)
    if keys.count * 10 > (mask + 1) * 7 { rebuild(slots: (mask + 1) * 2) }
    return (keys.count - 1, true)
  }

  subscript(number: Int) -> Key { keys[number] }

  /// Keeps the keys for which `isKept` says so, in order; `moved` is told of each one's old and new
  /// number.
  mutating func compact(_ isKept: (Int) -> Bool, moved: (_ old: Int, _ new: Int) -> Void) {
    var next = 0
    for old in 0..<keys.count where isKept(old) {
      if old != next { keys[next] = keys[old] }
      moved(old, next)
      next += 1
    }
    keys.shrink(to: next)
    rebuild(slots: mask + 1)
  }

  private mutating func rebuild(slots size: Int) {
    if size != mask + 1 { slots = Arena(capacity: size) }
    slots.shrink(to: 0)
    _ = slots.extend(by: size, 0)
    mask = size - 1
    for number in 0..<keys.count {
      var slot = Int(truncatingIfNeeded: keys[number].mixed) & mask
      while slots[slot] != 0 { slot = (slot + 1) & mask }
      slots[slot] = UInt32(number + 1)
    }
  }
}
