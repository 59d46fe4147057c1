import CPrefetch
import Sketches

/// An entry of a ``FlatTable``: plain memory with its key inside.
protocol FlatEntry: BitwiseCopyable {
  var address: UInt128 { get }
  /// The second half of the key: port and class of an event, zero for a source.
  var detail: UInt32 { get }
  /// How many of its first octets are asked for ahead of a packet.
  static var busyBytes: Int { get }
}

extension FlatEntry {
  static var busyBytes: Int { MemoryLayout<Self>.stride }

  /// What an entry takes in a table: whole cache lines, so that it begins with one.
  static var tableBytes: Int { (MemoryLayout<Self>.stride + 63) / 64 * 64 }
}

/// A hash table in flat memory: dense entries beside an open-addressing index of 64-bit slots.
///
/// Dense entries make growing, sweeping and writing out a walk through memory; the index holds the
/// upper half of each hash, so that a wrong entry is almost never touched. Entries are addressed by
/// their position, which holds until the next ``removeAll(where:)``.
///
/// Every position that comes in is checked against ``count`` in debug builds and comes only from
/// ``find(hash:address:detail:)`` or ``append(_:hash:)``.
struct FlatTable<Entry: FlatEntry>: ~Copyable {
  private static var busyLines: Int { (Entry.busyBytes + 63) / 64 }

  private var entries = ChunkedMemory(recordBytes: Entry.tableBytes, chunkShift: 6)
  private var hashes = ChunkedMemory(recordBytes: 8, chunkShift: 9)
  private var slots: UnsafeMutablePointer<UInt64>
  private var slotMask: Int
  private(set) var count = 0

  init() {
    slotMask = 31
    slots = Self.makeSlots(32)
  }

  deinit {
    ChunkMemory.deallocate(UnsafeMutableRawPointer(slots), byteCount: (slotMask + 1) * 8)
  }

  private static func makeSlots(_ slotCount: Int) -> UnsafeMutablePointer<UInt64> {
    let slots = ChunkMemory.allocate(byteCount: slotCount * 8)
      .bindMemory(to: UInt64.self, capacity: slotCount)
    slots.initialize(repeating: 0, count: slotCount)
    return slots
  }

  /// Octets that the table holds now.
  var memoryBytes: Int { entries.memoryBytes + hashes.memoryBytes + (slotMask + 1) * 8 }

  /// Octets that it would hold after the growth that the next append asks for; the present ones
  /// when there is room.
  var memoryBytesAfterAppend: Int {
    var bytes = memoryBytes
    if count == entries.capacity { bytes += entries.growthBytes }
    if count == hashes.capacity { bytes += hashes.growthBytes }
    if needsSlots { bytes += (slotMask + 1) * 8 }
    return bytes
  }

  private var needsSlots: Bool { (count &+ 1) &* 3 > (slotMask &+ 1) &* 2 }

  @inline(__always)
  func find(hash: UInt64, address: UInt128, detail: UInt32) -> Int {
    var slot = Int(truncatingIfNeeded: hash) & slotMask
    let tag = hash & 0xffff_ffff_0000_0000
    while true {
      let value = slots[slot]
      if value == 0 { return -1 }
      if value & 0xffff_ffff_0000_0000 == tag {
        let position = Int(truncatingIfNeeded: value & 0xffff_ffff) &- 1
        let entry = entry(position)
        if entry.pointee.address == address, entry.pointee.detail == detail { return position }
      }
      slot = (slot &+ 1) & slotMask
    }
  }

  @inline(__always)
  private func entry(_ position: Int) -> UnsafeMutablePointer<Entry> {
    entries.pointer(position).assumingMemoryBound(to: Entry.self)
  }

  @inline(__always)
  private func hashPlace(_ position: Int) -> UnsafeMutablePointer<UInt64> {
    hashes.pointer(position).assumingMemoryBound(to: UInt64.self)
  }

  // MARK: Fetching ahead

  /// Asks for the slot that a later ``find(hash:address:detail:)`` will read first.
  @inline(__always)
  func prefetchSlot(hash: UInt64) {
    noroshi_prefetch(slots + (Int(truncatingIfNeeded: hash) & slotMask))
  }

