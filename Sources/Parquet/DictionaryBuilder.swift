/// The distinct values of a column chunk in the order of their first appearance, and each row's index.
struct NumberDictionary<Word: FixedWidthInteger & SignedInteger & BitwiseCopyable> {
  private(set) var values: [Word] = []
  private(set) var indices: [UInt32]

  /// Values of which more than this many distinct ones make no dictionary: the index of a value would
  /// take more than 16 bits (our own choice; arrow and DuckDB stop at about a mebibyte of dictionary).
  static var limit: Int { 65_536 }

  /// A dictionary of one value; nil when the values differ.
  init?(constant words: Span<Word>) {
    guard let first = words.isEmpty ? nil : words[0] else { return nil }
    for index in words.indices where words[unchecked: index] != first { return nil }
    values = [first]
    indices = [UInt32](repeating: 0, count: words.count)
  }

  /// nil when a dictionary would not pay: more than 65,536 distinct values, or (unless `isWanted`)
  /// more than half of the values are); `isChoosy` looks at a sample first, whatever the range.
  init?(_ words: Span<Word>, isWanted: Bool, isChoosy: Bool = false) {
    guard !words.isEmpty else { return nil }
    if isChoosy, Self.looksDistinct(words) { return nil }
    var least = words[0]
    var greatest = words[0]
    for index in words.indices {
      let word = words[unchecked: index]
      if word < least { least = word }
      if word > greatest { greatest = word }
    }
    indices = [UInt32](repeating: 0, count: words.count)
    let range =
      UInt64(truncatingIfNeeded: greatest &- least) & (UInt64.max >> UInt64(64 - Word.bitWidth))
    if range < UInt64(Self.limit) {
      fillDirectly(words, least: least, range: Int(range))
    } else {
      if !isWanted, Self.looksDistinct(words) { return nil }
      let limit = isWanted ? Self.limit : min(Self.limit, words.count / 2)
      guard fillByHash(words, limit: limit) else { return nil }
    }
  }

  /// Values of a small range find their index in a table of the whole range.
  private mutating func fillDirectly(_ words: Span<Word>, least: Word, range: Int) {
    var table = [UInt32](repeating: .max, count: range + 1)
    var values: [Word] = []
    var target = indices.mutableSpan
    for index in words.indices {
      let word = words[unchecked: index]
      let place = Int(truncatingIfNeeded: word &- least) & 0xffff
      var code = table[place]
      if code == .max {
        code = UInt32(values.count)
        table[place] = code
        values.append(word)
      }
      target[unchecked: index] = code
    }
    self.values = values
  }

  private mutating func fillByHash(_ words: Span<Word>, limit: Int) -> Bool {
    let mask = (1 << 17) - 1
    // 0 is empty, else an index plus one. At most 2^16 of the 2^17 slots are taken.
    var table = [UInt32](repeating: 0, count: mask + 1)
    for index in words.indices {
      let word = words[unchecked: index]
      var slot = Int(truncatingIfNeeded: Self.mixed(word)) & mask
      while true {
        let code = table[slot]
        if code == 0 {
          guard values.count < limit else { return false }
          values.append(word)
          table[slot] = UInt32(values.count)
          indices[index] = UInt32(values.count - 1)
          break
        }
        if values[Int(code) - 1] == word {
          indices[index] = code - 1
          break
        }
        slot = (slot &+ 1) & mask
      }
    }
    return true
  }

  /// A multiplication by the golden ratio (Knuth, TAOCP 6.4); its upper half is well mixed.
  @inline(__always)
  private static func mixed(_ word: Word) -> UInt64 {
    (UInt64(truncatingIfNeeded: word) &* 0x9e37_79b9_7f4a_7c15) &>> 40
  }

  /// Whether of up to 2,048 values spread over the chunk more than half are distinct.
  private static func looksDistinct(_ words: Span<Word>) -> Bool {
    let step = max(1, words.count / 2_048)
    var seen: Set<Word> = []
    var taken = 0
    for index in stride(from: 0, to: words.count, by: step) {
      seen.insert(words[index])
      taken += 1
    }
    return seen.count * 2 > taken
  }
}

/// The same for octet strings.
struct OctetDictionary {
  /// The distinct strings, one after another, and where each ends.
  private(set) var octets: [UInt8] = []
  private(set) var ends: [Int] = []
  private(set) var indices: [UInt32] = []

  /// A dictionary larger than a mebibyte, or (unless `isWanted`) one of more than half of the values,
  /// makes none.
  private static let byteLimit = 1 << 20

  init?(_ source: Span<UInt8>, ends sourceEnds: Span<Int>, isWanted: Bool) {
    guard !sourceEnds.isEmpty else { return nil }
    indices.reserveCapacity(sourceEnds.count)
    var table = [UInt32](repeating: 0, count: 1 << 12)
    var start = 0
    for row in sourceEnds.indices {
      let end = sourceEnds[row]
      let bytes = source.extracting(start..<end)
      start = end
      if ends.count * 2 >= table.count { table = rehashed(table.count * 2) }
      var slot = Int(truncatingIfNeeded: Self.hash(bytes)) & (table.count - 1)
      while table[slot] != 0, !isEqual(Int(table[slot]) - 1, bytes) {
        slot = (slot &+ 1) & (table.count - 1)
      }
      if table[slot] == 0 {
        let isTooMany = !isWanted && row >= 4_096 && ends.count * 2 > row
        guard ends.count < NumberDictionary<Int32>.limit, !isTooMany,
          octets.count + bytes.count <= Self.byteLimit
        else { return nil }
        for index in bytes.indices { octets.append(bytes[index]) }
        ends.append(octets.count)
        table[slot] = UInt32(ends.count)
      }
      indices.append(table[slot] - 1)
    }
    if !isWanted, ends.count * 2 > sourceEnds.count { return nil }
  }

  private func rehashed(_ size: Int) -> [UInt32] {
    var table = [UInt32](repeating: 0, count: size)
    var start = 0
    for index in ends.indices {
      var slot = Int(truncatingIfNeeded: Self.hash(octets.span.extracting(start..<ends[index])))
      slot &= size - 1
      while table[slot] != 0 { slot = (slot &+ 1) & (size - 1) }
      table[slot] = UInt32(index + 1)
      start = ends[index]
    }
    return table
  }

  private func isEqual(_ index: Int, _ bytes: Span<UInt8>) -> Bool {
    let start = index == 0 ? 0 : ends[index - 1]
    guard ends[index] - start == bytes.count else { return false }
    for offset in bytes.indices where octets[start &+ offset] != bytes[unchecked: offset] {
      return false
    }
    return true
  }

  /// FNV-1a (Fowler, Noll, Vo 1991), folded.
  private static func hash(_ bytes: Span<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for index in bytes.indices {
      hash = (hash ^ UInt64(bytes[unchecked: index])) &* 0x100_0000_01b3
    }
    return hash ^ (hash >> 29)
  }
}
