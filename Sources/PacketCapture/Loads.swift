extension RawSpan {
  /// One octet.
  @inlinable @inline(__always)
  func loadByte(_ offset: Int) -> UInt8 {
    unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)
  }

  // The loads below are bounds-checked and any bit pattern is a valid integer; "unsafe" in their
  // names warns only of types for which it is not.

  /// A number in network byte order.
  @inlinable @inline(__always)
  func loadBig16(_ offset: Int) -> UInt16 {
    unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self).bigEndian
  }

  /// A number in network byte order.
  @inlinable @inline(__always)
  func loadBig32(_ offset: Int) -> UInt32 {
    unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self).bigEndian
  }

  /// A number in network byte order.
  @inlinable @inline(__always)
  func loadBig64(_ offset: Int) -> UInt64 {
    unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self).bigEndian
  }

  /// A number in this machine's byte order, or the other one.
  @inlinable @inline(__always)
  func loadUInt16(_ offset: Int, swapped: Bool) -> UInt16 {
    let value = unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self)
    return swapped ? value.byteSwapped : value
  }

  /// A number in this machine's byte order, or the other one.
  @inlinable @inline(__always)
  func loadUInt32(_ offset: Int, swapped: Bool) -> UInt32 {
    let value = unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self)
    return swapped ? value.byteSwapped : value
  }
}
