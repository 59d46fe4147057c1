import FlowRecords
import NetworkTypes

extension QueryRun {
  /// Where a listed flow is, and its measure so that smaller ones come first.
  private struct Place: Comparable {
    let key: UInt64
    let unit: Int32
    let row: Int32

    static func < (left: Place, right: Place) -> Bool {
      if left.key != right.key { return left.key < right.key }
      return left.unit != right.unit ? left.unit < right.unit : left.row < right.row
    }
  }

  private final class Worker {
    let scan = GroupScan()
    var places: [Place] = []
    var worst = UInt64.max
    var totals = FlowQueryResult.Totals()
    var matched = 0
  }

  /// Octets that one listed flow takes in the result, about: a record and its place.
  private static let octetsPerRecord = MemoryLayout<FlowListed>.stride + 16

  func list() throws(ArchiveError) -> FlowQueryResult {
    let most = search.parameters.memoryOctets / Self.octetsPerRecord
    if let limit = query.limit, limit > most {
      throw .tooMuchMemory(
        what: "a listing of \(limit) flows", limitOctets: search.parameters.memoryOctets)
    }
    let workers = try parallel(units.count, worker: Worker()) {
      worker, index throws(ArchiveError) in
      let mask = try mask(units[index], worker.scan)
      try collect(worker, index, mask, most)
    }
    var result = FlowQueryResult()
    var places: [Place] = []
    for worker in workers {
      places += worker.places
      result.matched += worker.matched
      result.totals.flows &+= worker.totals.flows
      result.totals.packets &+= worker.totals.packets
      result.totals.bytes &+= worker.totals.bytes
      result.totals.first = min(result.totals.first, worker.totals.first)
      result.totals.last = max(result.totals.last, worker.totals.last)
    }
    guard places.count <= max(most, query.limit ?? 0) else {
      throw .tooMuchMemory(
        what: "a listing of all \(result.matched) flows",
        limitOctets: search.parameters.memoryOctets)
    }
    places.sort()
    if let limit = query.limit { places = Array(places.prefix(limit)) }
    result.records = try records(places)
    result.groupCount = result.matched
    return result
  }

  private func collect(
    _ worker: Worker, _ unit: Int, _ mask: RowMask?, _ most: Int
  ) throws(ArchiveError) {
    let scan = worker.scan
    if let mask, !mask.isAnyWanted(in: 0..<scan.count) { return }
    let quantity: FlowQuantity? =
      switch query.order {
      case .flows: .flows
      case .packets: .packets
      case .bytes: .bytes
      case .pps: .packetsPerSecond
      case .bps: .bitsPerSecond
      case .bpp: .bytesPerPacket
      case .duration: .duration
      case .tstart, .tend: nil
      }
    let starts = try scan.load(.start, mask)
    let ends = try scan.load(.end, mask)
    let flows = try QuantityColumns(.flows, scan, mask, isRaw: query.isRaw)
    let packets = try QuantityColumns(.packets, scan, mask, isRaw: query.isRaw)
    let bytes = try QuantityColumns(.bytes, scan, mask, isRaw: query.isRaw)
    var values: QuantityColumns?
    if let quantity {
      values = try QuantityColumns(quantity, scan, mask, isRaw: query.isRaw)
    }
    let isAscending = query.order.isAscending != query.isReversed
    for row in Self.wantedRows(mask, count: scan.count) {
      let start = scan.number(starts, row)
      let end = scan.number(ends, row)
      worker.matched += 1
      worker.totals.flows &+= flows.value(row)
      worker.totals.packets &+= packets.value(row)
      worker.totals.bytes &+= bytes.value(row)
      worker.totals.first = min(worker.totals.first, Int64(bitPattern: start))
      worker.totals.last = max(worker.totals.last, Int64(bitPattern: end))
      // Times with a sign compare as numbers without one when their upper bit is turned.
      let measure =
        values?.value(row) ?? ((query.order == .tend ? end : start) ^ 1 << 63)
      let key = isAscending ? measure : ~measure
      if query.limit != nil, key > worker.worst { continue }
      worker.places.append(
        Place(key: key, unit: Int32(unit), row: Int32(truncatingIfNeeded: row)))
      if let limit = query.limit, worker.places.count >= max(4_096, limit &* 2) {
        worker.places.sort()
        worker.places.removeLast(worker.places.count - limit)
        worker.worst = worker.places.last?.key ?? 0
      }
    }
    guard worker.places.count <= max(most, 4_096, (query.limit ?? 0) &* 2) else {
      throw .tooMuchMemory(
        what: "a listing without a limit", limitOctets: search.parameters.memoryOctets)
    }
  }

