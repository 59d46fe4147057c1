public import NetworkTypes
public import SwiftASN1

/// One extension as it was encoded (RFC 5280 4.1.2.9).
public struct CertificateExtension: Hashable, Sendable {
  public let identifier: ASN1ObjectIdentifier
  public let isCritical: Bool
  /// The content of the OCTET STRING.
  public let value: [UInt8]

  /// An extension from its parts.
  public init(_ identifier: ASN1ObjectIdentifier, isCritical: Bool = false, value: [UInt8]) {
    self.identifier = identifier
    self.isCritical = isCritical
    self.value = value
  }

  init(_ node: ASN1Node) throws(MalformedStructure) {
    var reader = try ElementReader(node, as: "Extension")
    identifier = try reader.objectIdentifier("extnID")
    isCritical = try reader.boolean("critical", default: false)
    value = Array(try reader.octets("extnValue"))
    try reader.end()
  }

  static func list(_ node: ASN1Node, _ structure: String) throws(MalformedStructure)
    -> [CertificateExtension]
  {
    var list: [CertificateExtension] = []
    guard node.identifier == .sequence else {
      throw MalformedStructure(structure, "extensions", "not a SEQUENCE")
    }
    for element in try node.children(structure, "extensions") {
      list.append(try CertificateExtension(element))
    }
    guard Set(list.map(\.identifier)).count == list.count else {
      throw MalformedStructure(structure, "extensions", "an extension appears twice")
    }
    return list
  }

  func write(_ coder: inout DER.Serializer) {
    coder.sequence {
      $0.objectIdentifier(identifier)
      if isCritical { $0.boolean(true) }
      $0.octets(value)
    }
  }
}

/// KeyUsage (RFC 5280 4.2.1.3): what the key may be used for.
public struct KeyUsage: OptionSet, Hashable, Sendable {
  public let rawValue: UInt16
  /// The bits by their number in the standard.
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  public static let digitalSignature = KeyUsage(rawValue: 1 << 0)
  public static let nonRepudiation = KeyUsage(rawValue: 1 << 1)
  public static let keyEncipherment = KeyUsage(rawValue: 1 << 2)
  public static let dataEncipherment = KeyUsage(rawValue: 1 << 3)
  public static let keyAgreement = KeyUsage(rawValue: 1 << 4)
  public static let keyCertSign = KeyUsage(rawValue: 1 << 5)
  public static let cRLSign = KeyUsage(rawValue: 1 << 6)
  public static let encipherOnly = KeyUsage(rawValue: 1 << 7)
  public static let decipherOnly = KeyUsage(rawValue: 1 << 8)
}

/// BasicConstraints (RFC 5280 4.2.1.9).
public struct BasicConstraints: Hashable, Sendable {
  public let isCA: Bool
  /// How many CA certificates that are not self-issued may follow; nil for any number.
  public let pathLength: Int?

  /// Constraints from their parts.
  public init(isCA: Bool, pathLength: Int? = nil) {
    self.isCA = isCA
    self.pathLength = pathLength
  }
}

/// AuthorityKeyIdentifier (RFC 5280 4.2.1.1).
public struct AuthorityKeyIdentifier: Hashable, Sendable {
  public let keyIdentifier: [UInt8]?
  public let issuer: [GeneralName]?
  public let serialNumber: [UInt8]?
}

/// PolicyConstraints (RFC 5280 4.2.1.11): counts of certificates after which each rule holds.
public struct PolicyConstraints: Hashable, Sendable {
  public let requireExplicitPolicy: Int?
  public let inhibitPolicyMapping: Int?
}

/// The extensions of a certificate: all of them raw, those of RFC 5280 also understood.
public struct CertificateExtensions: Hashable, Sendable {
  /// All extensions in the order of the certificate.
  public let all: [CertificateExtension]
  /// Known extensions whose value is broken; a path with such a certificate is not accepted.
  public private(set) var malformed: [ASN1ObjectIdentifier] = []
  /// Critical extensions that are not processed here (RFC 5280 4.2: such a certificate is refused).
  public private(set) var unknownCritical: [ASN1ObjectIdentifier] = []

  public private(set) var basicConstraints: BasicConstraints?
  public private(set) var keyUsage: KeyUsage?
  public private(set) var extendedKeyUsage: [ASN1ObjectIdentifier]?
  public private(set) var subjectKeyIdentifier: [UInt8]?
  public private(set) var authorityKeyIdentifier: AuthorityKeyIdentifier?
  public private(set) var subjectAlternativeNames: [GeneralName] = []
  public private(set) var certificatePolicies: [PolicyInformation]?
  public private(set) var policyMappings: [PolicyMapping] = []
  public private(set) var policyConstraints: PolicyConstraints?
  public private(set) var inhibitAnyPolicy: Int?
  public private(set) var nameConstraints: NameConstraints?
  public private(set) var crlDistributionPoints: [DistributionPoint]?
  public private(set) var freshestCRL: [DistributionPoint]?
  /// Where the authority's OCSP responder answers.
  public private(set) var ocspLocations: [String] = []
  /// Where the issuer's certificate is published.
  public private(set) var caIssuerLocations: [String] = []
  /// id-pkix-ocsp-nocheck (RFC 6960 4.2.2.2.1): this responder's certificate is not checked itself.
  public private(set) var hasOCSPNoCheck = false
  /// PrivateKeyUsagePeriod: when the key may sign, which can end before the certificate does.
  public private(set) var privateKeyUsagePeriod: (notBefore: Timestamp?, notAfter: Timestamp?)?

