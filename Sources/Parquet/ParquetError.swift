import Glibc

/// Why a Parquet file could not be read or written.
public enum ParquetError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file is not what the format says it is.
  case damaged(offset: UInt64, expected: String)
  /// The file is whole, but uses what this reader leaves out.
  case unsupported(String)
  /// The file asks for more memory than the reader's limit.
  case tooLarge(offset: UInt64, what: String, size: UInt64, limit: UInt64)
  /// The schema has no such column.
  case noColumn(String)
  /// A value of another type than the column's was appended, or one outside its range.
  case misfit(column: String, type: String)
  /// The columns of a table do not have the same number of rows.
  case uneven(column: String, rows: Int, expected: Int)
  /// A schema that cannot be written.
  case badSchema(String)
  /// The system refused an operation.
  case system(operation: String, path: String, code: Int32)

  /// What was read, where, and what to do.
  public var description: String {
    switch self {
    case .damaged(let offset, let expected):
      "the Parquet file is damaged or unfinished at octet \(offset): expected \(expected); "
        + "write it anew or restore it from a copy"
    case .unsupported(let what):
      "the Parquet file uses \(what), which is not read here; write it without"
    case .tooLarge(let offset, let what, let size, let limit):
      "\(what) at octet \(offset) of the Parquet file would take \(size), more than the limit of "
        + "\(limit); raise the limit if you trust the file"
    case .noColumn(let name): "the Parquet file has no column \(name); see its schema"
    case .misfit(let column, let type):
      "a value appended to column \(column) is not one of \(type); correct the program's schema"
    case .uneven(let column, let rows, let expected):
      "column \(column) has \(rows) rows where the table has \(expected); append to each column "
        + "once for each row"
    case .badSchema(let reason): "the schema cannot be written: \(reason); correct it"
    case .system(let operation, let path, let code):
      "\(operation) \(path): \(String(cString: strerror(code))); check the path, its permissions and "
        + "the free space"
    }
  }
}
