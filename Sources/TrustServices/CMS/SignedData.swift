public import SwiftASN1

/// SignedData in its ContentInfo (RFC 5652 3, 5).
///
/// Reads BER with sets in any order, writes DER. What was signed is kept octet for octet, so that
/// certificates, revocation data and unsigned attributes can be added to somebody else's signature.
public struct SignedData: Hashable, Sendable {
  public let version: Int
  public let digestAlgorithms: [AlgorithmIdentifier]
  public let contentType: ASN1ObjectIdentifier
  /// nil where the content is kept elsewhere ("detached").
  public var content: [UInt8]?
  /// Every CertificateChoices as it was encoded, in the order of the message.
  public private(set) var certificateEncodings: [[UInt8]] = []
  /// Those that are X.509 certificates and can be read.
  public private(set) var certificates: [Certificate] = []
  /// Every RevocationInfoChoice as it was encoded, in the order of the message.
  public private(set) var revocationEncodings: [[UInt8]] = []
  /// Those that are CRLs and can be read.
  public private(set) var crls: [CertificateRevocationList] = []
  /// Those that are OCSP answers (RFC 5940) and can be read.
  public private(set) var ocspResponses: [OCSPResponse] = []
  public var signers: [SignerInfo]

  /// A SignedData without certificates yet.
  init(
    contentType: ASN1ObjectIdentifier, content: [UInt8]?, signers: [SignerInfo],
    digestAlgorithms: [AlgorithmIdentifier]
  ) {
    version = 0
    self.contentType = contentType
    self.content = content
    self.signers = signers
    self.digestAlgorithms = digestAlgorithms
  }

  /// Reads a ContentInfo that holds SignedData, BER or DER, nothing behind it.
  public init(encoded bytes: [UInt8]) throws {
    try self.init(try ASN1Node.parse(ber: bytes[...], as: "ContentInfo"))
  }

  /// Reads one that is followed by zero octets, as in a PDF's Contents.
  public init(padded bytes: [UInt8]) throws {
    // A definite length says where the message ends.
    if let first = Self.definiteLength(bytes), first <= bytes.count,
      bytes[first...].allSatisfy({ $0 == 0 })
    {
      try self.init(try ASN1Node.parse(ber: bytes[..<first], as: "ContentInfo"))
      return
    }
    let trimmed = bytes.count - (bytes.lastIndex { $0 != 0 }.map { $0 + 1 } ?? 0)
    let end = bytes.count - trimmed
    // Of the zero octets some end the indefinite lengths, two for each level.
    for kept in 0...min(trimmed, 64) {
      if let node = try? ASN1Node.parse(ber: bytes[..<(end + kept)], as: "ContentInfo") {
        try self.init(node)
        return
      }
    }
    throw MalformedStructure("ContentInfo", "encoding", "neither BER nor padded BER")
  }

  /// The octets that the outermost element takes, nil for an indefinite or unreadable length.
  private static func definiteLength(_ bytes: [UInt8]) -> Int? {
    guard bytes.count > 2 else { return nil }
    let first = Int(bytes[1])
    if first < 0x80 { return 2 + first }
    let count = first & 0x7F
    guard count > 0, count <= 4, bytes.count > 2 + count else { return nil }
    return 2 + count + bytes[2..<2 + count].reduce(0) { $0 << 8 | Int($1) }
  }

  init(_ node: ASN1Node) throws {
    var info = try ElementReader(node, as: "ContentInfo")
    guard try info.objectIdentifier("contentType") == OID.signedData else {
      throw info.wrong("contentType", "not id-signedData")
    }
    guard let body = try info.optional(explicit: 0, "content") else {
      throw info.wrong("content", "missing")
    }
    try info.end()
    var reader = try ElementReader(body, as: "SignedData")
    version = try reader.smallInteger("version")
    digestAlgorithms = try reader.expect(.set, "digestAlgorithms")
      .children("SignedData", "digestAlgorithms").map { try AlgorithmIdentifier($0) }
    var inner = try ElementReader(
      try reader.any("encapContentInfo"), as: "EncapsulatedContentInfo")
    contentType = try inner.objectIdentifier("eContentType")
    content = try inner.optional(explicit: 0, "eContent").map {
      Array(try $0.octets("EncapsulatedContentInfo", "eContent"))
    }
    try inner.end()
    signers = []
    if let set = reader.optional(context: 0) {
      for element in try set.children("SignedData", "certificates") {
        add(certificateEncoding: Array(element.encodedBytes))
      }
    }
    if let set = reader.optional(context: 1) {
      for element in try set.children("SignedData", "crls") {
        add(revocationEncoding: Array(element.encodedBytes))
      }
    }
    signers = try reader.expect(.set, "signerInfos").children("SignedData", "signerInfos").map {
      try SignerInfo($0)
    }
    try reader.end()
  }

