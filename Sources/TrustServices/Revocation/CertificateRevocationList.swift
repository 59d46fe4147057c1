public import NetworkTypes
import SwiftASN1

/// CRLReason (RFC 5280 5.3.1).
public enum RevocationReason: Int, Hashable, Sendable, CaseIterable {
  case unspecified = 0
  case keyCompromise = 1
  case cACompromise = 2
  case affiliationChanged = 3
  case superseded = 4
  case cessationOfOperation = 5
  case certificateHold = 6
  case removeFromCRL = 8
  case privilegeWithdrawn = 9
  case aACompromise = 10
}

/// IssuingDistributionPoint (RFC 5280 5.2.5): which certificates and reasons a CRL speaks of.
public struct IssuingDistributionPoint: Hashable, Sendable {
  public let distributionPoint: DistributionPointName?
  public let onlyContainsUserCerts: Bool
  public let onlyContainsCACerts: Bool
  public let onlySomeReasons: ReasonFlags?
  public let indirectCRL: Bool
  public let onlyContainsAttributeCerts: Bool

  init(_ node: ASN1Node) throws(MalformedStructure) {
    let name = "IssuingDistributionPoint"
    var reader = try ElementReader(node, as: name)
    if let tagged = reader.optional(context: 0) {
      distributionPoint = try DistributionPointName(tagged)
    } else {
      distributionPoint = nil
    }
    func flag(_ number: UInt, _ field: String) throws(MalformedStructure) -> Bool {
      guard let node = reader.optional(context: number) else { return false }
      return try node.boolean(name, field, tag: node.identifier)
    }
    onlyContainsUserCerts = try flag(1, "onlyContainsUserCerts")
    onlyContainsCACerts = try flag(2, "onlyContainsCACerts")
    if let flags = reader.optional(context: 3) {
      onlySomeReasons = ReasonFlags(
        rawValue: try flags.namedBits(name, "onlySomeReasons", tag: flags.identifier))
    } else {
      onlySomeReasons = nil
    }
    indirectCRL = try flag(4, "indirectCRL")
    onlyContainsAttributeCerts = try flag(5, "onlyContainsAttributeCerts")
    try reader.end()
  }
}

/// A certificate revocation list, complete or delta (RFC 5280 5).
public final class CertificateRevocationList: Hashable, Sendable {
  /// One revoked certificate.
  public struct Entry: Hashable, Sendable {
    public let serialNumber: [UInt8]
    public let revokedAt: Timestamp
    /// ``RevocationReason/unspecified`` where none is given.
    public let reason: RevocationReason
    /// When the key is thought to have been lost, where that is stated.
    public let invalidSince: Timestamp?
    /// Whose certificate this is; differs from the CRL's issuer in an indirect CRL only.
    public let issuer: DistinguishedName
  }

  public let encoded: [UInt8]
  let toBeSigned: ArraySlice<UInt8>
  public let issuer: DistinguishedName
  public let thisUpdate: Timestamp
  /// When the next one is due; nil where the issuer does not say.
  public let nextUpdate: Timestamp?
  public let entries: [Entry]
  /// CRLNumber, big end first.
  public let number: [UInt8]?
  /// BaseCRLNumber of a delta CRL; nil for a complete one.
  public let deltaBase: [UInt8]?
  public let issuingDistributionPoint: IssuingDistributionPoint?
  public let authorityKeyIdentifier: [UInt8]?
  /// Whether something critical is not understood, so that the list must not be used
  /// (RFC 5280 5.2, 5.3).
  public let hasUnknownCriticalExtension: Bool
  public let signatureAlgorithm: SignatureAlgorithm?
  private let signature: [UInt8]
  private let bySerial: [[UInt8]: [Int]]

  public static func == (left: CertificateRevocationList, right: CertificateRevocationList)
    -> Bool
  { left === right || left.encoded == right.encoded }

  public func hash(into hasher: inout Hasher) { hasher.combine(signature) }