  public static func == (left: Self, right: Self) -> Bool { left.all == right.all }
  public func hash(into hasher: inout Hasher) { hasher.combine(all) }

  /// The extension of this OID, if present.
  public subscript(identifier: ASN1ObjectIdentifier) -> CertificateExtension? {
    all.first { $0.identifier == identifier }
  }

  init(_ all: [CertificateExtension]) {
    self.all = all
    for one in all {
      do {
        if try !understand(one) && one.isCritical { unknownCritical.append(one.identifier) }
      } catch { malformed.append(one.identifier) }
    }
  }

  private mutating func understand(_ one: CertificateExtension) throws -> Bool {
    func node() throws(MalformedStructure) -> ASN1Node {
      try ASN1Node.parse(der: one.value[...], as: "Extension")
    }
    switch one.identifier {
    case OID.basicConstraints:
      var reader = try ElementReader(try node(), as: "BasicConstraints")
      let isCA = try reader.boolean("cA", default: false)
      var length: Int?
      if !reader.isAtEnd {
        // A number too large to be read is as good as no limit; a negative one is nonsense.
        let octets = try reader.integer("pathLenConstraint")
        guard octets[0] & 0x80 == 0 else { throw reader.wrong("pathLenConstraint", "negative") }
        length =
          octets.count > 4
          ? Int(Int32.max) : octets.reduce(0) { $0 << 8 | Int($1) }
      }
      try reader.end()
      basicConstraints = BasicConstraints(isCA: isCA, pathLength: length)
    case OID.keyUsage:
      keyUsage = KeyUsage(
        rawValue: UInt16(truncatingIfNeeded: try node().namedBits("KeyUsage", "bits")))
    case OID.extKeyUsage:
      extendedKeyUsage = try node().children("ExtKeyUsageSyntax", "KeyPurposeId").map {
        try $0.objectIdentifier("ExtKeyUsageSyntax", "KeyPurposeId")
      }
    case OID.subjectKeyIdentifier:
      subjectKeyIdentifier = Array(try node().octets("SubjectKeyIdentifier", "keyIdentifier"))
    case OID.authorityKeyIdentifier:
      var reader = try ElementReader(try node(), as: "AuthorityKeyIdentifier")
      let key = try reader.optional(context: 0).map {
        Array(try $0.octets("AuthorityKeyIdentifier", "keyIdentifier", tag: $0.identifier))
      }
      let issuer = try reader.optional(context: 1).map {
        try GeneralName.list($0, "AuthorityKeyIdentifier", "authorityCertIssuer")
      }
      let serial = try reader.optional(context: 2).map {
        try $0.integer("AuthorityKeyIdentifier", "authorityCertSerialNumber", tag: $0.identifier)
      }
      try reader.end()
      authorityKeyIdentifier = AuthorityKeyIdentifier(
        keyIdentifier: key, issuer: issuer, serialNumber: serial)
    case OID.subjectAltName:
      // An empty list is against the rules but says nothing; CAs in use have issued it.
      subjectAlternativeNames = try node().children("SubjectAltName", "names").map {
        try GeneralName($0)
      }
    case OID.certificatePolicies:
      certificatePolicies = try PolicyInformation.list(try node())
    case OID.policyMappings:
      policyMappings = try PolicyMapping.list(try node())
    case OID.policyConstraints:
      var reader = try ElementReader(try node(), as: "PolicyConstraints")
      func count(_ number: UInt, _ field: String) throws -> Int? {
        try reader.optional(context: number).map {
          let value = try $0.smallInteger("PolicyConstraints", field, tag: $0.identifier)
          guard value >= 0 else { throw reader.wrong(field, "negative") }
          return value
        }
      }
      policyConstraints = PolicyConstraints(
        requireExplicitPolicy: try count(0, "requireExplicitPolicy"),
        inhibitPolicyMapping: try count(1, "inhibitPolicyMapping"))
      try reader.end()
    case OID.inhibitAnyPolicy:
      let value = try node().smallInteger("InhibitAnyPolicy", "skipCerts")
      guard value >= 0 else {
        throw MalformedStructure("InhibitAnyPolicy", "skipCerts", "negative")
      }
      inhibitAnyPolicy = value
    case OID.nameConstraints:
      nameConstraints = try NameConstraints(try node())
    case OID.cRLDistributionPoints:
      crlDistributionPoints = try DistributionPoint.list(try node())
    case OID.freshestCRL:
      freshestCRL = try DistributionPoint.list(try node())
    case OID.authorityInfoAccess:
      for element in try node().children("AuthorityInfoAccess", "descriptions") {
        var reader = try ElementReader(element, as: "AccessDescription")
        let method = try reader.objectIdentifier("accessMethod")
        guard case .uniformResourceIdentifier(let uri) = try GeneralName(reader.any("location"))
        else { continue }
        if method == OID.ocsp { ocspLocations.append(uri) }
        if method == OID.caIssuers { caIssuerLocations.append(uri) }
      }
    case OID.privateKeyUsagePeriod:
      var reader = try ElementReader(try node(), as: "PrivateKeyUsagePeriod")
      let from = try reader.optional(context: 0).map {
        try ASN1Time.read($0, "PrivateKeyUsagePeriod", "notBefore", tag: .generalizedTime)
      }
      let to = try reader.optional(context: 1).map {
        try ASN1Time.read($0, "PrivateKeyUsagePeriod", "notAfter", tag: .generalizedTime)
      }
      privateKeyUsagePeriod = (from, to)
    case OID.ocspNoCheck: hasOCSPNoCheck = true
    // Says nothing that validation depends on.
    case OID.issuerAltName: break
    default: return false
    }
    return true
  }
}
