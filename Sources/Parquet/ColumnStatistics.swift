/// The least and greatest values, as PLAIN octets in the order of the column's type
/// (parquet.thrift, `ColumnOrder`).
extension RawStatistics {
  /// Longer octet strings have no bounds (our own choice: they would fill the footer).
  private static let longestBound = 64

  private static func octets<Word: FixedWidthInteger>(_ word: Word) -> [UInt8] {
    withUnsafeBytes(of: word.littleEndian) { Array($0) }
  }

  static func numbers<Word: FixedWidthInteger & SignedInteger & BitwiseCopyable>(
    _ words: Span<Word>, isUnsigned: Bool
  ) -> Self {
    guard !words.isEmpty else { return Self() }
    // Flipping the upper bit makes the order of unsigned numbers that of signed ones.
    let flip: Word = isUnsigned ? Word.min : 0
    var least = words[0] ^ flip
    var greatest = least
    for index in words.indices {
      let word = words[unchecked: index] ^ flip
      least = min(least, word)
      greatest = max(greatest, word)
    }
    return Self(minimum: octets(least ^ flip), maximum: octets(greatest ^ flip))
  }

  static func floats(_ words: Span<Int32>) -> Self {
    var least = Float.infinity
    var greatest = -Float.infinity
    var hasValue = false
    for index in words.indices {
      let value = Float(bitPattern: UInt32(bitPattern: words[index]))
      if value.isNaN { return Self() }
      hasValue = true
      least = min(least, value)
      greatest = max(greatest, value)
    }
    guard hasValue else { return Self() }
    // The sign of a zero is not ordered: bounds must cover both (parquet.thrift, `ColumnOrder`).
    if least == 0 { least = -0.0 }
    if greatest == 0 { greatest = 0.0 }
    return Self(minimum: octets(least.bitPattern), maximum: octets(greatest.bitPattern))
  }

  static func doubles(_ words: Span<Int64>) -> Self {
    var least = Double.infinity
    var greatest = -Double.infinity
    var hasValue = false
    for index in words.indices {
      let value = Double(bitPattern: UInt64(bitPattern: words[index]))
      if value.isNaN { return Self() }
      hasValue = true
      least = min(least, value)
      greatest = max(greatest, value)
    }
    guard hasValue else { return Self() }
    if least == 0 { least = -0.0 }
    if greatest == 0 { greatest = 0.0 }
    return Self(minimum: octets(least.bitPattern), maximum: octets(greatest.bitPattern))
  }

  static func flags(_ flags: Span<UInt8>) -> Self {
    guard !flags.isEmpty else { return Self() }
    var hasTrue = false
    var hasFalse = false
    for index in flags.indices {
      if flags[index] == 0 { hasFalse = true } else { hasTrue = true }
    }
    return Self(minimum: [hasFalse ? 0 : 1], maximum: [hasTrue ? 1 : 0])
  }

  /// In the order of unsigned octets.
  static func octets(_ octets: Span<UInt8>, ends: Span<Int>) -> Self {
    guard !ends.isEmpty else { return Self() }
    func range(_ row: Int) -> Range<Int> { (row == 0 ? 0 : ends[row - 1])..<ends[row] }
    func precedes(_ left: Range<Int>, _ right: Range<Int>) -> Bool {
      for offset in 0..<min(left.count, right.count) {
        let a = octets[left.lowerBound + offset]
        let b = octets[right.lowerBound + offset]
        if a != b { return a < b }
      }
      return left.count < right.count
    }
    var least = range(0)
    var greatest = least
    for row in ends.indices {
      let candidate = range(row)
      if precedes(candidate, least) { least = candidate }
      if precedes(greatest, candidate) { greatest = candidate }
    }
    guard least.count <= longestBound, greatest.count <= longestBound else { return Self() }
    return Self(minimum: least.map { octets[$0] }, maximum: greatest.map { octets[$0] })
  }
}
