/// The groups that come first in a query's order, of all that are offered.
struct TopRows {
  let layout: GroupTable.Layout
  let order: FlowQuery.Order
  let isReversed: Bool
  let limit: Int?
  /// Words that may be kept when there is no limit.
  let wordLimit: Int
  private(set) var offered = 0
  private var words: [UInt64] = []
  /// Of each kept group its measure, so that smaller ones come first.
  private var keys: [UInt64] = []
  private var worst = UInt64.max

  init(
    _ layout: GroupTable.Layout, order: FlowQuery.Order, isReversed: Bool, limit: Int?,
    memoryOctets: Int
  ) {
    self.layout = layout
    self.order = order
    self.isReversed = isReversed
    self.limit = limit.map { max(0, $0) }
    wordLimit = memoryOctets / 8
  }

  mutating func offer(_ table: borrowing GroupTable) throws(ArchiveError) {
    for entry in 0..<table.count {
      offered += 1
      if limit == 0 { continue }
      let key = key(table, entry)
      if limit != nil, key > worst { continue }
      words += table.entry(entry)
      keys.append(key)
      if let limit, keys.count >= max(1_024, limit * 2) { cut(to: limit) }
      guard words.count + keys.count <= wordLimit else {
        throw .tooMuchMemory(what: "the result", limitOctets: wordLimit * 8)
      }
    }
  }

  mutating func offer(_ other: TopRows) throws(ArchiveError) {
    offered += other.offered
    words += other.words
    keys += other.keys
    if let limit, keys.count > limit { cut(to: limit) }
    guard words.count + keys.count <= wordLimit else {
      throw .tooMuchMemory(what: "the result", limitOctets: wordLimit * 8)
    }
  }

  private func key(_ table: borrowing GroupTable, _ entry: Int) -> UInt64 {
    let sums = layout.keyWords
    let isBiflow = layout.isBiflow
    let packets = table.word(entry, sums + 1) &+ (isBiflow ? table.word(entry, sums + 5) : 0)
    let bytes = table.word(entry, sums + 2) &+ (isBiflow ? table.word(entry, sums + 6) : 0)
    let first = table.word(entry, sums + 3)
    let last = table.word(entry, sums + 4)
    let measure: UInt64
    switch order {
    case .flows: measure = table.word(entry, sums)
    case .packets: measure = packets
    case .bytes: measure = bytes
    case .pps: measure = QuantityColumns.rate(packets, 1_000, per: last &- first)
    case .bps: measure = QuantityColumns.rate(bytes, 8_000, per: last &- first)
    case .bpp: measure = packets == 0 ? 0 : bytes / packets
    case .tstart: measure = first ^ 1 << 63
    case .tend: measure = last ^ 1 << 63
    case .duration: measure = last &- first
    }
    return order.isAscending != isReversed ? measure : ~measure
  }

  private func sorted() -> [Int] {
    let stride = layout.stride
    return keys.indices.sorted { left, right in
      if keys[left] != keys[right] { return keys[left] < keys[right] }
      // Equal measures come in the order of their keys, so that the answer is always the same.
      for word in 0..<layout.keyWords {
        let (one, other) = (words[left * stride + word], words[right * stride + word])
        if one != other { return one < other }
      }
      return false
    }
  }

  private mutating func cut(to limit: Int) {
    let stride = layout.stride
    let kept = sorted().prefix(limit)
    words = kept.flatMap { words[$0 * stride..<($0 + 1) * stride] }
    keys = kept.map { keys[$0] }
    if keys.count == limit, let last = keys.last { worst = last }
  }

  /// The groups in order, each as the words of its entry.
  func ordered() -> [ArraySlice<UInt64>] {
    let stride = layout.stride
    let places = sorted()
    return places.prefix(limit ?? places.count).map { words[$0 * stride..<($0 + 1) * stride] }
  }
}
