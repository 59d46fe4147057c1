public import NetworkTypes

/// What was found about a file: the same for every format, as JSON and, through
/// ``ReportText``, for people.
public struct ValidationReport: Hashable, Sendable, Codable {
  /// The version of this model; grows when a field changes its meaning.
  public var version = 1
  public var format: SealFormat?
  /// When the validation was made or is to be understood.
  public var checkedAt: Timestamp
  /// The worst of the signatures; that of the file itself where it cannot be read.
  public var conclusion: Conclusion
  public var signatures: [SignatureReport]
  /// Anything else to be known, in English.
  public var notes: [String] = []

  /// A report on signatures; none at all is a format failure.
  public init(
    format: SealFormat?, checkedAt: Timestamp, signatures: [SignatureReport], notes: [String] = []
  ) {
    self.format = format
    self.checkedAt = checkedAt
    self.signatures = signatures
    self.notes = notes
    conclusion =
      Self.worst(signatures.map(\.conclusion))
      ?? .failed(.formatFailure, "There is no signature in it. Give the file that holds one.")
  }

  /// A report on a file that cannot be read.
  public init(format: SealFormat?, checkedAt: Timestamp, unreadable reason: String) {
    self.format = format
    self.checkedAt = checkedAt
    signatures = []
    conclusion = .failed(.formatFailure, reason)
  }

  /// A report on a file whose signatures are out of reach here, though the file may be in order
  /// (encrypted, larger than is read).
  public init(format: SealFormat?, checkedAt: Timestamp, outOfReach reason: String) {
    self.format = format
    self.checkedAt = checkedAt
    signatures = []
    conclusion = .indeterminate(.signedDataNotFound, reason)
  }

  /// Failed before indeterminate before passed.
  static func worst(_ conclusions: [Conclusion]) -> Conclusion? {
    conclusions.first { $0.indication == .totalFailed }
      ?? conclusions.first { $0.indication == .indeterminate } ?? conclusions.first
  }
}

/// What was found about one signature.
public struct SignatureReport: Hashable, Sendable, Codable {
  /// Counts from 1 in the order of the file.
  public var number: Int
  public var conclusion: Conclusion
  /// The level by what is there, whether or not all of it stands.
  public var level: SealLevel?
  /// Who sealed or signed, as the certificate has it; to be believed only where the chain stands.
  public var holder: SealHolder?
  /// The signer's own statement.
  public var claimedTime: Timestamp?
  /// The earliest moment at which a valid time stamp proves the signature to have existed.
  public var provenTime: Timestamp?
  public var covers: [CoveredContent]
  /// What was added to or changed in the file after the signature; empty for detached signatures.
  public var changesAfter: [ChangeAfter]
  public var algorithms: [AlgorithmAssessment]
  /// From the anchor's child down to the signer.
  public var chain: [CertificateSummary]
  public var anchor: String?
  public var revocation: [RevocationSummary]
  public var timeStamps: [TimeStampSummary]
  public var counterSignatures: [SignatureReport]
  public var notes: [String]
  /// What trusted lists say of whoever certified the signer; nil where no list or no valid chain is
  /// at hand.
  public var accreditation: AccreditationAnswer?
}

/// One piece of content that a signature is about.
public struct CoveredContent: Hashable, Sendable, Codable {
  /// The file's name or address, where the signature states it.
  public var name: String?
  public var digestAlgorithm: String?
  /// Hexadecimal.
  public var digest: String?
  /// Whether the content is inside the signed file.
  public var isEnclosed: Bool
  /// False where a part of it is not covered, as in a PDF that was extended.
  public var isWhole: Bool
  /// False where the content is missing or not what was signed.
  public var isIntact: Bool

  /// Content that was found, or not.
  public init(
    name: String?, digestAlgorithm: String?, digest: String?, isEnclosed: Bool,
    isWhole: Bool = true, isIntact: Bool
  ) {
    self.name = name
    self.digestAlgorithm = digestAlgorithm
    self.digest = digest
    self.isEnclosed = isEnclosed
    self.isWhole = isWhole
    self.isIntact = isIntact
  }
}

/// A change made after a signature.
public struct ChangeAfter: Hashable, Sendable, Codable {
  /// Whether the format allows it (validation data, further signatures, form fields left open).
  public var isAllowed: Bool
  /// What it is, in English.
  public var text: String
  /// Which of the known changes it is, such as `dss` or `page-content`.
  public var kind: String?
  /// The field or page that it is about.
  public var subject: String?

  /// A change.
  public init(isAllowed: Bool, text: String, kind: String? = nil, subject: String? = nil) {
    self.isAllowed = isAllowed
    self.text = text
    self.kind = kind
    self.subject = subject
  }
}

/// A certificate of the chain.
public struct CertificateSummary: Hashable, Sendable, Codable {
  public var subject: String
  public var issuer: String
  public var serialNumber: String
  public var notBefore: Timestamp
  public var notAfter: Timestamp
  /// SHA-256 of the certificate, hexadecimal.
  public var fingerprint: String

  /// The summary of a certificate.
  public init(_ certificate: Certificate) {
    subject = "\(certificate.subject)"
    issuer = "\(certificate.issuer)"
    serialNumber = certificate.serialNumberText
    notBefore = certificate.notBefore
    notAfter = certificate.notAfter
    fingerprint = Hexadecimal.text(certificate.fingerprint())
  }
}

/// What is known about the revocation of one certificate.
public struct RevocationSummary: Hashable, Sendable, Codable {
  /// What was learnt.
  public enum Status: String, Hashable, Sendable, Codable {
    case good, revoked, revokedLater, unknown, notChecked
  }

  public var subject: String
  public var status: Status
  public var revokedAt: Timestamp?
  public var reason: String?
  /// `CRL` or `OCSP`.
  public var source: String?
  /// When the CRL or answer was made.
  public var publishedAt: Timestamp?

  init(_ certificate: Certificate, _ finding: RevocationFinding) {
    subject = "\(certificate.subject)"
    func describe(_ origin: RevocationSource) {
      switch origin {
      case .crls(let lists):
        source = "CRL"
        publishedAt = lists.map(\.thisUpdate).max()
      case .ocsp(let response):
        source = "OCSP"
        publishedAt = response.producedAt
      }
    }
    switch finding {
    case .good(let origin):
      status = .good
      describe(origin)
    case .revoked(let date, let why, let origin):
      status = .revoked
      revokedAt = date
      reason = "\(why)"
      describe(origin)
    case .revokedLater(let date, let why, let origin):
      status = .revokedLater
      revokedAt = date
      reason = "\(why)"
      describe(origin)
    case .unknown(let problem):
      status = .unknown
      reason = "\(problem)"
    case .notChecked: status = .notChecked
    }
  }
}

/// What was found about one time stamp.
public struct TimeStampSummary: Hashable, Sendable, Codable {
  public var kind: TimeStampEvidence.Kind
  public var conclusion: Conclusion
  public var time: Timestamp?
  /// Seconds that the authority's clock may be off, where stated.
  public var accuracySeconds: Double?
  public var authority: String?
  public var policy: String?
  public var serialNumber: String?
  public var chain: [CertificateSummary]
  /// What trusted lists say of the stamp's service; nil where no list or no valid chain is at hand.
  public var accreditation: AccreditationAnswer?
}
