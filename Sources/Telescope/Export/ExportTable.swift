public import NetworkTypes
import Parquet

/// A value of an exported row, the same for every format.
public enum ExportValue: Sendable, Hashable {
  case missing
  case text(String)
  /// A count or another number without a sign.
  case count(UInt64)
  case real(Double)
  case moment(Timestamp)
  case flag(Bool)
  case address(IPAddress)
  /// Separated by semicolons in CSV and Parquet, an array in JSON.
  case list([String])
}

/// A column of an export.
public struct ExportColumn: Sendable, Hashable {
  /// What its values are; a whole number's bits bound it in Parquet.
  public enum Kind: Sendable, Hashable {
    case text
    case count(bits: Int)
    case real
    case moment
    case flag
  }

  public let name: String
  public let kind: Kind
  /// Whether a row may lack it.
  public let isOptional: Bool

  init(_ name: String, _ kind: Kind, isOptional: Bool = false) {
    self.name = name
    self.kind = kind
    self.isOptional = isOptional
  }

  var parquet: ParquetColumn {
    switch kind {
    case .text: .string(name, isOptional: isOptional)
    case .count(let bits): .integer(name, bits: bits, isOptional: isOptional)
    case .real: ParquetColumn(name, .double, isOptional: isOptional)
    case .moment: .timestamp(name, isOptional: isOptional)
    case .flag: ParquetColumn(name, .boolean, isOptional: isOptional)
    }
  }
}

/// The forms in which rows are exported.
public enum ExportFormat: String, Sendable, CaseIterable {
  case parquet
  /// RFC 4180 with a header line.
  case csv
  /// One array of objects, one object a line.
  case json
}
