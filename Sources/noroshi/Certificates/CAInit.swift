import ArgumentParser
import Foundation
import Logging
import NetworkTypes
import Settings
import Store
import TrustServices

struct CAInit: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init",
    abstract: "Make a root: its key, its certificate, its register, and its OCSP responder.",
    discussion: """
      The key is encrypted with the passphrase of ca.passphraseFile, of the variable \
      NOROSHI_PASSPHRASE, or one that is asked for. With ca.key set to a pkcs11: URI, it is made on the \
      token.

      Examples:
        noroshi ca init --name "Example Root" --organisation 例示機構
        noroshi ca init --base https://pki.example.jp/ca
      """)

  @OptionGroup var options: HouseOptions
  @OptionGroup var subject: SubjectOptions

  @Option(name: .customLong("key"), help: "The kind of key to make.")
  var kind = FileKey.Kind.p384

  @Option(name: .long, help: "The root's validity in days.")
  var days: Int?

  @Option(
    name: .long,
    help: "Where CRL, certificate and OCSP are published (portal.publicURL and /ca).")
  var base: String?

  func run() async throws {
    let house = try options.house()
    try house.requireData()
    let files = house.certificateFiles
    guard !house.hasCertificateAuthority else {
      throw CommandFailure(
        "There is a certificate authority already: \(files.folder)",
        advice: "Move it away to make another.", status: .cannotCreate)
    }
    try House.makePrivateFolder(files.folder)
    let passphrase = try house.newPassphrase(
      house.configuration.ca.passphraseFile, for: "certificate authority")
    let key = try makeKey(house, passphrase)
    var lifetimes = CertificateLifetimes()
    if let days { lifetimes.root = days }
    let name = try subject.subject("Noroshi Root")
    let authority = try CertificateAuthority.create(
      subject: name, key: key, register: house.certificateRegister, at: House.now,
      locations: house.certificateLocations(base), lifetimes: lifetimes)

    let responderKey = try FileKey.generate(.p256)
    let responder = try authority.issue(
      CertificateApplication(
        profile: .ocsp, subject: try subject.responder(of: name), publicKey: responderKey.publicKey),
      at: House.now)
    try DurableFile.write(
      try responderKey.pem(passphrase: passphrase).utf8, to: files.responderKey)
    try DurableFile.write(responder.pem.utf8, to: files.responder, mode: 0o644)
    try DurableFile.write(
      try authority.revocationList(at: House.now).encoded, to: files.revocationList, mode: 0o644)
    // Last: what says that everything is there.
    try DurableFile.write(authority.certificate.pem.utf8, to: files.root, mode: 0o644)
    try house.audit(
      "ca.initialised", authority.certificate.serialNumberText, ["subject": "\(name)"])
    Terminal.output.line("made  \(files.root)")
    Terminal.output.line("      \(authority.certificate)")
    if passphrase == nil, !(house.configuration.ca.key?.text.hasPrefix("pkcs11:") ?? false) {
      Terminal.error.line("The keys are not encrypted: only their files' rights protect them.")
    }
  }

  private func makeKey(_ house: House, _ passphrase: String?) throws -> any SigningKey {
    let environment = ProcessInfo.processInfo.environment
    if let name = house.configuration.ca.key?.text, name.hasPrefix("pkcs11:") {
      let uri = try PKCS11URI(name)
      let module = environment["NOROSHI_PKCS11_MODULE"]
      do {
        return try TokenKey(uri, module: module, pin: passphrase, environment: environment)
      } catch TokenError.keyMissing {
        return try TokenKey.generate(
          kind, uri, module: module, pin: passphrase, environment: environment)
      }
    }
    let path = house.configuration.ca.key?.text ?? house.certificateFiles.key
    if FileManager.default.fileExists(atPath: path) {
      // An earlier run that was cut off may have made it.
      return try FileKey(pem: try House.text(of: path), passphrase: passphrase)
    }
    let key = try FileKey.generate(kind)
    try DurableFile.write(try key.pem(passphrase: passphrase).utf8, to: path)
    return key
  }
}

extension SubjectOptions {
  /// The responder's name: the root's, and what it does.
  func responder(of root: DistinguishedName) throws -> DistinguishedName {
    var own = self
    own.name = (root.texts(.commonName).first ?? "Root") + " OCSP"
    return try own.subject("OCSP")
  }
}
