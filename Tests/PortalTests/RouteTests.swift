import Hummingbird
import HummingbirdTesting
import NetworkTypes
import Synchronization
import Testing

@testable import Portal

/// Walks the whole route table as everybody, so that a route that is added is tested at once.
@Suite("Who may see what")
struct RouteTests {
  enum Person: String, CaseIterable { case anonymous, isp, analyst, administrator }

  /// A path with its variable parts filled in: with what belongs to あおぞらネット, or to another.
  static func path(_ pattern: String, foreign: Bool) -> String {
    let organisation = foreign ? SampleHouse.midori : SampleHouse.aozora
    let ownCase = SampleSources.cases.first { $0.organisation == organisation }
    let values = [
      "address": foreign ? "198.51.100.1" : "192.0.2.4", "part": "0",
      "format": "csv", "exchange": "clearing-house", "mitigation": "nftables",
      "service": SampleDetection.server, "delivery": "N-\(organisation)-1-2", "name": "nobody",
      "id": pattern.contains("/cases/")
        ? ownCase?.id ?? ""
        : pattern.contains("/attacks/")
          ? SampleDetection.reflection
          : pattern.contains("/notices/")
            ? "N-\(organisation)-1" : pattern.contains("/organisations/") ? organisation : "999",
    ]
    let path = pattern.split(separator: "/", omittingEmptySubsequences: false).map { part in
      part.hasPrefix("{") ? values[String(part.dropFirst().dropLast())] ?? "" : String(part)
    }.joined(separator: "/")
    // A search of flows needs its purpose, a conversation its two ends.
    guard pattern.hasPrefix("/api/v1/flows") || pattern.hasPrefix("/flows/export"),
      !pattern.contains("exporters")
    else { return path }
    return path + "?purpose=C-2026-1000&last=all"
      + (pattern.hasSuffix("conversation") ? "&a=192.0.2.4&b=203.0.113.9" : "")
  }

  /// Words that only the other ISP's data hold.
  static let foreignMarks = ["198.51.100.", "2001:db8:1::", "midori", "みどり"]