  /// The numbers of the wanted rows; stretches without any are passed over quickly.
  private static func wantedRows(_ mask: RowMask?, count: Int) -> [Int] {
    guard let mask else { return Array(0..<count) }
    var rows: [Int] = []
    for start in stride(from: 0, to: count, by: 1_024) {
      let part = start..<min(start + 1_024, count)
      guard mask.isAnyWanted(in: part) else { continue }
      for row in part where mask.flags[row] != 0 { rows.append(row) }
    }
    return rows
  }

  private final class Reader {
    let scan = GroupScan()
    /// Flows and their numbers in the result.
    var found: [(Int, FlowListed)] = []
  }

  /// The flows at these places, in this order.
  private func records(_ places: [Place]) throws(ArchiveError) -> [FlowListed] {
    var byUnit: [Int32: [Int]] = [:]
    for (index, place) in places.enumerated() { byUnit[place.unit, default: []].append(index) }
    let parts = byUnit.sorted { $0.key < $1.key }
    let readers = try parallel(parts.count, worker: Reader()) {
      reader, part throws(ArchiveError) in
      let (unit, indices) = parts[part]
      let scan = reader.scan
      scan.begin(units[Int(unit)].file, group: units[Int(unit)].group)
      var mask = RowMask(count: scan.count, isWanted: false)
      for index in indices { mask.flags[Int(places[index].row)] = 1 }
      let columns = try scan.loadAll(mask)
      for start in stride(from: 0, to: indices.count, by: 4_096) {
        let slice = indices[start..<min(start + 4_096, indices.count)]
        let batch = FlowBatch(capacity: slice.count)
        scan.append(slice.map { places[$0].row }[...], columns, to: batch)
        for (row, index) in slice.enumerated() {
          let record = batch[row]
          let listed = FlowListed(
            record: record,
            packets: query.isRaw ? record.packets : record.scaledPackets,
            bytes: query.isRaw ? record.bytes : record.scaledBytes)
          reader.found.append((index, listed))
        }
      }
    }
    var result = [FlowListed?](repeating: nil, count: places.count)
    for reader in readers { for (index, listed) in reader.found { result[index] = listed } }
    return result.compactMap(\.self)
  }

  /// Hands over all matching flows as batches; gives back how many there were.
  func export(_ body: (FlowBatch) throws -> Void) throws -> Int {
    let scan = GroupScan()
    let batch = FlowBatch()
    var count = 0
    for (index, unit) in units.enumerated() {
      if search.isCancelled?() ?? false { throw ArchiveError.cancelled }
      let mask = try mask(unit, scan)
      let rows = Self.wantedRows(mask, count: scan.count).map { Int32(truncatingIfNeeded: $0) }
      if rows.isEmpty { continue }
      let columns = try scan.loadAll(mask)
      for start in stride(from: 0, to: rows.count, by: batch.capacity) {
        batch.removeAll()
        scan.append(rows[start..<min(start + batch.capacity, rows.count)], columns, to: batch)
        count += batch.count
        try body(batch)
      }
      search.progress?(index + 1, units.count)
    }
    return count
  }
}
