import SwiftASN1

/// A signature algorithm with every parameter that verification needs.
public enum SignatureAlgorithm: Hashable, Sendable {
  /// RSASSA-PKCS1-v1_5 (RFC 8017 8.2).
  case rsaPKCS1(HashAlgorithm)
  /// RSASSA-PSS (RFC 8017 8.1) with MGF1; the salt's length is in octets.
  case rsaPSS(HashAlgorithm, mask: HashAlgorithm, saltLength: Int)
  /// ECDSA; the curve comes with the key (RFC 5758).
  case ecdsa(HashAlgorithm)
  /// Pure Ed25519 (RFC 8410, RFC 8419).
  case ed25519
  /// DSA (FIPS 186-4), which only old certificates still use; verified, never made.
  case dsa(HashAlgorithm)

  /// PSS as it is used in practice: the mask's hash is the message's, the salt as long as the digest.
  public static func rsaPSS(_ hash: HashAlgorithm) -> Self {
    .rsaPSS(hash, mask: hash, saltLength: hash.byteCount)
  }

  /// The message's hash; SHA-512 for Ed25519, which hashes inside.
  public var hash: HashAlgorithm {
    switch self {
    case .rsaPKCS1(let hash), .rsaPSS(let hash, _, _), .ecdsa(let hash), .dsa(let hash): hash
    case .ed25519: .sha512
    }
  }

  /// The same with another hash.
  func with(_ hash: HashAlgorithm) -> Self {
    switch self {
    case .rsaPKCS1: .rsaPKCS1(hash)
    case .rsaPSS(_, let mask, let salt): .rsaPSS(hash, mask: mask, saltLength: salt)
    case .ecdsa: .ecdsa(hash)
    case .dsa: .dsa(hash)
    case .ed25519: .ed25519
    }
  }

  private static let byIdentifier: [ASN1ObjectIdentifier: Self] = [
    [1, 2, 840, 113549, 1, 1, 5]: .rsaPKCS1(.sha1),
    // sha1WithRSASignature of ISO/OIW, still met in old certificates.
    [1, 3, 14, 3, 2, 29]: .rsaPKCS1(.sha1),
    [1, 2, 840, 113549, 1, 1, 11]: .rsaPKCS1(.sha256),
    [1, 2, 840, 113549, 1, 1, 12]: .rsaPKCS1(.sha384),
    [1, 2, 840, 113549, 1, 1, 13]: .rsaPKCS1(.sha512),
    [2, 16, 840, 1, 101, 3, 4, 3, 14]: .rsaPKCS1(.sha3Bits256),
    [2, 16, 840, 1, 101, 3, 4, 3, 15]: .rsaPKCS1(.sha3Bits384),
    [2, 16, 840, 1, 101, 3, 4, 3, 16]: .rsaPKCS1(.sha3Bits512),
    [1, 2, 840, 10045, 4, 1]: .ecdsa(.sha1),
    [1, 2, 840, 10045, 4, 3, 2]: .ecdsa(.sha256),
    [1, 2, 840, 10045, 4, 3, 3]: .ecdsa(.sha384),
    [1, 2, 840, 10045, 4, 3, 4]: .ecdsa(.sha512),
    [2, 16, 840, 1, 101, 3, 4, 3, 10]: .ecdsa(.sha3Bits256),
    [2, 16, 840, 1, 101, 3, 4, 3, 11]: .ecdsa(.sha3Bits384),
    [2, 16, 840, 1, 101, 3, 4, 3, 12]: .ecdsa(.sha3Bits512),
    [1, 2, 840, 10040, 4, 3]: .dsa(.sha1),
    [2, 16, 840, 1, 101, 3, 4, 3, 2]: .dsa(.sha256),
    OID.ed25519: .ed25519,
  ]

  private static let identifiers: [Self: ASN1ObjectIdentifier] = {
    var table: [Self: ASN1ObjectIdentifier] = [:]
    for (oid, algorithm) in byIdentifier where oid != [1, 3, 14, 3, 2, 29] {
      table[algorithm] = oid
    }
    return table
  }()

