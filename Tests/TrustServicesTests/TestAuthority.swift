import NetworkTypes
import SwiftASN1
import TrustServices

/// A certificate authority of one test: root, and whatever it is asked to issue.
struct TestAuthority {
  static let start = Timestamp("2026-01-01T00:00:00Z") ?? .distantPast
  static let end = Timestamp("2036-01-01T00:00:00Z") ?? .distantFuture
  static let now = Timestamp("2026-11-25T09:00:00Z") ?? .distantPast

  let key: FileKey
  let certificate: Certificate

  static func name(_ commonName: String) -> DistinguishedName {
    DistinguishedName([
      (.country, "JP"), (.organization, "試験機関"), (.commonName, commonName),
    ])
  }

  init(_ name: String = "Root", kind: FileKey.Kind = .p256, below parent: TestAuthority? = nil)
    throws
  {
    key = try FileKey.generate(kind)
    var template = CertificateTemplate(
      subject: Self.name(name), publicKey: key.publicKey, notBefore: Self.start,
      notAfter: Self.end)
    template.basicConstraints = BasicConstraints(isCA: true)
    template.keyUsage = [.keyCertSign, .cRLSign]
    certificate = try template.issue(issuer: parent?.certificate, key: parent?.key ?? key)
  }

  func issue(
    _ name: String, kind: FileKey.Kind = .p256, purpose: ASN1ObjectIdentifier? = nil,
    isCritical: Bool = false, _ change: (inout CertificateTemplate) -> Void = { _ in }
  ) throws -> (certificate: Certificate, key: FileKey) {
    let key = try FileKey.generate(kind)
    var template = CertificateTemplate(
      subject: Self.name(name), publicKey: key.publicKey, notBefore: Self.start,
      notAfter: Self.end)
    template.keyUsage = [.digitalSignature, .nonRepudiation]
    template.extendedKeyUsage = purpose.map { [$0] } ?? []
    template.isExtendedKeyUsageCritical = isCritical
    change(&template)
    return (try template.issue(issuer: certificate, key: self.key), key)
  }

  func anchor() throws -> TrustAnchor { try TrustAnchor(certificate) }
}

extension CertificateValidator {
  func outcome(of certificate: Certificate, _ parameters: PathParameters)
    -> Result<ValidatedPath, PathError>
  {
    do throws(PathError) {
      return .success(try validate(certificate, parameters: parameters))
    } catch { return .failure(error) }
  }
}
