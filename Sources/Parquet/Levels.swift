/// The RLE/bit-packing hybrid (format/Encodings.md) of definition levels and dictionary indices.
enum HybridEncoding {
  /// Equal values in a row from which a run is written as such.
  private static let runThreshold = 16

  /// Appends values of `width` bits (1...32).
  static func encode<Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ values: Span<Word>, width: Int, into sink: inout OctetSink
  ) {
    let count = values.count
    var literal = 0
    var index = 0
    // Literals come in groups of eight, and runs are looked for where such a group begins: `index` -
    // `literal` is always a multiple of eight.
    while count - index >= runThreshold {
      let value = values[unchecked: index]
      var difference: Word = 0
      for place in 1..<8 { difference |= values[unchecked: index &+ place] ^ value }
      guard difference == 0 else {
        index &+= 8
        continue
      }
      var next = index &+ 8
      while next < count, values[unchecked: next] == value { next &+= 1 }
      guard next &- index >= runThreshold else {
        index &+= 8
        continue
      }
      pack(values, literal..<index, width, &sink)
      sink.append(varint: UInt64(next &- index) << 1)
      for octet in 0..<(width + 7) / 8 {
        sink.append(UInt8(truncatingIfNeeded: UInt64(value) >> UInt64(8 * octet)))
      }
      literal = next
      index = next
    }
    pack(values, literal..<count, width, &sink)
  }

  private static func pack<Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ values: Span<Word>, _ range: Range<Int>, _ width: Int, _ sink: inout OctetSink
  ) {
    guard !range.isEmpty else { return }
    sink.append(varint: UInt64((range.count + 7) / 8) << 1 | 1)
    sink.append(packed: values.extracting(range), width: width)
    // The last group may be short: zeros fill it up.
    let missing = (8 - range.count & 7) & 7
    let used = (range.count * width + 7) / 8
    let whole = ((range.count + missing) * width) / 8
    for _ in used..<whole { sink.append(0) }
  }

  /// Reads exactly `count` values of `width` bits (0...32), each at most `maximum`.
  ///
  /// - Throws: ``ParquetError/damaged(offset:expected:)`` for octets that end early or exceed it.
  static func decode(
    _ bytes: RawSpan, width: Int, count: Int, maximum: UInt32, offset: UInt64
  ) throws(ParquetError) -> [UInt32] {
    var values: [UInt32] = []
    values.reserveCapacity(count)
    var cursor = OctetCursor(bytes, start: offset)
    while values.count < count {
      let left = count - values.count
      let header = try cursor.varint()
      if header & 1 == 0 {
        let length = Int(truncatingIfNeeded: min(header >> 1, UInt64(left)))
        let value = UInt32(truncatingIfNeeded: try cursor.word(octets: (width + 7) / 8))
        guard length > 0, value <= maximum else {
          throw cursor.damaged("a run of values of at most \(maximum)")
        }
        values.append(contentsOf: repeatElement(value, count: length))
      } else {
        let groups = header >> 1
        let available = cursor.left
        guard groups > 0 else { throw cursor.damaged("at least one group of bit-packed values") }
        // The last group may be cut off where only padding is missing.
        let length = Int(truncatingIfNeeded: min(groups, UInt64(left / 8 + 1))) * 8
        let taken = min(left, length)
        guard (taken * width + 7) / 8 <= available else {
          throw cursor.damaged("\(groups) groups of \(width) octets")
        }
        let first = cursor.position * 8
        var highest: UInt32 = 0
        for index in 0..<taken {
          let value = UInt32(
            truncatingIfNeeded: bytes.bits(at: first &+ index &* width, width: width))
          highest = max(highest, value)
          values.append(value)
        }
        guard highest <= maximum else { throw cursor.damaged("values of at most \(maximum)") }
        let (whole, overflow) = Int(truncatingIfNeeded: groups).multipliedReportingOverflow(
          by: width)
        cursor.skip(overflow || whole < 0 ? available : min(available, whole))
      }
    }
    return values
  }
}

/// A place in untrusted octets.
struct OctetCursor: ~Escapable {
  let bytes: RawSpan
  let start: UInt64
  private(set) var position = 0

  @_lifetime(copy bytes)
  init(_ bytes: RawSpan, start: UInt64) {
    self.bytes = bytes
    self.start = start
  }

  var left: Int { bytes.byteCount - position }

  func damaged(_ expected: String) -> ParquetError {
    .damaged(offset: start, expected: "\(expected) in its page, \(position) octets in")
  }

  mutating func varint() throws(ParquetError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      let next = try word(octets: 1)
      value |= (next & 0x7f) << shift
      if next < 0x80 { return value }
    }
    throw damaged("a number of at most ten octets")
  }

  mutating func zigzag() throws(ParquetError) -> Int64 {
    let value = try varint()
    return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }

  /// A little-endian number of 0...8 octets.
  mutating func word(octets: Int) throws(ParquetError) -> UInt64 {
    guard octets <= left else { throw damaged("\(octets) octets more") }
    let value = bytes.bits(at: position * 8, width: octets * 8)
    position += octets
    return value
  }

  /// Passes over octets; no further than the end.
  mutating func skip(_ octets: Int) {
    position += min(left, max(0, octets))
  }

  /// The range of the next octets, passed over.
  mutating func range(_ length: Int, _ what: String) throws(ParquetError) -> Range<Int> {
    guard length >= 0, length <= left else { throw damaged("\(length) octets of \(what)") }
    defer { position += length }
    return position..<position + length
  }
}
