public import NetworkTypes
public import SwiftASN1

/// One signer of a message to be made.
public struct SignerTemplate: Sendable {
  public var certificate: Certificate
  public var key: any SigningKey
  /// The key's preferred algorithm where nil.
  public var algorithm: SignatureAlgorithm?
  /// Names the certificate by key identifier instead of issuer and serial number.
  public var usesKeyIdentifier = false
  /// The signing-time attribute; nil leaves it out, as PAdES wants.
  public var signingTime: Timestamp?
  /// Whether signing-certificate-v2 fixes the certificate (CAdES, RFC 5816).
  public var fixesCertificate = true
  /// The hash of that attribute.
  public var certificateHash = HashAlgorithm.sha256
  public var otherSignedAttributes: [CMSAttribute] = []
  public var unsignedAttributes: [CMSAttribute] = []

  /// A signer with its certificate and key.
  public init(certificate: Certificate, key: any SigningKey) {
    self.certificate = certificate
    self.key = key
  }

  /// Signs content of a type, always through signed attributes (RFC 5652 5.4).
  func sign(_ content: SignedContent, type: ASN1ObjectIdentifier) throws -> SignerInfo {
    let algorithm = algorithm ?? key.preferredAlgorithm
    let hash = algorithm.hash
    let digest: [UInt8]
    switch content {
    case .bytes(let bytes): digest = hash.hash(bytes)
    case .digest(hash, let value): digest = value
    case .digest, .attached: throw CMSError.contentMissing
    }
    var attributes: [CMSAttribute] = [.contentType(type), .messageDigest(digest)]
    if let signingTime { attributes.append(.signingTime(signingTime)) }
    if fixesCertificate {
      attributes.append(
        SigningCertificateReference.attribute([
          SigningCertificateReference(certificate, hashAlgorithm: certificateHash)
        ]))
    }
    attributes += otherSignedAttributes
    let encoded = der { $0.setOf(attributes.map(\.encoded)) }
    return SignerInfo(
      identifier: usesKeyIdentifier
        ? .subjectKeyIdentifier(
          certificate.extensions.subjectKeyIdentifier ?? key.publicKey.keyIdentifier)
        : .issuerAndSerialNumber(certificate.issuer, certificate.serialNumber),
      digestAlgorithm: hash, signedAttributes: attributes, signedAttributesEncoded: encoded,
      signatureAlgorithm: algorithm.algorithmIdentifier,
      signature: try key.signature(for: encoded, algorithm: algorithm),
      unsignedAttributes: unsignedAttributes)
  }
}

extension SignedData {
  /// Signs `content` for every signer; the content goes into the message unless `isDetached`.
  ///
  /// The signers' certificates are added; `certificates` are those above them.
  public static func sign(
    _ content: SignedContent, type: ASN1ObjectIdentifier = OID.data, isDetached: Bool = false,
    signers: [SignerTemplate], certificates: [Certificate] = []
  ) throws -> SignedData {
    let infos = try signers.map { try $0.sign(content, type: type) }
    var kept: [UInt8]?
    if !isDetached {
      guard case .bytes(let bytes) = content else { throw CMSError.contentMissing }
      kept = bytes
    }
    var digests: [AlgorithmIdentifier] = []
    for info in infos where !digests.contains(info.digestAlgorithm) {
      digests.append(info.digestAlgorithm)
    }
    var message = SignedData(
      contentType: type, content: kept, signers: infos, digestAlgorithms: digests)
    for signer in signers { message.add(signer.certificate) }
    for certificate in certificates { message.add(certificate) }
    return message
  }
}
