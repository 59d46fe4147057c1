/// Sums by key: an open-addressing table over flat memory.
///
/// An entry is `keyWords` words of key, then the sums: flows, packets, octets, first start, last end
/// and, for biflows, the packets and octets of the reverse direction and the first starts of both.
/// Times are milliseconds as Int64 bits.
struct GroupTable: ~Copyable {
  /// How the words of an entry are merged.
  struct Layout: Hashable, Sendable {
    let keyWords: Int
    let isBiflow: Bool

    var sumWords: Int { isBiflow ? 9 : 5 }
    var stride: Int { keyWords + sumWords }

    /// Where the first start is among an entry's words; the last end follows.
    var timeWord: Int { keyWords + 3 }
  }

  let layout: Layout
  private(set) var count = 0
  private var entries: WordRun<UInt64>
  /// Number of an entry plus one; 0 is empty.
  private var slots: WordRun<UInt32>
  private var slotMask: Int
  private var touched: UInt64 = 0

  /// A table with room for about `expected` entries before it grows.
  init(_ layout: Layout, expected: Int = 1_024) {
    self.layout = layout
    var size = 2_048
    while size < expected * 2, size < 1 << 30 { size *= 2 }
    slots = WordRun(capacity: size)
    slotMask = size - 1
    entries = WordRun(capacity: max(1_024, min(expected, 1 << 22)) * layout.stride)
  }

  /// Octets that it takes now.
  var octets: Int { entries.capacity * 8 + slots.capacity * 4 }

  mutating func removeAll() {
    count = 0
    slots.clear()
  }

  /// The words of an entry.
  func entry(_ index: Int) -> [UInt64] {
    entries.words(index * layout.stride..<(index + 1) * layout.stride)
  }

  /// The words of all entries.
  var allWords: [UInt64] { entries.words(0..<count * layout.stride) }

  /// Copies an entry to a run that has room for it.
  @inline(__always)
  func copyEntry(_ index: Int, to run: borrowing WordRun<UInt64>, at place: Int) {
    run.copy(entries, from: index &* layout.stride, to: place, count: layout.stride)
  }

  /// One word of an entry.
  @inline(__always)
  func word(_ index: Int, _ word: Int) -> UInt64 { entries[index &* layout.stride &+ word] }

