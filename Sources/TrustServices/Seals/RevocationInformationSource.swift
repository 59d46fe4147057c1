/// One CRL or OCSP answer to be kept with a seal.
public enum RevocationInformation: Hashable, Sendable {
  case crl(CertificateRevocationList)
  case ocsp(OCSPResponse)

  /// The complete DER.
  public var encoded: [UInt8] {
    switch self {
    case .crl(let crl): crl.encoded
    case .ocsp(let response): response.encoded
    }
  }
}

/// Where revocation data for long-term seals come from: files, a CA in this process, the network.
public protocol RevocationInformationSource: Sendable {
  /// Whatever answers for `certificate`, which `issuer` issued; empty where nothing does.
  func information(about certificate: Certificate, issuer: Certificate) async throws
    -> [RevocationInformation]
}

/// CRLs and OCSP answers that are at hand.
public struct KnownRevocationInformation: RevocationInformationSource {
  private let crls: [CertificateRevocationList]
  private let responses: [OCSPResponse]

  /// A source of these.
  public init(crls: [CertificateRevocationList] = [], ocsp: [OCSPResponse] = []) {
    self.crls = crls
    responses = ocsp
  }

  public func information(about certificate: Certificate, issuer: Certificate) async throws
    -> [RevocationInformation]
  {
    guard let key = issuer.publicKey else { return [] }
    let answers = responses.filter { response in
      response.responses.contains {
        $0.certificate.serialNumber == certificate.serialNumber
          && $0.certificate.isIssued(by: issuer.subject, key: key)
      }
    }
    return answers.map { .ocsp($0) }
      + crls.filter { $0.issuer == certificate.issuer }.map { .crl($0) }
  }
}
