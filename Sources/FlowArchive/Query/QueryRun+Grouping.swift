import FlowRecords
import NetworkTypes

extension QueryRun {
  /// Answers a query of any kind.
  func answer() throws(ArchiveError) -> FlowQueryResult {
    var result: FlowQueryResult
    switch query.kind {
    case .listing: result = try list()
    case .statistic(let elements, let splitsByProtocol):
      guard !elements.isEmpty else { throw .badQuery("a statistic has an element") }
      let transport = FlowElement("proto", .number(.transport))
      let isSplit = splitsByProtocol && elements != [transport]
      result = try group(
        elements.map { isSplit ? [transport, $0] : [$0] }, isBiflow: false)
    case .aggregation(let elements):
      guard !elements.isEmpty else { throw .badQuery("an aggregation has an element") }
      result = try group([elements], isBiflow: false)
    case .biflows: result = try group([FlowElement.connection], isBiflow: true)
    }
    result.scanned = scannedRows
    result.files = files.count
    return result
  }

  private final class Worker {
    let scan = GroupScan()
    let grouping: Grouping
    init(_ plan: GroupingPlan) { grouping = Grouping(plan) }
  }

  private func group(
    _ passes: [[FlowElement]], isBiflow: Bool
  ) throws(ArchiveError) -> FlowQueryResult {
    let isNarrow = isNarrow(passes)
    let layouts = passes.map { KeyLayout($0, isNarrow: isNarrow) }
    // Both elements of a pair have the same widths, so that their keys are the same.
    let keyWords = layouts.map(\.words).max() ?? 1
    let parameters = search.parameters
    let plan = GroupingPlan(
      passes: layouts, layout: .init(keyWords: keyWords, isBiflow: isBiflow), isRaw: query.isRaw,
      groupsPerThread: max(1_024, parameters.groupsPerThread),
      partitions: PartitionedRows(
        memoryLimit: parameters.memoryOctets, spillLimit: parameters.spillOctets,
        folder: parameters.temporaryFolder),
      packedBase: isBiflow ? nil : packedBase)
    let workers = try parallel(units.count, worker: Worker(plan)) {
      worker, index throws(ArchiveError) in
      let mask = try mask(units[index], worker.scan)
      if let mask, !mask.isAnyWanted(in: 0..<mask.flags.count) { return }
      try worker.grouping.add(worker.scan, mask)
    }
    var result = FlowQueryResult()
    for worker in workers {
      let totals = worker.grouping.totals
      result.totals.flows &+= totals.flows
      result.totals.packets &+= totals.packets
      result.totals.bytes &+= totals.bytes
      result.totals.first = min(result.totals.first, totals.first)
      result.totals.last = max(result.totals.last, totals.last)
      result.matched += worker.grouping.matched
    }
    let top = try merge(workers.map(\.grouping), plan)
    result.spillOctets = plan.partitions.spillOctets
    result.groupCount = top.offered
    let exporters = plan.exporters.addresses
    for entry in top.ordered() {
      result.rows.append(row(entry, layouts[0], plan.layout, exporters))
    }
    return result
  }

  /// Whether all addresses that are grouped by are IPv4.
  private func isNarrow(_ passes: [[FlowElement]]) -> Bool {
    for element in passes.joined() {
      switch element.source {
      case .address(let column, _, _), .network(let column, _):
        for unit in units where !unit.file.isNarrow(column, group: unit.group) { return false }
      case .number, .exporter, .observationDomain, .interval: continue
      }
    }
    return true
  }

  /// The earliest time of all row groups, if 32 bits of milliseconds reach from there to the latest.
  private var packedBase: Int64? {
    var first = Int64.max
    var last = Int64.min
    for unit in units {
      guard let starts = unit.file.milliseconds(.start, group: unit.group),
        let ends = unit.file.milliseconds(.end, group: unit.group)
      else { return nil }
      first = min(first, starts.lowerBound, ends.lowerBound)
      last = max(last, starts.upperBound, ends.upperBound)
    }
    let (range, overflow) = last.subtractingReportingOverflow(first)
    return overflow || range < 0 || range > 0xffff_ffff ? nil : first
  }

