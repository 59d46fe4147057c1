import Foundation
import NetworkTypes
import SwiftASN1
import Testing

@testable import TrustServices

/// A softhsm2 token in a folder of its own. The module reads SOFTHSM2_CONF when it is loaded, once in
/// a process, so that there is one folder for all tests.
enum SoftToken {
  static let module: String? = [
    "/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so",
  ].first { FileManager.default.fileExists(atPath: $0) }

  static let tool: String? = ["/usr/bin/softhsm2-util", "/usr/local/bin/softhsm2-util"].first {
    FileManager.default.isExecutableFile(atPath: $0)
  }

  static var isPresent: Bool { module != nil && tool != nil }

  /// Makes the token `label`; false where the tool fails.
  static let prepare: Bool = {
    guard let tool else { return false }
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "noroshi-softhsm-\(ProcessInfo.processInfo.processIdentifier)")
    let tokens = folder.appendingPathComponent("tokens")
    try? FileManager.default.createDirectory(at: tokens, withIntermediateDirectories: true)
    let configuration = folder.appendingPathComponent("softhsm2.conf")
    try? "directories.tokendir = \(tokens.path)\nobjectstore.backend = file\nlog.level = ERROR\n"
      .write(to: configuration, atomically: true, encoding: .utf8)
    setenv("SOFTHSM2_CONF", configuration.path, 1)
    atexit {
      let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
        "noroshi-softhsm-\(ProcessInfo.processInfo.processIdentifier)")
      try? FileManager.default.removeItem(at: folder)
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: tool)
    process.arguments = [
      "--init-token", "--free", "--label", "Noroshi test", "--pin", "1234", "--so-pin", "5678",
    ]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }()

  static func uri(_ object: String) throws -> PKCS11URI {
    try PKCS11URI(
      "pkcs11:token=Noroshi%20test;object=\(object)?module-path=\(module ?? "")&pin-source=env:PIN")
  }
}

@Suite("Keys named by pkcs11: URIs")
struct PKCS11URITests {
  @Test("a URI of RFC 7512 is read, and shown without its PIN's place")
  func reading() throws {
    let uri = try PKCS11URI(
      "pkcs11:token=The%20Token;id=%01%2F;object=tsu;type=private;slot-id=3?"
        + "module-path=/usr/lib/x.so&pin-source=file:/etc/pin")
    #expect(uri.token == "The Token" && uri.id == [1, 0x2F] && uri.object == "tsu")
    #expect(uri.slot == 3 && uri.modulePath == "/usr/lib/x.so")
    #expect(uri.description == "pkcs11:token=The%20Token;slot-id=3;object=tsu;id=%01%2f")
    #expect(try PKCS11URI(uri.description).id == uri.id)
  }

  @Test("a URI that is wrong, or shows a PIN, is refused")
  func refusing() {
    for text in [
      "", "pkcs11", "pkcs11:", "pkcs11:token=x", "pkcs11:object", "pkcs11:object=x;colour=red",
      "pkcs11:object=x?pin-value=1234", "pkcs11:object=%4", "pkcs11:object=%ZZ",
      "pkcs11:object=%FF", "pkcs11:object=x;slot-id=-1", "pkcs11:object=x;type=public",
      "file:/etc/key",
    ] { #expect(throws: TokenError.self, "\(text)") { try PKCS11URI(text) } }
  }

  @Test("the PIN comes from a file or a variable")
  func pins() throws {
    try withFolder { folder in
      try folder.put("pin", Array("4711\nmore".utf8))
      func pin(_ source: String) throws -> String? {
        try PKCS11URI("pkcs11:object=x?pin-source=\(source)").pin(environment: ["PIN": "42"])
      }
      #expect(try pin("file:\(folder.path)/pin") == "4711")
      #expect(try pin("\(folder.path)/pin") == "4711")
      #expect(try pin("env:PIN") == "42")
      #expect(throws: TokenError.self) { try pin("env:NONE") }
      #expect(throws: TokenError.self) { try pin("\(folder.path)/none") }
      #expect(try PKCS11URI("pkcs11:object=x").pin(environment: [:]) == nil)
    }
  }
}

@Suite("Keys on a PKCS #11 token", .enabled(if: SoftToken.isPresent), .serialized)
struct TokenTests {
  let environment = ["PIN": "1234"]

