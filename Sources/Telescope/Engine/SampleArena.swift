/// Bounded room for raw packets: groups of a few fixed slots, one group for each sampled event.
struct SampleArena {
  let slotsPerGroup: Int
  let slotLength: Int
  let groupLimit: Int
  private var bytes: [UInt8] = []
  private var free: [UInt32] = []

  init(slotsPerGroup: Int, slotLength: Int, limitBytes: Int) {
    self.slotsPerGroup = max(1, slotsPerGroup)
    self.slotLength = min(255, max(16, slotLength))
    groupLimit = limitBytes / (self.slotsPerGroup * (self.slotLength + 1))
  }

  private var groupBytes: Int { slotsPerGroup * (slotLength + 1) }

  /// Octets in use; the capacity would differ from run to run with the allocator's mood, and what is
  /// forgotten must not.
  var memoryBytes: Int { bytes.count }

  /// A group of empty slots, or nil when the room is used up.
  mutating func allocate() -> UInt32? {
    if let group = free.popLast() {
      for slot in 0..<slotsPerGroup { bytes[Int(group) * groupBytes + slot * (slotLength + 1)] = 0 }
      return group
    }
    let group = bytes.count / groupBytes
    guard group < groupLimit else { return nil }
    bytes.append(contentsOf: repeatElement(0, count: groupBytes))
    return UInt32(group)
  }

  mutating func release(_ group: UInt32) { free.append(group) }

  func holds(_ group: UInt32) -> Bool { (Int(group) + 1) * groupBytes <= bytes.count }

  mutating func store(_ packet: UnsafeRawBufferPointer, group: UInt32, slot: Int) {
    let start = Int(group) * groupBytes + slot * (slotLength + 1)
    let length = min(slotLength, packet.count)
    bytes[start] = UInt8(length)
    for index in 0..<length { bytes[start + 1 + index] = packet[index] }
  }

  func packets(group: UInt32) -> [[UInt8]] {
    (0..<slotsPerGroup).compactMap { slot in
      let start = Int(group) * groupBytes + slot * (slotLength + 1)
      let length = Int(bytes[start])
      return length == 0 ? nil : Array(bytes[start + 1..<start + 1 + length])
    }
  }

  func write(to sink: inout CheckpointWriter) {
    sink.write(bytes)
    sink.write(UInt64(free.count))
    for group in free { sink.write(UInt64(group)) }
  }

  mutating func read(from source: inout CheckpointReader) throws(TelescopeError) {
    bytes = try source.readBytes()
    let count = try source.readCount(stride: 8)
    free = []
    for _ in 0..<count { free.append(UInt32(truncatingIfNeeded: try source.readWord())) }
  }
}
