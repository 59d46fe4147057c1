/// The result of a validation (EN 319 102-1 5.1.3).
public enum Indication: String, Codable, Hashable, Sendable, CaseIterable {
  case totalPassed = "TOTAL-PASSED"
  case totalFailed = "TOTAL-FAILED"
  case indeterminate = "INDETERMINATE"
}

/// Why a validation did not pass (EN 319 102-1 5.1.3, tables 5 and 6).
public enum SubIndication: String, Codable, Hashable, Sendable, CaseIterable {
  case formatFailure = "FORMAT_FAILURE"
  case hashFailure = "HASH_FAILURE"
  case sigCryptoFailure = "SIG_CRYPTO_FAILURE"
  case revoked = "REVOKED"
  case expired = "EXPIRED"
  case notYetValid = "NOT_YET_VALID"
  case sigConstraintsFailure = "SIG_CONSTRAINTS_FAILURE"
  case chainConstraintsFailure = "CHAIN_CONSTRAINTS_FAILURE"
  case certificateChainGeneralFailure = "CERTIFICATE_CHAIN_GENERAL_FAILURE"
  case cryptoConstraintsFailure = "CRYPTO_CONSTRAINTS_FAILURE"
  case timestampOrderFailure = "TIMESTAMP_ORDER_FAILURE"
  case noSigningCertificateFound = "NO_SIGNING_CERTIFICATE_FOUND"
  case noCertificateChainFound = "NO_CERTIFICATE_CHAIN_FOUND"
  case revokedNoPOE = "REVOKED_NO_POE"
  case revokedCANoPOE = "REVOKED_CA_NO_POE"
  case outOfBoundsNoPOE = "OUT_OF_BOUNDS_NO_POE"
  case cryptoConstraintsFailureNoPOE = "CRYPTO_CONSTRAINTS_FAILURE_NO_POE"
  case noPOE = "NO_POE"
  case tryLater = "TRY_LATER"
  case signedDataNotFound = "SIGNED_DATA_NOT_FOUND"
}

/// An indication with its reason.
public struct Conclusion: Hashable, Sendable, Codable {
  public let indication: Indication
  public let subIndication: SubIndication?
  /// What exactly was met, in English, for whoever has to act on it.
  public let detail: String?

  /// A conclusion from its parts.
  public init(
    _ indication: Indication, _ subIndication: SubIndication? = nil, detail: String? = nil
  ) {
    self.indication = indication
    self.subIndication = subIndication
    self.detail = detail
  }

  static let passed = Conclusion(.totalPassed)

  static func failed(_ subIndication: SubIndication, _ detail: String) -> Conclusion {
    Conclusion(.totalFailed, subIndication, detail: detail)
  }

  static func indeterminate(_ subIndication: SubIndication, _ detail: String) -> Conclusion {
    Conclusion(.indeterminate, subIndication, detail: detail)
  }

  var isPassed: Bool { indication == .totalPassed }

  /// Whether a proof of existence could change the answer (EN 319 102-1 5.6.2).
  var dependsOnTime: Bool {
    switch subIndication {
    case .revokedNoPOE, .revokedCANoPOE, .outOfBoundsNoPOE, .cryptoConstraintsFailureNoPOE,
      .tryLater,
      .noPOE:
      true
    default: false
    }
  }

  /// The conclusion about a signature that does not stand by itself.
  init(_ error: CMSError) {
    let detail = "\(error)"
    self =
      switch error {
      case .malformed: .failed(.formatFailure, detail)
      case .attributeMissing: .failed(.formatFailure, detail)
      case .contentTypeMismatch: .indeterminate(.sigConstraintsFailure, detail)
      case .digestMismatch: .failed(.hashFailure, detail)
      case .badSignature: .failed(.sigCryptoFailure, detail)
      case .contentMissing: .indeterminate(.signedDataNotFound, detail)
      case .certificateMissing, .signingCertificateMismatch:
        .indeterminate(.noSigningCertificateFound, detail)
      case .unsupportedAlgorithm, .unsupportedKey:
        .indeterminate(.cryptoConstraintsFailure, detail)
      }
  }

  /// The conclusion about a certificate that is not valid; `isLast` for the signer's own.
  init(_ error: PathError, signer: Certificate) {
    let detail = "\(error)"
    let isSigner = error.certificate == signer
    self =
      switch error.reason {
      case .noPath: .indeterminate(.noCertificateChainFound, detail)
      case .expired, .notYetValid: .indeterminate(.outOfBoundsNoPOE, detail)
      case .revoked: .indeterminate(isSigner ? .revokedNoPOE : .revokedCANoPOE, detail)
      case .revocationUnknown: .indeterminate(.tryLater, detail)
      case .weakAlgorithm, .unsupportedKey: .indeterminate(.cryptoConstraintsFailure, detail)
      case .wrongExtendedKeyUsage, .noValidPolicy, .nameNotPermitted, .nameExcluded,
        .pathLengthExceeded, .notACA, .mayNotSignCertificates:
        .indeterminate(.chainConstraintsFailure, detail)
      case .tooLong, .tooComplex, .badSignature, .issuerNameMismatch, .mappedAnyPolicy,
        .unknownCriticalExtension, .malformedExtension:
        .indeterminate(.certificateChainGeneralFailure, detail)
      }
  }
}
