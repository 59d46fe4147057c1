import NetworkTypes
public import SwiftASN1

/// What a certificate of the authority is for.
public enum CertificateProfile: String, Hashable, Sendable, CaseIterable, Codable {
  /// The authority itself.
  case root
  /// A time-stamp unit (RFC 3161 2.3).
  case tsa
  /// An organisation's e-seal (EN 319 412-3).
  case seal
  case server
  case client
  /// The responder that answers for the authority (RFC 6960 4.2.2.2).
  case ocsp
}

/// How long certificates are valid, in days.
public struct CertificateLifetimes: Sendable {
  /// A root has to outlive the stamps under it.
  public var root = 25 * 365
  /// 11 years, as Japanese accredited authorities do: stamps can be verified for 10.
  public var tsa = 11 * 365
  /// How long a unit's key signs: one year.
  public var tsaKey = 365
  /// Two years, our own choice.
  public var seal = 730
  /// The CA/Browser Forum's bound of 2020.
  public var server = 397
  public var client = 397
  /// Nobody can revoke a responder with id-pkix-ocsp-nocheck: one year.
  public var ocsp = 365
  /// A CRL's validity; the next one is made well before.
  public var crl = 7

  /// The values above.
  public init() {}

  func days(_ profile: CertificateProfile) -> Int {
    switch profile {
    case .root: root
    case .tsa: tsa
    case .seal: seal
    case .server: server
    case .client: client
    case .ocsp: ocsp
    }
  }
}

/// What somebody wants certified.
public struct CertificateApplication: Sendable {
  public var profile: CertificateProfile
  public var subject: DistinguishedName
  public var publicKey: PublicKey
  public var alternativeNames: [GeneralName]
  /// Policies that go into the certificate, such as a level of the e-seal scheme.
  public var policies: [ASN1ObjectIdentifier]
  /// Instead of the profile's days.
  public var days: Int?

  /// An application for a key.
  public init(
    profile: CertificateProfile, subject: DistinguishedName, publicKey: PublicKey,
    alternativeNames: [GeneralName] = [], policies: [ASN1ObjectIdentifier] = [], days: Int? = nil
  ) {
    self.profile = profile
    self.subject = subject
    self.publicKey = publicKey
    self.alternativeNames = alternativeNames
    self.policies = policies
    self.days = days
  }

  /// Why this is not certified; nil where it may be.
  func refusal(_ limits: PathLimits) -> CertificateAuthorityError? {
    if let weakness = limits.weakness(of: publicKey) {
      return .refused("the \(weakness) is too weak")
    }
    if subject.isEmpty && alternativeNames.isEmpty { return .refused("it has no name") }
    switch profile {
    case .seal:
      let identifiers = subject.texts(.organizationIdentifier)
      guard let identifier = identifiers.first, identifiers.count == 1 else {
        return .refused("a seal's subject needs one organizationIdentifier")
      }
      if identifier.hasPrefix("NTRJP-"), CorporateNumber(String(identifier.dropFirst(6))) == nil {
        return .refused("\(identifier) is no corporate number: its check digit is wrong")
      }
      // EN 319 412-3 4.2.1 wants all four.
      for (type, name) in [
        (DistinguishedName.AttributeType.country, "country"), (.organization, "organisation"),
        (.commonName, "common name"),
      ] where subject.texts(type).isEmpty {
        return .refused("a seal's subject has no \(name) (EN 319 412-3)")
      }
    case .server:
      guard !alternativeNames.isEmpty else {
        return .refused("a server's certificate needs a DNS name or address (RFC 9525)")
      }
    default: break
    }
    return nil
  }

