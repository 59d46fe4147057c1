import NetworkTypes

/// One value of a list: knows how it looks in a table, in CSV and in JSON.
enum ListCell: Sendable, Equatable, ExpressibleByStringLiteral {
  case text(String, Terminal.Style = .plain)
  case integer(Int64)
  case decimal(Double, digits: Int)
  /// Per cent, 0...100.
  case percent(Double)
  case bytes(Int64)
  case seconds(Double)
  case time(Timestamp)
  case flag(Bool)
  case list([String])
  /// Not known, or not applicable: empty in CSV, `null` in JSON.
  case none

  init(stringLiteral value: String) { self = .text(value) }

  static func text(_ value: String?) -> ListCell { value.map { .text($0, .plain) } ?? .none }
  static func count(_ value: some BinaryInteger) -> ListCell { .integer(Int64(clamping: value)) }
  static func time(_ value: Timestamp?) -> ListCell { value.map { .time($0) } ?? .none }

  var isRightAligned: Bool {
    switch self {
    case .integer, .decimal, .percent, .bytes, .seconds: true
    case .text, .time, .flag, .list, .none: false
    }
  }

  var style: Terminal.Style {
    if case .text(_, let style) = self { return style }
    return .plain
  }

  /// As a person reads it.
  var tableText: String {
    switch self {
    case .text(let text, _): DisplayWidth.printable(text)
    case .integer(let value): Quantity.grouped(value)
    case .decimal(let value, let digits): Quantity.decimal(value, digits: digits)
    // Nearly all is not all.
    case .percent(let value):
      Quantity.decimal(value, digits: value < 10 || (99..<100).contains(value) ? 1 : 0) + " %"
    case .bytes(let value): Quantity.bytes(value)
    case .seconds(let value): Quantity.duration(seconds: value)
    // Whole seconds: nobody reads the nanoseconds of a table.
    case .time(let value): Timestamp(seconds: value.seconds).description
    case .flag(let value): value ? "yes" : "no"
    case .list(let values):
      values.isEmpty ? "–" : DisplayWidth.printable(values.joined(separator: ", "))
    case .none: "–"
    }
  }

  /// As a spreadsheet or a script reads it: RFC 4180, numbers plain, times in RFC 3339.
  var csvText: String {
    switch self {
    case .text(let text, _): Self.quoted(text)
    case .integer(let value), .bytes(let value): "\(value)"
    case .decimal(let value, _), .percent(let value), .seconds(let value):
      value.isFinite ? "\(value)" : ""
    case .time(let value): value.description
    case .flag(let value): value ? "true" : "false"
    case .list(let values): Self.quoted(values.joined(separator: " "))
    case .none: ""
    }
  }

  var jsonText: String {
    switch self {
    case .text(let text, _): Self.jsonString(text)
    case .integer(let value), .bytes(let value): "\(value)"
    case .decimal(let value, _), .percent(let value), .seconds(let value):
      value.isFinite ? "\(value)" : "null"
    case .time(let value): Self.jsonString(value.description)
    case .flag(let value): value ? "true" : "false"
    case .list(let values): "[" + values.map(Self.jsonString).joined(separator: ",") + "]"
    case .none: "null"
    }
  }

  private static func quoted(_ text: String) -> String {
    // A text that a spreadsheet would run as a formula is shown as text instead (OWASP, "CSV
    // Injection"): what is listed here was partly chosen by attackers.
    let safe = text.first.map { "=+-@\t\r".contains($0) } == true ? "'" + text : text
    guard safe.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return safe }
    return "\"" + safe.replacing("\"", with: "\"\"") + "\""
  }

  /// RFC 8259, section 7.
  static func jsonString(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case _ where scalar.value < 0x20 || scalar.value == 0x7f:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
