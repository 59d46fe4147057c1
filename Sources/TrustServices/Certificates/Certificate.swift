public import NetworkTypes
import SwiftASN1
import Synchronization

/// An X.509 certificate (RFC 5280 4.1), kept with the octets it was read from.
///
/// Read once and never changed; a reference, so that pools, paths and reports share one copy.
public final class Certificate: Hashable, Sendable {
  /// The complete DER.
  public let encoded: [UInt8]
  /// The TBSCertificate: what the issuer signed.
  let toBeSigned: ArraySlice<UInt8>
  /// 1, 2 or 3.
  public let version: Int
  /// The content octets of the INTEGER, which may be negative in faulty certificates.
  public let serialNumber: [UInt8]
  public let issuer: DistinguishedName
  public let subject: DistinguishedName
  public let notBefore: Timestamp
  /// The last second of validity; ``Timestamp/distantFuture`` for 9999-12-31.
  public let notAfter: Timestamp
  /// The key; nil where its algorithm is not verified here or its parameters are inherited.
  public let publicKey: PublicKey?
  public let extensions: CertificateExtensions
  /// How the issuer signed.
  public let signatureAlgorithmIdentifier: AlgorithmIdentifier
  /// The same, understood; nil for an algorithm that is not verified here.
  public let signatureAlgorithm: SignatureAlgorithm?
  let subjectPublicKeyInfo: SubjectPublicKeyInfo
  let signature: [UInt8]
  /// The key that was last found to have made the signature, which stays true.
  private let verifyingKey = Mutex<PublicKey?>(nil)

  public static func == (left: Certificate, right: Certificate) -> Bool {
    left === right || left.encoded == right.encoded
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(serialNumber)
    hasher.combine(signature)
  }

  /// Reads one certificate, DER and nothing behind it.
  public init(derEncoded bytes: [UInt8]) throws {
    let name = "Certificate"
    encoded = bytes
    var outer = try ElementReader(der: bytes[...], as: name)
    let tbsNode = try outer.any("tbsCertificate")
    signatureAlgorithmIdentifier = try AlgorithmIdentifier(try outer.any("signatureAlgorithm"))
    signature = Array(try outer.bits("signatureValue").bytes)
    try outer.end()
    toBeSigned = tbsNode.encodedBytes

    var tbs = try ElementReader(tbsNode, as: "TBSCertificate")
    version = try (tbs.optional(explicit: 0, "version")?.smallInteger(name, "version") ?? 0) &+ 1
    guard (1...3).contains(version) else { throw tbs.wrong("version", "not 1, 2 or 3") }
    serialNumber = try tbs.integer("serialNumber")
    let inner = try AlgorithmIdentifier(try tbs.any("signature"))
    guard inner == signatureAlgorithmIdentifier else {
      throw tbs.wrong("signature", "not the algorithm outside (RFC 5280 4.1.1.2)")
    }
    signatureAlgorithm = SignatureAlgorithm(inner)
    issuer = try DistinguishedName(try tbs.any("issuer"))
    var validity = try ElementReader(try tbs.any("validity"), as: "Validity")
    notBefore = try ASN1Time.read(try validity.any("notBefore"), "Validity", "notBefore")
    notAfter = try ASN1Time.read(try validity.any("notAfter"), "Validity", "notAfter")
    subject = try DistinguishedName(try tbs.any("subject"))
    subjectPublicKeyInfo = try SubjectPublicKeyInfo(try tbs.any("subjectPublicKeyInfo"))
    publicKey = try? subjectPublicKeyInfo.key()
    _ = tbs.optional(context: 1)
    _ = tbs.optional(context: 2)
    if let list = try tbs.optional(explicit: 3, "extensions") {
      extensions = CertificateExtensions(try CertificateExtension.list(list, "TBSCertificate"))
    } else {
      extensions = CertificateExtensions([])
    }
    try tbs.end()
  }

  /// Reads the first certificate of a PEM file.
  public convenience init(pemEncoded text: String) throws {
    guard let first = try Certificate.list(pemEncoded: text).first else {
      throw KeyError.wrongPEM(expected: "CERTIFICATE", found: "nothing")
    }
    try self.init(derEncoded: first.encoded)
  }

  /// All certificates of a PEM file in its order; other blocks are skipped.
  public static func list(pemEncoded text: String) throws -> [Certificate] {
    try PEMBlock.list(text).filter { ["CERTIFICATE", "X509 CERTIFICATE"].contains($0.label) }
      .map { try Certificate(derEncoded: $0.bytes) }
  }

  /// The PEM form.
  public var pem: String { PEMBlock.encode("CERTIFICATE", encoded) }

  /// Whether subject and issuer are the same name (RFC 5280 6.1: "self-issued").
  public var isSelfIssued: Bool { subject == issuer }

  /// The serial number as hexadecimal digits, as tools print it.
  public var serialNumberText: String {
    serialNumber.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// The digest of the complete certificate.
  public func fingerprint(_ algorithm: HashAlgorithm = .sha256) -> [UInt8] {
    algorithm.hash(encoded)
  }

  /// Whether `key` made the signature on this certificate.
  public func isSigned(by key: PublicKey) -> Bool {
    guard let signatureAlgorithm else { return false }
    if verifyingKey.withLock({ $0 == key }) { return true }
    guard key.isValidSignature(signature, for: toBeSigned, algorithm: signatureAlgorithm) else {
      return false
    }
    verifyingKey.withLock { $0 = key }
    return true
  }
}

extension Certificate: CustomStringConvertible {
  public var description: String { "\(subject) (serial \(serialNumberText))" }
}
