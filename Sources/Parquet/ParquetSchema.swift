/// How a column's values are stored (parquet.thrift, `Type`).
public enum PhysicalType: Hashable, Sendable, CustomStringConvertible {
  case boolean
  case int32
  case int64
  case float
  case double
  case byteArray
  /// Octets of this length, at least 1.
  case fixedLengthByteArray(Int)

  /// The number in parquet.thrift.
  var code: Int32 {
    switch self {
    case .boolean: 0
    case .int32: 1
    case .int64: 2
    case .float: 4
    case .double: 5
    case .byteArray: 6
    case .fixedLengthByteArray: 7
    }
  }

  /// Octets of a PLAIN value; 0 where they vary or are less than one.
  var width: Int {
    switch self {
    case .boolean, .byteArray: 0
    case .int32, .float: 4
    case .int64, .double: 8
    case .fixedLengthByteArray(let length): length
    }
  }

  /// The name of the format's documentation.
  public var description: String {
    switch self {
    case .boolean: "BOOLEAN"
    case .int32: "INT32"
    case .int64: "INT64"
    case .float: "FLOAT"
    case .double: "DOUBLE"
    case .byteArray: "BYTE_ARRAY"
    case .fixedLengthByteArray(let length): "FIXED_LEN_BYTE_ARRAY(\(length))"
    }
  }
}

/// What a column's values mean (parquet.thrift, `LogicalType`).
public enum LogicalType: Hashable, Sendable {
  /// A number of 8, 16, 32 or 64 bits.
  case integer(bits: Int, isSigned: Bool)
  /// Since 1970-01-01T00:00:00 UTC.
  case timestamp(TimestampUnit)
  /// UTF-8.
  case string
  /// Days since 1970-01-01.
  case date

  /// The unit of a time stamp.
  public enum TimestampUnit: Hashable, Sendable {
    case milliseconds
    case microseconds
    case nanoseconds
  }
}

/// One flat column.
public struct ParquetColumn: Hashable, Sendable {
  /// How the values of a column are laid out in its pages.
  public enum Encoding: Hashable, Sendable {
    /// What is estimated to be smallest.
    case automatic
    case plain
    /// RLE_DICTIONARY; PLAIN for a row group with more than 65,536 distinct values.
    case dictionary
    /// DELTA_BINARY_PACKED; INT32 and INT64 only.
    case delta
    /// BYTE_STREAM_SPLIT: the first octets of all values, then the second ones, and so on. Numbers
    /// without an order compress best so. INT32 and INT64 only, which readers know since version
    /// 2.11 of the format (2024): arrow 15, DuckDB 1.2.
    case streamSplit
    /// For INT32 and INT64 the smallest of dictionary, delta and stream split as a sample estimates
    /// it; `automatic` for other types.
    case compact
  }

  public let name: String
  public let physicalType: PhysicalType
  public let logicalType: LogicalType?
  /// Whether rows may lack a value.
  public let isOptional: Bool
  /// How it is to be written; `automatic` for one that was read.
  public var encoding: Encoding

  /// A column of any combination of types; the writer refuses those that the format does not know.
  public init(
    _ name: String, _ physicalType: PhysicalType, _ logicalType: LogicalType? = nil,
    isOptional: Bool = false, encoding: Encoding = .automatic
  ) {
    self.name = name
    self.physicalType = physicalType
    self.logicalType = logicalType
    self.isOptional = isOptional
    self.encoding = encoding
  }

  /// A column of whole numbers of 8, 16, 32 or 64 bits: INT32 up to 32, else INT64.
  public static func integer(
    _ name: String, bits: Int, isSigned: Bool = false, isOptional: Bool = false,
    encoding: Encoding = .automatic
  ) -> Self {
    Self(
      name, bits <= 32 ? .int32 : .int64, .integer(bits: bits, isSigned: isSigned),
      isOptional: isOptional, encoding: encoding)
  }

  /// A column of UTF-8 text.
  public static func string(
    _ name: String, isOptional: Bool = false, encoding: Encoding = .automatic
  ) -> Self {
    Self(name, .byteArray, .string, isOptional: isOptional, encoding: encoding)
  }

  /// A column of moments in UTC.
  public static func timestamp(
    _ name: String, _ unit: LogicalType.TimestampUnit = .nanoseconds, isOptional: Bool = false,
    encoding: Encoding = .automatic
  ) -> Self {
    Self(name, .int64, .timestamp(unit), isOptional: isOptional, encoding: encoding)
  }

  /// Whether values are numbers without a sign.
  public var isUnsigned: Bool {
    if case .integer(_, isSigned: false) = logicalType { true } else { false }
  }

  var typeDescription: String {
    guard let logicalType else { return "\(physicalType)" }
    return "\(physicalType) \(logicalType)"
  }

  /// Why the format does not know this column, if it does not.
  var fault: String? {
    if name.isEmpty { return "a column has no name" }
    if case .fixedLengthByteArray(let length) = physicalType, !(1...1_048_576).contains(length) {
      return "column \(name) has values of \(length) octets"
    }
    if encoding == .delta || encoding == .streamSplit, physicalType != .int32,
      physicalType != .int64
    {
      return "column \(name) is \(physicalType), which has no such encoding"
    }
    let fits: Bool
    switch logicalType {
    case nil: fits = true
    case .integer(let bits, _):
      fits =
        bits == 64 ? physicalType == .int64 : physicalType == .int32 && [8, 16, 32].contains(bits)
    case .timestamp: fits = physicalType == .int64
    case .string: fits = physicalType == .byteArray
    case .date: fits = physicalType == .int32
    }
    return fits
      ? nil
      : "column \(name) is \(physicalType), which cannot be \(String(describing: logicalType))"
  }
}

/// How pages are compressed.
public enum ParquetCompression: Hashable, Sendable {
  case none
  /// Levels 1...19; others are clamped.
  case zstd(Int)
}

/// One value of a table.
public enum ParquetValue: Hashable, Sendable {
  case null
  case boolean(Bool)
  case integer(Int64)
  case unsigned(UInt64)
  case float(Float)
  case double(Double)
  case octets([UInt8])
  case text(String)
}
