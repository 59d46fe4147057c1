import NetworkTypes
import SwiftASN1

/// Revocation within path validation: OCSP (RFC 6960 3.2) first, then CRLs (RFC 5280 6.3).
extension CertificateValidator {
  func checkRevocation(
    _ path: [Certificate], _ issuers: [RevocationIssuer], _ anchor: TrustAnchor,
    _ parameters: PathParameters, _ nesting: Nesting
  ) throws(PathError) -> [RevocationFinding] {
    var findings: [RevocationFinding] = []
    for (index, certificate) in path.enumerated() {
      guard parameters.revocation != .ignored else {
        findings.append(.notChecked)
        continue
      }
      let finding = finding(
        certificate, issuers[index], path: path, anchor, parameters, nesting)
      switch finding {
      case .revoked(let date, let reason, _):
        throw PathError(.revoked(at: date, reason), certificate, at: index + 1)
      case .unknown(let problem)
      where parameters.revocation == .required
        || parameters.revocation == .requiredWhereStated
          && !(certificate.extensions.ocspLocations.isEmpty
            && certificate.extensions.crlDistributionPoints?.isEmpty ?? true):
        throw PathError(.revocationUnknown(problem), certificate, at: index + 1)
      default: findings.append(finding)
      }
    }
    return findings
  }

  private func finding(
    _ certificate: Certificate, _ issuer: RevocationIssuer, path: [Certificate],
    _ anchor: TrustAnchor, _ parameters: PathParameters, _ nesting: Nesting
  ) -> RevocationFinding {
    var nesting = nesting
    nesting.pending.insert(certificate)
    var search = CRLSearch(
      validator: self, certificate: certificate, issuer: issuer, path: path, anchor: anchor,
      parameters: parameters, nesting: nesting)
    var problem = RevocationProblem.noInformation
    switch ocspFinding(certificate, issuer, parameters, &search) {
    case .unknown(let met): problem = met
    case let known: return known
    }
    switch search.run() {
    case .unknown(let met): return .unknown(max(problem, met))
    case let known: return known
    }
  }

  /// Whether something published at `thisUpdate` says anything about the moment.
  func isCurrent(
    _ thisUpdate: Timestamp, _ nextUpdate: Timestamp?, _ parameters: PathParameters
  ) -> Bool {
    let moment = parameters.moment
    if thisUpdate > moment.advanced(bySeconds: limits.clockSkewSeconds) {
      return parameters.acceptsLaterEvidence
    }
    let end = nextUpdate ?? thisUpdate.advanced(bySeconds: limits.maximumAgeSeconds)
    return moment <= end.advanced(bySeconds: limits.clockSkewSeconds)
  }

  private func ocspFinding(
    _ certificate: Certificate, _ issuer: RevocationIssuer, _ parameters: PathParameters,
    _ search: inout CRLSearch
  ) -> RevocationFinding {
    var problem = RevocationProblem.noInformation
    var best: (OCSPResponse, OCSPResponse.Single)?
    for (response, single) in evidence.answers(about: certificate)
    where single.certificate.isIssued(by: issuer.name, key: issuer.key) {
      if let met = signatureProblem(response, issuer, parameters, &search) {
        problem = max(problem, met)
      } else if !isCurrent(single.thisUpdate, single.nextUpdate, parameters) {
        problem = max(problem, .outOfDate)
      } else if best.map({ $0.1.thisUpdate < single.thisUpdate }) ?? true {
        best = (response, single)
      }
    }
    guard let (response, single) = best else { return .unknown(problem) }
    switch single.status {
    case .good: return .good(.ocsp(response))
    case .revoked(let date, let reason):
      return date <= parameters.moment
        ? .revoked(at: date, reason, .ocsp(response))
        : .revokedLater(at: date, reason, .ocsp(response))
    case .unknown: return .unknown(problem)
    }
  }

  /// The signer has to be the issuer itself or hold id-kp-OCSPSigning from it (RFC 6960 4.2.2.2).
  private func signatureProblem(
    _ response: OCSPResponse, _ issuer: RevocationIssuer, _ parameters: PathParameters,
    _ search: inout CRLSearch
  ) -> RevocationProblem? {
    let work = search.nesting.work
    if response.responder.isNamed(issuer.name, key: issuer.key), work.spend(),
      response.isSigned(by: issuer.key)
    {
      return nil
    }
    var problem = RevocationProblem.badSignature
    for delegate in response.certificates {
      guard let key = delegate.publicKey, response.responder.isNamed(delegate.subject, key: key),
        work.spend(), response.isSigned(by: key)
      else { continue }
      let extensions = delegate.extensions
      guard delegate.issuer == issuer.name, work.spend(),
        delegate.isSigned(by: issuer.key),
        extensions.extendedKeyUsage?.contains(OID.ocspSigning) == true,
        extensions.malformed.isEmpty, extensions.unknownCritical.isEmpty
      else {
        problem = .issuerNotAuthorised
        continue
      }
      // What is answered later than the moment is signed later than the moment.
      let moment = max(parameters.moment, response.producedAt)
      guard delegate.notBefore <= moment,
        moment <= delegate.notAfter.advanced(bySeconds: limits.clockSkewSeconds)
      else {
        problem = .issuerPathInvalid
        continue
      }
      if !extensions.hasOCSPNoCheck, case .revoked = search.run(about: delegate) {
        problem = .issuerPathInvalid
        continue
      }
      return nil
    }
    return problem
  }
}
