import Casework
import Constituency
import Findings
import FlowAnalysis
import Foundation
import Hummingbird
import HummingbirdTesting
import NetworkTypes
import Store
import Testing

@testable import Portal

@Suite("C&C servers")
struct ServerPageTests {
  private static let page = "/servers/\(QueryText.encode(SampleDetection.server))"

  @Test("servers are listed by probability, and what is expired or wrong only where asked for")
  func list() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("sato")
      let items = try await LiveTests.items(visitor, "/api/v1/servers")
      #expect(items.count >= 2)
      #expect(items.first?["server"] as? String == "203.0.113.66:6667/tcp")
      let chances = items.compactMap { $0["probability"] as? Double }
      #expect(chances == chances.sorted(by: >))
      #expect((chances.first ?? 0) > 90 && (chances.first ?? 0) <= 100)
      #expect((items.first?["evidence"] as? [String])?.contains("periodic") == true)
      let near = try await LiveTests.items(visitor, "/api/v1/servers?address=203.0.113.66")
      #expect(near.count == 1)
      #expect(try await LiveTests.items(visitor, "/api/v1/servers?probability_min=99.999").isEmpty)
      _ = try await visitor.post(
        Self.page + "/verdict", ["verdict": "wrong", "reason": "own honeypot"], from: Self.page)
      let left = try await LiveTests.items(visitor, "/api/v1/servers")
      #expect(left.count == items.count - 1)
      let wrong = try await LiveTests.items(visitor, "/api/v1/servers?state=wrong")
      #expect(wrong.map { $0["grade"] as? String } == ["none"])
      #expect(wrong.first?["verdict_reason"] as? String == "own honeypot")
      house.pass(seconds: 40 * 86_400)
      try await visitor.signIn("sato")
      #expect(try await LiveTests.items(visitor, "/api/v1/servers").isEmpty)
      #expect(
        try await LiveTests.items(visitor, "/api/v1/servers?state=expired").count == left.count)
    }
  }

  @Test("one screen says why a server is listed: evidence in words, clients, contacts, ways on")
  func screen() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("sato")
      let page = try await visitor.get(Self.page).body
      #expect(page.contains("of the intervals of"))
      #expect(page.contains("Port 6667 is neither web nor infrastructure."))
      #expect(page.contains("scans port 23"))
      #expect(page.contains("<a href=\"/hosts/192.0.2.7\">"))
      #expect(page.matches(of: /class="contact"/).count >= 60)
      #expect(page.contains("/flows?filter=ip%20203.0.113.66%20and%20port%206667"))
      #expect(page.contains("view=connections"))
      #expect(page.contains("/flows/conversation?a=192.0.2.7&amp;b=203.0.113.66"))
      let japanese = Visitor(client)
      japanese.language = "ja"
      try await japanese.signIn("sato")
      #expect(try await japanese.get(Self.page).body.contains("ポート 23 を探索"))
      for path in ["/servers/192.0.2.1:80", "/servers/nonsense", "/servers/%5B"] {
        #expect(try await visitor.get(path).status == 404, "\(path)")
      }
    }
  }

  @Test("the sum of what the screen shows is the log-odds that the ranking had")
  func reckoning() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("sato")
      let body = try await visitor.get("/api/v1" + Self.page).body
      let object = try #require(
        try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any])
      let evidence = try #require(object["evidence"] as? [[String: Any]])
      let sum = evidence.reduce(RankingParameters().bias) { $0 + ($1["points"] as? Double ?? 0) }
      let odds = try #require(object["log_odds"] as? Double)
      #expect(abs(sum - odds) < 1e-6)
      #expect((object["clients"] as? [[String: Any]])?.count == 2)
    }
  }

  @Test("a verdict goes into the register and the audit trail, with its author and reason")
  func verdict() async throws {
    let house = try await LiveHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("sato")
      let path = Self.page + "/verdict"
      for fields in [
        ["verdict": "confirmed", "reason": "  "], ["verdict": "maybe", "reason": "x"],
        ["verdict": "watch", "reason": String(repeating: "x", count: 4_001)],
      ] {
        #expect(try await visitor.post(path, fields, from: Self.page).status == 400)
      }
      // Without the form's token nothing is judged.
      #expect(
        try await visitor.send(path, .post, body: "verdict=wrong&reason=x").status == 403)
      let answer = try await visitor.post(
        path, ["verdict": "confirmed", "reason": "検体の設定にあった"], from: Self.page)
      #expect(answer.status == 303)
      #expect(answer.location == Self.page)
      let page = try await visitor.get(Self.page).body
      #expect(page.contains("検体の設定にあった"))
      #expect(page.contains("badge server-confirmed"))
      let isp = Visitor(client)
      try await isp.signIn("aozora")
      #expect(
        try await isp.post(path, ["verdict": "wrong", "reason": "x"], from: "/account").status
          == 403)
      let admin = Visitor(client)
      try await admin.signIn("admin")
      let lines = try await LiveTests.items(admin, "/api/v1/audit?action=detection.verdict")
      #expect(lines.count == 1)
      #expect(lines.first?["actor"] as? String == "user:sato")
      #expect(lines.first?["subject_of"] as? String == "203.0.113.66:6667/tcp")
    }
    let register = ServerRegister(store: house.store, trail: house.trail)
    #expect(try register.verdicts() == [SampleDetection.service: .confirmed])
    guard case .intact = try house.trail.verify() else {
      Issue.record("the audit trail is broken")
      return
    }
  }

  @Test("a verdict can be taken back")
  func takenBack() async throws {
    let house = try await LiveHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("admin")
      for word in ["watch", "open"] {
        let fields = ["verdict": word, "reason": "because"]
        let answer = try await visitor.post(Self.page + "/verdict", fields, from: Self.page)
        #expect(answer.status == 303)
      }
    }
    #expect(try ServerRegister(store: house.store, trail: house.trail).verdicts().isEmpty)
  }

  @Test("an address stands in a path with its port and protocol, and comes back")
  func paths() throws {
    for text in ["192.0.2.1:80/tcp", "[2001:db8::1]:53/udp"] {
      let service = try #require(Service(text: text))
      let part = ServerPath.page(service).dropFirst("/servers/".count)
      #expect(!part.contains("/"))
      #expect(ServerPath.service(QueryText.decode(part, plusIsSpace: false)) == service)
    }
    #expect(ServerPath.service("192.0.2.1:80")?.transport == .tcp)
  }
}

