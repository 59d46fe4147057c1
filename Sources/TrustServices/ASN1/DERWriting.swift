import NetworkTypes
import SwiftASN1

/// Runs `body` on a fresh serializer and gives back what it wrote.
func der(_ body: (inout DER.Serializer) throws -> Void) rethrows -> [UInt8] {
  var coder = DER.Serializer()
  try body(&coder)
  return coder.serializedBytes
}

/// The handful of encodings that the structures here are made of, strictly DER.
extension DER.Serializer {
  mutating func sequence(_ body: (inout DER.Serializer) throws -> Void) rethrows {
    try appendConstructedNode(identifier: .sequence, body)
  }

  /// A constructed context tag: EXPLICIT, or IMPLICIT over a SEQUENCE or SET.
  mutating func context(_ number: UInt, _ body: (inout DER.Serializer) throws -> Void) rethrows {
    try appendConstructedNode(
      identifier: ASN1Identifier(tagWithNumber: number, tagClass: .contextSpecific), body)
  }

  /// A primitive context tag: IMPLICIT over a primitive type.
  mutating func context(_ number: UInt, primitive content: some Sequence<UInt8>) {
    appendPrimitiveNode(
      identifier: ASN1Identifier(tagWithNumber: number, tagClass: .contextSpecific)
    ) { $0.append(contentsOf: content) }
  }

  mutating func raw(_ encoded: some Sequence<UInt8>) { serializeRawBytes(encoded) }

  mutating func objectIdentifier(_ value: ASN1ObjectIdentifier) {
    // Proof: the serializing of an OBJECT IDENTIFIER only appends the octets it holds.
    try! serialize(value)
  }

  mutating func null() { appendPrimitiveNode(identifier: .null) { _ in } }

  mutating func boolean(_ value: Bool) {
    appendPrimitiveNode(identifier: .boolean) { $0.append(value ? 0xFF : 0) }
  }

  /// An INTEGER from its two's complement octets, shortened to the least number of them.
  mutating func integer(octets: some Collection<UInt8>, tag: ASN1Identifier = .integer) {
    var content = Array(octets)[...]
    while content.count > 1, let first = content.first,
      let second = content.dropFirst().first,
      (first == 0 && second & 0x80 == 0) || (first == 0xFF && second & 0x80 != 0)
    {
      content = content.dropFirst()
    }
    appendPrimitiveNode(identifier: tag) {
      $0.append(contentsOf: content.isEmpty ? [0] : content)
    }
  }

  mutating func integer(_ value: Int, tag: ASN1Identifier = .integer) {
    integer(octets: (0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - $0 * 8)) }, tag: tag)
  }

  mutating func octets(_ content: some Sequence<UInt8>) {
    appendPrimitiveNode(identifier: .octetString) { $0.append(contentsOf: content) }
  }

  mutating func bits(_ content: some Sequence<UInt8>, unused: UInt8 = 0) {
    appendPrimitiveNode(identifier: .bitString) {
      $0.append(unused)
      $0.append(contentsOf: content)
    }
  }

  /// Named bits, without trailing zero bits as DER wants (X.690 11.2.2).
  mutating func namedBits(_ set: UInt32, tag: ASN1Identifier = .bitString) {
    let count = 32 - set.leadingZeroBitCount
    var bytes = [UInt8](repeating: 0, count: (count + 7) / 8)
    for bit in 0..<count where set & (1 << UInt32(bit)) != 0 {
      bytes[bit / 8] |= 0x80 >> UInt8(bit % 8)
    }
    appendPrimitiveNode(identifier: tag) {
      $0.append(UInt8(bytes.count * 8 - count))
      $0.append(contentsOf: bytes)
    }
  }

  mutating func string(_ text: String, _ tag: ASN1Identifier) {
    appendPrimitiveNode(identifier: tag) { $0.append(contentsOf: text.utf8) }
  }

  /// A SET OF already encoded elements, in DER's order (X.690 11.6).
  mutating func setOf(_ elements: [[UInt8]], tag: ASN1Identifier = .set) {
    let sorted =
      elements.count < 2 ? elements : elements.sorted { $0.lexicographicallyPrecedes($1) }
    appendConstructedNode(identifier: tag) { for element in sorted { $0.raw(element) } }
  }
}
