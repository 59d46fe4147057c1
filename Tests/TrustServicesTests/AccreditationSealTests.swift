import Foundation
import NetworkTypes
import SwiftASN1
import Testing
import TrustServices

@Suite("Accreditation of e-seals")
struct AccreditationSealTests {
  static let content = ContentDigests(Array("警報\n".utf8))
  static let scheme = "mic-e-seal-2025"

  private func lists(
    _ folder: URL, _ house: SealHouse, policies: [String] = [],
    kind: TrustServiceKind = .seal(.accreditation2025, level: 2), scheme: String = scheme,
    _ decisions: [(AccreditationDecision.Kind, String, String?)]
  ) async throws -> TrustedLists {
    var body = try await AccreditingBody(folder, "総務省", "Ministry")
    try await body.scheme(scheme)
    try await body.scheme("mic-146-2021")
    try await body.apply("seal-ca", scheme, kind, [house.root.certificate], policies: policies)
    try await body.assess("seal-ca")
    for (kind, from, until) in decisions { try await body.decide("seal-ca", kind, from, until) }
    try await body.apply("tsa", "mic-146-2021", .timeStamp, [house.unit.certificate])
    try await body.assess("tsa")
    try await body.decide("tsa", .accredited, "2026-01-01", "2028-03-31")
    return try TrustedLists([try await body.lists(body.list())])
  }

  private func report(
    _ house: SealHouse, _ lists: TrustedLists, level: SealLevel, sealedAt: String,
    hasAnchors: Bool = false, requires: Bool = true
  ) async throws -> ValidationReport {
    let moment = AccreditingBody.moment(sealedAt)
    let seal = try await house.sealer(at: moment).seal(
      Self.content, level: level, isDetached: true, at: moment)
    var validator = SealValidator(
      anchors: hasAnchors ? [try house.root.anchor()] : [], moment: TestAuthority.now)
    validator.evidence = RevocationEvidence(crls: [house.crl])
    validator.trustedLists = lists
    validator.requiresAccreditation = requires
    return validator.validate(cms: seal.encoded, content: Self.content)
  }

  @Test("anchors come from the list, for seals and for stamps, each for its own")
  func anchors() async throws {
    try await withFolder { folder in
      let house = try SealHouse()
      let lists = try await lists(folder, house, [(.accredited, "2026-04-01", "2028-03-31")])
      let good = try await report(
        house, lists, level: .timeStamped, sealedAt: "2026-10-01T00:00:00Z", requires: false)
      #expect(good.verdict == "TOTAL-PASSED", "\(good)")
      let answer = try #require(good.signatures[0].accreditation)
      #expect(answer.isAccredited && answer.isProven && answer.schemes == [Self.scheme])
      #expect("\(answer.moment)" == "2026-10-01T00:00:00Z")
      #expect(answer.findings[0].kind == .seal(.accreditation2025, level: 2))
      #expect(good.signatures[0].timeStamps[0].accreditation?.schemes == ["mic-146-2021"])
      // Before its first day, by the stamp: no anchor then, and not accredited.
      let early = try await report(
        house, lists, level: .timeStamped, sealedAt: "2026-02-01T00:00:00Z", requires: false)
      #expect(early.verdict == "INDETERMINATE CHAIN_CONSTRAINTS_FAILURE")
      #expect(early.signatures[0].accreditation?.findings[0].status == .notYet)
      // With an anchor of one's own only who asks for accreditation is refused.
      for (requires, verdict) in [
        (true, "INDETERMINATE CHAIN_CONSTRAINTS_FAILURE"), (false, "TOTAL-PASSED"),
      ] {
        let report = try await report(
          house, lists, level: .timeStamped, sealedAt: "2026-02-01T00:00:00Z", hasAnchors: true,
          requires: requires)
        #expect(report.verdict == verdict)
        #expect(report.signatures[0].accreditation?.isAccredited == false)
      }
    }
  }

