import Glibc

/// Memory that grows and is used again, with room behind its end for loads of whole words.
struct RawBlock: ~Copyable {
  private(set) var base = UnsafeMutableRawPointer.allocate(byteCount: RawBlock.slack, alignment: 64)
  private var capacity = 0
  /// Octets behind the end that may be read, though what they hold means nothing.
  static let slack = 64

  init() {}

  deinit { base.deallocate() }

  /// Makes room for so many octets; what was there before is lost when it has to grow.
  mutating func reserve(_ octets: Int) {
    guard octets > capacity else { return }
    base.deallocate()
    capacity = max(octets, capacity * 2)
    base = .allocate(byteCount: capacity + Self.slack, alignment: 64)
  }
}

/// Decoding of whole pages between raw memory, where it is hot. The callers own the bounds: `source` is
/// followed by ``RawBlock/slack`` octets, and `target` has room for `count` words.
enum RawPages {
  /// Words of `width` bits (1...32), packed from the lowest bit.
  static func unpack(
    _ source: UnsafeRawPointer, width: Int, count: Int, into target: UnsafeMutablePointer<UInt32>
  ) {
    switch width {
    case 8:
      for index in 0..<count {
        target[index] = UInt32(source.load(fromByteOffset: index, as: UInt8.self))
      }
    case 16:
      for index in 0..<count {
        target[index] = UInt32(
          source.loadUnaligned(fromByteOffset: index &* 2, as: UInt16.self).littleEndian)
      }
    default:
      let mask = UInt64.max &>> UInt64(64 &- width)
      var bit = 0
      for index in 0..<count {
        // At most 7 + 32 bits of the 64 are needed.
        let word = source.loadUnaligned(fromByteOffset: bit &>> 3, as: UInt64.self).littleEndian
        target[index] = UInt32(truncatingIfNeeded: (word &>> UInt64(bit & 7)) & mask)
        bit &+= width
      }
    }
  }

  /// One packed word of up to 64 bits.
  @inline(__always)
  static func word(_ source: UnsafeRawPointer, bit: Int, width: Int) -> UInt64 {
    let shift = UInt64(bit & 7)
    var word =
      source.loadUnaligned(fromByteOffset: bit &>> 3, as: UInt64.self).littleEndian &>> shift
    if Int(shift) &+ width > 64 {
      let last = source.load(fromByteOffset: bit &>> 3 &+ 8, as: UInt8.self)
      word |= UInt64(last) &<< (64 &- shift)
    }
    return width == 64 ? word : word & ((1 &<< UInt64(width)) &- 1)
  }

  /// The numbers of one miniblock: each is the one before plus `least` plus a packed difference.
  /// Gives back the last one.
  static func sum<Word: FixedWidthInteger & UnsignedInteger>(
    _ source: UnsafeRawPointer, width: Int, count: Int, from before: Word, least: Word,
    into target: UnsafeMutablePointer<Word>
  ) -> Word {
    var value = before
    if width == 0 {
      for index in 0..<count {
        value &+= least
        target[index] = value
      }
    } else if width <= 57 {
      let mask = (UInt64(1) &<< UInt64(width)) &- 1
      var bit = 0
      for index in 0..<count {
        let word = source.loadUnaligned(fromByteOffset: bit &>> 3, as: UInt64.self).littleEndian
        value &+= least &+ Word(truncatingIfNeeded: (word &>> UInt64(bit & 7)) & mask)
        target[index] = value
        bit &+= width
      }
    } else {
      for index in 0..<count {
        let delta = Self.word(source, bit: index &* width, width: width)
        value &+= least &+ Word(truncatingIfNeeded: delta)
        target[index] = value
      }
    }
    return value
  }

  /// Puts the octet planes of BYTE_STREAM_SPLIT together again.
  static func join<Word: FixedWidthInteger & UnsignedInteger>(
    _ source: UnsafeRawPointer, count: Int, into target: UnsafeMutablePointer<Word>
  ) {
    guard count > 0 else { return }
    var constant: Word = 0
    var planes: [Int] = []
    for octet in 0..<MemoryLayout<Word>.size {
      let plane = (source + octet * count).assumingMemoryBound(to: UInt8.self)
      let first = plane[0]
      // Constant where each octet is the one before: compared as a whole, as memory is.
      let difference = count > 1 ? memcmp(plane, plane + 1, count - 1) : 0
      if difference == 0 {
        constant |= Word(first) &<< Word(8 * octet)
      } else {
        planes.append(octet)
      }
    }
    func plane(_ place: Int) -> UnsafePointer<UInt8> {
      UnsafePointer((source + planes[place] * count).assumingMemoryBound(to: UInt8.self))
    }
    func shift(_ place: Int) -> Word { Word(8 * planes[place]) }
    // Most numbers have one to three octets that vary: each of their words is then written once.
    var first = min(planes.count, 3)
    switch first {
    case 0: for index in 0..<count { target[index] = constant }
    case 1:
      let (a, up) = (plane(0), shift(0))
      for index in 0..<count { target[index] = constant | Word(a[index]) &<< up }
    case 2:
      let (a, b, up, upper) = (plane(0), plane(1), shift(0), shift(1))
      for index in 0..<count {
        target[index] = constant | Word(a[index]) &<< up | Word(b[index]) &<< upper
      }
    default:
      let (a, b, c) = (plane(0), plane(1), plane(2))
      let (up, upper, uppermost) = (shift(0), shift(1), shift(2))
      for index in 0..<count {
        target[index] =
          constant | Word(a[index]) &<< up | Word(b[index]) &<< upper
          | Word(c[index]) &<< uppermost
      }
    }
    while first < planes.count {
      let (a, up) = (plane(first), shift(first))
      for index in 0..<count { target[index] |= Word(a[index]) &<< up }
      first += 1
    }
  }

  /// The greatest of some words; 0 for none.
  static func greatest(_ words: UnsafePointer<UInt32>, count: Int) -> UInt32 {
    var greatest: UInt32 = 0
    for index in 0..<count { greatest = max(greatest, words[index]) }
    return greatest
  }
}
