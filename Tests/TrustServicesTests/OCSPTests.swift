import Foundation
import NetworkTypes
import SwiftASN1
import Testing
import TrustServices

/// OpenSSL's OCSP suite as pyHanko's authors wrote it down.
struct OCSPCase: Decodable, CustomTestStringConvertible, Sendable {
  var name: String
  var root: String
  var cert: String
  var otherCerts: [String]?
  var ocsps: [String]
  var pathLen: Int
  var moment: String
  var error: PKITSCase.Failure?

  var testDescription: String { name }

  static func load() -> [OCSPCase] {
    guard let data = try? Data(contentsOf: Shared.trust("ocsp/openssl-ocsp.json")) else {
      return []
    }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return (try? decoder.decode([OCSPCase].self, from: data)) ?? []
  }
}

@Suite("OCSP")
struct OCSPTests {
  @Test(
    "each case of OpenSSL's suite gives the expected result", .enabled(if: Shared.isPresent),
    arguments: OCSPCase.load())
  func cases(_ one: OCSPCase) throws {
    func certificate(_ name: String) throws -> Certificate {
      try Certificate(
        pemEncoded: String(decoding: try Shared.bytes("ocsp/\(name)"), as: UTF8.self))
    }
    let responses = try one.ocsps.map { name in
      let data = try #require(
        Data(
          base64Encoded: Data(try Shared.bytes("ocsp/\(name)")), options: .ignoreUnknownCharacters))
      return try OCSPResponse(derEncoded: Array(data))
    }
    let others = one.otherCerts ?? []
    // The suite has no answer about the intermediate of these cases, and its authors let it pass:
    // here it is the anchor, so that everything below it needs its answer.
    let isShort = one.ocsps.count < one.pathLen - 1
    let validator = CertificateValidator(
      anchors: [try TrustAnchor(certificate(isShort ? others[0] : one.root))],
      pool: CertificatePool(try others.map(certificate)),
      evidence: RevocationEvidence(ocsp: responses))
    let parameters = PathParameters(moment: try #require(Timestamp(one.moment)))
    let target = try certificate(one.cert)
    switch validator.outcome(of: target, parameters) {
    case .success(let path):
      #expect(one.error == nil, "accepted, but: \(one.error?.msgRegex ?? "")")
      #expect(path.certificates.count + (isShort ? 2 : 1) == one.pathLen)
      #expect(path.weaknesses.isEmpty == false, "these certificates are signed with SHA-1")
    case .failure(let error):
      let expected = try #require(one.error, "refused: \(error)")
      guard case .revocationUnknown(let problem) = error.reason else {
        Issue.record("\(error)")
        return
      }
      let text = expected.msgRegex
      switch problem {
      case .outOfDate: #expect(text.contains("not recent enough"))
      case .noInformation: #expect(text.contains("hash does not match"))
      case .badSignature:
        #expect(text.contains("response signature") || text.contains("could not be located"))
      case .issuerNotAuthorised: #expect(text.contains("could not be validated"))
      default: Issue.record("\(problem), expected \(text)")
      }
      let isIntermediate = text.contains("intermediate")
      #expect(error.certificate == target || isIntermediate)
    }
  }
}
