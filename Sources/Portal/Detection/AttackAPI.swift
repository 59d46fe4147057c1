import FlowAnalysis
import NetworkTypes

/// One attack for programs.
enum AttackAPI {
  private static let rate: JSON = ["type": "number"]

  static let operation = Operation(
    id: "getAttack", summary: "One attack: vectors, sources, groups of sources, rates over time.",
    tag: "attacks",
    response: [
      "type": "object",
      "required": ["attack", "peak_time", "vectors", "sources", "groups", "series"],
      "properties": [
        "attack": AttackTables.attackColumns.schema(),
        "peak_time": ["type": "string", "format": "date-time"],
        "vectors": [
          "type": "array",
          "items": [
            "type": "object",
            "required": [
              "name", "share", "packets", "bytes", "source_port", "destination_ports", "nature",
              "evidence",
            ],
            "properties": [
              "name": ["type": "string"], "share": rate, "packets": ["type": "integer"],
              "bytes": ["type": "integer"], "source_port": ["type": ["integer", "null"]],
              "destination_ports": ["type": "array", "items": ["type": "integer"]],
              "nature": [
                "type": "string",
                "enum": .array(AttackTables.natureWords.map { .string($0) }),
              ],
              "evidence": ["type": "string"],
            ],
          ],
        ],
        "sources": ["type": "array", "items": AttackPages.sourceColumns.schema()],
        "groups": [
          "type": "array",
          "items": [
            "type": "object",
            "required": ["organisation", "sources", "packets", "bytes", "direct", "reflectors"],
            "properties": [
              "organisation": ["type": ["string", "null"]], "sources": ["type": "integer"],
              "packets": ["type": "integer"], "bytes": ["type": "integer"],
              "direct": ["type": "integer"], "reflectors": ["type": "integer"],
            ],
          ],
        ],
        "series": [
          "type": "object", "required": ["start", "step_seconds", "pps", "bps"],
          "properties": [
            "start": ["type": "string", "format": "date-time"],
            "step_seconds": ["type": "integer"], "pps": ["type": "array", "items": rate],
            "bps": ["type": "array", "items": rate],
          ],
        ],
      ],
    ])

  static let mitigationOperation = Operation(
    id: "attackMitigation", summary: "Filters against an attack, as text by format.",
    tag: "attacks",
    response: [
      "type": "object",
      "required": .array(MitigationFormat.allCases.map { .string($0.rawValue) }),
      "properties": .object(
        MitigationFormat.allCases.map { .init(name: $0.rawValue, value: ["type": "string"]) }),
    ])

  static func json(_ attack: Attack, owner: (IPAddress) -> SourceOwner) -> JSON {
    let vectors = attack.vectors.map { vector -> JSON in
      [
        "name": .string(vector.name), "share": .number(vector.share),
        "packets": Cell.count(vector.volume.packets).json,
        "bytes": Cell.count(vector.volume.octets).json,
        "source_port": vector.sourcePort.map { .integer(Int64($0)) } ?? .null,
        "destination_ports": .array(vector.destinationPorts.map { .integer(Int64($0.value)) }),
        "nature": .string(vector.nature.rawValue), "evidence": .string(vector.evidence),
      ]
    }
    let groups = attack.sourceGroups(by: .organisation, owner: owner).map { group -> JSON in
      [
        "organisation": group.owner.organisation.map { .string($0) } ?? .null,
        "sources": .integer(Int64(group.sources.count)),
        "packets": Cell.count(group.packets).json, "bytes": Cell.count(group.octets).json,
        "direct": .integer(Int64(group.count(of: .direct))),
        "reflectors": .integer(Int64(group.count(of: .reflector))),
      ]
    }
    return [
      "attack": AttackTables.attackColumns.json(AttackSummary(attack)),
      "peak_time": .string(attack.peakTime.description), "vectors": .array(vectors),
      "sources": .array(attack.sources.map { AttackPages.sourceColumns.json($0) }),
      "groups": .array(groups),
      "series": [
        "start": .string(attack.start.description),
        "step_seconds": .integer(Int64(attack.series.stepSeconds)),
        "pps": .array(attack.series.packets.map { .number($0) }),
        "bps": .array(attack.series.bits.map { .number($0) }),
      ],
    ]
  }

  static func mitigations(_ attack: Attack) -> JSON {
    .object(
      MitigationFormat.allCases.map {
        .init(name: $0.rawValue, value: .string(attack.mitigation($0)))
      })
  }
}
