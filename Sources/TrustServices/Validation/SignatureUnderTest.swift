public import NetworkTypes

/// A time stamp that came with a signature, and what it is to prove.
public struct TimeStampEvidence: Sendable {
  /// What is stamped.
  public enum Kind: String, Hashable, Sendable, Codable {
    /// The content before it was signed: the signature is not older.
    case content
    /// The signature value.
    case signature
    /// References to validation data (CAdES-C, JAdES sigRTst, rfsTst).
    case references
    /// The signature and everything collected for it.
    case archive
    /// A whole PDF document.
    case document
  }

  public var kind: Kind
  /// nil where it cannot be read; then `problem` says why.
  public var token: TimeStampToken?
  public var problem: MalformedStructure?
  /// The digest that the token has to be over, by its hash; nil where the content for it is missing.
  public var imprint: @Sendable (HashAlgorithm) -> [UInt8]?
  /// Objects that existed at the time if the stamp is valid.
  public var covers: Set<ProvenObject>

  /// A token with what it is over.
  public init(
    _ kind: Kind, token: TimeStampToken, covers: Set<ProvenObject>,
    imprint: @escaping @Sendable (HashAlgorithm) -> [UInt8]?
  ) {
    self.kind = kind
    self.token = token
    self.covers = covers
    self.imprint = imprint
  }

  /// A stamp that cannot be read.
  public init(_ kind: Kind, problem: MalformedStructure) {
    self.kind = kind
    self.problem = problem
    covers = []
    imprint = { _ in nil }
  }

  /// Reads a token, or keeps why it cannot be read.
  init(
    _ kind: Kind, encoded: [UInt8], covers: Set<ProvenObject>,
    imprint: @escaping @Sendable (HashAlgorithm) -> [UInt8]?
  ) {
    do {
      self.init(kind, token: try TimeStampToken(encoded: encoded), covers: covers, imprint: imprint)
    } catch {
      self.init(
        kind,
        problem: error as? MalformedStructure
          ?? MalformedStructure("TimeStampToken", "encoding", "\(error)"))
    }
  }
}

/// What a time stamp can prove to have existed.
public enum ProvenObject: Hashable, Sendable {
  /// The signature in question.
  case signature
  /// A certificate by its SHA-256.
  case certificate([UInt8])
  /// A CRL or OCSP answer by the SHA-256 of its encoding.
  case revocation([UInt8])
  /// Another time stamp by the SHA-256 of its token.
  case timeStamp([UInt8])
}

/// The signature itself, verified with mathematics alone.
public struct SignatureFacts: Sendable {
  public var certificate: Certificate
  public var algorithm: SignatureAlgorithm
  public var contentHash: HashAlgorithm
  /// Whether the signature covers which certificate it is to be verified with.
  public var fixesCertificate: Bool

  /// Facts from their parts.
  public init(
    certificate: Certificate, algorithm: SignatureAlgorithm, contentHash: HashAlgorithm,
    fixesCertificate: Bool
  ) {
    self.certificate = certificate
    self.algorithm = algorithm
    self.contentHash = contentHash
    self.fixesCertificate = fixesCertificate
  }
}

/// One signature of any format, as the rules of EN 319 102-1 look at it: what each format's reader
/// makes, and what ``SealValidator/report(on:number:)`` judges.
public struct SignatureUnderTest: Sendable {
  /// What verifies, or the conclusion that it does not.
  public enum Outcome: Sendable {
    case verified(SignatureFacts)
    /// With the certificate that it claims, where that was found.
    case refused(Conclusion, Certificate?)
  }

  public var outcome: Outcome
  public var level: SealLevel
  public var claimedTime: Timestamp?
  /// Certificates, CRLs and OCSP answers that came along.
  public var certificates: [Certificate] = []
  public var crls: [CertificateRevocationList] = []
  public var ocspResponses: [OCSPResponse] = []
  public var timeStamps: [TimeStampEvidence] = []
  public var covers: [CoveredContent] = []
  public var changesAfter: [ChangeAfter] = []
  public var counterSignatures: [SignatureUnderTest] = []
  public var notes: [String] = []
  /// Whether the format wants the signing certificate fixed in the signature.
  public var isAdvanced = true

  /// A signature about which only its outcome is known yet.
  public init(outcome: Outcome, level: SealLevel) {
    self.outcome = outcome
    self.level = level
  }
}
