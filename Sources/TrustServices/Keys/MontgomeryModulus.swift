/// Arithmetic modulo an odd number, for verification only: it takes as long as its operands want,
/// so nothing secret may pass through it.
///
/// swift-crypto has no DSA, and its RSA takes neither SHA-3 nor a PSS salt of another length; for
/// these this is the public operation. Montgomery multiplication, CIOS (Koç, Acar, Kaliski 1996).
struct MontgomeryModulus: Sendable {
  /// Limbs, little end first, the highest one not zero.
  let limbs: [UInt64]
  private let negativeInverse: UInt64
  private let radixSquared: [UInt64]

  /// An odd modulus above 1 of at most `maximumBits`; nil otherwise.
  init?(_ bigEndian: some Collection<UInt8>, maximumBits: Int) {
    let limbs = Self.limbs(bigEndian)
    guard let low = limbs.first, low & 1 == 1, limbs != [1], limbs.count * 64 <= maximumBits + 63
    else { return nil }
    self.limbs = limbs
    // Newton: each step doubles the number of right bits.
    var inverse: UInt64 = 1
    for _ in 0..<6 { inverse = inverse &* (2 &- low &* inverse) }
    negativeInverse = 0 &- inverse
    var power = [UInt64](repeating: 0, count: limbs.count)
    power[0] = 1
    for _ in 0..<(limbs.count * 128) { Self.double(&power, modulo: limbs) }
    radixSquared = power
  }

  static func limbs(_ bigEndian: some Collection<UInt8>) -> [UInt64] {
    let bytes = Array(bigEndian.drop { $0 == 0 })
    var limbs = [UInt64](repeating: 0, count: (bytes.count + 7) / 8)
    for (index, byte) in bytes.reversed().enumerated() {
      limbs[index / 8] |= UInt64(byte) << UInt64(index % 8 * 8)
    }
    return limbs
  }

  static func bitCount(_ limbs: [UInt64]) -> Int {
    guard let top = limbs.last else { return 0 }
    return limbs.count * 64 - top.leadingZeroBitCount
  }

  /// Big-endian octets of exactly `count`.
  static func bytes(_ limbs: [UInt64], count: Int) -> [UInt8] {
    (0..<count).reversed().map { index in
      index / 8 < limbs.count
        ? UInt8(truncatingIfNeeded: limbs[index / 8] >> UInt64(index % 8 * 8)) : 0
    }
  }

  /// Whether a < b, for limbs of any count.
  static func isLess(_ a: [UInt64], _ b: [UInt64]) -> Bool {
    for index in (0..<max(a.count, b.count)).reversed() {
      let left = index < a.count ? a[index] : 0
      let right = index < b.count ? b[index] : 0
      if left != right { return left < right }
    }
    return false
  }

  private static func subtract(_ a: inout [UInt64], _ b: [UInt64]) {
    var borrow: UInt64 = 0
    for index in a.indices {
      let (first, one) = a[index].subtractingReportingOverflow(index < b.count ? b[index] : 0)
      let (second, two) = first.subtractingReportingOverflow(borrow)
      a[index] = second
      borrow = one || two ? 1 : 0
    }
  }

  private static func double(_ a: inout [UInt64], modulo limbs: [UInt64]) {
    var carry: UInt64 = 0
    for index in a.indices {
      let next = a[index] >> 63
      a[index] = a[index] << 1 | carry
      carry = next
    }
    if carry == 1 || !isLess(a, limbs) { subtract(&a, limbs) }
  }

  /// `value` modulo this number, for a value of any length.
  func reduce(_ value: [UInt64]) -> [UInt64] {
    var rest = [UInt64](repeating: 0, count: limbs.count)
    for limb in value.reversed() {
      for bit in (0..<64).reversed() {
        Self.double(&rest, modulo: limbs)
        if limb >> UInt64(bit) & 1 == 1 {
          // The rest is below an odd modulus, so adding one either stays below or reaches it.
          var index = 0
          while index < rest.count {
            rest[index] &+= 1
            if rest[index] != 0 { break }
            index += 1
          }
          if index == rest.count || !Self.isLess(rest, limbs) { Self.subtract(&rest, limbs) }
        }
      }
    }
    return rest
  }

  /// a·b·R⁻¹ mod n, both below n and of its limb count.
  private func montgomery(_ a: [UInt64], _ b: [UInt64]) -> [UInt64] {
    let count = limbs.count
    var t = [UInt64](repeating: 0, count: count + 2)
    for i in 0..<count {
      var carry: UInt64 = 0
      for j in 0..<count {
        let (high, low) = a[j].multipliedFullWidth(by: b[i])
        let (s1, o1) = low.addingReportingOverflow(t[j])
        let (s2, o2) = s1.addingReportingOverflow(carry)
        t[j] = s2
        carry = high &+ (o1 ? 1 : 0) &+ (o2 ? 1 : 0)
      }
      let (s, o) = t[count].addingReportingOverflow(carry)
      t[count] = s
      t[count + 1] = o ? 1 : 0
      let m = t[0] &* negativeInverse
      carry = 0
      for j in 0..<count {
        let (high, low) = m.multipliedFullWidth(by: limbs[j])
        let (s1, o1) = low.addingReportingOverflow(t[j])
        let (s2, o2) = s1.addingReportingOverflow(carry)
        if j > 0 { t[j - 1] = s2 }
        carry = high &+ (o1 ? 1 : 0) &+ (o2 ? 1 : 0)
      }
      let (s3, o3) = t[count].addingReportingOverflow(carry)
      t[count - 1] = s3
      t[count] = t[count + 1] &+ (o3 ? 1 : 0)
    }
    var result = Array(t[0..<count])
    if t[count] != 0 || !Self.isLess(result, limbs) { Self.subtract(&result, limbs) }
    return result
  }

  /// a·b mod n for values of any length.
  func multiply(_ a: [UInt64], _ b: [UInt64]) -> [UInt64] {
    montgomery(montgomery(reduce(a), radixSquared), reduce(b))
  }

  /// base^exponent mod n; the exponent is public.
  func power(_ base: [UInt64], _ exponent: [UInt64]) -> [UInt64] {
    let start = montgomery(reduce(base), radixSquared)
    var one = [UInt64](repeating: 0, count: limbs.count)
    one[0] = 1
    var result = montgomery(one, radixSquared)
    for index in (0..<Self.bitCount(exponent)).reversed() {
      result = montgomery(result, result)
      if exponent[index / 64] >> UInt64(index % 64) & 1 == 1 { result = montgomery(result, start) }
    }
    return montgomery(result, one)
  }
}
