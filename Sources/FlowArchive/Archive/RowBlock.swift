import FlowRecords
import NetworkTypes
import Parquet

/// The rows of the row group to come, column by column.
///
/// A block holds flows of one kind: narrow ones have IPv4 source and destination and keep these as 32
/// bits, wide ones as 128. Other addresses are 32 bits wide until the first IPv6 one comes. Counters and
/// times, as a distance from the hour, are so until one does not fit: sorting them then needs half of
/// the processor's cache.
final class RowBlock: @unchecked Sendable {
  // A block has one owner at a time: the writer's lock or its queue.
  let capacity: Int
  private(set) var isNarrow = true
  private(set) var count = 0
  /// The columns that any row has filled.
  private(set) var presence: UInt64 = 0
  /// When the first row came, on the monotonic clock, in seconds.
  var since = 0.0
  /// The partition: hours since 1970.
  var hour: Int64 = 0
  /// What the numbers of the exporter column stand for.
  private(set) var exporters: [FlowExporter] = []
  private var exporterNumbers: [FlowExporter: UInt16] = [:]
  private var memory: [ColumnMemory?]
  /// Address columns that hold 128 bits, and counters and times that hold 64.
  private var wide: UInt64 = 0

  init(capacity: Int) {
    self.capacity = capacity
    memory = [ColumnMemory?](repeating: nil, count: FlowColumn.allCases.count)
  }

  func begin(isNarrow: Bool, hour: Int64, since: Double) {
    self.isNarrow = isNarrow
    self.hour = hour
    self.since = since
    count = 0
    presence = 0
    exporters.removeAll(keepingCapacity: true)
    exporterNumbers.removeAll(keepingCapacity: true)
    wide = isNarrow ? 0 : FlowColumn.sourceAddress.bit | FlowColumn.destinationAddress.bit
  }

  var room: Int { capacity - count }

  func isWide(_ column: FlowColumn) -> Bool { wide & column.bit != 0 }

  /// Octets of each of a column's values.
  func width(_ column: FlowColumn) -> Int {
    switch column.kind {
    case .address, .time, .counter: isWide(column) ? column.width : min(4, column.width)
    case .number, .mac: column.width
    }
  }

  /// What is added to a column's values: milliseconds of a block's times while they have 32 bits.
  func base(_ column: FlowColumn) -> Int64 {
    column.kind == .time && !isWide(column) ? timeBase : 0
  }

  /// 24 days before the hour: its distances of 32 bits reach as far behind it.
  private var timeBase: Int64 { hour &* 3_600_000 &- 1 &<< 31 }

  func has(_ column: FlowColumn) -> Bool { presence & column.bit != 0 }

  /// A column's memory, with zeros for the rows so far where it is new.
  private func memory(_ column: FlowColumn) -> ColumnMemory {
    let place = Int(column.rawValue)
    let made: ColumnMemory
    if let known = memory[place], known.octets >= capacity * width(column) {
      made = known
    } else {
      made = ColumnMemory(octets: capacity * width(column))
      memory[place] = made
    }
    if !has(column) {
      presence |= column.bit
      made.clear(0..<count * width(column))
    }
    return made
  }

  /// The values of a column that is present.
  @_lifetime(borrow self)
  func values<Value: BitwiseCopyable>(
    _ column: FlowColumn, as: Value.Type = Value.self
  ) -> Span<Value> {
    guard let memory = memory[Int(column.rawValue)], has(column) else {
      // Callers ask for present columns alone, and those have memory: `memory(_:)` sets both.
      preconditionFailure("column \(column.name) is absent")
    }
    return unsafe _overrideLifetime(memory.span(count, as: Value.self), borrowing: self)
  }

  /// The first and the last of a column of times, in milliseconds; nil where it is absent.
  func extremes(_ column: FlowColumn) -> ClosedRange<Int64>? {
    guard has(column), count > 0 else { return nil }
    if isWide(column) { return Self.extremes(values(column, as: Int64.self)) }
    let range = Self.extremes(values(column, as: UInt32.self))
    let base = base(column)
    return Int64(range.lowerBound) &+ base...Int64(range.upperBound) &+ base
  }

