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

  func revocation() throws -> any RevocationInformationSource {
    FetchedRevocation(
      known: KnownRevocationInformation(
        crls: try crl.map(SealFiles.crl), ocsp: try ocsp.map(SealFiles.ocsp)),
      isOffline: offline)
  }

  func anchors() throws -> [Certificate] { try trustAnchors.flatMap(SealFiles.certificates) }
}

/// What is at hand, else the CRL from where the certificate says that it is published.
struct FetchedRevocation: RevocationInformationSource {
  let known: KnownRevocationInformation
  let isOffline: Bool

  func information(about certificate: Certificate, issuer: Certificate) async throws
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
