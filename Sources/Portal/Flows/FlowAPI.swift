import FlowArchive
import NetworkTypes

/// The same for programs. Each call says its purpose, and stands in the audit trail.
struct FlowAPI: Sendable {
  let inquiry: FlowInquiry
  let reading: FlowReading

  var routes: [Route] {
    [
      route("/flows", "searchFlows", "Single flows that a filter lets pass.", .list, Self.paging),
      route(
        "/flows/top", "topFlows", "The greatest values of an element, or of several.", .top,
        [
          .init(
            name: "by",
            description:
              "srcip, dstport, proto, srcip4/24, …; several with commas; dstport:p by protocol too.",
            schema: ["type": "string", "default": "srcip"])
        ] + Self.paging),
      route(
        "/flows/connections", "flowConnections", "Both directions of connections together.",
        .connections, Self.paging),
      .api("/flows/series", .staff, seriesOperation) { try await series($0) },
      .api("/flows/conversation", .staff, conversationOperation) { try await conversation($0) },
    ]
  }

  private func route(
    _ path: String, _ id: String, _ summary: String, _ view: FlowQuestion.View,
    _ parameters: [Operation.Parameter]
  ) -> Route {
    let operation = Operation(
      id: id, summary: summary, tag: "flows", query: Self.common + parameters,
      response: Self.schema(of: view))
    return .api(path, .staff, operation) { visit in
      var question = try FlowQuestion(visit)
      question.view = view
      if let sort = question.sort, FlowPlan.order(sort, of: view) == nil {
        throw Problem.field("sort", "sort")
      }
      let size = question.size ?? visit.platform.configuration.parameters.pageSize
      let limits = inquiry.desk.parameters
      let answer = try await wait(visit, question) { [question] span throws(FilterError) in
        try FlowPlan(question, span: span, size: size, limits: limits)
      }
      guard let query = answer.plan.queries.first, let result = answer.results.first else {
        throw Problem.notFound
      }
      let start = (question.page - 1) * size
      return Self.json(answer, question, query, result, rows: start..<(start + size))
    }
  }

  private func wait(
    _ visit: Visit, _ question: FlowQuestion, _ planning: @escaping FlowInquiry.Planning
  ) async throws -> FlowAnswer {
    do {
      return try await inquiry.wait(visit, question, way: "api", planning)
    } catch let fault as FilterError {
      throw Self.problem(fault, visit)
    }
  }

  static func problem(_ fault: FilterError, _ visit: Visit) -> Problem {
    Problem.field(
      "filter", "filter",
      [
        "place": String(FlowFault.characters(before: fault) + 1),
        "reason": FlowFault.text(fault, visit),
      ])
  }

  // MARK: Answers

  /// The rows of an answer, with its totals and the window that was searched.
  static func json(
    _ answer: FlowAnswer, _ question: FlowQuestion, _ query: FlowQuery, _ result: FlowQueryResult,
    rows: Range<Int>
  ) -> JSON {
    let items: [JSON]
    let total: Int
    if question.view == .list {
      let columns = FlowColumns.listing(question).filter(\.isExported)
      items = result.records.dropFirst(rows.lowerBound).prefix(rows.count).map { columns.json($0) }
      total = result.matched
    } else {
      let columns = FlowColumns.sums(query, question).filter(\.isExported)
      let keys = columns.filter { $0.titleKey == "element" }
      let sums = columns.filter { $0.titleKey == "column" }
      items = result.rows.dropFirst(rows.lowerBound).prefix(rows.count).map { row in
        .object(
          [
            .init(name: "key", value: keys.json(row))
          ] + sums.map { .init(name: $0.name, value: $0.value(row).json) })
      }
      total = result.groupCount
    }
    return .object([
      .init(name: "items", value: .array(items)),
      .init(name: "total", value: .integer(Int64(total))),
      .init(name: "totals", value: totals(answer)),
      .init(name: "window", value: window(answer)),
    ])
  }

  private static func totals(_ answer: FlowAnswer) -> JSON {
    [
      "flows": Cell.count(answer.totals.flows).json,
      "packets": Cell.count(answer.totals.packets).json,
      "bytes": Cell.count(answer.totals.bytes).json,
      "scanned": .integer(Int64(answer.results.map(\.scanned).max() ?? 0)),
      "files": .integer(Int64(answer.results.map(\.files).max() ?? 0)),
    ]
  }

