import Casework
import Findings
import NetworkTypes
import Store
import Testing

/// Whoever sees one organisation sees nothing of another, by whatever question.
struct CaseVisibilityTests {
  let desk: CaseDesk
  let ofA = Visibility.organisation("isp-a")
  let caseOfA = "C-2026-000001"
  let caseOfB = "C-2026-000002"
  let findingOfB = sampleFinding(inB)

  init() throws {
    desk = try CaseDesk()
    try desk.record(
      [sampleFinding(inA), findingOfB, sampleFinding(inBoth), sampleFinding(inNone)], at: 1)
  }

  @Test("lists hold its own only, and count its own only, whatever the filter and search say")
  func lists() throws {
    for query in [
      ListQuery(), ListQuery(filters: ["organisation": "isp-b"]), ListQuery(search: "isp-b"),
      ListQuery(search: inB), ListQuery(filters: ["address": "0.0.0.0/0"]),
      ListQuery(filters: ["state": "open|closed"]),
      ListQuery(filters: ["organisation": "isp-b' OR 1=1 --"]),
    ] {
      let page = try desk.register.cases(query, visibleTo: ofA)
      #expect(page.rows.allSatisfy { $0.id == caseOfA })
      #expect(page.total == page.rows.count)
    }
    #expect(try desk.register.cases(visibleTo: ofA).total == 1)
    #expect(try desk.register.cases(visibleTo: .everything).total == 4)
  }

  @Test("single cases, histories and findings of others are as if they were not there")
  func single() throws {
    let register = desk.register
    #expect(try register.case(caseOfA, visibleTo: ofA) != nil)
    #expect(try register.case(caseOfB, visibleTo: ofA) == nil)
    #expect(try register.history(of: caseOfA, visibleTo: ofA).count == 1)
    #expect(try register.history(of: caseOfB, visibleTo: ofA).isEmpty)
    #expect(try register.findings(visibleTo: ofA).rows.map(\.subject.address.description) == [inA])
    #expect(try register.findings(ListQuery(search: inB), visibleTo: ofA).total == 0)
    #expect(try register.finding(findingOfB.id, visibleTo: ofA) == nil)
    #expect(try register.finding(findingOfB.id, visibleTo: .everything) == findingOfB)
    #expect(try register.findings(about: findingOfB.subject.address, visibleTo: ofA).isEmpty)
    #expect(try register.findings(ofCase: caseOfB, visibleTo: ofA).isEmpty)
    #expect(try register.findings(ofCase: caseOfA, visibleTo: ofA).count == 1)
  }

  @Test("counts and days are its own")
  func counts() throws {
    let own = try desk.register.counts(asOf: day(2), visibleTo: ofA)
    #expect(own.byState[.open] == 1)
    #expect(own.activeByOrganisation == ["isp-a": 1])
    #expect(own.findings == 1)
    #expect(own.contested == 0 && own.unassigned == 0)
    let all = try desk.register.counts(asOf: day(2), visibleTo: .everything)
    #expect(all.byState[.open] == 4)
    #expect(all.activeByKind[.infectedHost] == 4)
    #expect(all.contested == 1 && all.unassigned == 1)
    let days = try desk.register.days(from: day(0), to: day(9), visibleTo: ofA)
    #expect(days == [CaseDay(day: day(1), opened: 1, reopened: 0, closed: 0)])
    #expect(try desk.register.days(from: day(0), to: day(9), visibleTo: .everything)[0].opened == 4)
  }

  @Test("it changes nothing of another's, and is told that there is no such case")
  func actions() throws {
    let register = desk.register
    let ken = AuditEntry.Actor.user("ken")
    let lines = try desk.auditLines
    let missing = CaseError.notFound(caseOfB)
    #expect(throws: missing) {
      try register.acknowledge(caseOfB, by: ken, at: day(2), visibleTo: ofA)
    }
    #expect(throws: missing) {
      try register.markFixed(caseOfB, by: ken, at: day(2), visibleTo: ofA)
    }
    #expect(throws: missing) {
      try register.close(caseOfB, by: ken, reason: "resolved", at: day(2), visibleTo: ofA)
    }
    #expect(throws: missing) {
      try register.comment(caseOfB, by: ken, text: "hm", at: day(2), visibleTo: ofA)
    }
    #expect(throws: missing) {
      try register.assign(caseOfB, to: "ken", by: ken, at: day(2), visibleTo: ofA)
    }
    #expect(throws: missing) { try register.reopen(caseOfB, by: ken, at: day(2), visibleTo: ofA) }
    #expect(try desk.auditLines == lines)
  }
}

struct CaseListTests {
  @Test("cases are filtered by prefix, time, confidence and marking, sorted and paged")
  func filters() throws {
    let desk = try CaseDesk()
    try desk.record(sampleFinding(inA, confidence: 60), sampleFinding(inB, marking: .red), at: 1)
    try desk.record(sampleFinding(inNone), at: 3)
    func ids(_ filters: [String: String]) throws -> [String] {
      try desk.register.cases(
        ListQuery(filters: filters, sort: .init(column: "id", isAscending: true)),
        visibleTo: .everything
      ).rows.map { String($0.id.suffix(1)) }
    }
    #expect(try ids(["address": "192.0.2.0/24"]) == ["1"])
    #expect(try ids(["address": inB]) == ["2"])
    #expect(try ids(["opened_from": day(2).description]) == ["3"])
    #expect(try ids(["opened_to": day(2).description]) == ["1", "2"])
    #expect(try ids(["confidence_min": "61"]) == ["2", "3"])
    #expect(try ids(["marking": "TLP:RED"]) == ["2"])
    #expect(try ids(["responsibility": "unassigned"]) == ["3"])
    #expect(throws: ListQueryError.self) { try ids(["colour": "red"]) }
    #expect(throws: ListQueryError.self) { try ids(["address": "everywhere"]) }
    let page = try desk.register.cases(
      ListQuery(sort: .init(column: "address", isAscending: false), offset: 1, limit: 1),
      visibleTo: .everything)
    #expect(page.total == 3)
    #expect(page.rows.map(\.address.description) == [inB])
  }
}
