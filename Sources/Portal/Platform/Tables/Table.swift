import Hummingbird

/// A list of the portal: one definition gives the page, the CSV and JSON exports and the API route.
struct Table<Row: Sendable>: Sendable {
  /// The catalogue's `table.NAME` (title) and `table.NAME.note`, the file name of exports, the
  /// operation's name in the API.
  let name: String
  /// Where its page is; exports are at `PATH.csv` and `PATH.json`.
  let path: String
  /// The entry of the navigation that it belongs to.
  let section: String
  let audience: Route.Audience
  let columns: [Column<Row>]
  /// `-last_seen`.
  let order: TableQuery.Order
  /// Gives the rows that the scope may see. It is asked with ``PortalParameters/exportRows`` as the
  /// size for exports.
  let rows: @Sendable (TableQuery, Visit) async throws -> Rows<Row>
  /// What stands above the table on its page: charts, forms.
  var lead: (@Sendable (Visit) async throws -> HTML)?

  var shown: [Column<Row>] { columns.filter { !$0.isHidden } }
  var exported: [Column<Row>] { columns.filter(\.isExported) }

  var routes: [Route] {
    [
      .page(path, audience) { visit in
        let lead = try await self.lead?(visit)
        return View(
          title: visit.t("table.\(name)"), section: section,
          body: try await page(visit, lead: lead ?? .empty))
      },
      Route(method: .get, path: path + ".csv", audience: audience, face: .download) { visit in
        Answer.file(
          try await csv(visit), name: "noroshi-\(name).csv", type: "text/csv; charset=utf-8")
      },
      Route(method: .get, path: path + ".json", audience: audience, face: .download) { visit in
        let query = try exportQuery(visit)
        let answer = try await rows(query, visit)
        return Answer.file(
          json(answer, query: query, next: nil).text, name: "noroshi-\(name).json",
          type: "application/json")
      },
      .api(path, audience, operation) { visit in
        let query = try query(visit)
        let answer = try await rows(query, visit)
        let hasNext = query.offset + answer.rows.count < answer.total && !answer.rows.isEmpty
        let next = hasNext ? visit.address(page: query.page + 1) : nil
        return json(answer, query: query, next: next)
      },
    ]
  }

  func query(_ visit: Visit) throws -> TableQuery {
    try TableQuery(
      visit, columns: columns, order: order, parameters: visit.platform.configuration.parameters)
  }

  private func exportQuery(_ visit: Visit) throws -> TableQuery {
    var query = try query(visit)
    query.page = 1
    query.size = visit.platform.configuration.parameters.exportRows
    return query
  }

  /// RFC 4180: one header line, CRLF, UTF-8.
  private func csv(_ visit: Visit) async throws -> String {
    let answer = try await rows(exportQuery(visit), visit)
    var result = exported.map(\.name).joined(separator: ",") + "\r\n"
    for row in answer.rows {
      result += exported.map { $0.value(row).csv }.joined(separator: ",") + "\r\n"
    }
    if answer.rows.count < answer.total {
      result += "# \(answer.total - answer.rows.count) more rows\r\n"
    }
    return result
  }

  private func json(_ answer: Rows<Row>, query: TableQuery, next: String?) -> JSON {
    [
      "items": .array(answer.rows.map { exported.json($0) }),
      "total": .integer(Int64(answer.total)), "page": .integer(Int64(query.page)),
      "size": .integer(Int64(query.size)), "next": next.map { .string($0) } ?? .null,
    ]
  }

  private var operation: Operation {
    let sorts = columns.filter(\.isSortable).flatMap { [$0.name, "-" + $0.name] }
    let paging: [Operation.Parameter] = [
      .init(
        name: "sort", description: "The column to sort by, with - for falling order.",
        schema: ["type": "string", "enum": .array(sorts.map { .string($0) })]),
      .init(
        name: "page", description: "The page, from 1.", schema: ["type": "integer", "minimum": 1]),
      .init(
        name: "size", description: "Rows on a page.",
        schema: [
          "type": "integer", "minimum": 1,
          "maximum": .integer(Int64(PortalParameters().pageSizeLimit)),
        ]),
    ]
    let words = path.split(whereSeparator: { $0 == "/" || $0 == "-" || $0 == "_" })
    return Operation(
      id: "list" + words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined(),
      summary: "Lists \(words.joined(separator: " ")).", tag: section,
      query: paging + columns.flatMap(\.filterParameters),
      response: [
        "type": "object", "required": ["items", "total", "page", "size", "next"],
        "properties": [
          "items": ["type": "array", "items": exported.schema()],
          "total": ["type": "integer"], "page": ["type": "integer"], "size": ["type": "integer"],
          "next": ["type": ["string", "null"]],
        ],
      ])
  }
}

extension Visit {
  /// This address with another page of the table, or another value of any parameter.
  func address(page: Int) -> String { address(replacing: ["page": String(page)]) }

  func address(replacing changes: [String: String?], path: String? = nil) -> String {
    var kept = query.filter { !changes.keys.contains($0.name) && !$0.value.isEmpty }
    for (name, value) in changes.sorted(by: { $0.key < $1.key }) {
      if let value { kept.append((name, value)) }
    }
    let text = kept.map { "\(QueryText.encode($0.name))=\(QueryText.encode($0.value))" }
    return (path ?? self.path) + (text.isEmpty ? "" : "?" + text.joined(separator: "&"))
  }
}

extension Array {
  /// The members of a row, under the names of its columns.
  func json<Row>(_ row: Row) -> JSON where Element == Column<Row> {
    .object(map { .init(name: $0.name, value: $0.value(row).json) })
  }

  func schema<Row>() -> JSON where Element == Column<Row> {
    [
      "type": "object", "required": .array(map { .string($0.name) }),
      "properties": .object(map { .init(name: $0.name, value: $0.schema) }),
    ]
  }
}

extension Column {
  var filterParameters: [Operation.Parameter] {
    guard isFilterable else { return [] }
    switch kind {
    case .integer, .number:
      return [
        .init(
          name: name + "_min", description: "At least so much.", schema: ["type": "number"])
      ]
        + (kind == .integer
          ? [.init(name: name, description: "Exactly so much.", schema: ["type": "integer"])] : [])
    case .time:
      return [
        .init(name: name + "_from", description: "Not before.", schema: Self.moment),
        .init(name: name + "_to", description: "Not after.", schema: Self.moment),
      ]
    case .choice(_, let words):
      return [
        .init(
          name: name, description: "Exactly this.",
          schema: ["type": "string", "enum": .array(words.map { .string($0) })])
      ]
    case .address:
      return [
        .init(
          name: name, description: "This address, or within this prefix.",
          schema: ["type": "string"])
      ]
    case .flag:
      return [
        .init(
          name: name, description: "Whether it is so.",
          schema: ["type": "string", "enum": ["true", "false"]])
      ]
    case .text, .list:
      return [
        .init(name: name, description: "Holds this text.", schema: ["type": "string"])
      ]
    case .system:
      return [
        .init(name: name, description: "An AS number.", schema: ["type": "string"])
      ]
    case .country:
      return [
        .init(
          name: name, description: "An ISO 3166-1 code.",
          schema: ["type": "string", "pattern": "^[A-Za-z]{2}$"])
      ]
    }
  }

  private static var moment: JSON {
    ["type": "string", "description": "RFC 3339, or a date."]
  }
}