  private static func window(_ answer: FlowAnswer) -> JSON {
    let window = answer.plan.window
    func end(_ moment: Timestamp?, _ none: Timestamp) -> JSON {
      moment.flatMap { $0 == none ? nil : .string($0.description) } ?? .null
    }
    return [
      "from": end(window?.lowerBound, .distantPast), "to": end(window?.upperBound, .distantFuture),
    ]
  }

  private func series(_ visit: Visit) async throws -> JSON {
    var question = try FlowQuestion(visit)
    question.view = .summary
    let limits = inquiry.desk.parameters
    let answer = try await wait(visit, question) { [question] span throws(FilterError) in
      var plan = try FlowPlan(question, span: span, size: 1, limits: limits)
      plan.queries = Array(plan.queries.prefix(1))
      return plan
    }
    return .object([
      .init(name: "items", value: .array(Self.points(answer, key: "protocol"))),
      .init(name: "step", value: .integer(answer.plan.step)),
      .init(name: "totals", value: Self.totals(answer)),
      .init(name: "window", value: Self.window(answer)),
    ])
  }

  private static func points(_ answer: FlowAnswer, key: String) -> [JSON] {
    guard let query = answer.plan.queries.first else { return [] }
    return (answer.results.first?.rows ?? []).map { row in
      .object([
        .init(name: "start", value: .string(FlowColumns.text(query.elements[0], row.key[0]))),
        .init(name: key, value: .string(FlowColumns.text(query.elements[1], row.key[1]))),
        .init(name: "flows", value: Cell.count(row.flows).json),
        .init(name: "packets", value: Cell.count(row.packets).json),
        .init(name: "bytes", value: Cell.count(row.bytes).json),
      ])
    }
  }

  private func conversation(_ visit: Visit) async throws -> JSON {
    let question = try FlowQuestion(visit)
    guard let a = question.a else { throw Problem.field("a", "empty") }
    guard let b = question.b else { throw Problem.field("b", "empty") }
    let limits = inquiry.desk.parameters
    let answer = try await wait(visit, question) { span throws(FilterError) in
      try FlowPlan(conversation: question, a: a, b: b, span: span, limits: limits)
    }
    let talk = FlowConversation(question: question, a: a, b: b, answer: answer)
    func rows(_ place: Int) -> [JSON] {
      let columns = FlowColumns.sums(answer.plan.queries[place], question).filter(\.isExported)
      return answer.results[place].rows.map { columns.json($0) }
    }
    return .object([
      .init(
        name: "directions",
        value: .array(
          talk.directions.map { direction in
            let isEmpty = direction.flows == 0
            return [
              "from": .string(direction.from.description),
              "flows": Cell.count(direction.flows).json,
              "packets": Cell.count(direction.packets).json,
              "bytes": Cell.count(direction.bytes).json,
              "start": isEmpty ? .null : Cell.optional(FlowColumns.moment(direction.first)).json,
              "end": isEmpty ? .null : Cell.optional(FlowColumns.moment(direction.last)).json,
            ]
          })),
      .init(name: "step", value: .integer(answer.plan.step)),
      .init(name: "series", value: .array(Self.points(answer, key: "from"))),
      .init(name: "ports", value: .array(rows(1))),
      .init(name: "connections", value: .array(rows(2))),
      .init(name: "window", value: Self.window(answer)),
    ])
  }
}

/// What the description says of them.
extension FlowAPI {
  private static let common: [Operation.Parameter] = [
    .init(
      name: "purpose", description: "Why these flows are looked at; it goes into the audit trail.",
      schema: ["type": "string", "minLength": 1], isRequired: true),
    .init(
      name: "filter", description: "In nfdump's language; every flow when absent.",
      schema: ["type": "string"]),
    .init(
      name: "last", description: "Back from the end of the archive; 24h when no time is given.",
      schema: ["type": "string", "enum": .array(FlowWindow.words.map { .string($0) })]),
    .init(
      name: "from", description: "From this moment on (RFC 3339, UTC without a zone).",
      schema: ["type": "string"]),
    .init(name: "to", description: "Up to this moment.", schema: ["type": "string"]),
    .init(
      name: "inside", description: "Only flows that begin and end in the time.",
      schema: ["type": "string", "enum": ["true", "false"]]),
    .init(
      name: "raw", description: "Counters as sent, not times the sampling rate.",
      schema: ["type": "string", "enum": ["true", "false"]]),
  ]

