import Glibc

/// Counts distinct things in bounded memory (Flajolet et al. 2007), with the estimator of Ertl
/// (2017, "New cardinality estimation algorithms for HyperLogLog sketches", algorithm 6), which needs
/// no table of corrections.
///
/// It begins sparse, as an open-addressed set of at most 3/32 · 2^precision encoded hashes of 26 bits
/// of index, which makes small counts practically exact in at most half of the dense form's memory, and
/// turns into one octet for each of 2^precision registers. The result depends on the set of hashes
/// alone, not on their order; so does a merged one. An insertion costs a few nanoseconds in both forms.
///
/// ```swift
/// var hosts = HyperLogLog(precision: 12)
/// hosts.insert(hash: mix64(address))
/// hosts.estimate  // ± 1.6 %
/// ```
public struct HyperLogLog: Hashable, Sendable {
  /// The binary logarithm of the number of registers, 4...16; values outside are clamped.
  public let precision: Int
  /// While sparse: a power of two of slots, each 0 or a code of 26 bits of hash and 6 of run length.
  private var table: [UInt32] = []
  private var held = 0
  private var registers: [UInt8] = []

  private static let sparsePrecision = 26

  /// An empty counter that can grow to 2^precision octets.
  public init(precision: Int) {
    self.precision = min(16, max(4, precision))
  }

  /// 1.04 / √m, the standard error of a dense sketch.
  public var relativeStandardError: Double { 1.04 / sqrt(Double(1 << precision)) }

  /// Octets of memory, this value's own included.
  public var memoryBytes: Int {
    MemoryLayout<Self>.size + table.capacity * 4 + registers.capacity
  }

  /// Whether nothing was inserted.
  public var isEmpty: Bool { held == 0 && registers.isEmpty }

  private var sparseLimit: Int { max(12, (3 << precision) >> 5) }

  /// Counts a thing by its hash, whose bits must be well mixed (``mix64(_:)``).
  public mutating func insert(hash: UInt64) {
    if registers.isEmpty {
      insert(code: Self.code(hash))
    } else {
      raise(hash)
    }
  }

  /// Puts a code into the set; of two with the same index the longer run stays.
  private mutating func insert(code: UInt32) {
    if table.isEmpty { table = [UInt32](repeating: 0, count: 16) }
    let mask = table.count &- 1
    var slot = Int(code >> 6) & mask
    while table[slot] != 0 {
      if table[slot] >> 6 == code >> 6 {
        if table[slot] < code { table[slot] = code }
        return
      }
      slot = (slot &+ 1) & mask
    }
    table[slot] = code
    held += 1
    if held > sparseLimit {
      densify()
    } else if held * 4 > table.count * 3 {
      let codes = table
      table = [UInt32](repeating: 0, count: codes.count * 2)
      held = 0
      for code in codes where code != 0 { insert(code: code) }
    }
  }

  /// The upper 26 bits and the position of the first one bit after them.
  private static func code(_ hash: UInt64) -> UInt32 {
    let rest = hash << UInt64(sparsePrecision)
    let run = min(38, rest.leadingZeroBitCount) + 1
    return UInt32(truncatingIfNeeded: hash >> 38) << 6 | UInt32(run)
  }

  private mutating func raise(_ hash: UInt64) {
    let index = Int(truncatingIfNeeded: hash >> UInt64(64 - precision))
    let run = min(64 - precision, (hash << UInt64(precision)).leadingZeroBitCount) + 1
    if registers[index] < UInt8(run) { registers[index] = UInt8(run) }
  }

  private mutating func densify() {
    registers = [UInt8](repeating: 0, count: 1 << precision)
    for code in table where code != 0 { raise(code: code) }
    table = []
    held = 0
  }

  /// The codes of the sparse form in ascending order.
  private var codes: [UInt32] { table.filter { $0 != 0 }.sorted() }

  /// A register from a sparse code: the bits between the two precisions lead the run.
  private mutating func raise(code: UInt32) {
    let hashBits = code >> 6
    let shift = UInt32(Self.sparsePrecision - precision)
    let index = Int(hashBits >> shift)
    let between = hashBits & (1 << shift - 1)
    let run =
      between == 0
      ? Int(shift) + Int(code & 63)
      : between.leadingZeroBitCount - (32 - Int(shift)) + 1
    if registers[index] < UInt8(run) { registers[index] = UInt8(run) }
  }

