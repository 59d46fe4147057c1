public import NetworkTypes
public import SwiftASN1

/// Attribute (RFC 5652 5.3): a type and the encodings of its values.
public struct CMSAttribute: Hashable, Sendable {
  public let type: ASN1ObjectIdentifier
  /// Each value's complete encoding.
  public let values: [[UInt8]]
  /// The attribute as it was read or will be written.
  public let encoded: [UInt8]

  /// An attribute with one value.
  public init(_ type: ASN1ObjectIdentifier, value: [UInt8]) { self.init(type, values: [value]) }

  /// An attribute with any number of values, put in DER's order.
  public init(_ type: ASN1ObjectIdentifier, values: [[UInt8]]) {
    self.type = type
    self.values = values
    encoded = der {
      $0.sequence {
        $0.objectIdentifier(type)
        $0.setOf(values)
      }
    }
  }

  init(_ node: ASN1Node) throws(MalformedStructure) {
    var reader = try ElementReader(node, as: "Attribute")
    type = try reader.objectIdentifier("attrType")
    let set = try reader.expect(.set, "attrValues")
    values = try set.children("Attribute", "attrValues").map { Array($0.encodedBytes) }
    try reader.end()
    encoded = Array(node.encodedBytes)
  }

  static func list(_ node: ASN1Node, _ field: String) throws(MalformedStructure) -> [CMSAttribute] {
    var list: [CMSAttribute] = []
    for element in try node.children("SignerInfo", field) { list.append(try CMSAttribute(element)) }
    return list
  }

  /// The attribute in DER lengths.
  var distinguishedEncoding: [UInt8] {
    (try? ASN1Node.parse(ber: encoded[...], as: "Attribute").distinguishedEncoding()) ?? encoded
  }

  /// The only value, parsed.
  func onlyValue(_ name: String) throws(MalformedStructure) -> ASN1Node {
    guard values.count == 1 else {
      throw MalformedStructure(name, "attrValues", "\(values.count) values instead of one")
    }
    return try ASN1Node.parse(ber: values[0][...], as: name)
  }

  /// content-type (RFC 5652 11.1).
  public static func contentType(_ type: ASN1ObjectIdentifier) -> CMSAttribute {
    CMSAttribute(OID.contentType, value: der { $0.objectIdentifier(type) })
  }

  /// message-digest (RFC 5652 11.2).
  public static func messageDigest(_ digest: [UInt8]) -> CMSAttribute {
    CMSAttribute(OID.messageDigest, value: der { $0.octets(digest) })
  }

  /// signing-time (RFC 5652 11.3): what the signer claims, which nothing proves.
  public static func signingTime(_ moment: Timestamp) -> CMSAttribute {
    CMSAttribute(OID.signingTime, value: der { $0.time(moment) })
  }
}
