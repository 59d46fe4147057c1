import Foundation
import NetworkTypes
import Testing

@testable import TrustServices

/// Moments relative to the tests' now.
enum TestMoment {
  case now
  case minutes(Double)

  var timestamp: Timestamp {
    switch self {
    case .now: TestAuthority.now
    case .minutes(let count): TestAuthority.now.advanced(bySeconds: count * 60)
    }
  }
}

@Suite("PAdES seals")
struct PAdESSealTests {
  @Test(
    "every level is made, passes, and leaves the original's octets as they were",
    arguments: SealLevel.allCases, [true, false])
  func levels(level: SealLevel, isTable: Bool) async throws {
    let house = try SealHouse()
    let original = isTable ? PDFFixtures.table() : PDFFixtures.stream()
    let sealed = try await house.padesSealer().seal(original, level: level, at: TestAuthority.now)
    #expect(sealed.starts(with: original))
    #expect(
      try PDFDocument(sealed).sections.map(\.isStream)
        == Array(
          repeating: !isTable, count: [.basic: 2, .timeStamped: 2, .longTerm: 3][level] ?? 4))
    let report = try house.validator(crls: level < .longTerm ? [house.crl] : [])
      .validate(file: sealed)
    #expect(report.verdict == "TOTAL-PASSED", "\(ReportText(.english).render(report))")
    let one = try #require(report.signatures.first)
    #expect(report.signatures.count == 1)
    #expect(report.format == .pades)
    #expect(one.level == level)
    #expect(one.claimedTime == TestAuthority.now)
    #expect((one.provenTime != nil) == (level > .basic))
    #expect(one.holder?.corporateNumber?.description == SealHouse.number)
    #expect(one.covers.first?.isWhole == (level < .longTerm))
    #expect(one.covers.first?.isIntact == true)
    #expect(!one.changesAfter.contains { !$0.isAllowed })
    #expect(
      one.changesAfter.compactMap(\.kind)
        == ([.longTerm: ["dss"], .archive: ["dss", "document-stamp"]][level] ?? []))
    #expect(
      one.timeStamps.map(\.kind)
        == ([.basic: [], .timeStamped: [.signature], .longTerm: [.signature]][level]
          ?? [.signature, .document]))
  }

  @Test("any octet that is changed breaks the seal")
  func tampered() async throws {
    let house = try SealHouse()
    let sealed = try await house.padesSealer().seal(
      PDFFixtures.table(), level: .basic, at: TestAuthority.now)
    let validator = try house.validator(crls: [house.crl])
    let changed = PDFFixtures.replace(sealed, "The flow report", "The flaw report")
    #expect(validator.validate(file: changed).verdict == "TOTAL-FAILED HASH_FAILURE")
    let renamed = PDFFixtures.replace(sealed, "/T (Seal1)", "/T (Seal2)")
    #expect(renamed != sealed)
    #expect(validator.validate(file: renamed).verdict == "TOTAL-FAILED HASH_FAILURE")
    for place in stride(from: 10, to: sealed.count, by: 97) {
      var broken = sealed
      broken[place] ^= 1
      let report = validator.validate(file: broken)
      // Zeros behind the message are padding, and hexadecimal digits have two cases.
      if report.conclusion.indication == .totalPassed {
        let before = try PDFSignature.all(PDFDocument(sealed), PDFForm(PDFDocument(sealed)))
        let after = try PDFSignature.all(PDFDocument(broken), PDFForm(PDFDocument(broken)))
        #expect(before[0].contents == after[0].contents, "octet \(place)")
      }
    }
  }

  @Test("a visible seal shows organisation and time, Japanese without a font in the file")
  func visible() async throws {
    let house = try SealHouse()
    var description = PAdESSealer.Description()
    description.appearance = SealAppearance()
    description.reason = "月次報告"
    description.fieldName = "Organisation"
    let sealed = try await house.padesSealer().seal(
      PDFFixtures.table(), level: .basic, description: description, at: TestAuthority.now)
    let text = PDFObject.latin(sealed)
    #expect(text.contains("/BaseFont /HeiseiKakuGo-W5") && text.contains("/UniJIS-UTF16-H"))
    #expect(!text.contains("FontFile"))
    let document = try PDFDocument(sealed)
    let field = try #require(try PDFForm(document).fields.first)
    #expect(field.name == "Organisation")
    let painted = try document.dictionary(field.dictionary["AP"])
    let form = try #require(try document.streamOctets(painted?["N"]))
    let shown = PDFObject.latin(form)
    // 狼煙研究所 in UTF-16BE.
    #expect(shown.contains("<72FC715978147A766240> Tj"))
    #expect(shown.contains("(2026-11-25T09:00:00Z) Tj"))
    #expect(
      try house.validator(crls: [house.crl]).validate(file: sealed).verdict == "TOTAL-PASSED")
    // A box that somebody else adds afterwards is named.
    let twice = try await house.padesSealer().seal(
      PDFFixtures.table(), level: .basic, at: TestAuthority.now)
    description.fieldName = nil
    let second = try await house.padesSealer().seal(
      twice, level: .basic, description: description, at: TestAuthority.now)
    let report = try house.validator(crls: [house.crl]).validate(file: second)
    #expect(report.verdict == "TOTAL-PASSED")
    #expect(
      report.signatures.map { $0.changesAfter.compactMap(\.kind) } == [["visible-signature"], []])
  }

  @Test("a document with a form, and one that is sealed at B-LTA, take further seals")
  func further() async throws {
    let house = try SealHouse()
    let original = PDFFixtures.table(PDFFixtures.objects(pages: 3, form: true))
    let first = try await house.padesSealer().seal(
      original, level: .archive, at: TestAuthority.now)
    let second = try await house.padesSealer().seal(
      first, level: .archive, at: TestAuthority.now)
    let report = try house.validator().validate(file: second)
    #expect(report.verdict == "TOTAL-PASSED", "\(ReportText(.english).render(report))")
    #expect(report.signatures.count == 2)
    #expect(
      report.signatures[0].changesAfter.compactMap(\.kind)
        == ["dss", "document-stamp", "signature", "document-stamp"])
    let names = try PDFForm(PDFDocument(second)).fields.map(\.name)
    #expect(names == ["name", "Seal1", "TimeStamp1", "Seal2", "TimeStamp2"])
    // A CRL that is there already is not added again.
    let store = try DocumentSecurityStore(PDFDocument(second))
    #expect(store.crls.count == 1)
    #expect(Set(store.certificates).count == store.certificates.count)
  }

  @Test("anybody's seal is extended, and an archived one renewed", arguments: SealLevel.allCases)
  func extended(level: SealLevel) async throws {
    let house = try SealHouse()
    let basic = try await house.padesSealer().seal(
      PDFFixtures.stream(), level: .basic, at: TestAuthority.now)
    let extended = try await house.padesExtension(at: .minutes(5)).extend(basic, to: level)
    #expect(extended.starts(with: basic))
    let validator = try house.validator(
      at: TestMoment.minutes(10).timestamp, crls: level < .longTerm ? [house.crl] : [])
    let report = validator.validate(file: extended)
    #expect(report.verdict == "TOTAL-PASSED", "\(ReportText(.english).render(report))")
    #expect(report.signatures.first?.level == level)
    if level > .basic {
      #expect(report.signatures.first?.provenTime == TestMoment.minutes(5).timestamp)
    }
    let renewed = try await house.padesExtension(at: .minutes(20)).extend(extended, to: .archive)
    let later = try house.validator(at: TestMoment.minutes(30).timestamp)
      .validate(file: renewed)
    #expect(later.verdict == "TOTAL-PASSED", "\(ReportText(.english).render(later))")
    #expect(later.signatures.first?.level == .archive)
  }

  @Test("a seal whose certificate has ended since passes by its archive time stamp alone")
  func pastEnd() async throws {
    let house = try SealHouse { template in
      template.notAfter = TestAuthority.now.advanced(bySeconds: 86_400)
    }
    let sealed = try await house.padesSealer().seal(
      PDFFixtures.table(), level: .archive, at: TestAuthority.now)
    let later = TestAuthority.now.advanced(bySeconds: 86_400 * 3)
    var report = try house.validator(at: later).validate(file: sealed)
    #expect(report.verdict == "TOTAL-PASSED", "\(ReportText(.english).render(report))")
    let basic = try await house.padesSealer().seal(
      PDFFixtures.table(), level: .basic, at: TestAuthority.now)
    report = try house.validator(at: later, crls: [house.crl]).validate(file: basic)
    #expect(report.verdict == "INDETERMINATE OUT_OF_BOUNDS_NO_POE")
  }

  @Test("a time stamp larger than the estimate gets its room, with a second signature")
  func room() async throws {
    let house = try SealHouse()
    let document = try PDFDocument(PDFFixtures.table())
    let writer = PDFSignatureWriter(
      document: document, entries: ["Type": .name("Sig")], fieldPrefix: "Seal")
    var calls = 0
    let written = try await writer.write(room: 100, hashes: [.sha256]) { _ in
      calls += 1
      return Array(repeating: 7, count: 5000)
    }
    #expect(calls == 2)
    let again = try PDFDocument(written)
    let signature = try #require(try PDFSignature.all(again, PDFForm(again)).first)
    #expect(signature.contents.prefix(5000).allSatisfy { $0 == 7 })
    #expect(try signature.range(in: again).end == written.count)
    _ = house
  }

  @Test("what permits no further signature, and what is encrypted, is refused")
  func refused() async throws {
    let house = try SealHouse()
    let certified = PDFFixtures.table(
      PDFFixtures.objects(
        catalogue:
          "/Perms<</DocMDP<</Type/Sig/Reference[<</TransformMethod/DocMDP/TransformParams<</P 1>>>>]"
          + ">>>>"))
    await #expect(throws: PDFError.changesForbidden) {
      try await house.padesSealer().seal(certified, at: TestAuthority.now)
    }
    let encrypted = PDFFixtures.replace(
      PDFFixtures.table(), "/Root 1 0 R>>", "/Root 1 0 R/Encrypt<</Filter/Standard>>>>")
    await #expect(throws: PDFError.encrypted) {
      try await house.padesSealer().seal(encrypted, at: TestAuthority.now)
    }
    // Nothing says that its signatures are bad.
    #expect(
      try house.validator().validate(pdf: encrypted).verdict
        == "INDETERMINATE SIGNED_DATA_NOT_FOUND")
    for name in ["", "a.b"] {
      var description = PAdESSealer.Description()
      description.fieldName = name
      await #expect(throws: SealError.fieldName(name)) {
        try await house.padesSealer().seal(
          PDFFixtures.table(), description: description, at: TestAuthority.now)
      }
    }
    await #expect(throws: SealError.timeStampSourceNeeded(.archive)) {
      var sealer = try house.padesSealer()
      sealer.timeStamps = nil
      return try await sealer.seal(PDFFixtures.table(), level: .archive, at: TestAuthority.now)
    }
    await #expect(throws: SealError.self) {
      try await house.padesExtension().extend(PDFFixtures.table(), to: .archive)
    }
  }

  @Test(
    "dates are read with their zones",
    arguments: [
      ("D:20261125180000+09'00'", "2026-11-25T09:00:00Z"),
      ("D:20261125090000Z", "2026-11-25T09:00:00Z"),
      ("D:20261125180000+09'00", "2026-11-25T09:00:00Z"),
      ("D:202611250900", "2026-11-25T09:00:00Z"),
      ("20261125090000Z00'00'", "2026-11-25T09:00:00Z"), ("D:2026", "2026-01-01T00:00:00Z"),
      ("D:20269925090000Z", nil), ("yesterday", nil), ("D:2026112509000", nil),
    ] as [(String, String?)])
  func dates(text: String, expected: String?) {
    #expect(PDFSignature.date(Array(text.utf8)) == expected.flatMap { Timestamp($0) })
  }
}
