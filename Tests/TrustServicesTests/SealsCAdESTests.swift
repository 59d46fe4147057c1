import Foundation
import NetworkTypes
import SwiftASN1
import Testing
import TrustServices

@Suite("CAdES seals")
struct SealsCAdESTests {
  static let text = Array("狼煙が上がった。\n".utf8)

  @Test("every level is made and passes", arguments: SealLevel.allCases, [true, false])
  func levels(level: SealLevel, isDetached: Bool) async throws {
    let house = try SealHouse()
    let content = ContentDigests(Self.text)
    let seal = try await house.sealer().seal(
      content, level: level, isDetached: isDetached, at: TestAuthority.now)
    let report = try house.validator(crls: [house.crl]).validate(
      cms: seal.encoded, content: isDetached ? content : nil)
    #expect(report.verdict == "TOTAL-PASSED", "\(report)")
    let one = try #require(report.signatures.first)
    #expect(one.level == level)
    #expect(one.claimedTime == TestAuthority.now)
    #expect((one.provenTime != nil) == (level > .basic))
    #expect(one.holder?.kind == .organisation)
    #expect(one.holder?.corporateNumber?.description == SealHouse.number)
    #expect(one.holder?.scheme == SchemeLevel(edition: .accreditation2025, level: 1, policy: nil))
    #expect(one.covers.first?.isIntact == true)
    #expect(one.covers.first?.isEnclosed == !isDetached)
  }

  @Test(
    "every kind of key seals",
    arguments: [
      (FileKey.Kind.rsa(bits: 2048), SignatureAlgorithm.rsaPKCS1(.sha256)),
      (.rsa(bits: 2048), .rsaPSS(.sha256)), (.p384, .ecdsa(.sha384)), (.p521, .ecdsa(.sha512)),
      (.ed25519, .ed25519),
    ])
  func kinds(kind: FileKey.Kind, algorithm: SignatureAlgorithm) async throws {
    let house = try SealHouse(kind)
    let content = ContentDigests(Self.text)
    let seal = try await house.sealer(algorithm: algorithm).seal(
      content, level: .basic, isDetached: true, at: TestAuthority.now)
    let report = try house.validator(crls: [house.crl]).validate(
      cms: seal.encoded, content: content)
    #expect(report.verdict == "TOTAL-PASSED", "\(report)")
  }

  @Test("openssl accepts what is made", .enabled(if: OpenSSL.isPresent))
  func openssl() async throws {
    let house = try SealHouse()
    for level in SealLevel.allCases {
      let seal = try await house.sealer().seal(
        ContentDigests(Self.text), level: level, isDetached: true, at: TestAuthority.now)
      try withFolder { folder in
        try folder.put("seal.p7s", seal.encoded)
        try folder.put("text", Self.text)
        try folder.put("ca.pem", Array(house.root.certificate.pem.utf8))
        let outcome = try OpenSSL.run(
          "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", "seal.p7s", "-content",
          "text", "-CAfile", "ca.pem", "-purpose", "any", "-attime",
          "\(TestAuthority.now.seconds)", "-out", "out", in: folder)
        #expect(outcome.status == 0, "\(level): \(outcome.output)")
        #expect(outcome.output.contains("CAdES Verification successful"), "\(outcome.output)")
      }
    }
  }

  @Test("pyHanko accepts every level", .enabled(if: Python.has("pyhanko")))
  func pyhanko() async throws {
    let house = try SealHouse()
    for level in SealLevel.allCases {
      let seal = try await house.sealer().seal(
        ContentDigests(Self.text), level: level, isDetached: true, at: TestAuthority.now)
      try withFolder { folder in
        try folder.put("seal.p7s", seal.encoded)
        try folder.put("text", Self.text)
        try folder.put("ca.der", house.root.certificate.encoded)
        try folder.put("ca.crl", house.crl.encoded)
        let outcome = try Python.run(
          """
          import asyncio, datetime
          from asn1crypto import cms, x509, crl
          from pyhanko_certvalidator import ValidationContext
          from pyhanko.sign.validation.generic_cms import async_validate_detached_cms
          info = cms.ContentInfo.load(open('seal.p7s','rb').read())
          def context():
            return ValidationContext(
              trust_roots=[x509.Certificate.load(open('ca.der','rb').read())],
              crls=[crl.CertificateList.load(open('ca.crl','rb').read())],
              moment=datetime.datetime.fromtimestamp(\(TestAuthority.now.seconds),
                datetime.timezone.utc), revocation_mode='hard-fail')
          status = asyncio.run(async_validate_detached_cms(
            open('text','rb').read(), info['content'],
            signer_validation_context=context(), ts_validation_context=context()))
          stamp = status.timestamp_validity
          print(status.intact, status.valid, status.trusted,
            stamp is None or (stamp.valid and stamp.intact and stamp.trusted))
          """, in: folder)
        #expect(outcome.output.hasSuffix("True True True True\n"), "\(level): \(outcome.output)")
      }
    }
  }

  @Test("what openssl seals passes", .enabled(if: OpenSSL.isPresent))
  func fromOpenSSL() throws {
    let house = try SealHouse()
    try withFolder { folder in
      try folder.put("text", Self.text)
      try folder.put("seal.pem", Array(house.seal.certificate.pem.utf8))
      try folder.put("key.pem", Array(try house.seal.key.pem(passphrase: nil).utf8))
      let outcome = try OpenSSL.run(
        "cms", "-sign", "-cades", "-binary", "-in", "text", "-signer", "seal.pem", "-inkey",
        "key.pem", "-md", "sha256", "-outform", "DER", "-out", "seal.p7s", in: folder)
      #expect(outcome.status == 0, "\(outcome.output)")
      let report = try house.validator(crls: [house.crl]).validate(
        cms: try folder.get("seal.p7s"), content: ContentDigests(Self.text))
      #expect(report.verdict == "TOTAL-PASSED", "\(report)")
    }
  }

