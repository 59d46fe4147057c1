import FoundationEssentials
public import NetworkTypes

/// A small certificate authority for tests and private deployments: one level, a register that
/// survives crashes, CRLs and a responder.
///
/// It makes no claim to any accreditation, and knows no registration office: whoever may use its key
/// decides what is certified.
public struct CertificateAuthority: Sendable {
  public let certificate: Certificate
  public let register: CertificateRegister
  public var lifetimes = CertificateLifetimes()
  public var locations: CertificateLocations
  private let key: any SigningKey

  /// The authority of a certificate, its key and its register.
  public init(
    certificate: Certificate, key: any SigningKey, register: CertificateRegister,
    locations: CertificateLocations = .init(base: nil)
  ) throws(CertificateAuthorityError) {
    guard certificate.publicKey == key.publicKey else { throw .keyMismatch }
    guard certificate.extensions.basicConstraints?.isCA == true else { throw .notAnAuthority }
    self.certificate = certificate
    self.key = key
    self.register = register
    self.locations = locations
  }

  /// Makes a root with a key, as the first line of its register.
  public static func create(
    subject: DistinguishedName, key: any SigningKey, register: CertificateRegister,
    at now: Timestamp,
    locations: CertificateLocations = .init(base: nil), lifetimes: CertificateLifetimes = .init()
  ) throws -> CertificateAuthority {
    let application = CertificateApplication(
      profile: .root, subject: subject, publicKey: key.publicKey)
    if let refusal = application.refusal(.init()) { throw refusal }
    let root = try application.template(
      at: now, lifetimes: lifetimes, locations: locations, issuerEnd: .distantFuture
    ).issue(key: key)
    var authority = try CertificateAuthority(
      certificate: root, key: key, register: register, locations: locations)
    authority.lifetimes = lifetimes
    try register.append { contents in
      guard contents.entries.isEmpty else {
        throw CertificateAuthorityError.refused("there is an authority already")
      }
      return authority.issued(root, .root, now)
    }
    return authority
  }

  private func issued(_ certificate: Certificate, _ profile: CertificateProfile, _ now: Timestamp)
    -> CertificateRegister.Event
  {
    CertificateRegister.Event(
      kind: .issued, time: now, serial: certificate.serialNumberText, profile: profile,
      certificate: Data(certificate.encoded).base64EncodedString())
  }

  /// Certifies; the certificate is in the register before it is given out.
  public func issue(_ application: CertificateApplication, at now: Timestamp) throws -> Certificate
  {
    guard application.profile != .root else {
      throw CertificateAuthorityError.refused("a root is made by `noroshi ca init`")
    }
    if let refusal = application.refusal(.init()) { throw refusal }
    let template = application.template(
      at: now, lifetimes: lifetimes, locations: locations, issuerEnd: certificate.notAfter)
    guard template.notBefore < template.notAfter, now >= certificate.notBefore else {
      throw CertificateAuthorityError.refused("the authority's own certificate is not valid now")
    }
    let made = try template.issue(issuer: certificate, key: key)
    try register.append { contents in
      // 127 random bits: a second time means that they are not random.
      guard contents[made.serialNumber] == nil else {
        throw CertificateAuthorityError.refused("its random serial number was given before")
      }
      return issued(made, application.profile, now)
    }
    return made
  }

  /// Revokes a certificate of this register; it shows in the next CRL and at once in OCSP.
  public func revoke(
    serialNumber: [UInt8], reason: RevocationReason = .unspecified, at now: Timestamp
  ) throws {
    let text = Hexadecimal.text(serialNumber)
    try register.append { contents in
      guard let entry = contents[serialNumber] else {
        throw CertificateAuthorityError.unknownSerial(text)
      }
      guard entry.profile != .root else {
        throw CertificateAuthorityError.refused("a root cannot revoke itself")
      }
      guard entry.revocation == nil else { throw CertificateAuthorityError.alreadyRevoked(text) }
      return CertificateRegister.Event(
        kind: .revoked, time: Timestamp(seconds: now.seconds), serial: text, reason: reason.rawValue
      )
    }
  }

  /// Signs the next complete CRL. Certificates that ended stay in it: stamps and seals are verified
  /// long after (EN 319 411-1 6.3.9, ExpiredCertsOnCRL in spirit).
  public func revocationList(at now: Timestamp) throws -> CertificateRevocationList {
    var made: CertificateRevocationList?
    try register.append { contents in
      let number = contents.lastCRLNumber + 1
      let start = Timestamp(seconds: now.seconds)
      let template = RevocationListTemplate(
        number: number, thisUpdate: start,
        nextUpdate: start.advanced(bySeconds: Double(lifetimes.crl) * 86_400),
        entries: contents.entries.compactMap { entry in
          entry.revocation.map {
            RevocationListTemplate.Entry(
              serialNumber: entry.certificate.serialNumber, revokedAt: $0.at, reason: $0.reason)
          }
        })
      made = try template.issue(issuer: certificate, key: key)
      return CertificateRegister.Event(kind: .crl, time: start, number: number)
    }
    guard let made else { throw CertificateAuthorityError.system(register.path, "no CRL was made") }
    return made
  }
}

/// Answers OCSP for an authority (RFC 6960), from its register as it is at each question.
public struct OCSPResponder: Sendable {
  /// Seconds for which an answer holds: an hour, our own choice.
  public var validitySeconds = 3600.0
  private let authority: Certificate
  private let issuerKey: PublicKey
  private let certificate: Certificate
  private let key: any SigningKey
  private let contents: @Sendable () throws -> CertificateRegister.Contents

  /// A responder with a certificate of the authority for id-kp-OCSPSigning, or the authority itself.
  public init(
    authority: Certificate, certificate: Certificate, key: any SigningKey,
    contents: @escaping @Sendable () throws -> CertificateRegister.Contents
  ) throws(CertificateAuthorityError) {
    guard certificate.publicKey == key.publicKey else { throw .keyMismatch }
    guard let issuerKey = authority.publicKey,
      certificate == authority
        || certificate.isSigned(by: issuerKey)
          && certificate.extensions.extendedKeyUsage?.contains(OID.ocspSigning) == true
    else { throw .notAnAuthority }
    self.authority = authority
    self.issuerKey = issuerKey
    self.certificate = certificate
    self.key = key
    self.contents = contents
  }

  /// The answer to the octets of a request: always an OCSPResponse, DER.
  public func answer(_ query: [UInt8], at now: Timestamp) -> [UInt8] {
    guard let request = try? OCSPRequest(derEncoded: query), !request.certificates.isEmpty,
      request.nonce.map({ (1...128).contains($0.count) }) ?? true
    else { return OCSPResponse.failure(.malformedRequest) }
    guard
      request.certificates.allSatisfy({ $0.isIssued(by: authority.subject, key: issuerKey) })
    else { return OCSPResponse.failure(.unauthorized) }
    do {
      let known = try contents()
      let start = Timestamp(seconds: now.seconds)
      let singles = request.certificates.map { wanted in
        let status: OCSPResponse.CertificateStatus =
          if let entry = known[wanted.serialNumber] {
            entry.revocation.map { .revoked(at: $0.at, reason: $0.reason) } ?? .good
          } else { .unknown }
        return OCSPResponse.Single(
          certificate: wanted, status: status, thisUpdate: start,
          nextUpdate: start.advanced(bySeconds: validitySeconds))
      }
      return try OCSPResponse.issue(
        singles, producedAt: start, nonce: request.nonce, responder: certificate, key: key,
        includesCertificate: certificate != authority
      ).encoded
    } catch { return OCSPResponse.failure(.internalError) }
  }
}
