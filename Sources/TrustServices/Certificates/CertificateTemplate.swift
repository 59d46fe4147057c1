public import NetworkTypes
public import SwiftASN1

/// What a certificate is to say; ``issue(issuer:key:algorithm:)`` signs it.
public struct CertificateTemplate: Sendable {
  public var subject: DistinguishedName
  public var publicKey: PublicKey
  public var notBefore: Timestamp
  public var notAfter: Timestamp
  /// Big end first, positive; made by ``randomSerialNumber()`` where nothing else is wanted.
  public var serialNumber: [UInt8]
  public var basicConstraints: BasicConstraints?
  public var keyUsage: KeyUsage = []
  public var extendedKeyUsage: [ASN1ObjectIdentifier] = []
  /// Required to be critical for a time-stamp unit (RFC 3161 2.3).
  public var isExtendedKeyUsageCritical = false
  public var subjectAlternativeNames: [GeneralName] = []
  public var policies: [PolicyInformation] = []
  public var crlDistributionPoints: [DistributionPoint] = []
  public var ocspLocations: [String] = []
  public var caIssuerLocations: [String] = []
  /// When the key may sign, where that ends before the certificate does.
  public var privateKeyUsageEnd: Timestamp?
  public var hasOCSPNoCheck = false
  /// Everything else, added as it is.
  public var otherExtensions: [CertificateExtension] = []

  /// A certificate for `publicKey` in the name of `subject`.
  public init(
    subject: DistinguishedName, publicKey: PublicKey, notBefore: Timestamp, notAfter: Timestamp,
    serialNumber: [UInt8] = CertificateTemplate.randomSerialNumber()
  ) {
    self.subject = subject
    self.publicKey = publicKey
    self.notBefore = notBefore
    self.notAfter = notAfter
    self.serialNumber = serialNumber
  }

  /// 16 random octets, positive and not zero: more than the 64 bits that the CA/Browser Forum asks
  /// for, within the 20 octets of RFC 5280 4.1.2.2.
  public static func randomSerialNumber() -> [UInt8] {
    var octets = (0..<16).map { _ in UInt8.random(in: 0...255) }
    octets[0] = octets[0] & 0x7F | 0x40
    return octets
  }

  private func extensions(authorityKeyIdentifier: [UInt8]) -> [CertificateExtension] {
    var list: [CertificateExtension] = []
    func add(
      _ identifier: ASN1ObjectIdentifier, critical: Bool = false,
      _ body: (inout DER.Serializer) -> Void
    ) {
      list.append(CertificateExtension(identifier, isCritical: critical, value: der(body)))
    }
    if let basicConstraints {
      add(OID.basicConstraints, critical: true) {
        $0.sequence {
          if basicConstraints.isCA { $0.boolean(true) }
          if let length = basicConstraints.pathLength { $0.integer(length) }
        }
      }
    }
    if !keyUsage.isEmpty {
      add(OID.keyUsage, critical: true) { $0.namedBits(UInt32(keyUsage.rawValue)) }
    }
    if !extendedKeyUsage.isEmpty {
      add(OID.extKeyUsage, critical: isExtendedKeyUsageCritical) {
        $0.sequence { for purpose in extendedKeyUsage { $0.objectIdentifier(purpose) } }
      }
    }
    add(OID.subjectKeyIdentifier) { $0.octets(publicKey.keyIdentifier) }
    add(OID.authorityKeyIdentifier) {
      $0.sequence { $0.context(0, primitive: authorityKeyIdentifier) }
    }
    if !subjectAlternativeNames.isEmpty {
      add(OID.subjectAltName, critical: subject.isEmpty) {
        $0.sequence { for name in subjectAlternativeNames { name.write(&$0) } }
      }
    }
    if !policies.isEmpty {
      add(OID.certificatePolicies) { PolicyInformation.write(policies, &$0) }
    }
    if !crlDistributionPoints.isEmpty {
      add(OID.cRLDistributionPoints) { DistributionPoint.write(crlDistributionPoints, &$0) }
    }
    if !ocspLocations.isEmpty || !caIssuerLocations.isEmpty {
      add(OID.authorityInfoAccess) { coder in
        coder.sequence { coder in
          for (method, uris) in [(OID.ocsp, ocspLocations), (OID.caIssuers, caIssuerLocations)] {
            for uri in uris {
              coder.sequence {
                $0.objectIdentifier(method)
                GeneralName.uniformResourceIdentifier(uri).write(&$0)
              }
            }
          }
        }
      }
    }
    if let privateKeyUsageEnd {
      add(OID.privateKeyUsagePeriod) {
        $0.sequence {
          $0.context(
            1,
            primitive: ASN1Time.format(privateKeyUsageEnd, fractionDigits: 0, twoDigitYear: false))
        }
      }
    }
    if hasOCSPNoCheck { add(OID.ocspNoCheck) { $0.null() } }
    return list + otherExtensions
  }

  /// Signs the certificate in the name of `issuer`, or of its own subject where that is nil.
  ///
  /// `key` is the issuer's; the algorithm is the key's preferred one where none is given.
  public func issue(
    issuer: Certificate? = nil, key: any SigningKey, algorithm: SignatureAlgorithm? = nil
  ) throws -> Certificate {
    let algorithm = algorithm ?? key.preferredAlgorithm
    let authorityKeyIdentifier =
      issuer?.extensions.subjectKeyIdentifier ?? key.publicKey.keyIdentifier
    let extensions = extensions(authorityKeyIdentifier: authorityKeyIdentifier)
    let toBeSigned = der { coder in
      coder.sequence { coder in
        coder.context(0) { $0.integer(2) }
        coder.integer(octets: serialNumber)
        algorithm.algorithmIdentifier.write(&coder)
        coder.raw(issuer?.subject.encoded ?? subject.encoded)
        coder.sequence {
          $0.time(notBefore)
          $0.time(notAfter)
        }
        coder.raw(subject.encoded)
        coder.raw(publicKey.subjectPublicKeyInfo)
        coder.context(3) { $0.sequence { for one in extensions { one.write(&$0) } } }
      }
    }
    let encoded = try SignedStructure.encode(toBeSigned, key: key, algorithm: algorithm)
    return try Certificate(derEncoded: encoded)
  }
}

/// The outer SEQUENCE that certificates, CRLs and requests share: content, algorithm, signature.
enum SignedStructure {
  static func encode(
    _ toBeSigned: [UInt8], key: any SigningKey, algorithm: SignatureAlgorithm
  ) throws -> [UInt8] {
    let signature = try key.signature(for: toBeSigned, algorithm: algorithm)
    return der {
      $0.sequence {
        $0.raw(toBeSigned)
        algorithm.algorithmIdentifier.write(&$0)
        $0.bits(signature)
      }
    }
  }
}
