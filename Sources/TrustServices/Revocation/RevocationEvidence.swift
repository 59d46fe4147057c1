public import NetworkTypes

/// CRLs and OCSP answers at hand, found by issuer and by serial number.
public struct RevocationEvidence: Sendable {
  private var crlsByIssuer: [DistinguishedName: [CertificateRevocationList]] = [:]
  private var answersBySerial: [[UInt8]: [(OCSPResponse, OCSPResponse.Single)]] = [:]

  /// A collection of these; none of them is believed before it is verified.
  public init(
    crls: some Sequence<CertificateRevocationList> = [], ocsp: some Sequence<OCSPResponse> = []
  ) {
    for crl in crls { insert(crl) }
    for response in ocsp { insert(response) }
  }

  /// Adds a CRL, complete or delta.
  public mutating func insert(_ crl: CertificateRevocationList) {
    crlsByIssuer[crl.issuer, default: []].append(crl)
  }

  /// Adds an OCSP answer.
  public mutating func insert(_ response: OCSPResponse) {
    for single in response.responses {
      answersBySerial[single.certificate.serialNumber, default: []].append((response, single))
    }
  }

  func crls(of issuer: DistinguishedName) -> [CertificateRevocationList] {
    crlsByIssuer[issuer] ?? []
  }

  func answers(about certificate: Certificate) -> [(OCSPResponse, OCSPResponse.Single)] {
    answersBySerial[certificate.serialNumber] ?? []
  }
}

/// What was learnt about one certificate's revocation.
public enum RevocationFinding: Hashable, Sendable {
  /// Not revoked at the moment in question, by this evidence.
  case good(RevocationSource)
  /// Not revoked at the moment in question, but since then; for some reasons that casts doubt on
  /// everything the key ever did.
  case revokedLater(at: Timestamp, RevocationReason, RevocationSource)
  /// Revoked at or before the moment in question.
  case revoked(at: Timestamp, RevocationReason, RevocationSource)
  case unknown(RevocationProblem)
  /// Nobody asked, or the certificate says that nobody need ask.
  case notChecked
}

/// Where a finding comes from: what has to be kept with a signature that is to last.
public enum RevocationSource: Hashable, Sendable {
  /// The lists that together covered every reason, deltas included.
  case crls([CertificateRevocationList])
  case ocsp(OCSPResponse)
}

/// Who issued the certificate whose revocation is in question.
struct RevocationIssuer {
  let name: DistinguishedName
  let key: PublicKey
  /// nil for an anchor.
  let certificate: Certificate?

  var maySignCRLs: Bool {
    certificate?.extensions.keyUsage.map { $0.contains(.cRLSign) } ?? true
  }
}
