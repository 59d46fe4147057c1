import Foundation
import NetworkTypes
import SwiftASN1
import Testing
import TrustServices

/// Other people's signatures: the selection in data/trust, each judged an hour after its newest time
/// stamp with its own self-signed certificates as anchors.
@Suite("Validation of other people's CAdES", .enabled(if: Shared.isPresent))
struct ValidationVectorTests {
  private func report(_ name: String, content: String? = nil) throws -> ValidationReport {
    let bytes = try Shared.bytes("cades/\(name)")
    var validator = SealValidator(anchors: [], moment: TestAuthority.now)
    validator.revocation = .whenKnown
    if let message = try? SignedData(filed: bytes) {
      var certificates = message.certificates
      var times = message.signers.compactMap(\.signingTime)
      for value in message.signers.flatMap(\.unsignedAttributes).flatMap(\.values) {
        guard let token = try? TimeStampToken(encoded: value) else { continue }
        certificates += token.signedData.certificates
        times.append(token.info.genTime)
      }
      validator.anchors = certificates.filter(\.isSelfIssued).compactMap { try? TrustAnchor($0) }
      if let newest = times.max() { validator.moment = newest.advanced(bySeconds: 3600) }
    }
    return validator.validate(
      cms: bytes,
      content: try content.map { ContentDigests(try Shared.bytes("cades/content/\($0)")) })
  }

  private func stamps(_ report: ValidationReport) -> [String] {
    report.signatures.flatMap(\.timeStamps).map {
      "\($0.kind.rawValue) \($0.conclusion.subIndication?.rawValue ?? "ok")"
    }
  }

  @Test(
    "long-term signatures pass with every time stamp",
    arguments: [
      ("CAdESDoubleLTA.p7m", nil, ["signature ok", "archive ok", "archive ok"]),
      ("Signature-CBp-LT-2.p7m", nil, ["signature ok"]),
      ("Signature-C-B-LTA-10.p7m", nil, ["archive ok", "signature ok"]),
      ("cades-extended-a.pkcs7", nil, ["signature ok", "archive ok"]),
      ("cades-ats-v3-rev-val-crl.p7s", "screenshot2.png", ["archive ok", "signature ok"]),
      ("dss-2011/cades-lta-detached.pkcs7", "hello-world.txt", ["signature ok", "archive ok"]),
      (
        "evidence-record/Signature-C-LTA-d233a2d9-a257-40dc-bcdb-bf4516b6d1da.p7m", nil,
        ["content ok", "signature ok", "archive ok"]
      ),
    ] as [(String, String?, [String])])
  func good(name: String, content: String?, expected: [String]) throws {
    let report = try report(name, content: content)
    #expect(report.verdict == "TOTAL-PASSED", "\(report)")
    #expect(stamps(report) == expected)
    #expect(report.signatures[0].provenTime != nil)
  }

  @Test(
    "broken ones are refused for the right reason",
    arguments: [
      ("cades-broken-sig-tst-and-ats-v3.cms", "TOTAL-FAILED SIG_CRYPTO_FAILURE"),
      ("malformed-cades.p7m", "TOTAL-FAILED FORMAT_FAILURE"),
      ("cades-double-signing-certificate.p7m", "TOTAL-FAILED FORMAT_FAILURE"),
      ("cms-no-sign-cert.p7m", "INDETERMINATE NO_SIGNING_CERTIFICATE_FOUND"),
      (
        "dss-1419/CAdES-BpB-att-SHA3_224-SHA3_224withRSA.p7m",
        "INDETERMINATE CRYPTO_CONSTRAINTS_FAILURE"
      ),
      (
        "dss-728/CADES-B-DETACHED-withpolicy1586434883385020407.cades",
        "INDETERMINATE SIGNED_DATA_NOT_FOUND"
      ),
    ])
  func bad(name: String, expected: String) throws {
    #expect(try report(name).verdict == expected)
  }

  @Test("an archive time stamp whose index names what is gone is refused, and only that one")
  func index() throws {
    let wrong = try report("cades-ats-v3-wrong-crl.p7s", content: "screenshot2.png")
    #expect(stamps(wrong) == ["archive FORMAT_FAILURE", "signature ok"])
    let removed = try report("dss-1220/CAdES-BpLTA_removed_ocsp.p7m")
    #expect(stamps(removed).contains("archive FORMAT_FAILURE"))
    let copied = try report("cades-lta-copied-atst.p7m")
    #expect(stamps(copied) == ["archive FORMAT_FAILURE", "signature ok"])
  }

  @Test("a time stamp over something else is HASH_FAILURE")
  func modified() throws {
    #expect(
      stamps(try report("dss-1220/CAdES-BpT_modified_ts_hash.p7m")) == ["signature HASH_FAILURE"])
  }

  @Test("SHA-1 in a time stamp of 2021 proves nothing")
  func weak() throws {
    let report = try report("counterSignedLTA.p7s")
    #expect(stamps(report).allSatisfy { $0.hasSuffix("CRYPTO_CONSTRAINTS_FAILURE_NO_POE") })
    #expect(report.signatures[0].provenTime == nil)
    #expect(report.signatures[0].counterSignatures.count == 1)
  }

  @Test("a signature over attributes out of order verifies as DER wants it")
  func reordered() throws {
    #expect(
      try report("dss-667/BER_reordered_prova.txt.p7m").verdict
        == "INDETERMINATE NO_CERTIFICATE_CHAIN_FOUND")
  }

  @Test("every file of the selection is judged, whatever is in it")
  func all() throws {
    let folder = Shared.trust("cades")
    var count = 0
    for case let file as URL in FileManager.default.enumerator(
      at: folder, includingPropertiesForKeys: [.isRegularFileKey])
      ?? FileManager.DirectoryEnumerator()
    where (try? file.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile) == true {
      let bytes = Array(try Data(contentsOf: file))
      let report = SealValidator(anchors: [], moment: TestAuthority.now).validate(cms: bytes)
      #expect(report.conclusion.indication != .totalPassed)
      count += 1
    }
    #expect(count > 80)
  }

  @Test("the project's own OpenSSL seal passes")
  func own() throws {
    let anchor = try Certificate(
      pemEncoded: String(decoding: try Shared.bytes("tsp/own/ca.crt"), as: UTF8.self))
    let bytes = try Shared.bytes("seal/d.p7s")
    let message = try SignedData(filed: bytes)
    let moment = try #require(message.signers[0].signingTime).advanced(bySeconds: 60)
    let report = SealValidator(anchors: [try TrustAnchor(anchor)], moment: moment).validate(
      cms: bytes, content: ContentDigests(try Shared.bytes("seal/d.txt")))
    #expect(report.verdict == "TOTAL-PASSED", "\(report)")
    #expect(report.signatures[0].holder?.organizationIdentifier?.hasPrefix("NTRJP-") == true)
  }
}
