import NetworkTypes
import Telescope

/// The telescope's series for programs.
extension TelescopePages {
  private static let seriesParameters: [Operation.Parameter] = [
    .init(
      name: "resolution", description: "The width of a bin.",
      schema: ["type": "string", "enum": ["5min", "1h", "1d"]]),
    .init(
      name: "until", description: "The end of the range; the end of the data when absent.",
      schema: ["type": "string"]),
  ]

  private static let dimension = Operation.Parameter(
    name: "dimension", description: "What the counts are divided by.",
    schema: [
      "type": "string",
      "enum": .array(SeriesPoint.Dimension.allCases.map { .string($0.rawValue) }),
    ])

  static let seriesOperation = Operation(
    id: "telescopeSeries", summary: "Packets, bytes and unique hosts over time.", tag: "telescope",
    query: seriesParameters + [dimension],
    response: [
      "type": "object", "required": ["items"],
      "properties": [
        "items": [
          "type": "array",
          "items": [
            "type": "object", "required": ["start", "key", "packets", "bytes", "hosts"],
            "properties": [
              "start": ["type": "string", "format": "date-time"], "key": ["type": "string"],
              "packets": ["type": "integer"], "bytes": ["type": "integer"],
              "hosts": ["type": "number"],
            ],
          ],
        ]
      ],
    ])

  static let topOperation = Operation(
    id: "telescopeTop", summary: "The strongest keys of a dimension.", tag: "telescope",
    query: seriesParameters + [dimension],
    response: [
      "type": "object", "required": ["items"],
      "properties": [
        "items": [
          "type": "array",
          "items": [
            "type": "object", "required": ["key", "packets", "bytes"],
            "properties": [
              "key": ["type": "string"], "packets": ["type": "integer"],
              "bytes": ["type": "integer"],
            ],
          ],
        ]
      ],
    ])

  static let countersOperation = Operation(
    id: "telescopeCounters", summary: "What was read, and what was lost.", tag: "telescope",
    response: [
      "type": "object", "required": ["packets", "bytes", "sources", "undecoded"],
      "properties": [
        "packets": ["type": "integer"], "bytes": ["type": "integer"],
        "sources": ["type": "number"],
        "undecoded": ["type": "object", "additionalProperties": ["type": "integer"]],
      ],
    ])

  func seriesJSON(_ visit: Visit) async throws -> JSON {
    let query = try SeriesQuery(visit)
    guard let span = try await reading.span() else { return ["items": []] }
    let points = try await reading.series(query.resolution, query.dimension, query.range(span))
    return [
      "items": .array(
        points.map { point in
          [
            "start": .string(Timestamp(seconds: point.start).description),
            "key": .string(point.key), "packets": .integer(Int64(clamping: point.packets)),
            "bytes": .integer(Int64(clamping: point.bytes)), "hosts": .number(point.hosts),
          ]
        })
    ]
  }

  func topJSON(_ visit: Visit) async throws -> JSON {
    let query = try SeriesQuery(visit)
    guard let span = try await reading.span() else { return ["items": []] }
    let items = try await strongest(
      query.dimension, query.range(span), query.resolution, limit: 100)
    return [
      "items": .array(
        items.map { item in
          [
            "key": .string(item.key), "packets": .integer(Int64(clamping: item.packets)),
            "bytes": .integer(Int64(clamping: item.bytes)),
          ]
        })
    ]
  }

  static func json(_ counters: TelescopeCounters) -> JSON {
    let undecoded = counters.undecoded.sorted { $0.key < $1.key }
    return [
      "packets": .integer(Int64(clamping: counters.packets)),
      "bytes": .integer(Int64(clamping: counters.bytes)), "sources": .number(counters.sources),
      "undecoded": .object(
        undecoded.map { .init(name: $0.key, value: .integer(Int64(clamping: $0.value))) }),
    ]
  }
}
