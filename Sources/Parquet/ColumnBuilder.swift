/// Gathers the values of one column until its row group is written.
///
/// Appending costs a few nanoseconds. A value of another type than the column's, or outside its
/// range, is remembered and makes the writer throw ``ParquetError/misfit(column:type:)`` at the next
/// ``ParquetWriter/endRows(_:)`` that writes.
public final class ColumnBuilder {
  /// What the column is.
  public let column: ParquetColumn
  // The storage is not checked at run time for overlapping accesses: no method calls out while it
  // changes it, and the checks would take half of the time of writing.

  /// INT32 and, as bit patterns, FLOAT.
  @exclusivity(unchecked) @usableFromInline var words32: [Int32] = []
  /// INT64 and, as bit patterns, DOUBLE.
  @exclusivity(unchecked) @usableFromInline var words64: [Int64] = []
  /// BOOLEAN, one octet each.
  @exclusivity(unchecked) @usableFromInline var flags: [UInt8] = []
  /// Of octet strings, where each ends in `octets`.
  @exclusivity(unchecked) @usableFromInline var ends: [Int] = []
  @exclusivity(unchecked) @usableFromInline var octets: [UInt8] = []
  /// Distinct texts that the caller numbered, and each row's number, instead of `octets`.
  @exclusivity(unchecked) var prepared: [String] = []
  @exclusivity(unchecked) var codes: [UInt32] = []
  /// Of an optional column, 1 for each row with a value; empty while there was no null.
  @exclusivity(unchecked) @usableFromInline var present: [UInt8] = []
  /// Rows, nulls included.
  @inlinable public var rowCount: Int { rows }
  @exclusivity(unchecked) @usableFromInline var rows = 0
  @exclusivity(unchecked) @usableFromInline var isMisfit = false
  /// What a 32-bit value must lie in, by the logical type; a 64-bit one must have the column's sign.
  @usableFromInline let least: Int64
  @usableFromInline let greatest: Int64
  @usableFromInline let isWide: Bool
  @usableFromInline let isNarrow: Bool
  @usableFromInline let isUnsigned: Bool
  @usableFromInline let fixedLength: Int

  init(_ column: ParquetColumn) {
    self.column = column
    isWide = column.physicalType == .int64
    isNarrow = column.physicalType == .int32
    isUnsigned = column.isUnsigned
    var bits = 32
    if case .integer(let width, _) = column.logicalType { bits = min(32, width) }
    least = isUnsigned ? 0 : -(1 << Int64(bits - 1))
    greatest = isUnsigned ? 1 << Int64(bits) - 1 : 1 << Int64(bits - 1) - 1
    if case .fixedLengthByteArray(let length) = column.physicalType {
      fixedLength = length
    } else {
      fixedLength = 0
    }
  }

  @inlinable @inline(__always)
  func noteRow() {
    rows &+= 1
    if !present.isEmpty { present.append(1) }
  }

  @inlinable
  func noteRows(_ count: Int) {
    rows += count
    if !present.isEmpty { present.append(contentsOf: repeatElement(1, count: count)) }
  }

  /// Appends a number to an INT32 or INT64 column.
  @inlinable
  public func append<Number: FixedWidthInteger>(_ value: Number) {
    if isNarrow {
      let wide = Int64(truncatingIfNeeded: value)
      if wide < least || wide > greatest
        || Number.bitWidth > 32 && Number(truncatingIfNeeded: wide) != value
      {
        isMisfit = true
      }
      words32.append(Int32(truncatingIfNeeded: value))
    } else {
      let wide = Int64(truncatingIfNeeded: value)
      if isUnsigned ? value < 0 : (!Number.isSigned && wide < 0) { isMisfit = true }
      if !isWide { isMisfit = true }
      words64.append(wide)
    }
    noteRow()
  }

