import FlowRecords
import NetworkTypes
import Parquet

/// What all threads of a grouping share.
struct GroupingPlan: Sendable {
  /// Of each pass over the rows, the elements' places: two for `-s ip`.
  let passes: [KeyLayout]
  let layout: GroupTable.Layout
  let isRaw: Bool
  let groupsPerThread: Int
  let exporters = ExporterNumbers()
  let partitions: PartitionedRows
  /// The earliest time of all, in milliseconds, when all times lie within 32 bits of it: both times of a
  /// row then take one word while it waits in a partition.
  let packedBase: Int64?

  /// Words of a row that waits in a partition.
  var waitingStride: Int { layout.stride - (packedBase == nil ? 0 : 1) }

  var isBiflow: Bool { layout.isBiflow }
}

/// One thread's sums.
final class Grouping {
  /// Rows that are keyed at a time: their words stay in a second-level cache.
  private static let sliceRows = 1_024

  private let plan: GroupingPlan
  // One thread at a time, and no method calls itself: no checks at run time for overlapping accesses.
  @exclusivity(unchecked) private(set) var table: GroupTable
  private let rows: WordRun<UInt64>
  private let hashes = WordRun<UInt64>(capacity: Grouping.sliceRows)
  /// The rows of each partition that are still to be handed over; made when they are needed.
  @exclusivity(unchecked) private var chunks = WordRun<UInt64>(capacity: 1)
  @exclusivity(unchecked) private var chunkFill = [Int](
    repeating: 0, count: PartitionedRows.partitionCount)
  private var isPartitioned = false
  /// Rows since the table was last emptied.
  private var rowsSeen = 0
  private(set) var totals = FlowQueryResult.Totals()
  private(set) var matched = 0

  init(_ plan: GroupingPlan) {
    self.plan = plan
    table = GroupTable(plan.layout)
    rows = WordRun(capacity: Self.sliceRows * plan.layout.stride)
  }

  private static let rowsPerChunk = PartitionedRows.rowsPerChunk

  /// Adds the wanted rows of a row group.
  func add(_ scan: GroupScan, _ mask: RowMask?) throws(ArchiveError) {
    let stride = plan.layout.stride
    let keyWords = plan.layout.keyWords
    let flows = try scan.load(.aggregatedFlows, mask)
    let packets = try scan.load(.packets, mask)
    let bytes = try scan.load(.bytes, mask)
    let starts = try scan.load(.start, mask)
    let ends = try scan.load(.end, mask)
    let reversePackets = try scan.load(.reversePackets, mask)
    let reverseBytes = try scan.load(.reverseBytes, mask)
    var rates = GroupScan.Loaded.zero
    let bounds = scan.file.flatMap { $0.bounds(.samplingRate, group: scan.group) }
    if !plan.isRaw, (bounds?.upperBound ?? .max) > 1 {
      rates = try scan.load(.samplingRate, mask)
    }
    var fills: [[KeyFill]] = []
    for pass in plan.passes {
      var keys: [KeyFill] = []
      for place in pass.places {
        keys.append(try KeyFill(place, stride: stride, scan, mask, plan.exporters))
      }
      fills.append(keys)
    }
    if mask == nil, !plan.isBiflow, fills.count == 1, isOfSource, case .zero = flows,
      case .zero = rates, case .zero = reversePackets, case .zero = reverseBytes,
      case .addresses4(let sources) = try scan.load(.sourceAddress, nil),
      case .wide(let packets) = packets, case .wide(let bytes) = bytes,
      case .wide(let starts) = starts, case .wide(let ends) = ends
    {
      return try addRuns(
        fills[0], sources: sources, packets, bytes, starts, ends, count: scan.count)
    }
    var row = 0
    var indices: [Int32] = []
    indices.reserveCapacity(Self.sliceRows)
    while row < scan.count {
      indices.removeAll(keepingCapacity: true)
      if let mask {
        let flags = mask.flags.span
        while row < scan.count, indices.count < Self.sliceRows {
          if flags[row] != 0 { indices.append(Int32(truncatingIfNeeded: row)) }
          row &+= 1
        }
      } else {
        let end = min(scan.count, row + Self.sliceRows)
        for index in row..<end { indices.append(Int32(truncatingIfNeeded: index)) }
        row = end
      }
      guard !indices.isEmpty else { continue }
      matched += indices.count
      for (pass, keys) in fills.enumerated() {
        for word in 0..<indices.count * stride { rows[word] = 0 }
        for key in keys { key.fill(rows, indices) }
        fill(flows, keyWords, indices, scan)
        fill(packets, keyWords + 1, indices, scan)
        fill(bytes, keyWords + 2, indices, scan)
        fill(starts, keyWords + 3, indices, scan)
        fill(ends, keyWords + 4, indices, scan)
        finishSums(indices.count, rates, indices, scan)
        addReverse(reversePackets, reverseBytes, rates, indices, scan)
        if pass == 0 { addTotals(indices.count) }
        if plan.isBiflow { orient(indices.count) }
        try addSlice(indices.count)
      }
    }
  }

