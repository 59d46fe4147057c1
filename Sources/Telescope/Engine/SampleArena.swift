import CPrefetch
import Sketches

/// Bounded room for raw packets: groups of a few fixed slots, one group for each sampled event.
struct SampleArena: ~Copyable {
  let slotsPerGroup: Int
  let slotLength: Int
  let groupLimit: Int
  /// From one slot to the next: whole cache lines.
  private let stride: Int
  /// A record is a group; a slot is an octet of length and the packet's first octets.
  private var groups: ChunkedMemory
  private var created = 0
  private var free: [UInt32] = []

  init(slotsPerGroup: Int, slotLength: Int, limitBytes: Int) {
    self.slotsPerGroup = max(1, slotsPerGroup)
    self.slotLength = min(255, max(16, slotLength))
    stride = (self.slotLength + 1 + 63) / 64 * 64
    let bytes = self.slotsPerGroup * stride
    groups = ChunkedMemory(recordBytes: bytes, chunkShift: 6)
    groupLimit = limitBytes / bytes
  }

  /// Octets in use; what chunks hold beside would differ with the order of growing, and what is
  /// forgotten must not.
  var memoryBytes: Int { created * groups.recordBytes }

  private func slot(_ group: UInt32, _ slot: Int) -> UnsafeMutableRawPointer {
    precondition(holds(group) && slot < slotsPerGroup)
    return groups.pointer(Int(group)) + slot &* stride
  }

  /// A group of empty slots, or nil when the room is used up.
  mutating func allocate() -> UInt32? {
    let group: Int
    if let number = free.popLast() {
      group = Int(number)
    } else {
      guard created < groupLimit else { return nil }
      if created == groups.capacity { groups.grow() }
      group = created
      created += 1
    }
    // What a slot of length zero holds is never looked at.
    for number in 0..<slotsPerGroup {
      slot(UInt32(group), number).storeBytes(of: 0, as: UInt8.self)
    }
    return UInt32(group)
  }

  mutating func release(_ group: UInt32) { free.append(group) }

  func holds(_ group: UInt32) -> Bool { Int(group) < created }

  mutating func store(_ packet: UnsafeRawBufferPointer, group: UInt32, slot number: Int) {
    let start = slot(group, number)
    let length = min(slotLength, packet.count)
    start.storeBytes(of: UInt8(truncatingIfNeeded: length), as: UInt8.self)
    if let octets = packet.baseAddress { (start + 1).copyMemory(from: octets, byteCount: length) }
  }

  /// Asks for the memory of a slot.
  @inline(__always)
  func prefetch(_ group: UInt32, slot number: Int) {
    let start = groups.pointer(Int(group)) + number &* stride
    noroshi_prefetch(start)
    noroshi_prefetch(start + 64)
  }

  func packets(group: UInt32) -> [[UInt8]] {
    (0..<slotsPerGroup).compactMap { number in
      let start = slot(group, number)
      let length = min(slotLength, Int(start.load(as: UInt8.self)))
      return length == 0
        ? nil : Array(UnsafeRawBufferPointer(start: start + 1, count: length))
    }
  }

  func write(to sink: inout CheckpointWriter) {
    sink.write(UInt64(created))
    for group in 0..<created {
      sink.write(UnsafeRawBufferPointer(groups.run(from: group, to: group + 1)))
    }
    sink.write(UInt64(free.count))
    for group in free { sink.write(UInt64(group)) }
  }

  mutating func read(from source: inout CheckpointReader) throws(TelescopeError) {
    let stored = try source.readCount(stride: groups.recordBytes)
    while groups.capacity < stored { groups.grow() }
    for group in 0..<stored { try source.read(into: groups.run(from: group, to: group + 1)) }
    created = stored
    let count = try source.readCount(stride: 8)
    free = []
    for _ in 0..<count {
      let group = UInt32(truncatingIfNeeded: try source.readWord())
      guard holds(group) else { throw .damagedCheckpoint("a free sample group does not exist") }
      free.append(group)
    }
  }
}
