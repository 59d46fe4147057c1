import Constituency
import Foundation
import Hummingbird
import HummingbirdTesting
import NetworkTypes
import Store
import Testing

@testable import Portal

/// Foundation has an Operation too.
private typealias APIParameter = OpenAPI.Parameter

@Suite("From the stores of the systems")
struct LiveTests {
  /// The items of an API answer, or nothing where it refused.
  static func items(_ visitor: Visitor, _ path: String) async throws -> [[String: Any]] {
    let answer = try await visitor.get(path)
    #expect(answer.status == 200, "\(path): \(answer.body.prefix(300))")
    let object = try? JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? [String: Any]
    return object?["items"] as? [[String: Any]] ?? []
  }

  @Test("every parameter that the description names is answered by the database")
  func everyParameter() async throws {
    let house = try await LiveHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("admin")
      for route in house.portal.routes {
        guard case .api(let operation) = route.face, !route.path.contains("{") else { continue }
        for parameter in operation.query {
          for value in Self.values(of: parameter) {
            let path = "\(route.path)?\(parameter.name)=\(QueryText.encode(value))"
            let answer = try await visitor.get(path)
            #expect(answer.status == 200, "\(path): \(answer.body.prefix(200))")
          }
        }
      }
    }
  }

  private static func values(of parameter: APIParameter) -> [String] {
    if case .array(let words) = parameter.schema["enum"] {
      return words.compactMap { if case .string(let word) = $0 { word } else { nil } }
    }
    if parameter.name.hasSuffix("_from") || parameter.name.hasSuffix("_to")
      || parameter.name == "until"
    {
      return ["2026-11-21T10:00:00Z", "2026-11-21"]
    }
    switch parameter.name {
    case "country": return ["jp"]
    case "asn": return ["AS64500"]
    case "address", "source", "victim", "target": return ["192.0.2.0/24", "2001:db8::1"]
    case "page", "size": return ["1"]
    default: return parameter.schema["type"] == "string" ? ["a%_'\"\\"] : ["3"]
    }
  }

  @Test(
    "the database and the same rows in memory give the same answer",
    arguments: [
      "hosts?size=500&sort=address", "hosts?verdict=infected&size=500&sort=-packets",
      "hosts?address=192.0.2.0/26&size=500&sort=address", "hosts?asn=64501&size=500&sort=address",
      "hosts?country=jp&size=500&sort=address", "hosts?tools=zmap&size=500&sort=address",
      "hosts?ports=2323/tcp&packets_min=40000&size=500&sort=packets",
      "hosts?last_seen_from=2026-11-22T12:00:00Z&size=500&sort=last_seen",
      "hosts?surveyor=sample&size=500&sort=address", "hosts?size=20&page=3&sort=-last_seen",
      "telescope/victims?closed=false&size=500&sort=victim",
      "telescope/victims?rate_pps_min=900000&size=500&sort=-rate_pps",
      "telescope/victims?services=443/tcp&size=500&sort=start",
      "telescope/campaigns?tools=mirai&sort=peak_sources",
      "telescope/alerts?organisation=aozora&sort=first_seen",
      "telescope/events?class=udp-probe&port=23&size=500&sort=packets",
      "telescope/events?source=198.51.100.0/24&size=500&sort=-packets",
    ])
  func sameAsMemory(path: String) async throws {
    let memory = try await SampleHouse()
    let live = try await LiveHouse()
    var answers: [[[String: Any]]] = []
    for portal in [memory.portal, live.portal] {
      let body = try await portal.application().test(.router) { client in
        let visitor = Visitor(client)
        try await visitor.signIn("sato")
        return try await visitor.get("/api/v1/" + path).body
      }
      let object = try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any]
      answers.append(object?["items"] as? [[String: Any]] ?? [])
    }
    #expect(!answers[0].isEmpty)
    #expect(answers[0].count == answers[1].count)
    for (left, right) in zip(answers[0], answers[1]) {
      #expect(NSDictionary(dictionary: left) == NSDictionary(dictionary: right))
    }
  }

  @Test("an ISP's user meets nothing of another ISP in the database either")
  func nothingForeign() async throws {
    let house = try await LiveHouse()
    try await house.portal.application().test(.router) { client in
      let analyst = Visitor(client)
      try await analyst.signIn("sato")
      let cases = try await Self.items(analyst, "/api/v1/cases?size=500")
      let foreign = try #require(
        cases.first { $0["organisation"] as? String == SampleHouse.midori }?["id"] as? String)
      let visitor = Visitor(client)
      try await visitor.signIn("aozora")
      let own = try await Self.items(visitor, "/api/v1/cases?size=500")
      #expect(!own.isEmpty && own.count < cases.count)
      #expect(try await !Self.items(visitor, "/api/v1/hosts?size=500").isEmpty)
      for route in house.portal.routes where route.method == .get {
        if case .asset = route.face { continue }
        let path = RouteTests.path(route.path, foreign: false)
          .replacing(/C-2026-[0-9]+/, with: own.first?["id"] as? String ?? "")
        let answer = try await visitor.get(path)
        #expect(answer.status < 500, "\(path)")
        for mark in RouteTests.foreignMarks {
          #expect(!answer.body.contains(mark), "\(path) shows \(mark)")
        }
      }
      #expect(try await visitor.get("/cases/\(foreign)").status == 404)
      #expect(try await visitor.get("/api/v1/hosts/198.51.100.1").status == 404)
      #expect(
        try await visitor.post("/cases/\(foreign)/fixed", [:], from: "/account").status == 404)
    }
  }

  @Test("what people do with a case reaches register and audit trail, whose chain stays whole")
  func acts() async throws {
    let house = try await LiveHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("aozora")
      let id = try #require(
        try await Self.items(visitor, "/api/v1/cases?state=open").first?["id"] as? String)
      let page = "/cases/\(id)"
      for (action, fields) in [
        ("acknowledge", [:]), ("comment", ["text": "加入者に電話した"]),
        ("assign", ["assignee": "aozora"]), ("fixed", [:]),
        ("reopen", [:]), ("close", ["reason": "false-positive", "text": "検証機"]),
      ] as [(String, [String: String])] {
        #expect(try await visitor.post("\(page)/\(action)", fields, from: page).status == 303)
      }
      #expect(try await visitor.post("\(page)/acknowledge", [:], from: page).status == 409)
      let text = try await visitor.get(page).body
      #expect(text.contains("加入者に電話した"))
      #expect(text.contains("False positive: 検証機"))
      let admin = Visitor(client)
      try await admin.signIn("admin")
      let lines = try await Self.items(admin, "/api/v1/audit?subject_of=\(id)&sort=sequence")
      #expect(
        lines.suffix(6).map { $0["action"] as? String } == [
          "case.acknowledged", "case.commented", "case.assigned", "case.fixed", "case.reopened",
          "case.closed",
        ])
      #expect(lines.last?["actor"] as? String == "user:aozora")
      let signIns = try await Self.items(admin, "/api/v1/audit?action=account.signed-in")
      #expect(signIns.count == 2)
    }
    guard case .intact = try house.trail.verify() else {
      Issue.record("the audit trail is broken")
      return
    }
  }

  @Test(
    "a notice is shown as it was made, to its organisation only, and its delivery can be retried")
  func notices() async throws {
    let house = try await LiveHouse()
    try await house.portal.application().test(.router) { client in
      let analyst = Visitor(client)
      try await analyst.signIn("sato")
      let all = try await Self.items(analyst, "/api/v1/notices?state=pending&sort=organisation")
      #expect(
        all.map { $0["organisation"] as? String } == [SampleHouse.aozora, SampleHouse.midori])
      let own = try #require(all.first?["id"] as? String)
      let foreign = try #require(all.last?["id"] as? String)
      let isp = Visitor(client)
      try await isp.signIn("aozora")
      #expect(try await Self.items(isp, "/api/v1/notices").count == 1)
      let page = try await isp.get("/notices/\(own)")
      #expect(page.status == 200)
      #expect(page.body.contains("192.0.2."))
      #expect(page.body.contains("abuse@aozora-net.example"))
      #expect(!page.body.contains("198.51.100."))
      let part = try await isp.get("/notices/\(own)/parts/0")
      #expect(part.headers[.contentDisposition]?.hasPrefix("attachment; filename=\"") == true)
      #expect(try await isp.get("/notices/\(foreign)").status == 404)
      #expect(try await isp.get("/notices/\(foreign)/parts/0").status == 404)
      let detail = try await analyst.get("/notices/\(own)").body
      let retry = try #require(detail.firstMatch(of: /\/notices\/[^"]*\/retry/))
      #expect(
        try await analyst.post(String(retry.output), [:], from: "/notices/\(own)").status == 303)
      // The case says which notice told of it.
      let told = try #require(
        try await Self.items(isp, "/api/v1/cases").first?["id"] as? String)
      #expect(try await isp.get("/cases/\(told)").body.contains("/notices/\(own)"))
    }
  }

  @Test("the systems' numbers are on the metrics page")
  func metrics() async throws {
    let house = try await LiveHouse()
    let text = await house.metrics.text()
    #expect(text.contains("noroshi_telescope_packets_total{class=\"syn-scan\"} 12345\n"))
    #expect(text.contains(/noroshi_cases\{state="open"\} [1-9]/))
    #expect(text.contains("# TYPE noroshi_deliveries gauge\n"))
  }

  @Test("what an organisation holds in SQL is what the constituency says, for every address")
  func holdings() throws {
    var dice = Dice(state: 31)
    for _ in 0..<60 {
      let organisations = (0..<4).map { number in
        let prefixes = (0..<dice.next(6)).compactMap { _ in
          // Ten addresses' worth of bits: prefixes nest and collide often.
          IPPrefix(
            IPAddress(v4: 0xc000_0200 | UInt32(dice.next(256))), length: 24 + dice.next(9))
        }
        return Organisation(
          id: "org-\(number)", name: "", roles: number == 3 ? [.member] : [.isp],
          prefixes: prefixes,
          asns: (0..<dice.next(3)).map { _ in ASN(UInt32(64_500 + dice.next(4))) })
      }
      let index = ConstituencyIndex(try Constituency(organisations))
      for organisation in organisations {
        let holdings = AddressHoldings(of: organisation.id, in: organisations)
        for value in 0..<258 {
          let address = IPAddress(v4: 0xc000_01ff &+ UInt32(value))
          for asn in [ASN.unknown, ASN(64_500), ASN(64_502)] {
            let expected = index.responsible(for: address, asn: asn).organisation == organisation.id
            let isClaimed = holdings.claimed.contains { $0.contains(address.bits) }
            let isHeld =
              holdings.ranges.contains { $0.contains(address.bits) }
              || (!isClaimed && holdings.systems.contains(asn))
            #expect(isHeld == expected, "\(organisation.id) \(address) \(asn)")
          }
        }
      }
    }
  }
}