  /// Whether flows of one source have one key.
  private var isOfSource: Bool {
    guard plan.passes.count == 1, plan.passes[0].places.count == 1 else { return false }
    if case .address(.sourceAddress, _, _) = plan.passes[0].places[0].element.source { return true }
    return false
  }

  /// Adds all rows of a row group by runs of the same source, which is what they are sorted by: each run
  /// is added up where it lies, and keyed once.
  private func addRuns(
    _ keys: [KeyFill], sources: ColumnScratch, _ packets: ColumnScratch, _ bytes: ColumnScratch,
    _ starts: ColumnScratch, _ ends: ColumnScratch, count: Int
  ) throws(ArchiveError) {
    let stride = plan.layout.stride
    let keyWords = plan.layout.keyWords
    let sourceWords = sources.words32
    let (packetWords, byteWords) = (packets.words64, bytes.words64)
    let (startWords, endWords) = (starts.words64, ends.words64)
    // All five have a value for each of the rows; a scratch that has not would end this here.
    precondition(
      sourceWords.count >= count && packetWords.count >= count && byteWords.count >= count
        && startWords.count >= count && endWords.count >= count, "whole columns")
    var indices: [Int32] = []
    indices.reserveCapacity(Self.sliceRows)
    var row = 0
    while row < count {
      indices.removeAll(keepingCapacity: true)
      for word in 0..<Self.sliceRows * stride { rows[word] = 0 }
      var place = keyWords
      while row < count, indices.count < Self.sliceRows {
        let first = row
        let source = sourceWords[unchecked: row]
        var (packetSum, byteSum): (UInt64, UInt64) = (0, 0)
        var (start, end) = (Int64.max, Int64.min)
        repeat {
          packetSum &+= packetWords[unchecked: row]
          byteSum &+= byteWords[unchecked: row]
          start = min(start, Int64(bitPattern: startWords[unchecked: row]))
          end = max(end, Int64(bitPattern: endWords[unchecked: row]))
          row &+= 1
        } while row < count && sourceWords[unchecked: row] == source
        rows[place] = UInt64(row &- first)
        rows[place &+ 1] = packetSum
        rows[place &+ 2] = byteSum
        rows[place &+ 3] = UInt64(bitPattern: start)
        rows[place &+ 4] = UInt64(bitPattern: end)
        place &+= stride
        matched += row &- first
        indices.append(Int32(truncatingIfNeeded: first))
      }
      for key in keys { key.fill(rows, indices) }
      addTotals(indices.count)
      try addSlice(indices.count)
    }
  }

  // MARK: Filling

  private func fill(
    _ loaded: GroupScan.Loaded, _ word: Int, _ indices: [Int32], _ scan: GroupScan
  ) {
    let stride = plan.layout.stride
    var target = word
    switch loaded {
    case .zero, .addresses, .texts: return
    case .narrow(let scratch), .addresses4(let scratch):
      let words = scratch.words32
      for index in indices {
        rows[target] = UInt64(words[Int(index)])
        target &+= stride
      }
    case .wide(let scratch):
      let words = scratch.words64
      for index in indices {
        rows[target] = words[Int(index)]
        target &+= stride
      }
    }
  }