  @Test("what is suspended or withdrawn at the proven time is not accepted, and before it is")
  func suspended() async throws {
    try await withFolder { folder in
      let house = try SealHouse()
      let lists = try await lists(
        folder, house,
        [
          (.accredited, "2026-04-01", "2028-03-31"), (.suspended, "2026-08-01", nil),
          (.resumed, "2026-09-01", nil), (.withdrawn, "2026-11-01", nil),
        ])
      for hasAnchors in [true, false] {
        for (moment, verdict, status) in [
          ("2026-07-31T23:59:59+09:00", "TOTAL-PASSED", AccreditationFinding.Status.accredited),
          ("2026-08-01T00:00:00+09:00", "INDETERMINATE CHAIN_CONSTRAINTS_FAILURE", .suspended),
          ("2026-08-31T23:59:59+09:00", "INDETERMINATE CHAIN_CONSTRAINTS_FAILURE", .suspended),
          ("2026-09-01T00:00:00+09:00", "TOTAL-PASSED", .accredited),
          ("2026-11-01T00:00:00+09:00", "INDETERMINATE CHAIN_CONSTRAINTS_FAILURE", .withdrawn),
        ] {
          let report = try await report(
            house, lists, level: .timeStamped, sealedAt: moment, hasAnchors: hasAnchors)
          #expect(report.verdict == verdict, "\(moment) \(report.conclusion.detail ?? "")")
          let finding = try #require(report.signatures[0].accreditation?.findings.first)
          #expect(finding.status == status, "\(moment)")
          #expect(finding.laterStatus == (status == .withdrawn ? nil : .withdrawn))
        }
        // Without a time stamp nothing shows that it was sealed before the withdrawal.
        let bare = try await report(
          house, lists, level: .basic, sealedAt: "2026-07-01T00:00:00Z", hasAnchors: hasAnchors)
        #expect(bare.verdict == "INDETERMINATE NO_POE")
        #expect(bare.signatures[0].accreditation?.isProven == false)
      }
    }
  }

  @Test("an accreditation for some policies is none for others; a legacy level is told as such")
  func policies() async throws {
    try await withFolder { folder in
      let policy = try #require(ASN1ObjectIdentifier(dotted: "1.2.392.200000.9.2"))
      let house = try SealHouse(.p256) {
        $0.policies = [PolicyInformation(policy)]
      }
      for (accredited, status, verdict) in [
        ("1.2.392.200000.9.2", AccreditationFinding.Status.accredited, "TOTAL-PASSED"),
        ("1.2.392.200000.9.3", .otherPolicy, "INDETERMINATE CHAIN_CONSTRAINTS_FAILURE"),
      ] {
        let place = folder.appendingPathComponent(accredited)
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        let lists = try await lists(
          place, house, policies: [accredited], kind: .seal(.guideline2021, level: 3),
          scheme: "e-seal-guideline-2021", [(.accredited, "2026-02-01", "2028-03-31")])
        let report = try await report(
          house, lists, level: .timeStamped, sealedAt: "2026-10-01T00:00:00Z")
        #expect(report.verdict == verdict)
        let finding = try #require(report.signatures[0].accreditation?.findings.first)
        #expect(finding.status == status)
        #expect(finding.kind.level == SchemeLevel(edition: .guideline2021, level: 3, policy: nil))
        #expect(ReportText(.english).render(report).contains("e-seal level 3 of 2021"))
      }
    }
  }

  @Test("without a list accreditation that is asked for cannot be found, and else is not spoken of")
  func none() async throws {
    let house = try SealHouse()
    let asked = try await report(
      house, TrustedLists(), level: .timeStamped, sealedAt: "2026-10-01T00:00:00Z",
      hasAnchors: true)
    #expect(asked.verdict == "INDETERMINATE CHAIN_CONSTRAINTS_FAILURE")
    #expect(asked.signatures[0].provenTime == nil)
    let plain = try await report(
      house, TrustedLists(), level: .timeStamped, sealedAt: "2026-10-01T00:00:00Z",
      hasAnchors: true, requires: false)
    #expect(plain.verdict == "TOTAL-PASSED" && plain.signatures[0].accreditation == nil)
    #expect(!ReportText(.english).render(plain).contains("Accreditation"))
  }

  @Test(
    "a stamp by a service that no list names does not prove a time where accreditation is asked")
  func foreignStamp() async throws {
    try await withFolder { folder in
      let house = try SealHouse()
      var body = try await AccreditingBody(folder, "総務省", "Ministry")
      try await body.scheme(Self.scheme)
      try await body.apply(
        "seal-ca", Self.scheme, .seal(.accreditation2025, level: 2), [house.root.certificate])
      try await body.assess("seal-ca")
      try await body.decide("seal-ca", .accredited, "2026-04-01", "2026-10-31")
      let lists = try TrustedLists([try await body.lists(body.list())])
      let report = try await report(
        house, lists, level: .timeStamped, sealedAt: "2026-10-01T00:00:00Z", hasAnchors: true)
      #expect(report.verdict == "INDETERMINATE NO_POE")
      #expect(report.signatures[0].provenTime == nil)
      #expect(report.signatures[0].timeStamps[0].accreditation?.findings == [])
      #expect(
        ReportText(.english).render(report).contains("no trusted list names the service"))
    }
  }
}
