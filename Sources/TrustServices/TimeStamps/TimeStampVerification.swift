import NetworkTypes
import SwiftASN1

extension TimeStampToken {
  /// Verifies everything RFC 3161 2.2 asks a requester to: imprint, nonce and policy, signature,
  /// the unit's certificate and key purpose, and its path at the moment of the stamp.
  ///
  /// Anchors, more certificates and revocation evidence come from `validator`. `request` is what
  /// was sent, where the verifier is who asked. `parameters` default to those of the stamp's
  /// moment with revocation where known; its key purpose is always time-stamping.
  public func verify(
    _ imprint: MessageImprint, request: TimeStampRequest? = nil, validator: CertificateValidator,
    certificates: [Certificate] = [], parameters: PathParameters? = nil
  ) throws(TimeStampError) -> VerifiedTimeStamp {
    guard info.imprint.matches(imprint) else { throw .imprintMismatch }
    return try verify(
      request: request, validator: validator, certificates: certificates, parameters: parameters)
  }

  /// The same for content, with the stamp's own hash.
  public func verify(
    content: [UInt8], request: TimeStampRequest? = nil, validator: CertificateValidator,
    certificates: [Certificate] = [], parameters: PathParameters? = nil
  ) throws(TimeStampError) -> VerifiedTimeStamp {
    guard let hash = info.imprint.hashAlgorithm else {
      throw .unknownHash(info.imprint.algorithm.algorithm)
    }
    return try verify(
      MessageImprint(hash, of: content), request: request, validator: validator,
      certificates: certificates, parameters: parameters)
  }

  /// Refuses a stamp that answers another request: imprint, nonce or policy differ.
  public func checkAnswers(_ request: TimeStampRequest) throws(TimeStampError) {
    try checkAnswers(request, imprint: request.imprint)
  }

  private func checkAnswers(_ request: TimeStampRequest, imprint: MessageImprint?)
    throws(TimeStampError)
  {
    if let imprint, !info.imprint.matches(imprint) { throw .imprintMismatch }
    // An absent nonce is as wrong as another one.
    if let sent = request.nonce, !Self.isSameNumber(info.nonce, sent) { throw .nonceMismatch }
    if let policy = request.policy, policy != info.policy { throw .policyMismatch(info.policy) }
  }

  private func verify(
    request: TimeStampRequest?, validator: CertificateValidator, certificates: [Certificate],
    parameters: PathParameters?
  ) throws(TimeStampError) -> VerifiedTimeStamp {
    if let request { try checkAnswers(request, imprint: nil) }
    if let unknown = info.extensions.first(where: \.isCritical) {
      throw .criticalExtension(unknown.identifier)
    }
    let verified: VerifiedSigner
    do throws(CMSError) {
      verified = try signedData.verify(signer, certificates: certificates)
    } catch { throw .signature(error) }
    guard verified.isCertificateSigned else { throw .certificateNotFixed }
    guard Self.isTimeStampUnit(verified.certificate) else { throw .notATimeStampUnit }

    var parameters = parameters ?? Self.defaultParameters(info.genTime)
    parameters.extendedKeyUsage = OID.timeStamping
    var validator = validator
    for certificate in signedData.certificates + certificates {
      validator.pool.insert(certificate)
    }
    for crl in signedData.crls { validator.evidence.insert(crl) }
    for response in signedData.ocspResponses { validator.evidence.insert(response) }
    let path: ValidatedPath
    do throws(PathError) {
      path = try validator.validate(verified.certificate, parameters: parameters)
    } catch { throw .path(error) }
    if case .revokedLater(let date, let reason, _) = path.revocation.last {
      switch reason {
      // Only these say that the key was good until then.
      case .affiliationChanged, .superseded, .cessationOfOperation: break
      default: throw .unitCompromised(at: date, reason)
      }
    }
    return VerifiedTimeStamp(token: self, signer: verified, path: path)
  }

  private static func defaultParameters(_ moment: Timestamp) -> PathParameters {
    var parameters = PathParameters(moment: moment)
    parameters.revocation = .whenKnown
    parameters.acceptsLaterEvidence = true
    return parameters
  }

  /// Whether two INTEGERs are the same, minimal or not.
  private static func isSameNumber(_ a: [UInt8]?, _ b: [UInt8]) -> Bool {
    guard let a else { return false }
    return der { $0.integer(octets: a) } == der { $0.integer(octets: b) }
  }

  /// Whether the key purpose is time-stamping alone, in a critical extension.
  static func isTimeStampUnit(_ certificate: Certificate) -> Bool {
    certificate.extensions.extendedKeyUsage == [OID.timeStamping]
      && certificate.extensions[OID.extKeyUsage]?.isCritical == true
  }
}
