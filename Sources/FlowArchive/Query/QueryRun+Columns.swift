import Dispatch
import FlowRecords
import Foundation
import NetworkTypes
import Parquet

// Reading all flows for a reckoning of one's own: some columns alone, in the order in which flows ended,
// while the next row groups are decoded by other threads.

/// What the threads that decode have ready for the one that takes.
private final class ReadAhead: @unchecked Sendable {
  // Everything below is touched under `condition`'s lock alone; a batch belongs to whoever took it out.
  private let condition = NSCondition()
  private let count: Int
  private let ahead: Int
  private var next = 0
  private var taken = 0
  private var ready: [Int: [FlowBatch]] = [:]
  private var spare: [FlowBatch] = []
  private var failure: ArchiveError?
  private var isOver = false

  /// - Parameters:
  ///   - count: row groups in all.
  ///   - ahead: row groups that may be in memory at the same time.
  init(count: Int, ahead: Int) {
    self.count = count
    self.ahead = ahead
  }

  /// The number of the row group to decode next; nil when there is none, or nobody wants it.
  func begin() -> Int? {
    condition.lock()
    defer { condition.unlock() }
    while !isOver, failure == nil, next < count, next >= taken + ahead { condition.wait() }
    guard !isOver, failure == nil, next < count else { return nil }
    defer { next += 1 }
    return next
  }

  /// A batch without rows.
  func batch() -> FlowBatch {
    condition.lock()
    defer { condition.unlock() }
    return spare.popLast() ?? FlowBatch(capacity: 1 << 16)
  }

  func finish(_ unit: Int, _ batches: [FlowBatch]) {
    condition.lock()
    ready[unit] = batches
    condition.broadcast()
    condition.unlock()
  }

  func fail(_ error: ArchiveError) {
    condition.lock()
    if failure == nil { failure = error }
    condition.broadcast()
    condition.unlock()
  }

  /// Waits for a row group's batches.
  func take(_ unit: Int) throws(ArchiveError) -> [FlowBatch] {
    condition.lock()
    defer { condition.unlock() }
    while true {
      if let batches = ready.removeValue(forKey: unit) { return batches }
      if let failure { throw failure }
      condition.wait()
    }
  }

  /// Gives a row group's batches back, so that the next one may be decoded.
  func giveBack(_ batches: [FlowBatch]) {
    for batch in batches { batch.removeAll() }
    condition.lock()
    spare += batches
    taken += 1
    condition.broadcast()
    condition.unlock()
  }

  func stop() {
    condition.lock()
    isOver = true
    condition.broadcast()
    condition.unlock()
  }
}

extension QueryRun {
  /// Hands over all matching flows, only with these columns; gives back how many there were.
  func export(_ columns: [FlowColumn], _ body: (FlowBatch) throws -> Void) throws -> Int {
    // One thread takes, the others decode; each has a row group at hand while it makes the next.
    let decoders = max(1, min(threadCount - 1, units.count))
    let readAhead = ReadAhead(count: units.count, ahead: decoders + 1)
    let group = DispatchGroup()
    for _ in 0..<decoders {
      DispatchQueue.global(qos: .userInitiated).async(group: group) { [self] in
        let scan = GroupScan()
        while let unit = readAhead.begin() {
          do throws(ArchiveError) {
            readAhead.finish(unit, try decode(unit, columns, scan, readAhead))
          } catch {
            return readAhead.fail(error)
          }
        }
      }
    }
    defer {
      readAhead.stop()
      group.wait()
    }
    var count = 0
    for unit in units.indices {
      if search.isCancelled?() ?? false { throw ArchiveError.cancelled }
      let batches = try readAhead.take(unit)
      for batch in batches {
        count += batch.count
        try body(batch)
      }
      readAhead.giveBack(batches)
      search.progress?(unit + 1, units.count)
    }
    return count
  }

  private func decode(
    _ number: Int, _ columns: [FlowColumn], _ scan: GroupScan, _ readAhead: ReadAhead
  ) throws(ArchiveError) -> [FlowBatch] {
    let unit = units[number]
    let mask = try mask(unit, scan)
    if let mask, !mask.isAnyWanted(in: 0..<scan.count) { return [] }
    var loaded: [(FlowColumn, GroupScan.Loaded)] = []
    for column in columns where column != .exporter {
      let one = try scan.load(column, mask)
      if case .zero = one { continue }
      loaded.append((column, one))
    }
    let rows = try rowsByEnd(scan, mask)
    var batches: [FlowBatch] = []
    var start = 0
    while start < rows.count {
      let batch = readAhead.batch()
      let end = min(rows.count, start + batch.capacity)
      scan.fill(batch, loaded, rows[start..<end])
      batches.append(batch)
      start = end
    }
    return batches
  }

