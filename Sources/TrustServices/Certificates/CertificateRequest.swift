import SwiftASN1

/// CertificationRequest (RFC 2986): what somebody asks a CA to certify, proving to hold the key.
public struct CertificateRequest: Hashable, Sendable {
  public let subject: DistinguishedName
  public let publicKey: PublicKey
  /// The extensions that are asked for (RFC 2985 5.4.2); the CA decides which it grants.
  public let requestedExtensions: CertificateExtensions
  public let encoded: [UInt8]

  /// Reads a request and verifies that its key signed it.
  public init(derEncoded bytes: [UInt8]) throws {
    let name = "CertificationRequest"
    encoded = bytes
    var outer = try ElementReader(der: bytes[...], as: name)
    let infoNode = try outer.any("certificationRequestInfo")
    let identifier = try AlgorithmIdentifier(try outer.any("signatureAlgorithm"))
    let signature = try outer.bits("signature").bytes
    try outer.end()
    var info = try ElementReader(infoNode, as: "CertificationRequestInfo")
    guard try info.smallInteger("version") == 0 else { throw info.wrong("version", "not 1") }
    subject = try DistinguishedName(try info.any("subject"))
    publicKey = try SubjectPublicKeyInfo(try info.any("subjectPKInfo")).key()
    var extensions: [CertificateExtension] = []
    if let attributes = info.optional(context: 0) {
      for element in try attributes.children(name, "attributes") {
        let attribute = try CMSAttribute(element)
        guard attribute.type == OID.extensionRequest else { continue }
        extensions = try CertificateExtension.list(attribute.onlyValue(name), name)
      }
    }
    try info.end()
    requestedExtensions = CertificateExtensions(extensions)
    guard let algorithm = SignatureAlgorithm(identifier),
      publicKey.isValidSignature(signature, for: infoNode.encodedBytes, algorithm: algorithm)
    else { throw outer.wrong("signature", "not made with the key that is to be certified") }
  }

  /// Reads PEM, `-----BEGIN CERTIFICATE REQUEST-----`.
  public init(pemEncoded text: String) throws {
    let blocks = try PEMBlock.list(text)
    guard let block = blocks.first(where: { $0.label.hasSuffix("CERTIFICATE REQUEST") }) else {
      throw KeyError.wrongPEM(
        expected: "CERTIFICATE REQUEST", found: blocks.first?.label ?? "nothing")
    }
    try self.init(derEncoded: block.bytes)
  }

  /// Asks for a certificate with some alternative names.
  public init(
    subject: DistinguishedName, key: any SigningKey, alternativeNames: [GeneralName] = [],
    algorithm: SignatureAlgorithm? = nil
  ) throws {
    let info = der { coder in
      coder.sequence { coder in
        coder.integer(0)
        coder.raw(subject.encoded)
        coder.raw(key.publicKey.subjectPublicKeyInfo)
        coder.context(0) { coder in
          guard !alternativeNames.isEmpty else { return }
          let names = CertificateExtension(
            OID.subjectAltName,
            value: der { $0.sequence { for name in alternativeNames { name.write(&$0) } } })
          coder.raw(
            CMSAttribute(OID.extensionRequest, value: der { $0.sequence { names.write(&$0) } })
              .encoded)
        }
      }
    }
    try self.init(
      derEncoded: SignedStructure.encode(
        info, key: key, algorithm: algorithm ?? key.preferredAlgorithm))
  }

  /// The PEM form.
  public var pem: String { PEMBlock.encode("CERTIFICATE REQUEST", encoded) }
}
