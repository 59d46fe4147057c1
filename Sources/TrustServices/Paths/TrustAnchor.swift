/// Whom a relying party trusts: a name and a key (RFC 5280 6.1.1 (d)).
public struct TrustAnchor: Hashable, Sendable {
  public let name: DistinguishedName
  public let publicKey: PublicKey
  /// The self-signed certificate the anchor was read from, where there is one. Its validity and
  /// constraints are not applied: an anchor is trusted because somebody decided so.
  public let certificate: Certificate?

  /// The anchor that a certificate describes; fails where its key is not supported.
  public init(_ certificate: Certificate) throws {
    guard let key = certificate.publicKey else {
      throw KeyError.unsupportedKey(
        "algorithm \(certificate.subjectPublicKeyInfo.algorithm.algorithm)")
    }
    name = certificate.subject
    publicKey = key
    self.certificate = certificate
  }

  /// An anchor from a bare name and key.
  public init(name: DistinguishedName, publicKey: PublicKey) {
    self.name = name
    self.publicKey = publicKey
    certificate = nil
  }
}

/// Certificates at hand for building paths, found by subject.
public struct CertificatePool: Sendable {
  private var bySubject: [DistinguishedName: [Certificate]] = [:]
  /// How many certificates there are.
  public private(set) var count = 0

  /// A pool of these certificates.
  public init(_ certificates: some Sequence<Certificate> = []) {
    for certificate in certificates { insert(certificate) }
  }

  /// Adds a certificate unless it is there already.
  public mutating func insert(_ certificate: Certificate) {
    guard bySubject[certificate.subject]?.contains(certificate) != true else { return }
    bySubject[certificate.subject, default: []].append(certificate)
    count += 1
  }

  /// The certificates of a subject.
  public func certificates(of subject: DistinguishedName) -> [Certificate] {
    bySubject[subject] ?? []
  }
}
