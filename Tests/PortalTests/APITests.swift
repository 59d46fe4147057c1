import Foundation
import Hummingbird
import HummingbirdTesting
import Testing

@testable import Portal

@Suite("The API")
struct APITests {
  @Test("a bearer token sees what its person sees, until it is revoked or the person disabled")
  func tokens() async throws {
    let house = try await SampleHouse()
    let account = try #require(try await house.accounts.account(named: "aozora"))
    let token = try await house.accounts.makeToken(for: account, label: "script")
    try await house.portal.application().test(.router) { client in
      let program = Visitor(client)
      let answer = try await program.get("/api/v1/hosts", bearer: token)
      #expect(answer.status == 200)
      #expect(answer.body.contains("192.0.2."))
      #expect(!answer.body.contains("198.51.100."))
      #expect(try await program.get("/api/v1/telescope/series", bearer: token).status == 403)
      let wrong = try await program.get(
        "/api/v1/hosts", bearer: "noroshi_" + String(repeating: "0", count: 64))
      #expect(wrong.status == 401)
      #expect(wrong.headers[.wwwAuthenticate] == "Bearer realm=\"noroshi\"")
      // Tokens are for programs: pages and forms take a session only.
      #expect(try await program.get("/hosts", bearer: token).status == 303)
      house.pass(seconds: 366 * 86_400)
      #expect(try await program.get("/api/v1/hosts", bearer: token).status == 401)
    }
  }

  @Test("a token is made, listed and revoked in the browser, and shown once")
  func managed() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("sato")
      let made = try await visitor.post("/account/tokens", ["label": "cron"], from: "/account")
      let match = try #require(made.body.firstMatch(of: /noroshi_[0-9a-f]{64}/))
      let token = String(match.output)
      #expect(try await Visitor(client).get("/api/v1/overview", bearer: token).status == 200)
      let page = try await visitor.get("/account").body
      #expect(!page.contains(token))
      let revoke = try #require(page.firstMatch(of: /\/account\/tokens\/[0-9]+\/revoke/))
      #expect(try await visitor.post(String(revoke.output), [:], from: "/account").status == 303)
      #expect(try await Visitor(client).get("/api/v1/overview", bearer: token).status == 401)
    }
  }

  @Test("what the API answers is what its description says, on every route")
  func described() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("admin")
      for route in house.portal.routes {
        guard case .api(let operation) = route.face, !route.path.hasSuffix("openapi.json") else {
          continue
        }
        let body = try await visitor.get(RouteTests.path(route.path, foreign: false)).body
        let value = try JSONSerialization.jsonObject(
          with: Data(body.utf8), options: .fragmentsAllowed)
        let problems = Self.check(value, operation.response, at: route.path)
        #expect(problems.isEmpty, "\(problems.prefix(5))")
      }
    }
  }

  /// The part of JSON Schema that the description uses.
  static func check(_ value: Any, _ schema: JSON, at place: String) -> [String] {
    var types: [String] = []
    if case .string(let type) = schema["type"] { types = [type] }
    if case .array(let list) = schema["type"] {
      types = list.compactMap { if case .string(let type) = $0 { type } else { nil } }
    }
    let isRight = types.contains { type in
      switch type {
      case "null": value is NSNull
      case "string": value is String
      case "integer":
        (value as? NSNumber).map { $0.doubleValue == $0.doubleValue.rounded() } ?? false
      case "number": value is NSNumber
      case "boolean": value is NSNumber
      case "array": value is [Any]
      case "object": value is [String: Any]
      default: false
      }
    }
    guard isRight else { return ["\(place): \(value) is not \(types)"] }
    var problems: [String] = []
    if let members = value as? [String: Any] {
      if case .array(let required) = schema["required"] {
        for case .string(let name) in required where members[name] == nil {
          problems.append("\(place): no \(name)")
        }
      }
      for (name, member) in members {
        if let inner = schema["properties"]?[name] {
          problems += check(member, inner, at: "\(place).\(name)")
        } else if let inner = schema["additionalProperties"] {
          problems += check(member, inner, at: "\(place).\(name)")
        } else {
          problems.append("\(place): \(name) is not described")
        }
      }
    }
    if let items = value as? [Any], let inner = schema["items"] {
      for (index, item) in items.prefix(20).enumerated() {
        problems += check(item, inner, at: "\(place)[\(index)]")
      }
    }
    if case .array(let words) = schema["enum"], let word = value as? String,
      !words.contains(.string(word))
    {
      problems.append("\(place): \(word) is not in the vocabulary")
    }
    return problems
  }

  @Test(
    "the description is valid OpenAPI 3.1 in the eyes of openapi-spec-validator",
    .enabled(if: Tool.hasPython("openapi_spec_validator"), "pip install openapi-spec-validator"))
  func valid() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let body = try await Visitor(client).get("/api/v1/openapi.json").body
      let file = FileManager.default.temporaryDirectory
        .appending(path: "noroshi-openapi-\(UUID().uuidString).json")
      defer { try? FileManager.default.removeItem(at: file) }
      try Data(body.utf8).write(to: file)
      let (status, output) = try Tool.run(
        "python3", ["-m", "openapi_spec_validator", file.path])
      #expect(status == 0, "\(output)")
    }
  }

  @Test("health is for everyone, metrics are for staff unless opened")
  func probes() async throws {
    let closed = try await SampleHouse()
    try await closed.portal.application().test(.router) { client in
      let health = try await Visitor(client).get("/healthz")
      #expect(health.body == "ok\n")
      let metrics = try await Visitor(client).get("/metrics")
      #expect(metrics.status == 401)
    }
    let open = try await SampleHouse(
      configuration: PortalConfiguration(port: 0, metricsAreOpen: true))
    open.metrics.register("noroshi_test_total", help: "A \"test\"\nof two lines.", kind: .counter) {
      [MetricSample([.init("name", "a\"b\\c\nd")], value: 3), MetricSample(value: 0.5)]
    }
    open.metrics.register(families: {
      ["noroshi_a_total", "noroshi_z"].map {
        MetricFamily(name: $0, help: "All at once.", kind: .gauge, samples: [.init(value: 4)])
      }
    })
    try await open.portal.application().test(.router) { client in
      _ = try await Visitor(client).get("/healthz")
      let answer = try await Visitor(client).get("/metrics")
      #expect(answer.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
      #expect(answer.body.contains("# HELP noroshi_test_total A \"test\"\\nof two lines.\n"))
      #expect(answer.body.contains("# TYPE noroshi_test_total counter\n"))
      #expect(answer.body.contains("noroshi_test_total{name=\"a\\\"b\\\\c\\nd\"} 3\n"))
      #expect(answer.body.contains("noroshi_test_total 0.5\n"))
      #expect(answer.body.hasPrefix("# HELP noroshi_a_total All at once.\n"))
      #expect(
        answer.body.hasSuffix(
          "# HELP noroshi_z All at once.\n# TYPE noroshi_z gauge\nnoroshi_z 4\n"))
      #expect(
        answer.body.contains("noroshi_http_requests_total{route=\"/healthz\",status=\"200\"} 1\n"))
    }
  }
}

/// Other people's programs, which some tests ask for their opinion.
enum Tool {
  static func run(_ name: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [name] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
  }

  static func has(_ name: String) -> Bool { (try? run("which", [name]).status) == 0 }

  static func hasPython(_ module: String) -> Bool {
    (try? run("python3", ["-c", "import \(module)"]).status) == 0
  }
}
