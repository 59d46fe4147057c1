import ArgumentParser
import Foundation
import NetworkTypes
import TrustServices

/// Where a seal's time stamps and revocation data come from.
struct SealSources: ParsableArguments {
  @Option(
    name: .long, help: "The time-stamp authority's address (RFC 3161), needed from b-t on.")
  var tsa: String?

  @Option(
    name: .long, parsing: .upToNextOption,
    help: "CRLs that answer for the certificates, PEM or DER.")
  var crl: [String] = []

  @Option(
    name: .long, parsing: .upToNextOption, help: "OCSP answers for the certificates, DER.")
  var ocsp: [String] = []

  @Option(
    name: .long, parsing: .upToNextOption,
    help: "Certificates that verifiers trust; nobody has to answer for these.")
  var trustAnchors: [String] = []

  @Flag(
    name: .long, help: "Do not fetch CRLs from the addresses that certificates name.")
  var offline = false

  func stamps() -> (any TimeStampSource)? { tsa.map { HTTPTimeStamps.source($0) } }

  /// What is given and can be fetched; a seal is not made where it says that the certificate `own`
  /// is revoked.
  func revocation(sealing own: Certificate? = nil) throws -> any RevocationInformationSource {
    FetchedRevocation(
      known: KnownRevocationInformation(
        crls: try crl.map(SealFiles.crl), ocsp: try ocsp.map(SealFiles.ocsp)),
      isOffline: offline, own: own)
  }

  /// Nobody wants a seal that is void from the first moment, at whatever level.
  func refuseRevoked(_ own: Certificate) throws {
    for information in try crl.map({ RevocationInformation.crl(try SealFiles.crl($0)) })
      + ocsp.map({ RevocationInformation.ocsp(try SealFiles.ocsp($0)) })
    { try information.refuseRevoked(own) }
  }

  func anchors() throws -> [Certificate] { try trustAnchors.flatMap(SealFiles.certificates) }
}

/// What is at hand, else the CRL from where the certificate says that it is published.
struct FetchedRevocation: RevocationInformationSource {
  let known: KnownRevocationInformation
  let isOffline: Bool
  /// The sealing certificate; nil where a seal of others is extended, which may be older than the end
  /// of its certificate.
  let own: Certificate?

  func information(about certificate: Certificate, issuer: Certificate) async throws
    -> [RevocationInformation]
  {
    let found = try await find(certificate, issuer: issuer)
    if certificate == own {
      for information in found { try information.refuseRevoked(certificate) }
    }
    return found
  }

  private func find(_ certificate: Certificate, issuer: Certificate) async throws
    -> [RevocationInformation]
  {
    let held = try await known.information(about: certificate, issuer: issuer)
    guard held.isEmpty, !isOffline else { return held }
    for address in certificate.extensions.crlDistributionPoints?.compactMap(\.address) ?? [] {
      let bytes = try await HTTPTimeStamps.get(address)
      do {
        return [
          .crl(
            bytes.first == 0x30
              ? try CertificateRevocationList(derEncoded: bytes)
              : try CertificateRevocationList(pemEncoded: String(decoding: bytes, as: UTF8.self)))
        ]
      } catch { throw CommandFailure("The CRL at \(address): \(error)", status: .badData) }
    }
    return []
  }
}

extension RevocationInformation {
  /// Says when `certificate` was revoked, by what names it; that the answer is genuine is the
  /// verifier's to find, and refusing costs nothing that cannot be had again.
  func refuseRevoked(_ certificate: Certificate) throws {
    let date: Timestamp?
    switch self {
    case .crl(let crl): date = crl.entry(for: certificate)?.revokedAt
    case .ocsp(let response):
      date =
        response.responses.lazy.compactMap { single in
          guard single.certificate.serialNumber == certificate.serialNumber,
            case .revoked(let date, _) = single.status
          else { return nil }
          return date
        }.first
    }
    guard let date else { return }
    throw CommandFailure(
      "The certificate of \(certificate.subject) was revoked at \(date)",
      advice: "Nothing is sealed with it any more: have another one issued.", status: .badData)
  }
}

extension DistributionPoint {
  /// The first HTTP address of the point.
  var address: String? {
    guard case .fullName(let names) = name else { return nil }
    for case .uniformResourceIdentifier(let uri) in names
    where uri.hasPrefix("http://") || uri.hasPrefix("https://") {
      return uri
    }
    return nil
  }
}

/// The moment by this machine's clock.
func currentMoment() -> Timestamp {
  Timestamp(seconds: Int64(Date().timeIntervalSince1970))
}
