import Glibc

// The values of pages, between the scratch's own blocks of memory.
extension ColumnScratch {
  private func cursor(_ octets: Int, _ offset: UInt64) -> PageCursor {
    PageCursor(base: UnsafeRawPointer(page.base), count: octets, offset: offset)
  }

  func readDictionary(
    count: Int, octets: Int, offset: UInt64
  ) throws(ParquetError) -> Bool {
    if form == .texts {
      var cursor = cursor(octets, offset)
      for _ in 0..<count {
        let length = Int(try cursor.word32())
        let start = try cursor.take(length)
        texts.append(
          String(decoding: UnsafeRawBufferPointer(start: start, count: length), as: UTF8.self))
      }
      dictionaryCount = count
      return true
    }
    // `count` is below 2^31, so that the product is far from overflowing.
    guard octets >= count * width else {
      throw .damaged(offset: offset, expected: "\(count) values in the dictionary")
    }
    dictionary.reserve(count * width)
    if form == .words128 {
      let target = dictionary.base.assumingMemoryBound(to: UInt128.self)
      for index in 0..<count {
        target[index] =
          page.base.loadUnaligned(fromByteOffset: 16 * index, as: UInt128.self)
          .bigEndian
      }
    } else {
      memcpy(dictionary.base, page.base, count * width)
    }
    dictionaryCount = count
    return true
  }

  func decode(
    _ encoding: Int32, at row: Int, count: Int, octets: Int, offset: UInt64
  ) throws(ParquetError) -> Bool {
    let target = values.base + row * width
    switch (encoding, form) {
    case (0, .words32), (0, .words64):
      guard octets >= count * width else {
        throw .damaged(offset: offset, expected: "\(count) PLAIN values")
      }
      memcpy(target, page.base, count * width)
    case (0, .words128):
      guard octets >= count * width else {
        throw .damaged(offset: offset, expected: "\(count) PLAIN values")
      }
      let words = target.assumingMemoryBound(to: UInt128.self)
      for index in 0..<count {
        words[index] =
          page.base.loadUnaligned(fromByteOffset: 16 * index, as: UInt128.self)
          .bigEndian
      }
    case (2, _), (8, _):
      try decodeIndices(at: row, count: count, octets: octets, offset: offset)
    case (5, .words32):
      try decodeDeltas(
        target.assumingMemoryBound(to: UInt32.self), count: count, octets: octets, offset: offset)
    case (5, .words64):
      try decodeDeltas(
        target.assumingMemoryBound(to: UInt64.self), count: count, octets: octets, offset: offset)
    case (9, .words32), (9, .words64):
      guard octets >= count * width else {
        throw .damaged(offset: offset, expected: "\(count) split values")
      }
      if form == .words32 {
        RawPages.join(page.base, count: count, into: target.assumingMemoryBound(to: UInt32.self))
      } else {
        RawPages.join(page.base, count: count, into: target.assumingMemoryBound(to: UInt64.self))
      }
    default: return false
    }
    return true
  }

