/// DELTA_BINARY_PACKED and the encodings that build on it (format/Encodings.md).
enum DeltaEncoding {
  private static let blockSize = 128
  private static let miniblocks = 4

  /// Appends numbers; differences wrap around at the numbers' own width.
  static func encode<Word: FixedWidthInteger & SignedInteger & BitwiseCopyable>(
    _ values: Span<Word>, into sink: inout OctetSink
  ) where Word.Magnitude: BitwiseCopyable {
    sink.append(varint: UInt64(blockSize))
    sink.append(varint: UInt64(miniblocks))
    sink.append(varint: UInt64(values.count))
    sink.append(zigzag: values.isEmpty ? 0 : Int64(values[0]))
    encode(values, [Word.Magnitude](repeating: 0, count: blockSize), &sink)
  }

  private static func encode<Word: FixedWidthInteger & SignedInteger & BitwiseCopyable>(
    _ values: Span<Word>, _ scratch: [Word.Magnitude], _ sink: inout OctetSink
  ) where Word.Magnitude: BitwiseCopyable {
    var scratch = scratch
    let perMiniblock = blockSize / miniblocks
    var first = 1
    while first < values.count {
      let count = min(blockSize, values.count - first)
      var relative = scratch.mutableSpan
      var least = Word.max
      for index in 0..<count {
        // `first` is at least 1, and `first` + `count` at most the number of values.
        let delta =
          values[unchecked: first &+ index] &- values[unchecked: first &+ index &- 1]
        least = min(least, delta)
        relative[unchecked: index] = Word.Magnitude(truncatingIfNeeded: delta)
      }
      sink.append(zigzag: Int64(least))
      let base = Word.Magnitude(truncatingIfNeeded: least)
      for index in 0..<count { relative[unchecked: index] &-= base }
      for index in count..<blockSize { relative[unchecked: index] = 0 }
      // Four widths, the first in the lowest octet.
      var widths: UInt32 = 0
      for miniblock in 0..<miniblocks {
        var bits: Word.Magnitude = 0
        for index in 0..<perMiniblock {
          bits |= relative[unchecked: miniblock &* perMiniblock &+ index]
        }
        widths |= UInt32(Word.bitWidth - bits.leadingZeroBitCount) &<< UInt32(8 * miniblock)
      }
      sink.append(word: widths)
      for miniblock in 0..<miniblocks where miniblock * perMiniblock < count {
        let width = Int(widths &>> UInt32(8 * miniblock) & 255)
        guard width > 0 else { continue }
        let start = miniblock * perMiniblock
        sink.append(
          packed: scratch.span.extracting(start..<start + perMiniblock), width: width)
      }
      first += count
    }
  }

  /// About how many octets ``encode(_:into:)`` would take, from every sixteenth block.
  static func estimatedSize<Word: FixedWidthInteger & SignedInteger & BitwiseCopyable>(
    _ values: Span<Word>
  ) -> Int {
    guard values.count > blockSize else { return values.count * MemoryLayout<Word>.size }
    var bits = 0
    var blocks = 0
    for first in stride(from: 1, to: values.count - blockSize, by: blockSize * 16) {
      var least = Word.max
      var greatest = Word.min
      for index in first..<first + blockSize {
        let delta = values[index] &- values[index &- 1]
        least = min(least, delta)
        greatest = max(greatest, delta)
      }
      let range = Word.Magnitude(truncatingIfNeeded: greatest &- least)
      bits += Word.bitWidth - range.leadingZeroBitCount
      blocks += 1
    }
    return blocks == 0 ? Int.max : values.count * bits / blocks / 8 + values.count / 16
  }

  /// Reads exactly `count` numbers of `Word`'s width and leaves the cursor behind them.
  static func decode<Word: FixedWidthInteger & UnsignedInteger>(
    _ cursor: inout OctetCursor, count: Int, as: Word.Type
  ) throws(ParquetError) -> [Word] {
    let blockSize = try cursor.varint()
    let miniblocks = try cursor.varint()
    let total = try cursor.varint()
    let first = try cursor.zigzag()
    guard (1...65_536).contains(blockSize), blockSize % 128 == 0, (1...2_048).contains(miniblocks),
      blockSize % miniblocks == 0, blockSize / miniblocks % 32 == 0
    else { throw cursor.damaged("a block of a multiple of 128 values") }
    guard total == UInt64(count) else { throw cursor.damaged("\(count) values, not \(total)") }
    var values: [Word] = []
    guard count > 0 else { return values }
    values.reserveCapacity(count)
    var value = Word(truncatingIfNeeded: first)
    values.append(value)
    let perMiniblock = Int(blockSize / miniblocks)
    while values.count < count {
      let least = Word(truncatingIfNeeded: try cursor.zigzag())
      let widths = try cursor.range(Int(miniblocks), "bit widths")
      for widthOffset in widths where values.count < count {
        let width = Int(cursor.bytes.unsafeLoad(fromByteOffset: widthOffset, as: UInt8.self))
        // DuckDB takes the differences of 32-bit numbers in 64 bits; cut off, they add up all the same.
        guard width <= 64 else { throw cursor.damaged("a width of at most 64 bits") }
        let taken = min(perMiniblock, count - values.count)
        // A writer may leave out the padding of the last miniblock.
        let whole = width * perMiniblock / 8
        let needed = (width * taken + 7) / 8
        guard needed <= cursor.left else { throw cursor.damaged("\(needed) octets of differences") }
        let start = cursor.position * 8
        for index in 0..<taken {
          let delta = cursor.bytes.bits(at: start &+ index &* width, width: width)
          value = value &+ least &+ Word(truncatingIfNeeded: delta)
          values.append(value)
        }
        cursor.skip(whole)
      }
    }
    return values
  }
}
