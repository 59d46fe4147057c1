import NetworkTypes

/// The value of one cell, from which page, CSV and JSON are all made.
enum Cell: Sendable, Equatable {
  case none
  case text(String)
  case integer(Int64)
  case number(Double)
  case time(Timestamp)
  /// A word of a fixed vocabulary, shown by the catalogue.
  case choice(String)
  case country(String)
  case list([String])
  case flag(Bool)

  static func optional(_ text: String?) -> Cell { text.map { .text($0) } ?? .none }
  static func optional(_ moment: Timestamp?) -> Cell { moment.map { .time($0) } ?? .none }
  /// Counts past the range of JSON's integers stay at its end.
  static func count(_ value: UInt64) -> Cell { .integer(Int64(clamping: value)) }
}

/// One column of a table, or one field of a record.
struct Column<Row: Sendable>: Sendable {
  enum Kind: Sendable, Equatable {
    case text
    case integer
    case number
    case time
    /// A fixed vocabulary; its texts are `PREFIX.WORD` in the catalogue.
    case choice(prefix: String, words: [String])
    /// An address, which is filtered by an address or a prefix.
    case address
    case country
    /// An autonomous system, as `AS64500`.
    case system
    case list
    case flag
  }

  /// The stable name, in snake_case: query parameter, CSV header, JSON member; `column.NAME` in the
  /// catalogue.
  let name: String
  let kind: Kind
  /// Whether people may sort and filter by it.
  var isSortable = true
  var isFilterable = true
  /// Shown in exports and the API only.
  var isHidden = false
  /// In exports and the API; false for a column of buttons.
  var isExported = true
  /// What its title is called in the catalogue: `PREFIX.NAME`.
  var titleKey = "column"
  let value: @Sendable (Row) -> Cell
  /// Where the cell leads.
  var link: (@Sendable (Row) -> String?)?
  /// How a page shows it, where the value alone would not do.
  var markup: (@Sendable (Row, Visit) -> HTML)?

  init(
    _ name: String, _ kind: Kind, sort: Bool = true, filter: Bool = true, hidden: Bool = false,
    exported: Bool = true,
    link: (@Sendable (Row) -> String?)? = nil,
    markup: (@Sendable (Row, Visit) -> HTML)? = nil,
    value: @escaping @Sendable (Row) -> Cell
  ) {
    self.name = name
    self.kind = kind
    isSortable = sort
    isFilterable = filter
    isHidden = hidden
    isExported = exported
    self.value = value
    self.link = link
    self.markup = markup
  }
}

extension Column {
  /// The markup of its cell in a row.
  func html(_ row: Row, _ visit: Visit) -> HTML {
    let shown = markup?(row, visit) ?? plain(value(row), visit)
    guard let target = link?(row) else { return shown }
    return "<a href=\"\(target)\">\(shown)</a>"
  }

  private func plain(_ cell: Cell, _ visit: Visit) -> HTML {
    switch cell {
    case .none: "<span class=\"none\">–</span>"
    case .text(let text): "\(text)"
    case .integer(let value): "\(visit.number(value))"
    case .number(let value): "\(visit.number(value))"
    case .time(let moment): visit.timeElement(moment)
    case .choice(let word): "\(choiceText(word, visit))"
    case .country(let code): "\(visit.country(code))"
    case .list(let words) where words.isEmpty: "<span class=\"none\">–</span>"
    case .list(let words): words.map { "<span class=\"tag\">\($0)</span>" as HTML }.joined(" ")
    case .flag(let isSet): "\(visit.t(isSet ? "word.yes" : "word.no"))"
    }
  }

  func choiceText(_ word: String, _ visit: Visit) -> String {
    guard case .choice(let prefix, _) = kind else { return word }
    return visit.name(prefix, word)
  }

  var isNumeric: Bool { kind == .integer || kind == .number }

  /// The JSON schema of its value.
  var schema: JSON {
    switch kind {
    case .text, .address, .country, .system: ["type": ["string", "null"]]
    case .integer: ["type": ["integer", "null"]]
    case .number: ["type": ["number", "null"]]
    case .time: ["type": ["string", "null"], "format": "date-time"]
    case .choice(_, let words): ["type": "string", "enum": .array(words.map { .string($0) })]
    case .list: ["type": "array", "items": ["type": "string"]]
    case .flag: ["type": "boolean"]
    }
  }
}

extension Cell {
  var json: JSON {
    switch self {
    case .none: .null
    case .text(let text), .choice(let text), .country(let text): .string(text)
    case .integer(let value): .integer(value)
    case .number(let value): .number(value)
    case .time(let moment): .string(moment.description)
    case .list(let words): .array(words.map { .string($0) })
    case .flag(let isSet): .bool(isSet)
    }
  }

  /// The field of a CSV line, quoted where RFC 4180 §2 asks for it. A text that a spreadsheet would
  /// take for a formula gets an apostrophe in front (OWASP, "CSV Injection").
  var csv: String {
    let text: String
    switch self {
    case .none: return ""
    case .integer(let value): return String(value)
    case .number(let value): return value.isFinite ? "\(value)" : ""
    case .time(let moment): return moment.description
    case .flag(let isSet): return isSet ? "true" : "false"
    case .text(let value), .choice(let value), .country(let value): text = value
    case .list(let words): text = words.joined(separator: ";")
    }
    let safe = text.first.map { "=+-@\t\r".contains($0) } == true ? "'" + text : text
    guard safe.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return safe }
    return "\""
      + safe.split(separator: "\"", omittingEmptySubsequences: false)
      .joined(separator: "\"\"") + "\""
  }

  /// Order for sorting: nothing first, then by value; texts by their scalars without case.
  static func precedes(_ left: Cell, _ right: Cell) -> Bool {
    switch (left, right) {
    case (.none, .none): false
    case (.none, _): true
    case (_, .none): false
    case (.integer(let a), .integer(let b)): a < b
    case (.number(let a), .number(let b)): a < b
    case (.time(let a), .time(let b)): a < b
    case (.flag(let a), .flag(let b)): !a && b
    default: left.sortText < right.sortText
    }
  }

  var sortText: String {
    switch self {
    case .text(let text), .choice(let text), .country(let text): text.lowercased()
    case .list(let words): words.joined(separator: ";").lowercased()
    default: csv
    }
  }
}
