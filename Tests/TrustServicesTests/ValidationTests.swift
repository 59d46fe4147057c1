import Foundation
import NetworkTypes
import SwiftASN1
import Testing
import TrustServices

@Suite("Validation by EN 319 102-1")
struct ValidationTests {
  static let text = Array("警報\n".utf8)
  static let content = ContentDigests(text)
  static let now = TestAuthority.now

  private func seal(_ house: SealHouse, _ level: SealLevel = .basic) async throws -> [UInt8] {
    try await house.sealer().seal(Self.content, level: level, isDetached: true, at: Self.now)
      .encoded
  }

  @Test("other content is HASH_FAILURE, a broken signature SIG_CRYPTO_FAILURE")
  func broken() async throws {
    let house = try SealHouse()
    let good = try await seal(house)
    let validator = try house.validator(crls: [house.crl])
    #expect(
      validator.validate(cms: good, content: ContentDigests([1])).verdict
        == "TOTAL-FAILED HASH_FAILURE")
    #expect(validator.validate(cms: good).verdict == "INDETERMINATE SIGNED_DATA_NOT_FOUND")
    let signature = try SignedData(encoded: good).signers[0].signature
    let start = try #require(good.firstRange(of: signature)?.lowerBound)
    var bad = good
    bad[start + signature.count - 1] ^= 1
    #expect(
      validator.validate(cms: bad, content: Self.content).verdict
        == "TOTAL-FAILED SIG_CRYPTO_FAILURE")
    #expect(
      validator.validate(cms: Array(good.dropLast(40)), content: Self.content).verdict
        == "TOTAL-FAILED FORMAT_FAILURE")
    #expect(validator.validate(cms: []).verdict == "TOTAL-FAILED FORMAT_FAILURE")
  }

  @Test("no octet of a seal can change without the result being told")
  func everyOctet() async throws {
    let house = try SealHouse()
    let good = try await seal(house, .timeStamped)
    let validator = try house.validator(crls: [house.crl])
    let expected = validator.validate(cms: good, content: Self.content)
    for index in stride(from: 0, to: good.count, by: 7) {
      var bad = good
      bad[index] ^= 0x21
      let report = validator.validate(cms: bad, content: Self.content)
      // What may change: names in certificates that are not used, versions, unused extensions.
      if report.conclusion.indication == .totalPassed {
        #expect(report.signatures[0].holder == expected.signatures[0].holder)
        #expect(report.signatures[0].claimedTime == expected.signatures[0].claimedTime)
      }
    }
  }

  @Test("an unknown authority is NO_CERTIFICATE_CHAIN_FOUND")
  func noChain() async throws {
    let house = try SealHouse()
    var validator = try house.validator(crls: [house.crl])
    validator.anchors = [try TestAuthority("Other").anchor()]
    #expect(
      validator.validate(cms: try await seal(house), content: Self.content).verdict
        == "INDETERMINATE NO_CERTIFICATE_CHAIN_FOUND")
  }

  @Test("without revocation data a certificate that names its CRL is TRY_LATER")
  func tryLater() async throws {
    let house = try SealHouse()
    let report = try house.validator().validate(
      cms: try await seal(house), content: Self.content)
    #expect(report.verdict == "INDETERMINATE TRY_LATER")
  }

  @Test("revoked without a time stamp is REVOKED_NO_POE, with one from before it passes")
  func revoked() async throws {
    let house = try SealHouse()
    let later = Self.now.advanced(bySeconds: 2 * 86_400)
    let list = try SealHouse.crl(
      house.root,
      [
        .init(
          serialNumber: house.seal.certificate.serialNumber,
          revokedAt: Self.now.advanced(bySeconds: 86_400), reason: .keyCompromise)
      ], from: later.advanced(bySeconds: -60))
    let validator = try house.validator(at: later, crls: [list])
    #expect(
      validator.validate(cms: try await seal(house), content: Self.content).verdict
        == "INDETERMINATE REVOKED_NO_POE")
    let stamped = validator.validate(
      cms: try await seal(house, .timeStamped), content: Self.content)
    #expect(stamped.verdict == "TOTAL-PASSED", "\(stamped)")
    #expect(stamped.signatures[0].revocation.last?.status == .revokedLater)
    // Revoked before the time stamp: the stamp proves nothing in its favour.
    let early = try SealHouse.crl(
      house.root,
      [
        .init(
          serialNumber: house.seal.certificate.serialNumber,
          revokedAt: Self.now.advanced(bySeconds: -60))
      ], from: later.advanced(bySeconds: -60))
    #expect(
      try house.validator(at: later, crls: [early]).validate(
        cms: try await seal(house, .timeStamped), content: Self.content
      ).verdict == "INDETERMINATE REVOKED_NO_POE")
  }

  @Test("a certificate of the authority that is revoked is REVOKED_CA_NO_POE")
  func revokedAuthority() async throws {
    let house = try SealHouse()
    let middle = try TestAuthority("Middle", below: house.root)
    let own = try middle.issue("Seal")
    let list = try SealHouse.crl(
      house.root,
      [
        .init(
          serialNumber: middle.certificate.serialNumber,
          revokedAt: Self.now.advanced(bySeconds: -60))
      ])
    let sealer = CAdESSealer(
      identity: try SealingIdentity(
        certificate: own.certificate, key: own.key, chain: [middle.certificate]))
    let message = try await sealer.seal(Self.content, isDetached: true, at: Self.now)
    #expect(
      try house.validator(crls: [list]).validate(cms: message.encoded, content: Self.content)
        .verdict == "INDETERMINATE REVOKED_CA_NO_POE")
  }

  @Test("after the certificates' end B-B is out of bounds, B-LTA passes while its stamps hold")
  func expired() async throws {
    let house = try SealHouse(.p256) {
      $0.notAfter = Self.now.advanced(bySeconds: 30 * 86_400)
    }
    let later = Self.now.advanced(bySeconds: 400 * 86_400)
    let fresh = try SealHouse.crl(house.root, [], from: later.advanced(bySeconds: -60))
    let validator = try house.validator(at: later, crls: [fresh])
    #expect(
      validator.validate(cms: try await seal(house), content: Self.content).verdict
        == "INDETERMINATE OUT_OF_BOUNDS_NO_POE")
    let archived = validator.validate(
      cms: try await seal(house, .archive), content: Self.content)
    #expect(archived.verdict == "TOTAL-PASSED", "\(archived)")
    #expect(archived.signatures[0].provenTime == Self.now)
  }

  @Test("a content time stamp after the revocation proves the signature to be REVOKED")
  func contentStamp() async throws {
    let house = try SealHouse()
    let token = try await house.stamps().timeStamp(Self.text)
    let attribute = CMSAttribute([1, 2, 840, 113549, 1, 9, 16, 2, 20], value: token.encoded)
    let message = try house.sealer().sign(
      Self.content, claiming: Self.now, at: Self.now, otherSignedAttributes: [attribute])
    let list = try SealHouse.crl(
      house.root,
      [
        .init(
          serialNumber: house.seal.certificate.serialNumber,
          revokedAt: Self.now.advanced(bySeconds: -600))
      ], from: Self.now.advanced(bySeconds: -60))
    #expect(
      try house.validator(crls: [list]).validate(cms: message.encoded, content: Self.content)
        .verdict == "TOTAL-FAILED REVOKED")
    #expect(
      try house.validator(crls: [house.crl]).validate(
        cms: message.encoded, content: Self.content
      ).verdict == "TOTAL-PASSED")
  }

  @Test("time stamps that contradict each other are TIMESTAMP_ORDER_FAILURE")
  func order() async throws {
    let house = try SealHouse()
    let late = try await house.stamps(at: Self.now.advanced(bySeconds: 3000)).timeStamp(
      Self.text)
    let content = CMSAttribute([1, 2, 840, 113549, 1, 9, 16, 2, 20], value: late.encoded)
    var message = try house.sealer().sign(
      Self.content, claiming: Self.now, at: Self.now, otherSignedAttributes: [content])
    message = try await CAdESExtension(timeStamps: try house.stamps()).extend(
      message, to: .timeStamped)
    let report = try house.validator(
      at: Self.now.advanced(bySeconds: 4000), crls: [house.crl]
    ).validate(cms: message.encoded, content: Self.content)
    #expect(report.verdict == "INDETERMINATE TIMESTAMP_ORDER_FAILURE", "\(report)")
  }

  @Test("an algorithm past its end is CRYPTO_CONSTRAINTS_FAILURE_NO_POE, unless proven before")
  func algorithms() async throws {
    let house = try SealHouse()
    var validator = try house.validator(
      at: Self.now.advanced(bySeconds: 86_400), crls: [house.crl])
    validator.parameters.hashes[.sha256] = AlgorithmExpiry(
      end: Self.now.advanced(bySeconds: 3600), source: "a test")
    let report = validator.validate(cms: try await seal(house), content: Self.content)
    #expect(report.verdict == "INDETERMINATE CRYPTO_CONSTRAINTS_FAILURE_NO_POE")
    let weak = report.signatures[0].algorithms.filter { !$0.isReliable }
    #expect(weak.first?.weakSince == Self.now.advanced(bySeconds: 3600))
    #expect(weak.first?.source == "a test")
    validator.parameters.hashes[.sha256] = nil
    #expect(
      validator.validate(cms: try await seal(house), content: Self.content).verdict
        == "INDETERMINATE CRYPTO_CONSTRAINTS_FAILURE")
  }

  @Test("plain CMS that fixes no certificate is SIG_CONSTRAINTS_FAILURE")
  func plain() throws {
    let house = try SealHouse()
    var template = SignerTemplate(certificate: house.seal.certificate, key: house.seal.key)
    template.fixesCertificate = false
    let message = try SignedData.sign(.bytes(Self.text), signers: [template])
    #expect(
      try house.validator(crls: [house.crl]).validate(cms: message.encoded).verdict
        == "INDETERMINATE SIG_CONSTRAINTS_FAILURE")
  }

  @Test("a key that is not for signatures is CHAIN_CONSTRAINTS_FAILURE")
  func keyUsage() throws {
    let house = try SealHouse(.p256) { $0.keyUsage = [.keyEncipherment] }
    let message = try house.sealer().sign(Self.content, at: Self.now)
    #expect(
      try house.validator(crls: [house.crl]).validate(cms: message.encoded, content: Self.content)
        .verdict == "INDETERMINATE CHAIN_CONSTRAINTS_FAILURE")
  }

  @Test("a certificate for servers or time stamps alone makes no seal that passes")
  func purposes() throws {
    for purposes in [[OID.serverAuth], [OID.timeStamping], [OID.serverAuth, OID.ocspSigning]] {
      let house = try SealHouse(.p256) { $0.extendedKeyUsage = purposes }
      let message = try house.sealer().sign(Self.content, at: Self.now)
      #expect(
        try house.validator(crls: [house.crl])
          .validate(cms: message.encoded, content: Self.content).verdict
          == "INDETERMINATE CHAIN_CONSTRAINTS_FAILURE")
    }
    let person = try SealHouse(.p256) { $0.extendedKeyUsage = [OID.serverAuth, [1, 3, 6, 1, 1]] }
    let message = try person.sealer().sign(Self.content, at: Self.now)
    #expect(
      try person.validator(crls: [person.crl])
        .validate(cms: message.encoded, content: Self.content).verdict == "TOTAL-PASSED")
  }

  @Test("a report survives JSON unchanged")
  func json() async throws {
    let house = try SealHouse()
    let report = try house.validator().validate(
      cms: try await seal(house, .archive), content: Self.content)
    let data = try JSONEncoder().encode(report)
    #expect(try JSONDecoder().decode(ValidationReport.self, from: data) == report)
    #expect(String(decoding: data, as: UTF8.self).contains("TOTAL-PASSED"))
  }

  @Test("a time stamp on its own is judged")
  func timeStamp() async throws {
    let house = try SealHouse()
    let token = try await house.stamps().timeStamp(Self.text)
    let validator = try house.validator(crls: [house.crl])
    #expect(
      validator.validate(timeStamp: token.encoded, content: Self.content).verdict == "TOTAL-PASSED")
    #expect(
      validator.validate(
        timeStamp: TimeStampResponse(token).encoded, content: ContentDigests([0])
      ).verdict == "TOTAL-FAILED HASH_FAILURE")
    #expect(
      validator.validate(timeStamp: token.encoded).verdict == "INDETERMINATE SIGNED_DATA_NOT_FOUND")
  }
}
