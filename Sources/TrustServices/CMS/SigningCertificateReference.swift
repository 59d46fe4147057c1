import SwiftASN1

/// ESSCertID and ESSCertIDv2 (RFC 5035 4, 5): which certificate the signer means, as a signed
/// attribute, so that nobody can put another one in its place.
public struct SigningCertificateReference: Hashable, Sendable {
  public let hashAlgorithm: HashAlgorithm
  public let certificateHash: [UInt8]
  /// The issuer's names and the serial number, where they are given.
  public let issuer: [GeneralName]?
  public let serialNumber: [UInt8]?

  /// A reference to `certificate`, with issuer and serial number where `includesSerial`.
  public init(
    _ certificate: Certificate, hashAlgorithm: HashAlgorithm = .sha256, includesSerial: Bool = true
  ) {
    self.hashAlgorithm = hashAlgorithm
    certificateHash = certificate.fingerprint(hashAlgorithm)
    issuer = includesSerial ? [.directoryName(certificate.issuer)] : nil
    serialNumber = includesSerial ? certificate.serialNumber : nil
  }

  /// Whether this is the certificate that is meant.
  public func matches(_ certificate: Certificate) -> Bool {
    guard certificate.fingerprint(hashAlgorithm) == certificateHash else { return false }
    guard let issuer, let serialNumber else { return true }
    return serialNumber == certificate.serialNumber
      && issuer.contains(.directoryName(certificate.issuer))
  }

  /// The certificates of a signing-certificate or signing-certificate-v2 attribute; the first is
  /// the signer's own.
  static func list(_ attribute: CMSAttribute) throws(MalformedStructure)
    -> [SigningCertificateReference]
  {
    let isV2 = attribute.type == OID.signingCertificateV2
    let name = isV2 ? "SigningCertificateV2" : "SigningCertificate"
    var outer = try ElementReader(try attribute.onlyValue(name), as: name)
    var list: [SigningCertificateReference] = []
    for element in try outer.any("certs").children(name, "certs") {
      var reader = try ElementReader(element, as: isV2 ? "ESSCertIDv2" : "ESSCertID")
      var algorithm = isV2 ? HashAlgorithm.sha256 : .sha1
      if isV2, let stated = reader.optional(.sequence) {
        guard let known = HashAlgorithm(try AlgorithmIdentifier(stated)) else {
          throw reader.wrong("hashAlgorithm", "not known here")
        }
        algorithm = known
      }
      let hash = Array(try reader.octets("certHash"))
      var issuer: [GeneralName]?
      var serial: [UInt8]?
      if let node = reader.optional(.sequence) {
        var pair = try ElementReader(node, as: "IssuerSerial")
        issuer = try GeneralName.list(try pair.any("issuer"), "IssuerSerial", "issuer")
        serial = try pair.integer("serialNumber")
      }
      list.append(
        SigningCertificateReference(
          hashAlgorithm: algorithm, certificateHash: hash, issuer: issuer, serialNumber: serial))
    }
    guard !list.isEmpty else { throw MalformedStructure(name, "certs", "no certificate in it") }
    return list
  }

  private init(
    hashAlgorithm: HashAlgorithm, certificateHash: [UInt8], issuer: [GeneralName]?,
    serialNumber: [UInt8]?
  ) {
    self.hashAlgorithm = hashAlgorithm
    self.certificateHash = certificateHash
    self.issuer = issuer
    self.serialNumber = serialNumber
  }

  /// The signing-certificate-v2 attribute of these, the signer's own first.
  public static func attribute(_ references: [SigningCertificateReference]) -> CMSAttribute {
    CMSAttribute(
      OID.signingCertificateV2,
      value: der { coder in
        coder.sequence { coder in
          coder.sequence { coder in
            for reference in references {
              coder.sequence { coder in
                // SHA-256 is the default, which DER leaves out.
                if reference.hashAlgorithm != .sha256 {
                  reference.hashAlgorithm.algorithmIdentifier.write(&coder)
                }
                coder.octets(reference.certificateHash)
                if let issuer = reference.issuer, let serial = reference.serialNumber {
                  coder.sequence { coder in
                    coder.sequence { for name in issuer { name.write(&$0) } }
                    coder.integer(octets: serial)
                  }
                }
              }
            }
          }
        }
      })
  }
}
