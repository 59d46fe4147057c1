public import NetworkTypes

/// Takes a full batch over, and gives back an empty one or one to be emptied: the same one when it
/// is done with it, nil when it keeps it.
public typealias FlowSink = (FlowBatch) -> FlowBatch?

/// Turns datagrams of NetFlow v5 and v9, IPFIX and sFlow v5 into batches of flows.
///
/// It remembers templates and sampling of every exporter, holds back data whose template has not
/// come, and counts what is lost or cannot be read. It does no I/O and knows no clock: the same
/// datagrams with the same times of receipt give the same flows.
///
/// One decoder belongs to one thread; its memory is bounded by ``FlowParameters``. IPv4 flows and
/// others go to batches of their own, so that those of IPv4 have narrow address columns.
///
/// ```swift
/// let decoder = FlowDecoder { batch in archive.write(batch); return batch }
/// decoder.decode(datagram, from: router, received: now)
/// decoder.flush()
/// ```
public final class FlowDecoder {
  public let parameters: FlowParameters
  let sink: FlowSink
  // One thread's, and no method calls itself: looking for overlapping accesses at run time would only
  // cost time.
  @exclusivity(unchecked) var narrow: FlowBatch
  @exclusivity(unchecked) var wide: FlowBatch
  var exporters: [ExporterKey: ExporterState] = [:]
  @exclusivity(unchecked) var lastState: ExporterState?
  /// Octets held back over all exporters.
  var heldOctets = 0
  /// Faults of datagrams that belong to no exporter that is kept.
  public private(set) var strayFaults = FaultCounts()
  /// Field places of a record with fields of variable length.
  var scratch: [FieldPlace] = []
  let netflow5 = NetFlow5.plan

  public init(
    parameters: FlowParameters = FlowParameters(),
    batchCapacity: Int = FlowParameters.batchCapacity, sink: @escaping FlowSink
  ) {
    self.parameters = parameters
    self.sink = sink
    narrow = FlowBatch(capacity: batchCapacity)
    wide = FlowBatch(capacity: batchCapacity)
    wide.widenAddresses()
  }

  /// Decodes one datagram, or one message of a stream.
  ///
  /// - Parameters:
  ///   - from: the address that it came from.
  ///   - received: when it came.
  ///   - session: 0 for UDP; for a TCP connection a number of its own, as its templates are its own.
  ///   - isTruncated: whether the datagram was longer than what is given.
  public func decode(
    _ datagram: RawSpan, from address: IPAddress, received: Timestamp, session: UInt64 = 0,
    isTruncated: Bool = false
  ) {
    guard datagram.byteCount >= 4 else {
      strayFaults.add(.truncatedHeader)
      return
    }
    let arrival = Arrival(
      address: address, received: received.nanoseconds, session: session, isTruncated: isTruncated)
    switch datagram.u16(0) {
    case 5: decodeNetFlow5(datagram, arrival)
    case 9: decodeNetFlow9(datagram, arrival)
    case 10: decodeIPFIX(datagram, arrival)
    case 0 where datagram.u16(2) == 5: decodeSFlow5(datagram, arrival)
    default: strayFaults.add(.unknownVersion)
    }
  }

  /// Hands on what is decoded so far.
  public func flush() {
    if !narrow.isEmpty { handOverNarrow() }
    if !wide.isEmpty { handOverWide() }
  }

  /// Gives up data that waited for their template too long; to be called now and then.
  public func expire(now: Timestamp) {
    for state in exporters.values where state.heldOctets > 0 {
      dropHeld(state, before: now.nanoseconds &- Self.nanoseconds(parameters.heldSeconds))
    }
  }

  /// What is known of every exporter, in no order.
  public var statistics: [ExporterStatistics] {
    exporters.values.map { state in
      var statistics = state.statistics
      statistics.templates = state.templates.count
      statistics.heldOctets = state.heldOctets
      return statistics
    }
  }

  /// How a datagram came.
  struct Arrival {
    let address: IPAddress
    let received: Int64
    let session: UInt64
    let isTruncated: Bool
  }

  func stray(_ fault: DecodingFault) { strayFaults.add(fault) }

  /// The exporter's state, made when it is new; nil when there is no room for another.
  func state(
    _ version: FlowProtocol, domain: UInt32, _ arrival: Arrival, octets: Int
  ) -> ExporterState? {
    guard
      let state = state(
        ExporterKey(
          exporter: FlowExporter(
            address: arrival.address, domain: domain), version: version, session: arrival.session))
    else {
      strayFaults.add(.tooManyExporters)
      return nil
    }
    state.statistics.datagrams &+= 1
    state.statistics.octets &+= UInt64(octets)
    state.statistics.lastReceived = Timestamp(nanoseconds: arrival.received)
    if state.statistics.datagrams == 1 {
      state.statistics.firstReceived = Timestamp(nanoseconds: arrival.received)
    }
    if arrival.isTruncated { state.statistics.faults.add(.truncatedDatagram) }
    return state
  }

  func state(_ key: ExporterKey) -> ExporterState? {
    if let lastState, lastState.key == key { return lastState }
    if let known = exporters[key] {
      lastState = known
      return known
    }
    guard exporters.count < parameters.largestExporterCount else { return nil }
    let configured = parameters.sampling.filter { $0.exporters.contains(key.exporter.address) }
      .max { $0.exporters.mappedLength < $1.exporters.mappedLength }
    let state = ExporterState(key, configured: configured)
    exporters[key] = state
    lastState = state
    return state
  }

  /// Forgets a closed session and its templates (RFC 7011 §8).
  public func endSession(_ session: UInt64) {
    guard session != 0 else { return }
    for (key, state) in exporters where key.session == session {
      heldOctets -= state.heldOctets
      exporters[key] = nil
    }
    lastState = nil
  }

  /// The batch for rows of a family, with room for at least one and the exporter in its table.
  func openBatch(wide isWide: Bool, _ exporter: FlowExporter) -> (FlowBatch, UInt16) {
    let batch = isWide ? wide : narrow
    if let index = batch.index(of: exporter) { return (batch, index) }
    // The table of exporters is full; an empty batch's is not.
    if isWide { handOverWide() } else { handOverNarrow() }
    let empty = isWide ? wide : narrow
    return (empty, empty.index(of: exporter) ?? 0)
  }

  func handOverNarrow() {
    narrow = replacement(for: narrow)
  }

  func handOverWide() {
    wide = replacement(for: wide)
    wide.widenAddresses()
  }

  private func replacement(for batch: FlowBatch) -> FlowBatch {
    let next = sink(batch) ?? FlowBatch(capacity: batch.capacity)
    next.removeAll()
    return next
  }

  static func nanoseconds(_ seconds: Double) -> Int64 {
    let value = seconds * 1e9
    return value.isFinite && abs(value) < 9e18 ? Int64(value) : .max
  }
}
