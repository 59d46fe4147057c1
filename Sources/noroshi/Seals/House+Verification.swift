import Casework
import Foundation
import NetworkTypes
import Portal
import Settings
import Store
import TrustServices

extension House {
  /// How the portal verifies what visitors bring: by `verification.anchors`, `seal.anchor`, the house's own
  /// certificate authority, and trusted lists.
  func sealVerification(_ outbox: Outbox) throws -> SealVerification {
    // Files that are wrong are told of at the start.
    _ = try sealValidator()
    return SealVerification(
      validator: { try sealValidator() }, endings: { try trustEndings(outbox) })
  }

  func sealValidator() throws -> SealValidator {
    let settings = configuration.verification
    var paths = settings.anchors.map(\.path)
    if let anchor = configuration.seal.anchor { paths.append(anchor.path) }
    var authorities = try paths.flatMap(SealFiles.certificates)
    if hasCertificateAuthority {
      authorities += try SealFiles.certificates(certificateFiles.root)
    }
    var validator = SealValidator(
      anchors: try authorities.map { try TrustAnchor($0) }, moment: House.now)
    if hasCertificateAuthority,
      FileManager.default.fileExists(atPath: certificateFiles.revocationList)
    {
      validator.evidence = RevocationEvidence(
        crls: [try SealFiles.crl(certificateFiles.revocationList)])
    }
    validator.trustedLists = try trustedLists()
    return validator
  }

  private func trustedLists() throws -> TrustedLists {
    let settings = configuration.verification
    guard !settings.trustedLists.isEmpty else { return TrustedLists() }
    let operators = try TrustedListFiles.validator(settings.listOperators.map(\.path), crl: [])
    return try TrustedLists(
      settings.trustedLists.map {
        try SealedTrustedList(verifying: try SealFiles.read($0.path), by: operators)
      })
  }

  // MARK: - What ends

  /// Seals of notices that are looked at for their end, the latest first: some megabytes.
  private static let lookedAtSeals = 2_000

  /// Certificates of this house, and the seals and tokens that were made by them.
  func trustEndings(_ outbox: Outbox) throws -> [TrustEnding] {
    var endings: Set<TrustEnding> = []
    // The same certificate stands in several files: once, for the first of these uses.
    var seen: Set<[UInt8]> = []
    func add(_ certificates: [Certificate], _ use: String) {
      for certificate in certificates where seen.insert(certificate.encoded).inserted {
        endings.insert(TrustEnding(certificate, use: use))
      }
    }
    func add(_ path: String?, _ use: String) throws {
      guard let path, FileManager.default.fileExists(atPath: path) else { return }
      add(try SealFiles.certificates(path), use)
    }
    try add(certificateFiles.root, "ca")
    try add(configuration.seal.anchor?.path, "anchor")
    for anchor in configuration.verification.anchors { try add(anchor.path, "anchor") }
    try add(timeStampCertificatePath, "tsa")
    try add(configuration.seal.certificate?.path, "seal")
    if hasCertificateAuthority {
      let entries = try certificateRegister.contents().entries
      add(entries.filter { $0.revocation == nil }.map(\.certificate), "issued")
    }
    endings.formUnion(
      TrustEnding.tokens(try auditStamps.list().map(\.token), use: "audit"))
    let seals = try outbox.seals(limit: Self.lookedAtSeals).compactMap {
      try? SignedData(filed: $0)
    }
    endings.formUnion(TrustEnding.seals(seals, use: "notices"))
    endings.formUnion(
      TrustEnding.tokens(seals.flatMap(\.signers).flatMap(\.signatureTimeStamps), use: "notices"))
    return endings.sorted { ($0.ends, $0.name, $0.use) < ($1.ends, $1.name, $1.use) }
  }
}

extension TrustEnding {
  init(_ certificate: Certificate, use: String) {
    self.init(
      kind: .certificate, name: certificate.subject.description, use: use,
      ends: certificate.notAfter)
  }

  /// Tokens by the unit that gave them.
  static func tokens(_ tokens: [TimeStampToken], use: String) -> [TrustEnding] {
    grouped(tokens.compactMap(\.signedData.signerCertificate), kind: .token, use: use)
  }

  /// Seals by the certificate that made them.
  static func seals(_ seals: [SignedData], use: String) -> [TrustEnding] {
    grouped(seals.compactMap(\.signerCertificate), kind: .seal, use: use)
  }

  private static func grouped(_ certificates: [Certificate], kind: Kind, use: String)
    -> [TrustEnding]
  {
    Dictionary(grouping: certificates, by: \.encoded).values.map { same in
      TrustEnding(
        // A group is never empty.
        kind: kind, name: same[0].subject.description, use: use, count: same.count,
        ends: same[0].notAfter)
    }
  }
}