  /// Appends numbers to an INT32 or INT64 column.
  @inlinable
  public func append<Number: FixedWidthInteger & BitwiseCopyable>(contentsOf values: [Number]) {
    if isNarrow, Int64(clamping: Number.min) >= least, Int64(clamping: Number.max) <= greatest {
      words32 += values.map { Int32(truncatingIfNeeded: $0) }
    } else if isWide, isUnsigned ? !Number.isSigned : Int64(exactly: Number.max) != nil {
      words64 += values.map { Int64(truncatingIfNeeded: $0) }
    } else {
      for value in values { append(value) }
      return
    }
    noteRows(values.count)
  }

  /// Appends to a FLOAT column.
  @inlinable
  public func append(_ value: Float) {
    if column.physicalType != .float { isMisfit = true }
    words32.append(Int32(bitPattern: value.bitPattern))
    noteRow()
  }

  /// Appends to a DOUBLE column.
  @inlinable
  public func append(_ value: Double) {
    if column.physicalType != .double { isMisfit = true }
    words64.append(Int64(bitPattern: value.bitPattern))
    noteRow()
  }

  /// Appends numbers to a DOUBLE column.
  public func append(contentsOf values: [Double]) {
    if column.physicalType != .double { isMisfit = true }
    words64 += values.map { Int64(bitPattern: $0.bitPattern) }
    noteRows(values.count)
  }

  /// Appends to a BOOLEAN column.
  @inlinable
  public func append(_ value: Bool) {
    if column.physicalType != .boolean { isMisfit = true }
    flags.append(value ? 1 : 0)
    noteRow()
  }

  /// Appends to a BYTE_ARRAY column.
  public func append(_ text: String) {
    if column.physicalType != .byteArray { isMisfit = true }
    octets += text.utf8
    ends.append(octets.count)
    noteRow()
  }

  /// Appends texts to a BYTE_ARRAY column.
  public func append(contentsOf texts: [String]) {
    for text in texts { append(text) }
  }

  /// Appends to a BYTE_ARRAY column, or to a FIXED_LEN_BYTE_ARRAY column of this length.
  public func append(octets value: some Collection<UInt8>) {
    switch column.physicalType {
    case .byteArray: break
    case .fixedLengthByteArray(value.count): break
    default: isMisfit = true
    }
    octets += value
    ends.append(octets.count)
    noteRow()
  }

  /// Appends a row without a value to an optional column.
  public func appendNull() {
    if !column.isOptional { isMisfit = true }
    if present.isEmpty { present = [UInt8](repeating: 1, count: rowCount) }
    present.append(0)
    rows += 1
  }

  /// Appends a number, or a row without one.
  @inlinable
  public func append<Number: FixedWidthInteger>(_ value: Number?) {
    if let value { append(value) } else { appendNull() }
  }

  /// Appends a text, or a row without one.
  public func append(_ text: String?) {
    if let text { append(text) } else { appendNull() }
  }

  /// Appends a number, or a row without one.
  public func append(_ value: Double?) {
    if let value { append(value) } else { appendNull() }
  }

  /// How many of the first rows have a value.
  func valueCount(rows: Int) -> Int {
    present.isEmpty ? rows : present[..<rows].reduce(0) { $0 + Int($1) }
  }

  /// Drops the first rows, which were written.
  func removeFirst(rows: Int) {
    let values = valueCount(rows: rows)
    if rows == rowCount {
      words32.removeAll(keepingCapacity: true)
      words64.removeAll(keepingCapacity: true)
      flags.removeAll(keepingCapacity: true)
      ends.removeAll(keepingCapacity: true)
      octets.removeAll(keepingCapacity: true)
      prepared.removeAll(keepingCapacity: true)
      codes.removeAll(keepingCapacity: true)
      present.removeAll(keepingCapacity: true)
    } else {
      words32.removeFirst(min(values, words32.count))
      words64.removeFirst(min(values, words64.count))
      flags.removeFirst(min(values, flags.count))
      if values > 0, !ends.isEmpty {
        let cut = ends[values - 1]
        octets.removeFirst(cut)
        ends.removeFirst(values)
        for index in ends.indices { ends[index] -= cut }
      }
      codes.removeFirst(min(values, codes.count))
      present.removeFirst(min(rows, present.count))
    }
    self.rows -= rows
  }
}
