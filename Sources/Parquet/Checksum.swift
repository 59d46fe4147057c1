/// CRC-32 (ISO 3309, the polynomial of gzip), as Parquet's pages carry it, sixteen octets a step
/// (Kounavis and Berry, "A Systematic Approach to Building High Performance Software-based CRC
/// Generators", 2005).
struct Checksum {
  private var register: UInt32 = .max

  /// The checksum of what was added.
  var value: UInt32 { ~register }

  /// `tables[256 * k + b]`: what octet `b` leaves behind after `k` further octets of zero.
  private static let tables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 4_096)
    for octet in 0..<256 {
      var rest = UInt32(octet)
      for _ in 0..<8 { rest = rest & 1 == 1 ? rest >> 1 ^ 0xedb8_8320 : rest >> 1 }
      tables[octet] = rest
    }
    for index in 256..<4_096 {
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
    let whole = bytes.byteCount & ~15
    while place < whole {
      // `place` + 16 is at most the number of octets; each index below is at most 16 * 256 - 1.
      let low =
        bytes.unsafeLoadUnaligned(fromByteOffset: place, as: UInt64.self).littleEndian
        ^ UInt64(register)
      let high =
        bytes.unsafeLoadUnaligned(fromByteOffset: place &+ 8, as: UInt64.self).littleEndian
      let first =
        table[unchecked: 3_840 + Int(low & 255)]
        ^ table[unchecked: 3_584 + Int(low &>> 8 & 255)]
        ^ table[unchecked: 3_328 + Int(low &>> 16 & 255)]
        ^ table[unchecked: 3_072 + Int(low &>> 24 & 255)]
      let second =
        table[unchecked: 2_816 + Int(low &>> 32 & 255)]
        ^ table[unchecked: 2_560 + Int(low &>> 40 & 255)]
        ^ table[unchecked: 2_304 + Int(low &>> 48 & 255)]
        ^ table[unchecked: 2_048 + Int(low &>> 56)]
      let third =
        table[unchecked: 1_792 + Int(high & 255)]
        ^ table[unchecked: 1_536 + Int(high &>> 8 & 255)]
        ^ table[unchecked: 1_280 + Int(high &>> 16 & 255)]
        ^ table[unchecked: 1_024 + Int(high &>> 24 & 255)]
      let fourth =
        table[unchecked: 768 + Int(high &>> 32 & 255)]
        ^ table[unchecked: 512 + Int(high &>> 40 & 255)]
        ^ table[unchecked: 256 + Int(high &>> 48 & 255)]
        ^ table[unchecked: Int(high &>> 56)]
      register = first ^ second ^ third ^ fourth
      place &+= 16
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
