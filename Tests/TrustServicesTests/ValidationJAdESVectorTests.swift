import Foundation
import NetworkTypes
import Testing

@testable import TrustServices

@Suite("Validation of other people's JAdES", .enabled(if: Shared.isPresent))
struct ValidationJAdESVectorTests {
  private func report(_ name: String, contents: [String] = []) throws -> ValidationReport {
    let bytes = try Shared.bytes("jades/\(name)")
    var validator = SealValidator(anchors: [], moment: TestAuthority.now)
    validator.revocation = .whenKnown
    if let message = try? JSONWebSignature(encoded: bytes) {
      var certificates: [Certificate] = []
      var times: [Timestamp] = []
      for signer in message.signers {
        let signature = JAdESReader(message: message, signer: signer, contents: [], others: [])
          .read()
        certificates += signature.certificates
        times += [signature.claimedTime].compactMap { $0 }
        for token in signature.timeStamps.compactMap(\.token) {
          certificates += token.signedData.certificates
          times.append(token.info.genTime)
        }
      }
      validator.anchors = certificates.filter(\.isSelfIssued).compactMap { try? TrustAnchor($0) }
      if let newest = times.max() { validator.moment = newest.advanced(bySeconds: 3600) }
    }
    return validator.validate(
      jws: bytes,
      contents: try contents.map {
        NamedContent(name: $0, content: ContentDigests(try Shared.bytes("jades/content/\($0)")))
      })
  }

  @Test(
    "each file has the result that its name promises",
    arguments: [
      ("double-lta-in-container.json", "TOTAL-PASSED"),
      ("jades-lta-with-etsiU-whitespaces.json", "TOTAL-PASSED"),
      ("jades-b-with-xvals.json", "TOTAL-PASSED"),
      ("jades-double-sig-different-etsiU.json", "TOTAL-PASSED"),
      ("altered-jws.json", "TOTAL-FAILED SIG_CRYPTO_FAILURE"),
      ("malformed-jades-serialization.json", "TOTAL-FAILED FORMAT_FAILURE"),
      ("jades-with-double-sigt.json", "TOTAL-FAILED FORMAT_FAILURE"),
      ("jades-with-mixed-etsiU-type.json", "TOTAL-FAILED FORMAT_FAILURE"),
      ("jades-wrong-etsiu-type.json", "TOTAL-FAILED FORMAT_FAILURE"),
      ("jades-wrong-x5c-header.json", "TOTAL-FAILED FORMAT_FAILURE"),
      ("dss2620/jades-with-empty-crit.json", "TOTAL-FAILED FORMAT_FAILURE"),
      ("dss2620/jades-with-crit-with-duplicated-header.json", "TOTAL-FAILED FORMAT_FAILURE"),
      ("dss2620/jades-with-crit-with-wrong-entry-type.json", "TOTAL-FAILED FORMAT_FAILURE"),
      ("dss2620/jades-with-extra-crit-entry.json", "TOTAL-FAILED FORMAT_FAILURE"),
      ("dss2620/jades-t-level-with-etsiu-in-crit.json", "TOTAL-FAILED FORMAT_FAILURE"),
      (
        "dss2620/jades-with-expiration-time-header-in-crit.json",
        "INDETERMINATE SIG_CONSTRAINTS_FAILURE"
      ),
      // Its chain is not in the file: the signature itself stands.
      ("jades-level-b-full-type.json", "INDETERMINATE NO_CERTIFICATE_CHAIN_FOUND"),
      ("simple-detached.json", "INDETERMINATE SIGNED_DATA_NOT_FOUND"),
      ("simple-detached-wrong-algo.json", "TOTAL-FAILED FORMAT_FAILURE"),
    ])
  func verdicts(name: String, expected: String) throws {
    #expect(try report(name).verdict == expected)
  }

  @Test(
    "detached content is found and compared",
    arguments: [
      ("simple-detached.json", ["sample.json"]),
      (
        "jades-detached-by-uri-encoded-pars.json",
        ["ObjectIdByURI-1.html", "ObjectIdByURI-2.html"]
      ),
      ("jades-flattened-BpB-detached-objectByURIHash.json", ["TEST-DOC.txt"]),
    ])
  func detached(name: String, contents: [String]) throws {
    #expect(
      try report(name, contents: contents).verdict == "INDETERMINATE NO_CERTIFICATE_CHAIN_FOUND")
  }

  @Test("three archive time stamps, one over the other, all stand")
  func triple() throws {
    let stamps = try report("jades-triple-LTA.json").signatures[0].timeStamps
    #expect(stamps.map(\.kind) == [.signature, .archive, .archive, .archive])
    #expect(stamps.allSatisfy { $0.conclusion == .passed })
  }

  @Test("a time stamp copied from another signature is HASH_FAILURE")
  func copied() throws {
    #expect(
      try report("jades-lta-copied-arctst.json").signatures[0].timeStamps
        .map(\.conclusion.subIndication) == [nil, .hashFailure])
    #expect(
      try report("jades-two-sigs-copied-tst.json").signatures
        .map { $0.timeStamps.map(\.conclusion.subIndication) } == [[nil], [.hashFailure]])
  }
}