  private func decodeIndices(
    at row: Int, count: Int, octets: Int, offset: UInt64
  ) throws(ParquetError) {
    guard count > 0 else { return }
    guard dictionaryCount > 0 else {
      throw .damaged(offset: offset, expected: "a dictionary before its indices")
    }
    var cursor = cursor(octets, offset)
    let width = Int(try cursor.octet())
    guard width <= 32 else { throw cursor.damaged("indices of at most 32 bits") }
    // 64- and 128-bit values are gathered from indices that lie at the end of their own place, so that
    // writing from the front never meets an index that is still to be read.
    let last = values.base + row * self.width + count * (self.width - 4)
    let codes = last.assumingMemoryBound(to: UInt32.self)
    var done = 0
    while done < count {
      let header = try cursor.varint()
      let left = count - done
      if header & 1 == 0 {
        let length = Int(truncatingIfNeeded: min(header >> 1, UInt64(left)))
        guard length > 0 else { throw cursor.damaged("a run that is not empty") }
        var value: UInt32 = 0
        for octet in 0..<(width + 7) / 8 {
          value |= UInt32(try cursor.octet()) &<< UInt32(8 * octet)
        }
        (codes + done).update(repeating: value, count: length)
        done += length
      } else {
        let groups = header >> 1
        guard groups > 0 else { throw cursor.damaged("at least one group of packed indices") }
        let taken = Int(truncatingIfNeeded: min(groups, UInt64(left / 8 + 1))) * 8
        let length = min(left, taken)
        let needed = (length * width + 7) / 8
        guard needed <= cursor.left else { throw cursor.damaged("\(needed) octets of indices") }
        if width == 0 {
          (codes + done).update(repeating: 0, count: length)
        } else {
          RawPages.unpack(cursor.here, width: width, count: length, into: codes + done)
        }
        let (whole, overflow) = Int(truncatingIfNeeded: groups).multipliedReportingOverflow(
          by: width)
        cursor.skip(overflow || whole < 0 ? cursor.left : min(cursor.left, whole))
        done += length
      }
    }
    guard RawPages.greatest(codes, count: count) < UInt32(clamping: dictionaryCount) else {
      throw .damaged(offset: offset, expected: "indices below \(dictionaryCount)")
    }
    switch form {
    case .texts: break
    case .words32:
      let words = dictionary.base.assumingMemoryBound(to: UInt32.self)
      for index in 0..<count { codes[index] = words[Int(codes[index])] }
    case .words64:
      let words = dictionary.base.assumingMemoryBound(to: UInt64.self)
      let target = (values.base + row * 8).assumingMemoryBound(to: UInt64.self)
      for index in 0..<count {
        let code = last.load(fromByteOffset: 4 * index, as: UInt32.self)
        target[index] = words[Int(code)]
      }
    case .words128:
      let words = dictionary.base.assumingMemoryBound(to: UInt128.self)
      let target = (values.base + row * 16).assumingMemoryBound(to: UInt128.self)
      for index in 0..<count {
        let code = last.load(fromByteOffset: 4 * index, as: UInt32.self)
        target[index] = words[Int(code)]
      }
    }
  }

  private func decodeDeltas<Word: FixedWidthInteger & UnsignedInteger>(
    _ target: UnsafeMutablePointer<Word>, count: Int, octets: Int, offset: UInt64
  ) throws(ParquetError) {
    var cursor = cursor(octets, offset)
    let blockSize = try cursor.varint()
    let miniblocks = try cursor.varint()
    let total = try cursor.varint()
    let first = try cursor.zigzag()
    guard (1...65_536).contains(blockSize), blockSize % 128 == 0, (1...2_048).contains(miniblocks),
      blockSize % miniblocks == 0, blockSize / miniblocks % 32 == 0
    else { throw cursor.damaged("a block of a multiple of 128 values") }
    guard total == UInt64(count) else { throw cursor.damaged("\(count) values, not \(total)") }
    guard count > 0 else { return }
    var value = Word(truncatingIfNeeded: first)
    target[0] = value
    var done = 1
    let perMiniblock = Int(blockSize / miniblocks)
    while done < count {
      let least = Word(truncatingIfNeeded: try cursor.zigzag())
      let widths = try cursor.take(Int(miniblocks))
      for index in 0..<Int(miniblocks) where done < count {
        let width = Int(widths.load(fromByteOffset: index, as: UInt8.self))
        guard width <= 64 else { throw cursor.damaged("a width of at most 64 bits") }
        let taken = min(perMiniblock, count - done)
        let needed = (width * taken + 7) / 8
        guard needed <= cursor.left else { throw cursor.damaged("\(needed) octets of differences") }
        value = RawPages.sum(
          cursor.here, width: width, count: taken, from: value, least: least, into: target + done)
        cursor.skip(min(cursor.left, width * perMiniblock / 8))
        done += taken
      }
    }
  }
}
