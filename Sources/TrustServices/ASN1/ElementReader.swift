import SwiftASN1

/// Reads the elements of one SEQUENCE or SET in order, naming structure and field when one is wrong.
///
/// It serves DER and BER alike and never insists on the order of a SET OF: tools in wide use write
/// certificates of a SignedData unsorted (`openssl ts -reply` is one).
struct ElementReader {
  let structure: String
  private var rest: ASN1NodeCollection.Iterator
  private var ahead: ASN1Node?

  init(_ node: ASN1Node, as structure: String, tag: ASN1Identifier = .sequence)
    throws(MalformedStructure)
  {
    self.structure = structure
    guard node.identifier == tag, case .constructed(let elements) = node.content else {
      throw MalformedStructure(structure, "tag", "expected \(tag), found \(node.identifier)")
    }
    rest = elements.makeIterator()
    ahead = rest.next()
  }

  /// Parses `bytes` as DER and opens the outermost SEQUENCE.
  init(der bytes: ArraySlice<UInt8>, as structure: String) throws(MalformedStructure) {
    try self.init(try ASN1Node.parse(der: bytes, as: structure), as: structure)
  }

  var isAtEnd: Bool { ahead == nil }
  var next: ASN1Node? { ahead }

  func wrong(_ field: String, _ reason: String) -> MalformedStructure {
    MalformedStructure(structure, field, reason)
  }

  mutating func any(_ field: String) throws(MalformedStructure) -> ASN1Node {
    guard let node = ahead else { throw wrong(field, "the structure ends before it") }
    ahead = rest.next()
    return node
  }

  mutating func expect(_ tag: ASN1Identifier, _ field: String) throws(MalformedStructure)
    -> ASN1Node
  {
    guard let node = optional(tag) else {
      throw wrong(field, "expected \(tag), found \(ahead.map { "\($0.identifier)" } ?? "the end")")
    }
    return node
  }

  mutating func optional(_ tag: ASN1Identifier) -> ASN1Node? {
    guard let node = ahead, node.identifier == tag else { return nil }
    ahead = rest.next()
    return node
  }

  mutating func optional(context number: UInt) -> ASN1Node? {
    optional(ASN1Identifier(tagWithNumber: number, tagClass: .contextSpecific))
  }

  /// The one element inside an explicit tag, or nil where the tag is absent.
  mutating func optional(explicit number: UInt, _ field: String) throws(MalformedStructure)
    -> ASN1Node?
  {
    guard let outer = optional(context: number) else { return nil }
    return try outer.onlyChild(structure, field)
  }

  mutating func objectIdentifier(_ field: String) throws(MalformedStructure)
    -> ASN1ObjectIdentifier
  {
    try any(field).objectIdentifier(structure, field)
  }

  /// The content octets of an INTEGER, two's complement, big end first.
  mutating func integer(_ field: String) throws(MalformedStructure) -> [UInt8] {
    try any(field).integer(structure, field)
  }

  mutating func smallInteger(_ field: String) throws(MalformedStructure) -> Int {
    try any(field).smallInteger(structure, field)
  }

  mutating func octets(_ field: String) throws(MalformedStructure) -> ArraySlice<UInt8> {
    try any(field).octets(structure, field)
  }

  mutating func bits(_ field: String) throws(MalformedStructure) -> (
    bytes: ArraySlice<UInt8>, unused: Int
  ) {
    try any(field).bits(structure, field)
  }

  mutating func boolean(_ field: String, default value: Bool) throws(MalformedStructure) -> Bool {
    guard let node = optional(.boolean) else { return value }
    return try node.boolean(structure, field)
  }

  /// Refuses elements nobody asked for.
  func end() throws(MalformedStructure) {
    if let ahead { throw wrong("end", "unexpected \(ahead.identifier) after the last field") }
  }
}
