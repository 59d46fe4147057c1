/// Event time: the latest moment seen, and the five-minute bin that is open.
struct EngineClock: Hashable {
  static let binNanoseconds: Int64 = 300_000_000_000

  var now = Int64.min
  private(set) var binStart = Int64.min
  /// Exclusive. Before the first packet it lies in the past, so that any packet opens a bin.
  private(set) var binEnd = Int64.min
  var isSet: Bool { binStart != .min }

  mutating func open(at time: Int64) {
    // The range of a timestamp has room for a bin on both sides of any real capture.
    let clamped = min(max(time, .min + 2 * Self.binNanoseconds), .max - 2 * Self.binNanoseconds)
    var quotient = clamped / Self.binNanoseconds
    if clamped % Self.binNanoseconds < 0 { quotient -= 1 }
    binStart = quotient * Self.binNanoseconds
    binEnd = binStart + Self.binNanoseconds
    now = max(now, time)
  }

  static func hour(of time: Int64) -> Int64 {
    let quotient = time / 3_600_000_000_000
    return time % 3_600_000_000_000 < 0 ? quotient - 1 : quotient
  }

  func write(to sink: inout CheckpointWriter) {
    sink.write(UInt64(bitPattern: now))
    sink.write(UInt64(bitPattern: binStart))
    sink.write(UInt64(bitPattern: binEnd))
  }

  init() {}

  init(from source: inout CheckpointReader) throws(TelescopeError) {
    now = Int64(bitPattern: try source.readWord())
    binStart = Int64(bitPattern: try source.readWord())
    binEnd = Int64(bitPattern: try source.readWord())
  }
}
