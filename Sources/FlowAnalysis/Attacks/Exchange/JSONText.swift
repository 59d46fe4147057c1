import Foundation

/// JSON whose members stay in the order in which they were written, as the published formats show
/// them.
indirect enum JSONText {
  case text(String)
  case integer(Int64)
  case decimal(Double)
  case flag(Bool)
  case null
  case list([JSONText])
  case object([(String, JSONText)])

  static func whole(_ value: Double) -> JSONText {
    .integer(value.isFinite ? Int64(min(max(value.rounded(), -9e18), 9e18)) : 0)
  }

  static func count(_ value: UInt64) -> JSONText { .integer(Int64(clamping: value)) }

  /// Numbers of 64 bits are strings in JSON made of YANG (RFC 7951 §6.1).
  static func yang64(_ value: Double) -> JSONText {
    .text(String(value.isFinite && value > 0 ? UInt64(min(value.rounded(), 1e19)) : 0))
  }

  /// RFC 8259, indented by two spaces.
  func written(indent: String = "") -> String {
    let inner = indent + "  "
    switch self {
    case .text(let text): return Self.quoted(text)
    case .integer(let value): return String(value)
    case .decimal(let value): return value.isFinite ? String(value) : "null"
    case .flag(let value): return value ? "true" : "false"
    case .null: return "null"
    case .list(let values):
      guard !values.isEmpty else { return "[]" }
      return "[\n" + values.map { inner + $0.written(indent: inner) }.joined(separator: ",\n")
        + "\n\(indent)]"
    case .object(let members):
      guard !members.isEmpty else { return "{}" }
      return "{\n"
        + members.map { "\(inner)\(Self.quoted($0.0)): \($0.1.written(indent: inner))" }
        .joined(separator: ",\n") + "\n\(indent)}"
    }
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
