import Foundation
import NetworkTypes
import Testing

@testable import TrustServices

@Suite("The accreditation register")
struct AccreditationRegisterTests {
  static let scheme = "mic-146-2021"

  private func body(_ folder: URL) async throws -> (AccreditingBody, OldUnit) {
    let unit = try OldUnit()
    var body = try await AccreditingBody(folder, "総務省", "Ministry")
    try await body.scheme(Self.scheme)
    try await body.apply("tsa", Self.scheme, .timeStamp, [unit.root.certificate])
    return (body, unit)
  }

  private func status(_ body: AccreditingBody, _ text: String) throws -> AccreditationStatus? {
    let service = try #require(body.register.contents.service("tsa"))
    return body.register.contents.periods(of: service, at: AccreditingBody.moment(text)).last?
      .status
  }

  @Test("an accreditation needs an application and an assessment that was passed")
  func order() async throws {
    try await withFolder { folder in
      var (body, _) = try await body(folder)
      await #expect(throws: AccreditationError.self) {
        try await body.decide("tsa", .accredited, "2022-04-01", "2024-03-31")
      }
      try await body.assess("tsa", isPassed: false)
      await #expect(throws: AccreditationError.self) {
        try await body.decide("tsa", .accredited, "2022-04-01", "2024-03-31")
      }
      try await body.assess("tsa")
      for (from, until) in [
        // Before the scheme, without days, without an end.
        ("2021-03-31", "2024-03-31"), ("2022-04-01", "2022-03-31"), ("2022-04-01", nil),
      ] {
        await #expect(throws: AccreditationError.self) {
          try await body.decide("tsa", .accredited, from, until)
        }
      }
      try await body.decide("tsa", .accredited, "2022-04-01", "2024-03-31")
      #expect(try status(body, "2022-03-31T14:59:59Z") == nil)
      #expect(try status(body, "2022-03-31T15:00:00Z") == .accredited)
      await #expect(throws: AccreditationError.self) {
        try await body.decide("no-such", .suspended, "2023-01-01")
      }
    }
  }

  @Test("each stage allows its own steps and no other")
  func transitions() async throws {
    try await withFolder { folder in
      var (body, unit) = try await body(folder)
      // Whether each decision would be taken; refused ones leave nothing behind.
      func check(_ allowed: Set<AccreditationDecision.Kind>, _ from: String, _ line: String)
        async throws
      {
        for kind in AccreditationDecision.Kind.allCases {
          var contents = body.register.contents
          let isGrant = [.accredited, .renewed].contains(kind)
          let record = AccreditationRecord(
            time: body.clock, actor: "a", reason: "b",
            step: .decision(
              AccreditationDecision(
                service: "tsa", kind: kind, from: AccreditingBody.day(from),
                until: isGrant ? AccreditingBody.day("2030-12-31") : nil)))
          let isTaken: Bool
          do throws(AccreditationError) {
            try contents.apply(record)
            isTaken = true
          } catch {
            isTaken = false
            #expect(contents == body.register.contents)
            #expect(error.description.contains("tsa"), "\(error)")
          }
          #expect(isTaken == allowed.contains(kind), "\(line): \(kind)")
        }
      }
      try await body.assess("tsa")
      try await check([.accredited, .refused], "2022-04-01", "applied")
      try await body.decide("tsa", .accredited, "2022-04-01", "2024-03-31")
      try await check([.suspended, .withdrawn], "2023-01-01", "accredited")
      // What was public cannot be changed from before.
      try await check([], "2022-03-31", "before the accreditation")
      try await body.assess("tsa", "2019-06-01")
      try await check([.suspended, .withdrawn, .renewed], "2023-01-01", "assessed again")
      try await body.decide("tsa", .suspended, "2023-02-01")
      try await check([.resumed, .withdrawn], "2023-03-01", "suspended")
      try await body.decide("tsa", .resumed, "2023-03-01")
      try await check([.renewed, .expired], "2024-04-01", "the day after its end")
      try await check([.expired], "2024-04-02", "two days after its end")
      try await body.decide("tsa", .renewed, "2024-04-01", "2026-03-31")
      try await body.decide("tsa", .withdrawn, "2025-01-01")
      try await check([], "2025-02-01", "withdrawn")
      for (text, expected) in [
        ("2023-01-31T14:59:59Z", AccreditationStatus.accredited),
        ("2023-01-31T15:00:00Z", .suspended), ("2023-02-28T15:00:00Z", .accredited),
        ("2024-03-31T15:00:00Z", .accredited), ("2024-12-31T14:59:59Z", .accredited),
        ("2024-12-31T15:00:00Z", .withdrawn), ("2026-04-01T00:00:00Z", .withdrawn),
      ] { #expect(try status(body, text) == expected, "\(text)") }
      // A new application leaves the public status until it is decided.
      try await body.apply("tsa", Self.scheme, .timeStamp, [unit.unit.certificate])
      #expect(try status(body, "2026-04-01T00:00:00Z") == .withdrawn)
      try await body.assess("tsa", "2019-12-01")
      try await body.decide("tsa", .accredited, "2026-05-01", "2028-04-30")
      #expect(try status(body, "2026-05-01T00:00:00Z") == .accredited)
      #expect(try status(body, "2028-05-01T00:00:00Z") == .expired)
    }
  }

  @Test("what a published list told stays, whatever is decided later")
  func published() async throws {
    try await withFolder { folder in
      var (body, unit) = try await body(folder)
      try await body.assess("tsa")
      try await body.decide("tsa", .accredited, "2022-04-01", "2024-03-31")
      body.clock = AccreditingBody.moment("2024-05-01T00:00:00Z")
      let list = try body.list(issued: body.clock)
      try await body.add(
        .published(sequence: 1, sha256: list.sha256, nextUpdate: body.clock))
      try await body.assess("tsa")
      func refused(_ part: String, _ step: () async throws -> Void) async {
        do {
          try await step()
          Issue.record("taken: \(part)")
        } catch { #expect("\(error)".contains(part), "\(error)") }
      }
      // It was told to have expired on 2024-04-01.
      await refused("what was published stays") {
        try await body.decide("tsa", .renewed, "2024-04-01", "2026-03-31")
      }
      await refused("what was published stays") {
        try await body.decide("tsa", .suspended, "2023-06-01")
      }
      await refused("what was published stays") {
        try await body.scheme(Self.scheme, until: "2023-01-01")
      }
      await refused("was accredited from 2022-04-01") {
        try await body.scheme(Self.scheme, until: "2022-03-31")
      }
      try await body.decide("tsa", .expired, "2024-05-01")
      try await body.apply("tsa", Self.scheme, .timeStamp, [unit.unit.certificate])
      // The first certificate still stands for what was stamped with it.
      let service = try #require(body.register.contents.service("tsa"))
      #expect(service.certificates == [unit.root.certificate, unit.unit.certificate])
      try await body.assess("tsa", "2024-04-30")
      await refused("would come before") {
        try await body.decide("tsa", .accredited, "2022-03-01", "2026-03-31")
      }
      await refused("what was published stays") {
        try await body.decide("tsa", .accredited, "2024-03-31", "2026-03-31")
      }
      try await body.decide("tsa", .accredited, "2024-05-02", "2026-03-31")
      try body.list(2, issued: body.clock.advanced(bySeconds: 86_400 * 3))
        .checkSuccession(of: list)
    }
  }

  @Test("what is wrong with a record is said, and nothing of it is kept")
  func refused() async throws {
    try await withFolder { folder in
      var (body, unit) = try await body(folder)
      let size = body.register.head.size
      let other = try unit.root.issue("someone")
      let steps: [(AccreditationRecord.Step, String)] = [
        (
          .opened(SchemeOperator(name: body.name, schemeName: body.name, uri: "https://a.jp/")),
          "opened before"
        ),
        (
          .provider(
            TrustServiceProvider(
              id: "Provider", name: body.name, organizationIdentifier: nil, uri: "https://a.jp/")),
          "no identifier"
        ),
        (
          .provider(
            TrustServiceProvider(
              id: "p", name: body.name, organizationIdentifier: "NTRJP-7000012050003",
              uri: "https://a.jp/")), "check digit"
        ),
        (
          .provider(
            TrustServiceProvider(
              id: "p", name: BilingualText(ja: "a\u{202E}b", en: "x"), organizationIdentifier: nil,
              uri: "https://a.jp/")), "U+202e"
        ),
        (
          .provider(
            TrustServiceProvider(
              id: "p", name: body.name, organizationIdentifier: nil, uri: "javascript:alert(1)")),
          "no address"
        ),
        (
          .application(
            ServiceApplication(
              service: "b", provider: "nobody", scheme: Self.scheme, kind: .timeStamp,
              name: body.name, certificates: [unit.unit.certificate])), "no provider nobody"
        ),
        (
          .application(
            ServiceApplication(
              service: "b", provider: "provider", scheme: "none", kind: .timeStamp, name: body.name,
              certificates: [unit.unit.certificate])), "no scheme none"
        ),
        (
          .application(
            ServiceApplication(
              service: "b", provider: "provider", scheme: Self.scheme,
              kind: .seal(.accreditation2025, level: 2), name: body.name,
              certificates: [unit.root.certificate])), "not about e-seal-2025-2"
        ),
        (
          .application(
            ServiceApplication(
              service: "b", provider: "provider", scheme: Self.scheme, kind: .timeStamp,
              name: body.name, certificates: [other.certificate])), "neither a time-stamp unit's"
        ),
        (
          .application(
            ServiceApplication(
              service: "b", provider: "provider", scheme: Self.scheme, kind: .timeStamp,
              name: body.name, certificates: [])), "without a certificate"
        ),
        (
          .application(
            ServiceApplication(
              service: "b", provider: "provider", scheme: Self.scheme, kind: .timeStamp,
              name: body.name, certificates: [unit.root.certificate])), "has the same certificate"
        ),
        (.identity(service: "tsa", certificates: ["AAAA"]), "cannot be read"),
        (.published(sequence: 2, sha256: "00", nextUpdate: body.clock), "does not follow"),
      ]
      for (step, part) in steps {
        do {
          try await body.add(step)
          Issue.record("taken: \(part)")
        } catch { #expect("\(error)".contains(part), "\(error)") }
      }
      #expect(body.register.head.size == size)
      // Who, why and when are asked for too.
      for record in [
        AccreditationRecord(time: body.clock, actor: "", reason: "x", step: steps[11].0),
        AccreditationRecord(time: body.clock, actor: "x", reason: "", step: steps[11].0),
        AccreditationRecord(time: .distantPast, actor: "x", reason: "y", step: steps[11].0),
      ] {
        await #expect(throws: AccreditationError.self) { try await body.register.append(record) }
      }
    }
  }

  @Test("a register is read again as it was, with its documents' hashes")
  func reread() async throws {
    try await withFolder { folder in
      var contents = AccreditationContents()
      let path: String
      do {
        var (body, _) = try await body(folder)
        try await body.add(
          .assessment(
            ServiceAssessment(
              service: "tsa", isPassed: true, assessor: "調査機関",
              day: AccreditingBody.day("2019-12-31"))),
          documents: [RegisteredDocument(name: "調査報告書.pdf", content: [1, 2, 3])])
        contents = body.register.contents
        path = body.folder.path
      }
      let again = try AccreditationRegister.contents(folder: path)
      #expect(again.contents == contents)
      #expect(
        again.records.last?.documents.first?.sha256
          == "039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81")
      #expect(again.records.allSatisfy { $0.actor == "sato" && !$0.reason.isEmpty })
    }
  }
}
