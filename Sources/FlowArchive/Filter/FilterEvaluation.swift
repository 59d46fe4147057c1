import FlowRecords
import NetworkTypes
import Parquet

extension CompiledFilter {
  /// Clears the rows for which the filter is not true.
  func apply(to mask: inout RowMask, _ scan: GroupScan) throws(ArchiveError) {
    try apply(root, &mask, scan)
  }

  private func apply(
    _ node: Node, _ mask: inout RowMask, _ scan: GroupScan
  ) throws(ArchiveError) {
    if let file = scan.file {
      switch outcome(node, file, scan.group) {
      case .all: return
      case .none: return mask.clear()
      case .some: break
      }
    }
    switch node {
    case .constant(let isTrue): if !isTrue { mask.clear() }
    case .leaf(let leaf, let isNegated): try apply(leaf, isNegated, &mask, scan)
    case .all(let parts):
      for part in parts {
        guard mask.isAnyWanted(in: 0..<scan.count) else { return }
        try apply(part, &mask, scan)
      }
    case .some(let parts):
      // Each part looks only at rows that no part before it has accepted.
      var left = mask
      var accepted = RowMask(count: scan.count, isWanted: false)
      for part in parts {
        guard left.isAnyWanted(in: 0..<scan.count) else { break }
        var candidate = left
        try apply(part, &candidate, scan)
        Self.move(candidate, from: &left, to: &accepted)
      }
      mask = accepted
    }
  }

  private static func move(
    _ rows: RowMask, from left: inout RowMask, to accepted: inout RowMask
  ) {
    let chosen = rows.flags.span
    var remaining = left.flags.mutableSpan
    for row in chosen.indices { remaining[unchecked: row] &= chosen[unchecked: row] ^ 1 }
    var result = accepted.flags.mutableSpan
    for row in chosen.indices { result[unchecked: row] |= chosen[unchecked: row] }
  }

  // MARK: Leaves

  private func apply(
    _ leaf: Leaf, _ isNegated: Bool, _ mask: inout RowMask, _ scan: GroupScan
  ) throws(ArchiveError) {
    switch leaf {
    case .flags(let flags): try applyFlags(flags, isNegated, &mask, scan)
    case .family(let isIPv4):
      try applyFamily(isIPv4, isNegated, &mask, scan)
    case .address(let column, let ranges):
      try applyAddress(column, ranges, isNegated, &mask, scan)
    case .numbers(.column(let column), let ranges):
      let loaded = try scan.load(column, mask, dictionary: Self.dictionary(ranges))
      Self.test(loaded, ranges, isNegated, &mask, scan)
    case .numbers(.packets, let ranges) where isUnscaled(scan):
      Self.test(try scan.load(.packets, mask), ranges, isNegated, &mask, scan)
    case .numbers(.bytes, let ranges) where isUnscaled(scan):
      Self.test(try scan.load(.bytes, mask), ranges, isNegated, &mask, scan)
    case .numbers(.observationDomain, let ranges):
      Self.test(try scan.loadDomain(mask), ranges, isNegated, &mask, scan)
    case .numbers(let quantity, let ranges):
      let values = try QuantityColumns(quantity, scan, mask, isRaw: isRaw)
      for row in 0..<scan.count where mask.flags[row] != 0 {
        if ranges.contains(values.value(row)) == isNegated { mask.flags[row] = 0 }
      }
    }
  }

  private func isUnscaled(_ scan: GroupScan) -> Bool {
    guard let file = scan.file, !isRaw else { return true }
    return file.bounds(.samplingRate, group: scan.group).map { $0.upperBound <= 1 } ?? false
  }

  /// Whether a dictionary has a number of the set.
  private static func dictionary(_ ranges: ValueRanges<UInt64>) -> (ColumnScratch) -> Bool {
    { scratch in
      let narrow = scratch.dictionary32
      for index in narrow.indices where ranges.contains(UInt64(narrow[index])) { return true }
      let wide = scratch.dictionary64
      for index in wide.indices where ranges.contains(wide[index]) { return true }
      return false
    }
  }

  /// Rows that were left compressed hold no number of the set.
  private static func clearGaps(
    _ decoded: [Range<Int>], _ isNegated: Bool, _ mask: inout RowMask, _ count: Int
  ) {
    guard !isNegated else { return }
    var next = 0
    for rows in decoded {
      mask.clear(next..<rows.lowerBound)
      next = rows.upperBound
    }
    mask.clear(next..<count)
  }