  private static func extremes<Number: FixedWidthInteger & BitwiseCopyable>(
    _ values: Span<Number>
  ) -> ClosedRange<Number> {
    var least = Number.max
    var greatest = Number.min
    for index in values.indices {
      least = min(least, values[unchecked: index])
      greatest = max(greatest, values[unchecked: index])
    }
    return least...greatest
  }

  // MARK: Filling

  /// Takes rows of a batch, all of them of this block's kind; they must fit.
  func append(_ batch: FlowBatch, rows: RowChoice) {
    let taken = rows.count
    precondition(taken <= room, "rows that fit")
    let missing = presence & ~batch.presence
    for column in FlowColumn.allCases {
      if batch.has(column) {
        append(batch, column, rows)
      } else if missing & column.bit != 0, column != .exporter {
        // Nothing is zero, which is no distance from the hour.
        if column.kind == .time, !isWide(column) { widenWords(column) }
        let width = width(column)
        memory(column).clear(count * width..<(count + taken) * width)
      }
    }
    if !batch.has(.exporter) {
      let number = number(of: batch.exporters.first ?? .unknown)
      let target = memory(.exporter)
      var span = target.mutableSpan(count + taken, as: UInt16.self)
      for index in 0..<taken { span[count + index] = number }
    }
    count += taken
  }

  private func number(of exporter: FlowExporter) -> UInt16 {
    if let known = exporterNumbers[exporter] { return known }
    // A block that has met 65,535 exporters files any others under the last of them.
    guard let number = UInt16(exactly: exporters.count), number < .max else { return .max - 1 }
    exporters.append(exporter)
    exporterNumbers[exporter] = number
    return number
  }

  private func append(_ batch: FlowBatch, _ column: FlowColumn, _ rows: RowChoice) {
    if column == .exporter {
      let numbers = batch.exporters.map(number)
      let target = memory(column)
      let source = batch.column(column, as: UInt16.self)
      var span = target.mutableSpan(count + rows.count, as: UInt16.self)
      for index in 0..<rows.count {
        let number = Int(source[rows[index]])
        span[count + index] = number < numbers.count ? numbers[number] : 0
      }
      return
    }
    switch column.kind {
    case .time: appendTimes(batch, column, rows)
    case .address: appendAddresses(batch, column, rows)
    case .counter, .number, .mac:
      switch column.width {
      case 1: copy(batch.column(column, as: UInt8.self), column, rows)
      case 2: copy(batch.column(column, as: UInt16.self), column, rows)
      case 4: copy(batch.column(column, as: UInt32.self), column, rows)
      default: appendWords(batch, column, rows)
      }
    }
  }

  private func copy<Value: BitwiseCopyable>(
    _ source: Span<Value>, _ column: FlowColumn, _ rows: RowChoice
  ) {
    let target = memory(column)
    switch rows {
    case .range(let range): target.copy(source.extracting(range), at: count)
    case .some(let indices):
      var span = target.mutableSpan(count + indices.count, as: Value.self)
      for index in indices.indices { span[count + index] = source[indices[index]] }
    }
  }

  private func appendTimes(_ batch: FlowBatch, _ column: FlowColumn, _ rows: RowChoice) {
    let source = batch.column(column, as: Int64.self)
    // The rows so far, which lack it, are zero.
    if !has(column), count > 0 { wide |= column.bit }
    if !isWide(column) {
      let base = timeBase
      var span = memory(column).mutableSpan(count + rows.count, as: UInt32.self)
      var excess: UInt64 = 0
      let first = count
      rows.forEach(in: source) { index, nanoseconds in
        let distance = UInt64(bitPattern: Self.milliseconds(nanoseconds) &- base)
        excess |= distance
        // `append` made room for as many rows as there are.
        span[unchecked: first &+ index] = UInt32(truncatingIfNeeded: distance)
      }
      if excess >> 32 == 0 { return }
      widenWords(column)
    }
    var span = memory(column).mutableSpan(count + rows.count, as: Int64.self)
    for index in 0..<rows.count {
      span[count + index] = Self.milliseconds(source[rows[index]])
    }
  }

