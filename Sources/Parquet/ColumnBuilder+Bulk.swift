/// Appending many values at once, as column stores have them.
extension ColumnBuilder {
  /// Appends `values[order[0]]`, `values[order[1]]` and so on to an INT32 or INT64 column. Every
  /// element of `order` must be an index of `values`.
  @inlinable
  public func append<Number: FixedWidthInteger & BitwiseCopyable>(
    gathering values: Span<Number>, order: Span<UInt32>
  ) {
    let count = order.count
    guard count > 0 else { return }
    if isNarrow, Int64(clamping: Number.min) >= least, Int64(clamping: Number.max) <= greatest {
      let first = words32.count
      words32.append(contentsOf: repeatElement(0, count: count))
      var target = words32.mutableSpan
      for index in 0..<count {
        target[unchecked: first &+ index] = Int32(
          truncatingIfNeeded: values[Int(order[unchecked: index])])
      }
    } else if isWide, isUnsigned ? !Number.isSigned : Int64(exactly: Number.max) != nil {
      let first = words64.count
      words64.append(contentsOf: repeatElement(0, count: count))
      var target = words64.mutableSpan
      for index in 0..<count {
        target[unchecked: first &+ index] = Int64(
          truncatingIfNeeded: values[Int(order[unchecked: index])])
      }
    } else {
      for index in 0..<count { append(values[Int(order[index])]) }
      return
    }
    noteRows(count)
  }

  /// Appends `values[order[0]]` and so on to a FIXED_LEN_BYTE_ARRAY(16) column, the highest octet
  /// first. Every element of `order` must be an index of `values`.
  public func append(gathering values: Span<UInt128>, order: Span<UInt32>) {
    if column.physicalType != .fixedLengthByteArray(16) { isMisfit = true }
    let first = octets.count
    octets.append(contentsOf: repeatElement(0, count: 16 * order.count))
    ends.reserveCapacity(ends.count + order.count)
    var target = octets.mutableSpan
    for index in order.indices {
      let value = values[Int(order[index])]
      let place = first &+ index &* 16
      for octet in 0..<16 {
        target[unchecked: place &+ octet] = UInt8(
          truncatingIfNeeded: value &>> UInt128(120 &- 8 &* octet))
      }
      ends.append(place + 16)
    }
    noteRows(order.count)
  }

  /// Appends `values[order[0]]` plus `base` and so on; a sum wraps around at 64 bits.
  func append<Number: FixedWidthInteger & BitwiseCopyable>(
    gathering values: Span<Number>, plus base: Int64, order: Span<UInt32>
  ) {
    if base == 0 { return append(gathering: values, order: order) }
    for index in order.indices {
      append(Int64(truncatingIfNeeded: values[Int(order[index])]) &+ base)
    }
  }

  /// Appends one number many times to an INT32 or INT64 column.
  @inlinable
  public func append<Number: FixedWidthInteger>(repeating value: Number, count: Int) {
    guard count > 0 else { return }
    append(value)
    if isNarrow {
      words32.append(
        contentsOf: repeatElement(Int32(truncatingIfNeeded: value), count: count - 1))
    } else {
      words64.append(
        contentsOf: repeatElement(Int64(truncatingIfNeeded: value), count: count - 1))
    }
    noteRows(count - 1)
  }

  /// Appends rows without a value to an optional column.
  public func appendNulls(_ count: Int) {
    guard count > 0 else { return }
    if !column.isOptional { isMisfit = true }
    if present.isEmpty { present = [UInt8](repeating: 1, count: rowCount) }
    present.append(contentsOf: repeatElement(0, count: count))
    rows += count
  }

  /// Appends `texts[indices[0]]` and so on to a BYTE_ARRAY column that holds no other rows: the
  /// texts, which must differ, become its dictionary. Every index must be one of `texts`.
  public func append(numbered texts: [String], indices: [UInt32]) {
    let isFit =
      column.physicalType == .byteArray && rows == 0
      && indices.allSatisfy { $0 < texts.count }
    guard isFit else {
      isMisfit = true
      return
    }
    guard !indices.isEmpty else { return }
    prepared = texts
    codes = indices
    noteRows(indices.count)
  }
}
