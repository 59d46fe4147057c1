import Sketches

extension Partition {
  func write(to sink: inout CheckpointWriter) {
    events.write(to: &sink)
    sources.write(to: &sink)
    victims.write(to: &sink)
    alerts.write(to: &sink)
    samples.write(to: &sink)
    let image = distinct.image
    image.lists.withUnsafeBytes { sink.write(Array($0)) }
    image.freeLists.withUnsafeBytes { sink.write(Array($0)) }
    image.sets.withUnsafeBytes { sink.write(Array($0)) }
    image.freeSets.withUnsafeBytes { sink.write(Array($0)) }
    sink.write(image.registers)
    image.freeRegisters.withUnsafeBytes { sink.write(Array($0)) }
  }

  mutating func read(from source: inout CheckpointReader) throws {
    try events.read(from: &source)
    try sources.read(from: &source)
    try victims.read(from: &source)
    try alerts.read(from: &source)
    try samples.read(from: &source)
    let image = DistinctArena.Image(
      lists: Self.words(try source.readBytes()), freeLists: Self.words(try source.readBytes()),
      sets: Self.words(try source.readBytes()), freeSets: Self.words(try source.readBytes()),
      registers: try source.readBytes(), freeRegisters: Self.words(try source.readBytes()))
    distinct = try DistinctArena(image: image)
    guard areCountersSound() else {
      throw TelescopeError.damagedCheckpoint("a counter points outside its arena")
    }
  }

  private static func words(_ bytes: [UInt8]) -> [UInt32] {
    bytes.withUnsafeBytes { buffer in
      (0..<buffer.count / 4).map { buffer.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self) }
    }
  }

  /// A checkpoint's checksum vouches for its octets; this vouches for what they mean.
  private func areCountersSound() -> Bool {
    for position in 0..<events.count {
      let event = events[position]
      guard distinct.owns(event.destinations), distinct.owns(event.blocks),
        !event.hasSamples || samples.holds(event.samples)
      else { return false }
    }
    for position in 0..<sources.count {
      let source = sources[position]
      guard distinct.owns(source.destinations), distinct.owns(source.distinctPorts),
        distinct.owns(source.dayPorts)
      else { return false }
    }
    for position in 0..<victims.count where !distinct.owns(victims[position].destinations) {
      return false
    }
    for position in 0..<alerts.count where !distinct.owns(alerts[position].destinations) {
      return false
    }
    return true
  }
}
