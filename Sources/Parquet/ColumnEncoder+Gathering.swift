import Glibc

/// Encodes number columns straight from memory in another order: what decides about the encoding is
/// looked at where it lies, and each page is gathered while it is in the processor's cache.
extension ColumnEncoder {
  /// Values that a sample looks at, in windows spread over the chunk (our own choice: enough for the
  /// frequencies of 256 octets, and less than 1 % of the time of writing).
  private static let sampleSize = 4_096
  private static let windowSize = 256

  /// The chunk of `values[order[0]] + base`, `values[order[1]] + base` and so on; nil when this is not
  /// a way to write it: the values do not fit, or a dictionary must be built by hashing.
  mutating func encode<Number: FixedWidthInteger & BitwiseCopyable>(
    _ column: ParquetColumn, gathering values: Span<Number>, plus base: Int64,
    order: Span<UInt32>
  ) throws(ParquetError) -> ColumnChunk? {
    let octets = column.physicalType == .int32 ? 4 : 8
    guard column.encoding == .compact || column.encoding == .delta, !values.isEmpty,
      Self.fits(column, Number.self, base)
    else { return nil }
    var least = values[0]
    var greatest = values[0]
    for index in values.indices {
      let value = values[unchecked: index]
      if value < least { least = value }
      if value > greatest { greatest = value }
    }
    let lowest = Int64(truncatingIfNeeded: least) &+ base
    let highest = Int64(truncatingIfNeeded: greatest) &+ base
    let rows = order.count
    var statistics = RawStatistics(
      minimum: Self.octets(lowest, octets), maximum: Self.octets(highest, octets))
    statistics.nullCount = 0
    if column.encoding == .delta {
      var chunk = begin(column, rows: rows)
      chunk.dataOffset = 0
      try writeDelta(column, values, base, order)
      return end(chunk, .delta, statistics)
    }
    if least == greatest {
      var chunk = begin(column, rows: rows)
      try writeConstant(column, lowest, octets, rows, &chunk)
      return end(chunk, .dictionary, statistics)
    }
    let range = Self.distance(least, greatest)
    switch choose(values, range: range, octets: octets) {
    case .hashed: return nil
    case .direct:
      var table = [UInt16](repeating: .max, count: Int(range) + 1)
      let distinct = Self.number(values, least: least, &table)
      // More than 65,535 numbers have no code for "none"; they never pay.
      if let distinct, Self.pays(distinct: distinct, values, octets: octets) {
        var chunk = begin(column, rows: rows)
        try writeDictionary(column, values, least, lowest, order, table, distinct, octets, &chunk)
        return end(chunk, .dictionary, statistics)
      }
    case .split: break
    }
    var chunk = begin(column, rows: rows)
    chunk.dataOffset = 0
    try writeSplit(column, values, base, order, octets, lowest ^ highest, lowest)
    return end(chunk, .streamSplit, statistics)
  }

  /// The chunk of a column without any value.
  mutating func encodeNulls(_ column: ParquetColumn, rows: Int) throws(ParquetError) -> ColumnChunk
  {
    var chunk = begin(column, rows: rows)
    chunk.dataOffset = 0
    for page in pages(rows) {
      body.removeAll()
      try finish(Page(rows: page, values: 0..<0), of: column, .plain)
    }
    var statistics = RawStatistics()
    statistics.nullCount = Int64(rows)
    return end(chunk, .plain, statistics)
  }

  // MARK: Deciding

  private enum Choice { case split, direct, hashed }

