public import NetworkTypes

/// Until when an algorithm can be relied upon, and who says so.
public struct AlgorithmExpiry: Hashable, Sendable {
  /// Signatures proven to exist before this moment stay reliable; nil for no end in sight.
  public var end: Timestamp?
  public var source: String

  /// An end with its source.
  public init(end: Timestamp?, source: String) {
    self.end = end
    self.source = source
  }
}

/// Every number and table that decides about validity (EN 319 102-1 5.1.4, constraints).
public struct ValidationParameters: Sendable {
  /// By hash; one that is not listed is not accepted.
  public var hashes: [HashAlgorithm: AlgorithmExpiry]
  /// RSA and DSA by the least number of bits that has this expiry, in growing order; a key shorter
  /// than the first was never reliable.
  public var modulusSizes: [(bits: Int, expiry: AlgorithmExpiry)]
  /// Elliptic curves of 256 bits and more.
  public var curves: AlgorithmExpiry
  /// Whether a signature has to fix its certificate in what is signed (EN 319 122-1 5.2.2); for
  /// signatures that claim one of the AdES forms.
  public var requiresSigningCertificateReference = true
  /// Most signatures in one file; those after are not looked at, and the report says so. Our own
  /// bound against files made to keep a server busy.
  public var maximumSignatures = 64
  /// Most time stamps of one signature; a yearly renewal for 60 years.
  public var maximumTimeStamps = 64

  /// SHA-1 and keys below 2048 bits until the end of 2013, RSA of 2048 bits until the end of 2030.
  public init() {
    // Proof: constants in the form that Timestamp reads; a failure would only make both weaker.
    let end2013 = Timestamp("2014-01-01T00:00:00Z") ?? .distantPast
    let end2030 = Timestamp("2031-01-01T00:00:00Z") ?? .distantPast
    let nist = "NIST SP 800-131A Rev. 2"
    let cryptrec = "CRYPTREC LS-0003-2022"
    let open = AlgorithmExpiry(end: nil, source: cryptrec)
    hashes = [
      .sha1: AlgorithmExpiry(end: end2013, source: nist),
      .sha256: open, .sha384: open, .sha512: open,
      .sha3Bits256: open, .sha3Bits384: open, .sha3Bits512: open,
    ]
    modulusSizes = [
      (1024, AlgorithmExpiry(end: end2013, source: nist)),
      (2048, AlgorithmExpiry(end: end2030, source: cryptrec)),
      (3072, open),
    ]
    curves = open
  }

  func expiry(of hash: HashAlgorithm) -> AlgorithmExpiry {
    hashes[hash] ?? AlgorithmExpiry(end: .distantPast, source: "not in the table of hashes")
  }

  func expiry(of kind: PublicKey.Kind) -> AlgorithmExpiry {
    switch kind {
    case .rsa(let bits), .dsa(let bits):
      modulusSizes.last { bits >= $0.bits }?.expiry
        ?? AlgorithmExpiry(end: .distantPast, source: "never long enough")
    case .p256, .p384, .p521, .ed25519: curves
    }
  }
}

/// One algorithm in use, and whether it could be relied upon when it had to.
public struct AlgorithmAssessment: Hashable, Sendable, Codable {
  /// What it was used for.
  public enum Use: String, Hashable, Sendable, Codable {
    case content, signature, certificate, revocation, timeStamp
  }

  public let use: Use
  /// Whose signature or key it is, where that is not the signer.
  public let subject: String?
  public let algorithm: String
  /// Since when it is too weak; nil where no end is in sight.
  public let weakSince: Timestamp?
  public let source: String
  /// When the signature or certificate is known to have existed.
  public let provenAt: Timestamp
  public var isReliable: Bool { weakSince.map { provenAt < $0 } ?? true }
}

extension PublicKey.Kind {
  var text: String {
    switch self {
    case .rsa(let bits): "RSA \(bits)"
    case .dsa(let bits): "DSA \(bits)"
    case .p256: "P-256"
    case .p384: "P-384"
    case .p521: "P-521"
    case .ed25519: "Ed25519"
    }
  }
}