  /// How many distinct hashes were inserted.
  public var estimate: Double {
    guard registers.isEmpty else { return Self.estimate(registers: registers.span) }
    // Linear counting (Whang 1990) over the 2^26 sparse indices.
    let cells = Double(1 << Self.sparsePrecision)
    return cells * -log1p(-Double(held) / cells)
  }

  /// Algorithm 6 of Ertl (2017) over 2^p registers.
  static func estimate(registers: Span<UInt8>) -> Double {
    let q = 64 - registers.count.trailingZeroBitCount
    var histogram = [Int](repeating: 0, count: q + 2)
    for index in registers.indices { histogram[min(q + 1, Int(registers[index]))] += 1 }
    let m = Double(registers.count)
    var z = m * tau(1 - Double(histogram[q + 1]) / m)
    for k in stride(from: q, through: 1, by: -1) { z = 0.5 * (z + Double(histogram[k])) }
    z += m * sigma(Double(histogram[0]) / m)
    return m * m / (2 * log(2)) / z
  }

  private static func sigma(_ start: Double) -> Double {
    if start == 1 { return .infinity }
    var x = start
    var y = 1.0
    var z = x
    while true {
      x *= x
      let previous = z
      z += x * y
      y += y
      if z == previous { return z }
    }
  }

  private static func tau(_ start: Double) -> Double {
    if start == 0 || start == 1 { return 0 }
    var x = start
    var y = 1.0
    var z = 1 - x
    while true {
      x = sqrt(x)
      let previous = z
      y *= 0.5
      z -= (1 - x) * (1 - x) * y
      if z == previous { return z / 3 }
    }
  }

  /// Takes in all that `other` counted. Sketches of different precision do not mix: `other` is then
  /// left out and false is returned.
  @discardableResult
  public mutating func merge(_ other: HyperLogLog) -> Bool {
    guard other.precision == precision else { return false }
    if other.registers.isEmpty {
      for code in other.table where code != 0 {
        if registers.isEmpty { insert(code: code) } else { raise(code: code) }
      }
    } else {
      if registers.isEmpty { densify() }
      for index in registers.indices where registers[index] < other.registers[index] {
        registers[index] = other.registers[index]
      }
    }
    return true
  }

  /// Whether both counted the same hashes, as far as their registers can tell.
  public static func == (left: Self, right: Self) -> Bool {
    left.precision == right.precision && left.registers == right.registers
      && left.held == right.held && left.codes == right.codes
  }

  /// Feeds what ``==(_:_:)`` compares.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(serialized())
  }

  /// Version, precision, form, then ascending codes (32 bits, little-endian) or registers: the same
  /// octets for the same set of hashes.
  public func serialized() -> [UInt8] {
    var bytes: [UInt8] = [1, UInt8(precision), registers.isEmpty ? 0 : 1]
    if registers.isEmpty {
      for code in codes { withUnsafeBytes(of: code.littleEndian) { bytes += $0 } }
    } else {
      bytes += registers
    }
    return bytes
  }

  /// Reads a sketch back.
  ///
  /// - Throws: ``SketchError`` for octets that ``serialized()`` did not write.
  public init(serialized bytes: [UInt8]) throws(SketchError) {
    guard bytes.count >= 3, bytes[0] == 1 else { throw .damaged("unknown version") }
    guard (4...16).contains(bytes[1]) else { throw .damaged("precision \(bytes[1])") }
    self.init(precision: Int(bytes[1]))
    let content = bytes[3...]
    if bytes[2] == 1 {
      guard content.count == 1 << precision, content.allSatisfy({ $0 <= 64 - precision + 1 }) else {
        throw .damaged("its registers do not fit the precision")
      }
      registers = Array(content)
    } else {
      guard bytes[2] == 0, content.count % 4 == 0, content.count / 4 <= sparseLimit else {
        throw .damaged("its sparse list has an impossible length")
      }
      var previous: UInt32?
      for start in stride(from: 3, to: bytes.count, by: 4) {
        var code: UInt32 = 0
        for index in (0..<4).reversed() { code = code << 8 | UInt32(bytes[start + index]) }
        let run = code & 63
        guard run >= 1, run <= 39, previous.map({ $0 >> 6 < code >> 6 }) ?? true else {
          throw .damaged("its sparse list is not in order")
        }
        insert(code: code)
        previous = code
      }
    }
  }
}