  /// Between octet planes and a dictionary: by what a sample says both would take.
  private func choose<Number: FixedWidthInteger & BitwiseCopyable>(
    _ values: Span<Number>, range: UInt64, octets: Int
  ) -> Choice {
    if range < UInt64(Self.smallDictionary) { return .direct }
    let isDirect = range < UInt64(UInt16.max)
    var sample: [Number] = []
    sample.reserveCapacity(Self.sampleSize)
    let windows = max(1, min(Self.sampleSize, values.count) / Self.windowSize)
    let step = values.count / windows
    for window in 0..<windows {
      for index in window * step..<min(values.count, window * step + Self.windowSize) {
        sample.append(values[index])
      }
    }
    sample.sort()
    // How often values occur once and twice says how many have not been seen (Chao, "Nonparametric
    // Estimation of the Number of Classes in a Population", 1984).
    var distinct = 0
    var once = 0
    var twice = 0
    var index = 0
    while index < sample.count {
      var next = index + 1
      while next < sample.count, sample[next] == sample[index] { next += 1 }
      distinct += 1
      if next - index == 1 { once += 1 }
      if next - index == 2 { twice += 1 }
      index = next
    }
    let unseen = once * once / max(1, 2 * twice)
    let likely = min(distinct + unseen, values.count)
    if !isDirect, distinct * 2 > sample.count || likely > NumberDictionary<Int64>.limit {
      return .split
    }
    guard Self.pays(distinct: likely, values, octets: octets) else { return .split }
    return isDirect ? .direct : .hashed
  }

  /// A dictionary of at most this many values is always taken: its packed numbers take half an octet
  /// at most and compress further, where planes would have to be compressed whole.
  private static let smallDictionary = 16

  private static func pays<Number: FixedWidthInteger & BitwiseCopyable>(
    distinct: Int, _ values: Span<Number>, octets: Int
  ) -> Bool {
    if distinct <= smallDictionary { return true }
    let planes = StreamSplitEncoding.estimatedSize(values)
    let dictionary = (values.count * indexWidth(distinct)) / 8 + distinct * octets
    // Numbers of a dictionary repeat and compress better than planes do, which the estimate knows of.
    return dictionary < planes / 8 * 9
  }

  private static func fits<Number: FixedWidthInteger>(
    _ column: ParquetColumn, _ number: Number.Type, _ base: Int64
  ) -> Bool {
    var bits = column.physicalType == .int32 ? 32 : 64
    guard column.physicalType == .int32 || column.physicalType == .int64 else { return false }
    if case .integer(let width, _) = column.logicalType { bits = min(bits, width) }
    if base != 0 { return !column.isUnsigned && bits == 64 && Number.bitWidth <= 64 }
    if column.isUnsigned { return !Number.isSigned && Number.bitWidth <= bits }
    return Number.isSigned ? Number.bitWidth <= bits : Number.bitWidth < bits
  }

  private static func distance<Number: FixedWidthInteger>(
    _ least: Number, _ greatest: Number
  ) -> UInt64 {
    UInt64(truncatingIfNeeded: greatest &- least) & (UInt64.max >> UInt64(64 - Number.bitWidth))
  }

