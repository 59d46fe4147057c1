import Glibc

/// How often each of very many keys occurred, in fixed memory (Cormode and Muthukrishnan 2005).
///
/// An estimate is never below the truth, and above it by more than `e / width` of the total only with
/// probability `exp(-depth)`. With conservative update (Estan and Varghese 2002) it is often much
/// closer; the price is that the sketch then depends on the order of its input.
///
/// ```swift
/// var ports = CountMinSketch(relativeError: 0.001, failureProbability: 0.01)
/// ports.add(hash: mix64(key), count: packets)
/// ports.estimate(hash: mix64(key))
/// ```
public struct CountMinSketch: Hashable, Sendable {
  /// Counters in a row, a power of two.
  public let width: Int
  /// Rows, 1...16.
  public let depth: Int
  /// Whether an addition raises only the counters that limit the estimate.
  public let isConservative: Bool
  /// The sum of all that was added; it stops at 2^64 - 1, as each counter does.
  public private(set) var total: UInt64 = 0
  private var counters: [UInt64]

  /// A sketch of `width` (rounded up to a power of two, at most 2^26) by `depth` (1...16) counters.
  public init(width: Int, depth: Int, isConservative: Bool = false) {
    let wanted = min(1 << 26, max(1, width))
    self.width = wanted == 1 ? 1 : 1 << (Int.bitWidth - (wanted - 1).leadingZeroBitCount)
    self.depth = min(16, max(1, depth))
    self.isConservative = isConservative
    counters = [UInt64](repeating: 0, count: self.width * self.depth)
  }

  /// A sketch that overestimates by more than `relativeError` of the total only with
  /// `failureProbability`.
  public init(relativeError: Double, failureProbability: Double, isConservative: Bool = false) {
    let width = M_E / max(4e-8, relativeError)
    let depth = -log(min(1, max(1e-7, failureProbability)))
    self.init(
      width: Int(width.rounded(.up)), depth: Int(depth.rounded(.up)),
      isConservative: isConservative)
  }

  /// The overestimate, as a part of the total, that is exceeded with probability `exp(-depth)`.
  public var relativeError: Double { M_E / Double(width) }

  /// Octets of memory, this value's own included.
  public var memoryBytes: Int { MemoryLayout<Self>.size + counters.capacity * 8 }

  @inline(__always)
  private func place(_ hash: UInt64, row: Int) -> Int {
    // One hash for all rows by double hashing (Kirsch and Mitzenmacher 2006), mixed again so that rows
    // of one width do not share their collisions.
    let mixed = mix64(hash &+ UInt64(truncatingIfNeeded: row) &* 0x9e37_79b9_7f4a_7c15)
    return row &* width &+ Int(truncatingIfNeeded: mixed) & (width &- 1)
  }

  /// Adds `count` to the key with this hash.
  public mutating func add(hash: UInt64, count: UInt64 = 1) {
    total = Self.sum(total, count)
    if isConservative {
      let raised = Self.sum(estimate(hash: hash), count)
      for row in 0..<depth {
        let place = place(hash, row: row)
        if counters[place] < raised { counters[place] = raised }
      }
    } else {
      for row in 0..<depth {
        let place = place(hash, row: row)
        counters[place] = Self.sum(counters[place], count)
      }
    }
  }

  /// What was added for the key, or somewhat more.
  public func estimate(hash: UInt64) -> UInt64 {
    var least = UInt64.max
    for row in 0..<depth { least = min(least, counters[place(hash, row: row)]) }
    return least
  }

  /// Adds all that `other` counted; it remains an upper bound. Sketches of different shape do not mix:
  /// `other` is then left out and false is returned.
  @discardableResult
  public mutating func merge(_ other: CountMinSketch) -> Bool {
    guard other.width == width, other.depth == depth, other.isConservative == isConservative else {
      return false
    }
    for index in counters.indices {
      counters[index] = Self.sum(counters[index], other.counters[index])
    }
    total = Self.sum(total, other.total)
    return true
  }

  private static func sum(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let (sum, overflow) = left.addingReportingOverflow(right)
    return overflow ? .max : sum
  }

  /// Version, update rule, depth, binary logarithm of the width, the total, then the counters; 64 bits
  /// each, little-endian.
  public func serialized() -> [UInt8] {
    var bytes: [UInt8] = [
      1, isConservative ? 1 : 0, UInt8(depth), UInt8(width.trailingZeroBitCount),
    ]
    bytes.reserveCapacity(12 + counters.count * 8)
    for value in [total] + counters { withUnsafeBytes(of: value.littleEndian) { bytes += $0 } }
    return bytes
  }

  /// Reads a sketch back.
  ///
  /// - Throws: ``SketchError`` for octets that ``serialized()`` did not write.
  public init(serialized bytes: [UInt8]) throws(SketchError) {
    guard bytes.count >= 12, bytes[0] == 1 else { throw .damaged("unknown version") }
    guard bytes[1] <= 1, (1...16).contains(bytes[2]), bytes[3] <= 26 else {
      throw .damaged("its shape is impossible")
    }
    let cells = Int(bytes[2]) << Int(bytes[3])
    guard bytes.count == 12 + cells * 8 else {
      throw .damaged("\(bytes.count) octets where \(12 + cells * 8) were expected")
    }
    self.init(width: 1 << Int(bytes[3]), depth: Int(bytes[2]), isConservative: bytes[1] == 1)
    let span = bytes.span.bytes
    func word(_ offset: Int) -> UInt64 {
      UInt64(littleEndian: span.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
    total = word(4)
    for index in counters.indices {
      counters[index] = word(12 + index * 8)
      guard counters[index] <= total else { throw .damaged("a counter exceeds the total") }
    }
  }
}
