public import SwiftASN1

/// GeneralName (RFC 5280 4.2.1.6).
public enum GeneralName: Hashable, Sendable {
  case otherName(ASN1ObjectIdentifier, value: [UInt8])
  case rfc822Name(String)
  case dNSName(String)
  case x400Address([UInt8])
  case directoryName(DistinguishedName)
  case ediPartyName([UInt8])
  case uniformResourceIdentifier(String)
  /// 4 or 16 octets; with a mask behind them in name constraints.
  case iPAddress([UInt8])
  case registeredID(ASN1ObjectIdentifier)

  init(_ node: ASN1Node) throws(MalformedStructure) {
    let name = "GeneralName"
    guard node.identifier.tagClass == .contextSpecific else {
      throw MalformedStructure(name, "tag", "not a context tag")
    }
    func text(_ field: String) throws(MalformedStructure) -> String {
      let octets = try node.octets(name, field, tag: node.identifier)
      guard octets.allSatisfy({ $0 < 0x80 && $0 != 0 }) else {
        throw MalformedStructure(name, field, "not an IA5String")
      }
      return String(decoding: octets, as: UTF8.self)
    }
    switch node.identifier.tagNumber {
    case 0:
      var reader = try ElementReader(node, as: "OtherName", tag: node.identifier)
      self = .otherName(
        try reader.objectIdentifier("type-id"),
        value: Array(try reader.optional(explicit: 0, "value")?.encodedBytes ?? []))
    case 1: self = .rfc822Name(try text("rfc822Name"))
    case 2: self = .dNSName(try text("dNSName"))
    case 3: self = .x400Address(Array(node.encodedBytes))
    case 4: self = .directoryName(try DistinguishedName(node.onlyChild(name, "directoryName")))
    case 5: self = .ediPartyName(Array(node.encodedBytes))
    case 6: self = .uniformResourceIdentifier(try text("uniformResourceIdentifier"))
    case 7: self = .iPAddress(Array(try node.octets(name, "iPAddress", tag: node.identifier)))
    case 8:
      self = .registeredID(
        try node.objectIdentifier(name, "registeredID", tag: node.identifier))
    default: throw MalformedStructure(name, "tag", "no name has the number \(node.identifier)")
    }
  }

  /// GeneralNames, under its own tag or an implicit one.
  static func list(_ node: ASN1Node, _ structure: String, _ field: String)
    throws(MalformedStructure) -> [GeneralName]
  {
    var names: [GeneralName] = []
    for element in try node.children(structure, field) { names.append(try GeneralName(element)) }
    guard !names.isEmpty else { throw MalformedStructure(structure, field, "no name in it") }
    return names
  }

  func write(_ coder: inout DER.Serializer) {
    switch self {
    case .otherName(let type, let value):
      coder.context(0) {
        $0.objectIdentifier(type)
        $0.context(0) { $0.raw(value) }
      }
    case .rfc822Name(let text): coder.context(1, primitive: text.utf8)
    case .dNSName(let text): coder.context(2, primitive: text.utf8)
    case .x400Address(let encoded), .ediPartyName(let encoded): coder.raw(encoded)
    case .directoryName(let name): coder.context(4) { $0.raw(name.encoded) }
    case .uniformResourceIdentifier(let text): coder.context(6, primitive: text.utf8)
    case .iPAddress(let octets): coder.context(7, primitive: octets)
    case .registeredID(let identifier):
      // Proof: the serializing of an OBJECT IDENTIFIER only appends the octets it holds.
      try! identifier.serialize(
        into: &coder, withIdentifier: ASN1Identifier(tagWithNumber: 8, tagClass: .contextSpecific))
    }
  }
}
