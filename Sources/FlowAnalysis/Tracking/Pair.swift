import Foundation

/// What is remembered of one client and one service: 64 octets.
///
/// Times, sizes and sessions are those of the client's records, and of the server's only as long as none of
/// the client's has come (a router on the way back alone sees no others); of sampled flows the seconds of both
/// sides. So everything here comes out the same in whatever order contacts arrive, but for the joining of a cut session, which needs its pieces in
/// the order in which they ended: sums saturate and do not round, times are least, greatest, or the latest
/// few.
struct Pair: BitwiseCopyable {
  /// Contacts: records from the client's side, or from both.
  var contacts: UInt32 = 0
  /// Records from the server's side alone.
  var replies: UInt32 = 0
  /// Octets in units of sixteen.
  var bytesOut: UInt32 = 0
  var bytesIn: UInt32 = 0
  var packetsOut: UInt32 = 0
  /// Seconds since 1970: first start, last end.
  var first: UInt32 = .max
  var last: UInt32 = 0
  /// Seconds of the longest session, and its octets both ways in units of sixteen; of equally long ones
  /// the latest.
  var longest: UInt32 = 0
  var longestBytes: UInt32 = 0
  /// The session that may go on: its start, its last end, and its octets.
  var sessionStart: UInt32 = 0
  var sessionEnd: UInt32 = 0
  var sessionBytes: UInt32 = 0
  var sessionPort: UInt16 = 0
  /// How many of the seconds below are set, before there is a timeline.
  var early: UInt8 = 0
  /// Whether a contact itself shows an answer.
  var isAnswered = false
  /// The two earliest distinct seconds, or the number of the timeline in the first.
  var second0: UInt32 = 0
  var second1: UInt32 = 0
  var size0: UInt16 = 0
  var size1: UInt16 = 0

  static let hasTimeline: UInt8 = 0xff
  /// A timeline was wanted and there was no room.
  static let wasRefused: UInt8 = 0xfe

  /// A sum that stays at the largest number.
  static func add(_ amount: UInt64, to sum: inout UInt32) {
    let (next, over) = sum.addingReportingOverflow(UInt32(clamping: amount))
    sum = over ? .max : next
  }

  /// Octets in units of sixteen, a part of one as a whole.
  static func units(_ octets: UInt64) -> UInt64 { octets / 16 + (octets % 16 > 0 ? 1 : 0) }

  /// Octets as a code of logarithmic steps of 1/32 octave: sizes within about 2 % share a code.
  static func code(_ bytes: UInt64) -> UInt16 {
    guard bytes > 0 else { return 0 }
    return UInt16(min(65_535, (log2(Double(bytes)) * 32).rounded() + 1))
  }
}

/// The seconds of a pair's latest contacts and what the client sent in each.
struct Timelines: ~Copyable {
  /// Latest contacts kept: enough for a spectrum, and what a few hours of beacons fill.
  static let length = 64

  private var seconds: Arena<UInt32>
  private var sizes: Arena<UInt16>
  private var counts: Arena<UInt8>
  private var free: [UInt32] = []

  init(capacity: Int) {
    seconds = Arena(capacity: capacity * Self.length)
    sizes = Arena(capacity: capacity * Self.length)
    counts = Arena(capacity: capacity)
  }

  var used: Int { counts.count - free.count }

  mutating func make() -> UInt32? {
    if let again = free.popLast() {
      counts[Int(again)] = 0
      return again
    }
    guard counts.append(0) else { return nil }
    _ = seconds.extend(by: Self.length, 0)
    _ = sizes.extend(by: Self.length, 0)
    return UInt32(counts.count - 1)
  }

  mutating func release(_ number: UInt32) { free.append(number) }

  /// Enters a second; contacts of the same second count once, with the greatest size.
  mutating func insert(_ second: UInt32, size: UInt16, into number: UInt32) {
    let base = Int(number) * Self.length
    let count = Int(counts[Int(number)])
    var place = count
    while place > 0, seconds[base + place - 1] > second { place -= 1 }
    if place > 0, seconds[base + place - 1] == second {
      sizes[base + place - 1] = max(sizes[base + place - 1], size)
      return
    }
    if count == Self.length {
      // The earliest goes, which may be the new one.
      guard place > 0 else { return }
      for index in stride(from: 1, to: place, by: 1) {
        seconds[base + index - 1] = seconds[base + index]
        sizes[base + index - 1] = sizes[base + index]
      }
      seconds[base + place - 1] = second
      sizes[base + place - 1] = size
      return
    }
    var index = count
    while index > place {
      seconds[base + index] = seconds[base + index - 1]
      sizes[base + index] = sizes[base + index - 1]
      index -= 1
    }
    seconds[base + place] = second
    sizes[base + place] = size
    counts[Int(number)] = UInt8(count + 1)
  }

  func read(_ number: UInt32) -> (seconds: [UInt32], sizes: [UInt16]) {
    let base = Int(number) * Self.length
    let range = 0..<Int(counts[Int(number)])
    return (range.map { seconds[base + $0] }, range.map { sizes[base + $0] })
  }
}
