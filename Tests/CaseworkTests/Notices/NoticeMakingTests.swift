import Constituency
import Findings
import Foundation
import NetworkTypes
import Store
import Testing

@testable import Casework

@Suite("Which notices are made when")
struct NoticeMakingTests {
  private let morning = NoticeHouse.morning

  private func later(_ hours: Double) -> Timestamp { morning.advanced(bySeconds: hours * 3_600) }

  @Test("each organisation gets one notice with its own cases, in order of the addresses")
  func ownCases() throws {
    let house = try NoticeHouse()
    defer { house.remove() }
    _ = try house.record([
      NoticeHouse.infected("198.51.100.5"), NoticeHouse.infected("192.0.2.20"),
      NoticeHouse.infected("192.0.2.3"), NoticeHouse.infected("203.0.113.1"),
    ])
    let report = try house.make()
    #expect(report.problems == [])
    #expect(report.made.map(\.organisation) == ["kaede", "momiji"])
    #expect(report.made.map(\.number) == ["N-20261125-0001", "N-20261125-0002"])
    #expect(report.made[0].cases.count == 2)
    let parts = try #require(
      try house.outbox.notice(report.made[0].id, visibleTo: .everything)
    ).parts
    for part in parts {
      #expect(part.text.contains("192.0.2.20"))
      #expect(!part.text.contains("198.51.100.5") && !part.text.contains("203.0.113.1"))
    }
    let held = try house.make().held
    #expect(held[.unassigned]?.count == 1)
    #expect(held[.alreadyTold]?.count == 3)
    #expect(try house.isTrailIntact)
  }

  @Test("the same state again makes nothing, and the identifier follows from the content")
  func idempotence() throws {
    let house = try NoticeHouse()
    defer { house.remove() }
    _ = try house.record([NoticeHouse.infected("192.0.2.3")])
    let first = try house.make().made
    #expect(first.count == 1)
    #expect(try house.make(at: later(30)).made.isEmpty)
    let other = try NoticeHouse()
    defer { other.remove() }
    _ = try other.record([NoticeHouse.infected("192.0.2.3")])
    #expect(try other.make().made.map(\.id) == first.map(\.id))
  }

  @Test("a daily notice waits for nine o'clock and then holds all that was collected")
  func daily() throws {
    var house = try NoticeHouse()
    defer { house.remove() }
    try house.constituency.update("kaede") { $0.delivery.intervalSeconds = 86_400 }
    _ = try house.record([NoticeHouse.infected("192.0.2.3")], at: later(1))
    #expect(try house.make(at: later(2)).held[.notDue]?.count == 1)
    _ = try house.record([NoticeHouse.infected("192.0.2.4")], at: later(23))
    #expect(try house.make(at: later(23.9)).made.isEmpty)
    #expect(try house.make(at: later(24)).made.map(\.cases.count) == [2])
    _ = try house.record([NoticeHouse.infected("192.0.2.5")], at: later(25))
    #expect(try house.make(at: later(26)).made.isEmpty)
    #expect(try house.make(at: later(26), isForced: true).made.count == 1)
  }

  @Test(
    "the moments of an interval are counted from nine o'clock in the zone of the sender",
    arguments: [
      ("2026-11-25T00:00:00Z", 86_400, "2026-11-25T00:00:00Z"),
      ("2026-11-24T23:59:59Z", 86_400, "2026-11-24T00:00:00Z"),
      ("2026-11-25T00:30:00Z", 3_600, "2026-11-25T00:00:00Z"),
      // 2026-11-23 was a Monday.
      ("2026-11-25T12:00:00Z", 604_800, "2026-11-23T00:00:00Z"),
      ("1969-12-31T12:00:00Z", 86_400, "1969-12-31T00:00:00Z"),
    ])
  func slots(_ now: String, _ interval: Int, _ slot: String) {
    let time = LocalTime("Asia/Tokyo")
    let found = time.slot(
      atOrBefore: NoticeHouse.moment(now), interval: interval, dailyAt: 540)
    #expect(found == NoticeHouse.moment(slot))
  }

  @Test("do-not-notify, never, confidence, marking and a missing contact hold a case back, visibly")
  func holds() throws {
    let expected: [(Directive.Hold, (inout Organisation) -> Void)] = [
      (.doNotNotify, { $0.delivery.doNotNotify = true }),
      (.doNotNotify, { $0.contacts[0].doNotNotify = true }),
      (.never, { $0.delivery.intervalSeconds = -1 }),
      (.confidence, { $0.delivery.minimumConfidence = 100 }),
      (.marking, { $0.delivery.maximumMarking = "TLP:GREEN" }),
      (
        .noContact,
        {
          $0.delivery.channels = [.smtp]
          $0.contacts = []
        }
      ),
    ]
    for (hold, change) in expected {
      var house = try NoticeHouse()
      defer { house.remove() }
      let changes = try house.record([NoticeHouse.infected("192.0.2.3")])
      try house.constituency.update("kaede", change)
      let report = try house.make()
      #expect(report.made.isEmpty)
      #expect(report.held == [hold: changes.opened])
      let item = try #require(
        try house.register.case(changes.opened[0], visibleTo: .everything))
      #expect(item.state == (hold == .noContact ? .unreachable : .open))
    }
  }

  @Test("one contact that wants nothing does not silence the other")
  func oneContact() throws {
    var house = try NoticeHouse(channel: .smtp)
    defer { house.remove() }
    try house.constituency.update("kaede") {
      $0.contacts[0].doNotNotify = true
      $0.contacts.append(Contact(name: "NOC", email: "noc@kaede.example", language: .english))
      $0.contacts.append(Contact(name: "Boss", email: "boss@kaede.example", role: .administrative))
    }
    _ = try house.record([NoticeHouse.infected("192.0.2.3")])
    let notice = try #require(try house.make().made.first)
    let record = try #require(try house.outbox.notice(notice.id, visibleTo: .everything))
    #expect(record.deliveries.map(\.target) == ["noc@kaede.example"])
    #expect(record.parts.compactMap(\.language) == [.english])
  }

  @Test("aggregation by kind and by case makes a notice for each")
  func aggregation() throws {
    for (aggregation, count) in [
      (DeliveryPreferences.Aggregation.nothing, 1), (.kind, 2), (.address, 3),
    ] {
      var house = try NoticeHouse()
      defer { house.remove() }
      try house.constituency.update("kaede") { $0.delivery.aggregateBy = aggregation }
      _ = try house.record([
        NoticeHouse.infected("192.0.2.3"), NoticeHouse.infected("192.0.2.4"),
        NoticeHouse.victim("192.0.2.5"),
      ])
      let made = try house.make().made
      #expect(made.count == count)
      #expect(made.flatMap(\.cases).count == 3)
    }
  }

  @Test("a case is told again after the repeat interval, and only when it was seen since")
  func repeats() throws {
    let house = try NoticeHouse()
    defer { house.remove() }
    _ = try house.record([NoticeHouse.infected("192.0.2.3")])
    #expect(try house.make().made.count == 1)
    // Not seen since: never again.
    #expect(try house.make(at: later(24 * 8)).made.isEmpty)
    _ = try house.record(
      [NoticeHouse.infected("192.0.2.3", last: "2026-11-25T06:00:00Z")], at: later(6))
    #expect(try house.make(at: later(7)).held[.alreadyTold]?.count == 1)
    #expect(try house.make(at: later(24 * 7 - 1)).made.isEmpty)
    #expect(try house.make(at: later(24 * 7)).made.count == 1)
  }

  @Test("a case that came back, or is now better known, is told at once")
  func changes() throws {
    let house = try NoticeHouse()
    defer { house.remove() }
    let id = try house.record([NoticeHouse.infected("192.0.2.3", confidence: 60, malware: nil)])
      .opened[0]
    #expect(try house.make().made.count == 1)
    _ = try house.record(
      [
        NoticeHouse.infected(
          "192.0.2.3", first: "2026-11-25T01:00:00Z", last: "2026-11-25T02:00:00Z")
      ],
      at: later(2))
    #expect(try house.make(at: later(3)).made.count == 1)
    try house.register.close(
      id, by: .user("hanako"), reason: "resolved", at: later(4), visibleTo: .everything)
    _ = try house.record(
      [
        NoticeHouse.infected(
          "192.0.2.3", first: "2026-11-25T05:00:00Z", last: "2026-11-25T06:00:00Z")
      ],
      at: later(6))
    let again = try house.make(at: later(7)).made
    #expect(again.map(\.cases) == [[id]])
  }

  @Test("more cases than a notice takes make several notices, none left out")
  func splitting() throws {
    var parameters = try NoticeHouse.parameters
    parameters.casesPerNotice = 10
    let house = try NoticeHouse(notices: parameters)
    defer { house.remove() }
    let changes = try house.record((1...25).map { NoticeHouse.infected("192.0.2.\($0)") })
    let made = try house.make().made
    #expect(made.map(\.cases.count) == [10, 10, 5])
    #expect(Set(made.flatMap(\.cases)) == Set(changes.opened))
  }

  @Test("a reader sees the notices of its own organisation and no others")
  func visibility() throws {
    let house = try NoticeHouse()
    defer { house.remove() }
    let opened = try house.record([
      NoticeHouse.infected("192.0.2.3"), NoticeHouse.infected("198.51.100.5"),
    ]).opened
    let made = try house.make().made
    let kaede = Visibility.organisation("kaede")
    let page = try house.outbox.notices(ListQuery(), visibleTo: kaede)
    #expect(page.rows.map(\.organisation) == ["kaede"])
    #expect(page.total == 1)
    #expect(try house.outbox.notice(made[1].id, visibleTo: kaede) == nil)
    #expect(try house.outbox.notice(made[1].number, visibleTo: kaede) == nil)
    #expect(try house.outbox.notice(made[0].number, visibleTo: kaede)?.notice == made[0])
    #expect(try house.outbox.deliveries(ListQuery(), visibleTo: kaede).total == 1)
    #expect(try house.outbox.deliveries(ListQuery(), visibleTo: .everything).total == 2)
    #expect(try house.outbox.counts(visibleTo: kaede)[.pending] == 1)
    #expect(try house.outbox.notices(ofCase: opened[1], visibleTo: kaede).isEmpty)
    #expect(
      try house.outbox.notices(ofCase: opened[1], visibleTo: .everything).map(\.number)
        == [made[1].number])
  }

  @Test("lists filter, search, sort and page; an unknown column is refused")
  func lists() throws {
    let house = try NoticeHouse()
    defer { house.remove() }
    _ = try house.record([NoticeHouse.infected("192.0.2.3"), NoticeHouse.victim("198.51.100.5")])
    _ = try house.make()
    func numbers(_ query: ListQuery) throws -> [String] {
      try house.outbox.notices(query, visibleTo: .everything).rows.map(\.organisation)
    }
    #expect(try numbers(ListQuery(filters: ["state": "pending"])).count == 2)
    #expect(try numbers(ListQuery(filters: ["state": "delivered|failed"])).isEmpty)
    #expect(try numbers(ListQuery(filters: ["marking": "TLP:GREEN"])) == ["momiji"])
    #expect(try numbers(ListQuery(search: "KAEDE")) == ["kaede"])
    #expect(
      try numbers(ListQuery(sort: .init(column: "organisation", isAscending: false), limit: 1))
        == ["momiji"])
    #expect(throws: ListQueryError.self) { try numbers(ListQuery(filters: ["colour": "red"])) }
  }
}

