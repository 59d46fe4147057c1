import Glibc

/// Growing octets for output. With ``RawSpan`` for input, this file is the only place of the target
/// that touches raw memory; every write is preceded by ``reserve(_:)``.
///
/// Parquet is little-endian, and so is every machine that this is built for.
struct OctetSink: ~Copyable {
  private var base: UnsafeMutableRawPointer?
  private var capacity = 0
  private(set) var count = 0

  init() {}

  deinit { free(base) }

  /// What was written, until the next write.
  var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      let span = RawSpan(
        _unsafeBytes: UnsafeRawBufferPointer(start: base, count: base == nil ? 0 : count))
      return _overrideLifetime(span, borrowing: self)
    }
  }

  mutating func removeAll() { count = 0 }

  /// Makes room for this many octets more.
  @inline(__always)
  mutating func reserve(_ more: Int) {
    if count + more > capacity { grow(more) }
  }

  @inline(never)
  private mutating func grow(_ more: Int) {
    let wanted = max(1_024, max(count + more, capacity * 2))
    guard let moved = realloc(base, wanted) else {
      // Out of memory: nothing here can go on, as when the standard library's own arrays cannot grow.
      fatalError("no memory for \(wanted) octets of a Parquet page")
    }
    base = moved
    capacity = wanted
  }

  /// The place of the next octet, after ``reserve(_:)`` made sure that there is one.
  private var end: UnsafeMutableRawPointer {
    // Every caller reserves first, which allocates.
    guard let base else { preconditionFailure("reserve(_:) comes before every write") }
    return base + count
  }

  @inline(__always)
  mutating func append(_ octet: UInt8) {
    reserve(1)
    end.storeBytes(of: octet, as: UInt8.self)
    count += 1
  }

  @inline(__always)
  mutating func append<Word: FixedWidthInteger & BitwiseCopyable>(word: Word) {
    reserve(MemoryLayout<Word>.size)
    end.storeBytes(of: word.littleEndian, as: Word.self)
    count += MemoryLayout<Word>.size
  }

  mutating func append(_ bytes: RawSpan) {
    guard bytes.byteCount > 0 else { return }
    reserve(bytes.byteCount)
    let place = end
    bytes.withUnsafeBytes { source in
      // `source` is not empty, so it has a base address.
      if let start = source.baseAddress { place.copyMemory(from: start, byteCount: source.count) }
    }
    count += bytes.byteCount
  }

  mutating func append(_ other: borrowing OctetSink) { append(other.bytes) }

  mutating func append(_ text: String) {
    for octet in text.utf8 { append(octet) }
  }

  /// ULEB128.
  mutating func append(varint value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(UInt8(truncatingIfNeeded: rest))
  }

  mutating func append(zigzag value: Int64) {
    append(varint: UInt64(bitPattern: (value &<< 1) ^ (value &>> 63)))
  }

  /// Overwrites four octets that were written before.
  mutating func overwrite(_ word: UInt32, at offset: Int) {
    precondition(offset >= 0 && offset + 4 <= count)
    base?.storeBytes(of: word.littleEndian, toByteOffset: offset, as: UInt32.self)
  }

  /// The low `width` bits (1...64) of each value, the first in the lowest bits (format/Encodings.md,
  /// RLE/bit-packing hybrid). Ends on a whole octet, as every multiple of eight values does.
  mutating func append<Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    packed values: Span<Word>, width: Int
  ) {
    reserve((values.count * width + 7) / 8 + 8)
    var place = end
    var gathered: UInt64 = 0
    var filled = 0
    for index in values.indices {
      let value = UInt64(truncatingIfNeeded: values[unchecked: index])
      gathered |= value &<< UInt64(filled)
      filled &+= width
      if filled >= 64 {
        place.storeBytes(of: gathered.littleEndian, as: UInt64.self)
        place += 8
        filled &-= 64
        gathered = filled == 0 ? 0 : value &>> UInt64(width &- filled)
      }
    }
    // `reserve` made room for eight octets beyond the last whole word.
    place.storeBytes(of: gathered.littleEndian, as: UInt64.self)
    count += (values.count * width + 7) / 8
  }

  /// BYTE_STREAM_SPLIT: the lowest octets of all values, then the next ones.
  mutating func append<Word: FixedWidthInteger & BitwiseCopyable>(split words: Span<Word>) {
    let rows = words.count
    let size = rows * MemoryLayout<Word>.size
    guard size > 0 else { return }
    reserve(size)
    var place = end.assumingMemoryBound(to: UInt8.self)
    for octet in 0..<MemoryLayout<Word>.size {
      let shift = Word(truncatingIfNeeded: 8 * octet)
      for row in 0..<rows {
        place[row] = UInt8(truncatingIfNeeded: words[unchecked: row] &>> shift)
      }
      place += rows
    }
    count += size
  }

  /// The lowest `planes` octet planes (1...8) of some numbers plus `base`.
  mutating func append<Number: FixedWidthInteger & BitwiseCopyable>(
    split numbers: Span<Number>, plus base: Int64, planes: Int
  ) {
    let rows = numbers.count
    guard rows > 0, planes > 0 else { return }
    reserve(rows * planes)
    var place = end.assumingMemoryBound(to: UInt8.self)
    for octet in 0..<planes {
      if octet < 4 {
        // The lowest octets of a sum depend on those of the summands alone.
        let shift = UInt32(8 * octet)
        let base = UInt32(truncatingIfNeeded: base)
        for row in 0..<rows {
          let word = UInt32(truncatingIfNeeded: numbers[unchecked: row]) &+ base
          place[row] = UInt8(truncatingIfNeeded: word &>> shift)
        }
      } else {
        let shift = Int64(8 * octet)
        for row in 0..<rows {
          let word = Int64(truncatingIfNeeded: numbers[unchecked: row]) &+ base
          place[row] = UInt8(truncatingIfNeeded: word &>> shift)
        }
      }
      place += rows
    }
    count += rows * planes
  }

  /// One octet many times.
  mutating func append(repeating octet: UInt8, count more: Int) {
    guard more > 0 else { return }
    reserve(more)
    memset(end, Int32(octet), more)
    count += more
  }

  /// Room for `size` octets that `fill` writes into; it gives back how many it wrote, at most `size`.
  mutating func appendFilled<Failure: Error>(
    _ size: Int, _ fill: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
  ) throws(Failure) {
    reserve(size)
    let written = try fill(UnsafeMutableRawBufferPointer(start: end, count: size))
    precondition(written >= 0 && written <= size)
    count += written
  }
}

