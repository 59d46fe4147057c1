import Foundation
import NetworkTypes
import SwiftASN1
import Testing
import TrustServices

/// The NIST PKITS suite as pyHanko's authors wrote it down, one entry a case and setting.
struct PKITSCase: Decodable, CustomTestStringConvertible, Sendable {
  struct Settings: Decodable, Sendable {
    var userInitialPolicySet: [String]?
    var initialExplicitPolicy: Bool?
    var initialPolicyMappingInhibit: Bool?
    var initialAnyPolicyInhibit: Bool?
  }
  struct Failure: Decodable, Sendable {
    var `class`: String
    var msgRegex: String
  }

  var id: String
  var name: String
  var cert: String
  var otherCerts: [String]?
  var crls: [String]?
  var pathLen: Int?
  var pathIntermediates: [String]?
  var params: Settings?
  var error: Failure?
  var notice: String?

  var testDescription: String { "\(id) \(name)" }

  static func load(_ file: String) -> [PKITSCase] {
    guard let data = try? Data(contentsOf: Shared.trust("pkits/\(file)")) else { return [] }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return (try? decoder.decode([PKITSCase].self, from: data)) ?? []
  }

  func certificate(_ name: String) throws -> Certificate {
    try Certificate(derEncoded: Shared.bytes("pkits/certs/\(name)"))
  }

  /// Validates at a moment when the suite's certificates are meant to be valid.
  func run() throws -> Result<ValidatedPath, PathError> {
    let anchor = try TrustAnchor(certificate("TrustAnchorRootCertificate.crt"))
    let crls = try (["TrustAnchorRootCRL.crl"] + (crls ?? [])).map {
      try CertificateRevocationList(derEncoded: Shared.bytes("pkits/crls/\($0)"))
    }
    let target = try certificate(cert)
    let validator = CertificateValidator(
      anchors: [anchor], pool: CertificatePool(try (otherCerts ?? []).map(certificate)),
      evidence: RevocationEvidence(crls: crls))
    var parameters = PathParameters(moment: try #require(Timestamp("2024-06-01T00:00:00Z")))
    parameters.initialPolicies = try params?.userInitialPolicySet.map {
      Set(try $0.map { try #require(ASN1ObjectIdentifier(dotted: $0)) })
    }
    parameters.requiresExplicitPolicy = params?.initialExplicitPolicy ?? false
    parameters.inhibitsPolicyMapping = params?.initialPolicyMappingInhibit ?? false
    parameters.inhibitsAnyPolicy = params?.initialAnyPolicyInhibit ?? false
    guard let pathIntermediates else { return validator.outcome(of: target, parameters) }
    let path = try pathIntermediates.map(certificate) + [target]
    do throws(PathError) {
      return .success(try validator.validate(path: path, anchor: anchor, parameters: parameters))
    } catch { return .failure(error) }
  }
}

@Suite("NIST PKITS", .enabled(if: Shared.isPresent))
struct PKITSTests {
  /// What each message of the suite's file means here.
  static func agrees(_ error: PathError, with expected: PKITSCase.Failure) -> Bool {
    func says(_ text: String) -> Bool { expected.msgRegex.contains(text) }
    switch error.reason {
    case .badSignature: return says("signature of") && says("could not be verified")
    case .notYetValid: return says("is not valid until")
    case .expired: return says("expired")
    case .issuerNameMismatch: return says("issuer name could not be matched")
    case .notACA: return says("is not a CA")
    case .pathLengthExceeded: return says("exceeds the maximum path length")
    case .mayNotSignCertificates: return says("is not allowed to sign certificates")
    case .noValidPolicy: return says("no valid set of policies")
    case .mappedAnyPolicy: return says("any policy") || says("policy mapping")
    case .nameNotPermitted: return says("are in the permitted namespace")
    case .nameExcluded: return says("are excluded from the namespace")
    case .unknownCriticalExtension(let identifier):
      return says("unsupported critical extension: \(identifier)")
    case .revoked(let date, let reason):
      guard expected.class == "RevokedError" else { return false }
      let words: [RevocationReason: String] = [
        .keyCompromise: "compromised key", .certificateHold: "certificate hold",
        .affiliationChanged: "affiliation change",
      ]
      let day = date.description.prefix(10)
      let time = date.description.dropFirst(11).prefix(8)
      return says("\(time) on \(day)") && says(words[reason] ?? "?")
    case .revocationUnknown(let problem):
      let text: String
      switch problem {
      case .noInformation: text = "no revocation information could be found"
      case .onlyAttributeCertificates: text = "only contains attribute certificates"
      case .onlyUserCertificates: text = "only contains end-entity certificates"
      case .onlyCACertificates: text = "only contains CA certificates"
      case .badSignature: text = "CRL signature could not be verified"
      case .unknownCriticalExtension: text = "unrecognized critical extensions"
      case .issuerNotAuthorised: text = "not authorized to sign CRLs"
      case .issuerPathInvalid: text = "CRL issuer certificate path could not be validated"
      case .outOfDate: text = "CRL is not recent enough"
      case .reasonsNotCovered: text = "do not cover all revocation reasons"
      }
      return expected.class != "RevokedError" && says(text)
    default: return false
    }
  }

  @Test("each case gives the expected result", arguments: PKITSCase.load("pkits.json"))
  func cases(_ one: PKITSCase) throws {
    switch (try one.run(), one.error) {
    case (.success(let path), nil):
      #expect(path.certificates.count + 1 == one.pathLen)
    case (.success, let expected?):
      Issue.record("accepted, but: \(expected.msgRegex)")
    case (.failure(let error), nil):
      Issue.record("refused: \(error.reason) at \(error.position)")
    case (.failure(let error), let expected?):
      #expect(
        Self.agrees(error, with: expected),
        "\(error.reason) at \(error.position), expected \(expected.msgRegex)")
    }
  }

  @Test("all 246 cases are there")
  func count() { #expect(PKITSCase.load("pkits.json").count == 246) }

  @Test(
    "user notices reach whoever relies on the path",
    arguments: PKITSCase.load("pkits-user-notice.json"))
  func notices(_ one: PKITSCase) throws {
    let path = try one.run().get()
    #expect(path.userNotices.contains(try #require(one.notice)))
  }
}