  /// Rounded towards the past, also before 1970.
  @inline(__always)
  private static func milliseconds(_ nanoseconds: Int64) -> Int64 {
    let milliseconds = nanoseconds / 1_000_000
    return milliseconds &- (nanoseconds < milliseconds &* 1_000_000 ? 1 : 0)
  }

  /// Numbers of 64 bits, as 32 as long as they fit.
  private func appendWords(_ batch: FlowBatch, _ column: FlowColumn, _ rows: RowChoice) {
    let source = batch.column(column, as: UInt64.self)
    guard column.kind == .counter, !isWide(column) else { return copy(source, column, rows) }
    var span = memory(column).mutableSpan(count + rows.count, as: UInt32.self)
    var excess: UInt64 = 0
    let first = count
    rows.forEach(in: source) { index, value in
      excess |= value
      span[unchecked: first &+ index] = UInt32(truncatingIfNeeded: value)
    }
    if excess >> 32 == 0 { return }
    widenWords(column)
    copy(source, column, rows)
  }

  /// Makes a column of 32 bits one of 64, keeping the rows so far.
  private func widenWords(_ column: FlowColumn) {
    let base = base(column)
    let before = memory[Int(column.rawValue)]
    wide |= column.bit
    let after = ColumnMemory(octets: capacity * 8)
    memory[Int(column.rawValue)] = after
    guard let before, has(column) else { return }
    let narrow = before.span(count, as: UInt32.self)
    var span = after.mutableSpan(count, as: Int64.self)
    for row in 0..<count { span[row] = Int64(narrow[row]) &+ base }
  }

  private func appendAddresses(_ batch: FlowBatch, _ column: FlowColumn, _ rows: RowChoice) {
    let isEnd = column == .sourceAddress || column == .destinationAddress
    if batch.isIPv4, !isWide(column) {
      copy(batch.column(column, as: UInt32.self), column, rows)
      return
    }
    if !isWide(column), !isEnd,
      (0..<rows.count).contains(where: {
        let address = batch.address(column, row: rows[$0])
        return address.bits != 0 && !address.isIPv4
      })
    {
      widen(column)
    }
    let target = memory(column)
    if isWide(column) {
      var span = target.mutableSpan(count + rows.count, as: UInt128.self)
      for index in 0..<rows.count {
        span[count + index] = batch.address(column, row: rows[index]).bits
      }
    } else {
      var span = target.mutableSpan(count + rows.count, as: UInt32.self)
      for index in 0..<rows.count {
        span[count + index] = batch.address(column, row: rows[index]).v4 ?? 0
      }
    }
  }

  private func widen(_ column: FlowColumn) {
    let before = has(column) ? memory[Int(column.rawValue)] : nil
    wide |= column.bit
    let after = ColumnMemory(octets: capacity * 16)
    memory[Int(column.rawValue)] = after
    guard let before else { return }
    let narrow = before.span(count, as: UInt32.self)
    var span = after.mutableSpan(count, as: UInt128.self)
    for row in 0..<count { span[row] = narrow[row] == 0 ? 0 : IPAddress(v4: narrow[row]).bits }
  }
}

/// Some rows of a batch.
enum RowChoice {
  case range(Range<Int>)
  case some([Int])

  var count: Int {
    switch self {
    case .range(let range): range.count
    case .some(let indices): indices.count
    }
  }

  @inline(__always)
  subscript(index: Int) -> Int {
    switch self {
    case .range(let range): range.lowerBound &+ index
    case .some(let indices): indices[index]
    }
  }

  /// Calls `body` with each row's value and which of them it is.
  @inline(__always)
  func forEach<Value: BitwiseCopyable>(in values: Span<Value>, _ body: (Int, Value) -> Void) {
    switch self {
    case .range(let range):
      let part = values.extracting(range)
      for index in part.indices { body(index, part[unchecked: index]) }
    case .some(let indices):
      for index in indices.indices { body(index, values[indices[index]]) }
    }
  }

  /// The first rows, and the rest.
  func split(at count: Int) -> (RowChoice, RowChoice) {
    switch self {
    case .range(let range):
      let middle = range.lowerBound + count
      return (.range(range.lowerBound..<middle), .range(middle..<range.upperBound))
    case .some(let indices):
      return (.some(Array(indices[..<count])), .some(Array(indices[count...])))
    }
  }
}
