import FlowRecords
import Foundation
import NetworkTypes

/// The flows of an insert to come, all of one day: column by column in the layout of ClickHouse's format
/// Native, whose blocks a server takes whole or not at all.
///
/// Native over HTTP (no revision): number of columns, number of rows, and for each column its name, its
/// type and its values, numbers least octet first. 18.16 reads it as today's versions do.
final class BlockBuilder: @unchecked Sendable {
  // One owner at a time: the sink's lock or its queue.
  let capacity: Int
  let day: UInt16
  private(set) var count = 0
  /// When the first row came, on the monotonic clock, in seconds.
  let since: Double
  private(set) var hours: ClosedRange<UInt32>?
  private var slots: [Slot?]

  /// The places of the columns that are not a flow's own, behind those.
  private static let hourSlot = FlowColumn.allCases.count
  private static let irregularSlot = hourSlot + 1
  private static let domainSlot = hourSlot + 2
  private static let slotCount = hourSlot + 3

  /// One column's memory.
  private final class Slot {
    let base: UnsafeMutableRawPointer
    let width: Int

    init(width: Int, capacity: Int) {
      self.width = width
      base = .allocate(byteCount: width * capacity, alignment: 64)
    }

    deinit { base.deallocate() }
  }

  init(capacity: Int, day: UInt16, since: Double) {
    self.capacity = max(1, capacity)
    self.day = day
    self.since = since
    slots = [Slot?](repeating: nil, count: Self.slotCount)
  }

  var room: Int { capacity - count }

  /// Takes rows of a batch; they must fit.
  func append(_ batch: FlowBatch, rows: ArraySlice<Int32>, filing: [Filing]) {
    precondition(rows.count <= room, "rows that fit")
    for column in FlowColumn.allCases where column != .exporter {
      if batch.has(column) {
        append(batch, column, rows)
      } else if column == .sourceAddress || column == .destinationAddress, batch.isIPv4 {
        // As in the archive: a batch of IPv4 without this column has 0.0.0.0 there.
        put(Int(column.rawValue), rows, UInt128.self) { _ in IPAddress(v4: 0).bits.bigEndian }
      } else {
        clear(Int(column.rawValue), rows.count)
      }
    }
    appendExporters(batch, rows)
    put(Self.hourSlot, rows, UInt32.self) { filing[$0].hour }
    put(Self.irregularSlot, rows, UInt8.self) { filing[$0].isIrregular ? 1 : 0 }
    for row in rows {
      let hour = filing[Int(row)].hour
      hours = hours.map { min($0.lowerBound, hour)...max($0.upperBound, hour) } ?? hour...hour
    }
    count += rows.count
  }

  /// A column's memory, with zeros for the rows so far where it is new.
  private func slot(_ index: Int, width: Int) -> Slot {
    if let known = slots[index] { return known }
    let made = Slot(width: width, capacity: capacity)
    memset(made.base, 0, width * count)
    slots[index] = made
    return made
  }

  private func clear(_ index: Int, _ rows: Int) {
    guard let slot = slots[index] else { return }
    memset(slot.base + count * slot.width, 0, rows * slot.width)
  }

  private func put<Value: FixedWidthInteger & BitwiseCopyable>(
    _ index: Int, _ rows: ArraySlice<Int32>, _: Value.Type, _ value: (Int) -> Value
  ) {
    let slot = slot(index, width: MemoryLayout<Value>.size)
    // `append` has checked that the rows fit.
    let target = (slot.base + count * slot.width).assumingMemoryBound(to: Value.self)
    var place = 0
    for row in rows {
      target[place] = value(Int(row)).littleEndian
      place &+= 1
    }
  }

  private func copy<Value: FixedWidthInteger & BitwiseCopyable>(
    _ column: FlowColumn, _ source: Span<Value>, _ rows: ArraySlice<Int32>
  ) {
    put(Int(column.rawValue), rows, Value.self) { source[$0] }
  }

  private func append(_ batch: FlowBatch, _ column: FlowColumn, _ rows: ArraySlice<Int32>) {
    switch column.kind {
    case .time:
      let source = batch.column(column, as: Int64.self)
      put(Int(column.rawValue), rows, Int64.self) { Filing.milliseconds(source[$0]) }
    case .address:
      let isEnd = column == .sourceAddress || column == .destinationAddress
      if batch.isIPv4 {
        let source = batch.column(column, as: UInt32.self)
        put(Int(column.rawValue), rows, UInt128.self) { row in
          let value = source[row]
          return value == 0 && !isEnd ? 0 : IPAddress(v4: value).bits.byteSwapped
        }
      } else {
        let source = batch.column(column, as: UInt128.self)
        put(Int(column.rawValue), rows, UInt128.self) { source[$0].byteSwapped }
      }
    case .counter, .number, .mac:
      switch column.width {
      case 1: copy(column, batch.column(column, as: UInt8.self), rows)
      case 2: copy(column, batch.column(column, as: UInt16.self), rows)
      case 4: copy(column, batch.column(column, as: UInt32.self), rows)
      default: copy(column, batch.column(column, as: UInt64.self), rows)
      }
    }
  }