  /// The algorithm that an identifier names; nil for one that is not verified here.
  ///
  /// SignerInfo may say `rsaEncryption` or `id-ecPublicKey` and leave the hash to its digest
  /// algorithm (RFC 3370 3.2); `digest` is that one.
  public init?(_ identifier: AlgorithmIdentifier, digest: HashAlgorithm? = nil) {
    switch identifier.algorithm {
    case OID.rsaEncryption:
      guard let digest else { return nil }
      self = .rsaPKCS1(digest)
    case OID.ecPublicKey:
      guard let digest else { return nil }
      self = .ecdsa(digest)
    case OID.dsa:
      guard let digest else { return nil }
      self = .dsa(digest)
    case OID.rsassaPSS:
      guard let pss = try? Self.readPSS(identifier.parameters) else { return nil }
      self = pss
    default:
      guard let known = Self.byIdentifier[identifier.algorithm] else { return nil }
      self = known
    }
  }

  /// RSASSA-PSS-params (RFC 4055 3.1).
  private static func readPSS(_ parameters: [UInt8]?) throws -> Self? {
    let name = "RSASSA-PSS-params"
    guard let parameters else { return .rsaPSS(.sha1) }
    var reader = try ElementReader(der: parameters[...], as: name)
    var hash = HashAlgorithm.sha1
    var mask = HashAlgorithm.sha1
    var salt = 20
    if let node = try reader.optional(explicit: 0, "hashAlgorithm") {
      guard let known = HashAlgorithm(try AlgorithmIdentifier(node)) else { return nil }
      hash = known
    }
    if let node = try reader.optional(explicit: 1, "maskGenAlgorithm") {
      let generator = try AlgorithmIdentifier(node)
      guard generator.algorithm == OID.mgf1, let inner = generator.parameters,
        let known = HashAlgorithm(
          try AlgorithmIdentifier(try ASN1Node.parse(der: inner[...], as: name)))
      else { return nil }
      mask = known
    }
    if let node = try reader.optional(explicit: 2, "saltLength") {
      salt = try node.smallInteger(name, "saltLength")
    }
    if let node = try reader.optional(explicit: 3, "trailerField") {
      guard try node.smallInteger(name, "trailerField") == 1 else { return nil }
    }
    guard (0...1024).contains(salt) else { return nil }
    return .rsaPSS(hash, mask: mask, saltLength: salt)
  }

  /// The identifier as certificates and SignerInfos carry it.
  public var algorithmIdentifier: AlgorithmIdentifier {
    switch self {
    case .rsaPSS(let hash, let mask, let salt):
      return AlgorithmIdentifier(
        OID.rsassaPSS,
        parameters: der { coder in
          coder.sequence { coder in
            coder.context(0) { AlgorithmIdentifier(hash.identifier).write(&$0) }
            coder.context(1) {
              AlgorithmIdentifier(OID.mgf1, parameters: mask.algorithmIdentifier.encoded).write(&$0)
            }
            coder.context(2) { $0.integer(salt) }
          }
        })
    case .rsaPKCS1(let hash):
      // NULL belongs to the older ones (RFC 4055 5); those of SHA-3 have no parameters (RFC 9688).
      let hasNull =
        switch hash {
        case .sha3Bits256, .sha3Bits384, .sha3Bits512: false
        default: true
        }
      return AlgorithmIdentifier(
        Self.identifiers[self] ?? OID.rsaEncryption,
        parameters: hasNull ? AlgorithmIdentifier.null : nil)
    case .ecdsa, .ed25519, .dsa:
      // Proof of the alternative never being taken: every ECDSA pair is in the table.
      return AlgorithmIdentifier(Self.identifiers[self] ?? OID.ecPublicKey)
    }
  }
}

extension SignatureAlgorithm: CustomStringConvertible {
  public var description: String {
    switch self {
    case .rsaPKCS1(let hash): "RSA PKCS#1 v1.5 with \(hash.rawValue)"
    case .rsaPSS(let hash, _, let salt): "RSA-PSS with \(hash.rawValue), salt \(salt)"
    case .ecdsa(let hash): "ECDSA with \(hash.rawValue)"
    case .ed25519: "Ed25519"
    case .dsa(let hash): "DSA with \(hash.rawValue)"
    }
  }
}