  private static let paging: [Operation.Parameter] = [
    .init(
      name: "sort", description: "A column, with - for falling order.",
      schema: ["type": "string", "enum": .array(FlowPlan.sortWords.map { .string($0) })]),
    .init(
      name: "page", description: "The page, from 1.", schema: ["type": "integer", "minimum": 1]),
    .init(
      name: "size", description: "Rows on a page.",
      schema: [
        "type": "integer", "minimum": 1,
        "maximum": .integer(Int64(PortalParameters().pageSizeLimit)),
      ]),
  ]

  private static let windowSchema: JSON = [
    "type": "object", "required": ["from", "to"],
    "properties": [
      "from": ["type": ["string", "null"], "format": "date-time"],
      "to": ["type": ["string", "null"], "format": "date-time"],
    ],
  ]

  private static let totalsSchema: JSON = [
    "type": "object", "required": ["flows", "packets", "bytes", "scanned", "files"],
    "properties": [
      "flows": ["type": "integer"], "packets": ["type": "integer"], "bytes": ["type": "integer"],
      "scanned": ["type": "integer"], "files": ["type": "integer"],
    ],
  ]

  private static func object(_ properties: [(String, JSON)]) -> JSON {
    .object([
      .init(name: "type", value: "object"),
      .init(name: "required", value: .array(properties.map { .string($0.0) })),
      .init(name: "properties", value: .object(properties.map { .init(name: $0.0, value: $0.1) })),
    ])
  }

  private static func array(_ items: JSON) -> JSON { ["type": "array", "items": items] }

  private static let keySchema: JSON = [
    "type": "object", "additionalProperties": ["type": ["string", "null"]],
  ]

  /// The schema of the rows of a kind, without the values that they are grouped by.
  private static func sums(_ kind: FlowQuery.Kind) -> [(String, JSON)] {
    guard let query = try? FlowQuery(kind) else { return [] }
    return FlowColumns.sums(query, FlowQuestion()).filter { $0.isExported }
      .filter { $0.titleKey == "column" }.map { ($0.name, $0.schema) }
  }

  private static func schema(of view: FlowQuestion.View) -> JSON {
    let items: JSON
    if view == .list {
      items = FlowColumns.listing(FlowQuestion()).filter(\.isExported).schema()
    } else {
      let kind: FlowQuery.Kind =
        view == .connections ? .biflows : .aggregation(FlowElement.connection)
      items = object([("key", keySchema)] + sums(kind))
    }
    return object([
      ("items", array(items)), ("total", ["type": "integer"]), ("totals", totalsSchema),
      ("window", windowSchema),
    ])
  }

  private static func point(_ key: String) -> JSON {
    object([
      ("start", ["type": "string", "format": "date-time"]), (key, ["type": "string"]),
      ("flows", ["type": "integer"]), ("packets", ["type": "integer"]),
      ("bytes", ["type": "integer"]),
    ])
  }

  private var seriesOperation: Operation {
    Operation(
      id: "flowSeries", summary: "Flows, packets and bytes over time, by protocol.", tag: "flows",
      query: Self.common,
      response: Self.object([
        ("items", Self.array(Self.point("protocol"))), ("step", ["type": "integer"]),
        ("totals", Self.totalsSchema), ("window", Self.windowSchema),
      ]))
  }

  private var conversationOperation: Operation {
    let address: JSON = ["type": "string"]
    let direction = Self.object([
      ("from", address), ("flows", ["type": "integer"]), ("packets", ["type": "integer"]),
      ("bytes", ["type": "integer"]), ("start", ["type": ["string", "null"]]),
      ("end", ["type": ["string", "null"]]),
    ])
    let text: JSON = ["type": ["string", "null"]]
    let ports = Self.object(
      [("srcip", text), ("proto", text), ("dstport", text)]
        + Self.sums(.aggregation(FlowElement.connection)))
    let connections = Self.object(
      FlowElement.connection.map { ($0.name, text) } + Self.sums(.biflows))
    return Operation(
      id: "flowConversation", summary: "What two addresses said to each other.", tag: "flows",
      query: ["a", "b"].map {
        .init(
          name: $0, description: "One of the two addresses.", schema: ["type": "string"],
          isRequired: true)
      } + Self.common,
      response: Self.object([
        ("directions", Self.array(direction)), ("step", ["type": "integer"]),
        ("series", Self.array(Self.point("from"))), ("ports", Self.array(ports)),
        ("connections", Self.array(connections)), ("window", Self.windowSchema),
      ]))
  }
}
