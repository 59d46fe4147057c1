/// CRC-32 (ISO 3309, the polynomial of gzip), as Parquet's pages carry it, eight octets a step
/// (Kounavis and Berry, "A Systematic Approach to Building High Performance Software-based CRC
/// Generators", 2005).
struct Checksum {
  private var register: UInt32 = .max

  /// The checksum of what was added.
  var value: UInt32 { ~register }

  /// `tables[256 * k + b]`: what octet `b` leaves behind after `k` further octets of zero.
  private static let tables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 2_048)
    for octet in 0..<256 {
      var rest = UInt32(octet)
      for _ in 0..<8 { rest = rest & 1 == 1 ? rest >> 1 ^ 0xedb8_8320 : rest >> 1 }
      tables[octet] = rest
    }
    for index in 256..<2_048 {
      let before = tables[index - 256]
      tables[index] = before >> 8 ^ tables[Int(before & 255)]
    }
    return tables
  }()

  mutating func add(_ bytes: RawSpan) {
    let tables = Self.tables
    let table = tables.span
    var register = register
    var place = 0
    let whole = bytes.byteCount & ~7
    while place < whole {
      // `place` + 8 is at most the number of octets; each index below is at most 8 * 256 - 1.
      let word =
        bytes.unsafeLoadUnaligned(fromByteOffset: place, as: UInt64.self).littleEndian
        ^ UInt64(register)
      register =
        table[unchecked: 1_792 + Int(word & 255)]
        ^ table[unchecked: 1_536 + Int(word &>> 8 & 255)]
        ^ table[unchecked: 1_280 + Int(word &>> 16 & 255)]
        ^ table[unchecked: 1_024 + Int(word &>> 24 & 255)]
        ^ table[unchecked: 768 + Int(word &>> 32 & 255)]
        ^ table[unchecked: 512 + Int(word &>> 40 & 255)]
        ^ table[unchecked: 256 + Int(word &>> 48 & 255)]
        ^ table[unchecked: Int(word &>> 56)]
      place &+= 8
    }
    for place in whole..<bytes.byteCount {
      let octet = bytes.unsafeLoad(fromByteOffset: place, as: UInt8.self)
      register = register &>> 8 ^ table[unchecked: Int((register ^ UInt32(octet)) & 255)]
    }
    self.register = register
  }

  /// The checksum of these octets alone.
  static func of(_ bytes: RawSpan) -> UInt32 {
    var checksum = Checksum()
    checksum.add(bytes)
    return checksum.value
  }
}
