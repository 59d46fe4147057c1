/// Collects what long-term validation needs: chains up to the anchors, and for each certificate
/// below one what says whether it is revoked.
public struct ValidationMaterial: Sendable {
  let source: (any RevocationInformationSource)?
  let pool: CertificatePool
  let anchors: Set<Certificate>
  /// Most certificates collected for one seal: four chains of the longest kind; our own bound.
  static let maximumCertificates = 48

  /// A collector; `certificates` help to build chains, `anchors` end them.
  public init(
    source: (any RevocationInformationSource)?, certificates: [Certificate],
    anchors: [Certificate]
  ) {
    self.source = source
    pool = CertificatePool(certificates + anchors)
    self.anchors = Set(anchors)
  }

  /// What was found.
  public struct Collection: Sendable {
    public var certificates: [Certificate] = []
    public var revocation: [RevocationInformation] = []
  }

  /// The chains of `wanted` and of whoever signed the answers about them.
  ///
  /// A certificate that states where its CRL or responder is has to be answered for, else
  /// ``SealError/revocationMissing(_:)``; and something has to be answered about somebody, unless all
  /// are trusted or need no answer, because the seal would be of a lower level than it is said to be.
  public func collect(for wanted: [Certificate], known: [Certificate]) async throws -> Collection {
    var pool = pool
    for certificate in known { pool.insert(certificate) }
    var found = Collection()
    var open = wanted
    var seen: Set<Certificate> = []
    var kept: Set<RevocationInformation> = []
    while let certificate = open.popLast(), seen.count < Self.maximumCertificates {
      guard seen.insert(certificate).inserted else { continue }
      found.certificates.append(certificate)
      guard !anchors.contains(certificate), !certificate.isSelfIssued else { continue }
      guard
        let issuer = pool.certificates(of: certificate.issuer).first(where: { candidate in
          candidate.publicKey.map { certificate.isSigned(by: $0) } ?? false
        })
      else { continue }
      open.append(issuer)
      guard !certificate.extensions.hasOCSPNoCheck else { continue }
      let answers = try await source?.information(about: certificate, issuer: issuer) ?? []
      let states =
        !certificate.extensions.ocspLocations.isEmpty
        || certificate.extensions.crlDistributionPoints?.isEmpty == false
      guard !answers.isEmpty || !states else {
        throw SealError.revocationMissing("\(certificate.subject)")
      }
      for answer in answers where kept.insert(answer).inserted {
        found.revocation.append(answer)
        if case .ocsp(let response) = answer {
          for responder in response.certificates {
            pool.insert(responder)
            open.append(responder)
          }
        }
      }
    }
    if found.revocation.isEmpty,
      let unanswered = wanted.first(where: {
        !anchors.contains($0) && !$0.isSelfIssued && !$0.extensions.hasOCSPNoCheck
      })
    {
      throw SealError.revocationMissing("\(unanswered.subject)")
    }
    return found
  }
}
