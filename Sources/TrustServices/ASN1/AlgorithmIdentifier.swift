public import SwiftASN1

/// AlgorithmIdentifier (RFC 5280 4.1.1.2): an algorithm's OID and its parameters as they were
/// encoded.
public struct AlgorithmIdentifier: Hashable, Sendable {
  public let algorithm: ASN1ObjectIdentifier
  /// The parameters' complete encoding; nil where absent.
  public let parameters: [UInt8]?

  /// An identifier with the parameters' encoding, none by default.
  public init(_ algorithm: ASN1ObjectIdentifier, parameters: [UInt8]? = nil) {
    self.algorithm = algorithm
    self.parameters = parameters
  }

  /// The encoding of NULL, which older algorithms carry as their parameters.
  static let null: [UInt8] = [5, 0]

  init(
    _ node: ASN1Node, as structure: String = "AlgorithmIdentifier", tag: ASN1Identifier = .sequence
  )
    throws(MalformedStructure)
  {
    var reader = try ElementReader(node, as: structure, tag: tag)
    algorithm = try reader.objectIdentifier("algorithm")
    parameters = reader.isAtEnd ? nil : Array(try reader.any("parameters").encodedBytes)
    try reader.end()
  }

  func write(_ coder: inout DER.Serializer, tag: ASN1Identifier = .sequence) {
    coder.appendConstructedNode(identifier: tag) {
      $0.objectIdentifier(algorithm)
      if let parameters { $0.raw(parameters) }
    }
  }

  var encoded: [UInt8] { der { write(&$0) } }
}