  /// The certificate to be issued at a moment.
  func template(
    at now: Timestamp, lifetimes: CertificateLifetimes, locations: CertificateLocations,
    issuerEnd: Timestamp
  ) -> CertificateTemplate {
    let day = 86_400.0
    let start = Timestamp(seconds: now.seconds)
    let wanted = start.advanced(bySeconds: Double(days ?? lifetimes.days(profile)) * day)
    var template = CertificateTemplate(
      subject: subject, publicKey: publicKey, notBefore: start, notAfter: min(wanted, issuerEnd))
    template.subjectAlternativeNames = alternativeNames
    template.policies = policies.map { PolicyInformation($0) }
    if profile != .root {
      template.crlDistributionPoints = locations.crl.map { [DistributionPoint(uri: $0)] } ?? []
      template.caIssuerLocations = locations.certificate.map { [$0] } ?? []
      template.ocspLocations = locations.ocsp.map { [$0] } ?? []
    }
    let isRSA = if case .rsa = publicKey.kind { true } else { false }
    switch profile {
    case .root:
      template.basicConstraints = BasicConstraints(isCA: true, pathLength: 0)
      template.keyUsage = [.keyCertSign, .cRLSign]
    case .tsa:
      template.keyUsage = [.digitalSignature, .nonRepudiation]
      template.extendedKeyUsage = [OID.timeStamping]
      template.isExtendedKeyUsageCritical = true
      let end = start.advanced(bySeconds: Double(lifetimes.tsaKey) * day)
      if end < template.notAfter { template.privateKeyUsageEnd = end }
    case .seal:
      // EN 319 412-2 4.3.2, type A: signatures over content and nothing else.
      template.keyUsage = [.nonRepudiation]
      // esi4-qcStatement-6 (EN 319 412-5 4.2.3): a certificate for seals; without QcCompliance, as
      // Japan has no qualified certificates.
      template.otherExtensions = [
        CertificateExtension(
          OID.qcStatements,
          value: der { coder in
            coder.sequence { coder in
              coder.sequence { coder in
                coder.objectIdentifier([0, 4, 0, 1862, 1, 6])
                coder.sequence { $0.objectIdentifier([0, 4, 0, 1862, 1, 6, 2]) }
              }
            }
          })
      ]
    case .server:
      template.keyUsage = isRSA ? [.digitalSignature, .keyEncipherment] : [.digitalSignature]
      template.extendedKeyUsage = [OID.serverAuth]
    case .client:
      template.keyUsage = [.digitalSignature]
      template.extendedKeyUsage = [OID.clientAuth]
    case .ocsp:
      template.keyUsage = [.digitalSignature]
      template.extendedKeyUsage = [OID.ocspSigning]
      template.hasOCSPNoCheck = true
      template.crlDistributionPoints = []
      template.ocspLocations = []
    }
    return template
  }
}

/// Where the authority publishes; addresses of HTTP.
public struct CertificateLocations: Hashable, Sendable {
  public var crl: String?
  public var certificate: String?
  public var ocsp: String?

  /// `BASE/crl`, `BASE/certificate` and `BASE/ocsp`; none without a base.
  public init(base: String?) {
    guard var base else { return }
    while base.hasSuffix("/") { base.removeLast() }
    crl = base + "/crl"
    certificate = base + "/certificate"
    ocsp = base + "/ocsp"
  }
}

/// Why the authority does not do what it is asked.
public enum CertificateAuthorityError: Error, Hashable, Sendable, CustomStringConvertible {
  case refused(String)
  case keyMismatch
  case notAnAuthority
  case unknownSerial(String)
  case alreadyRevoked(String)
  case damagedRegister(String, line: Int)
  case system(String, String)

  public var description: String {
    switch self {
    case .refused(let reason): "The certificate is not issued: \(reason). Change the application."
    case .keyMismatch: "The key is not that of the authority's certificate. Give the right pair."
    case .notAnAuthority: "The certificate may not sign others. Give that of an authority."
    case .unknownSerial(let serial):
      "No certificate has the serial number \(serial). `noroshi ca list` shows those there are."
    case .alreadyRevoked(let serial): "The certificate \(serial) is revoked already."
    case .damagedRegister(let path, let line):
      "\(path): line \(line) is not what was written. Keep the file and restore a backup."
    case .system(let path, let reason): "\(path): \(reason). Check the disk and its rights."
    }
  }
}