  /// The position of an entry whose hash agrees in its upper half, or -1; asks for its memory.
  ///
  /// It is almost always the entry that ``find(hash:address:detail:)`` will find, but only that
  /// method compares the key.
  @inline(__always)
  func prefetchEntry(hash: UInt64) -> Int {
    var slot = Int(truncatingIfNeeded: hash) & slotMask
    let tag = hash & 0xffff_ffff_0000_0000
    while true {
      let value = slots[slot]
      if value == 0 { return -1 }
      if value & 0xffff_ffff_0000_0000 == tag {
        let position = Int(truncatingIfNeeded: value & 0xffff_ffff) &- 1
        let start = UnsafeRawPointer(entries.pointer(position))
        for line in 0..<Self.busyLines { noroshi_prefetch(start + line &* 64) }
        return position
      }
      slot = (slot &+ 1) & slotMask
    }
  }

  mutating func append(_ entry: Entry, hash: UInt64) -> Int {
    if count == entries.capacity { entries.grow() }
    if count == hashes.capacity { hashes.grow() }
    if needsSlots { rebuild(slotCount: (slotMask &+ 1) &* 2) }
    self.entry(count).initialize(to: entry)
    hashPlace(count).initialize(to: hash)
    insertSlot(hash: hash, position: count)
    count &+= 1
    return count &- 1
  }

  subscript(position: Int) -> Entry {
    @inline(__always)
    unsafeAddress {
      assert(position >= 0 && position < count)
      return UnsafePointer(entry(position))
    }
    @inline(__always)
    unsafeMutableAddress {
      assert(position >= 0 && position < count)
      return entry(position)
    }
  }

  func hash(at position: Int) -> UInt64 {
    precondition(position >= 0 && position < count)
    return hashPlace(position).pointee
  }

  /// Removes the entries that the closure says so of, keeping the order of the rest.
  mutating func removeAll(where isGone: (inout Entry) -> Bool) {
    var kept = 0
    for position in 0..<count {
      if isGone(&entry(position).pointee) { continue }
      if kept != position {
        entry(kept).pointee = entry(position).pointee
        hashPlace(kept).pointee = hashPlace(position).pointee
      }
      kept += 1
    }
    guard kept != count else { return }
    count = kept
    rebuild(slotCount: slotMask + 1)
  }

  private mutating func insertSlot(hash: UInt64, position: Int) {
    var slot = Int(truncatingIfNeeded: hash) & slotMask
    while slots[slot] != 0 { slot = (slot &+ 1) & slotMask }
    slots[slot] = hash & 0xffff_ffff_0000_0000 | UInt64(position &+ 1)
  }

  private mutating func rebuild(slotCount: Int) {
    if slotCount != slotMask + 1 {
      ChunkMemory.deallocate(UnsafeMutableRawPointer(slots), byteCount: (slotMask + 1) * 8)
      slots = Self.makeSlots(slotCount)
      slotMask = slotCount - 1
    } else {
      slots.update(repeating: 0, count: slotCount)
    }
    for position in 0..<count { insertSlot(hash: hashPlace(position).pointee, position: position) }
  }
}

// MARK: Checkpoints

extension FlatTable {
  /// The entries and hashes as plain octets, for a checkpoint that the same build reads again.
  func write(to sink: inout CheckpointWriter) {
    sink.write(UInt64(count))
    Self.write(entries, count: count, to: &sink)
    Self.write(hashes, count: count, to: &sink)
  }

  mutating func read(from source: inout CheckpointReader) throws {
    let stored = try source.readCount(stride: Entry.tableBytes + 8)
    while entries.capacity < stored { entries.grow() }
    while hashes.capacity < stored { hashes.grow() }
    try Self.read(into: entries, count: stored, from: &source)
    try Self.read(into: hashes, count: stored, from: &source)
    count = stored
    var slotCount = slotMask + 1
    while (count + 1) * 3 > slotCount * 2 { slotCount *= 2 }
    rebuild(slotCount: slotCount)
  }

  private static func write(
    _ memory: borrowing ChunkedMemory, count: Int, to sink: inout CheckpointWriter
  ) {
    var position = 0
    while position < count {
      sink.write(UnsafeRawBufferPointer(memory.run(from: position, to: count)))
      position += memory.recordCount(from: position, to: count)
    }
  }

  private static func read(
    into memory: borrowing ChunkedMemory, count: Int, from source: inout CheckpointReader
  ) throws {
    var position = 0
    while position < count {
      try source.read(into: memory.run(from: position, to: count))
      position += memory.recordCount(from: position, to: count)
    }
  }
}
