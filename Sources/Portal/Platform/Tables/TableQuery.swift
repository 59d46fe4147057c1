import NetworkTypes

/// What a visitor wants of a table: which rows, in which order, which page of them.
struct TableQuery: Sendable {
  struct Filter: Sendable {
    let column: String
    let condition: Condition
  }

  enum Condition: Sendable, Equatable {
    /// Holds the text, in any case.
    case contains(String)
    case equals(String)
    case within(IPPrefix)
    case atLeast(Double)
    case from(Timestamp)
    /// Before the end of the moment given.
    case until(Timestamp)
    case flag(Bool)
  }

  struct Order: Sendable, Equatable {
    let column: String
    let isDescending: Bool

    init(_ text: String) {
      isDescending = text.hasPrefix("-")
      column = isDescending ? String(text.dropFirst()) : text
    }

    var text: String { (isDescending ? "-" : "") + column }
  }

  var filters: [Filter] = []
  var order: Order
  /// From 1.
  var page = 1
  var size: Int

  var offset: Int { (page - 1) * size }

  init(order: Order, size: Int, page: Int = 1, filters: [Filter] = []) {
    self.order = order
    self.size = size
    self.page = page
    self.filters = filters
  }
}

/// A page of rows, and how many there are in all.
struct Rows<Row: Sendable>: Sendable {
  var rows: [Row]
  var total: Int

  init(_ rows: [Row], total: Int) {
    self.rows = rows
    self.total = total
  }
}

extension TableQuery {
  /// Reads the query parameters of a table; empty values (an untouched form field) mean nothing.
  /// - Throws: ``Problem`` 400 that names the parameter.
  init<Row>(
    _ visit: Visit, columns: [Column<Row>], order: Order, parameters: PortalParameters
  ) throws {
    self.init(order: order, size: parameters.pageSize)
    for (name, value) in visit.query where !value.isEmpty {
      switch name {
      case "sort":
        let wanted = Order(value)
        guard columns.contains(where: { $0.name == wanted.column && $0.isSortable }) else {
          throw Problem.field("sort", "sort")
        }
        self.order = wanted
      case "page": page = try Self.whole(name, value, 1...1_000_000)
      case "size": size = try Self.whole(name, value, 1...parameters.pageSizeLimit)
      case "lang": break
      default: filters += try Self.filter(name, value, columns, visit.inputZone)
      }
    }
  }

  private static func whole(_ name: String, _ value: String, _ range: ClosedRange<Int>) throws
    -> Int
  {
    guard let number = Int(value), range.contains(number) else {
      throw Problem.field(
        name, "whole",
        ["from": String(range.lowerBound), "to": String(range.upperBound)])
    }
    return number
  }

  private static func filter<Row>(
    _ name: String, _ value: String, _ columns: [Column<Row>], _ zone: Zone
  ) throws -> [Filter] {
    for column in columns where column.isFilterable {
      let condition: Condition
      switch (column.kind, name) {
      case (.integer, column.name + "_min"), (.number, column.name + "_min"):
        guard let number = Double(value), number.isFinite else {
          throw Problem.field(name, "number")
        }
        condition = .atLeast(number)
      case (.time, column.name + "_from"), (.time, column.name + "_to"):
        guard let moment = Timestamp(dateOrMoment: value, in: zone) else {
          throw Problem.field(name, "time")
        }
        condition = name.hasSuffix("_from") ? .from(moment) : .until(moment)
      case (.address, column.name):
        guard let prefix = IPPrefix(value) else { throw Problem.field(name, "address") }
        condition = .within(prefix)
      case (.choice(_, let words), column.name):
        guard words.contains(value) else {
          throw Problem.field(name, "choice", ["words": words.joined(separator: ", ")])
        }
        condition = .equals(value)
      case (.country, column.name):
        guard let code = CountryCode(value.uppercased()) else {
          throw Problem.field(name, "country")
        }
        condition = .equals(code.description)
      case (.system, column.name):
        guard let asn = ASN(text: value) else { throw Problem.field(name, "system") }
        condition = .equals(asn.description)
      case (.flag, column.name):
        guard value == "true" || value == "false" else { throw Problem.field(name, "flag") }
        condition = .flag(value == "true")
      case (.integer, column.name):
        guard Int64(value) != nil else { throw Problem.field(name, "number") }
        condition = .equals(value)
      case (.text, column.name), (.list, column.name): condition = .contains(value)
      default: continue
      }
      return [Filter(column: column.name, condition: condition)]
    }
    throw Problem.field(name, "unknown")
  }

