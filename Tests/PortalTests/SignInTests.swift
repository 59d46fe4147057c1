import Hummingbird
import HummingbirdTesting
import Synchronization
import Testing

@testable import Portal

@Suite("Signing in")
struct SignInTests {
  @Test("the right password opens the overview, and signing out closes it again")
  func signInAndOut() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      #expect(try await visitor.get("/").location == "/sign-in?next=%2F")
      let answer = try await visitor.signIn("sato")
      #expect(answer.status == 303)
      #expect(answer.location == "/")
      let cookie = answer.headers[values: .setCookie].first { $0.hasPrefix("noroshi_session=") }
      #expect(cookie?.contains("HttpOnly; SameSite=Lax") == true)
      #expect(cookie?.contains("Secure") == false)
      #expect(try await visitor.get("/").status == 200)
      #expect(try await visitor.post("/sign-out", [:], from: "/").location == "/sign-in")
      #expect(try await visitor.get("/").status == 303)
    }
    let actions = house.journal.withLock { $0.map(\.action) }
    #expect(actions.contains("account.signed-in"))
    #expect(actions.contains("account.signed-out"))
  }

  @Test("a wrong password and a name without account get the same answer")
  func sameAnswer() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let wrong = try await Visitor(client).signIn("sato", password: "not this one")
      let nobody = try await Visitor(client).signIn("nobody", password: "not this one")
      #expect(wrong.status == 401)
      #expect(nobody.status == 401)
      #expect(wrong.body.contains("The name or the password is wrong."))
      #expect(nobody.body.contains("The name or the password is wrong."))
    }
    let failures = house.journal.withLock { $0.filter { $0.action == "account.sign-in-failed" } }
    #expect(failures.count == 2)
  }

  @Test("after five failures an account is closed to everybody for a quarter of an hour")
  func throttled() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      for _ in 0..<5 { try await Visitor(client).signIn("sato", password: "wrong password") }
      let sixth = try await Visitor(client).signIn("sato")
      #expect(sixth.status == 429)
      #expect(try await Visitor(client).signIn("admin").status == 303)
      house.pass(seconds: 901)
      #expect(try await Visitor(client).signIn("sato").status == 303)
    }
  }

  @Test("a session ends after two idle hours, and after twelve hours in any case")
  func sessionEnds() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let idle = Visitor(client)
      try await idle.signIn("sato")
      house.pass(seconds: 2 * 3_600)
      #expect(try await idle.get("/cases").status == 303)

      let busy = Visitor(client)
      try await busy.signIn("sato")
      for _ in 0..<11 {
        house.pass(seconds: 3_600)
        #expect(try await busy.get("/cases").status == 200)
      }
      house.pass(seconds: 3_600)
      #expect(try await busy.get("/cases").status == 303)
    }
  }

  @Test("a form without its page's token, or from another site, changes nothing")
  func forgedForm() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("admin")
      let body = "name=mallory&password=long-enough-9&role=administrator"
      #expect(try await visitor.send("/users", .post, body: body).status == 403)
      #expect(
        try await visitor.send("/users", .post, body: body + "&form_token=0000").status == 403)
      visitor.extraHeaders = [("Sec-Fetch-Site", "cross-site")]
      let fields = ["name": "mallory", "password": "long-enough-9", "role": "administrator"]
      #expect(try await visitor.post("/users", fields, from: "/users").status == 403)
    }
    #expect(try await house.accounts.account(named: "mallory") == nil)
  }

  @Test("the sign-in form leads back to where the visitor wanted to go, never to another site")
  func next() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      for (wanted, reached) in [
        ("/cases?state=open", "/cases?state=open"), ("//evil.example/", "/"),
        ("https://evil.example/", "/"), ("/\\evil.example", "/"),
      ] {
        let visitor = Visitor(client)
        let answer = try await visitor.post(
          "/sign-in", ["name": "sato", "password": SampleHouse.password, "next": wanted],
          from: "/sign-in")
        #expect(answer.location == reached)
      }
    }
  }

  @Test("cookies are Secure and HSTS is sent where visitors come by TLS")
  func secure() async throws {
    let house = try await SampleHouse(configuration: PortalConfiguration(port: 0, isSecure: true))
    try await house.portal.application().test(.router) { client in
      let answer = try await Visitor(client).signIn("sato")
      let cookie = answer.headers[values: .setCookie].first { $0.hasPrefix("noroshi_session=") }
      #expect(cookie?.hasSuffix("; Secure") == true)
      #expect(answer.headers[.strictTransportSecurity] != nil)
    }
  }

  @Test("a host name that is not in the list is refused")
  func hosts() async throws {
    let house = try await SampleHouse(
      configuration: PortalConfiguration(port: 0, allowedHosts: ["portal.example"]))
    try await house.portal.application().test(.live) { client in
      let answer = try await Visitor(client).get("/sign-in")
      #expect(answer.status == 421)
    }
  }
}
