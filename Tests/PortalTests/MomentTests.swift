import Foundation
import Hummingbird
import HummingbirdTesting
import NetworkTypes
import Testing

@testable import Portal

@Suite("Moments that people type")
struct MomentTests {
  @Test("a moment without a zone is one of the page's tables, with a zone it is that")
  func zones() {
    let noon = Timestamp("2026-11-25T03:00:00Z")
    #expect(Timestamp(dateOrMoment: "2026-11-25T12:00", in: .jst) == noon)
    #expect(Timestamp(dateOrMoment: "2026-11-25T12:00:00", in: .jst) == noon)
    #expect(Timestamp(dateOrMoment: "2026-11-25T03:00", in: .utc) == noon)
    #expect(Timestamp(dateOrMoment: "2026-11-25T03:00:00Z", in: .jst) == noon)
    #expect(Timestamp(dateOrMoment: "2026-11-25T12:00:00+09:00", in: .utc) == noon)
    #expect(
      Timestamp(dateOrMoment: "2026-11-25", in: .jst) == Timestamp("2026-11-24T15:00:00Z"))
    #expect(Timestamp(dateOrMoment: "yesterday", in: .jst) == nil)
  }

  @Test("a table's time filter is read in the zone that its label and its cells have")
  func filters() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      visitor.language = "ja"
      try await visitor.signIn("sato")
      let page = try await visitor.get("/hosts?last_seen_from=2026-11-22T12:00&sort=last_seen")
      #expect(page.body.contains("（以降・JST）"))
      #expect(page.body.contains("value=\"2026-11-22T12:00\""))
      let shown = page.body.matches(of: /data-label="最終観測"><time datetime="([^"]+)"/)
        .map { String($0.output.1) }
      #expect(!shown.isEmpty)
      #expect(shown.allSatisfy { $0 >= "2026-11-22T03:00:00Z" })
      #expect(shown.contains { $0 < "2026-11-22T12:00:00Z" })
      // Programs speak of UTC, whatever the language of the account.
      let body = try await visitor.get(
        "/api/v1/hosts?last_seen_from=2026-11-22T12:00&sort=last_seen&size=1"
      ).body
      let items = try FlowTests.object(body)["items"] as? [[String: Any]]
      #expect(items?.first?["last_seen"] as? String ?? "" >= "2026-11-22T12:00:00Z")
    }
  }
}
