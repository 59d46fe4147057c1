import FlowArchive
import FlowRecords
import NetworkTypes

/// An element of a grouping as SQL, and how its values come back.
struct ElementSQL {
  /// What the server's values are.
  enum Form {
    case number, mac
    /// One column of 32 hexadecimal digits.
    case address
    /// Two columns, the upper and the lower half as numbers.
    case halves
  }

  let form: Form
  /// What is grouped by.
  let keys: [String]

  /// What is selected for each key.
  var selected: [String] {
    form == .address ? keys.map { "hex(\($0))" } : keys
  }

  init(_ element: FlowElement) throws(ClusterError) {
    switch element.source {
    case .number(let column):
      guard column.kind != .address, column.kind != .time, column != .exporter else {
        throw .inexpressible("grouping by \(element.name)")
      }
      form = column.kind == .mac ? .mac : .number
      keys = [column.name]
    case .exporter:
      form = .address
      keys = [FlowColumn.exporter.name]
    case .observationDomain:
      form = .number
      keys = [ClusterTable.domain.name]
    case .interval(let seconds):
      form = .number
      let length = max(1, seconds) * 1_000
      // Towards the past, also before 1970.
      keys = [
        "toUInt64((intDiv(start, \(length)) - if(start < 0 AND start % \(length) != 0, 1, 0))"
          + " * \(max(1, seconds)))"
      ]
    case .address(let column, 32, 128):
      form = .address
      keys = [column.name]
    case .address(let column, let v4Bits, let v6Bits):
      form = .halves
      let isIPv4 = SQL.isIPv4(column.name)
      let upper = Self.mask(v6Bits)
      let lower = v6Bits <= 64 ? 0 : Self.mask(v6Bits - 64)
      let lower4: UInt64 = .max << UInt64(32 - min(max(0, v4Bits), 32))
      keys = [
        "bitAnd(\(SQL.upper(column.name)), if(\(isIPv4), toUInt64(\(SQL.most)), toUInt64(\(upper))))",
        "bitAnd(\(SQL.lower(column.name)), if(\(isIPv4), toUInt64(\(lower4)), toUInt64(\(lower))))",
      ]
    case .network(let column, let length):
      form = .halves
      let isIPv4 = SQL.isIPv4(column.name)
      let bits = length.name
      let lower4 =
        "bitShiftLeft(toUInt64(\(SQL.most)), toUInt8(32 - least(\(bits), 32)))"
      keys = [
        "bitAnd(\(SQL.upper(column.name)), "
          + "if(\(isIPv4), toUInt64(\(SQL.most)), \(Self.mask(bits, from: 0))))",
        "bitAnd(\(SQL.lower(column.name)), if(\(isIPv4), \(lower4), \(Self.mask(bits, from: 64))))",
      ]
    }
  }

  /// The first bits of 64.
  private static func mask(_ bits: Int) -> UInt64 {
    bits <= 0 ? 0 : UInt64.max << UInt64(64 - min(bits, 64))
  }

  /// The same of the number in a column, of which `start` bits are in the half before. A shift stays below
  /// 64, whatever the column says.
  private static func mask(_ bits: String, from start: Int) -> String {
    let shift = "toUInt8(\(start + 64) - least(greatest(\(bits), \(start + 1)), \(start + 64)))"
    return "if(\(bits) <= \(start), toUInt64(0), bitShiftLeft(toUInt64(\(SQL.most)), \(shift)))"
  }

  /// Reads a value from the columns of an answer; nil for what it cannot be.
  func value(_ cells: ArraySlice<ReplyCell>) -> FlowValue? {
    guard let first = cells.first else { return nil }
    switch form {
    case .number: return first.number.map { .number($0) }
    case .mac: return first.number.map { .mac($0) }
    case .address:
      guard let text = first.text, text.utf8.count == 32, let bits = UInt128(text, radix: 16)
      else { return nil }
      return .address(IPAddress(bits: bits))
    case .halves:
      guard cells.count == 2, let upper = first.number, let lower = cells.last?.number else {
        return nil
      }
      return .address(IPAddress(high: upper, low: lower))
    }
  }
}