@Suite("Attacks")
struct AttackPageTests {
  @Test("attacks that go on come first, and lists filter by target, vector and rate")
  func list() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("sato")
      let all = try await LiveTests.items(visitor, "/api/v1/attacks")
      #expect(
        all.map { $0["id"] as? String } == [SampleDetection.reflection, SampleDetection.flood])
      #expect(all.map { $0["ongoing"] as? Bool } == [true, false])
      #expect(all.first?["vectors"] as? [String] == ["dns-amplification"])
      for (query, count) in [
        ("target=192.0.2.80", 1), ("target=192.0.2.0/24", 2), ("target=198.51.100.0/24", 0),
        ("vectors=syn", 1), ("nature=reflector", 1), ("ongoing=false", 1), ("peak_pps_min=1000", 2),
        ("peak_pps_min=1e9", 0), ("sources_min=10", 1), ("start_from=2026-11-22T12:00:00Z", 1),
      ] {
        #expect(
          try await LiveTests.items(visitor, "/api/v1/attacks?\(query)").count == count, "\(query)")
      }
      let scans = try await LiveTests.items(visitor, "/api/v1/attacks/scanners?shape=horizontal")
      #expect(scans.first?["source"] as? String == "203.0.113.200")
      #expect(
        try await LiveTests.items(visitor, "/api/v1/attacks/scanners?protocol=udp").isEmpty)
      let open = try await LiveTests.items(
        visitor, "/api/v1/attacks/reflectors?amplifier=memcached")
      #expect(open.first?["address"] as? String == "198.51.100.53")
      let page = try await visitor.get("/attacks/scanners").body
      #expect(page.contains("aria-current=\"page\">Scanners</a>"))
    }
  }

  @Test("an attack says when, how much, of what, from whom, and what to do")
  func screen() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("sato")
      let path = "/attacks/\(SampleDetection.reflection)"
      let page = try await visitor.get(path).body
      for part in [
        "DNS amplification on 192.0.2.80", "<strong>Reflectors</strong>",
        "aria-labelledby=\"attack-packets-title",
        "<a href=\"/organisations/midori-cable\">", "<a href=\"/hosts/198.51.100.1\">",
        "table inet", "exchange/call-home?organisation=midori-cable", "dst%20ip%20192.0.2.80",
      ] { #expect(page.contains(part), "\(part)") }
      #expect(try await visitor.get(path + "?by=asn").body.contains("AS64500"))
      #expect(try await visitor.get(path + "?by=colour").status == 400)
      #expect(try await visitor.get("/attacks/none").status == 404)
      #expect(try await visitor.get(path + "/exchange/none").status == 404)
      #expect(try await visitor.get(path + "/mitigation/none").status == 404)
    }
  }

  @Test("what is told to others and what is applied comes as files")
  func files() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("sato")
      let path = "/attacks/\(SampleDetection.reflection)"
      func object(_ path: String) async throws -> [String: Any] {
        let answer = try await visitor.get(path)
        #expect(
          answer.headers[.contentDisposition]?.hasPrefix("attachment; filename=\"noroshi-") == true)
        return try #require(
          try JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? [String: Any])
      }
      let fingerprint = try await object(path + "/exchange/clearing-house")
      #expect(fingerprint["target"] as? String == "Anonymous")
      #expect(
        try await object(path + "/exchange/telemetry").keys.contains(
          "ietf-dots-telemetry:telemetry"))
      let home = try await visitor.get(
        path + "/exchange/call-home?organisation=\(SampleHouse.midori)"
      ).body
      #expect(home.contains("198.51.100.1/32"))
      #expect(!home.contains("203.0.113.2/32"))
      #expect(try await visitor.get(path + "/exchange/call-home?organisation=none").status == 404)
      let route = try await visitor.get(path + "/mitigation/rtbh")
      #expect(route.body.contains("192.0.2.80/32"))
      let sources = try await visitor.get(path + "/sources/csv").body
      #expect(sources.split(separator: "\r\n").count == 21)
    }
  }

  @Test("a host's page names the servers it talks to and the attacks it is in; an ISP sees neither")
  func hosts() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("sato")
      let infected = try await visitor.get("/hosts/192.0.2.7").body
      #expect(infected.contains("/servers/203.0.113.66%3A6667-tcp"))
      #expect(infected.contains("was contacted by this host"))
      #expect(try await visitor.get("/hosts/203.0.113.66").body.contains("is this host"))
      let source = try await visitor.get("/hosts/198.51.100.1").body
      #expect(source.contains("/attacks/\(SampleDetection.reflection)"))
      #expect(source.contains("with this host among its sources"))
      #expect(try await visitor.get("/hosts/192.0.2.80").body.contains("on this host"))
      let isp = Visitor(client)
      try await isp.signIn("aozora")
      for path in ["/hosts/192.0.2.7", "/hosts/192.0.2.80", "/"] {
        let page = try await isp.get(path)
        #expect(page.status == 200)
        #expect(!page.body.contains("/servers"))
        #expect(!page.body.contains("/attacks"))
      }
    }
  }

  @Test("the overview has a line for each attack that goes on and each new server")
  func overview() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("sato")
      let page = try await visitor.get("/").body
      #expect(page.contains("DNS amplification on 192.0.2.80"))
      #expect(!page.contains("192.0.2.81"))
      #expect(page.contains("New suspected C&amp;C server 203.0.113.66:6667/tcp"))
      for link in [DetectionSections.ongoing, DetectionSections.unjudged] {
        #expect(page.contains("href=\"\(HTML.escape(link))\""), "\(link)")
        #expect(try await visitor.get(link).status == 200)
      }
    }
  }

  @Test("a case leads to the server or the attack that its findings name, but not an ISP's user")
  func cases() async throws {
    let house = try await LiveHouse()
    let attacks = SampleDetection.events.compactMap { event -> Attack? in
      if case .began(let attack) = event { attack } else { nil }
    }
    let server = try #require(SampleDetection.servers.first)
    _ = try house.register.record(
      attacks.flatMap { $0.findings(sensor: "flows") }
        + server.findings(kind: .commandAndControl, sensor: "flows"),
      at: SampleHouse.start.advanced(bySeconds: 3 * 86_400)
    ) { house.index.responsible(for: $0.subject.address) }
    try await house.portal.application().test(.router) { client in
      let analyst = Visitor(client)
      try await analyst.signIn("sato")
      let isp = Visitor(client)
      try await isp.signIn("aozora")
      func page(_ kind: String, _ address: String, _ visitor: Visitor) async throws -> String {
        let items = try await LiveTests.items(
          analyst, "/api/v1/cases?kind=\(kind)&address=\(address)")
        return try await visitor.get("/cases/\(items.first?["id"] as? String ?? "")").body
      }
      let beacon = "/servers/203.0.113.66%3A6667-tcp"
      #expect(try await page("command-and-control", "203.0.113.66", analyst).contains(beacon))
      #expect(try await page("infected-host", "192.0.2.7", analyst).contains(beacon))
      let reflected = try await page("dos-reflector", "198.51.100.1", analyst)
      #expect(reflected.contains("/attacks/\(SampleDetection.reflection)"))
      #expect(try await page("dos-source", "198.51.100.33", analyst).contains("DDoS source"))
      let own = try await page("infected-host", "192.0.2.7", isp)
      #expect(own.contains("Infected host"))
      #expect(!own.contains("/servers"))
      #expect(
        try await analyst.get(beacon).body.contains("Cases") == true)
    }
  }
}