  private func appendExporters(_ batch: FlowBatch, _ rows: ArraySlice<Int32>) {
    let first = batch.exporters.first ?? .unknown
    let addresses = batch.exporters.map(\.address.bits.byteSwapped)
    let domains = batch.exporters.map(\.domain)
    let exporter = Int(FlowColumn.exporter.rawValue)
    guard batch.has(.exporter) else {
      put(exporter, rows, UInt128.self) { _ in first.address.bits.byteSwapped }
      put(Self.domainSlot, rows, UInt32.self) { _ in first.domain }
      return
    }
    let source = batch.column(.exporter, as: UInt16.self)
    put(exporter, rows, UInt128.self) { row in
      let number = Int(source[row])
      return number < addresses.count ? addresses[number] : 0
    }
    put(Self.domainSlot, rows, UInt32.self) { row in
      let number = Int(source[row])
      return number < domains.count ? domains[number] : 0
    }
  }

  // MARK: Writing

  private static func varint(_ value: Int) -> [UInt8] {
    var value = value
    var octets: [UInt8] = []
    while value >= 128 {
      octets.append(UInt8(truncatingIfNeeded: value) | 128)
      value >>= 7
    }
    octets.append(UInt8(truncatingIfNeeded: value))
    return octets
  }

  private static func text(_ text: String) -> [UInt8] { varint(text.utf8.count) + text.utf8 }

  /// The columns that hold anything, in the order of their values in ``forEachPiece(batch:_:)``.
  var columns: [String] {
    present.map(\.0.name) + [ClusterTable.day.name, ClusterTable.batch.name]
  }

  private var present: [(ClusterTable.Column, Slot)] {
    (0..<Self.slotCount).compactMap { index in
      guard let slot = slots[index] else { return nil }
      switch index {
      case Self.hourSlot: return (ClusterTable.hour, slot)
      case Self.irregularSlot: return (ClusterTable.irregular, slot)
      case Self.domainSlot: return (ClusterTable.domain, slot)
      default: return (ClusterTable.column(FlowColumn.allCases[index]), slot)
      }
    }
  }

  /// The block, piece by piece.
  func forEachPiece(batch: UInt64, _ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
    let present = present
    try (Self.varint(present.count + 2) + Self.varint(count)).withUnsafeBytes(body)
    for (column, slot) in present {
      try (Self.text(column.name) + Self.text(column.type)).withUnsafeBytes(body)
      try body(UnsafeRawBufferPointer(start: slot.base, count: slot.width * count))
    }
    let constants: [(ClusterTable.Column, [UInt8])] = [
      (ClusterTable.day, withUnsafeBytes(of: day.littleEndian) { Array($0) }),
      (ClusterTable.batch, withUnsafeBytes(of: batch.littleEndian) { Array($0) }),
    ]
    for (column, value) in constants {
      try (Self.text(column.name) + Self.text(column.type)).withUnsafeBytes(body)
      var values: [UInt8] = []
      values.reserveCapacity(count * value.count)
      for _ in 0..<count { values += value }
      try values.withUnsafeBytes(body)
    }
  }
}

/// Where in the table a flow goes.
struct Filing: Sendable {
  /// Days since 1970, UTC.
  var day: UInt16 = 0
  /// Unix second of the hour's beginning.
  var hour: UInt32 = 0
  var isIrregular = false

  /// Nanoseconds as milliseconds, rounded towards the past, also before 1970.
  static func milliseconds(_ nanoseconds: Int64) -> Int64 {
    nanoseconds / 1_000_000 &- (nanoseconds % 1_000_000 < 0 ? 1 : 0)
  }

  /// - Parameters:
  ///   - now: Unix seconds of a live collector; nil for an import.
  ///   - tolerance: seconds.
  init(start: Int64, end: Int64, now: Int64?, tolerance: Int64) {
    let first = Self.milliseconds(start)
    let last = Self.milliseconds(end)
    var second = last / 1_000
    // The longest flow that searches look for behind the end of a window, and the last day of Date.
    isIrregular =
      last < first || last &- first > 86_400_000 || second < 0 || second > 65_535 * 86_400 - 1
    if let now, abs(second &- now) > max(0, tolerance) {
      isIrregular = true
      second = now
    }
    second = min(max(0, second), min(65_535 * 86_400 - 1, 0xffff_ffff))
    day = UInt16(second / 86_400)
    hour = UInt32(second / 3_600 * 3_600)
  }

  /// Of the rows of a batch.
  static func of(_ batch: FlowBatch, now: Int64?, tolerance: Int64) -> [Filing] {
    let starts = batch.column(.start, as: Int64.self)
    let ends = batch.column(.end, as: Int64.self)
    return (0..<batch.count).map { row in
      Filing(
        start: starts.isEmpty ? 0 : starts[row], end: ends.isEmpty ? 0 : ends[row], now: now,
        tolerance: tolerance)
    }
  }
}
