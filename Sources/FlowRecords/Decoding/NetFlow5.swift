/// NetFlow version 5 (Cisco, "NetFlow Services Solutions Guide", appendix): a header of 24 octets
/// and up to 30 records of 48.
enum NetFlow5 {
  static let headerLength = 24
  static let recordLength = 48

  /// Its fixed record, as if a template had announced it. Element 210 is padding.
  static let plan = DecodingPlan(
    Template(
      id: 256,
      fields: [
        (8, 4), (12, 4), (15, 4), (10, 2), (14, 2), (2, 4), (1, 4), (22, 4), (21, 4), (7, 2),
        (11, 2), (210, 1), (6, 1), (4, 1), (5, 1), (16, 2), (17, 2), (9, 1), (13, 1), (210, 2),
      ].map { TemplateField(element: $0.0, length: $0.1) }))
}

extension FlowDecoder {
  /// Some exporters put several messages into one datagram.
  func decodeNetFlow5(_ datagram: RawSpan, _ arrival: Arrival) {
    guard datagram.byteCount >= NetFlow5.headerLength else { return stray(.truncatedHeader) }
    var at = 0
    repeat {
      let message = datagram.extracting(at..<datagram.byteCount)
      guard let length = decodeNetFlow5Message(message, arrival) else { return }
      at += length
    } while datagram.byteCount - at >= NetFlow5.headerLength && datagram.u16(at) == 5
  }

  /// Decodes the message at the start of the octets, and gives back its length; nil when it is not
  /// known.
  private func decodeNetFlow5Message(_ message: RawSpan, _ arrival: Arrival) -> Int? {
    let count = Int(message.u16(2))
    let length = NetFlow5.headerLength + count * NetFlow5.recordLength
    // Engine type and number are what NetFlow v5 has for an observation domain.
    guard
      let state = state(.netflow5, domain: UInt32(message.u16(20)), arrival, octets: length)
    else { return nil }
    guard count > 0, length <= message.byteCount else {
      // A count that the datagram cannot hold says that either is wrong: nothing of it is believed.
      state.statistics.faults.add(.wrongLength)
      return nil
    }
    let uptime = message.u32(4)
    let seconds = message.u32(8)
    if restarted(state, uptime: uptime, seconds: seconds, arrival) { restart(state) }
    noteSequence(state, message.u32(16), counts: UInt32(count))
    let context = SetContext(
      exportTime: Int64(seconds) &* 1_000_000_000 &+ Int64(min(message.u32(12), 999_999_999)),
      uptime: uptime, hasUptime: true)
    // Two bits of mode, fourteen of interval; exporters leave the mode at 0 as often as not.
    state.headerRate = UInt32(message.u16(22) & 0x3fff)
    let records = message.extracting(NetFlow5.headerLength..<length)
    _ = decodeFlows(records, netflow5, state, context, received: arrival.received)
    return length
  }

  /// Whether uptime and clock of an exporter say that it has started anew since its last datagram:
  /// its uptime is less than before, and the moment of its start another one. (The second alone is a
  /// clock that was set; the first alone a late datagram.)
  func restarted(
    _ state: ExporterState, uptime: UInt32, seconds: UInt32?, _ arrival: Arrival
  ) -> Bool {
    // Milliseconds since 1970, by the exporter's clock; sFlow has none, so by the collector's.
    let clock = seconds.map { Int64($0) &* 1_000 } ?? arrival.received / 1_000_000
    let started = clock &- Int64(uptime)
    let tolerance = Int64(parameters.uptimeTolerance)
    defer {
      state.lastUptime = uptime
      state.started = started
      state.lastReceived = arrival.received
      state.isRestored = false
    }
    guard let last = state.lastUptime, let lastStarted = state.started else { return false }
    let moved = abs(started &- lastStarted)
    // 49.7 days later the 32 bits of uptime begin again, and the start seems to be as much later.
    let wrap: Int64 = 1 << 32
    guard moved > tolerance, abs(moved - wrap) > tolerance else { return false }
    if state.isRestored {
      // While nobody listened it may have restarted and run for longer than before.
      let elapsed = max((arrival.received &- state.lastReceived) / 1_000_000, 0)
      let expected = Int64(last) &+ elapsed
      return Int64(uptime) < expected - tolerance - elapsed / 1_000
    }
    return uptime < last && Int64(last - uptime) > tolerance
  }

  /// Compares a sequence number with the expected one, and expects `counts` more next time. False
  /// when the datagram was overtaken by a later one.
  @discardableResult
  func noteSequence(_ state: ExporterState, _ sequence: UInt32, counts: UInt32) -> Bool {
    guard let expected = state.expectedSequence else {
      state.expectedSequence = sequence &+ counts
      return true
    }
    let ahead = sequence &- expected
    if ahead > parameters.largestGap, expected &- sequence <= parameters.reorderWindow {
      // Its records were counted as lost when the later one came.
      state.statistics.reordered &+= 1
      state.statistics.lost -= min(state.statistics.lost, UInt64(counts))
      return false
    }
    if ahead > 0, ahead <= parameters.largestGap {
      state.statistics.gaps &+= 1
      state.statistics.lost &+= UInt64(ahead)
    }
    state.expectedSequence = sequence &+ counts
    return true
  }
}
