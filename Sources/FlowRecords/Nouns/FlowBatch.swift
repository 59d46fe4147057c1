public import NetworkTypes

/// Up to some thousands of flows, as a struct of arrays: one flat piece of memory for each column.
///
/// A column that no row has filled is *absent*: it takes no memory and reads as zero. While every
/// address of a batch is IPv4 its address columns hold 32 bits each (``isIPv4``); the first other
/// address widens all of them to 128 bits.
///
/// ```swift
/// let batch = FlowBatch(capacity: 8_192)
/// batch.append(FlowRecord(…))
/// let bytes = batch.column(.bytes, as: UInt64.self)   // Span<UInt64>, one per row
/// ```
///
/// A batch has one owner at a time: whoever hands it on no longer touches it. That is why it may
/// cross threads, and the compiler does not check it. Its memory lives as long as the batch and
/// never moves, so a span of a column stays valid.
public final class FlowBatch: @unchecked Sendable {
  /// How many flows there is room for.
  public let capacity: Int
  /// How many flows there are.
  public private(set) var count: Int {
    get { state.pointee.count }
    set { state.pointee.count = newValue }
  }
  /// The columns that are filled, bit by ``FlowColumn/bit``.
  public fileprivate(set) var presence: UInt64 {
    get { state.pointee.presence }
    set { state.pointee.presence = newValue }
  }
  /// Whether address columns hold 32 bits, because all addresses are IPv4. Zero then means 0.0.0.0
  /// for source and destination, and "none" for the other addresses; in 128 bits all zero means none.
  public private(set) var isIPv4: Bool {
    get { state.pointee.isIPv4 }
    set { state.pointee.isIPv4 = newValue }
  }
  /// What the numbers in column ``FlowColumn/exporter`` stand for.
  public private(set) var exporters: [FlowExporter] = []

  fileprivate let memory: UnsafeMutablePointer<UnsafeMutableRawPointer?>
  // Behind a pointer and not stored properties of the class, each access to which the runtime would
  // look up in its table of exclusive accesses: that took half of the time of decoding sFlow.
  private struct State {
    var count = 0
    var presence: UInt64 = 0
    var isIPv4 = true
    /// The exporter asked for last, and its number.
    var lastExporter = FlowExporter.unknown
    var lastIndex: UInt16?
  }

  private let state: UnsafeMutablePointer<State>
  private var exporterIndex: [FlowExporter: UInt16] = [:]

  /// An empty batch; capacity 1...65,536, values outside become the nearest end.
  public init(capacity: Int = FlowParameters.batchCapacity) {
    self.capacity = min(max(capacity, 1), 65_536)
    memory = .allocate(capacity: FlowColumn.allCases.count)
    memory.initialize(repeating: nil, count: FlowColumn.allCases.count)
    state = .allocate(capacity: 1)
    state.initialize(to: State())
  }

  deinit {
    for index in 0..<FlowColumn.allCases.count { memory[index]?.deallocate() }
    memory.deallocate()
    state.deallocate()
  }

  public var isFull: Bool { count == capacity }
  public var isEmpty: Bool { count == 0 }

  /// How many flows still fit.
  public var room: Int { capacity - count }

  /// Whether a column is filled in any row.
  public func has(_ column: FlowColumn) -> Bool { presence & column.bit != 0 }

  /// The columns that are filled, in the order of their raw values.
  public var columns: [FlowColumn] { FlowColumn.allCases.filter(has) }

  /// Octets of one value of a column as it is now: 4 for addresses while ``isIPv4``.
  public func width(of column: FlowColumn) -> Int {
    column.kind == .address && isIPv4 ? 4 : column.width
  }

  /// Forgets all rows and columns, and keeps the memory for the next ones.
  public func removeAll() {
    for column in FlowColumn.allCases where has(column) {
      // The row count bounds what was written; what follows is still zero.
      memory[Int(column.rawValue)]?.initializeMemory(
        as: UInt8.self, repeating: 0, count: count * width(of: column))
    }
    count = 0
    presence = 0
    isIPv4 = true
    state.pointee.lastIndex = nil
    exporters.removeAll(keepingCapacity: true)
    exporterIndex.removeAll(keepingCapacity: true)
  }

  /// Adds rows that are zero in every column, and gives back the first one's number; nil where they
  /// do not fit.
  @discardableResult
  public func extend(by rows: Int) -> Int? {
    guard rows >= 0, rows <= capacity - count else { return nil }
    defer { count += rows }
    return count
  }

