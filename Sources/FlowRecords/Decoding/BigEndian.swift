// The loads below are bounds-checked, and any bit pattern is a valid integer; "unsafe" in their names
// warns only of types for which it is not. Numbers are in network byte order.
extension RawSpan {
  @inline(__always)
  func u8(_ offset: Int) -> UInt8 { unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self) }

  @inline(__always)
  func u16(_ offset: Int) -> UInt16 {
    unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self).bigEndian
  }

  @inline(__always)
  func u32(_ offset: Int) -> UInt32 {
    unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self).bigEndian
  }

  @inline(__always)
  func u64(_ offset: Int) -> UInt64 {
    unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self).bigEndian
  }

  @inline(__always)
  func u128(_ offset: Int) -> UInt128 { UInt128(u64(offset)) << 64 | UInt128(u64(offset + 8)) }

  /// A number of any width; of more than eight octets the last eight.
  func number(_ offset: Int, length: Int) -> UInt64 {
    var value: UInt64 = 0
    var at = offset + max(length - 8, 0)
    while at < offset + length {
      value = value << 8 | UInt64(u8(at))
      at += 1
    }
    return value
  }
}
