/// The values of one column in one row group.
public struct ColumnVector: Sendable {
  /// Values by row; a row without a value holds zero, or no octets.
  public enum Storage: Sendable {
    case booleans([Bool])
    /// INT32 with a sign.
    case int32([Int32])
    /// INT32 of an unsigned logical type.
    case uint32([UInt32])
    case int64([Int64])
    case uint64([UInt64])
    case floats([Float])
    case doubles([Double])
    case octets(OctetStrings)
  }

  public let column: ParquetColumn
  public let storage: Storage
  /// Of each row, whether it has a value; nil when all have.
  public let validity: [Bool]?

  /// How many rows there are, nulls included.
  public var count: Int {
    switch storage {
    case .booleans(let values): values.count
    case .int32(let values): values.count
    case .uint32(let values): values.count
    case .int64(let values): values.count
    case .uint64(let values): values.count
    case .floats(let values): values.count
    case .doubles(let values): values.count
    case .octets(let values): values.count
    }
  }

  /// Whether a row has a value. The row must exist.
  public func hasValue(_ row: Int) -> Bool { validity?[row] ?? true }

  /// One value; convenient, not fast. The row must exist.
  public subscript(row: Int) -> ParquetValue {
    guard hasValue(row) else { return .null }
    switch storage {
    case .booleans(let values): return .boolean(values[row])
    case .int32(let values): return .integer(Int64(values[row]))
    case .uint32(let values): return .unsigned(UInt64(values[row]))
    case .int64(let values): return .integer(values[row])
    case .uint64(let values): return .unsigned(values[row])
    case .floats(let values): return .float(values[row])
    case .doubles(let values): return .double(values[row])
    case .octets(let values):
      return column.logicalType == .string ? .text(values.text(row)) : .octets(values[row])
    }
  }

  /// The numbers of an integer column, those of UINT64 as their bit patterns; nil for other types.
  public var integers: [Int64]? {
    switch storage {
    case .int32(let values): values.map(Int64.init)
    case .uint32(let values): values.map(Int64.init)
    case .int64(let values): values
    case .uint64(let values): values.map(Int64.init(bitPattern:))
    default: nil
    }
  }

  /// The texts of a column of octet strings, invalid UTF-8 replaced; nil for other types.
  public var texts: [String]? {
    guard case .octets(let values) = storage else { return nil }
    return (0..<values.count).map(values.text)
  }
}

/// Octet strings as parts of one block; repeated ones may share a part.
public struct OctetStrings: Sendable {
  var octets: [UInt8]
  var starts: [UInt32]
  var lengths: [UInt32]

  /// How many there are.
  public var count: Int { starts.count }

  private func range(_ row: Int) -> Range<Int> {
    let start = Int(starts[row])
    return start..<start + Int(lengths[row])
  }

  /// One of them. The row must exist.
  public subscript(row: Int) -> [UInt8] { Array(octets[range(row)]) }

  /// One of them as UTF-8, what is not replaced by U+FFFD. The row must exist.
  public func text(_ row: Int) -> String { String(decoding: octets[range(row)], as: UTF8.self) }
}

/// The bounds of a column's values in a row group, as far as the file tells them.
public struct ColumnStatistics: Hashable, Sendable {
  /// At most the least value.
  public let minimum: ParquetValue?
  /// At least the greatest value.
  public let maximum: ParquetValue?
  /// Rows without a value.
  public let nullCount: Int?

  init(_ raw: RawStatistics, of column: ParquetColumn, isOrdered: Bool) {
    let bounds = isOrdered ? raw : RawStatistics()
    minimum = bounds.minimum.flatMap { Self.value($0, of: column) }
    maximum = bounds.maximum.flatMap { Self.value($0, of: column) }
    nullCount = raw.nullCount.flatMap { $0 >= 0 ? Int($0) : nil }
  }

  /// A bound of the wrong length is none.
  private static func value(_ octets: [UInt8], of column: ParquetColumn) -> ParquetValue? {
    let width = column.physicalType.width
    var word: UInt64 = 0
    if width <= 8 {
      for octet in octets.prefix(8).reversed() { word = word << 8 | UInt64(octet) }
    }
    switch column.physicalType {
    case .boolean: return octets.count == 1 ? .boolean(octets[0] != 0) : nil
    case .byteArray:
      return column.logicalType == .string
        ? .text(String(decoding: octets, as: UTF8.self)) : .octets(octets)
    case .fixedLengthByteArray(let length): return octets.count == length ? .octets(octets) : nil
    case .int32, .float, .int64, .double:
      guard octets.count == width else { return nil }
    }
    switch column.physicalType {
    case .float:
      let value = Float(bitPattern: UInt32(truncatingIfNeeded: word))
      return value.isNaN ? nil : .float(value)
    case .double:
      let value = Double(bitPattern: word)
      return value.isNaN ? nil : .double(value)
    case .int32:
      return column.isUnsigned
        ? .unsigned(word) : .integer(Int64(Int32(truncatingIfNeeded: word)))
    default:
      return column.isUnsigned ? .unsigned(word) : .integer(Int64(bitPattern: word))
    }
  }

  /// Whether a row group can hold an integer, time stamp or date in `range`; true when that is not known.
  public func mayContain(_ range: ClosedRange<Int64>) -> Bool {
    switch (minimum, maximum) {
    case (.integer(let least), .integer(let greatest)):
      return least <= range.upperBound && greatest >= range.lowerBound
    case (.unsigned(let least), .unsigned(let greatest)):
      guard range.upperBound >= 0 else { return false }
      return least <= UInt64(range.upperBound)
        && greatest >= UInt64(max(0, range.lowerBound))
    default: return true
    }
  }

  /// Whether a row group can hold this text; true when that is not known.
  public func mayContain(_ text: String) -> Bool {
    guard case .text(let least) = minimum, case .text(let greatest) = maximum else { return true }
    return !text.utf8.lexicographicallyPrecedes(least.utf8)
      && !greatest.utf8.lexicographicallyPrecedes(text.utf8)
  }
}