  /// The number of an exporter in this batch's table, entering it when it is new; nil when the
  /// table's 65,536 places are taken.
  public func index(of exporter: FlowExporter) -> UInt16? {
    // Nearly always the same one as in the row before.
    if let index = state.pointee.lastIndex, state.pointee.lastExporter == exporter { return index }
    guard let index = exporterIndex[exporter] ?? UInt16(exactly: exporters.count) else {
      return nil
    }
    if Int(index) == exporters.count {
      exporters.append(exporter)
      exporterIndex[exporter] = index
    }
    state.pointee.lastExporter = exporter
    state.pointee.lastIndex = index
    return index
  }

  /// Makes address columns 128 bits wide.
  public func widenAddresses() {
    guard isIPv4 else { return }
    isIPv4 = false
    for column in FlowColumn.allCases where column.kind == .address && has(column) {
      guard let base = memory[Int(column.rawValue)] else { continue }
      let narrow = base.assumingMemoryBound(to: UInt32.self)
      let wide = base.assumingMemoryBound(to: UInt128.self)
      let isOptional = column != .sourceAddress && column != .destinationAddress
      // From the end, because the wide values overlap the narrow ones behind them.
      for row in stride(from: count - 1, through: 0, by: -1) {
        let value = narrow[row]
        wide[row] = value == 0 && isOptional ? 0 : IPAddress(v4: value).bits
      }
    }
  }
}

// The memory of columns: the only places where it is reached, each with its bounds check.
extension FlowBatch {
  /// One column's values, one per row; empty when the column is absent. `Value` must have the
  /// column's ``width(of:)``: UInt64 or Int64 for 8 octets, UInt32 for 4 and so on.
  @_lifetime(borrow self)
  public func column<Value: FixedWidthInteger & BitwiseCopyable>(
    _ column: FlowColumn, as type: Value.Type = Value.self
  ) -> Span<Value> {
    precondition(MemoryLayout<Value>.size == width(of: column), "a value of the column's width")
    let base = memory[Int(column.rawValue)]
    let rows = has(column) && base != nil ? count : 0
    let values = unsafe UnsafeBufferPointer(
      start: base?.assumingMemoryBound(to: Value.self), count: rows)
    return unsafe _overrideLifetime(Span(_unsafeElements: values), borrowing: self)
  }

  /// Fills a column: `body` gets one value per row, zero where none was set. The column is present
  /// from then on. `Value` must have the column's ``width(of:)``.
  public func withMutableColumn<Value: FixedWidthInteger & BitwiseCopyable, Result>(
    _ column: FlowColumn, as type: Value.Type = Value.self,
    _ body: (inout MutableSpan<Value>) throws -> Result
  ) rethrows -> Result {
    precondition(MemoryLayout<Value>.size == width(of: column), "a value of the column's width")
    let base = pointer(to: column).assumingMemoryBound(to: Value.self)
    var span = unsafe MutableSpan(
      _unsafeElements: UnsafeMutableBufferPointer(start: base, count: count))
    return try body(&span)
  }

  /// A number of any column but an address, widened; zero where the column is absent. The row must
  /// exist.
  public func number(_ column: FlowColumn, row: Int) -> UInt64 {
    precondition(row >= 0 && row < count, "a row of the batch")
    guard has(column), let base = memory[Int(column.rawValue)] else { return 0 }
    switch width(of: column) {
    case 1: return UInt64(base.load(fromByteOffset: row, as: UInt8.self))
    case 2: return UInt64(base.load(fromByteOffset: 2 * row, as: UInt16.self))
    case 4: return UInt64(base.load(fromByteOffset: 4 * row, as: UInt32.self))
    default: return base.load(fromByteOffset: 8 * row, as: UInt64.self)
    }
  }

  /// An address; all zero bits where there is none. The row must exist.
  public func address(_ column: FlowColumn, row: Int) -> IPAddress {
    precondition(row >= 0 && row < count && column.kind == .address, "a row and an address column")
    guard has(column), let base = memory[Int(column.rawValue)] else { return IPAddress(bits: 0) }
    guard isIPv4 else {
      return IPAddress(bits: base.load(fromByteOffset: 16 * row, as: UInt128.self))
    }
    let value = base.load(fromByteOffset: 4 * row, as: UInt32.self)
    let isOptional = column != .sourceAddress && column != .destinationAddress
    return value == 0 && isOptional ? IPAddress(bits: 0) : IPAddress(v4: value)
  }

