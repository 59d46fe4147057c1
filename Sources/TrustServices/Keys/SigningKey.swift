/// What can sign: a key in a file here, a key on a token elsewhere.
///
/// The call blocks until the signature is there. A token's implementation keeps its sessions behind
/// a lock or pool of its own; nothing here assumes that the private key can be read.
public protocol SigningKey: Sendable {
  /// The public half, which goes into certificates.
  var publicKey: PublicKey { get }

  /// Signs `message` (not its digest) with an algorithm that belongs to the key.
  ///
  /// ECDSA signatures come as DER (RFC 3279 2.2.3), RSA and Ed25519 as their octets. Throws
  /// ``KeyError/cannotSign(_:)`` for an algorithm of another kind of key, and never signs with SHA-1.
  func signature(for message: [UInt8], algorithm: SignatureAlgorithm) throws -> [UInt8]
}

extension SigningKey {
  /// The algorithm to use where nobody asked for another: the hash as strong as the curve, PKCS#1
  /// v1.5 with SHA-256 for RSA, because every verifier has it.
  public var preferredAlgorithm: SignatureAlgorithm {
    switch publicKey.kind {
    case .rsa: .rsaPKCS1(.sha256)
    case .p256: .ecdsa(.sha256)
    case .p384: .ecdsa(.sha384)
    case .p521: .ecdsa(.sha512)
    case .ed25519: .ed25519
    case .dsa: .dsa(.sha256)
    }
  }
}
