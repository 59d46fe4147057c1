public import ArgumentParser
import Foundation
import Logging
import NetworkTypes
import Settings
import Store
import SwiftASN1
public import TrustServices

extension FileKey.Kind: ExpressibleByArgument {
  /// As `--key` names them.
  static let names: [(String, FileKey.Kind)] = [
    ("p256", .p256), ("p384", .p384), ("p521", .p521), ("ed25519", .ed25519),
    ("rsa2048", .rsa(bits: 2048)), ("rsa3072", .rsa(bits: 3072)), ("rsa4096", .rsa(bits: 4096)),
  ]

  public init?(argument: String) {
    guard let known = Self.names.first(where: { $0.0 == argument.lowercased() }) else {
      return nil
    }
    self = known.1
  }

  public static var allValueStrings: [String] { names.map(\.0) }
}

/// Who a certificate is for.
struct SubjectOptions: ParsableArguments {
  @Option(name: .long, help: "The name in the certificate (common name).")
  var name: String?

  @Option(name: .long, help: "The organisation.")
  var organisation: String?

  @Option(name: .long, help: "The country, two letters.")
  var country = "JP"

  func subject(
    _ standard: String, identifier: String? = nil
  ) throws -> DistinguishedName {
    guard country.count == 2, country.allSatisfy({ $0.isASCII && $0.isLetter }) else {
      throw CommandFailure("--country: expected two letters such as JP", status: .usage)
    }
    var parts: [(DistinguishedName.AttributeType, String)] = [(.country, country.uppercased())]
    if let organisation { parts.append((.organization, organisation)) }
    if let identifier { parts.append((.organizationIdentifier, identifier)) }
    parts.append((.commonName, name ?? standard))
    return DistinguishedName(parts)
  }
}

struct TSAInit: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init",
    abstract: "Make a time-stamp unit: its key, its certificate, and an empty journal.",
    discussion: """
      With a certificate authority in the data directory (`noroshi ca init`), that one certifies the \
      unit. Otherwise a request (unit.csr) is written for another authority; its answer is taken in by \
      `--certificate`. With tsa.key set to a pkcs11: URI, the key is made on the token, if it is not \
      there yet.

      Examples:
        noroshi ca init --name "Noroshi Root" && noroshi tsa init --name "Noroshi TSU 1"
        noroshi tsa init --name "TSU 1" --organisation 例示機構
        noroshi tsa init --certificate answer.pem
      """)

  @OptionGroup var options: HouseOptions
  @OptionGroup var subject: SubjectOptions

  @Option(name: .customLong("key"), help: "The kind of key to make.")
  var kind = FileKey.Kind.p256

  @Option(
    name: .long, help: "Take in the certificate that another authority gave (PEM, with its chain).",
    completion: .file(extensions: ["pem", "crt"]))
  var certificate: String?

  func run() async throws {
    let house = try options.house()
    try house.requireData()
    let files = house.timeStampFiles
    try House.makePrivateFolder(files.folder)
    if !FileManager.default.fileExists(atPath: files.logKey) {
      let key = try FileKey.generate(.ed25519)
      try DurableFile.write(try key.pem(passphrase: nil).utf8, to: files.logKey)
      said("made", "log.key", "signs the journal's heads")
    }
    let path = house.timeStampCertificatePath
    if let certificate {
      try await take(certificate, house, path)
      return
    }
    guard !FileManager.default.fileExists(atPath: path) else {
      throw CommandFailure(
        "There is a time-stamp unit already: \(path)",
        advice: "Move its certificate and key away to make another.", status: .cannotCreate)
    }
    let key = try makeKey(house, files)
    let name = try subject.subject("Noroshi Time-Stamp Unit")
    guard house.hasCertificateAuthority else {
      try DurableFile.write(
        try CertificateRequest(subject: name, key: key).pem.utf8, to: files.request)
      said("made", "unit.csr", "for your certificate authority; then tsa init --certificate")
      return
    }
    let authority = try house.certificateAuthority()
    let issued = try authority.issue(
      CertificateApplication(profile: .tsa, subject: name, publicKey: key.publicKey),
      at: House.now)
    try house.audit("certificate.issued", issued.serialNumberText, ["profile": "tsa"])
    try DurableFile.write(
      (issued.pem + authority.certificate.pem).utf8, to: path, mode: 0o644)
    said("made", "unit.pem", issued.description)
    try house.audit("tsa.initialised", issued.serialNumberText)
    hint()
  }

  private func take(_ file: String, _ house: House, _ path: String) async throws {
    let text = try House.text(of: file)
    guard let own = try Certificate.list(pemEncoded: text).first else {
      throw CommandFailure("\(file) holds no certificate", status: .badData)
    }
    let key = try house.openKey(
      house.configuration.tsa.key?.text ?? house.timeStampFiles.key,
      passphraseFile: house.configuration.tsa.passphraseFile, what: "time-stamp unit")
    // Refused here rather than at the start of serving.
    _ = try TimeStampUnit(
      certificate: own, key: key, parameters: TimeStampUnitParameters(policy: [2, 999]))
    let chain = try Certificate.list(pemEncoded: text).map(\.pem).joined()
    try DurableFile.write(chain.utf8, to: path, mode: 0o644)
    said("took", "unit.pem", own.description)
    try house.audit("tsa.initialised", own.serialNumberText)
    hint()
  }

  private func makeKey(_ house: House, _ files: TimeStampFiles) throws -> any SigningKey {
    let settings = house.configuration.tsa
    let environment = ProcessInfo.processInfo.environment
    if let name = settings.key?.text, name.hasPrefix("pkcs11:") {
      let uri = try PKCS11URI(name)
      let pin = try house.passphrase(settings.passphraseFile)
      let module = environment["NOROSHI_PKCS11_MODULE"]
      do {
        return try TokenKey(uri, module: module, pin: pin, environment: environment)
      } catch TokenError.keyMissing {
        let key = try TokenKey.generate(
          kind, uri, module: module, pin: pin, environment: environment)
        said("made", "key", "on the token, \(uri)")
        return key
      }
    }
    let path = settings.key?.text ?? files.key
    if FileManager.default.fileExists(atPath: path) {
      return try house.openKey(
        path, passphraseFile: settings.passphraseFile, what: "time-stamp unit")
    }
    let key = try FileKey.generate(kind)
    let passphrase = try house.newPassphrase(settings.passphraseFile, for: "time-stamp unit")
    try DurableFile.write(try key.pem(passphrase: passphrase).utf8, to: path)
    said(
      "made", "unit.key",
      passphrase == nil ? "not encrypted: only its file's rights protect it" : "encrypted")
    return key
  }

  private func said(_ what: String, _ name: String, _ detail: String) {
    Terminal.output.line(
      what.padding(toLength: 6, withPad: " ", startingAt: 0)
        + name.padding(toLength: 10, withPad: " ", startingAt: 0) + detail)
  }

  private func hint() {
    Terminal.output.line(
      """

      Next:
        tsa.clock.sources   what the clock is compared with, in noroshi.yaml
        tsa.policy          your own policy's object identifier
        noroshi tsa serve   or tsa.enabled: yes, and noroshi serve
      """)
  }
}
