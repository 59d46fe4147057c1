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
      state.counting.forget()
    }
    let context = SetContext(exportTime: exportTime, uptime: 0, hasUptime: false)
    let tally = decodeSets(
      datagram, from: IPFIX.headerLength, .ipfix, state, context, received: arrival.received)
    // Where records of unknown templates cannot be counted, the next message begins anew.
    let content =
      tally.isIncomplete || length > datagram.byteCount
      ? nil
      : SequenceCounting.Content(
        records: UInt32(truncatingIfNeeded: tally.records),
        optionsRecords: UInt32(truncatingIfNeeded: tally.optionsRecords))
    if noteIPFIXSequence(state, sequence, content) {
      state.lastSequence = sequence
      state.lastExportTime = exportTime
    }
  }

  /// Counts what is missing before a message, whose content is nil where it is not known; false for one
  /// that was overtaken.
  private func noteIPFIXSequence(
    _ state: ExporterState, _ sequence: UInt32, _ content: SequenceCounting.Content?
  ) -> Bool {
    guard let content else {
      state.counting.forget()
      let isInOrder =
        state.counting.way.includesMessage || noteSequence(state, sequence, counts: 0)
      if isInOrder { state.expectedSequence = nil }
      return isInOrder
    }
    let losses = SequenceCounting.Losses(
      lost: state.statistics.lost, gaps: state.statistics.gaps,
      reordered: state.statistics.reordered)
    if let before = state.counting.look(sequence, content, losses) {
      state.statistics.lost = before.lost
      state.statistics.gaps = before.gaps
      state.statistics.reordered = before.reordered
      // This message is the next one in the count that is now believed.
      state.expectedSequence = nil
    }
    let records = content.count(state.counting.way)
    let first = state.counting.way.includesMessage ? sequence &- records : sequence
    return noteSequence(state, first, counts: records)
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
