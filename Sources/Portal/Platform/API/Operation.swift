import HTTPTypes

/// What the OpenAPI description says about one route of the API.
struct Operation: Sendable {
  /// `listHosts`.
  let id: String
  let summary: String
  let tag: String
  var query: [Parameter] = []
  /// The schema of the 200 response.
  let response: JSON

  struct Parameter: Sendable {
    let name: String
    let description: String
    let schema: JSON
    var isRequired = false
  }
}

/// The OpenAPI 3.1 description, made from the route table itself, so that it cannot say anything
/// else than what is answered.
enum OpenAPI {
  typealias Parameter = Operation.Parameter

  static func document(routes: [Route], version: String) -> JSON {
    var paths: [(path: String, members: [JSON.Member])] = []
    for route in routes {
      guard case .api(let operation) = route.face else { continue }
      let member = JSON.Member(
        name: route.method.rawValue.lowercased(), value: describe(operation, of: route))
      if let index = paths.firstIndex(where: { $0.path == route.path }) {
        paths[index].members.append(member)
      } else {
        paths.append((route.path, [member]))
      }
    }
    return [
      "openapi": "3.1.0",
      "info": [
        "title": "Noroshi", "version": .string(version),
        "description":
          "What the portal shows, for programs. An ISP's token sees its organisation's data only.",
        "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"],
      ],
      "servers": [["url": "/"]],
      "security": [["bearer": []]],
      "paths": .object(paths.map { .init(name: $0.path, value: .object($0.members)) }),
      "components": [
        "securitySchemes": ["bearer": ["type": "http", "scheme": "bearer"]],
        "schemas": ["Problem": problemSchema],
        "responses": ["Problem": problemResponse],
      ],
    ]
  }

  private static func describe(_ operation: Operation, of route: Route) -> JSON {
    let inPath = route.path.split(separator: "/").filter { $0.hasPrefix("{") }.map {
      part -> JSON in
      [
        "name": .string(String(part.dropFirst().dropLast())), "in": "path", "required": true,
        "schema": ["type": "string"],
      ]
    }
    let inQuery = operation.query.map { parameter -> JSON in
      [
        "name": .string(parameter.name), "in": "query",
        "required": .bool(parameter.isRequired),
        "description": .string(parameter.description), "schema": parameter.schema,
      ]
    }
    var refusals: [(String, JSON)] = [("400", problem)]
    if route.audience != .everyone { refusals += [("401", problem), ("403", problem)] }
    if !inPath.isEmpty { refusals.append(("404", problem)) }
    var members: [JSON.Member] = [
      .init(name: "operationId", value: .string(operation.id)),
      .init(name: "summary", value: .string(operation.summary)),
      .init(name: "tags", value: [.string(operation.tag)]),
      .init(name: "parameters", value: .array(inPath + inQuery)),
      .init(
        name: "responses",
        value: .object(
          [
            .init(
              name: "200",
              value: [
                "description": "The answer.",
                "content": ["application/json": ["schema": operation.response]],
              ])
          ] + refusals.map { .init(name: $0.0, value: $0.1) })),
    ]
    if route.audience == .everyone { members.append(.init(name: "security", value: [])) }
    return .object(members)
  }

  private static let problem: JSON = ["$ref": "#/components/responses/Problem"]

  private static let problemResponse: JSON = [
    "description": "Why the request was refused (RFC 9457).",
    "content": [
      "application/problem+json": ["schema": ["$ref": "#/components/schemas/Problem"]]
    ],
  ]

  private static let problemSchema: JSON = [
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "errors"],
    "properties": [
      "type": ["type": "string"], "title": ["type": "string"], "status": ["type": "integer"],
      "detail": ["type": "string"], "code": ["type": "string"],
      "errors": [
        "type": "array",
        "items": [
          "type": "object", "required": ["field", "detail"],
          "properties": ["field": ["type": "string"], "detail": ["type": "string"]],
        ],
      ],
    ],
  ]
}