  private static func test(
    _ loaded: GroupScan.Loaded, _ ranges: ValueRanges<UInt64>, _ isNegated: Bool,
    _ mask: inout RowMask, _ scan: GroupScan
  ) {
    switch loaded {
    case .zero, .texts, .addresses:
      if ranges.contains(0) == isNegated { mask.clear() }
    case .narrow(let scratch), .addresses4(let scratch):
      clearGaps(scratch.decodedRows, isNegated, &mask, scan.count)
      let narrow = ValueRanges<UInt32>(
        zip(ranges.lows, ranges.highs).compactMap { low, high in
          low > 0xffff_ffff ? nil : UInt32(low)...UInt32(clamping: high)
        })
      test(scratch.words32, scratch.decodedRows, narrow, isNegated, &mask)
    case .wide(let scratch):
      clearGaps(scratch.decodedRows, isNegated, &mask, scan.count)
      test(scratch.words64, scratch.decodedRows, ranges, isNegated, &mask)
    }
  }

  private static func test<Value>(
    _ values: Span<Value>, _ decoded: [Range<Int>], _ ranges: ValueRanges<Value>,
    _ isNegated: Bool, _ mask: inout RowMask
  ) {
    let flip: UInt8 = isNegated ? 1 : 0
    var flags = mask.flags.mutableSpan
    guard let low = ranges.lows.first, let high = ranges.highs.first else {
      if !isNegated { for rows in decoded { for row in rows { flags[row] = 0 } } }
      return
    }
    for rows in decoded {
      // `rows` lies inside both spans: a scratch's decoded rows are those of its row group.
      precondition(rows.upperBound <= values.count && rows.upperBound <= flags.count)
      if ranges.lows.count == 1 {
        let width = high &- low
        for row in rows {
          let isInside: UInt8 = values[unchecked: row] &- low <= width ? 1 : 0
          flags[unchecked: row] &= isInside ^ flip
        }
      } else if !ranges.table.isEmpty {
        let table = ranges.table.span
        for row in rows {
          let value = values[unchecked: row]
          let isInside: UInt8 = value <= 0xffff ? table[unchecked: Int(value)] : 0
          flags[unchecked: row] &= isInside ^ flip
        }
      } else {
        for row in rows where flags[unchecked: row] != 0 {
          flags[unchecked: row] = (ranges.contains(values[unchecked: row]) ? 1 : 0) ^ flip
        }
      }
    }
  }

  private func applyAddress(
    _ column: FlowColumn, _ ranges: ValueRanges<UInt128>, _ isNegated: Bool,
    _ mask: inout RowMask, _ scan: GroupScan
  ) throws(ArchiveError) {
    let narrow = Self.narrow(ranges)
    let isEnd = column == .sourceAddress || column == .destinationAddress
    let loaded = try scan.load(
      column, mask,
      dictionary: column == .exporter
        ? nil
        : { scratch in
          let values = scratch.dictionary32
          for index in values.indices where narrow.contains(values[index]) { return true }
          return false
        })
    switch loaded {
    case .addresses4(let scratch):
      Self.clearGaps(scratch.decodedRows, isNegated, &mask, scan.count)
      Self.test(scratch.words32, scratch.decodedRows, narrow, isNegated, &mask)
      if !isEnd, narrow.contains(0) {
        // Zero stands for no address here.
        for rows in scratch.decodedRows {
          for row in rows where scratch.words32[row] == 0 && !isNegated { mask.flags[row] = 0 }
        }
      }
    case .addresses(let scratch):
      Self.clearGaps(scratch.decodedRows, isNegated, &mask, scan.count)
      Self.test(scratch.words128, scratch.decodedRows, ranges, isNegated, &mask)
    case .texts(let scratch):
      let isInside = scratch.texts.map { text in
        IPAddress(text).map { ranges.contains($0.bits) } ?? false
      }
      for rows in scratch.decodedRows {
        for row in rows where isInside[Int(scratch.words32[row])] == isNegated {
          mask.flags[row] = 0
        }
      }
    case .zero, .narrow, .wide:
      if ranges.contains(0) == isNegated { mask.clear() }
    }
  }

  /// The part of a set that is IPv4, in 32 bits.
  private static func narrow(_ ranges: ValueRanges<UInt128>) -> ValueRanges<UInt32> {
    let base = UInt128(0xffff) << 32
    let last = base | 0xffff_ffff
    return ValueRanges(
      zip(ranges.lows, ranges.highs).compactMap { low, high in
        guard low <= last, high >= base else { return nil }
        return UInt32(
          truncatingIfNeeded: max(low, base))...UInt32(truncatingIfNeeded: min(high, last))
      })
  }

  private func applyFamily(
    _ isIPv4: Bool, _ isNegated: Bool, _ mask: inout RowMask, _ scan: GroupScan
  ) throws(ArchiveError) {
    let source = try scan.load(.sourceAddress, mask)
    let destination = try scan.load(.destinationAddress, mask)
    for row in 0..<scan.count where mask.flags[row] != 0 {
      let isSource4 = IPAddress(bits: scan.address(.sourceAddress, source, row)).isIPv4
      let isDestination4 =
        IPAddress(bits: scan.address(.destinationAddress, destination, row)).isIPv4
      let isTrue = isSource4 == isIPv4 && isDestination4 == isIPv4
      if isTrue == isNegated { mask.flags[row] = 0 }
    }
  }

