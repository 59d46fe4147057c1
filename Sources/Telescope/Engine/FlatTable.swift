/// An entry of a ``FlatTable``: plain memory with its key inside.
protocol FlatEntry: BitwiseCopyable {
  var address: UInt128 { get }
  /// The second half of the key: port and class of an event, zero for a source.
  var detail: UInt32 { get }
}

/// A hash table in flat memory: dense entries beside an open-addressing index of 64-bit slots.
///
/// Dense entries make growing, sweeping and writing out a walk through memory; the index holds the
/// upper half of each hash, so that a wrong entry is almost never touched. Entries are addressed by
/// their position, which holds until the next ``removeAll(where:)``.
///
/// This is the one file of the target with unsafe memory; every position that comes in is checked
/// against ``count`` in debug builds and comes only from ``find(hash:address:detail:)`` or
/// ``append(_:hash:)``.
struct FlatTable<Entry: FlatEntry>: ~Copyable {
  private var entries: UnsafeMutablePointer<Entry>
  private var hashes: UnsafeMutablePointer<UInt64>
  private var slots: UnsafeMutablePointer<UInt64>
  private var slotMask: Int
  private var capacity: Int
  private(set) var count = 0

  init(capacity: Int = 16) {
    self.capacity = capacity
    entries = .allocate(capacity: capacity)
    hashes = .allocate(capacity: capacity)
    slotMask = 31
    slots = .allocate(capacity: 32)
    slots.initialize(repeating: 0, count: 32)
  }

  deinit {
    entries.deallocate()
    hashes.deallocate()
    slots.deallocate()
  }

  /// Octets that the table holds now.
  var memoryBytes: Int {
    capacity * (MemoryLayout<Entry>.stride + 8) + (slotMask + 1) * 8
  }

  /// Octets that it would hold after the growth that the next append asks for; the present ones
  /// when there is room.
  var memoryBytesAfterAppend: Int {
    count < capacity ? memoryBytes : memoryBytes + memoryBytes / 2
  }

  @inline(__always)
  func find(hash: UInt64, address: UInt128, detail: UInt32) -> Int {
    var slot = Int(truncatingIfNeeded: hash) & slotMask
    let tag = hash & 0xffff_ffff_0000_0000
    while true {
      let value = slots[slot]
      if value == 0 { return -1 }
      if value & 0xffff_ffff_0000_0000 == tag {
        let position = Int(truncatingIfNeeded: value & 0xffff_ffff) &- 1
        let entry = entries + position
        if entry.pointee.address == address, entry.pointee.detail == detail { return position }
      }
      slot = (slot &+ 1) & slotMask
    }
  }

  /// Touches the memory that a later ``find(hash:address:detail:)`` will read, so that several
  /// cache misses run at once. The value is meaningless.
  @inline(__always)
  func touch(hash: UInt64) -> UInt64 {
    let value = slots[Int(truncatingIfNeeded: hash) & slotMask]
    let position = Int(truncatingIfNeeded: value & 0xffff_ffff)
    guard position > 0 else { return 0 }
    return UInt64(truncatingIfNeeded: entries[position &- 1].address)
  }

  mutating func append(_ entry: Entry, hash: UInt64) -> Int {
    if count == capacity { grow() }
    if (count &+ 1) &* 3 > (slotMask &+ 1) &* 2 { rebuild(slotCount: (slotMask &+ 1) &* 2) }
    entries[count] = entry
    hashes[count] = hash
    insertSlot(hash: hash, position: count)
    count &+= 1
    return count &- 1
  }

  subscript(position: Int) -> Entry {
    @inline(__always)
    unsafeAddress {
      assert(position >= 0 && position < count)
      return UnsafePointer(entries + position)
    }
    @inline(__always)
    unsafeMutableAddress {
      assert(position >= 0 && position < count)
      return entries + position
    }
  }

  func hash(at position: Int) -> UInt64 {
    precondition(position >= 0 && position < count)
    return hashes[position]
  }

  /// Removes the entries that the closure says so of, keeping the order of the rest.
  mutating func removeAll(where isGone: (inout Entry) -> Bool) {
    var kept = 0
    for position in 0..<count {
      if isGone(&entries[position]) { continue }
      if kept != position {
        entries[kept] = entries[position]
        hashes[kept] = hashes[position]
      }
      kept += 1
    }
    guard kept != count else { return }
    count = kept
    rebuild(slotCount: slotMask + 1)
  }

  mutating func forEach(_ body: (inout Entry) -> Void) {
    for position in 0..<count { body(&entries[position]) }
  }

  private mutating func insertSlot(hash: UInt64, position: Int) {
    var slot = Int(truncatingIfNeeded: hash) & slotMask
    while slots[slot] != 0 { slot = (slot &+ 1) & slotMask }
    slots[slot] = hash & 0xffff_ffff_0000_0000 | UInt64(position &+ 1)
  }

  private mutating func rebuild(slotCount: Int) {
    if slotCount != slotMask + 1 {
      slots.deallocate()
      slots = .allocate(capacity: slotCount)
      slotMask = slotCount - 1
    }
    slots.initialize(repeating: 0, count: slotCount)
    for position in 0..<count { insertSlot(hash: hashes[position], position: position) }
  }

  private mutating func grow() {
    let larger = capacity + capacity / 2
    let newEntries = UnsafeMutablePointer<Entry>.allocate(capacity: larger)
    newEntries.update(from: entries, count: count)
    entries.deallocate()
    entries = newEntries
    let newHashes = UnsafeMutablePointer<UInt64>.allocate(capacity: larger)
    newHashes.update(from: hashes, count: count)
    hashes.deallocate()
    hashes = newHashes
    capacity = larger
  }
}

// MARK: Checkpoints

extension FlatTable {
  /// The entries and hashes as plain octets, for a checkpoint that the same build reads again.
  func write(to sink: inout CheckpointWriter) {
    sink.write(UInt64(count))
    sink.write(UnsafeRawBufferPointer(start: entries, count: count * MemoryLayout<Entry>.stride))
    sink.write(UnsafeRawBufferPointer(start: hashes, count: count * 8))
  }

  mutating func read(from source: inout CheckpointReader) throws {
    let stored = try source.readCount(stride: MemoryLayout<Entry>.stride + 8)
    while capacity < stored { grow() }
    try source.read(
      into: UnsafeMutableRawBufferPointer(
        start: entries, count: stored * MemoryLayout<Entry>.stride))
    try source.read(into: UnsafeMutableRawBufferPointer(start: hashes, count: stored * 8))
    count = stored
    var slotCount = slotMask + 1
    while (count + 1) * 3 > slotCount * 2 { slotCount *= 2 }
    rebuild(slotCount: slotCount)
  }
}
