import NetworkTypes
import PacketCapture
import Sketches

/// Fetching ahead: three steps in which a worker asks for the memory that a packet will touch.
extension Partition {
  /// What is worked out of a packet ahead of its turn.
  struct Place: BitwiseCopyable {
    var eventHash: UInt64 = 0
    var destination: UInt32 = 0
    var block: UInt32 = 0
    /// Where the event probably lies, or -1.
    var event: Int32 = -1
  }

  @inline(__always)
  private static func isBackscatter(_ observation: Observation) -> Bool {
    TrafficClass(rawValue: observation.trafficClass)?.isBackscatter == true
  }

  /// The first step of fetching ahead: the slots of both tables.
  @inline(__always)
  func prefetchSlots(_ observation: Observation) -> Place {
    let detail = EventEntry.detail(
      port: observation.port, trafficClass: observation.trafficClass)
    var place = Place()
    place.eventHash = Self.eventHash(observation.hash, detail)
    place.destination = Self.mix32(Self.fold(observation.packet.destination.bits))
    place.block = Self.mix32(Self.block(of: observation.packet.destination.bits))
    sources.prefetchSlot(hash: observation.hash)
    events.prefetchSlot(hash: place.eventHash)
    if Self.isBackscatter(observation) { victims.prefetchSlot(hash: observation.hash) }
    return place
  }

  /// The second step: the entries.
  @inline(__always)
  func prefetchEntries(_ observation: Observation, _ place: inout Place) {
    _ = sources.prefetchEntry(hash: observation.hash)
    if Self.isBackscatter(observation) { _ = victims.prefetchEntry(hash: observation.hash) }
    place.event = Int32(truncatingIfNeeded: events.prefetchEntry(hash: place.eventHash))
  }

  /// The third step: the event's sketches and samples.
  @inline(__always)
  func prefetchSketches(_ place: Place) {
    guard place.event >= 0 else { return }
    let position = Int(place.event)
    distinct.prefetch(hash: place.destination, of: events[position].destinations)
    distinct.prefetch(hash: place.block, of: events[position].blocks)
    // The packet's number is off by the packets of the same event in this group: no matter.
    if events[position].hasSamples,
      let slot = sampleSlot(events[position].packets &- 2, place.eventHash)
    {
      samples.prefetch(events[position].samples, slot: slot)
    }
  }
}
