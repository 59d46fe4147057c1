import Foundation
public import GRDB

/// A column of a list as SQL: what may be filtered and sorted, and how text becomes its values.
public struct ListColumn: Sendable {
  public let name: String
  /// The SQL expression; it comes from the program, never from a visitor.
  public let expression: String
  /// What a value must look like, for the error message.
  public let expected: String
  /// The smallest and the largest stored value that the text stands for; nil for a wrong text.
  public let values: @Sendable (String) -> ClosedRange<Key>?

  /// A stored value, in SQLite's order within one type.
  public enum Key: Hashable, Comparable, Sendable {
    case integer(Int64)
    case text(String)
    case bytes([UInt8])

    var databaseValue: DatabaseValue {
      switch self {
      case .integer(let number): number.databaseValue
      case .text(let text): text.databaseValue
      case .bytes(let bytes): Data(bytes).databaseValue
      }
    }

    public static func < (left: Key, right: Key) -> Bool {
      switch (left, right) {
      case (.integer(let first), .integer(let second)): first < second
      case (.text(let first), .text(let second)):
        first.utf8.lexicographicallyPrecedes(second.utf8)
      case (.bytes(let first), .bytes(let second)): first.lexicographicallyPrecedes(second)
      case (.integer, _), (.text, .bytes): true
      default: false
      }
    }
  }

  public init(
    _ name: String, expression: String? = nil, expected: String,
    values: @escaping @Sendable (String) -> ClosedRange<Key>?
  ) {
    self.name = name
    self.expression = expression ?? name
    self.expected = expected
    self.values = values
  }

  /// Text, compared byte by byte.
  public static func text(_ name: String, expression: String? = nil) -> ListColumn {
    ListColumn(name, expression: expression, expected: "a text") { .text($0)...Key.text($0) }
  }

  /// Whole numbers.
  public static func integer(_ name: String, expression: String? = nil) -> ListColumn {
    ListColumn(name, expression: expression, expected: "a whole number") { text in
      Int64(text).map { .integer($0)...Key.integer($0) }
    }
  }

  /// Words that each stand for a stored value.
  public static func choice(
    _ name: String, expression: String? = nil, _ words: [String: Int64]
  ) -> ListColumn {
    let known = words.keys.sorted { (words[$0] ?? 0, $0) < (words[$1] ?? 0, $1) }
    return ListColumn(
      name, expression: expression, expected: "one of " + known.joined(separator: ", ")
    ) { text in words[text].map { .integer($0)...Key.integer($0) } }
  }
}

/// A ``ListQuery`` translated for one list: conditions, order and page, with bound values only.
public struct ListStatement: Sendable {
  private var conditions: [String] = []
  private var values: [DatabaseValue] = []
  private let order: String
  private let offset: Int
  private let limit: Int

  /// - Parameters:
  ///   - searched: the columns in which ``ListQuery/search`` is looked for.
  ///   - order: the order where the query has none.
  ///   - tieBreak: a unique SQL expression, so that pages neither repeat nor skip a row.
  /// - Throws: ``ListQueryError``.
  public init(
    _ query: ListQuery, columns: [ListColumn], searched: [String], order: ListQuery.Sort,
    tieBreak: String
  ) throws {
    let byName = Dictionary(columns.map { ($0.name, $0) }) { first, _ in first }
    func unknown(_ name: String) -> ListQueryError {
      .unknownColumn(name, known: columns.map(\.name))
    }
    let sort = query.sort ?? order
    guard let sorted = byName[sort.column] else { throw unknown(sort.column) }
    let direction = sort.isAscending ? "ASC" : "DESC"
    self.order = "\(sorted.expression) \(direction), \(tieBreak) \(direction)"
    offset = query.offset
    limit = query.limit
    // In the order of the names, so that equal queries make equal, cacheable SQL.
    for (name, value) in query.filters.sorted(by: { $0.key < $1.key }) {
      guard try add(name, value, byName) else { throw unknown(name) }
    }
    if let search = query.search, !search.isEmpty {
      let expressions = searched.compactMap { byName[$0]?.expression }
      conditions.append(
        "(" + expressions.map { "instr(lower(\($0)), lower(?)) > 0" }.joined(separator: " OR ")
          + ")")
      values += expressions.map { _ in search.databaseValue }
    }
  }

  private mutating func add(_ name: String, _ value: String, _ columns: [String: ListColumn]) throws
    -> Bool
  {
    if let column = columns[name] {
      let alternatives = try value.split(separator: "|", omittingEmptySubsequences: false).map {
        try Self.range(column, name, String($0))
      }
      var tests: [String] = []
      for range in alternatives {
        if range.lowerBound == range.upperBound {
          tests.append("\(column.expression) = ?")
          values.append(range.lowerBound.databaseValue)
        } else {
          tests.append("\(column.expression) BETWEEN ? AND ?")
          values += [range.lowerBound.databaseValue, range.upperBound.databaseValue]
        }
      }
      conditions.append("(" + tests.joined(separator: " OR ") + ")")
      return true
    }
    for (suffix, comparison) in [
      ("_min", ">="), ("_from", ">="), ("_max", "<="), ("_to", "<="), ("_contains", ""),
    ] where name.hasSuffix(suffix) {
      guard let column = columns[String(name.dropLast(suffix.count))] else { continue }
      if comparison.isEmpty {
        conditions.append("instr(lower(\(column.expression)), lower(?)) > 0")
        values.append(value.databaseValue)
      } else {
        let range = try Self.range(column, name, value)
        conditions.append("\(column.expression) \(comparison) ?")
        values.append(
          (comparison == ">=" ? range.lowerBound : range.upperBound).databaseValue)
      }
      return true
    }
    return false
  }

  private static func range(_ column: ListColumn, _ name: String, _ value: String) throws
    -> ClosedRange<ListColumn.Key>
  {
    guard let range = column.values(value) else {
      throw ListQueryError.badValue(column: name, value: value, expected: column.expected)
    }
    return range
  }

  /// Adds a condition that the program itself demands, such as who may see what.
  public mutating func require(_ condition: String, _ bound: [DatabaseValue] = []) {
    conditions.append("(\(condition))")
    values += bound
  }

  private var whereClause: String {
    conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")
  }

  /// Fetches the page and the total in the transaction of `database`.
  public func page<Value: Sendable>(
    of selection: String, from source: String, in database: Database,
    row: (Row) throws -> Value
  ) throws -> ListPage<Value> {
    let arguments = StatementArguments(values)
    let total =
      try Int.fetchOne(
        database, sql: "SELECT COUNT(*) FROM \(source)\(whereClause)", arguments: arguments) ?? 0
    let rows = try Row.fetchCursor(
      database,
      sql: "SELECT \(selection) FROM \(source)\(whereClause) ORDER BY \(order) LIMIT ? OFFSET ?",
      arguments: arguments + [limit, offset])
    var values: [Value] = []
    while let next = try rows.next() { values.append(try row(next)) }
    return ListPage(rows: values, total: total)
  }
}