  @Test("every route answers its audience and nobody else", arguments: Person.allCases)
  func walk(person: Person) async throws {
    let house = try await SampleHouse()
    let routes = house.portal.routes
    #expect(routes.count > 60)
    try await house.portal.application().test(.router) { client in
      let name = [.isp: "aozora", .analyst: "sato", .administrator: "admin"][person]
      for route in routes {
        // Signing out ends the session, so that each route is tried with a fresh one after it.
        let visitor = Visitor(client)
        if let name { try await visitor.signIn(name) }
        let path = Self.path(route.path, foreign: false)
        let answer =
          route.method == .post
          ? try await visitor.post(path, [:], from: name == nil ? "/sign-in" : "/account")
          : try await visitor.get(path)
        let role: Role? =
          switch person {
          case .anonymous: nil
          case .isp: .isp(organisation: SampleHouse.aozora)
          case .analyst: .analyst
          case .administrator: .administrator
          }
        let label = "\(person) \(route.method) \(path): \(answer.status)"
        #expect(answer.status < 500, "\(label)")
        if route.audience.admits(role) {
          var allowed = route.method == .post ? [200, 303, 400, 401, 404] : [200, 303]
          // This visitor brings no files.
          if case .upload = route.face { allowed = [415] }
          #expect(allowed.contains(answer.status), "\(label)")
          if route.audience != .everyone {
            #expect(answer.location?.hasPrefix("/sign-in?next") != true, "\(label)")
          }
        } else if person == .anonymous {
          switch route.face {
          case .api, .probe: #expect(answer.status == 401, "\(label)")
          default:
            #expect(answer.status == 303, "\(label)")
            #expect(answer.location?.hasPrefix("/sign-in") == true, "\(label)")
          }
        } else {
          #expect(answer.status == 403, "\(label)")
        }
        #expect(
          answer.headers[.contentSecurityPolicy]?.hasPrefix("default-src 'self'") == true,
          "\(label)")
        #expect(answer.headers[.xContentTypeOptions] == "nosniff", "\(label)")
      }
    }
  }

  @Test("an ISP's user meets nothing of another ISP, on any route")
  func nothingForeign() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("aozora")
      for route in house.portal.routes where route.method == .get {
        let answer = try await visitor.get(Self.path(route.path, foreign: false))
        if case .asset = route.face { continue }
        for mark in Self.foreignMarks {
          #expect(!answer.body.contains(mark), "\(route.path) shows \(mark)")
        }
      }
    }
  }

  @Test("what belongs to another ISP is not there for an ISP's user, to read or to change")
  func foreignIsAbsent() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("aozora")
      for route in house.portal.routes
      where route.path.contains("{id}") || route.path.contains("{address}") {
        guard route.audience == .signedIn, !route.path.hasPrefix("/account") else { continue }
        let path = Self.path(route.path, foreign: true)
        let fields = ["text": "x", "reason": "resolved", "assignee": "aozora"]
        let answer =
          route.method == .post
          ? try await visitor.post(path, fields, from: "/account") : try await visitor.get(path)
        #expect(answer.status == 404, "\(route.method) \(path)")
        // The way back that the language switch keeps is the visitor's own address.
        let page = answer.body.split(separator: "<main").last ?? ""
        for mark in Self.foreignMarks { #expect(!page.contains(mark), "\(path)") }
      }
      #expect(house.acts.withLock { $0.isEmpty })
    }
  }

  @Test("filters and sorting do not widen what an ISP's user sees")
  func filtersStayInside() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("aozora")
      for path in [
        "/hosts?address=0.0.0.0/0&sort=address&size=500",
        "/cases?organisation=midori-cable&size=500", "/api/v1/hosts?address=198.51.100.0/24",
        "/api/v1/cases?organisation=midori", "/notices.csv?organisation=midori",
        "/organisations.json?id=midori",
      ] {
        let answer = try await visitor.get(path)
        #expect(answer.status == 200, "\(path)")
        let shown = answer.body.split(separator: "<tbody").dropFirst().joined()
        let text = path.hasPrefix("/hosts") || path.hasPrefix("/cases") ? shown : answer.body
        for mark in ["198.51.100.", "midori", "みどり"] {
          #expect(!text.contains(mark), "\(path) shows \(mark)")
        }
      }
    }
  }

  @Test("actions on a case reach casework with the person who did them")
  func acts() async throws {
    let house = try await SampleHouse()
    let own = try #require(
      SampleSources.cases.first { $0.organisation == SampleHouse.aozora && $0.closed == nil })
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("aozora")
      let page = "/cases/\(own.id)"
      #expect(try await visitor.post(page + "/acknowledge", [:], from: page).location == page)
      #expect(
        try await visitor.post(page + "/comment", ["text": "called"], from: page).status == 303)
      #expect(try await visitor.post(page + "/comment", ["text": " "], from: page).status == 400)
      #expect(
        try await visitor.post(page + "/assign", ["assignee": "sato"], from: page).status == 400)
      #expect(
        try await visitor.post(page + "/assign", ["assignee": "aozora"], from: page).status == 303)
      #expect(
        try await visitor.post(page + "/close", ["reason": "resolved"], from: page).status == 303)
    }
    let acts = house.acts.withLock { $0 }
    #expect(acts.count == 4)
    #expect(acts.allSatisfy { $0.hasPrefix("aozora \(own.id) ") })
  }

  @Test("analysts retry notices, an ISP's user cannot")
  func retry() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let path = "/notices/N-\(SampleHouse.aozora)-6"
      let analyst = Visitor(client)
      try await analyst.signIn("sato")
      let retry = "\(path)/deliveries/N-\(SampleHouse.aozora)-6-2/retry"
      #expect(try await analyst.get(path).body.contains("action=\"\(retry)\""))
      #expect(try await analyst.post(retry, [:], from: path).status == 303)
      let foreign = "\(path)/deliveries/N-\(SampleHouse.midori)-6-2/retry"
      #expect(try await analyst.post(foreign, [:], from: path).status == 404)
      let isp = Visitor(client)
      try await isp.signIn("aozora")
      #expect(try await isp.get(path).status == 200)
      #expect(try await isp.post(retry, [:], from: path).status == 403)
    }
    #expect(house.deliveries.withLock { $0 } == ["sato retry N-\(SampleHouse.aozora)-6-2"])
  }

  @Test("what is not there is a page for people and a problem for programs")
  func notFound() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("sato")
      let page = try await visitor.get("/nothing/here")
      #expect(page.status == 404)
      #expect(page.body.contains("<h1>Not found</h1>"))
      #expect(page.headers[.contentSecurityPolicy] != nil)
      let api = try await visitor.get("/api/v1/nothing")
      #expect(api.status == 404)
      #expect(api.headers[.contentType] == "application/problem+json")
      #expect(try await visitor.send("/nothing", .post, body: "a=b").status == 404)
    }
  }
}
