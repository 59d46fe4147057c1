import GRDB
import Hummingbird
import HummingbirdTesting
import NetworkTypes
import Testing

@testable import Portal

@Suite("Accounts")
struct AccountTests {
  @Test("scrypt gives the vector of RFC 7914 §12, with the cost beside the hash")
  func vector() throws {
    let text =
      "scrypt$1024$8$16$4e61436c$fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
    let hash = try #require(PasswordHash(text))
    #expect(hash.text == text)
    #expect(try hash.matches("password"))
    #expect(try !hash.matches("Password"))
  }

  @Test("a password typed with combining marks is the same password")
  func normalised() throws {
    var parameters = PortalParameters()
    parameters.scryptRounds = 16
    let hash = try PasswordHash(of: "がんばる狼煙さん", parameters: parameters)
    #expect(try hash.matches("か\u{3099}んは\u{3099}る狼煙さん"))
  }

  @Test("the default cost works, and a hash with an absurd cost is refused")
  func cost() throws {
    let hash = try PasswordHash(of: "beacon", parameters: PortalParameters())
    #expect(hash.text.hasPrefix("scrypt$32768$8$3$"))
    #expect(try hash.matches("beacon"))
    #expect(PasswordHash("scrypt$1073741824$8$1$00$00") == nil)
    #expect(PasswordHash("scrypt$-5$8$1$00$00") == nil)
  }

  @Test("passwords, sessions and tokens stand in the database as hashes only")
  func hashedOnly() async throws {
    let house = try await SampleHouse()
    guard
      case .signedIn(let viewer) = try await house.accounts.signIn(
        name: "sato", password: SampleHouse.password, address: nil)
    else {
      Issue.record("could not sign in")
      return
    }
    let token = try await house.accounts.makeToken(for: viewer.account, label: "script")
    let session = try #require(viewer.session)
    let everything = try await house.accounts.database.read { db in
      try ["portal_accounts", "portal_sessions", "portal_tokens"].map { table in
        try Row.fetchAll(db, sql: "SELECT * FROM \(table)").map(\.description).joined()
      }.joined()
    }
    #expect(!everything.contains(SampleHouse.password))
    #expect(!everything.contains(session.token))
    #expect(!everything.contains(token))
    #expect(try await house.accounts.viewer(bearer: token)?.account.name == "sato")
  }

  @Test("a name is taken in every case, and must be plain")
  func names() async throws {
    let house = try await SampleHouse()
    await #expect(throws: AccountError.nameTaken("SATO")) {
      try await house.accounts.create(name: "SATO", password: "long enough", role: .analyst)
    }
    for name in ["", "a b", "-x", "日本", String(repeating: "a", count: 65)] {
      await #expect(throws: AccountError.nameInvalid(name)) {
        try await house.accounts.create(name: name, password: "long enough", role: .analyst)
      }
    }
    await #expect(throws: AccountError.passwordTooShort(minimum: 10)) {
      try await house.accounts.create(name: "suzuki", password: "short", role: .analyst)
    }
  }

  @Test("the last administrator cannot be disabled; a disabled account is out at once")
  func disabling() async throws {
    let house = try await SampleHouse()
    await #expect(throws: AccountError.lastAdministrator) {
      try await house.accounts.setDisabled(true, name: "admin")
    }
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("sato")
      try await house.accounts.setDisabled(true, name: "sato")
      #expect(try await visitor.get("/").status == 303)
      #expect(try await Visitor(client).signIn("sato").status == 401)
      try await house.accounts.setDisabled(false, name: "sato")
      #expect(try await Visitor(client).signIn("sato").status == 303)
    }
  }

  @Test("an administrator makes, resets and disables accounts in the browser")
  func managed() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let admin = Visitor(client)
      try await admin.signIn("admin")
      let fields = [
        "name": "kato", "password": "first password", "role": "isp",
        "organisation": SampleHouse.midori,
      ]
      #expect(try await admin.post("/users", fields, from: "/users").status == 303)
      let twice = try await admin.post("/users", fields, from: "/users")
      #expect(twice.status == 400)
      #expect(twice.body.contains("There is already an account"))
      let unknown = fields.merging(["organisation": "nobody", "name": "ito"]) { $1 }
      #expect(try await admin.post("/users", unknown, from: "/users").status == 400)
      #expect(
        try await admin.post(
          "/users/kato/password", ["password": "second password"], from: "/users"
        ).status == 303)
      #expect(try await Visitor(client).signIn("kato", password: "second password").status == 303)
      #expect(try await admin.post("/users/kato/disable", [:], from: "/users").status == 303)
      #expect(try await Visitor(client).signIn("kato", password: "second password").status == 401)
    }
  }

  @Test("a person changes the password with the current one, and signs in again")
  func change() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("sato")
      let wrong = ["current": "nope", "new": "another beacon", "again": "another beacon"]
      #expect(try await visitor.post("/account/password", wrong, from: "/account").status == 400)
      let right = wrong.merging(["current": SampleHouse.password]) { $1 }
      #expect(
        try await visitor.post("/account/password", right, from: "/account").location == "/sign-in")
      #expect(try await visitor.get("/").status == 303)
      #expect(try await Visitor(client).signIn("sato", password: "another beacon").status == 303)
    }
  }

  @Test("language and zone are kept with the account")
  func preferences() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("sato")
      #expect(try await visitor.get("/cases").body.contains("<html lang=\"en\">"))
      _ = try await visitor.post(
        "/account/preferences", ["language": "ja", "zone": "JST"], from: "/account")
      let page = try await visitor.get("/cases").body
      #expect(page.contains("<html lang=\"ja\">"))
      #expect(page.contains("時刻は JST で表示しています。"))
    }
  }

  @Test("the throttle stays bounded, and inventing names does not clear an address")
  func bounded() {
    var parameters = PortalParameters()
    parameters.throttleEntries = 100
    let throttle = SignInThrottle(parameters: parameters)
    for index in 0..<10_000 {
      throttle.failed(
        account: "name\(index)", address: "192.0.2.1",
        now: Timestamp(seconds: Int64(index) / 100))
    }
    #expect(throttle.count <= 100)
    #expect(
      !throttle.admits(account: "fresh", address: "192.0.2.1", now: Timestamp(seconds: 100)))
  }
}
