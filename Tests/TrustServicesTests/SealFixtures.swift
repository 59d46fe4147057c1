import Foundation
import NetworkTypes
import SwiftASN1
import Synchronization
import TrustServices

/// Root, seal certificate with a corporate number, time-stamp unit and CRL of one test.
struct SealHouse {
  let root: TestAuthority
  let seal: (certificate: Certificate, key: FileKey)
  let unit: (certificate: Certificate, key: FileKey)
  let crl: CertificateRevocationList
  static let number = "7000012050002"

  init(_ kind: FileKey.Kind = .p256, _ change: (inout CertificateTemplate) -> Void = { _ in })
    throws
  {
    root = try TestAuthority(kind: kind)
    seal = try root.issue("封印", kind: kind) { template in
      template.subject = DistinguishedName([
        (.country, "JP"), (.organization, "狼煙研究所"),
        (.organizationIdentifier, "NTRJP-\(Self.number)"), (.commonName, "狼煙研究所 eシール"),
      ])
      template.otherExtensions = [.sealType]
      template.crlDistributionPoints = [Self.point]
      change(&template)
    }
    unit = try root.issue("TSU", purpose: OID.timeStamping, isCritical: true) {
      $0.crlDistributionPoints = [Self.point]
    }
    crl = try Self.crl(root, [])
  }

  static var point: DistributionPoint {
    DistributionPoint(uri: "http://crl.example.jp/root.crl")
  }

  static func crl(
    _ root: TestAuthority, _ entries: [RevocationListTemplate.Entry],
    from: Timestamp = TestAuthority.now.advanced(bySeconds: -3600), days: Double = 7
  ) throws -> CertificateRevocationList {
    try RevocationListTemplate(
      number: 1, thisUpdate: from, nextUpdate: from.advanced(bySeconds: days * 86_400),
      entries: entries
    ).issue(issuer: root.certificate, key: root.key)
  }

  func stamps(at moment: Timestamp = TestAuthority.now) throws -> UnitTimeStampSource {
    UnitTimeStampSource(
      try TimeStampUnit(
        certificate: unit.certificate, key: unit.key,
        parameters: TimeStampUnitParameters(policy: [1, 2, 392, 200_000, 1])), clock: { moment })
  }

  func sealer(at moment: Timestamp = TestAuthority.now, algorithm: SignatureAlgorithm? = nil) throws
    -> CAdESSealer
  {
    var sealer = CAdESSealer(
      identity: try SealingIdentity(
        certificate: seal.certificate, key: seal.key, algorithm: algorithm),
      timeStamps: try stamps(at: moment),
      revocation: KnownRevocationInformation(crls: [crl]))
    sealer.certificates = [root.certificate]
    sealer.anchors = [root.certificate]
    return sealer
  }

  func validator(at moment: Timestamp = TestAuthority.now, crls: [CertificateRevocationList] = [])
    throws -> SealValidator
  {
    var validator = SealValidator(anchors: [try root.anchor()], moment: moment)
    validator.evidence = RevocationEvidence(crls: crls)
    return validator
  }
}

extension ValidationReport {
  /// What a test wants to know in one line.
  var verdict: String {
    ([conclusion.indication.rawValue, conclusion.subIndication?.rawValue].compactMap { $0 })
      .joined(separator: " ")
  }
}
