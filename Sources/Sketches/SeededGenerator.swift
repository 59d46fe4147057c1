/// Random numbers that are the same for the same seed on every machine: xoshiro256** (Blackman and
/// Vigna 2018), its state filled by SplitMix64 as its authors advise. Not for secrets.
///
/// ```swift
/// var generator = SeededGenerator(seed: 7)
/// Int.random(in: 0..<10, using: &generator)
/// ```
@frozen
public struct SeededGenerator: RandomNumberGenerator, Hashable, Sendable, BitwiseCopyable {
  @usableFromInline var s0: UInt64
  @usableFromInline var s1: UInt64
  @usableFromInline var s2: UInt64
  @usableFromInline var s3: UInt64

  @inlinable
  public init(seed: UInt64) {
    let gamma: UInt64 = 0x9e37_79b9_7f4a_7c15
    s0 = mix64(seed &+ gamma)
    s1 = mix64(seed &+ gamma &* 2)
    s2 = mix64(seed &+ gamma &* 3)
    s3 = mix64(seed &+ gamma &* 4)
  }

  /// The next 64 bits.
  @inlinable
  public mutating func next() -> UInt64 {
    let product = s1 &* 5
    let result = (product &<< 7 | product &>> 57) &* 9
    let shifted = s1 &<< 17
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= shifted
    s3 = s3 &<< 45 | s3 &>> 19
    return result
  }

  /// A number in 0 ..< 1 of 53 bits.
  @inlinable
  public mutating func nextUnit() -> Double {
    Double(next() &>> 11) * 0x1p-53
  }
}