  /// The wanted rows in the order in which the flows ended, as a router would have sent them. Those that
  /// ended in the same millisecond are in the order of their sources.
  private func rowsByEnd(
    _ scan: GroupScan, _ mask: RowMask?
  ) throws(ArchiveError) -> [UInt32] {
    guard case .wide(let ends) = try scan.load(.end, mask) else {
      // No flow says when it ended.
      let rows = 0..<UInt32(truncatingIfNeeded: scan.count)
      guard let mask else { return Array(rows) }
      return rows.filter { mask.flags[Int($0)] != 0 }
    }
    let values = ends.words64
    var first = Int64.max
    var last = Int64.min
    for row in 0..<scan.count {
      let end = Int64(bitPattern: values[row])
      first = min(first, end)
      last = max(last, end)
    }
    var sorting = BlockSorting()
    let (range, overflow) = last.subtractingReportingOverflow(first)
    if !overflow, range >= 0, range <= 0xffff_ffff {
      var keys = [UInt32](repeating: 0, count: scan.count)
      for row in keys.indices {
        keys[row] = UInt32(truncatingIfNeeded: Int64(bitPattern: values[row]) &- first)
      }
      sorting.sort(keys.span)
    } else {
      var keys = [UInt128](repeating: 0, count: scan.count)
      for row in keys.indices { keys[row] = UInt128(values[row] ^ 1 << 63) }
      sorting.sort(keys.span)
    }
    guard let mask else { return sorting.order }
    return sorting.order.filter { mask.flags[Int($0)] != 0 }
  }
}

extension GroupScan {
  /// Fills an empty batch with these rows of loaded columns.
  fileprivate func fill(
    _ batch: FlowBatch, _ columns: [(FlowColumn, Loaded)], _ rows: ArraySlice<UInt32>
  ) {
    guard batch.extend(by: rows.count) != nil else { return }
    for case (_, .addresses) in columns { batch.widenAddresses() }
    for (column, loaded) in columns {
      switch loaded {
      case .zero: break
      case .addresses(let scratch):
        Self.gather(scratch.words128, rows, column, batch) { (value: UInt128) -> UInt128 in value }
      case .addresses4(let scratch):
        if batch.isIPv4 {
          Self.gather(scratch.words32, rows, column, batch) { (value: UInt32) -> UInt32 in value }
        } else {
          let isOptional = column != .sourceAddress && column != .destinationAddress
          Self.gather(scratch.words32, rows, column, batch) { (value: UInt32) -> UInt128 in
            value == 0 && isOptional ? 0 : IPAddress(v4: value).bits
          }
        }
      case .wide(let scratch):
        if column.kind == .time {
          Self.gather(scratch.words64, rows, column, batch) { (value: UInt64) -> UInt64 in
            Self.nanoseconds(value)
          }
        } else {
          Self.gather(scratch.words64, rows, column, batch) { (value: UInt64) -> UInt64 in value }
        }
      case .narrow(let scratch), .texts(let scratch):
        switch column.width {
        case 1:
          Self.gather(scratch.words32, rows, column, batch) { (value: UInt32) -> UInt8 in
            UInt8(truncatingIfNeeded: value)
          }
        case 2:
          Self.gather(scratch.words32, rows, column, batch) { (value: UInt32) -> UInt16 in
            UInt16(truncatingIfNeeded: value)
          }
        case 4:
          Self.gather(scratch.words32, rows, column, batch) { (value: UInt32) -> UInt32 in value }
        default:
          Self.gather(scratch.words32, rows, column, batch) { (value: UInt32) -> UInt64 in
            UInt64(value)
          }
        }
      }
    }
  }

  @inline(__always)
  private static func gather<Source: BitwiseCopyable, Value: FixedWidthInteger & BitwiseCopyable>(
    _ source: Span<Source>, _ rows: ArraySlice<UInt32>, _ column: FlowColumn, _ batch: FlowBatch,
    _ convert: (Source) -> Value
  ) {
    batch.withMutableColumn(column, as: Value.self) { target in
      var place = 0
      for row in rows {
        target[place] = convert(source[Int(row)])
        place &+= 1
      }
    }
  }
}
