import ArgumentParser
import Foundation
import Logging
import NetworkTypes
import Settings
import Store
import SwiftASN1
import TrustServices

struct CAIssue: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "issue",
    abstract: "Certify a time-stamp unit, an e-seal, a server or a client.",
    discussion: """
      From a request (--request) or with a new key, which is written beside the certificate, encrypted \
      with NOROSHI_PASSPHRASE or a passphrase that is asked for. A seal's certificate carries the \
      organisation's corporate number (法人番号), whose check digit is verified.

      Examples:
        noroshi ca issue seal --organisation 例示機構 --corporate-number 7123456789012 --output seal
        noroshi ca issue server --dns tsa.example.jp --output server
        noroshi ca issue tsa --request unit.csr --output unit
      """)

  enum Profile: String, CaseIterable, ExpressibleByArgument {
    case tsa, seal, server, client

    var profile: CertificateProfile {
      switch self {
      case .tsa: .tsa
      case .seal: .seal
      case .server: .server
      case .client: .client
      }
    }
  }

  @OptionGroup var options: HouseOptions
  @OptionGroup var subject: SubjectOptions

  @Argument(help: "tsa, seal, server or client.")
  var profile: Profile

  @Option(name: .long, help: "A certificate request, PEM.", completion: .file())
  var request: String?

  @Option(name: .customLong("key"), help: "The kind of key to make without a request.")
  var kind = FileKey.Kind.p256

  @Option(name: .long, help: "The organisation's corporate number (法人番号), 13 digits.")
  var corporateNumber: String?

  @Option(
    name: .long, help: "Another organizationIdentifier, such as VATDE-123456789 (EN 319 412-1).")
  var organisationIdentifier: String?

  @Option(name: .long, help: "A DNS name. May be given several times.")
  var dns: [String] = []

  @Option(name: .long, help: "An IP address. May be given several times.")
  var ip: [String] = []

  @Option(name: .long, help: "A mail address. May be given several times.")
  var mail: [String] = []

  @Option(name: .long, help: "A certificate policy, by object identifier.")
  var policy: [String] = []

  @Option(name: .long, help: "The validity in days.")
  var days: Int?

  @Option(name: .long, help: "Where CRL and OCSP are published (portal.publicURL and /ca).")
  var base: String?

  @Option(
    name: [.long, .customShort("o")],
    help: "Write NAME.pem (with the chain), and NAME.key for a new key.")
  var output: String

  func validate() throws {
    if let days, !(1...36_500).contains(days) { throw ValidationError("--days: 1 to 36500.") }
  }

  func run() async throws {
    let house = try options.house()
    let authority = try house.certificateAuthority(base: base)
    for path in [output + ".pem"] + (request == nil ? [output + ".key"] : [])
    where FileManager.default.fileExists(atPath: path) {
      throw CommandFailure(
        "\(path) is there already", advice: "Choose another --output.", status: .cannotCreate)
    }
    let (application, key) = try application(house)
    let certificate: Certificate
    do { certificate = try authority.issue(application, at: House.now) } catch {
      throw CommandFailure("\(error)", status: .badData)
    }
    // Not before the certificate is certain: a key without one would be in the way of the next try.
    if let key { try DurableFile.write(key.utf8, to: output + ".key") }
    try DurableFile.write(
      (certificate.pem + authority.certificate.pem).utf8, to: output + ".pem", mode: 0o644)
    try house.audit(
      "certificate.issued", certificate.serialNumberText,
      ["profile": profile.rawValue, "subject": "\(certificate.subject)"])
    Terminal.error.line("\(output).pem: \(certificate), valid to \(certificate.notAfter)")
  }

  /// What is asked for, and the PEM of a key that was made for it.
  private func application(_ house: House) throws -> (CertificateApplication, key: String?) {
    var names = try alternativeNames()
    let identifier = try identifier()
    let asked = try request.map { path in
      do { return try CertificateRequest(pemEncoded: try House.text(of: path)) } catch {
        throw CommandFailure("\(path): \(error)", status: .badData)
      }
    }
    let publicKey: PublicKey
    var newKey: String?
    var name: DistinguishedName
    if let asked {
      publicKey = asked.publicKey
      name = asked.subject
      // What the request asks for beyond names is not granted.
      if names.isEmpty { names = asked.requestedExtensions.subjectAlternativeNames }
      if subject.name != nil || subject.organisation != nil || identifier != nil {
        name = try subject.subject(
          asked.subject.texts(.commonName).first ?? profile.rawValue, identifier: identifier)
      }
    } else {
      let key = try FileKey.generate(kind)
      let passphrase = try house.newPassphrase(nil, for: profile.rawValue)
      newKey = try key.pem(passphrase: passphrase)
      publicKey = key.publicKey
      name = try subject.subject(
        dns.first ?? subject.organisation ?? profile.rawValue, identifier: identifier)
    }
    let application = CertificateApplication(
      profile: profile.profile, subject: name, publicKey: publicKey, alternativeNames: names,
      policies: try policy.map { text in
        guard let policy = ASN1ObjectIdentifier(dotted: text) else {
          throw CommandFailure("--policy: \(text) is no object identifier", status: .usage)
        }
        return policy
      }, days: days)
    return (application, newKey)
  }

  private func identifier() throws -> String? {
    guard let corporateNumber else { return organisationIdentifier }
    guard let number = CorporateNumber(corporateNumber) else {
      throw CommandFailure(
        "\(corporateNumber) is no corporate number: 13 digits, the first a check digit",
        advice: "Look it up at https://www.houjin-bangou.nta.go.jp/.", status: .usage)
    }
    return number.organizationIdentifier
  }

  private func alternativeNames() throws -> [GeneralName] {
    for name in dns + mail where !name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) {
      throw CommandFailure("“\(name)” is no ASCII name", status: .usage)
    }
    return dns.map { .dNSName($0) }
      + (try ip.map { text in
        guard let address = IPAddress(text) else {
          throw CommandFailure("--ip: “\(text)” is no address", status: .usage)
        }
        return .iPAddress(address.octets)
      }) + mail.map { .rfc822Name($0) }
  }
}

extension IPAddress {
  /// 4 or 16 octets, the first of the address first.
  fileprivate var octets: [UInt8] {
    if let v4 { return (0..<4).map { UInt8(truncatingIfNeeded: v4 >> (24 - UInt32($0) * 8)) } }
    return (0..<16).map { UInt8(truncatingIfNeeded: bits >> (120 - UInt128($0) * 8)) }
  }
}