  /// Sets a number of any column but an address, keeping its low bits. The row must exist.
  public func set(_ column: FlowColumn, row: Int, to value: UInt64) {
    precondition(row >= 0 && row < count && column.kind != .address, "a row and a number column")
    if value == 0, !has(column) { return }
    let base = pointer(to: column)
    switch column.width {
    case 1: base.storeBytes(of: UInt8(truncatingIfNeeded: value), toByteOffset: row, as: UInt8.self)
    case 2:
      base.storeBytes(
        of: UInt16(truncatingIfNeeded: value), toByteOffset: 2 * row, as: UInt16.self)
    case 4:
      base.storeBytes(
        of: UInt32(truncatingIfNeeded: value), toByteOffset: 4 * row, as: UInt32.self)
    default: base.storeBytes(of: value, toByteOffset: 8 * row, as: UInt64.self)
    }
  }

  /// Sets an address, widening the batch for the first one that is not IPv4. The row must exist.
  public func set(_ column: FlowColumn, row: Int, to address: IPAddress) {
    precondition(row >= 0 && row < count && column.kind == .address, "a row and an address column")
    if address.bits == 0, !has(column) { return }
    if isIPv4 {
      if let v4 = address.v4 {
        pointer(to: column).storeBytes(of: v4, toByteOffset: 4 * row, as: UInt32.self)
        return
      }
      let isOptional = column != .sourceAddress && column != .destinationAddress
      if address.bits == 0, isOptional {
        pointer(to: column).storeBytes(of: 0, toByteOffset: 4 * row, as: UInt32.self)
        return
      }
      widenAddresses()
    }
    pointer(to: column).storeBytes(of: address.bits, toByteOffset: 16 * row, as: UInt128.self)
  }

  /// A row that is new, and so zero, to be filled. Which columns it fills is noted in the end, by
  /// ``finish(_:)``: looking it up for each would take longer than writing.
  struct NewRow {
    fileprivate let memory: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    fileprivate let row: Int
    fileprivate var presence: UInt64 = 0
  }

  /// Begins a row; nil when the batch is full.
  func newRow() -> NewRow? { extend(by: 1).map { NewRow(memory: memory, row: $0) } }

  func finish(_ new: NewRow) { presence |= new.presence }

  /// Sets a number; `Value` has the column's width.
  @inline(__always)
  func set<Value: FixedWidthInteger & BitwiseCopyable>(
    _ column: FlowColumn, in new: inout NewRow, to value: Value
  ) {
    assert(MemoryLayout<Value>.size == width(of: column), "a value of the column's width")
    if value == 0 { return }
    new.presence |= column.bit
    // The row is below the batch's capacity, and each column's memory has room for that many values.
    let base = new.memory[Int(column.rawValue)] ?? makeMemory(column)
    base.assumingMemoryBound(to: Value.self)[new.row] = value
  }

  /// Sets an address.
  @inline(__always)
  func set(_ column: FlowColumn, in new: inout NewRow, to address: IPAddress) {
    if address.bits == 0, !isIPv4 || column != .sourceAddress && column != .destinationAddress {
      return
    }
    if isIPv4, let v4 = address.v4 {
      new.presence |= column.bit
      let base = new.memory[Int(column.rawValue)] ?? makeMemory(column)
      base.assumingMemoryBound(to: UInt32.self)[new.row] = v4
    } else {
      setSlowly(column, &new, address)
    }
  }

  /// Widens the batch where need be.
  @inline(never)
  private func setSlowly(_ column: FlowColumn, _ new: inout NewRow, _ address: IPAddress) {
    // Widening looks at the columns that are present.
    presence |= new.presence
    set(column, row: new.row, to: address)
  }

  /// A column's memory, which is made and marked present here. It has room for ``capacity`` values
  /// of the column's full width; every caller stays below ``count``.
  @inline(__always)
  func pointer(to column: FlowColumn) -> UnsafeMutableRawPointer {
    presence |= column.bit
    if let base = memory[Int(column.rawValue)] { return base }
    return makeMemory(column)
  }

  @inline(never)
  private func makeMemory(_ column: FlowColumn) -> UnsafeMutableRawPointer {
    let index = Int(column.rawValue)
    let octets = capacity * column.width
    let base = UnsafeMutableRawPointer.allocate(byteCount: octets, alignment: 64)
    base.initializeMemory(as: UInt8.self, repeating: 0, count: octets)
    memory[index] = base
    return base
  }
}