  /// Answers from rows in memory: for tables that stay small.
  func answer<Row>(_ rows: [Row], columns: [Column<Row>]) -> Rows<Row> {
    let conditions = filters.compactMap { filter in
      columns.first { $0.name == filter.column }.map { ($0, filter.condition) }
    }
    var chosen = rows.filter { row in
      conditions.allSatisfy { column, condition in condition.holds(column.value(row)) }
    }
    if let column = columns.first(where: { $0.name == order.column }) {
      let keyed = chosen.enumerated().map { (key: column.sortKey($1), place: $0, row: $1) }
      chosen = keyed.sorted { left, right in
        let (first, second) = order.isDescending ? (right.key, left.key) : (left.key, right.key)
        if Cell.precedes(first, second) { return true }
        return Cell.precedes(second, first) ? false : left.place < right.place
      }.map(\.row)
    }
    let total = chosen.count
    return Rows(Array(chosen.dropFirst(offset).prefix(size)), total: total)
  }
}

extension Column {
  /// What rows are sorted by: addresses and systems by their numbers, as the database does.
  fileprivate func sortKey(_ row: Row) -> Cell {
    let cell = value(row)
    guard case .text(let text) = cell else { return cell }
    switch kind {
    case .address:
      return IPAddress(text).map { .text(Secret.hex(AddressOctets.of($0))) } ?? .none
    case .system: return ASN(text: text).map { .integer(Int64($0.number)) } ?? .none
    default: return cell
    }
  }
}

extension TableQuery.Condition {
  func holds(_ cell: Cell) -> Bool {
    switch (self, cell) {
    case (.contains(let part), .list(let words)):
      words.contains { $0.lowercased().contains(part.lowercased()) }
    case (.contains(let part), .text(let text)), (.contains(let part), .choice(let text)):
      text.lowercased().contains(part.lowercased())
    case (.equals(let word), .text(let text)), (.equals(let word), .choice(let text)),
      (.equals(let word), .country(let text)):
      word == text
    case (.equals(let word), .integer(let value)): word == String(value)
    case (.within(let prefix), .text(let text)):
      IPAddress(text).map { prefix.contains($0) } ?? false
    case (.atLeast(let least), .integer(let value)): Double(value) >= least
    case (.atLeast(let least), .number(let value)): value >= least
    case (.from(let start), .time(let moment)): moment >= start
    case (.until(let end), .time(let moment)): moment <= end
    case (.flag(let wanted), .flag(let isSet)): wanted == isSet
    default: false
    }
  }
}

extension Timestamp {
  /// RFC 3339, or what an `<input type="datetime-local">` or `type="date"` sends; what names no zone is
  /// read in the one given.
  init?(dateOrMoment text: String, in zone: Zone) {
    let whole =
      switch text.utf8.count {
      case 10: text + "T00:00:00"
      case 16: text + ":00"
      default: text
      }
    // A zone stands at the end: Z, or +09:00.
    let end = whole.utf8.suffix(6)
    let isZoned =
      whole.hasSuffix("Z") || whole.hasSuffix("z")
      || (end.count == 6 && (end.first == UInt8(ascii: "+") || end.first == UInt8(ascii: "-")))
    guard let moment = Timestamp(whole) else { return nil }
    self = isZoned ? moment : moment.advanced(bySeconds: -Double(zone.offsetSeconds))
  }
}
