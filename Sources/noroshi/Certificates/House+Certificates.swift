import Foundation
import GRDB
import NetworkTypes
import Portal
import Settings
import Store
import TrustServices

/// Where the certificate authority keeps its things.
struct CertificateFiles: Sendable {
  let folder: String

  var root: String { folder + "/root.pem" }
  var key: String { folder + "/root.key" }
  /// The OCSP responder's certificate and key.
  var responder: String { folder + "/ocsp.pem" }
  var responderKey: String { folder + "/ocsp.key" }
  var register: String { folder + "/register" }
  /// The CRL that was made last, DER.
  var revocationList: String { folder + "/crl.der" }
}

extension House {
  var certificateFiles: CertificateFiles { CertificateFiles(folder: data.path + "/ca") }

  var hasCertificateAuthority: Bool {
    FileManager.default.fileExists(atPath: certificateFiles.root)
  }

  /// The addresses that go into certificates: of the portal, unless another base is given.
  func certificateLocations(_ base: String?) -> CertificateLocations {
    CertificateLocations(
      base: base ?? configuration.portal.publicURL.map { $0 + "/ca" })
  }

  func certificateAuthority(base: String? = nil) throws -> CertificateAuthority {
    guard hasCertificateAuthority else {
      throw CommandFailure(
        "There is no certificate authority in \(certificateFiles.folder)",
        advice: "`noroshi ca init` makes one.", status: .noInput)
    }
    return try CertificateAuthority(
      certificate: Certificate(pemEncoded: try Self.text(of: certificateFiles.root)),
      key: try openKey(
        configuration.ca.key?.text ?? certificateFiles.key,
        passphraseFile: configuration.ca.passphraseFile, what: "certificate authority"),
      register: certificateRegister, locations: certificateLocations(base))
  }

  var certificateRegister: CertificateRegister {
    CertificateRegister(path: certificateFiles.register)
  }

  /// What the certificate authority publishes; its own key is not needed for it.
  func addCertificateAnswers(to answers: inout TrustAnswers) throws {
    let files = certificateFiles
    let root = try Certificate(pemEncoded: try Self.text(of: files.root))
    answers.issuer = root.encoded
    answers.revocationList = {
      FileManager.default.contents(atPath: files.revocationList).map { Array($0) }
    }
    guard FileManager.default.fileExists(atPath: files.responder) else { return }
    // Read again where somebody issued or revoked meanwhile.
    let register = certificateRegister
    let contents = try CurrentFile(files.register, logger: logger) { try register.contents() }
    answers.responder = try OCSPResponder(
      authority: root, certificate: Certificate(pemEncoded: try Self.text(of: files.responder)),
      key: try openKey(
        files.responderKey, passphraseFile: configuration.ca.passphraseFile, what: "OCSP responder")
    ) { contents.content }
  }

  /// A line in the audit trail, by whoever sits at the terminal.
  func audit(_ action: String, _ subject: String, _ details: [String: String] = [:]) throws {
    let store = try store()
    let trail = AuditTrail(store: store)
    let entry = AuditEntry(
      nanoseconds: Self.now.nanoseconds, actor: Self.operator, action: action, subject: subject,
      details: details)
    try store.writer.write { database in _ = try trail.append(entry, in: database) }
  }
}