  /// A hash whose upper bits choose a partition and whose lower ones a slot (the finaliser of
  /// splitmix64: Steele, Lea, Flood 2014).
  @inline(__always)
  static func mix(_ word: UInt64) -> UInt64 {
    var value = word
    value = (value ^ value &>> 30) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ value &>> 27) &* 0x94d0_49bb_1331_11eb
    return value ^ value &>> 31
  }

  /// The hash of the key that begins at `place`.
  @inline(__always)
  static func hash(_ words: borrowing WordRun<UInt64>, _ place: Int, _ keyWords: Int) -> UInt64 {
    var hash: UInt64 = 0x9e37_79b9_7f4a_7c15
    for word in 0..<keyWords { hash = mix(hash ^ words[place &+ word]) }
    return hash
  }

  /// Adds an entry that lies at `place` of `rows`, and gives back its number here.
  @inline(__always)
  mutating func add(_ rows: borrowing WordRun<UInt64>, _ place: Int, hash: UInt64) -> Int {
    let keyWords = layout.keyWords
    let stride = layout.stride
    var slot = Int(truncatingIfNeeded: hash) & slotMask
    while true {
      let code = slots[slot]
      if code == 0 { break }
      let entry = Int(code &- 1)
      let base = entry &* stride
      var isSame = true
      for word in 0..<keyWords where entries[base &+ word] != rows[place &+ word] {
        isSame = false
        break
      }
      if isSame {
        merge(entry, rows, place)
        return entry
      }
      slot = (slot &+ 1) & slotMask
    }
    let base = count &* stride
    if base &+ stride > entries.capacity { entries.grow(to: entries.capacity * 2, keeping: base) }
    entries.copy(rows, from: place, to: base, count: stride)
    count &+= 1
    // Fewer than 2^31 entries: memory is bounded long before.
    slots[slot] = UInt32(truncatingIfNeeded: count)
    if count &* 2 > slots.capacity { growSlots() }
    return count &- 1
  }

  /// Adds `count` rows that lie one behind the other in `rows`, whose memory it uses for its work.
  ///
  /// Rows of the same key that follow one another are added up first. Then all slots, and after them all
  /// entries, are looked at before the first is changed: so the processor waits for many of these
  /// places in memory at once instead of for one after the other.
  mutating func addAll(
    _ rows: borrowing WordRun<UInt64>, _ count: Int, hashes: borrowing WordRun<UInt64>
  ) {
    let distinct = collapse(rows, count)
    let stride = layout.stride
    let keyWords = layout.keyWords
    var touched: UInt64 = 0
    for row in 0..<distinct {
      let hash = Self.hash(rows, row &* stride, keyWords)
      hashes[row] = hash
      touched &+= UInt64(slots[Int(truncatingIfNeeded: hash) & slotMask])
    }
    for row in 0..<distinct {
      let code = slots[Int(truncatingIfNeeded: hashes[row]) & slotMask]
      if code != 0 { touched &+= entries[Int(code &- 1) &* stride] }
    }
    // What was touched must not be optimised away.
    self.touched &+= touched
    for row in 0..<distinct { _ = add(rows, row &* stride, hash: hashes[row]) }
  }

  /// Adds up rows of the same key that follow one another; gives back how many are left.
  func collapse(_ rows: borrowing WordRun<UInt64>, _ count: Int) -> Int {
    let stride = layout.stride
    let keyWords = layout.keyWords
    guard count > 0 else { return 0 }
    var last = 0
    for row in 1..<max(1, count) {
      let place = row &* stride
      var difference: UInt64 = 0
      for word in 0..<keyWords { difference |= rows[place &+ word] ^ rows[last &+ word] }
      if difference == 0 {
        Self.merge(rows, last &+ keyWords, rows, place &+ keyWords, isBiflow: layout.isBiflow)
      } else {
        last &+= stride
        if last != place { rows.copy(rows, from: place, to: last, count: stride) }
      }
    }
    return last / stride + 1
  }

  /// Adds the sums of a row to an entry with the same key.
  @inline(__always)
  func merge(_ entry: Int, _ rows: borrowing WordRun<UInt64>, _ place: Int) {
    Self.merge(
      entries, entry &* layout.stride &+ layout.keyWords, rows, place &+ layout.keyWords,
      isBiflow: layout.isBiflow)
  }

  @inline(__always)
  private static func merge(
    _ entries: borrowing WordRun<UInt64>, _ target: Int, _ rows: borrowing WordRun<UInt64>,
    _ source: Int, isBiflow: Bool
  ) {
    // Sums of hostile counters wrap around rather than trap.
    entries[target] &+= rows[source]
    entries[target &+ 1] &+= rows[source &+ 1]
    entries[target &+ 2] &+= rows[source &+ 2]
    entries[target &+ 3] = least(entries[target &+ 3], rows[source &+ 3])
    entries[target &+ 4] = UInt64(
      bitPattern: max(
        Int64(bitPattern: entries[target &+ 4]), Int64(bitPattern: rows[source &+ 4])))
    if isBiflow {
      entries[target &+ 5] &+= rows[source &+ 5]
      entries[target &+ 6] &+= rows[source &+ 6]
      entries[target &+ 7] = least(entries[target &+ 7], rows[source &+ 7])
      entries[target &+ 8] = least(entries[target &+ 8], rows[source &+ 8])
    }
  }

  @inline(__always)
  private static func least(_ left: UInt64, _ right: UInt64) -> UInt64 {
    UInt64(bitPattern: min(Int64(bitPattern: left), Int64(bitPattern: right)))
  }

  private mutating func growSlots() {
    let size = slots.capacity * 2
    slots = WordRun(capacity: size)
    slotMask = size - 1
    let stride = layout.stride
    for entry in 0..<count {
      let hash = Self.hash(entries, entry * stride, layout.keyWords)
      var slot = Int(truncatingIfNeeded: hash) & slotMask
      while slots[slot] != 0 { slot = (slot &+ 1) & slotMask }
      slots[slot] = UInt32(truncatingIfNeeded: entry + 1)
    }
  }
}
