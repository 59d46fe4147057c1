import Foundation
import NetworkTypes
import SwiftASN1
import Testing
import TrustServices

@Suite("Time stamps made by others", .enabled(if: Shared.isPresent))
struct TimeStampVectorTests {
  static func chain(_ path: String) throws -> [Certificate] {
    try Certificate.list(pemEncoded: String(decoding: try Shared.bytes(path), as: UTF8.self))
  }

  static func validator(_ chain: [Certificate]) throws -> CertificateValidator {
    let roots = chain.filter(\.isSelfIssued)
    return CertificateValidator(
      anchors: try roots.map { try TrustAnchor($0) }, pool: CertificatePool(chain))
  }

  @Test(
    "OpenSSL's unsorted tokens and the prototype's verify",
    arguments: [
      "r-p256", "r-rsa2048", "r-rsa3072", "swift-p256", "swift-rsa2048", "swift-rsa3072",
    ])
  func own(_ name: String) throws {
    let chain = try Self.chain("tsp/own/ca.crt")
    let response = try TimeStampResponse(encoded: Shared.bytes("tsp/own/\(name).tsr"))
    let request = try TimeStampRequest(derEncoded: Shared.bytes("tsp/own/q.tsq"))
    let verified = try response.granted().verify(
      content: Shared.bytes("tsp/own/data.txt"), request: request,
      validator: Self.validator(chain))
    #expect(verified.path.certificates.count == 1)
  }

  @Test("sigstore's authority with each hash", arguments: ["sha256", "sha384", "sha512"])
  func sigstage(_ hash: String) throws {
    let validator = try Self.validator(Self.chain("tsp/rfc3161-client/sigstage/ts_chain.pem"))
    let response = try TimeStampResponse(
      encoded: Shared.bytes("tsp/rfc3161-client/sigstage/response-\(hash).tsr"))
    _ = try response.granted().verify(content: Array("hello".utf8), validator: validator)
  }

  @Test("a token without certificates needs them from elsewhere")
  func noCertificate() throws {
    let chain = try Self.chain("tsp/rfc3161-client/sigstage/ts_chain.pem")
    let validator = try Self.validator(chain)
    let token = try TimeStampResponse(
      encoded: Shared.bytes("tsp/rfc3161-client/sigstage/response-no-embedded-cert.tsr")
    ).granted()
    #expect(throws: TimeStampError.self) {
      try token.verify(token.info.imprint, validator: validator)
    }
    _ = try token.verify(token.info.imprint, validator: validator, certificates: chain)
  }

  @Test("a wrong signature is called one")
  func wrongSignature() throws {
    let chain = try Self.chain("tsp/rfc3161-client/sigstage/ts_chain.pem")
    let token = try TimeStampResponse(
      encoded: Shared.bytes("tsp/rfc3161-client/sigstage/response-invalid-signature.tsr")
    ).granted()
    let validator = try Self.validator(chain)
    do throws(TimeStampError) {
      _ = try token.verify(token.info.imprint, validator: validator)
      Issue.record("accepted")
    } catch {
      guard case .signature(.badSignature) = error else {
        Issue.record("\(error)")
        return
      }
    }
  }

  @Test("a stamp outlives its unit's certificate, unless somebody asks for today")
  func expired() throws {
    let chain = try Self.chain("tsp/rfc3161-client/sigstore.mock/ts_chain.pem")
    let token = try TimeStampResponse(
      encoded: Shared.bytes("tsp/rfc3161-client/sigstore.mock/response-expired.tsr")
    ).granted()
    let validator = try Self.validator(chain)
    _ = try token.verify(token.info.imprint, validator: validator, certificates: chain)
    var today = PathParameters(moment: TestAuthority.now)
    today.revocation = .ignored
    do throws(TimeStampError) {
      _ = try token.verify(
        token.info.imprint, validator: validator, certificates: chain, parameters: today)
      Issue.record("accepted")
    } catch {
      guard case .path(let error) = error, case .expired = error.reason else {
        Issue.record("\(error)")
        return
      }
    }
  }

  @Test("answers belong to their requests")
  func pairs() throws {
    let folder = "tsp/rfc3161-client/test_tsa"
    let validator = try Self.validator(Self.chain("\(folder)/ts_chain.pem"))
    let requests = try ["request", "other_request"].map {
      try TimeStampRequest(derEncoded: Shared.bytes("\(folder)/\($0).der"))
    }
    let tokens = try ["response", "other_response"].map {
      try TimeStampResponse(encoded: Shared.bytes("\(folder)/\($0).tsr")).granted()
    }
    _ = try tokens[0].verify(requests[0].imprint, request: requests[0], validator: validator)
    func refusal(_ token: TimeStampToken, _ request: TimeStampRequest) -> String {
      do throws(TimeStampError) {
        _ = try token.verify(request.imprint, request: request, validator: validator)
        return "valid"
      } catch { return "\(error)" }
    }
    #expect(refusal(tokens[0], requests[1]).contains("answers another request"))
    #expect(refusal(tokens[1], requests[0]).contains("answers another request"))
    // Made by a unit that this chain does not hold.
    #expect(throws: TimeStampError.self) {
      try tokens[1].verify(tokens[1].info.imprint, validator: validator)
    }
  }

  @Test(
    "injected certificates change nothing",
    arguments: [
      "tsp/rfc3161-client/test_tsa/response-injected-certs.tsr",
      "tsp/sigstore/response-injected-certs.tsr",
    ])
  func injected(_ path: String) throws {
    let folder = "tsp/rfc3161-client/test_tsa"
    let validator = try Self.validator(Self.chain("\(folder)/ts_chain.pem"))
    let token = try TimeStampResponse(encoded: Shared.bytes(path)).granted()
    #expect(token.signedData.certificates.count == 3)
    let verified = try token.verify(token.info.imprint, validator: validator)
    #expect(verified.signer.certificate.issuer.texts(.commonName) == ["Test TSA Intermediate"])
  }

  @Test("tokens of the DSS corpus are read")
  func dss() throws {
    for name in ["archive_timestamp", "disig", "tst_with_broken_ocsp"] {
      let token = try TimeStampToken(encoded: Shared.bytes("tsp/dss/\(name).tst"))
      _ = try token.signedData.verify(token.signer)
    }
    // Both of its references are to a certificate that is not the one inside.
    let other = try TimeStampToken(encoded: Shared.bytes("tsp/dss/tst-two-refs.tst"))
    #expect(throws: CMSError.signingCertificateMismatch) {
      try other.signedData.verify(other.signer)
    }
    let bytes = try Shared.bytes("tsp/dss/d-trust.tsr")
    let token = try TimeStampToken(encoded: bytes)
    _ = try token.signedData.verify(token.signer)
  }

  @Test("IdenTrust's token")
  func identrust() throws {
    // Named .pem upstream, but DER.
    let chain = [
      try Certificate(derEncoded: Shared.bytes("tsp/rfc3161-client/identrust/ts_chain.pem"))
    ]
    let token = try TimeStampResponse(
      encoded: Shared.bytes("tsp/rfc3161-client/identrust/issue-104.tsr")
    ).granted()
    _ = try token.verify(token.info.imprint, validator: Self.validator(chain))
  }
}