  private static func octets(_ word: Int64, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: word >> Int64(8 * $0)) }
  }

  // MARK: Pages

  private func pages(_ rows: Int) -> [Range<Int>] {
    let step = max(1, parameters.rowsPerPage)
    return stride(from: 0, to: rows, by: step).map { $0..<min(rows, $0 + step) }
  }

  private mutating func writeConstant(
    _ column: ParquetColumn, _ word: Int64, _ octets: Int, _ rows: Int,
    _ chunk: inout ColumnChunk
  ) throws(ParquetError) {
    body.removeAll()
    for octet in Self.octets(word, octets) { body.append(octet) }
    try finishDictionary(count: 1, &chunk)
    chunk.dataOffset = Int64(output.count)
    for page in pages(rows) {
      // One bit an index, and one run of the index 0.
      body.removeAll()
      body.append(1)
      body.append(varint: UInt64(page.count) << 1)
      body.append(0)
      try finish(Page(rows: page, values: page), of: column, .dictionary)
    }
  }

  private mutating func writeDelta<Number: FixedWidthInteger & BitwiseCopyable>(
    _ column: ParquetColumn, _ values: Span<Number>, _ base: Int64, _ order: Span<UInt32>
  ) throws(ParquetError) {
    if column.physicalType == .int32 {
      try writeDelta(column, values, base, order, as: Int32.self)
    } else {
      try writeDelta(column, values, base, order, as: Int64.self)
    }
  }

  private mutating func writeDelta<
    Number: FixedWidthInteger & BitwiseCopyable,
    Word: FixedWidthInteger & SignedInteger & BitwiseCopyable
  >(
    _ column: ParquetColumn, _ values: Span<Number>, _ base: Int64, _ order: Span<UInt32>,
    as: Word.Type
  ) throws(ParquetError) where Word.Magnitude: BitwiseCopyable {
    var words = [Word](repeating: 0, count: min(order.count, max(1, parameters.rowsPerPage)))
    for page in pages(order.count) {
      var target = words.mutableSpan
      for index in 0..<page.count {
        target[unchecked: index] =
          Word(truncatingIfNeeded: values[Int(order[unchecked: page.lowerBound &+ index])])
          &+ Word(truncatingIfNeeded: base)
      }
      body.removeAll()
      DeltaEncoding.encode(words.span.extracting(0..<page.count), into: &body)
      try finish(Page(rows: page, values: page), of: column, .delta)
    }
  }

  /// Gives each value that occurs a code, in ascending order; nil when there are more than 65,535.
  private static func number<Number: FixedWidthInteger & BitwiseCopyable>(
    _ values: Span<Number>, least: Number, _ table: inout [UInt16]
  ) -> Int? {
    var places = table.mutableSpan
    for index in values.indices {
      // All values lie between the least and the greatest, whose distance sized the table.
      places[Int(truncatingIfNeeded: distance(least, values[unchecked: index]))] = 0
    }
    var distinct = 0
    for place in places.indices where places[place] == 0 {
      guard distinct < Int(UInt16.max) else { return nil }
      places[place] = UInt16(distinct)
      distinct += 1
    }
    return distinct
  }

  private mutating func writeDictionary<Number: FixedWidthInteger & BitwiseCopyable>(
    _ column: ParquetColumn, _ values: Span<Number>, _ least: Number, _ lowest: Int64,
    _ order: Span<UInt32>, _ table: [UInt16], _ distinct: Int, _ octets: Int,
    _ chunk: inout ColumnChunk
  ) throws(ParquetError) {
    body.removeAll()
    for place in table.indices where table[place] != .max {
      let word = lowest &+ Int64(place)
      if octets == 4 {
        body.append(word: Int32(truncatingIfNeeded: word))
      } else {
        body.append(word: word)
      }
    }
    try finishDictionary(count: distinct, &chunk)
    chunk.dataOffset = Int64(output.count)
    let width = Self.indexWidth(distinct)
    var codes = [UInt16](repeating: 0, count: min(order.count, max(1, parameters.rowsPerPage)))
    let places = table.span
    for page in pages(order.count) {
      var target = codes.mutableSpan
      for index in 0..<page.count {
        let value = values[Int(order[unchecked: page.lowerBound &+ index])]
        target[unchecked: index] =
          places[
            Int(truncatingIfNeeded: Self.distance(least, value))]
      }
      body.removeAll()
      body.append(UInt8(width))
      HybridEncoding.encode(codes.span.extracting(0..<page.count), width: width, into: &body)
      try finish(Page(rows: page, values: page), of: column, .dictionary)
    }
  }

  private mutating func writeSplit<Number: FixedWidthInteger & BitwiseCopyable>(
    _ column: ParquetColumn, _ values: Span<Number>, _ base: Int64, _ order: Span<UInt32>,
    _ octets: Int, _ difference: Int64, _ lowest: Int64
  ) throws(ParquetError) {
    // Numbers between two that begin alike begin so as well: those planes are constant.
    let varying = min(octets, (Int64.bitWidth - difference.leadingZeroBitCount + 7) / 8)
    var gathered = [Number](
      repeating: 0, count: min(order.count, max(1, parameters.rowsPerPage)))
    for page in pages(order.count) {
      var target = gathered.mutableSpan
      for index in 0..<page.count {
        target[unchecked: index] = values[Int(order[unchecked: page.lowerBound &+ index])]
      }
      body.removeAll()
      body.append(
        split: gathered.span.extracting(0..<page.count), plus: base, planes: varying)
      for octet in varying..<octets {
        body.append(
          repeating: UInt8(truncatingIfNeeded: lowest >> Int64(8 * octet)), count: page.count)
      }
      try finish(Page(rows: page, values: page), of: column, .streamSplit)
    }
  }
}
