import Casework
import Constituency
import Findings
import Foundation
import NetworkTypes
import Store

/// A small constituency: `isp-a` 192.0.2.0/24, `isp-b` 198.51.100.0/24, and 203.0.113.0/24 claimed
/// by both.
func sampleIndex() throws -> ConstituencyIndex {
  ConstituencyIndex(
    try Constituency([
      Organisation(
        id: "isp-a", name: "A", roles: [.isp], prefixes: prefixes("192.0.2.0/24", "203.0.113.0/24")),
      Organisation(
        id: "isp-b", name: "B", roles: [.isp],
        prefixes: prefixes("198.51.100.0/24", "203.0.113.0/24")),
    ]))
}

private func prefixes(_ texts: String...) -> [IPPrefix] { texts.compactMap { IPPrefix($0) } }

let inA = "192.0.2.10"
let inB = "198.51.100.20"
let inBoth = "203.0.113.30"
let inNone = "233.252.0.40"

/// So many days after 2026-11-01T00:00:00Z.
func day(_ days: Double) -> Timestamp {
  Timestamp(seconds: 1_793_491_200).advanced(bySeconds: days * 86_400)
}

func sampleFinding(
  _ address: String, kind: Finding.Kind = .infectedHost, from first: Double = 0,
  to last: Double? = nil, confidence: Int = 90, marking: TrafficLight = .amber,
  sensor: String = "darknet", malware: String = "mirai"
) -> Finding {
  Finding(
    kind: kind, subject: .init(IPAddress(address) ?? IPAddress(v4: 0)), sensor: sensor,
    firstSeen: day(first), lastSeen: day(last ?? first),
    confidence: Confidence(percent: confidence),
    marking: marking, evidence: [.init(name: "mirai-sequence", summary: "40 of 40 packets")],
    attributes: ["malware.name": malware])
}

/// A register over a database in memory, or in a file.
struct CaseDesk {
  let register: CaseRegister
  let index: ConstituencyIndex

  init(path: String? = nil, parameters: CaseworkParameters = CaseworkParameters()) throws {
    let store = try path.map { try DataStore(path: $0) } ?? DataStore.inMemory()
    register = try CaseRegister(
      store: store, trail: AuditTrail(store: store), parameters: parameters)
    index = try sampleIndex()
  }

  @discardableResult
  func record(_ findings: Finding..., at days: Double) throws -> CaseChanges {
    try record(findings, at: days)
  }

  @discardableResult
  func record(_ findings: [Finding], at days: Double) throws -> CaseChanges {
    try register.record(
      findings: findings, responsibility: { index.responsible(for: $0) }, at: day(days))
  }

  func all() throws -> [Case] {
    try register.cases(
      ListQuery(sort: .init(column: "id", isAscending: true)), visibleTo: .everything
    ).rows
  }

  var auditLines: Int64 {
    get throws { try register.trail.head().sequence }
  }
}

func temporaryDirectory() throws -> URL {
  let url = FileManager.default.temporaryDirectory.appending(path: "noroshi-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  return url
}