  private func top(_ layout: GroupTable.Layout) -> TopRows {
    TopRows(
      layout, order: query.order, isReversed: query.isReversed, limit: query.limit,
      memoryOctets: search.parameters.memoryOctets)
  }

  /// Adds up what the threads found.
  private func merge(
    _ groupings: [Grouping], _ plan: GroupingPlan
  ) throws(ArchiveError) -> TopRows {
    var best = top(plan.layout)
    let isUsingPartitions =
      !plan.partitions.isEmpty || groupings.contains(where: \.isUsingPartitions)
    if !isUsingPartitions, groupings.count == 1 {
      try groupings[0].offerTable(to: &best)
      return best
    }
    for grouping in groupings { try grouping.finishPartitions() }
    let empty = best
    let memoryLimit = search.parameters.memoryOctets
    let mergers = try parallel(
      PartitionedRows.partitionCount, worker: Merger(empty, plan)
    ) { merger, partition throws(ArchiveError) in
      merger.table.removeAll()
      try plan.partitions.drain(partition) { chunk throws(ArchiveError) in
        merger.add(chunk)
        guard merger.table.octets <= memoryLimit else {
          throw .tooMuchMemory(what: "a part of this grouping", limitOctets: memoryLimit)
        }
      }
      try merger.best.offer(merger.table)
    }
    for merger in mergers { try best.offer(merger.best) }
    return best
  }

  private func row(
    _ entry: ArraySlice<UInt64>, _ keys: KeyLayout, _ layout: GroupTable.Layout,
    _ exporters: [UInt128]
  ) -> FlowSum {
    let sums = entry.startIndex + layout.keyWords
    var row = FlowSum(
      key: keys.values(entry, exporters: exporters), flows: entry[sums], packets: entry[sums + 1],
      bytes: entry[sums + 2], first: Int64(bitPattern: entry[sums + 3]),
      last: Int64(bitPattern: entry[sums + 4]))
    guard layout.isBiflow else { return row }
    row.reversePackets = entry[sums + 5]
    row.reverseBytes = entry[sums + 6]
    // The direction that was seen first is the forward one; of two at the same moment, the one to the
    // lower port.
    let forward = Int64(bitPattern: entry[sums + 7])
    let reverse = Int64(bitPattern: entry[sums + 8])
    var isReverse = reverse < forward
    if reverse == forward, case .number(let from) = row.key[3], case .number(let to) = row.key[4] {
      isReverse = from < to
    }
    if isReverse {
      row.key.swapAt(1, 2)
      row.key.swapAt(3, 4)
      swap(&row.packets, &row.reversePackets)
      swap(&row.bytes, &row.reverseBytes)
    }
    return row
  }
}

/// One thread's part in adding up partitions.
private final class Merger {
  @exclusivity(unchecked) var best: TopRows
  @exclusivity(unchecked) var table: GroupTable
  private let plan: GroupingPlan
  private let rows: WordRun<UInt64>
  private let hashes = WordRun<UInt64>(capacity: PartitionedRows.rowsPerChunk)

  init(_ best: TopRows, _ plan: GroupingPlan) {
    self.best = best
    self.plan = plan
    table = GroupTable(plan.layout)
    rows = WordRun(capacity: PartitionedRows.rowsPerChunk * plan.layout.stride)
  }

  func add(_ chunk: [UInt64]) {
    let waiting = plan.waitingStride
    let count = chunk.count / waiting
    if let base = plan.packedBase {
      let stride = plan.layout.stride
      let time = plan.layout.timeWord
      let words = chunk.span
      var source = 0
      var target = 0
      for _ in 0..<count {
        for word in 0..<time { rows[target &+ word] = words[source &+ word] }
        let times = words[source &+ time]
        rows[target &+ time] = (times >> 32) &+ UInt64(bitPattern: base)
        rows[target &+ time &+ 1] = (times & 0xffff_ffff) &+ UInt64(bitPattern: base)
        source &+= waiting
        target &+= stride
      }
    } else {
      rows.take(chunk)
    }
    table.addAll(rows, count, hashes: hashes)
  }
}

extension Grouping {
  func offerTable(to top: inout TopRows) throws(ArchiveError) { try top.offer(table) }
}