@Suite("The last wall before a notice")
struct NoticeWallTests {
  private func told(_ address: String, owner: CaseResponsibility, marking: TrafficLight = .amber)
    -> NoticeCase
  {
    let finding = NoticeHouse.infected(address, marking: marking)
    return NoticeCase(
      item: Case(
        id: "C-\(address)", kind: .infectedHost, address: finding.subject.address,
        responsibility: owner, state: .open, opened: finding.firstSeen, updated: finding.lastSeen,
        firstSeen: finding.firstSeen, lastSeen: finding.lastSeen, confidence: finding.confidence,
        marking: marking, findings: 1), findings: [finding])
  }

  private func check(_ cases: [NoticeCase], naming: [String]? = nil) throws {
    let notice = Notice(
      id: "00", number: "N-1", organisation: "kaede", aggregate: "organisation",
      created: NoticeHouse.morning, firstSeen: NoticeHouse.morning, lastSeen: NoticeHouse.morning,
      marking: .amber, cases: naming ?? cases.map(\.item.id))
    try NoticeRenderer.check(
      notice, cases, NoticeHouse.provider("kaede", ja: "楓", prefix: "192.0.2.0/24"))
  }

  @Test("a notice with somebody else's case, or with findings of another address, is not made")
  func foreign() throws {
    let own = told("192.0.2.1", owner: .organisation("kaede"))
    try check([own])
    for owner in [
      CaseResponsibility.organisation("momiji"), .unassigned, .contested(["kaede", "momiji"]),
    ] {
      #expect(throws: NoticeError.self) { try check([own, told("192.0.2.2", owner: owner)]) }
    }
    let mixed = NoticeCase(item: own.item, findings: [NoticeHouse.infected("198.51.100.1")])
    #expect(throws: NoticeError.self) { try check([mixed]) }
    let empty = NoticeCase(item: own.item, findings: [])
    #expect(throws: NoticeError.self) { try check([empty]) }
    #expect(throws: NoticeError.self) {
      try check([told("192.0.2.3", owner: .organisation("kaede"), marking: .red)])
    }
    #expect(throws: NoticeError.self) { try check([own], naming: ["C-other"]) }
  }

  @Test("for random houses, every notice holds exactly the open cases of its organisation")
  func property() throws {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<10 {
      let house = try NoticeHouse()
      defer { house.remove() }
      let nets = ["192.0.2", "198.51.100", "203.0.113"]
      let findings = (0..<40).map { _ in
        let address =
          "\(nets.randomElement(using: &generator) ?? "192.0.2").\(Int.random(in: 1...254))"
        return Bool.random() ? NoticeHouse.infected(address) : NoticeHouse.victim(address)
      }
      _ = try house.record(findings)
      let made = try house.make().made
      for notice in made {
        let own = try house.register.cases(
          ListQuery(limit: 1_000), visibleTo: .organisation(notice.organisation)
        ).rows
        #expect(Set(notice.cases) == Set(own.map(\.id)))
      }
    }
  }
}
