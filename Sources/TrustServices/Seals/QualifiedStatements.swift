import SwiftASN1

/// QCStatements (RFC 3739 3.2.6, EN 319 412-5): what an issuer states about a certificate's use.
enum QualifiedStatements {
  static let signature: ASN1ObjectIdentifier = [0, 4, 0, 1862, 1, 6, 1]
  static let seal: ASN1ObjectIdentifier = [0, 4, 0, 1862, 1, 6, 2]
  private static let type: ASN1ObjectIdentifier = [0, 4, 0, 1862, 1, 6]

  /// The types of id-etsi-qcs-QcType; empty where the statement is absent or broken.
  static func types(_ certificate: Certificate) -> [ASN1ObjectIdentifier] {
    guard let value = certificate.extensions[OID.qcStatements]?.value,
      let list = try? ASN1Node.parse(der: value[...], as: "QCStatements")
        .children("QCStatements", "statements")
    else { return [] }
    for node in list {
      guard var statement = try? ElementReader(node, as: "QCStatement"),
        (try? statement.objectIdentifier("statementId")) == type,
        let types = statement.optional(.sequence),
        let nodes = try? types.children("QcType", "types")
      else { continue }
      return nodes.compactMap { try? $0.objectIdentifier("QcType", "type") }
    }
    return []
  }

  /// The extension that says a certificate is for seals.
  static func sealExtension() -> CertificateExtension {
    CertificateExtension(
      OID.qcStatements,
      value: der { coder in
        coder.sequence { coder in
          coder.sequence { coder in
            coder.objectIdentifier(type)
            coder.sequence { $0.objectIdentifier(seal) }
          }
        }
      })
  }
}

extension CertificateExtension {
  /// QCStatements with the type "electronic seal" (EN 319 412-5 4.2.3).
  public static var sealType: CertificateExtension { QualifiedStatements.sealExtension() }
}
