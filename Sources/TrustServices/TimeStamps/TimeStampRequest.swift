public import SwiftASN1

/// TimeStampReq (RFC 3161 2.4.1).
public struct TimeStampRequest: Hashable, Sendable {
  public var imprint: MessageImprint
  /// The policy asked for; nil leaves the choice to the authority.
  public var policy: ASN1ObjectIdentifier?
  /// A number the answer repeats, big end first; 8 random octets are usual.
  public var nonce: [UInt8]?
  /// Whether the answer is to hold the unit's certificate.
  public var wantsCertificate: Bool
  public var extensions: [CertificateExtension]

  /// A request for a stamp over `imprint`, with a random nonce unless another is given.
  public init(
    _ imprint: MessageImprint, policy: ASN1ObjectIdentifier? = nil,
    nonce: [UInt8]? = TimeStampRequest.randomNonce(), wantsCertificate: Bool = true
  ) {
    self.imprint = imprint
    self.policy = policy
    self.nonce = nonce
    self.wantsCertificate = wantsCertificate
    extensions = []
  }

  /// 8 random octets, positive as an INTEGER.
  public static func randomNonce() -> [UInt8] {
    var octets = (0..<8).map { _ in UInt8.random(in: 0...255) }
    octets[0] = octets[0] & 0x7F | 0x40
    return octets
  }

  /// Reads the DER that came as `application/timestamp-query`.
  public init(derEncoded bytes: [UInt8]) throws(MalformedStructure) {
    let name = "TimeStampReq"
    var reader = try ElementReader(der: bytes[...], as: name)
    guard try reader.smallInteger("version") == 1 else { throw reader.wrong("version", "not 1") }
    imprint = try MessageImprint(try reader.any("messageImprint"))
    if let node = reader.optional(.objectIdentifier) {
      policy = try node.objectIdentifier(name, "reqPolicy")
    } else {
      policy = nil
    }
    if let node = reader.optional(.integer) {
      let octets = try node.integer(name, "nonce")
      // No client sends more than 16; the bound keeps the journal's records small.
      guard octets.count <= 64 else { throw reader.wrong("nonce", "more than 64 octets") }
      nonce = octets
    } else {
      nonce = nil
    }
    wantsCertificate = try reader.boolean("certReq", default: false)
    if let list = reader.optional(context: 0) {
      var found: [CertificateExtension] = []
      for element in try list.children(name, "extensions") {
        found.append(try CertificateExtension(element))
      }
      extensions = found
    } else {
      extensions = []
    }
    try reader.end()
  }

  /// The DER to be sent.
  public var encoded: [UInt8] {
    der { coder in
      coder.sequence { coder in
        coder.integer(1)
        imprint.write(&coder)
        if let policy { coder.objectIdentifier(policy) }
        if let nonce { coder.integer(octets: nonce) }
        if wantsCertificate { coder.boolean(true) }
        if !extensions.isEmpty { coder.context(0) { for one in extensions { one.write(&$0) } } }
      }
    }
  }
}
