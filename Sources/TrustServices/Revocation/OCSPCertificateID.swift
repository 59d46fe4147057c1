import SwiftASN1

/// CertID (RFC 6960 4.1.1): a certificate named by its issuer's name, key and its serial number.
public struct OCSPCertificateID: Hashable, Sendable {
  public let hashAlgorithm: HashAlgorithm
  public let issuerNameHash: [UInt8]
  public let issuerKeyHash: [UInt8]
  public let serialNumber: [UInt8]

  /// Names `certificate`; SHA-1 is what every responder knows (RFC 5019 2.1.1), and no collision
  /// helps anybody here.
  public init(
    _ certificate: Certificate, issuerKey: PublicKey, hashAlgorithm: HashAlgorithm = .sha1
  ) {
    self.init(
      serialNumber: certificate.serialNumber, issuerName: certificate.issuer, issuerKey: issuerKey,
      hashAlgorithm: hashAlgorithm)
  }

  /// Names the certificate of a serial number.
  public init(
    serialNumber: [UInt8], issuerName: DistinguishedName, issuerKey: PublicKey,
    hashAlgorithm: HashAlgorithm
  ) {
    self.hashAlgorithm = hashAlgorithm
    issuerNameHash = hashAlgorithm.hash(issuerName.encoded)
    issuerKeyHash = hashAlgorithm.hash(issuerKey.keyOctets)
    self.serialNumber = serialNumber
  }

  init(_ node: ASN1Node) throws(MalformedStructure) {
    var reader = try ElementReader(node, as: "CertID")
    let algorithm = try AlgorithmIdentifier(try reader.any("hashAlgorithm"))
    guard let known = HashAlgorithm(algorithm) else {
      throw reader.wrong("hashAlgorithm", "\(algorithm.algorithm) is not known here")
    }
    hashAlgorithm = known
    issuerNameHash = Array(try reader.octets("issuerNameHash"))
    issuerKeyHash = Array(try reader.octets("issuerKeyHash"))
    serialNumber = try reader.integer("serialNumber")
    try reader.end()
  }

  func write(_ coder: inout DER.Serializer) {
    coder.sequence {
      AlgorithmIdentifier(hashAlgorithm.identifier, parameters: AlgorithmIdentifier.null)
        .write(&$0)
      $0.octets(issuerNameHash)
      $0.octets(issuerKeyHash)
      $0.integer(octets: serialNumber)
    }
  }

  /// Whether the issuer of this name and key is the one that is meant.
  public func isIssued(by name: DistinguishedName, key: PublicKey) -> Bool {
    issuerNameHash == hashAlgorithm.hash(name.encoded)
      && issuerKeyHash == hashAlgorithm.hash(key.keyOctets)
  }
}