  /// Reads one CertificateList, DER and nothing behind it.
  public init(derEncoded bytes: [UInt8]) throws {
    encoded = bytes
    var outer = try ElementReader(der: bytes[...], as: "CertificateList")
    let tbsNode = try outer.any("tbsCertList")
    let algorithm = try AlgorithmIdentifier(try outer.any("signatureAlgorithm"))
    signature = Array(try outer.bits("signatureValue").bytes)
    try outer.end()
    toBeSigned = tbsNode.encodedBytes

    var tbs = try ElementReader(tbsNode, as: "TBSCertList")
    if tbs.next?.identifier == .integer {
      guard try tbs.smallInteger("version") == 1 else { throw tbs.wrong("version", "not 2") }
    }
    guard try AlgorithmIdentifier(try tbs.any("signature")) == algorithm else {
      throw tbs.wrong("signature", "not the algorithm outside (RFC 5280 5.1.1.2)")
    }
    signatureAlgorithm = SignatureAlgorithm(algorithm)
    issuer = try DistinguishedName(try tbs.any("issuer"))
    thisUpdate = try ASN1Time.read(try tbs.any("thisUpdate"), "TBSCertList", "thisUpdate")
    if let node = tbs.optional(.utcTime) ?? tbs.optional(.generalizedTime) {
      nextUpdate = try ASN1Time.read(node, "TBSCertList", "nextUpdate")
    } else {
      nextUpdate = nil
    }
    var isUnknown = false
    var list: [Entry] = []
    if let revoked = tbs.optional(.sequence) {
      var entryIssuer = issuer
      guard case .constructed(let nodes) = revoked.content else {
        throw tbs.wrong("revokedCertificates", "not a list")
      }
      for node in nodes { list.append(try Self.entry(node, issuer: &entryIssuer, &isUnknown)) }
    }
    entries = list
    bySerial = Dictionary(grouping: list.indices, by: { list[$0].serialNumber })

    var number: [UInt8]?
    var deltaBase: [UInt8]?
    var point: IssuingDistributionPoint?
    var keyIdentifier: [UInt8]?
    if let node = try tbs.optional(explicit: 0, "crlExtensions") {
      for one in try CertificateExtension.list(node, "TBSCertList") {
        let value = try ASN1Node.parse(der: one.value[...], as: "Extension")
        switch one.identifier {
        case OID.cRLNumber: number = try value.integer("CRLNumber", "value")
        case OID.deltaCRLIndicator: deltaBase = try value.integer("BaseCRLNumber", "value")
        case OID.issuingDistributionPoint: point = try IssuingDistributionPoint(value)
        case OID.authorityKeyIdentifier:
          var reader = try ElementReader(value, as: "AuthorityKeyIdentifier")
          keyIdentifier = try reader.optional(context: 0).map {
            Array(try $0.octets("AuthorityKeyIdentifier", "keyIdentifier", tag: $0.identifier))
          }
        // Says where deltas are found; whoever validates is given the deltas.
        case OID.freshestCRL, OID.issuerAltName: break
        default: if one.isCritical { isUnknown = true }
        }
      }
    }
    try tbs.end()
    self.number = number
    self.deltaBase = deltaBase
    issuingDistributionPoint = point
    authorityKeyIdentifier = keyIdentifier
    hasUnknownCriticalExtension = isUnknown
  }

  private static func entry(
    _ node: ASN1Node, issuer: inout DistinguishedName, _ isUnknown: inout Bool
  ) throws -> Entry {
    var reader = try ElementReader(node, as: "revokedCertificate")
    let serial = try reader.integer("userCertificate")
    let date = try ASN1Time.read(try reader.any("revocationDate"), reader.structure, "date")
    var reason = RevocationReason.unspecified
    var invalidSince: Timestamp?
    if let extensions = reader.optional(.sequence) {
      for one in try CertificateExtension.list(extensions, "revokedCertificate") {
        let value = try ASN1Node.parse(der: one.value[...], as: "Extension")
        switch one.identifier {
        case OID.reasonCode:
          reason =
            RevocationReason(
              rawValue: try value.smallInteger("CRLReason", "value", tag: .enumerated))
            ?? .unspecified
        case OID.invalidityDate:
          invalidSince = try ASN1Time.read(value, "InvalidityDate", "value")
        case OID.certificateIssuer:
          // Holds for the following entries too (RFC 5280 5.3.3).
          for case .directoryName(let name) in try GeneralName.list(
            value, "CertificateIssuer", "names")
          { issuer = name }
        default: if one.isCritical { isUnknown = true }
        }
      }
    }
    try reader.end()
    return Entry(
      serialNumber: serial, revokedAt: date, reason: reason, invalidSince: invalidSince,
      issuer: issuer)
  }

  /// Reads PEM, `-----BEGIN X509 CRL-----`.
  public convenience init(pemEncoded text: String) throws {
    let blocks = try PEMBlock.list(text)
    guard let block = blocks.first(where: { $0.label == "X509 CRL" }) else {
      throw KeyError.wrongPEM(expected: "X509 CRL", found: blocks.first?.label ?? "nothing")
    }
    try self.init(derEncoded: block.bytes)
  }

  /// The PEM form.
  public var pem: String { PEMBlock.encode("X509 CRL", encoded) }

  /// The entry about a certificate, the last one where there are several.
  public func entry(for certificate: Certificate) -> Entry? {
    bySerial[certificate.serialNumber]?.reversed().lazy.map { self.entries[$0] }.first {
      $0.issuer == certificate.issuer
    }
  }

  /// Whether `key` made the signature on this list.
  public func isSigned(by key: PublicKey) -> Bool {
    guard let signatureAlgorithm else { return false }
    return key.isValidSignature(signature, for: toBeSigned, algorithm: signatureAlgorithm)
  }
}
