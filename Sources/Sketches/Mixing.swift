/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): a bijection of 64-bit words whose output
/// bits all depend on all input bits. About a nanosecond.
@inlinable @inline(__always)
public func mix64(_ value: UInt64) -> UInt64 {
  var x = value
  x = (x ^ (x &>> 30)) &* 0xbf58_476d_1ce4_e5b9
  x = (x ^ (x &>> 27)) &* 0x94d0_49bb_1331_11eb
  return x ^ (x &>> 31)
}

/// The finaliser of MurmurHash3 (Appleby 2011) for 32 bits, a bijection: distinct words stay distinct.
@inlinable @inline(__always)
public func mix32(_ value: UInt32) -> UInt32 {
  var x = value
  x = (x ^ (x &>> 16)) &* 0x85eb_ca6b
  x = (x ^ (x &>> 13)) &* 0xc2b2_ae35
  return x ^ (x &>> 16)
}

/// A 64-bit hash of 128 bits, such as an IPv6 address, given as two words.
@inlinable @inline(__always)
public func mix64(_ high: UInt64, _ low: UInt64) -> UInt64 {
  mix64(low ^ mix64(high &+ 0x9e37_79b9_7f4a_7c15))
}

/// A 64-bit hash of octets of any length; the same on every machine and in every run.
public func hash64(_ bytes: RawSpan) -> UInt64 {
  var hash = mix64(UInt64(truncatingIfNeeded: bytes.byteCount) &+ 0x9e37_79b9_7f4a_7c15)
  var offset = 0
  while offset &+ 8 <= bytes.byteCount {
    let word = bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
    hash = mix64(hash ^ UInt64(littleEndian: word)) &+ 0x9e37_79b9_7f4a_7c15
    offset &+= 8
  }
  var rest: UInt64 = 0
  var shift: UInt64 = 0
  while offset < bytes.byteCount {
    rest |= UInt64(bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)) &<< shift
    shift &+= 8
    offset &+= 1
  }
  return mix64(hash ^ rest)
}

/// A 64-bit hash of a string's UTF-8; the same on every machine and in every run.
public func hash64(_ text: String) -> UInt64 {
  hash64(text.utf8Span.span.bytes)
}

/// What is wrong with a sketch's stored octets.
public enum SketchError: Error, Hashable, Sendable, CustomStringConvertible {
  case damaged(String)

  public var description: String {
    switch self {
    case .damaged(let reason): "a stored sketch is damaged: \(reason); it must be built anew"
    }
  }
}
