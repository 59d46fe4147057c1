import SwiftASN1

/// MessageImprint (RFC 3161 2.4.1): the digest of what is stamped.
public struct MessageImprint: Hashable, Sendable {
  public let algorithm: AlgorithmIdentifier
  public let digest: [UInt8]

  /// The hash, where it is known here.
  public var hashAlgorithm: HashAlgorithm? { HashAlgorithm(algorithm) }

  /// The imprint of a digest.
  public init(_ algorithm: HashAlgorithm, digest: [UInt8]) {
    self.algorithm = algorithm.algorithmIdentifier
    self.digest = digest
  }

  /// The imprint of content.
  public init(_ algorithm: HashAlgorithm, of content: some Collection<UInt8>) {
    self.init(algorithm, digest: algorithm.hash(content))
  }

  init(_ node: ASN1Node) throws(MalformedStructure) {
    var reader = try ElementReader(node, as: "MessageImprint")
    algorithm = try AlgorithmIdentifier(try reader.any("hashAlgorithm"))
    digest = Array(try reader.octets("hashedMessage"))
    try reader.end()
  }

  func write(_ coder: inout DER.Serializer) {
    coder.sequence {
      algorithm.write(&$0)
      $0.octets(digest)
    }
  }

  /// Whether both are the same digest by the same hash, with NULL parameters or without.
  public func matches(_ other: MessageImprint) -> Bool {
    algorithm.algorithm == other.algorithm.algorithm && digest == other.digest
  }
}
