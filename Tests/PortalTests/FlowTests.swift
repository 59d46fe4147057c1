import FlowArchive
import FlowRecords
import Foundation
import Hummingbird
import HummingbirdTesting
import NetworkTypes
import Synchronization
import Testing

@testable import Portal

@Suite("Searching flows")
struct FlowTests {
  static let all = "purpose=C-2026-1000&run=1&last=all"

  static func searches(_ house: SampleHouse) -> [AuditLine] {
    house.journal.withLock { $0.filter { $0.action.hasPrefix("flows.search.") } }
  }

  static func object(_ body: String) throws -> [String: Any] {
    try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any] ?? [:]
  }

  @Test("no route of flows is for an ISP's user, and nothing is searched for one")
  func staffOnly() async throws {
    let house = try await SampleHouse()
    let routes = house.portal.routes.filter { $0.path.contains("/flows") }
    #expect(routes.count >= 12)
    try await house.portal.application().test(.router) { client in
      let isp = Visitor(client)
      try await isp.signIn("aozora")
      let account = try #require(try await house.accounts.account(named: "aozora"))
      let token = try await house.accounts.makeToken(for: account, label: "script")
      for route in routes {
        #expect(route.audience == .staff, "\(route.path)")
        let path = RouteTests.path(route.path, foreign: false)
        if route.method == .post {
          #expect(try await isp.post(path, [:], from: "/account").status == 403, "\(path)")
          continue
        }
        let asked = path + (path.contains("?") ? "&" : "?") + "run=1&purpose=x"
        #expect(try await isp.get(asked).status == 403, "\(path)")
        if route.path.hasPrefix("/api/") {
          #expect(try await Visitor(client).get(path, bearer: token).status == 403, "\(path)")
        }
      }
      for page in ["/hosts/192.0.2.4", "/cases", "/"] {
        #expect(try await !isp.get(page).body.contains("\"/flows"), "\(page)")
      }
    }
    #expect(Self.searches(house).isEmpty)
  }

  @Test("a search needs a purpose, says where it goes, and keeps it for the session's next ones")
  func purpose() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("sato")
      let without = try await visitor.get("/flows?run=1&last=all&purpose=%20")
      #expect(without.status == 400)
      #expect(without.body.contains("id=\"purpose-fault\""))
      #expect(Self.searches(house).isEmpty)
      let found = try await visitor.get("/flows?\(Self.all)&filter=proto%20udp")
      #expect(found.status == 200)
      #expect(try await visitor.get("/flows").body.contains("value=\"C-2026-1000\""))
      let other = Visitor(client)
      try await other.signIn("admin")
      #expect(try await !other.get("/flows").body.contains("C-2026-1000\" required"))
      let api = try await visitor.get("/api/v1/flows?last=all")
      #expect(api.status == 400)
      #expect(api.body.contains("\"field\":\"purpose\""))
    }
  }

  @Test("each search writes who, why and for what before it begins and when it ended")
  func audited() async throws {
    let house = try await SampleHouse()
    let account = try #require(try await house.accounts.account(named: "sato"))
    let token = try await house.accounts.makeToken(for: account, label: "script")
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("sato")
      _ = try await visitor.get("/flows?\(Self.all)&view=list&filter=dst%20port%2023")
      var lines = Self.searches(house)
      #expect(lines.map(\.action) == ["flows.search.begun", "flows.search.ended"])
      #expect(lines.allSatisfy { $0.actor == "sato" && $0.details.contains("way=page") })
      #expect(lines.allSatisfy { $0.details.contains("purpose=C-2026-1000") })
      #expect(lines.allSatisfy { $0.details.contains("filter=dst port 23") })
      // Each run of the same link is a search again.
      _ = try await visitor.get("/flows?\(Self.all)&view=list&filter=dst%20port%2023")
      #expect(Self.searches(house).count == 4)
      _ = try await Visitor(client).get(
        "/api/v1/flows/top?purpose=capacity&last=all&by=dstport", bearer: token)
      lines = Self.searches(house)
      #expect(lines.count == 6)
      #expect(lines.last?.details.contains("way=api") == true)
      _ = try await visitor.get("/flows/export/csv?purpose=x&last=all&view=top")
      #expect(Self.searches(house).last?.details.contains("way=csv") == true)
    }
  }

  @Test("where the audit trail takes no line, nothing is searched")
  func trailBroken() async throws {
    let house = try await SampleHouse()
    house.isTrailBroken.withLock { $0 = true }
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("sato")
      let page = try await visitor.get("/flows?\(Self.all)&view=list")
      #expect(page.status == 500)
      #expect(!page.body.contains("203.0.113."))
      #expect(try await visitor.get("/api/v1/flows?purpose=x&last=all").status == 500)
    }
  }

  @Test("a filter that cannot be read is shown with its place, in the visitor's language")
  func fault() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("sato")
      let path = "/flows?\(Self.all)&filter=proto%20tcp%20and%20port%20http%20or%20any"
      let page = try await visitor.get(path)
      #expect(page.status == 400)
      #expect(page.body.contains("proto tcp and port <mark>http</mark> or any"))
      #expect(page.body.contains("at character 20"))
      #expect(page.body.contains("data-fault=\"19\""))
      visitor.language = "ja"
      #expect(try await visitor.get(path).body.contains("port の後に数が要ります。"))
      visitor.language = "en"
      let api = try await visitor.get("/api/v1/flows?purpose=x&filter=port%20http")
      #expect(api.status == 400)
      #expect(api.body.contains("cannot be read at character 6: expected a number after port."))
      let script = try await visitor.get("/flows?\(Self.all)&filter=%3Cscript%3Ealert(1)")
      #expect(!script.body.contains("<script>alert"))
    }
    #expect(Self.searches(house).isEmpty)
  }

  @Test("the builder's fields become part of the filter, which the address then holds")
  func builder() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("sato")
      let answer = try await visitor.get(
        "/flows?\(Self.all)&filter=dst%20port%2022%20or%20dst%20port%2023&address=192.0.2.0/24"
          + "&side=source&port=&portside=either&protocol=tcp")
      #expect(answer.status == 303)
      let target = try #require(answer.location)
      let filter = QueryText.pairs(target.drop { $0 != "?" }.dropFirst())
        .first { $0.name == "filter" }?.value
      #expect(
        filter == "(dst port 22 or dst port 23) and src net 192.0.2.0/24 and proto tcp")
      #expect(!target.contains("protocol="))
      #expect(try await visitor.get(target).status == 200)
      #expect(try await visitor.get("/flows?address=nowhere").status == 400)
    }
    #expect(FlowBuilder.both("port 1 # two", "port 2") == "(port 1 # two\n) and port 2")
  }

  @Test("totals, ranking, list and connections are those of the archive")
  func numbers() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("sato")
      let telnet = FlowSample.records.filter { $0.transport == .tcp && $0.destinationPort == 23 }
      let base = "purpose=x&last=all&filter=proto%20tcp%20and%20dst%20port%2023"
      let list = try Self.object(
        try await visitor.get("/api/v1/flows?\(base)&size=500&sort=-bytes").body)
      let items = try #require(list["items"] as? [[String: Any]])
      #expect(list["total"] as? Int == telnet.count)
      let bytes = items.compactMap { $0["bytes"] as? Int }
      #expect(bytes == bytes.sorted(by: >))
      #expect(bytes.first == telnet.map { Int($0.bytes) * 10 }.max())
      let raw = try Self.object(
        try await visitor.get("/api/v1/flows?\(base)&size=1&sort=-bytes&raw=true").body)
      let rawTotals = try #require(raw["totals"] as? [String: Any])
      #expect(rawTotals["bytes"] as? Int == telnet.reduce(0) { $0 + Int($1.bytes) })
      let top = try Self.object(
        try await visitor.get("/api/v1/flows/top?\(base)&by=srcip&sort=-flows&size=1").body)
      let first = try #require((top["items"] as? [[String: Any]])?.first)
      #expect((first["key"] as? [String: Any])?["srcip"] as? String == FlowSample.a)
      let counted = Dictionary(grouping: telnet, by: \.source).mapValues(\.count).values.max()
      #expect(first["flows"] as? Int == counted)
      let series = try Self.object(try await visitor.get("/api/v1/flows/series?\(base)").body)
      let points = try #require(series["items"] as? [[String: Any]])
      #expect(points.reduce(0) { $0 + ($1["flows"] as? Int ?? 0) } == telnet.count)
      for view in FlowQuestion.View.allCases {
        let page = try await visitor.get("/flows?\(Self.all)&view=\(view.rawValue)")
        #expect(page.status == 200)
        #expect(page.body.contains("3,000 flows"), "\(view)")
      }
    }
  }

  @Test("paging goes on without gap or repetition, and sorting is kept")
  func pages() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("sato")
      var starts: [String] = []
      for page in 1...4 {
        let body = try await visitor.get(
          "/api/v1/flows?purpose=x&last=all&filter=ip%20203.0.113.9&size=80&sort=start&page=\(page)"
        ).body
        let items = try Self.object(body)["items"] as? [[String: Any]] ?? []
        starts += items.compactMap { $0["start"] as? String }
      }
      #expect(starts.count == 300)
      #expect(starts == starts.sorted())
      let page = try await visitor.get("/flows?\(Self.all)&view=list&size=50&sort=-bytes").body
      #expect(page.contains("aria-sort=\"descending\""))
      #expect(page.contains("rel=\"next\" href=\"/flows?"))
    }
  }

  @Test("a conversation has both directions, whose sums are those of the flows")
  func conversation() async throws {
    let house = try await SampleHouse()
    let talk = FlowSample.records.filter {
      [$0.source.description, $0.destination.description].sorted()
        == [FlowSample.a, FlowSample.b].sorted()
    }
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("sato")
      let query = "a=\(FlowSample.a)&b=\(FlowSample.b)&purpose=x&last=all"
      let answer = try Self.object(
        try await visitor.get("/api/v1/flows/conversation?\(query)").body)
      let directions = try #require(answer["directions"] as? [[String: Any]])
      for (direction, from) in zip(directions, [FlowSample.a, FlowSample.b]) {
        let own = talk.filter { $0.source.description == from }
        #expect(direction["from"] as? String == from)
        #expect(direction["flows"] as? Int == own.count)
        #expect(direction["bytes"] as? Int == own.reduce(0) { $0 + Int($1.bytes) * 10 })
      }
      let page = try await visitor.get("/flows/conversation?\(query)&run=1")
      #expect(page.status == 200)
      #expect(page.body.contains("\(FlowSample.a) → \(FlowSample.b)"))
      #expect(try await visitor.get("/flows/conversation").status == 200)
      #expect(try await visitor.get("/api/v1/flows/conversation?purpose=x&a=1").status == 400)
    }
  }

  @Test("exports hold the same rows as CSV, JSON and Parquet")
  func exports() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("sato")
      let query = "purpose=x&last=all&view=list&filter=ip%20203.0.113.9"
      let csv = try await visitor.get("/flows/export/csv?\(query)")
      #expect(csv.headers[.contentType] == "text/csv; charset=utf-8")
      #expect(csv.body.split(separator: "\r\n").count == 301)
      let json = try Self.object(try await visitor.get("/flows/export/json?\(query)").body)
      #expect((json["items"] as? [Any])?.count == 300)
      let parquet = try await visitor.get("/flows/export/parquet?\(query)")
      #expect(parquet.headers[.contentType] == "application/vnd.apache.parquet")
      #expect(parquet.body.hasPrefix("PAR1") && parquet.body.hasSuffix("PAR1"))
      let rows = try await visitor.get("/flows/export/parquet?\(query)&view=top&by=dstport")
      #expect(rows.body.hasPrefix("PAR1"))
      #expect(try await visitor.get("/flows/export/xml?\(query)").status == 404)
      #expect(try await visitor.get("/flows/export/csv?view=list").status == 400)
    }
    let left = try FileManager.default.contentsOfDirectory(atPath: NSTemporaryDirectory())
    #expect(!left.contains { $0.hasPrefix("noroshi-flows-") && $0.hasSuffix(".parquet") })
  }

  @Test("host and case lead to a search that is filled in and not begun")
  func links() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("sato")
      for (path, purpose) in [
        ("/hosts/192.0.2.4", "Investigation of host 192.0.2.4"),
        ("/cases/C-2026-1000", "Case C-2026-1000"),
      ] {
        let body = try await visitor.get(path).body
        let match = try #require(body.firstMatch(of: /href="(\/flows\?filter=ip[^"]*)"/), "\(path)")
        let link = String(match.output.1).replacingOccurrences(of: "&amp;", with: "&")
        #expect(link.contains("from="))
        let page = try await visitor.get(link)
        #expect(page.status == 200)
        #expect(page.body.contains("name=\"purpose\" value=\"\(purpose)\""))
        #expect(page.body.contains(">ip 192.0.2."))
      }
    }
    #expect(Self.searches(house).isEmpty)
  }

  @Test("a link of another site fills the form and searches nothing")
  func fromElsewhere() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("sato")
      visitor.extraHeaders = [("Sec-Fetch-Site", "cross-site")]
      let page = try await visitor.get("/flows?\(Self.all)")
      #expect(page.status == 200)
      #expect(page.body.contains("press Search"))
      #expect(try await visitor.get("/flows/export/csv?purpose=x").status == 403)
    }
    #expect(Self.searches(house).isEmpty)
  }

  @Test(
    "a search that takes long shows progress, can be cancelled, and gives its answer to a ticket")
  func progress() async throws {
    var slow = FlowDeskParameters()
    slow.patienceMilliseconds = 0
    let house = try await SampleHouse(flows: slow)
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("sato")
      let path = "/flows?\(Self.all)&view=list"
      let waiting = try await visitor.get(path)
      let refresh = try #require(
        waiting.headers.first { $0.name.canonicalName == "refresh" }?.value)
      let target = String(refresh.dropFirst("1; url=".count))
      #expect(waiting.body.contains("/cancel\""))
      var page = try await visitor.get(target)
      for _ in 0..<200 where page.headers.contains(where: { $0.name.canonicalName == "refresh" }) {
        try await Task.sleep(for: .milliseconds(20))
        page = try await visitor.get(target)
      }
      #expect(page.body.contains("3,000 flows"))
      // One search, however often its page came back.
      #expect(Self.searches(house).count == 2)
      let ticket = try #require(target.split(separator: "=").last)
      let other = Visitor(client)
      try await other.signIn("admin")
      #expect(
        try await other.post("/flows/searches/\(ticket)/cancel", [:], from: "/account").status
          == 404)
    }
  }

  @Test("a value narrows down to the flows that have it")
  func conditions() throws {
    func address(_ text: String) throws -> FlowValue { .address(try #require(IPAddress(text))) }
    for (element, value, condition) in [
      ("srcip", try address("192.0.2.1"), "src ip 192.0.2.1"),
      ("srcip4/24", try address("192.0.2.0"), "src net 192.0.2.0/24"),
      ("srcip4/24", try address("2001:db8::1"), "src ip 2001:db8::1"),
      ("dstip6/48", try address("2001:db8::"), "dst net 2001:db8::/48"),
      ("ip", try address("192.0.2.1"), "ip 192.0.2.1"), ("proto", .number(6), "proto 6"),
      ("as", .number(64_500), "as 64500"), ("inif", .number(3), "in if 3"),
    ] as [(String, FlowValue, String)] {
      #expect(FlowColumns.condition(element, value) == condition)
      _ = try FlowFilter(condition)
    }
    #expect(FlowColumns.condition("mpls1", .number(1)) == nil)
    // Every element that people choose from can be grouped by.
    for element in FlowPlan.elements { #expect(FlowPlan.kind(by: element) != nil, "\(element)") }
  }

  @Test("exporters are shown with where their rates come from and what is lost")
  func exporters() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("sato")
      let page = try await visitor.get("/flows/exporters").body
      #expect(page.contains("Options data"))
      #expect(page.contains("badge unknown"))
      #expect(page.contains("unknown_template 5"))
      #expect(page.contains("Dropped by the kernel"))
    }
  }

  @Test("what has no name for a column, an element or a time is refused by its name")
  func refused() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("sato")
      for (query, field) in [
        ("by=nothing", "by"), ("sort=nothing", "sort"), ("last=3h", "last"), ("from=then", "from"),
        ("from=2026-11-22&to=2026-11-21", "to"), ("size=0", "size"), ("a=1", "a"),
        ("view=all", "view"), ("colour=red", "colour"), ("raw=maybe", "raw"),
      ] {
        let page = try await visitor.get("/flows?\(query)")
        #expect(page.status == 400, "\(query)")
        #expect(page.body.contains("<code>\(field)</code>"), "\(query)")
      }
    }
  }
}
