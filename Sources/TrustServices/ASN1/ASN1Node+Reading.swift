import SwiftASN1

/// Primitive values of one element, whether DER or BER.
extension ASN1Node {
  static func parse(der bytes: ArraySlice<UInt8>, as structure: String) throws(MalformedStructure)
    -> ASN1Node
  {
    do { return try DER.parse(bytes) } catch {
      throw MalformedStructure(structure, "encoding", "it is not DER (\(error))")
    }
  }

  static func parse(ber bytes: ArraySlice<UInt8>, as structure: String) throws(MalformedStructure)
    -> ASN1Node
  {
    do { return try BER.parse(bytes) } catch {
      throw MalformedStructure(structure, "encoding", "it is not BER (\(error))")
    }
  }

  private func primitive(_ tag: ASN1Identifier?, _ structure: String, _ field: String)
    throws(MalformedStructure) -> ArraySlice<UInt8>
  {
    guard tag == nil || identifier == tag, case .primitive(let content) = content else {
      throw MalformedStructure(
        structure, field, "expected \(tag.map { "\($0)" } ?? "a primitive"), found \(identifier)")
    }
    return content
  }

  /// The elements of a constructed value, whatever its tag.
  func children(_ structure: String, _ field: String) throws(MalformedStructure) -> [ASN1Node] {
    guard case .constructed(let elements) = content else {
      throw MalformedStructure(structure, field, "expected a list, found \(identifier)")
    }
    return Array(elements)
  }

  func onlyChild(_ structure: String, _ field: String) throws(MalformedStructure) -> ASN1Node {
    let inner = try children(structure, field)
    guard inner.count == 1 else {
      throw MalformedStructure(structure, field, "an explicit tag holds \(inner.count) elements")
    }
    return inner[0]
  }

  func objectIdentifier(
    _ structure: String, _ field: String, tag: ASN1Identifier = .objectIdentifier
  )
    throws(MalformedStructure) -> ASN1ObjectIdentifier
  {
    do { return try ASN1ObjectIdentifier(derEncoded: self, withIdentifier: tag) } catch {
      throw MalformedStructure(structure, field, "not an OBJECT IDENTIFIER (\(error))")
    }
  }

  func integer(_ structure: String, _ field: String, tag: ASN1Identifier = .integer)
    throws(MalformedStructure) -> [UInt8]
  {
    let content = try primitive(tag, structure, field)
    guard !content.isEmpty else { throw MalformedStructure(structure, field, "an empty INTEGER") }
    return Array(content)
  }

  /// An INTEGER or ENUMERATED that fits in 32 bits; anything in this project that is larger is kept
  /// as octets.
  func smallInteger(_ structure: String, _ field: String, tag: ASN1Identifier = .integer)
    throws(MalformedStructure) -> Int
  {
    let content = try integer(structure, field, tag: tag)
    guard content.count <= 4 else {
      throw MalformedStructure(structure, field, "a number of \(content.count) octets")
    }
    var value: Int32 = content[0] & 0x80 == 0 ? 0 : -1
    for byte in content { value = value << 8 | Int32(byte) }
    return Int(value)
  }

  /// An OCTET STRING; BER's constructed form is joined.
  func octets(_ structure: String, _ field: String, tag: ASN1Identifier = .octetString)
    throws(MalformedStructure) -> ArraySlice<UInt8>
  {
    do { return try ASN1OctetString(berEncoded: self, withIdentifier: tag).bytes } catch {
      throw MalformedStructure(structure, field, "not an OCTET STRING (\(error))")
    }
  }

  func bits(_ structure: String, _ field: String, tag: ASN1Identifier = .bitString)
    throws(MalformedStructure) -> (bytes: ArraySlice<UInt8>, unused: Int)
  {
    let content = try primitive(tag, structure, field)
    guard let unused = content.first, unused <= 7, unused == 0 || content.count > 1 else {
      throw MalformedStructure(structure, field, "a BIT STRING with a wrong count of unused bits")
    }
    return (content.dropFirst(), Int(unused))
  }

  /// A BIT STRING of named bits as a set in which the first bit is 1 << 0 (X.680 22);
  /// bits from 32 on are left out.
  func namedBits(_ structure: String, _ field: String, tag: ASN1Identifier = .bitString)
    throws(MalformedStructure) -> UInt32
  {
    let (bytes, unused) = try bits(structure, field, tag: tag)
    var set: UInt32 = 0
    for (index, byte) in bytes.prefix(4).enumerated() {
      for bit in 0..<8 where byte & (0x80 >> UInt8(bit)) != 0 {
        let isLast = index == bytes.count - 1
        if isLast && bit >= 8 - unused { continue }
        set |= 1 << UInt32(index * 8 + bit)
      }
    }
    return set
  }

  func boolean(_ structure: String, _ field: String, tag: ASN1Identifier = .boolean)
    throws(MalformedStructure) -> Bool
  {
    let content = try primitive(tag, structure, field)
    guard content.count == 1, let octet = content.first else {
      throw MalformedStructure(structure, field, "a BOOLEAN of \(content.count) octets")
    }
    return octet != 0
  }

  /// The text of any ASN.1 string type that names use, or nil where the octets are not that type's.
  var text: String? {
    guard case .primitive(let content) = content else { return nil }
    let octets = Array(content)
    switch identifier {
    case .utf8String: return String(validating: octets, as: UTF8.self)
    case .printableString, .ia5String, .numericString, .visibleString:
      return octets.allSatisfy { $0 < 0x80 } ? String(decoding: octets, as: UTF8.self) : nil
    // T.61 is read as Latin-1, as every implementation does.
    case .teletexString:
      var text = String.UnicodeScalarView()
      for octet in octets { text.append(Unicode.Scalar(octet)) }
      return String(text)
    case .bmpString:
      guard octets.count % 2 == 0 else { return nil }
      let units = stride(from: 0, to: octets.count, by: 2).map {
        UInt16(octets[$0]) << 8 | UInt16(octets[$0 + 1])
      }
      return String(validating: units, as: UTF16.self)
    case .universalString:
      guard octets.count % 4 == 0 else { return nil }
      let units = stride(from: 0, to: octets.count, by: 4).map { start in
        octets[start..<start + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      }
      return String(validating: units, as: UTF32.self)
    default: return nil
    }
  }

  /// The same value in DER lengths: what a signature over a BER structure was computed on.
  func distinguishedEncoding(tag: ASN1Identifier? = nil) -> [UInt8] {
    var coder = DER.Serializer()
    guard let tag, case .constructed(let elements) = content else {
      coder.serialize(self)
      return coder.serializedBytes
    }
    coder.appendConstructedNode(identifier: tag) {
      for element in elements { $0.serialize(element) }
    }
    return coder.serializedBytes
  }
}
