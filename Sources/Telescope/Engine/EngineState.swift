import NetworkTypes
import Sketches

/// Writing an engine's whole memory down, and taking it up again: hourly files continue each other's
/// events, victims and bins.
extension TelescopeEngine {
  /// Raised whenever an entry's layout or the order of fields changes.
  private static let layoutVersion: UInt64 = 3

  /// What the tables depend on: a checkpoint of another telescope must not be continued.
  private var fingerprint: [UInt64] {
    var description = space.networks.map { "\($0.prefix)=\($0.organisation ?? "")" }
    description += organisations
    var digest: UInt64 = 0
    for byte in description.joined(separator: "\n").utf8 { digest = mix64(digest ^ UInt64(byte)) }
    return [
      Self.layoutVersion, UInt64(MemoryLayout<EventEntry>.stride),
      UInt64(MemoryLayout<SourceEntry>.stride), UInt64(MemoryLayout<VictimEntry>.stride),
      UInt64(MemoryLayout<AlertEntry>.stride), UInt64(parameters.samplesPerEvent),
      UInt64(parameters.sampleLength), digest,
    ]
  }

  /// Everything that has not been concluded, as octets. Conclusions must have been taken out by
  /// ``checkpoint()`` before, or they are lost.
  public func state() throws -> [UInt8] {
    var bytes: [UInt8] = []
    try writeState { bytes.append(contentsOf: $0) }
    return bytes
  }

  /// As ``state()``, handed on a portion at a time.
  public func writeState(to consume: @escaping (UnsafeRawBufferPointer) -> Void) throws {
    drain()
    var sink = CheckpointWriter(consume)
    for word in fingerprint { sink.write(word) }
    clock.write(to: &sink)
    book.write(to: &sink)
    storms.write(to: &sink)
    sink.write(try campaigns.image())
    sink.write(sources.serialized())
    for index in 0..<Partition.count { writePartition(index, to: &sink) }
    sink.seal()
  }

  /// Takes up what ``state()`` wrote, in an engine that has not read anything.
  ///
  /// - Throws: ``TelescopeError/damagedCheckpoint(_:)`` or ``TelescopeError/foreignCheckpoint(_:)``;
  ///   the engine is then not to be used.
  public func restore(_ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { try restore($0) }
  }

  /// As the other method, from memory such as a mapped file's.
  public func restore(_ bytes: UnsafeRawBufferPointer) throws {
    var source = try CheckpointReader(sealed: bytes)
    for (place, word) in fingerprint.enumerated() {
      guard try source.readWord() == word else {
        throw TelescopeError.foreignCheckpoint(
          place == fingerprint.count - 1
            ? "it belongs to other dark networks or member organisations" : "its layout differs")
      }
    }
    clock = try EngineClock(from: &source)
    book = try SeriesBook(parameters: parameters, tools: toolNames, from: &source)
    storms = try StormLog(from: &source)
    campaigns = try CampaignWatch(image: try source.readBytes())
    sources = try HyperLogLog(serialized: try source.readBytes())
    for index in 0..<Partition.count { try readPartition(index, from: &source) }
    guard source.isAtEnd else { throw TelescopeError.damagedCheckpoint("octets follow its end") }
  }

  /// Goes on counting from an earlier session's totals.
  func resumeCounters(_ earlier: TelescopeCounters) {
    counters = earlier
  }
}
