import ArgumentParser
import Foundation
import Logging
import NetworkTypes
import Settings
import Store
import TrustServices

struct CARevoke: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "revoke",
    abstract: "Revoke a certificate, and make a new CRL.",
    discussion: """
      Example:
        noroshi ca revoke 5f3a… --reason keyCompromise
      """)

  static let reasons: [(String, RevocationReason)] = RevocationReason.allCases
    .filter { ![.removeFromCRL, .certificateHold].contains($0) }.map { ("\($0)", $0) }

  @OptionGroup var options: HouseOptions

  @Argument(help: "The serial number, hexadecimal, or a file with the certificate.")
  var certificate: String

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Why: " + CARevoke.reasons.map(\.0).joined(separator: ", ") + "."))
  var reason = "unspecified"

  func validate() throws {
    guard Self.reasons.contains(where: { $0.0 == reason }) else {
      throw ValidationError("--reason: one of \(Self.reasons.map(\.0).joined(separator: ", ")).")
    }
  }

  func run() async throws {
    let house = try options.house()
    let authority = try house.certificateAuthority()
    let serial: [UInt8]
    if FileManager.default.fileExists(atPath: certificate) {
      serial = try Certificate(pemEncoded: try House.text(of: certificate)).serialNumber
    } else {
      serial = try Self.octets(certificate)
    }
    let code = Self.reasons.first { $0.0 == reason }?.1 ?? .unspecified
    try authority.revoke(serialNumber: serial, reason: code, at: House.now)
    try house.audit(
      "certificate.revoked", serial.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(),
      ["reason": reason])
    try house.publishRevocationList(authority)
    Terminal.error.line("Revoked; \(house.certificateFiles.revocationList) says so.")
  }

  private static func octets(_ text: String) throws -> [UInt8] {
    let digits = text.filter { $0 != ":" }
    var octets: [UInt8] = []
    var rest = digits[...]
    while !rest.isEmpty {
      guard rest.count >= 2, rest.first != "+", let octet = UInt8(rest.prefix(2), radix: 16) else {
        throw CommandFailure("\(text) is neither a file nor a serial number", status: .usage)
      }
      octets.append(octet)
      rest = rest.dropFirst(2)
    }
    return octets
  }
}

struct CACRL: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "crl",
    abstract: "Make a new CRL.",
    discussion: """
      A CRL holds for a week; have this run daily. Written to ca/crl.der, which the portal publishes, \
      and to --output, DER.
      """)

  @OptionGroup var options: HouseOptions

  @Option(name: [.long, .customShort("o")], help: "Also write it here.")
  var output: String?

  func run() async throws {
    let house = try options.house()
    let list = try house.publishRevocationList(try house.certificateAuthority())
    if let output { try DurableFile.write(list.encoded, to: output, mode: 0o644) }
    Terminal.error.line(
      "\(list.entries.count) certificates are revoked; the list holds to "
        + "\(list.nextUpdate.map { "\($0)" } ?? "the next").")
  }
}

extension House {
  @discardableResult
  func publishRevocationList(_ authority: CertificateAuthority) throws
    -> CertificateRevocationList
  {
    let list = try authority.revocationList(at: Self.now)
    try DurableFile.write(list.encoded, to: certificateFiles.revocationList, mode: 0o644)
    return list
  }
}
