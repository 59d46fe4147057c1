public import NetworkTypes
public import SwiftASN1

/// How much a path depends on revocation information.
public enum RevocationMode: Hashable, Sendable {
  /// Nobody asks.
  case ignored
  /// A certificate known to be revoked is refused; one about which nothing is known is not.
  case whenKnown
  /// Every certificate that says where its CRL or OCSP responder is needs a current answer.
  case requiredWhereStated
  /// Every certificate below the anchor needs a current answer.
  case required
}

/// The inputs of path validation (RFC 5280 6.1.1).
public struct PathParameters: Sendable {
  /// The moment the path has to be valid at, which need not be now.
  public var moment: Timestamp
  /// user-initial-policy-set; nil stands for any policy.
  public var initialPolicies: Set<ASN1ObjectIdentifier>?
  /// initial-explicit-policy.
  public var requiresExplicitPolicy = false
  /// initial-policy-mapping-inhibit.
  public var inhibitsPolicyMapping = false
  /// initial-any-policy-inhibit.
  public var inhibitsAnyPolicy = false
  /// What the last certificate's key has to be meant for, such as ``OID/timeStamping``.
  public var extendedKeyUsage: ASN1ObjectIdentifier?
  public var revocation = RevocationMode.required
  /// Whether evidence published after the moment counts too, as in validating old signatures
  /// (EN 319 102-1 5.2.5).
  public var acceptsLaterEvidence = false
  /// Whether a path with an algorithm too weak by ``PathLimits`` is refused, not only reported.
  public var refusesWeakAlgorithms = false

  /// Any policy, revocation required.
  public init(moment: Timestamp) { self.moment = moment }
}

/// Numbers that bound and judge path validation.
public struct PathLimits: Sendable {
  /// Most certificates below the anchor; real chains have two or three, PKITS has up to seven.
  public var maximumLength = 12
  /// Most candidate paths tried for one certificate, against pools made to be walked forever.
  public var maximumPaths = 100
  /// How often the validation of a CRL's issuer may need another CRL issuer.
  public var maximumCRLIssuerDepth = 3
  /// Most signatures checked for one certificate, CRLs and OCSP answers included; a path of three
  /// with its CRLs needs ten.
  public var maximumSignatureChecks = 1000
  /// Smallest RSA modulus that is not reported, in bits (CRYPTREC LS-0003-2022: 112-bit security).
  public var minimumRSABits = 2048
  /// Clocks of CAs and ours may differ by so many seconds; our own choice.
  public var clockSkewSeconds = 300.0
  /// Age in seconds after which an answer without nextUpdate is stale: 7 days, our own choice.
  public var maximumAgeSeconds = 7.0 * 86_400

  /// The values above.
  public init() {}
}

/// An algorithm in a path that is too weak by today's measure.
public struct AlgorithmWeakness: Hashable, Sendable, CustomStringConvertible {
  /// Which certificate's signature or key.
  public let subject: DistinguishedName
  /// What is weak, such as `SHA-1` or `RSA of 1024 bits`.
  public let weakness: String
  public var description: String { "\(subject): \(weakness)" }
}

extension PathLimits {
  func weaknesses(of certificate: Certificate, key: PublicKey) -> [AlgorithmWeakness] {
    var found: [String] = []
    if let algorithm = certificate.signatureAlgorithm, !algorithm.hash.isCollisionResistant {
      found.append("signed with \(algorithm)")
    }
    if let weakness = weakness(of: key) { found.append(weakness) }
    return found.map { AlgorithmWeakness(subject: certificate.subject, weakness: $0) }
  }

  /// Why a key is too weak, or nil.
  public func weakness(of key: PublicKey) -> String? {
    switch key.kind {
    case .rsa(let bits) where bits < minimumRSABits: "RSA key of \(bits) bits"
    case .dsa(let bits): "DSA key of \(bits) bits"
    default: nil
    }
  }
}