  @Test("somebody else's basic seal is brought to B-LTA, and renewed")
  func extended() async throws {
    let house = try SealHouse()
    let content = ContentDigests(Self.text)
    let basic = try house.sealer().sign(
      content, claiming: TestAuthority.now, at: TestAuthority.now)
    let extender = CAdESExtension(
      timeStamps: try house.stamps(), revocation: KnownRevocationInformation(crls: [house.crl]),
      certificates: [house.root.certificate], anchors: [house.root.certificate])
    let archived = try await extender.extend(
      try SignedData(encoded: basic.encoded), to: .archive, content: content)
    let later = TestAuthority.now.advanced(bySeconds: 86_400)
    let renewer = CAdESExtension(
      timeStamps: try house.stamps(at: later),
      revocation: KnownRevocationInformation(crls: [house.crl]),
      certificates: [house.root.certificate], anchors: [house.root.certificate])
    let renewed = try await renewer.extend(
      try SignedData(encoded: archived.encoded), to: .archive, content: content)
    #expect(renewed.signers[0].signature == basic.signers[0].signature)
    let report = try house.validator(at: later).validate(cms: renewed.encoded, content: content)
    #expect(report.verdict == "TOTAL-PASSED", "\(report)")
    #expect(report.signatures[0].timeStamps.count == 3)
    #expect(report.signatures[0].timeStamps.allSatisfy { $0.conclusion.indication == .totalPassed })
    #expect(report.signatures[0].provenTime == TestAuthority.now)
  }

  @Test("an archive time stamp notices whatever it covers being taken away or changed")
  func archiveCoverage() async throws {
    let house = try SealHouse()
    let content = ContentDigests(Self.text)
    let seal = try await house.sealer().seal(
      content, level: .archive, isDetached: true, at: TestAuthority.now)
    var without = try SignedData(encoded: seal.encoded)
    without.signers[0].unsignedAttributes.removeAll {
      $0.type == [1, 2, 840, 113549, 1, 9, 16, 2, 14]
    }
    let report = try house.validator(crls: [house.crl]).validate(
      cms: without.encoded, content: content)
    let stamp = try #require(report.signatures[0].timeStamps.first)
    #expect(stamp.kind == .archive)
    #expect(stamp.conclusion.subIndication == .formatFailure)
    #expect(report.signatures[0].provenTime == nil)
  }

  @Test("B-LT about which nobody answers is refused, not called B-LT")
  func unanswered() async throws {
    let house = try SealHouse { $0.crlDistributionPoints = [] }
    var sealer = try house.sealer()
    sealer.revocation = nil
    await #expect(throws: SealError.self) {
      try await sealer.seal(
        ContentDigests([1]), level: .longTerm, isDetached: true, at: TestAuthority.now)
    }
  }

  @Test("B-T without an authority and a foreign key are refused with a reason")
  func refusals() async throws {
    let house = try SealHouse()
    var sealer = try house.sealer()
    sealer.timeStamps = nil
    await #expect(throws: SealError.timeStampSourceNeeded(.timeStamped)) {
      try await sealer.seal(
        ContentDigests(Self.text), level: .timeStamped, isDetached: true, at: TestAuthority.now)
    }
    #expect(throws: SealError.keyMismatch) {
      try SealingIdentity(certificate: house.seal.certificate, key: house.unit.key)
    }
    await #expect(throws: SealError.certificateOutsideValidity) {
      try await sealer.seal(
        ContentDigests(Self.text), isDetached: true,
        at: TestAuthority.end.advanced(bySeconds: 86_400))
    }
    var blind = try house.sealer()
    blind.revocation = nil
    do {
      _ = try await blind.seal(
        ContentDigests(Self.text), level: .longTerm, isDetached: true, at: TestAuthority.now)
      Issue.record("B-LT without revocation data was made")
    } catch let error as SealError {
      guard case .revocationMissing = error else {
        Issue.record("\(error)")
        return
      }
    }
  }

  @Test("the check digit of a corporate number is checked")
  func corporateNumber() {
    // The National Tax Agency and the Digital Agency.
    #expect(CorporateNumber("7000012050002") != nil)
    #expect(CorporateNumber("8000012130001") != nil)
    #expect(CorporateNumber("7000012050003") == nil)
    #expect(CorporateNumber("700001205000") == nil)
    #expect(CorporateNumber("70000120500o2") == nil)
  }

  @Test("a scheme's policies give the level; the current scheme goes before that of 2021")
  func scheme() throws {
    let accredited: ASN1ObjectIdentifier = [1, 2, 392, 100, 2]
    let legacy: ASN1ObjectIdentifier = [1, 2, 392, 100, 3]
    let house = try SealHouse(.p256) {
      $0.policies = [PolicyInformation(legacy), PolicyInformation(accredited)]
    }
    var scheme = SealScheme()
    let isLegacy = scheme.assign(legacy, level: 3, edition: .guideline2021)
    let isThree = scheme.assign(accredited, level: 3)
    #expect(isLegacy)
    #expect(!isThree)
    #expect(
      SealHolder(house.seal.certificate, scheme: scheme).scheme
        == SchemeLevel(edition: .guideline2021, level: 3, policy: "\(legacy)"))
    scheme.assign(accredited, level: 2)
    #expect(
      SealHolder(house.seal.certificate, scheme: scheme).scheme
        == SchemeLevel(edition: .accreditation2025, level: 2, policy: "\(accredited)"))
  }
}
