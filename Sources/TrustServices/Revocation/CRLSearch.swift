import NetworkTypes
import SwiftASN1

/// CRL processing for one certificate (RFC 5280 6.3.3), its lettered steps in the comments.
struct CRLSearch {
  let validator: CertificateValidator
  var certificate: Certificate
  let issuer: RevocationIssuer
  let path: [Certificate]
  let anchor: TrustAnchor
  let parameters: PathParameters
  var nesting: CertificateValidator.Nesting

  private var problem = RevocationProblem.noInformation
  private var covered: ReasonFlags = []
  private var used: [CertificateRevocationList] = []

  init(
    validator: CertificateValidator, certificate: Certificate, issuer: RevocationIssuer,
    path: [Certificate], anchor: TrustAnchor, parameters: PathParameters,
    nesting: CertificateValidator.Nesting
  ) {
    self.validator = validator
    self.certificate = certificate
    self.issuer = issuer
    self.path = path
    self.anchor = anchor
    self.parameters = parameters
    self.nesting = nesting
  }

  /// The same for another certificate of the same issuer, such as an OCSP responder's.
  mutating func run(about other: Certificate) -> RevocationFinding {
    var search = self
    search.certificate = other
    search.nesting.pending.insert(other)
    return search.run()
  }

  mutating func run() -> RevocationFinding {
    problem = .noInformation
    covered = []
    used = []
    for point in certificate.extensions.crlDistributionPoints ?? [] {
      let names = point.crlIssuer.compactMap { name -> DistinguishedName? in
        if case .directoryName(let name) = name { name } else { nil }
      }
      let pointNames = point.name?.names(below: names.first ?? certificate.issuer)
      if let found = examine(
        crlIssuers: point.crlIssuer.isEmpty ? [certificate.issuer] : names,
        isIndirect: !point.crlIssuer.isEmpty,
        names: pointNames ?? point.crlIssuer, reasons: point.reasons ?? .all)
      {
        return found
      }
    }
    // Lists of the certificate's issuer that no distribution point mentions.
    if let found = examine(
      crlIssuers: [certificate.issuer], isIndirect: false,
      names: [.directoryName(certificate.issuer)], reasons: .all)
    {
      return found
    }
    return .unknown(covered.isEmpty ? problem : .reasonsNotCovered)
  }

  /// One distribution point; nil where it leaves the question open.
  private mutating func examine(
    crlIssuers: [DistinguishedName], isIndirect: Bool, names: [GeneralName], reasons: ReasonFlags
  ) -> RevocationFinding? {
    for crlIssuer in crlIssuers {
      for crl in validator.evidence.crls(of: crlIssuer) where crl.deltaBase == nil {
        // (b), (d), (e)
        guard let interim = scope(of: crl, isIndirect: isIndirect, names, reasons),
          !interim.subtracting(covered).isEmpty, isUsable(crl)
        else { continue }
        // (f), (g)
        guard let key = signer(of: crl, isNamedByPoint: isIndirect) else { continue }
        // (c), (h), (i)
        let delta = delta(of: crl, signedBy: key)
        let entry = delta?.entry(for: certificate) ?? crl.entry(for: certificate)
        used += [crl] + (delta.map { [$0] } ?? [])
        // (j), (k)
        if let entry, entry.reason != .removeFromCRL {
          return entry.revokedAt <= parameters.moment
            ? .revoked(at: entry.revokedAt, entry.reason, .crls(used))
            : .revokedLater(at: entry.revokedAt, entry.reason, .crls(used))
        }
        // (l)
        covered.formUnion(interim)
        if covered.isSuperset(of: .all) { return .good(.crls(used)) }
      }
    }
    return nil
  }

  /// The reasons that `crl` covers for this certificate and point, or nil where it is not about it.
  private mutating func scope(
    of crl: CertificateRevocationList, isIndirect: Bool, _ names: [GeneralName],
    _ reasons: ReasonFlags
  ) -> ReasonFlags? {
    guard let scope = crl.issuingDistributionPoint else { return isIndirect ? nil : reasons }
    if isIndirect && !scope.indirectCRL { return nil }
    if let own = scope.distributionPoint?.names(below: crl.issuer) {
      guard own.contains(where: { names.contains($0) }) else { return nil }
    }
    let isCA = certificate.extensions.basicConstraints?.isCA == true
    if scope.onlyContainsUserCerts && isCA { return missed(.onlyUserCertificates) }
    if scope.onlyContainsCACerts && !isCA { return missed(.onlyCACertificates) }
    if scope.onlyContainsAttributeCerts { return missed(.onlyAttributeCertificates) }
    return reasons.intersection(scope.onlySomeReasons ?? .all)
  }

