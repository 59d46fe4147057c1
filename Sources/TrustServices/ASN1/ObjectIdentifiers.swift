public import SwiftASN1

/// The object identifiers that the structures here speak of, under the names of their standards.
public enum OID {
  // RFC 8017, RFC 4055, RFC 8702-style arcs of NIST for SHA-3.
  static let rsaEncryption: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 1, 1]
  static let mgf1: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 1, 8]
  static let rsassaPSS: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 1, 10]
  static let ecPublicKey: ASN1ObjectIdentifier = [1, 2, 840, 10045, 2, 1]
  static let p256: ASN1ObjectIdentifier = [1, 2, 840, 10045, 3, 1, 7]
  static let p384: ASN1ObjectIdentifier = [1, 3, 132, 0, 34]
  static let p521: ASN1ObjectIdentifier = [1, 3, 132, 0, 35]
  static let ed25519: ASN1ObjectIdentifier = [1, 3, 101, 112]
  static let dsa: ASN1ObjectIdentifier = [1, 2, 840, 10040, 4, 1]

  // RFC 8018.
  static let pbes2: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 5, 13]
  static let pbkdf2: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 5, 12]
  static let hmacSHA1: ASN1ObjectIdentifier = [1, 2, 840, 113549, 2, 7]
  static let hmacSHA256: ASN1ObjectIdentifier = [1, 2, 840, 113549, 2, 9]
  static let hmacSHA384: ASN1ObjectIdentifier = [1, 2, 840, 113549, 2, 10]
  static let hmacSHA512: ASN1ObjectIdentifier = [1, 2, 840, 113549, 2, 11]
  static let aes128CBC: ASN1ObjectIdentifier = [2, 16, 840, 1, 101, 3, 4, 1, 2]
  static let aes192CBC: ASN1ObjectIdentifier = [2, 16, 840, 1, 101, 3, 4, 1, 22]
  static let aes256CBC: ASN1ObjectIdentifier = [2, 16, 840, 1, 101, 3, 4, 1, 42]

  // RFC 5280: certificate, CRL and CRL entry extensions.
  static let subjectKeyIdentifier: ASN1ObjectIdentifier = [2, 5, 29, 14]
  static let keyUsage: ASN1ObjectIdentifier = [2, 5, 29, 15]
  static let privateKeyUsagePeriod: ASN1ObjectIdentifier = [2, 5, 29, 16]
  static let subjectAltName: ASN1ObjectIdentifier = [2, 5, 29, 17]
  static let issuerAltName: ASN1ObjectIdentifier = [2, 5, 29, 18]
  static let basicConstraints: ASN1ObjectIdentifier = [2, 5, 29, 19]
  static let cRLNumber: ASN1ObjectIdentifier = [2, 5, 29, 20]
  static let reasonCode: ASN1ObjectIdentifier = [2, 5, 29, 21]
  static let invalidityDate: ASN1ObjectIdentifier = [2, 5, 29, 24]
  static let deltaCRLIndicator: ASN1ObjectIdentifier = [2, 5, 29, 27]
  static let issuingDistributionPoint: ASN1ObjectIdentifier = [2, 5, 29, 28]
  static let certificateIssuer: ASN1ObjectIdentifier = [2, 5, 29, 29]
  static let nameConstraints: ASN1ObjectIdentifier = [2, 5, 29, 30]
  static let cRLDistributionPoints: ASN1ObjectIdentifier = [2, 5, 29, 31]
  static let certificatePolicies: ASN1ObjectIdentifier = [2, 5, 29, 32]
  static let policyMappings: ASN1ObjectIdentifier = [2, 5, 29, 33]
  static let authorityKeyIdentifier: ASN1ObjectIdentifier = [2, 5, 29, 35]
  static let policyConstraints: ASN1ObjectIdentifier = [2, 5, 29, 36]
  static let extKeyUsage: ASN1ObjectIdentifier = [2, 5, 29, 37]
  static let freshestCRL: ASN1ObjectIdentifier = [2, 5, 29, 46]
  static let inhibitAnyPolicy: ASN1ObjectIdentifier = [2, 5, 29, 54]
  static let authorityInfoAccess: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 1, 1]
  static let qcStatements: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 1, 3]
  static let cps: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 2, 1]
  static let userNotice: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 2, 2]
  static let caIssuers: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 48, 2]

  // RFC 6960.
  static let ocsp: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 48, 1]
  static let ocspBasic: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 48, 1, 1]
  static let ocspNonce: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 48, 1, 2]
  static let ocspNoCheck: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 48, 1, 5]

  // PKCS #9 (RFC 2985).
  static let emailAddress: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 9, 1]
  static let extensionRequest: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 9, 14]
  static let contentType: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 9, 3]
  static let messageDigest: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 9, 4]
  static let signingTime: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 9, 5]
  static let counterSignature: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 9, 6]

  // RFC 5652, RFC 5035, RFC 5940.
  static let signedData: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 7, 2]
  static let ocspResponseInfo: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 16, 2]
  static let signingCertificate: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 9, 16, 2, 12]
  static let signingCertificateV2: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 9, 16, 2, 47]

  /// id-data (RFC 5652 4): content that CMS does not interpret.
  public static let data: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 7, 1]
  /// id-ct-TSTInfo (RFC 3161 2.4.2).
  public static let tstInfo: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 9, 16, 1, 4]
  /// anyPolicy (RFC 5280 4.2.1.4).
  public static let anyPolicy: ASN1ObjectIdentifier = [2, 5, 29, 32, 0]
  /// id-kp-serverAuth (RFC 5280 4.2.1.12).
  public static let serverAuth: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 3, 1]
  /// id-kp-clientAuth (RFC 5280 4.2.1.12).
  public static let clientAuth: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 3, 2]
  /// id-kp-emailProtection (RFC 5280 4.2.1.12).
  public static let emailProtection: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 3, 4]
  /// id-kp-timeStamping (RFC 3161 2.3).
  public static let timeStamping: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 3, 8]
  /// id-kp-OCSPSigning (RFC 6960 4.2.2.2).
  public static let ocspSigning: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 3, 9]
  /// anyExtendedKeyUsage (RFC 5280 4.2.1.12).
  public static let anyExtendedKeyUsage: ASN1ObjectIdentifier = [2, 5, 29, 37, 0]
}

extension ASN1ObjectIdentifier {
  /// Reads `1.2.392.…` as an operator writes it; nil where an arc is missing, not a number, or out
  /// of X.660's range.
  public init?(dotted text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { UInt($0) }
    let arcs = parts.compactMap { $0 }
    guard arcs.count == parts.count, arcs.count >= 2, arcs[0] <= 2, arcs[0] == 2 || arcs[1] < 40,
      arcs[1] < UInt.max - 80
    else { return nil }
    // Proof: two arcs or more, and the sum of the first two was bounded above.
    try! self.init(elements: arcs)
  }
}
