import Foundation
import NetworkTypes
import Testing

@testable import TrustServices

@Suite("JAdES seals")
struct SealsJAdESTests {
  static let bundle = Array(#"{"type":"bundle","objects":[{"name":"警報"}]}"#.utf8)

  private func sealer(_ house: SealHouse, _ algorithm: SignatureAlgorithm? = nil) throws
    -> JAdESSealer
  {
    let cades = try house.sealer(algorithm: algorithm)
    var sealer = JAdESSealer(
      identity: cades.identity, timeStamps: cades.timeStamps, revocation: cades.revocation)
    sealer.certificates = cades.certificates
    sealer.anchors = cades.anchors
    return sealer
  }

  @Test(
    "every level and serialisation is made and passes", arguments: SealLevel.allCases,
    JSONWebSignature.Serialization.allCases)
  func levels(level: SealLevel, serialization: JSONWebSignature.Serialization) async throws {
    let house = try SealHouse()
    let seal = try await sealer(house).seal(
      Self.bundle, contentType: "json", level: level, serialization: serialization,
      at: TestAuthority.now)
    let again = try JSONWebSignature(encoded: seal.encoded)
    #expect(again.payload == Self.bundle)
    let report = try house.validator(crls: [house.crl]).validate(jws: seal.encoded)
    #expect(report.verdict == "TOTAL-PASSED", "\(report)")
    #expect(report.signatures[0].level == level)
    #expect((report.signatures[0].provenTime != nil) == (level > .basic))
    #expect(report.signatures[0].claimedTime == TestAuthority.now)
    #expect(report.signatures[0].timeStamps.allSatisfy { $0.conclusion == .passed })
  }

  @Test(
    "every kind of key seals",
    arguments: [
      (FileKey.Kind.rsa(bits: 2048), SignatureAlgorithm.rsaPKCS1(.sha256)),
      (.rsa(bits: 2048), .rsaPSS(.sha256)), (.p256, .ecdsa(.sha256)), (.p384, .ecdsa(.sha384)),
      (.p521, .ecdsa(.sha512)), (.ed25519, .ed25519),
    ])
  func kinds(kind: FileKey.Kind, algorithm: SignatureAlgorithm) async throws {
    let house = try SealHouse(kind)
    let seal = try await sealer(house, algorithm).seal(
      Self.bundle, serialization: .compact, at: TestAuthority.now)
    #expect(
      try house.validator(crls: [house.crl]).validate(jws: seal.encoded).verdict == "TOTAL-PASSED")
  }

