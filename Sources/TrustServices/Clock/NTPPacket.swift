import NetworkTypes

/// NTP's packet (RFC 5905 7.3), as far as a client that only measures needs it.
struct NTPPacket {
  static let length = 48

  var leap: UInt8
  var version: UInt8
  var mode: UInt8
  var stratum: UInt8
  /// Both in seconds.
  var rootDelay: Double
  var rootDispersion: Double
  var referenceIdentifier: [UInt8]
  var originate: UInt64
  var receive: UInt64
  var transmit: UInt64

  /// A client's question. `transmit` is a random number, not the time: the server only repeats it,
  /// and who cannot see it cannot forge an answer (draft-ietf-ntp-data-minimization).
  static func question(transmit: UInt64) -> [UInt8] {
    var octets = [UInt8](repeating: 0, count: length)
    octets[0] = 4 << 3 | 3
    for index in 0..<8 {
      octets[40 + index] = UInt8(truncatingIfNeeded: transmit >> (56 - UInt64(index) * 8))
    }
    return octets
  }

  /// Reads an answer; extension fields and a MAC behind the header are left alone.
  init(_ octets: [UInt8]) throws(ClockSourceError) {
    guard octets.count >= Self.length else {
      throw .malformedAnswer("\(octets.count) octets instead of 48")
    }
    func number(_ start: Int, _ count: Int) -> UInt64 {
      octets[start..<start + count].reduce(0) { $0 << 8 | UInt64($1) }
    }
    leap = octets[0] >> 6
    version = octets[0] >> 3 & 7
    mode = octets[0] & 7
    stratum = octets[1]
    rootDelay = Double(Int32(truncatingIfNeeded: number(4, 4))) / 65_536
    rootDispersion = Double(number(8, 4)) / 65_536
    referenceIdentifier = Array(octets[12..<16])
    originate = number(24, 8)
    receive = number(32, 8)
    transmit = number(40, 8)
  }

  /// The moment of an NTP timestamp nearest to `near`, so that the era of 2036 needs no care.
  static func moment(_ stamp: UInt64, near: Timestamp) -> Timestamp {
    // 1900-01-01 to 1970-01-01.
    let era = near.seconds &+ 2_208_988_800
    var seconds = era & ~0xFFFF_FFFF | Int64(stamp >> 32)
    if seconds - era > 0x8000_0000 { seconds -= 0x1_0000_0000 }
    if era - seconds > 0x8000_0000 { seconds += 0x1_0000_0000 }
    let fraction = Int64(((stamp & 0xFFFF_FFFF) * 1_000_000_000) >> 32)
    let whole = Timestamp(seconds: seconds - 2_208_988_800)
    return Timestamp(nanoseconds: whole.nanoseconds &+ fraction)
  }

  /// What the answer says of our clock: sent with `question` at `sent`, here at `received`
  /// (RFC 5905 8).
  func observation(
    source: String, question: UInt64, sent: ClockPair, received: ClockPair
  ) throws(ClockSourceError) -> ClockObservation {
    guard mode == 4, (3...4).contains(version) else {
      throw .malformedAnswer("mode \(mode), version \(version)")
    }
    guard originate == question else { throw .malformedAnswer("an answer to another question") }
    if stratum == 0 {
      throw .kissOfDeath(
        String(decoding: referenceIdentifier.filter { $0 > 0x20 && $0 < 0x7F }, as: UTF8.self))
    }
    guard leap != 3, stratum < 16, receive != 0, transmit != 0 else { throw .unsynchronised }
    let t2 = Self.moment(receive, near: sent.wall)
    let t3 = Self.moment(transmit, near: sent.wall)
    // The monotonic clock measures the round trip, whatever happens to the wall clock meanwhile.
    let roundTrip = Double(received.monotonic &- sent.monotonic) / 1e9
    let inside = t3.seconds(since: t2)
    guard inside >= 0, inside <= roundTrip + 0.001 else {
      throw .malformedAnswer("it took the server longer than the whole round trip")
    }
    let delay = max(0, roundTrip - inside)
    let t4 = sent.wall.advanced(bySeconds: roundTrip)
    let offset = (t2.seconds(since: sent.wall) + t3.seconds(since: t4)) / 2
    let distance = max(0, rootDelay) / 2 + max(0, rootDispersion)
    return ClockObservation(
      source: source, offset: offset, uncertainty: delay / 2 + distance, stratum: Int(stratum),
      leap: leap == 1 ? .insertion : leap == 2 ? .deletion : .none)
  }
}
