import Foundation
import Hummingbird
import HummingbirdTesting
import NetworkTypes
import Testing
import TrustServices

@testable import Portal

@Suite("The public page of the trusted list")
struct AccreditationPageTests {
  @Test("everybody reads services, status, validity and history, in both languages")
  func page() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      for (language, parts) in [
        (
          "ja",
          [
            "<h1>認定されたトラストサービス</h1>", "例示省", "時刻&lt;認証&gt;株式会社", "時刻認証業務の認定（国の認定制度）",
            "<span class=\"badge accreditation-accredited\">認定</span>", ">一時停止</span>",
            "<span class=\"badge accreditation-expired\">期間終了</span>",
            "2022-04-01〜2028-03-31（日本時間）", "タイムビジネス信頼・安心認定制度", "総務大臣",
            "令和3年総務省告示第146号", "2024-02-01 00:00:00", "https://tsa.example.jp/?a=1&amp;b=2",
            "<h2>制度</h2>", "href=\"/trust/list.json\"",
          ]
        ),
        (
          "en",
          [
            "<h1>Accredited trust services</h1>", "Example Ministry", "Jikoku &lt;&amp; Co&gt;",
            ">Accredited</span>", ">Suspended</span>", ">Expired</span>",
            "2021-10-01 to 2023-07-29 (JST)", "2023-07-29 15:00:00", "Japan Data Communications",
            "from 2021-04-01 (JST)", "MIC Notice No. 146 of 2021",
          ]
        ),
      ] {
        let visitor = Visitor(client)
        visitor.language = language
        let answer = try await visitor.get("/trust")
        #expect(answer.status == 200)
        for part in parts { #expect(answer.body.contains(part), "\(part) in \(answer.body)") }
        #expect(!answer.body.contains("accreditation."))
      }
      // Whoever is signed in finds it in the navigation.
      let visitor = Visitor(client)
      try await visitor.signIn("aozora")
      #expect(try await visitor.get("/trust").body.contains("href=\"/trust\" aria-current"))
    }
  }

  @Test("the sealed list is given as it is, and verifies")
  func list() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      try await client.execute(uri: "/trust/list.json", method: .get) { response in
        #expect(response.status == .ok)
        #expect(response.headers[.contentType] == "application/jose+json")
        let bytes = Array(buffer: response.body)
        let read = try SealedTrustedList(unverified: bytes)
        #expect(read.list.sequence == 7 && read.list.services.count == 2)
        let authority = try #require(read.list.services.first?.service.certificates.first)
        let validator = SealValidator(
          anchors: [try TrustAnchor(authority)], moment: SampleAccreditation.now)
        #expect(try SealedTrustedList(verifying: bytes, by: validator) == read)
      }
    }
  }

  @Test("a list that is past its next update says so; without one there is a page and no list")
  func outdated() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      let before = try await visitor.get("/trust").body
      #expect(!before.contains("role=\"alert\""))
      house.pass(seconds: 60 * 86_400)
      let after = try await visitor.get("/trust").body
      #expect(after.contains("This list is past its next update"))
    }
    let none = AccreditationPages(published: { nil })
    #expect(none.routes.map(\.path) == ["/trust", "/trust/list.json"])
    #expect(none.routes.allSatisfy { $0.audience == .everyone })
  }

  @Test("every status and kind of service has its words")
  func words() throws {
    let keys = try Catalogue.embedded().keys
    for status in AccreditationStatus.allCases {
      #expect(keys.contains("accreditation.status.\(status.rawValue)"))
    }
    for kind in TrustServiceKind.all {
      #expect(keys.contains("accreditation.kind.\(kind)"))
    }
  }
}
