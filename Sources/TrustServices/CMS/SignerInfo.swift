public import NetworkTypes
public import SwiftASN1

/// SignerInfo (RFC 5652 5.3): one signature and what it says of itself.
public struct SignerInfo: Hashable, Sendable {
  /// SignerIdentifier: whose certificate verifies this.
  public enum Identifier: Hashable, Sendable {
    case issuerAndSerialNumber(DistinguishedName, [UInt8])
    case subjectKeyIdentifier([UInt8])

    /// Whether this names `certificate`.
    public func matches(_ certificate: Certificate) -> Bool {
      switch self {
      case .issuerAndSerialNumber(let issuer, let serial):
        serial == certificate.serialNumber && issuer == certificate.issuer
      case .subjectKeyIdentifier(let identifier):
        certificate.extensions.subjectKeyIdentifier == identifier
          || certificate.extensions.subjectKeyIdentifier == nil
            && certificate.publicKey?.keyIdentifier == identifier
      }
    }
  }

  public let version: Int
  public let identifier: Identifier
  public let digestAlgorithm: AlgorithmIdentifier
  /// nil where the content was signed directly.
  public let signedAttributes: [CMSAttribute]?
  /// The SET OF that was signed, as it was received.
  let signedAttributesEncoded: [UInt8]?
  /// The same in DER where it came in BER.
  let signedAttributesDER: [UInt8]?
  /// The same in DER's order where it came in another.
  var signedAttributesSorted: [UInt8] {
    der { $0.setOf((signedAttributes ?? []).map(\.distinguishedEncoding)) }
  }
  public let signatureAlgorithm: AlgorithmIdentifier
  public let signature: [UInt8]
  /// Whatever was added later: time stamps, validation data, counter-signatures.
  public var unsignedAttributes: [CMSAttribute]

  init(_ node: ASN1Node, as name: String = "SignerInfo") throws(MalformedStructure) {
    var reader = try ElementReader(node, as: name)
    version = try reader.smallInteger("version")
    if let key = reader.optional(context: 0) {
      identifier = .subjectKeyIdentifier(
        Array(try key.octets(name, "subjectKeyIdentifier", tag: key.identifier)))
    } else {
      var pair = try ElementReader(try reader.any("sid"), as: "IssuerAndSerialNumber")
      identifier = .issuerAndSerialNumber(
        try DistinguishedName(try pair.any("issuer")), try pair.integer("serialNumber"))
    }
    digestAlgorithm = try AlgorithmIdentifier(try reader.any("digestAlgorithm"))
    if let attributes = reader.optional(context: 0) {
      signedAttributes = try CMSAttribute.list(attributes, "signedAttrs")
      var received = Array(attributes.encodedBytes)
      // IMPLICIT hides the SET OF that was signed (RFC 5652 5.4).
      received[0] = 0x31
      signedAttributesEncoded = received
      signedAttributesDER = attributes.distinguishedEncoding(tag: .set)
    } else {
      signedAttributes = nil
      signedAttributesEncoded = nil
      signedAttributesDER = nil
    }
    signatureAlgorithm = try AlgorithmIdentifier(try reader.any("signatureAlgorithm"))
    signature = Array(try reader.octets("signature"))
    if let attributes = reader.optional(context: 1) {
      unsignedAttributes = try CMSAttribute.list(attributes, "unsignedAttrs")
    } else {
      unsignedAttributes = []
    }
    try reader.end()
  }

  init(
    identifier: Identifier, digestAlgorithm: HashAlgorithm, signedAttributes: [CMSAttribute],
    signedAttributesEncoded: [UInt8], signatureAlgorithm: AlgorithmIdentifier, signature: [UInt8],
    unsignedAttributes: [CMSAttribute]
  ) {
    if case .subjectKeyIdentifier = identifier { version = 3 } else { version = 1 }
    self.identifier = identifier
    self.digestAlgorithm = digestAlgorithm.algorithmIdentifier
    self.signedAttributes = signedAttributes
    self.signedAttributesEncoded = signedAttributesEncoded
    signedAttributesDER = signedAttributesEncoded
    self.signatureAlgorithm = signatureAlgorithm
    self.signature = signature
    self.unsignedAttributes = unsignedAttributes
  }

  /// Writes DER; the signed attributes stay as they were signed.
  func write(_ coder: inout DER.Serializer) {
    coder.sequence { coder in
      coder.integer(version)
      switch identifier {
      case .issuerAndSerialNumber(let issuer, let serial):
        coder.sequence {
          $0.raw(issuer.encoded)
          $0.integer(octets: serial)
        }
      case .subjectKeyIdentifier(let identifier): coder.context(0, primitive: identifier)
      }
      digestAlgorithm.write(&coder)
      if var attributes = signedAttributesDER {
        attributes[0] = 0xA0
        coder.raw(attributes)
      }
      signatureAlgorithm.write(&coder)
      coder.octets(signature)
      if !unsignedAttributes.isEmpty {
        coder.setOf(
          unsignedAttributes.map(\.encoded),
          tag: ASN1Identifier(tagWithNumber: 1, tagClass: .contextSpecific))
      }
    }
  }

  /// The complete encoding, DER.
  public var encoded: [UInt8] { der { write(&$0) } }

  /// The only signed attribute of a type; nil where there is none, or where it appears twice and so
  /// says nothing.
  public func signedAttribute(_ type: ASN1ObjectIdentifier) -> CMSAttribute? {
    let found = signedAttributes?.filter { $0.type == type } ?? []
    return found.count == 1 ? found[0] : nil
  }

  /// All unsigned attributes of a type.
  public func unsignedAttributes(_ type: ASN1ObjectIdentifier) -> [CMSAttribute] {
    unsignedAttributes.filter { $0.type == type }
  }

  /// When the signer says it signed.
  public var signingTime: Timestamp? {
    guard let node = try? signedAttribute(OID.signingTime)?.onlyValue("SigningTime") else {
      return nil
    }
    return try? ASN1Time.read(node, "SigningTime", "value")
  }

  /// The certificates that the signer says verify this, its own first; empty where it says nothing.
  public func signingCertificates() throws(MalformedStructure) -> [SigningCertificateReference] {
    let found =
      signedAttributes?.filter {
        $0.type == OID.signingCertificateV2 || $0.type == OID.signingCertificate
      } ?? []
    guard let newest = found.first(where: { $0.type == OID.signingCertificateV2 }) ?? found.first
    else { return [] }
    return try SigningCertificateReference.list(newest)
  }

  /// Signatures over this signature (RFC 5652 11.4).
  public func counterSignatures() throws(MalformedStructure) -> [SignerInfo] {
    var list: [SignerInfo] = []
    for attribute in unsignedAttributes(OID.counterSignature) {
      for value in attribute.values {
        list.append(
          try SignerInfo(try ASN1Node.parse(ber: value[...], as: "Countersignature")))
      }
    }
    return list
  }
}
