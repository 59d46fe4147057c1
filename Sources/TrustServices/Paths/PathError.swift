public import NetworkTypes
public import SwiftASN1

/// Why a certificate is not accepted.
public struct PathError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong.
  public enum Reason: Hashable, Sendable {
    /// No chain of issuers leads from the certificate to an anchor.
    case noPath
    case tooLong
    /// The certificates and evidence at hand need more work than ``PathLimits`` allows.
    case tooComplex
    case badSignature
    case notYetValid(from: Timestamp)
    case expired(at: Timestamp)
    /// The issuer's name is not that of the certificate above.
    case issuerNameMismatch
    case notACA
    case pathLengthExceeded
    /// The issuer's key usage does not include keyCertSign.
    case mayNotSignCertificates
    case noValidPolicy
    /// anyPolicy appears in a policy mapping (RFC 5280 6.1.4 (a)).
    case mappedAnyPolicy
    case nameNotPermitted
    case nameExcluded
    case unknownCriticalExtension(ASN1ObjectIdentifier)
    case malformedExtension(ASN1ObjectIdentifier)
    case unsupportedKey
    case wrongExtendedKeyUsage
    case revoked(at: Timestamp, RevocationReason)
    case revocationUnknown(RevocationProblem)
    case weakAlgorithm(String)
  }

  public let reason: Reason
  /// The certificate it is about.
  public let certificate: Certificate
  /// Its place in the path: 1 below the anchor; 0 where there is no path.
  public let position: Int

  init(_ reason: Reason, _ certificate: Certificate, at position: Int) {
    self.reason = reason
    self.certificate = certificate
    self.position = position
  }

  public var description: String {
    let subject = "The certificate of \(certificate)"
    return switch reason {
    case .noPath: "\(subject) leads to no trusted authority. Add the missing issuers or the anchor."
    case .tooLong: "\(subject) has too many issuers above it. Check the certificates supplied."
    case .tooComplex: "\(subject) takes too much work to check. Supply fewer issuers and CRLs."
    case .badSignature: "\(subject) was not signed by its issuer's key. Do not use it."
    case .notYetValid(let from): "\(subject) is not valid before \(from). Check the clock."
    case .expired(let end): "\(subject) expired at \(end). Ask its holder for a new one."
    case .issuerNameMismatch:
      "\(subject) names another issuer than the certificate above. Check the chain's order."
    case .notACA: "\(subject) is not that of an authority but issued others. Do not trust them."
    case .pathLengthExceeded: "\(subject) has more authorities below it than it may. Do not use it."
    case .mayNotSignCertificates:
      "\(subject) may not sign certificates but issued one. Do not trust what it issued."
    case .noValidPolicy:
      "\(subject) has none of the required policies. Check the policies that are asked for."
    case .mappedAnyPolicy: "\(subject) maps anyPolicy, which is forbidden. Do not use it."
    case .nameNotPermitted: "\(subject) bears a name its issuer may not certify. Do not use it."
    case .nameExcluded: "\(subject) bears a name forbidden to its issuer. Do not use it."
    case .unknownCriticalExtension(let identifier):
      "\(subject) has the critical extension \(identifier), unknown here. Ask its issuer."
    case .malformedExtension(let identifier):
      "\(subject) has a broken extension \(identifier). Ask its holder for a new one."
    case .unsupportedKey: "\(subject) has a key of a kind that cannot be checked here."
    case .wrongExtendedKeyUsage: "\(subject) is not meant for this use. Ask for one that is."
    case .revoked(let date, let reason):
      "\(subject) was revoked at \(date) (\(reason)). Do not use it."
    case .revocationUnknown(let problem):
      "\(subject): whether it is revoked is unknown, \(problem). Supply a current CRL or OCSP answer."
    case .weakAlgorithm(let what): "\(subject): \(what) is too weak. Ask for a stronger one."
    }
  }
}

/// Why nothing is known about revocation, the most telling of what was met.
public enum RevocationProblem: Int, Hashable, Sendable, Comparable, CustomStringConvertible {
  case noInformation
  case onlyAttributeCertificates
  case onlyUserCertificates
  case onlyCACertificates
  case badSignature
  case unknownCriticalExtension
  case issuerNotAuthorised
  case issuerPathInvalid
  case outOfDate
  case reasonsNotCovered

  public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

  public var description: String {
    switch self {
    case .noInformation: "no CRL or OCSP answer speaks of it"
    case .onlyAttributeCertificates: "the CRL speaks of attribute certificates only"
    case .onlyUserCertificates: "the CRL speaks of end-entity certificates only"
    case .onlyCACertificates: "the CRL speaks of CA certificates only"
    case .badSignature: "the CRL or OCSP answer is not signed by the right key"
    case .unknownCriticalExtension: "the CRL holds something critical that is unknown here"
    case .issuerNotAuthorised: "its signer may not sign CRLs or OCSP answers"
    case .issuerPathInvalid: "the CRL issuer's own certificate is not valid"
    case .outOfDate: "the CRL or OCSP answer is out of date"
    case .reasonsNotCovered: "the CRLs do not cover every reason"
    }
  }
}