  private mutating func add(certificateEncoding bytes: [UInt8]) {
    guard !certificateEncodings.contains(bytes) else { return }
    certificateEncodings.append(bytes)
    // One that cannot be read cannot verify anything; it stays in the message.
    if bytes.first == 0x30, let certificate = try? CertificateMemory.shared.certificate(bytes) {
      certificates.append(certificate)
    }
  }

  private mutating func add(revocationEncoding bytes: [UInt8]) {
    guard !revocationEncodings.contains(bytes) else { return }
    revocationEncodings.append(bytes)
    if bytes.first == 0x30 {
      if let crl = try? CertificateRevocationList(derEncoded: bytes) { crls.append(crl) }
    } else if let response = try? Self.ocspResponse(bytes) {
      ocspResponses.append(response)
    }
  }

  /// OtherRevocationInfoFormat with id-ri-ocsp-response (RFC 5940).
  static func ocspResponse(_ bytes: [UInt8]) throws -> OCSPResponse? {
    let node = try ASN1Node.parse(ber: bytes[...], as: "OtherRevocationInfoFormat")
    var reader = try ElementReader(
      node, as: "OtherRevocationInfoFormat",
      tag: ASN1Identifier(tagWithNumber: 1, tagClass: .contextSpecific))
    guard try reader.objectIdentifier("otherRevInfoFormat") == OID.ocspResponseInfo else {
      return nil
    }
    return try OCSPResponse(derEncoded: Array(try reader.any("otherRevInfo").encodedBytes))
  }

  /// Adds a certificate unless it is there.
  public mutating func add(_ certificate: Certificate) {
    guard !certificateEncodings.contains(certificate.encoded) else { return }
    certificateEncodings.append(certificate.encoded)
    certificates.append(certificate)
  }

  /// Adds a CRL unless it is there.
  public mutating func add(_ crl: CertificateRevocationList) {
    guard !revocationEncodings.contains(crl.encoded) else { return }
    revocationEncodings.append(crl.encoded)
    crls.append(crl)
  }

  /// Adds an OCSP answer unless it is there (RFC 5940).
  public mutating func add(_ response: OCSPResponse) {
    add(
      revocationEncoding: der {
        $0.context(1) {
          $0.objectIdentifier(OID.ocspResponseInfo)
          $0.raw(response.encoded)
        }
      })
  }

  /// The version that the contents ask for (RFC 5652 5.1).
  private var neededVersion: Int {
    if certificateEncodings.contains(where: { $0.first == 0xA3 })
      || revocationEncodings.contains(where: { $0.first == 0xA1 })
    {
      return 5
    }
    if certificateEncodings.contains(where: { $0.first == 0xA2 }) { return 4 }
    let isThree =
      contentType != OID.data || certificateEncodings.contains { $0.first == 0xA1 }
      || signers.contains { $0.version == 3 }
    return isThree ? 3 : 1
  }

  /// The ContentInfo, DER.
  public var encoded: [UInt8] {
    der { coder in
      coder.sequence { coder in
        coder.objectIdentifier(OID.signedData)
        coder.context(0) { coder in
          coder.sequence { coder in
            coder.integer(max(version, neededVersion))
            coder.setOf(digestAlgorithms.map(\.encoded))
            coder.sequence { coder in
              coder.objectIdentifier(contentType)
              if let content { coder.context(0) { $0.octets(content) } }
            }
            func tag(_ number: UInt) -> ASN1Identifier {
              ASN1Identifier(tagWithNumber: number, tagClass: .contextSpecific)
            }
            if !certificateEncodings.isEmpty { coder.setOf(certificateEncodings, tag: tag(0)) }
            if !revocationEncodings.isEmpty { coder.setOf(revocationEncodings, tag: tag(1)) }
            coder.setOf(signers.map(\.encoded))
          }
        }
      }
    }
  }
}
