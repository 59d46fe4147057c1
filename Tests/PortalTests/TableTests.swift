import Foundation
import Hummingbird
import HummingbirdTesting
import NetworkTypes
import Testing

@testable import Portal

@Suite("Tables")
struct TableTests {
  @Test("every table of the portal filters, sorts, pages and exports")
  func everyTable() async throws {
    let house = try await SampleHouse()
    let tables = house.portal.routes.map(\.path).filter { $0.hasSuffix(".csv") }
      .map { String($0.dropLast(4)) }
    #expect(tables.count >= 10)
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("admin")
      for path in tables {
        let page = try await visitor.get(path)
        #expect(page.body.contains("aria-sort="), "\(path)")
        #expect(page.body.contains("href=\"\(path).csv\""), "\(path)")
        let csv = try await visitor.get(path + ".csv")
        #expect(csv.headers[.contentType] == "text/csv; charset=utf-8")
        let header = csv.body.prefix { $0 != "\r\n" }.split(separator: ",").map(String.init)
        let api = try await visitor.get("/api/v1\(path)?size=3")
        let object = try JSONSerialization.jsonObject(with: Data(api.body.utf8)) as? [String: Any]
        let items = try #require(object?["items"] as? [[String: Any]])
        #expect(items.count <= 3)
        for item in items { #expect(Set(item.keys) == Set(header), "\(path)") }
        #expect(try await visitor.get(path + "?sort=no_such").status == 400)
        #expect(try await visitor.get(path + "?no_such=1").status == 400)
      }
    }
  }

  @Test("filters narrow, sorting orders, pages follow each other without gap or repetition")
  func hosts() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("sato")
      func addresses(_ path: String) async throws -> (items: [[String: Any]], next: String?) {
        let body = try await visitor.get(path).body
        let object = try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any]
        return (object?["items"] as? [[String: Any]] ?? [], object?["next"] as? String)
      }
      let infected = try await addresses("/api/v1/hosts?verdict=infected&size=500").items
      #expect(infected.count >= 24)
      #expect(infected.allSatisfy { $0["verdict"] as? String == "infected" })
      let inside = try await addresses("/api/v1/hosts?address=192.0.2.0/25&size=500").items
      #expect(!inside.isEmpty)
      #expect(inside.allSatisfy { ($0["address"] as? String)?.hasPrefix("192.0.2.") == true })
      let busy = try await addresses("/api/v1/hosts?packets_min=50000&sort=packets&size=500").items
      let packets = busy.compactMap { $0["packets"] as? Int }
      #expect(packets == packets.sorted() && packets.allSatisfy { $0 >= 50_000 })
      var seen: [String] = []
      var path: String? = "/api/v1/hosts?size=37&sort=address"
      while let current = path {
        let (items, next) = try await addresses(current)
        seen += items.compactMap { $0["address"] as? String }
        path = next
      }
      #expect(seen.count == 140)
      #expect(Set(seen).count == 140)
    }
  }

  @Test("a wrong parameter is named, to programs and to people")
  func wrongParameter() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("sato")
      for (query, field) in [
        ("size=0", "size"), ("size=9999", "size"), ("page=x", "page"), ("address=1.2.3", "address"),
        ("packets_min=many", "packets_min"), ("first_seen_from=yesterday", "first_seen_from"),
        ("verdict=evil", "verdict"), ("country=JPN", "country"), ("colour=red", "colour"),
      ] {
        let api = try await visitor.get("/api/v1/hosts?\(query)")
        #expect(api.status == 400)
        #expect(api.headers[.contentType] == "application/problem+json")
        #expect(api.body.contains("\"field\":\"\(field)\""), "\(query)")
        let page = try await visitor.get("/hosts?\(query)")
        #expect(page.status == 400)
        #expect(page.body.contains("<code>\(field)</code>"), "\(query)")
      }
    }
  }

  @Test("CSV quotes what it must, and a spreadsheet takes no cell for a formula")
  func csv() {
    #expect(Cell.text("plain").csv == "plain")
    #expect(Cell.text("a,b").csv == "\"a,b\"")
    #expect(Cell.text("say \"no\"\n").csv == "\"say \"\"no\"\"\n\"")
    #expect(Cell.text("=cmd|'/c calc'!A1").csv == "'=cmd|'/c calc'!A1")
    #expect(Cell.text("@x").csv == "'@x")
    #expect(Cell.integer(-5).csv == "-5")
    #expect(Cell.list(["a", "b"]).csv == "a;b")
    #expect(Cell.none.csv == "")
  }

  @Test("a page of the table holds what the filter says, and a link that takes the filter away")
  func chips() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("sato")
      let page = try await visitor.get("/cases?state=open&sort=-opened").body
      #expect(page.contains("class=\"chip\" href=\"/cases?sort=-opened\""))
      #expect(page.contains("aria-sort=\"descending\""))
      #expect(page.contains("<option value=\"open\" selected>"))
    }
  }
}