  private mutating func missed<Value>(_ met: RevocationProblem) -> Value? {
    problem = max(problem, met)
    return nil
  }

  private mutating func isUsable(_ crl: CertificateRevocationList) -> Bool {
    guard !crl.hasUnknownCriticalExtension else {
      problem = max(problem, .unknownCriticalExtension)
      return false
    }
    guard validator.isCurrent(crl.thisUpdate, crl.nextUpdate, parameters) else {
      problem = max(problem, .outOfDate)
      return false
    }
    return true
  }

  /// The key that signed the list, if its holder may: the certificate's issuer, the anchor, or one
  /// whose path to the same anchor is valid (RFC 5280 6.3.3 (f)).
  private mutating func signer(of crl: CertificateRevocationList, isNamedByPoint: Bool)
    -> PublicKey?
  {
    if crl.issuer == issuer.name, isSigned(crl, by: issuer.key) {
      return issuer.maySignCRLs ? issuer.key : missed(.issuerNotAuthorised)
    }
    if crl.issuer == anchor.name, isSigned(crl, by: anchor.publicKey) { return anchor.publicKey }
    var candidates = validator.pool.certificates(of: crl.issuer)
    for other in path where other.subject == crl.issuer && !candidates.contains(other) {
      candidates.append(other)
    }
    var met = RevocationProblem.badSignature
    for candidate in candidates {
      guard let key = candidate.publicKey, isSigned(crl, by: key) else { continue }
      guard candidate.extensions.keyUsage.map({ $0.contains(.cRLSign) }) ?? true else {
        met = max(met, .issuerNotAuthorised)
        continue
      }
      // A CA may name a CRL issuer in that issuer's own certificate: then the list answers for its
      // signer, whose signature chain was checked before anybody asked about revocation.
      if isNamedByPoint && candidate == certificate { return key }
      // Otherwise one that is being looked up cannot answer for another.
      guard !nesting.pending.contains(candidate),
        nesting.depth < validator.limits.maximumCRLIssuerDepth
      else {
        met = max(met, .issuerPathInvalid)
        continue
      }
      var inner = PathParameters(moment: parameters.moment)
      inner.revocation = parameters.revocation
      inner.acceptsLaterEvidence = parameters.acceptsLaterEvidence
      var deeper = nesting
      deeper.depth += 1
      do {
        return try validator.build(candidate, anchors: [anchor], inner, deeper).publicKey
      } catch { met = max(met, .issuerPathInvalid) }
    }
    return missed(met)
  }

  /// The newest usable delta that continues `crl`, from the same issuer, key and scope.
  private mutating func delta(of crl: CertificateRevocationList, signedBy key: PublicKey)
    -> CertificateRevocationList?
  {
    guard let number = crl.number else { return nil }
    var newest: CertificateRevocationList?
    for delta in validator.evidence.crls(of: crl.issuer) {
      guard let base = delta.deltaBase, let deltaNumber = delta.number,
        !Self.isLess(number, base), !Self.isLess(deltaNumber, number),
        delta.issuingDistributionPoint == crl.issuingDistributionPoint,
        delta.authorityKeyIdentifier == crl.authorityKeyIdentifier,
        !delta.hasUnknownCriticalExtension,
        validator.isCurrent(delta.thisUpdate, delta.nextUpdate, parameters),
        isSigned(delta, by: key)
      else { continue }
      if let known = newest?.number, !Self.isLess(known, deltaNumber) { continue }
      newest = delta
    }
    return newest
  }

  private func isSigned(_ crl: CertificateRevocationList, by key: PublicKey) -> Bool {
    nesting.work.spend() && crl.isSigned(by: key)
  }

  /// a < b for non-negative numbers of any length.
  private static func isLess(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    let (a, b) = (a.drop { $0 == 0 }, b.drop { $0 == 0 })
    return a.count != b.count ? a.count < b.count : a.lexicographicallyPrecedes(b)
  }
}