  /// A record without a number of flows stands for one; counters are scaled.
  private func finishSums(
    _ count: Int, _ rates: GroupScan.Loaded, _ indices: [Int32], _ scan: GroupScan
  ) {
    let stride = plan.layout.stride
    var place = plan.layout.keyWords
    for _ in 0..<count {
      if rows[place] == 0 { rows[place] = 1 }
      place &+= stride
    }
    if case .zero = rates { return }
    place = plan.layout.keyWords
    for index in indices {
      let rate = UInt32(truncatingIfNeeded: scan.number(rates, Int(index)))
      rows[place &+ 1] = SamplingRate.scaled(rows[place &+ 1], by: rate)
      rows[place &+ 2] = SamplingRate.scaled(rows[place &+ 2], by: rate)
      place &+= stride
    }
  }

  /// The counters of the reverse direction of records that have them (RFC 5103).
  private func addReverse(
    _ packets: GroupScan.Loaded, _ bytes: GroupScan.Loaded, _ rates: GroupScan.Loaded,
    _ indices: [Int32], _ scan: GroupScan
  ) {
    if case .zero = packets, case .zero = bytes {
      guard plan.isBiflow else { return }
    }
    let stride = plan.layout.stride
    var place = plan.layout.keyWords
    for index in indices {
      let row = Int(index)
      let rate = UInt32(truncatingIfNeeded: scan.number(rates, row))
      let reversePackets = SamplingRate.scaled(scan.number(packets, row), by: rate)
      let reverseBytes = SamplingRate.scaled(scan.number(bytes, row), by: rate)
      if plan.isBiflow {
        rows[place &+ 5] = reversePackets
        rows[place &+ 6] = reverseBytes
        rows[place &+ 7] = rows[place &+ 3]
        // The reverse direction has not been seen to begin on its own.
        rows[place &+ 8] = UInt64(bitPattern: .max)
      } else {
        rows[place &+ 1] &+= reversePackets
        rows[place &+ 2] &+= reverseBytes
      }
      place &+= stride
    }
  }

  private func addTotals(_ count: Int) {
    let stride = plan.layout.stride
    var place = plan.layout.keyWords
    for _ in 0..<count {
      totals.flows &+= rows[place]
      totals.packets &+= rows[place &+ 1]
      totals.bytes &+= rows[place &+ 2]
      totals.first = min(totals.first, Int64(bitPattern: rows[place &+ 3]))
      totals.last = max(totals.last, Int64(bitPattern: rows[place &+ 4]))
      if plan.isBiflow {
        totals.packets &+= rows[place &+ 5]
        totals.bytes &+= rows[place &+ 6]
      }
      place &+= stride
    }
  }

  // MARK: Biflows

  /// Turns TCP and UDP flows so that the lesser end comes first, and their counters with them. The key
  /// is protocol, addresses and ports, as ``FlowElement/connection`` has them.
  private func orient(_ count: Int) {
    let stride = plan.layout.stride
    let keyWords = plan.layout.keyWords
    let places = plan.passes[0].places
    // `FlowElement.connection` has five elements: proto, srcip, dstip, srcport, dstport.
    let (transport, source, destination) = (places[0], places[1], places[2])
    let (sourcePort, destinationPort) = (places[3], places[4])
    var base = 0
    for _ in 0..<count {
      defer { base &+= stride }
      let number = rows[base &+ transport.word] >> UInt64(transport.shift) & 255
      guard number == 6 || number == 17 else { continue }
      let from = (address(source, base), field(sourcePort, base))
      let to = (address(destination, base), field(destinationPort, base))
      guard to < from else { continue }
      setAddress(source, base, to.0)
      setAddress(destination, base, from.0)
      setField(sourcePort, base, to.1)
      setField(destinationPort, base, from.1)
      let sums = base &+ keyWords
      for (left, right) in [(1, 5), (2, 6), (7, 8)] {
        let value = rows[sums &+ left]
        rows[sums &+ left] = rows[sums &+ right]
        rows[sums &+ right] = value
      }
    }
  }