  private func applyFlags(
    _ wanted: UInt8, _ isNegated: Bool, _ mask: inout RowMask, _ scan: GroupScan
  ) throws(ArchiveError) {
    let transport = try scan.load(.transport, mask)
    let flags = try scan.load(.tcpFlags, mask)
    let all = UInt32(wanted)
    guard case .narrow(let transports) = transport, case .narrow(let values) = flags else {
      for row in 0..<scan.count where mask.flags[row] != 0 {
        let isTCP = scan.number(transport, row) == 6
        let value = UInt32(truncatingIfNeeded: scan.number(flags, row))
        let isTrue = isNegated ? !isTCP || value & all == 0 : isTCP && value & all == all
        if !isTrue { mask.flags[row] = 0 }
      }
      return
    }
    let protocols = transports.words32
    let words = values.words32
    var target = mask.flags.mutableSpan
    for row in 0..<min(scan.count, protocols.count, words.count, target.count) {
      // All four spans have at least this many rows.
      let isTCP = protocols[unchecked: row] == 6
      let hit = words[unchecked: row] & all
      let isTrue = isNegated ? !isTCP || hit == 0 : isTCP && hit == all
      target[unchecked: row] &= isTrue ? 1 : 0
    }
  }
}

/// The columns that a computed number needs, loaded for the wanted rows.
struct QuantityColumns {
  private let quantity: FlowQuantity
  private let scan: GroupScan
  private var columns: [GroupScan.Loaded] = []
  private let isRaw: Bool

  init(
    _ quantity: FlowQuantity, _ scan: GroupScan, _ mask: RowMask?, isRaw: Bool
  ) throws(ArchiveError) {
    self.quantity = quantity
    self.scan = scan
    self.isRaw = isRaw
    let needed: [FlowColumn] =
      switch quantity {
      case .column(let column): [column]
      case .packets: [.packets, .samplingRate]
      case .bytes: [.bytes, .samplingRate]
      case .flows: [.aggregatedFlows]
      case .packetsPerSecond: [.packets, .samplingRate, .start, .end]
      case .bitsPerSecond: [.bytes, .samplingRate, .start, .end]
      case .bytesPerPacket: [.packets, .samplingRate, .bytes]
      case .duration: [.start, .end]
      case .icmpType, .icmpCode: [.icmpType, .icmpCode, .destinationPort]
      case .observationDomain: []
      }
    for column in needed { columns.append(try scan.load(column, mask)) }
    if quantity == .observationDomain { columns.append(try scan.loadDomain(mask)) }
  }

  private func number(_ index: Int, _ row: Int) -> UInt64 { scan.number(columns[index], row) }

  private func scaled(_ index: Int, _ row: Int) -> UInt64 {
    let value = number(index, row)
    return isRaw
      ? value : SamplingRate.scaled(value, by: UInt32(truncatingIfNeeded: number(1, row)))
  }

  private func milliseconds(_ start: Int, _ row: Int) -> UInt64 {
    number(start + 1, row) &- number(start, row)
  }

  /// The number of a wanted row.
  func value(_ row: Int) -> UInt64 {
    switch quantity {
    case .column, .observationDomain: return number(0, row)
    case .packets, .bytes: return scaled(0, row)
    case .flows: return max(1, number(0, row))
    case .packetsPerSecond:
      return Self.rate(scaled(0, row), 1_000, per: milliseconds(2, row))
    case .bitsPerSecond:
      return Self.rate(scaled(0, row), 8_000, per: milliseconds(2, row))
    case .bytesPerPacket:
      let packets = scaled(0, row)
      let bytes = scaled(2, row)
      return packets == 0 ? 0 : bytes / packets
    case .duration: return milliseconds(0, row)
    case .icmpType, .icmpCode:
      // NetFlow has no field of its own for them: type and code come as destination port.
      let (type, code) = (number(0, row), number(1, row))
      if type != 0 || code != 0 { return quantity == .icmpType ? type : code }
      let port = number(2, row)
      return quantity == .icmpType ? port >> 8 : port & 255
    }
  }

  /// `amount * factor / milliseconds`, cut; 0 for no time, the greatest number for what is larger.
  static func rate(_ amount: UInt64, _ factor: UInt64, per milliseconds: UInt64) -> UInt64 {
    guard milliseconds != 0 else { return 0 }
    let (high, low) = amount.multipliedFullWidth(by: factor)
    guard high < milliseconds else { return .max }
    return milliseconds.dividingFullWidth((high, low)).quotient
  }
}