  init() throws { try #require(SoftToken.prepare) }

  func key(_ kind: FileKey.Kind, _ name: String) throws -> TokenKey {
    let uri = try SoftToken.uri(name)
    do { return try TokenKey(uri, environment: environment) } catch TokenError.keyMissing {
      return try TokenKey.generate(kind, uri, environment: environment)
    }
  }

  @Test("signatures of every kind of key verify")
  func signatures() throws {
    let message = Array("message".utf8)
    for (kind, name, algorithms) in [
      (FileKey.Kind.p256, "p256", [SignatureAlgorithm.ecdsa(.sha256), .ecdsa(.sha512)]),
      (.p384, "p384", [.ecdsa(.sha384), .ecdsa(.sha3Bits256)]), (.p521, "p521", [.ecdsa(.sha512)]),
      (
        .rsa(bits: 2048), "rsa",
        [
          .rsaPKCS1(.sha256), .rsaPKCS1(.sha384), .rsaPKCS1(.sha512), .rsaPSS(.sha256),
          .rsaPSS(.sha512),
        ]
      ),
    ] {
      let key = try key(kind, name)
      #expect(key.publicKey.kind == kind.publicKind)
      for algorithm in algorithms {
        let signature = try key.signature(for: message, algorithm: algorithm)
        #expect(
          key.publicKey.isValidSignature(signature, for: message, algorithm: algorithm),
          "\(algorithm)")
        #expect(!key.publicKey.isValidSignature(signature, for: [1], algorithm: algorithm))
      }
      for wrong in [SignatureAlgorithm.ed25519, .ecdsa(.sha1), .rsaPKCS1(.sha1)] {
        #expect(throws: KeyError.self) { try key.signature(for: message, algorithm: wrong) }
      }
    }
  }

  @Test("many threads sign at once through few sessions")
  func pool() async throws {
    _ = try key(.p256, "pool")
    var parameters = TokenKeyParameters()
    parameters.maximumSessions = 2
    let key = try TokenKey(
      try SoftToken.uri("pool"), environment: environment, parameters: parameters)
    await withTaskGroup(of: Bool.self) { group in
      for number in 0..<200 {
        group.addTask {
          let message = Array("message \(number)".utf8)
          guard let signature = try? key.signature(for: message, algorithm: .ecdsa(.sha256)) else {
            return false
          }
          return key.publicKey.isValidSignature(
            signature, for: message, algorithm: .ecdsa(.sha256))
        }
      }
      for await isGood in group { #expect(isGood) }
    }
  }

  @Test("a time-stamp unit and an authority work with keys on the token")
  func unit() throws {
    let root = try TestAuthority()
    let key = try key(.p256, "unit")
    var template = CertificateTemplate(
      subject: TestAuthority.name("TSU"), publicKey: key.publicKey,
      notBefore: TestAuthority.start, notAfter: TestAuthority.end)
    template.keyUsage = [.digitalSignature]
    template.extendedKeyUsage = [OID.timeStamping]
    template.isExtendedKeyUsageCritical = true
    let unit = try TimeStampUnit(
      certificate: template.issue(issuer: root.certificate, key: root.key), key: key,
      parameters: TimeStampUnitParameters(policy: [1, 2, 3]))
    let token = try unit.stamp(
      TimeStampRequest(MessageImprint(.sha256, of: [1])), serialNumber: [1],
      genTime: TestAuthority.now)
    _ = try token.verify(
      content: [1], validator: CertificateValidator(anchors: [try root.anchor()]))
    try withFolder { folder in
      let authority = try CertificateAuthority.create(
        subject: TestAuthority.name("HSM root"), key: self.key(.rsa(bits: 2048), "root"),
        register: CertificateRegister(path: folder.path + "/register"), at: TestAuthority.now)
      #expect(authority.certificate.isSigned(by: try #require(authority.certificate.publicKey)))
    }
  }

  @Test("what is not there is said, and a wrong PIN refused")
  func refusals() throws {
    #expect(throws: TokenError.self) {
      try TokenKey(try SoftToken.uri("nothing"), environment: environment)
    }
    #expect(throws: TokenError.self) {
      try TokenKey(
        try PKCS11URI("pkcs11:token=Other;object=x"), module: SoftToken.module, pin: "1234")
    }
    #expect(throws: TokenError.self) {
      try TokenKey(try PKCS11URI("pkcs11:object=x"), module: "/nonexistent.so", pin: "1234")
    }
    #expect(throws: TokenError.self) { try TokenKey(try PKCS11URI("pkcs11:object=x"), pin: "1") }
  }
}

extension FileKey.Kind {
  var publicKind: PublicKey.Kind {
    switch self {
    case .rsa(let bits): .rsa(bits: bits)
    case .p256: .p256
    case .p384: .p384
    case .p521: .p521
    case .ed25519: .ed25519
    }
  }
}
