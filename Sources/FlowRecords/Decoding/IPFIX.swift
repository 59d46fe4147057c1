/// IPFIX (RFC 7011): a header of 16 octets and sets.
enum IPFIX {
  static let headerLength = 16
}

extension FlowDecoder {
  /// Some exporters put several messages into one datagram, and a file or a stream has many.
  func decodeIPFIX(_ datagram: RawSpan, _ arrival: Arrival) {
    guard datagram.byteCount >= IPFIX.headerLength else { return stray(.truncatedHeader) }
    var at = 0
    repeat {
      let rest = datagram.byteCount - at
      let length = Int(datagram.u16(at + 2))
      let isWhole = length >= IPFIX.headerLength && length <= rest
      decodeIPFIXMessage(
        datagram.extracting(at..<(isWhole ? at + length : datagram.byteCount)), length, arrival)
      guard isWhole else { return }
      at += length
    } while datagram.byteCount - at >= IPFIX.headerLength && datagram.u16(at) == 10
  }

  private func decodeIPFIXMessage(_ datagram: RawSpan, _ length: Int, _ arrival: Arrival) {
    guard
      let state = state(.ipfix, domain: datagram.u32(12), arrival, octets: datagram.byteCount)
    else { return }
    if length != datagram.byteCount { state.statistics.faults.add(.wrongLength) }
    guard length >= IPFIX.headerLength else { return }
    let exportTime = Int64(datagram.u32(4)) &* 1_000_000_000
    let sequence = datagram.u32(8)
    if restartedIPFIX(state, sequence: sequence, exportTime: exportTime, arrival) {
      restart(state)
    }
    // How many records there are is known afterwards; the gap shows before.
    let isInOrder = noteSequence(state, sequence, counts: 0)
    let context = SetContext(exportTime: exportTime, uptime: 0, hasUptime: false)
    let tally = decodeSets(
      datagram, from: IPFIX.headerLength, .ipfix, state, context, received: arrival.received)
    guard isInOrder else {
      state.statistics.lost -= min(state.statistics.lost, UInt64(tally.records))
      return
    }
    state.expectedSequence =
      tally.isIncomplete || length > datagram.byteCount
      ? nil : sequence &+ UInt32(truncatingIfNeeded: tally.records)
    state.lastSequence = sequence
    state.lastExportTime = exportTime
  }

  /// IPFIX has no uptime: an exporter that has started anew counts its records from 0, at a time that
  /// is not before that of its last message.
  private func restartedIPFIX(
    _ state: ExporterState, sequence: UInt32, exportTime: Int64, _ arrival: Arrival
  ) -> Bool {
    defer {
      state.lastReceived = arrival.received
      state.isRestored = false
    }
    guard let last = state.lastSequence, exportTime >= state.lastExportTime, sequence < last else {
      return false
    }
    if state.isRestored { return true }
    // Close to the end of 32 bits it is the counter that has wrapped.
    guard last <= .max - parameters.largestGap else { return false }
    return sequence < parameters.restartSequenceCeiling
      && last &- sequence > parameters.restartSequenceCeiling
  }
}
