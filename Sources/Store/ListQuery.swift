/// What a person asks of a list: the same for a page of the portal, the API and the command line.
public struct ListQuery: Hashable, Sendable {
  /// Conditions by column name, all of which must hold: `state` is exactly this value, several
  /// values separated by `|` are any of them; `name_contains` holds the text in any case (ASCII);
  /// `confidence_min`, `confidence_max`, `opened_from` (at or after), `opened_to` (at or before).
  /// A prefix is a value for a column of addresses.
  public var filters: [String: String]
  /// Free text, looked for where the list says.
  public var search: String?
  public var sort: Sort?
  public var offset: Int
  /// 1...10,000.
  public var limit: Int

  public struct Sort: Hashable, Sendable {
    public var column: String
    public var isAscending: Bool

    public init(column: String, isAscending: Bool) {
      self.column = column
      self.isAscending = isAscending
    }
  }

  public init(
    filters: [String: String] = [:], search: String? = nil, sort: Sort? = nil, offset: Int = 0,
    limit: Int = 100
  ) {
    self.filters = filters
    self.search = search
    self.sort = sort
    self.offset = max(0, offset)
    self.limit = min(10_000, max(1, limit))
  }
}

/// A stretch of a list, and how long the whole is.
public struct ListPage<Row: Sendable>: Sendable {
  public var rows: [Row]
  public var total: Int

  public init(rows: [Row], total: Int) {
    self.rows = rows
    self.total = total
  }
}

/// Why a list cannot be asked that.
public enum ListQueryError: Error, Hashable, Sendable, CustomStringConvertible {
  case unknownColumn(String, known: [String])
  case badValue(column: String, value: String, expected: String)

  public var description: String {
    switch self {
    case .unknownColumn(let name, let known):
      "there is no column \(name) here; there are \(known.joined(separator: ", "))"
    case .badValue(let column, let value, let expected):
      "\"\(value)\" is no value for \(column); give \(expected)"
    }
  }
}
