/// A place in a page that lies in a scratch's memory.
struct PageCursor {
  let base: UnsafeRawPointer
  let count: Int
  let offset: UInt64
  private(set) var position = 0

  init(base: UnsafeRawPointer, count: Int, offset: UInt64) {
    self.base = base
    self.count = count
    self.offset = offset
  }

  var left: Int { count - position }
  var here: UnsafeRawPointer { base + position }

  func damaged(_ expected: String) -> ParquetError {
    .damaged(offset: offset, expected: "\(expected) in its page, \(position) octets in")
  }

  mutating func octet() throws(ParquetError) -> UInt8 {
    guard position < count else { throw damaged("an octet more") }
    defer { position += 1 }
    return base.load(fromByteOffset: position, as: UInt8.self)
  }

  mutating func word32() throws(ParquetError) -> UInt32 {
    guard left >= 4 else { throw damaged("4 octets more") }
    defer { position += 4 }
    return base.loadUnaligned(fromByteOffset: position, as: UInt32.self).littleEndian
  }

  mutating func varint() throws(ParquetError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      let next = try octet()
      value |= UInt64(next & 0x7f) &<< shift
      if next < 0x80 { return value }
    }
    throw damaged("a number of at most ten octets")
  }

  mutating func zigzag() throws(ParquetError) -> Int64 {
    let value = try varint()
    return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }

  mutating func take(_ length: Int) throws(ParquetError) -> UnsafeRawPointer {
    guard length >= 0, length <= left else { throw damaged("\(length) octets more") }
    defer { position += length }
    return here
  }

  mutating func skip(_ octets: Int) { position += min(left, max(0, octets)) }
}
