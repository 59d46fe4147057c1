/// NetFlow version 9 (RFC 3954): a header of 20 octets and sets.
enum NetFlow9 {
  static let headerLength = 20
}

extension FlowDecoder {
  func decodeNetFlow9(_ datagram: RawSpan, _ arrival: Arrival) {
    guard datagram.byteCount >= NetFlow9.headerLength else { return stray(.truncatedHeader) }
    guard
      let state = state(
        .netflow9, domain: datagram.u32(16), arrival, octets: datagram.byteCount)
    else { return }
    let uptime = datagram.u32(4)
    let seconds = datagram.u32(8)
    if restarted(state, uptime: uptime, seconds: seconds, arrival) { restart(state) }
    // The sequence counts datagrams (RFC 3954 §5.1).
    noteSequence(state, datagram.u32(12), counts: 1)
    let context = SetContext(
      exportTime: Int64(seconds) &* 1_000_000_000, uptime: uptime, hasUptime: true)
    _ = decodeSets(
      datagram, from: NetFlow9.headerLength, .netflow9, state, context,
      received: arrival.received)
  }
}