/// Writes all of it; gives back the system's error number, or 0.
func writeAll(_ bytes: RawSpan, to descriptor: Int32) -> Int32 {
  bytes.withUnsafeBytes { source in
    var done = 0
    while done < source.count {
      let written = write(descriptor, source.baseAddress.map { $0 + done }, source.count - done)
      if written > 0 {
        done += written
      } else if errno != EINTR {
        return errno
      }
    }
    return 0
  }
}

extension RawSpan {
  /// The `width` bits (0...64) that begin at a bit, least significant first. The caller has checked
  /// that they lie inside.
  @inline(__always)
  func bits(at bit: Int, width: Int) -> UInt64 {
    if width == 0 { return 0 }
    let byte = bit &>> 3
    let shift = UInt64(bit & 7)
    let mask = UInt64.max &>> UInt64(64 &- width)
    if byte &+ 8 <= byteCount {
      var value = unsafeLoadUnaligned(fromByteOffset: byte, as: UInt64.self).littleEndian &>> shift
      if Int(shift) &+ width > 64 {
        let last = unsafeLoad(fromByteOffset: byte &+ 8, as: UInt8.self)
        value |= UInt64(last) &<< (64 &- shift)
      }
      return value & mask
    }
    var value: UInt64 = 0
    for index in byte..<byteCount {
      let octet = UInt64(unsafeLoad(fromByteOffset: index, as: UInt8.self))
      let place = (index &- byte) &* 8 &- Int(shift)
      value |= place < 0 ? octet &>> UInt64(-place) : octet &<< UInt64(place)
    }
    return value & mask
  }

  /// The octets of a part, which the caller has checked to lie inside.
  func octets(_ range: Range<Int>) -> [UInt8] {
    words(at: range.lowerBound, count: range.count)
  }

  /// A copy of `count` words, which the caller has checked to lie inside.
  func words<Word: BitwiseCopyable>(at offset: Int, count: Int) -> [Word] {
    guard count > 0 else { return [] }
    let length = count * MemoryLayout<Word>.stride
    return extracting(offset..<offset + length).withUnsafeBytes { source in
      [Word](unsafeUninitializedCapacity: count) { target, initialized in
        // `source` has exactly the octets of `count` words: `extracting` traps otherwise.
        UnsafeMutableRawBufferPointer(target).copyMemory(from: source)
        initialized = count
      }
    }
  }
}

extension Array where Element: BitwiseCopyable {
  /// Appends words of the same size, bit for bit.
  func bitCast<Word: BitwiseCopyable>(to: Word.Type) -> [Word] {
    precondition(MemoryLayout<Word>.stride == MemoryLayout<Element>.stride)
    return span.bytes.words(at: 0, count: count)
  }
}