  private func field(_ place: KeyLayout.Place, _ base: Int) -> UInt64 {
    rows[base &+ place.word] >> UInt64(place.shift) & (1 << UInt64(place.bits) - 1)
  }

  private func setField(_ place: KeyLayout.Place, _ base: Int, _ value: UInt64) {
    let mask: UInt64 = (1 << UInt64(place.bits) - 1) << UInt64(place.shift)
    rows[base &+ place.word] =
      rows[base &+ place.word] & ~mask | value << UInt64(place.shift)
  }

  private func address(_ place: KeyLayout.Place, _ base: Int) -> UInt128 {
    place.bits == 32
      ? UInt128(field(place, base))
      : UInt128(rows[base &+ place.word]) << 64 | UInt128(rows[base &+ place.word &+ 1])
  }

  private func setAddress(_ place: KeyLayout.Place, _ base: Int, _ value: UInt128) {
    if place.bits == 32 {
      setField(place, base, UInt64(truncatingIfNeeded: value))
    } else {
      rows[base &+ place.word] = UInt64(truncatingIfNeeded: value >> 64)
      rows[base &+ place.word &+ 1] = UInt64(truncatingIfNeeded: value)
    }
  }

  // MARK: Adding

  private func addSlice(_ count: Int) throws(ArchiveError) {
    let stride = plan.layout.stride
    let keyWords = plan.layout.keyWords
    if isPartitioned {
      for row in 0..<count {
        let place = row &* stride
        try addToPartition(place, hash: GroupTable.hash(rows, place, keyWords))
      }
      return
    }
    rowsSeen += count
    table.addAll(rows, count, hashes: hashes)
    if table.count >= plan.groupsPerThread {
      // Where a group has hardly more than one row, a table before the partitions only costs time.
      isPartitioned = rowsSeen < table.count * 3 / 2
      try moveTableToPartitions()
    }
  }

  private func addToPartition(_ place: Int, hash: UInt64) throws(ArchiveError) {
    let partition = Int(truncatingIfNeeded: hash &>> UInt64(64 - PartitionedRows.partitionBits))
    let used = chunkFill[partition]
    let stride = plan.waitingStride
    let target = (partition &* Self.rowsPerChunk &+ used) &* stride
    if chunks.capacity == 1 {
      chunks.grow(to: PartitionedRows.partitionCount * Self.rowsPerChunk * stride, keeping: 0)
    }
    if let base = plan.packedBase {
      let time = plan.layout.timeWord
      chunks.copy(rows, from: place, to: target, count: time)
      let first = rows[place &+ time] &- UInt64(bitPattern: base)
      let last = rows[place &+ time &+ 1] &- UInt64(bitPattern: base)
      chunks[target &+ time] = first << 32 | last & 0xffff_ffff
    } else {
      chunks.copy(rows, from: place, to: target, count: stride)
    }
    chunkFill[partition] = used &+ 1
    if used &+ 1 == Self.rowsPerChunk { try handOver(partition) }
  }

  private func handOver(_ partition: Int) throws(ArchiveError) {
    let stride = plan.waitingStride
    let start = partition * Self.rowsPerChunk * stride
    let words = chunks.words(start..<start + chunkFill[partition] * stride)
    chunkFill[partition] = 0
    try plan.partitions.add(words, to: partition)
  }

  private func moveTableToPartitions() throws(ArchiveError) {
    let keyWords = plan.layout.keyWords
    for entry in 0..<table.count {
      table.copyEntry(entry, to: rows, at: 0)
      try addToPartition(0, hash: GroupTable.hash(rows, 0, keyWords))
    }
    table.removeAll()
    rowsSeen = 0
  }

  /// Hands over everything to the partitions, at the end of a grouping that uses them.
  func finishPartitions() throws(ArchiveError) {
    try moveTableToPartitions()
    for partition in 0..<PartitionedRows.partitionCount where chunkFill[partition] > 0 {
      try handOver(partition)
    }
  }

  var isUsingPartitions: Bool { isPartitioned || chunkFill.contains { $0 > 0 } }
}
