import NetworkTypes

/// Who seals: a certificate, its key, and the certificates above it.
public struct SealingIdentity: Sendable {
  public let certificate: Certificate
  public let key: any SigningKey
  /// From the issuer up; the anchor may be left out.
  public let chain: [Certificate]
  /// The algorithm of the signature, which belongs to the key.
  public let algorithm: SignatureAlgorithm

  /// An identity; refused with ``SealError/keyMismatch`` where key and certificate differ.
  ///
  /// The algorithm is the key's preferred one where none is given.
  public init(
    certificate: Certificate, key: any SigningKey, chain: [Certificate] = [],
    algorithm: SignatureAlgorithm? = nil
  ) throws(SealError) {
    guard certificate.publicKey == key.publicKey else { throw .keyMismatch }
    self.certificate = certificate
    self.key = key
    self.chain = chain
    self.algorithm = algorithm ?? key.preferredAlgorithm
  }

  /// The hash of the content: that of the signature (SHA-512 for Ed25519, RFC 8419 3).
  public var contentHash: HashAlgorithm { algorithm.hash }

  func check(at moment: Timestamp) throws(SealError) {
    guard certificate.notBefore <= moment, moment <= certificate.notAfter else {
      throw .certificateOutsideValidity
    }
  }
}
