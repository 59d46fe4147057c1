public import SwiftASN1
import Synchronization

/// A path that was found valid, and what is to be known about it.
public struct ValidatedPath: Sendable {
  public let anchor: TrustAnchor
  /// From below the anchor down to the certificate in question.
  public let certificates: [Certificate]
  /// The key of the last certificate, with inherited parameters.
  public let publicKey: PublicKey
  /// The policies the path is valid for; empty where it is valid for none and needs none.
  public let policies: Set<ASN1ObjectIdentifier>
  /// Texts to be shown to whoever relies on it.
  public let userNotices: [String]
  public let weaknesses: [AlgorithmWeakness]
  /// What was learnt about each certificate's revocation, in the path's order.
  public let revocation: [RevocationFinding]
}

/// Validates certificates against anchors (RFC 5280 6), building the path from a pool.
public struct CertificateValidator: Sendable {
  public var anchors: [TrustAnchor]
  public var pool: CertificatePool
  public var evidence: RevocationEvidence
  public var limits: PathLimits

  /// A validator that trusts `anchors` and knows the certificates and evidence given.
  public init(
    anchors: [TrustAnchor], pool: CertificatePool = .init(),
    evidence: RevocationEvidence = .init(), limits: PathLimits = .init()
  ) {
    self.anchors = anchors
    self.pool = pool
    self.evidence = evidence
    self.limits = limits
  }

  /// What the validation of a CRL's issuer has to know of the validation it serves.
  struct Nesting {
    var depth = 0
    /// Certificates whose status is being looked for: none of them can vouch for itself.
    var pending: Set<Certificate> = []
    let work: WorkBudget
  }

  /// Finds a valid path for `certificate`; the error is that of the first path that was tried.
  public func validate(_ certificate: Certificate, parameters: PathParameters) throws(PathError)
    -> ValidatedPath
  {
    try build(certificate, anchors: anchors, parameters, nesting)
  }

  /// Validates one given path, from below `anchor` down.
  public func validate(
    path: [Certificate], anchor: TrustAnchor, parameters: PathParameters
  ) throws(PathError) -> ValidatedPath {
    try check(path, anchor, parameters, nesting)
  }

  private var nesting: Nesting { Nesting(work: WorkBudget(limits.maximumSignatureChecks)) }

  func build(
    _ certificate: Certificate, anchors: [TrustAnchor], _ parameters: PathParameters,
    _ nesting: Nesting
  ) throws(PathError) -> ValidatedPath {
    var firstError: PathError?
    var tried = 0
    var isTooLong = false
    // Candidate paths, the deepest last; each runs from some issuer down to the certificate.
    var open = [[certificate]]
    var steps = limits.maximumPaths * limits.maximumLength
    while let path = open.popLast(), tried < limits.maximumPaths, steps > 0 {
      steps -= 1
      let top = path[0]
      for anchor in anchors where anchor.name == top.issuer {
        tried += 1
        do { return try check(path, anchor, parameters, nesting) } catch {
          if firstError == nil { firstError = error }
        }
      }
      // A trusted certificate is trusted as it stands.
      if path.count == 1, let own = anchors.first(where: { $0.certificate == certificate }) {
        return ValidatedPath(
          anchor: own, certificates: [], publicKey: own.publicKey, policies: [OID.anyPolicy],
          userNotices: [], weaknesses: [], revocation: [])
      }
      guard path.count < limits.maximumLength else {
        isTooLong = true
        continue
      }
      let wanted = top.extensions.authorityKeyIdentifier?.keyIdentifier
      let issuers = pool.certificates(of: top.issuer).filter { candidate in
        !path.contains { $0 == candidate }
      }
      // Those whose key identifier fits come last and so are tried first.
      func fits(_ candidate: Certificate) -> Bool {
        wanted == nil || candidate.extensions.subjectKeyIdentifier == wanted
      }
      let ordered = issuers.filter { !fits($0) } + issuers.filter { fits($0) }.reversed()
      for issuer in ordered.suffix(limits.maximumPaths) { open.append([issuer] + path) }
      // Room for as many as could ever be tried.
      if open.count > limits.maximumPaths * 2 {
        open.removeFirst(open.count - limits.maximumPaths * 2)
      }
    }
    throw firstError ?? PathError(isTooLong ? .tooLong : .noPath, certificate, at: 0)
  }
}

/// How many signatures may still be checked for one question, however it branches: hostile lists of
/// CRLs and issuers would otherwise multiply.
final class WorkBudget: Sendable {
  private let left: Atomic<Int>

  init(_ count: Int) { left = Atomic(count) }

  /// Takes one; false when none is left.
  func spend() -> Bool { left.subtract(1, ordering: .relaxed).newValue >= 0 }
}
