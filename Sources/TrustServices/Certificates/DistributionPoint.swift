import SwiftASN1

/// ReasonFlags (RFC 5280 4.2.1.13): for which reasons a CRL lists certificates.
public struct ReasonFlags: OptionSet, Hashable, Sendable {
  public let rawValue: UInt32
  /// The bits by their number in the standard; bit 0 is unused.
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  /// Bits 1 to 8: every reason there is.
  public static let all = ReasonFlags(rawValue: 0x1FE)
}

/// DistributionPointName, relative names completed.
public enum DistributionPointName: Hashable, Sendable {
  case fullName([GeneralName])
  /// One RelativeDistinguishedName below the CRL issuer's name, as it was encoded.
  case nameRelativeToCRLIssuer([UInt8])

  init(_ node: ASN1Node) throws(MalformedStructure) {
    let inner = try node.onlyChild("DistributionPoint", "distributionPoint")
    switch (inner.identifier.tagClass, inner.identifier.tagNumber) {
    case (.contextSpecific, 0):
      self = .fullName(try GeneralName.list(inner, "DistributionPointName", "fullName"))
    case (.contextSpecific, 1):
      self = .nameRelativeToCRLIssuer(inner.distinguishedEncoding(tag: .set))
    default: throw MalformedStructure("DistributionPointName", "tag", "neither 0 nor 1")
    }
  }

  /// The full names, with a relative one put below `issuer`.
  func names(below issuer: DistinguishedName) -> [GeneralName] {
    switch self {
    case .fullName(let names): return names
    case .nameRelativeToCRLIssuer(let encoded):
      guard let set = try? ASN1Node.parse(der: encoded[...], as: "RelativeDistinguishedName"),
        let name = try? issuer.appending(relative: set)
      else { return [] }
      return [.directoryName(name)]
    }
  }
}

/// DistributionPoint (RFC 5280 4.2.1.13): where revocation of a certificate is published, by whom,
/// for which reasons.
public struct DistributionPoint: Hashable, Sendable {
  public let name: DistributionPointName?
  public let reasons: ReasonFlags?
  public let crlIssuer: [GeneralName]

  /// A point where the CA's own CRL is found.
  public init(uri: String) {
    name = .fullName([.uniformResourceIdentifier(uri)])
    reasons = nil
    crlIssuer = []
  }

  init(_ node: ASN1Node) throws(MalformedStructure) {
    var reader = try ElementReader(node, as: "DistributionPoint")
    if let tagged = reader.optional(context: 0) {
      name = try DistributionPointName(tagged)
    } else {
      name = nil
    }
    if let flags = reader.optional(context: 1) {
      reasons = ReasonFlags(
        rawValue: try flags.namedBits("DistributionPoint", "reasons", tag: flags.identifier))
    } else {
      reasons = nil
    }
    if let issuers = reader.optional(context: 2) {
      crlIssuer = try GeneralName.list(issuers, "DistributionPoint", "cRLIssuer")
    } else {
      crlIssuer = []
    }
    try reader.end()
  }

  static func list(_ node: ASN1Node) throws(MalformedStructure) -> [DistributionPoint] {
    var list: [DistributionPoint] = []
    for element in try node.children("CRLDistributionPoints", "points") {
      list.append(try DistributionPoint(element))
    }
    return list
  }

  static func write(_ points: [DistributionPoint], _ coder: inout DER.Serializer) {
    coder.sequence { coder in
      for point in points {
        coder.sequence { coder in
          guard case .fullName(let names)? = point.name else { return }
          coder.context(0) { $0.context(0) { for name in names { name.write(&$0) } } }
        }
      }
    }
  }
}