  @Test(
    "files kept apart are sealed by their digests, at every level", arguments: SealLevel.allCases)
  func detached(level: SealLevel) async throws {
    let house = try SealHouse()
    var digester = ContentDigester([.sha256])
    digester.update(Self.bundle.prefix(5))
    digester.update(Self.bundle.dropFirst(5))
    let named = NamedContent(name: "警報 1.json", content: digester.finalize())
    let seal = try await sealer(house).seal(detached: [named], level: level, at: TestAuthority.now)
    let validator = try house.validator(crls: [house.crl])
    let text = String(decoding: seal.encoded, as: UTF8.self)
    #expect(!text.contains("payload"))
    for content in [named, NamedContent(name: "警報 1.json", content: ContentDigests(Self.bundle))] {
      let report = validator.validate(jws: seal.encoded, contents: [content])
      #expect(report.verdict == "TOTAL-PASSED", "\(report)")
      #expect(report.signatures[0].covers[0].name == "警報 1.json")
      #expect(report.signatures[0].timeStamps.allSatisfy { $0.conclusion == .passed })
    }
    #expect(
      validator.validate(
        jws: seal.encoded,
        contents: [NamedContent(name: "警報 1.json", content: ContentDigests([1]))]
      ).verdict == "TOTAL-FAILED HASH_FAILURE")
    #expect(
      validator.validate(jws: seal.encoded).verdict == "INDETERMINATE SIGNED_DATA_NOT_FOUND")
  }

  @Test("a compact seal is brought to B-LTA and renewed a day later")
  func extended() async throws {
    let house = try SealHouse()
    let compact = try await sealer(house).seal(
      Self.bundle, serialization: .compact, at: TestAuthority.now)
    let archived = try await sealer(house).extend(
      try JSONWebSignature(encoded: compact.encoded), to: .archive)
    let later = TestAuthority.now.advanced(bySeconds: 86_400)
    var renewer = try sealer(house)
    renewer.timeStamps = try house.stamps(at: later)
    let renewed = try await renewer.extend(
      try JSONWebSignature(encoded: archived.encoded), to: .archive)
    let report = try house.validator(at: later).validate(jws: renewed.encoded)
    #expect(report.verdict == "TOTAL-PASSED", "\(report)")
    #expect(report.signatures[0].timeStamps.map(\.kind) == [.signature, .archive, .archive])
    #expect(report.signatures[0].timeStamps.allSatisfy { $0.conclusion == .passed })
  }

  @Test("changes are told by what was changed")
  func broken() async throws {
    let house = try SealHouse()
    let seal = try await sealer(house).seal(
      Self.bundle, level: .timeStamped, at: TestAuthority.now)
    let validator = try house.validator(crls: [house.crl])
    func verdict(_ change: (inout JSONObject) -> Void) throws -> String {
      var object = try #require(try JSONValue(parsing: seal.encoded, as: "test").object)
      change(&object)
      return validator.validate(jws: JSONValue.object(object).encoded).verdict
    }
    #expect(
      try verdict { $0["payload"] = .string(Base64URL.text([1, 2])) }
        == "TOTAL-FAILED SIG_CRYPTO_FAILURE")
    #expect(try verdict { $0["payload"] = .string("!") } == "TOTAL-FAILED FORMAT_FAILURE")
    #expect(try verdict { $0["signature"] = .string("AA") } == "TOTAL-FAILED SIG_CRYPTO_FAILURE")
    #expect(try verdict { $0["protected"] = nil } == "TOTAL-FAILED FORMAT_FAILURE")
    #expect(
      try verdict { $0["header"] = .object(JSONObject([("alg", .string("none"))])) }
        == "TOTAL-FAILED FORMAT_FAILURE")
    #expect(
      validator.validate(jws: Array("a.b".utf8)).verdict == "TOTAL-FAILED FORMAT_FAILURE")
    #expect(validator.validate(jws: []).verdict == "TOTAL-FAILED FORMAT_FAILURE")
    #expect(
      validator.validate(jws: Array(repeating: UInt8(ascii: "["), count: 100_000)).verdict
        == "TOTAL-FAILED FORMAT_FAILURE")
  }

  @Test("`none`, HMAC and another curve's algorithm never verify")
  func algorithms() async throws {
    let house = try SealHouse()
    let seal = try await sealer(house).seal(
      Self.bundle, serialization: .compact, at: TestAuthority.now)
    let parts = seal.encoded.split(separator: UInt8(ascii: "."))
    for name in ["none", "HS256", "ES384", "ES256K"] {
      let decoded = try #require(Base64URL.decode(parts[0]))
      var header = try #require(try JSONValue(parsing: decoded, as: "test").object)
      header["alg"] = .string(name)
      let forged =
        Base64URL.encode(JSONValue.object(header).encoded) + [46] + parts[1] + [46] + parts[2]
      #expect(
        try house.validator(crls: [house.crl]).validate(jws: forged).conclusion.indication
          != .totalPassed)
    }
  }

  @Test("strict JSON refuses what two readers might read differently")
  func json() {
    for text in [
      #"{"a":1,"a":2}"#, #"{"a":1,"\u0061":2}"#, #"{"a":01}"#, #"{"a":1,}"#, #"["a" "b"]"#,
      "{\"a\":\"\n\"}", #""\ud800""#, #""\x""#, "nul", "", "[1]]", "\"\u{0}\"", "1.", "-", "+1",
    ] {
      #expect(throws: MalformedStructure.self, "\(text)") {
        try JSONValue(parsing: Array(text.utf8), as: "test")
      }
    }
    let text = #"{"b":[1.50,-0,1e9,true,null],"a":"\"\\\u0001é😀"}"#
    #expect((try? JSONValue(parsing: Array(text.utf8), as: "t"))?.encoded == Array(text.utf8))
    #expect(Base64URL.decode(Array("AB".utf8)) == nil)
    #expect(Base64URL.decode(Array("A".utf8)) == nil)
    #expect(Base64URL.decode(Array("AA==".utf8)) == nil)
    for count in 0..<40 {
      let octets = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) }
      #expect(Base64URL.decode(Base64URL.encode(octets)) == octets)
    }
  }

  @Test("jwcrypto accepts what is made", .enabled(if: Python.has("jwcrypto")))
  func jwcrypto() async throws {
    let house = try SealHouse()
    for serialization in JSONWebSignature.Serialization.allCases {
      let seal = try await sealer(house).seal(
        Self.bundle, level: serialization == .compact ? .basic : .timeStamped,
        serialization: serialization, at: TestAuthority.now)
      try withFolder { folder in
        try folder.put("seal.json", seal.encoded)
        try folder.put("cert.pem", Array(house.seal.certificate.pem.utf8))
        let outcome = try Python.run(
          """
          from jwcrypto import jws, jwk
          token = jws.JWS()
          token.deserialize(open('seal.json').read())
          token.verify(jwk.JWK.from_pem(open('cert.pem','rb').read()))
          import sys; sys.stdout.buffer.write(token.payload)
          """, in: folder)
        #expect(outcome.status == 0, "\(outcome.output)")
        #expect(outcome.output == String(decoding: Self.bundle, as: UTF8.self))
      }
    }
  }
}

/// The Python for which `scripts/setup` installs the verifiers of other people.
enum Python {
  static func run(_ program: String, in folder: URL) throws -> OpenSSL.Outcome {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-c", program]
    process.currentDirectoryURL = folder
    process.standardInput = FileHandle.nullDevice
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return OpenSSL.Outcome(
      status: process.terminationStatus, output: String(decoding: output, as: UTF8.self))
  }

  static func has(_ module: String) -> Bool {
    (try? run("import \(module)", in: FileManager.default.temporaryDirectory).status) == 0
  }
}
