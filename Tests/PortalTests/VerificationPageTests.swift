import Foundation
import Hummingbird
import HummingbirdTesting
import NetworkTypes
import Testing
import TrustServices

@testable import Portal

@Suite("The page that verifies files")
struct VerificationPageTests {
  private static let boundary = "noroshi-test"

  private static func part(_ name: String, _ file: String?, _ content: String) -> String {
    let fileName = file.map { "; filename=\"\($0)\"" } ?? ""
    return "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"\(fileName)\r\n\r\n"
      + content + "\r\n"
  }

  /// Sends files as a browser does; PEM is the form here, as the visitor of the tests sends text.
  private func send(
    _ visitor: Visitor, _ files: [(field: String, name: String, content: String)],
    token: String? = nil
  ) async throws -> Visitor.Answer {
    let page = try await visitor.get("/verify").body
    let mark = "name=\"form_token\" value=\""
    let own = page.range(of: mark).map { String(page[$0.upperBound...].prefix { $0 != "\"" }) }
    let body =
      Self.part("form_token", nil, token ?? own ?? "")
      + files.map { Self.part($0.field, $0.name, $0.content) }.joined() + "--\(Self.boundary)--\r\n"
    visitor.extraHeaders = [("Content-Type", "multipart/form-data; boundary=\(Self.boundary)")]
    defer { visitor.extraHeaders = [] }
    return try await visitor.send("/verify", .post, body: body)
  }

  private static func pem(_ seal: [UInt8]) -> String {
    "-----BEGIN CMS-----\n\(Data(seal).base64EncodedString(options: .lineLength64Characters))\n"
      + "-----END CMS-----\n"
  }

  @Test("whoever has a file and an authority's certificate learns whether the seal holds")
  func verify() async throws {
    let house = try await SampleHouse()
    let (authority, seal) = try await SampleVerification.seal()
    let content = String(decoding: SampleVerification.content, as: UTF8.self)
    try await house.portal.application().test(.router) { client in
      // Nobody is signed in.
      let visitor = Visitor(client)
      let good = try await send(
        visitor,
        [
          ("seal", "n.csv.p7s", Self.pem(seal)), ("content", "n.csv", content),
          ("anchor", "ca.pem", authority.pem),
        ])
      #expect(good.status == 200)
      #expect(good.body.contains("class=\"panel verdict good\""))
      #expect(good.body.contains("Organisation: 例示機構"))
      #expect(good.body.contains("By the authority whose certificate you sent."))
      let changed = try await send(
        visitor,
        [
          ("seal", "n.csv.p7s", Self.pem(seal)), ("content", "n.csv", content + "x"),
          ("anchor", "ca.pem", authority.pem),
        ])
      #expect(changed.body.contains("class=\"panel verdict bad\""))
      // The house trusts nobody by itself.
      visitor.language = "ja"
      let stranger = try await send(
        visitor, [("seal", "<n>.p7s", Self.pem(seal)), ("content", "n.csv", content)])
      #expect(stranger.body.contains("class=\"panel verdict open\""))
      #expect(stranger.body.contains("&lt;n&gt;.p7s") && !stranger.body.contains("<n>"))
      #expect(stranger.body.contains("このサイトが信頼する認証局"))
    }
  }

  @Test("what is no seal, no certificate, no form, or another's form gets an answer and no trap")
  func refusals() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      #expect(try await send(visitor, []).status == 400)
      let text = try await send(visitor, [("seal", "n.txt", "hello")])
      #expect(text.status == 200 && text.body.contains("verdict bad"))
      let anchor = try await send(
        visitor, [("seal", "n.txt", "hello"), ("anchor", "x", "no certificate")])
      #expect(anchor.body.contains("is no certificate"))
      #expect(try await send(visitor, [("seal", "n", "x")], token: "0000").status == 403)
      visitor.extraHeaders = [("Sec-Fetch-Site", "cross-site")]
      _ = try await visitor.get("/verify")
      #expect(try await visitor.send("/verify", .post, body: "seal=x").status == 415)
      let large = String(repeating: "x", count: PortalParameters().uploadBytes)
      visitor.extraHeaders = []
      #expect(try await send(visitor, [("seal", "n", large)]).status == 413)
    }
  }

  @Test("uploads are let in a few at a time")
  func gate() async throws {
    let gate = UploadGate(capacity: 1)
    let inside = try await gate.pass {
      await #expect(throws: Problem.self) { try await gate.pass { 1 } }
      return 2
    }
    #expect(inside == 2)
    #expect(try await gate.pass { 7 } == 7)
  }

  @Test("staff sees what ends, the nearest first, and what is near is marked")
  func endings() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("sato")
      let page = try await visitor.get("/verify/endings").body
      let places = ["Old unit", "Unit &lt;2&gt;", "New unit"].compactMap { page.range(of: $0) }
      #expect(places.count == 3)
      #expect(places.map(\.lowerBound) == places.map(\.lowerBound).sorted())
      #expect(page.contains("ending-ended") && page.contains("ending-near"))
      #expect(try await visitor.get("/verify").body.contains("/verify/endings"))
      let near = try await visitor.get("/verify/endings.csv?state=near").body
      #expect(near.contains("Unit <2>") && !near.contains("New unit"))
      let other = Visitor(client)
      try await other.signIn("aozora")
      #expect(try await other.get("/verify/endings").status == 403)
    }
  }
}
