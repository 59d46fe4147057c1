public import SwiftASN1

/// What a signature is checked against.
public enum SignedContent: Hashable, Sendable {
  /// What the message holds itself.
  case attached
  /// These octets.
  case bytes([UInt8])
  /// The digest of content too large to hold; serves signatures with signed attributes only.
  case digest(HashAlgorithm, [UInt8])
}

/// Why a signature does not stand.
public enum CMSError: Error, Hashable, Sendable, CustomStringConvertible {
  case contentMissing
  case certificateMissing
  case unsupportedAlgorithm(ASN1ObjectIdentifier)
  case unsupportedKey
  /// An attribute that has to be there once is missing or doubled.
  case attributeMissing(ASN1ObjectIdentifier)
  case contentTypeMismatch
  case digestMismatch
  case badSignature
  case signingCertificateMismatch
  case malformed(MalformedStructure)

  public var description: String {
    switch self {
    case .contentMissing: "The signed content is not in the message. Give the file it is about."
    case .certificateMissing: "The signer's certificate is not in the message. Supply it."
    case .unsupportedAlgorithm(let identifier):
      "The algorithm \(identifier) is not supported. Ask the signer for another."
    case .unsupportedKey: "The signer's key is of a kind that cannot be checked here."
    case .attributeMissing(let identifier):
      "The signed attribute \(identifier) is missing or doubled. Ask the signer to sign again."
    case .contentTypeMismatch:
      "The signature is about another type of content. Do not trust the message."
    case .digestMismatch:
      "The content is not what was signed. Check that the file is the right one and unchanged."
    case .badSignature: "The signature is wrong. Do not trust the message."
    case .signingCertificateMismatch:
      "The signer signed for another certificate than this. Do not trust the message."
    case .malformed(let structure): "\(structure)"
    }
  }
}

/// A signature that is mathematically right; whether to trust its certificate is another question.
public struct VerifiedSigner: Sendable {
  public let signer: SignerInfo
  public let certificate: Certificate
  public let algorithm: SignatureAlgorithm
  /// The hash of the content.
  public let digestAlgorithm: HashAlgorithm
  /// Whether the certificate is fixed by a signed attribute (ESS, RFC 5035).
  public let isCertificateSigned: Bool

  /// Why the signature is too weak by today's measure, such as SHA-1; nil where it is not.
  public var weakness: String? {
    if !digestAlgorithm.isCollisionResistant { return "content hashed with SHA-1" }
    return algorithm.hash.isCollisionResistant ? nil : "signed with \(algorithm)"
  }
}

extension SignedData {
  /// Verifies one signer's signature, with a certificate of the message or of `certificates`.
  ///
  /// The chain above the certificate is not looked at; see ``CertificateValidator``.
  public func verify(
    _ signer: SignerInfo, content: SignedContent = .attached,
    certificates others: [Certificate] = []
  ) throws(CMSError) -> VerifiedSigner {
    try Self.verify(
      signer, content: content == .attached ? self.content.map { .bytes($0) } : content,
      contentType: contentType, certificates: certificates + others)
  }

  /// Verifies a counter-signature over `signer`'s signature.
  public func verifyCounterSignature(
    _ counter: SignerInfo, over signer: SignerInfo, certificates others: [Certificate] = []
  ) throws(CMSError) -> VerifiedSigner {
    try Self.verify(
      counter, content: .bytes(signer.signature), contentType: nil,
      certificates: certificates + others)
  }

