/// Markup that is safe to send: what is written literally is markup, what is put in is escaped.
///
/// ```swift
/// let name = "<script>"
/// let row: HTML = "<td>\(name)</td>"   // <td>&lt;script&gt;</td>
/// ```
/// Attribute values are always written in double quotes; an interpolation inside them is then safe
/// too.
struct HTML: Sendable, ExpressibleByStringInterpolation, CustomStringConvertible {
  private(set) var markup: String

  init(stringLiteral value: String) { markup = value }
  init(stringInterpolation: StringInterpolation) { markup = stringInterpolation.markup }
  /// Markup made by code that has escaped it, such as the path data of a chart.
  init(trusted markup: String) { self.markup = markup }

  static let empty: HTML = ""
  var description: String { markup }

  static func += (left: inout HTML, right: HTML) { left.markup += right.markup }
  static func + (left: HTML, right: HTML) -> HTML { HTML(trusted: left.markup + right.markup) }

  struct StringInterpolation: StringInterpolationProtocol {
    var markup: String

    init(literalCapacity: Int, interpolationCount: Int) {
      markup = ""
      markup.reserveCapacity(literalCapacity + interpolationCount * 16)
    }

    mutating func appendLiteral(_ literal: String) { markup += literal }
    mutating func appendInterpolation(_ text: String) { markup += HTML.escape(text) }
    mutating func appendInterpolation(_ number: some BinaryInteger) { markup += String(number) }
    mutating func appendInterpolation(_ html: HTML) { markup += html.markup }
    mutating func appendInterpolation(_ html: HTML?) { markup += html?.markup ?? "" }
    mutating func appendInterpolation(_ parts: [HTML]) {
      for part in parts { markup += part.markup }
    }
    /// An attribute without a value that is there or not: `<option\(when: chosen, " selected")>`.
    mutating func appendInterpolation(when condition: Bool, _ html: HTML) {
      if condition { markup += html.markup }
    }
  }

  /// The five characters that mean something in text or in a quoted attribute (HTML §13.1), and
  /// control characters, which no text of ours holds.
  static func escape(_ text: String) -> String {
    var result = ""
    result.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case "\r": break
      case "\n", "\t": result.unicodeScalars.append(scalar)
      case _ where scalar.value < 0x20 || scalar.value == 0x7f: result += "\u{fffd}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}

extension Sequence where Element == HTML {
  func joined(_ separator: HTML = "") -> HTML {
    HTML(trusted: map(\.markup).joined(separator: separator.markup))
  }
}
