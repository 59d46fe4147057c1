import NetworkTypes
import TrustServices

@testable import Portal

/// An authority, a seal by it, and things that end.
enum SampleVerification {
  static let content = Array("number,address\r\n1,192.0.2.4\r\n".utf8)

  /// Certificate and seal are made anew for each call.
  static func seal() async throws -> (authority: Certificate, seal: [UInt8]) {
    let key = try FileKey.generate(.p256)
    var template = CertificateTemplate(
      subject: DistinguishedName([
        (.country, "JP"), (.organization, "例示機構"), (.commonName, "例示機構"),
      ]), publicKey: key.publicKey, notBefore: Timestamp(seconds: 0), notAfter: .distantFuture)
    template.basicConstraints = BasicConstraints(isCA: true)
    let certificate = try template.issue(issuer: nil, key: key)
    let sealer = CAdESSealer(identity: try SealingIdentity(certificate: certificate, key: key))
    let seal = try await sealer.seal(
      ContentDigests(content), isDetached: true, at: SampleAccreditation.now)
    return (certificate, seal.encoded)
  }

  static func verification(now: @escaping @Sendable () -> Timestamp) -> SealVerification {
    SealVerification(
      validator: { SealValidator(anchors: [], moment: now()) },
      endings: {
        [(-1.0, "Old unit"), (30.0, "Unit <2>"), (900.0, "New unit")].map { days, name in
          TrustEnding(
            kind: .token, name: name, use: "audit", count: 12,
            ends: now().advanced(bySeconds: days * 86_400))
        }
      })
  }
}