  private static func verify(
    _ signer: SignerInfo, content: SignedContent?, contentType: ASN1ObjectIdentifier?,
    certificates: [Certificate]
  ) throws(CMSError) -> VerifiedSigner {
    guard let hash = HashAlgorithm(signer.digestAlgorithm) else {
      throw .unsupportedAlgorithm(signer.digestAlgorithm.algorithm)
    }
    guard let stated = SignatureAlgorithm(signer.signatureAlgorithm, digest: hash) else {
      throw .unsupportedAlgorithm(signer.signatureAlgorithm.algorithm)
    }
    // RFC 5652 5.4 hashes what is signed with digestAlgorithm; where the signature algorithm names
    // another hash, some signers obey the one and some the other.
    let algorithms = stated.hash == hash ? [stated] : [stated, stated.with(hash)]
    let candidates = certificates.filter { signer.identifier.matches($0) }
    guard !candidates.isEmpty else { throw .certificateMissing }
    guard let content else { throw .contentMissing }

    let messages: [[UInt8]]
    if signer.signedAttributes != nil, let received = signer.signedAttributesEncoded {
      try checkAttributes(signer, content: content, contentType: contentType, hash: hash)
      // What was signed is DER, a sorted set; some signers signed the BER or the order they sent.
      let normal = signer.signedAttributesDER ?? received
      messages = normal == received ? [received] : [received, normal]
    } else {
      // Without signed attributes only plain data may be signed (RFC 5652 5.3).
      guard contentType == nil || contentType == OID.data else {
        throw .attributeMissing(OID.contentType)
      }
      guard case .bytes(let bytes) = content else { throw .contentMissing }
      // Somebody else's signed attributes, taken for content, would carry a valid signature.
      guard !isAttributeSet(bytes) else { throw .attributeMissing(OID.messageDigest) }
      messages = [bytes]
    }

    // Asked for only where the attributes as they came do not verify.
    var sorted: [UInt8]? { signer.signedAttributes == nil ? nil : signer.signedAttributesSorted }
    var failure = CMSError.badSignature
    for certificate in candidates {
      guard let key = certificate.publicKey else {
        failure = .unsupportedKey
        continue
      }
      let verifying = algorithms.first { algorithm in
        messages.contains {
          key.isValidSignature(signer.signature, for: $0, algorithm: algorithm)
        }
          || sorted.map {
            !messages.contains($0)
              && key.isValidSignature(signer.signature, for: $0, algorithm: algorithm)
          } ?? false
      }
      guard let algorithm = verifying else { continue }
      let references: [SigningCertificateReference]
      do { references = try signer.signingCertificates() } catch { throw .malformed(error) }
      if let own = references.first, !own.matches(certificate) {
        failure = .signingCertificateMismatch
        continue
      }
      return VerifiedSigner(
        signer: signer, certificate: certificate, algorithm: algorithm, digestAlgorithm: hash,
        isCertificateSigned: !references.isEmpty)
    }
    throw failure
  }

  private static func checkAttributes(
    _ signer: SignerInfo, content: SignedContent, contentType: ASN1ObjectIdentifier?,
    hash: HashAlgorithm
  ) throws(CMSError) {
    if let contentType {
      guard let attribute = signer.signedAttribute(OID.contentType) else {
        throw .attributeMissing(OID.contentType)
      }
      let stated = try reading { () throws(MalformedStructure) in
        try attribute.onlyValue("ContentType").objectIdentifier("ContentType", "value")
      }
      guard stated == contentType else { throw .contentTypeMismatch }
    }
    guard let attribute = signer.signedAttribute(OID.messageDigest) else {
      throw .attributeMissing(OID.messageDigest)
    }
    let stated = try reading { () throws(MalformedStructure) in
      try attribute.onlyValue("MessageDigest").octets("MessageDigest", "value")
    }
    let digest: [UInt8]
    switch content {
    case .bytes(let bytes): digest = hash.hash(bytes)
    case .digest(let algorithm, let value):
      guard algorithm == hash else { throw .contentMissing }
      digest = value
    case .attached: throw .contentMissing
    }
    guard digest.elementsEqual(stated) else { throw .digestMismatch }
  }

  /// Whether `bytes` are what a signature over signed attributes covers.
  private static func isAttributeSet(_ bytes: [UInt8]) -> Bool {
    guard bytes.first == 0x31, let node = try? ASN1Node.parse(ber: bytes[...], as: "Attributes"),
      let attributes = try? CMSAttribute.list(node, "signedAttrs")
    else { return false }
    return attributes.contains { $0.type == OID.messageDigest }
  }

  private static func reading<Value>(_ body: () throws(MalformedStructure) -> Value)
    throws(CMSError) -> Value
  {
    do { return try body() } catch { throw .malformed(error) }
  }
}
