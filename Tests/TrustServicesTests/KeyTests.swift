import Foundation
import Testing
import TrustServices

@Suite("Keys and signatures")
struct KeyTests {
  /// Quick to open: the tests are not about how long PBKDF2 takes.
  var fewRounds: KeyEncryptionParameters {
    var parameters = KeyEncryptionParameters()
    parameters.rounds = 1000
    return parameters
  }

  static let kinds: [FileKey.Kind] = [.p256, .p384, .p521, .ed25519, .rsa(bits: 2048)]
  static let hashes: [HashAlgorithm] = [
    .sha256, .sha384, .sha512, .sha3Bits256, .sha3Bits384, .sha3Bits512,
  ]

  static func algorithms(_ key: FileKey) -> [SignatureAlgorithm] {
    switch key.publicKey.kind {
    case .rsa:
      [HashAlgorithm.sha256, .sha384, .sha512].flatMap { [.rsaPKCS1($0), .rsaPSS($0)] }
    case .ed25519: [.ed25519]
    default: hashes.map { .ecdsa($0) }
    }
  }

  @Test("what a key signs it verifies, and nothing else", arguments: kinds)
  func roundTrip(_ kind: FileKey.Kind) throws {
    let key = try FileKey.generate(kind)
    let other = try FileKey.generate(kind)
    let message = Array("烽火".utf8)
    for algorithm in Self.algorithms(key) {
      let signature = try key.signature(for: message, algorithm: algorithm)
      #expect(
        key.publicKey.isValidSignature(signature, for: message, algorithm: algorithm),
        "\(algorithm)")
      #expect(
        !key.publicKey.isValidSignature(signature, for: message + [0], algorithm: algorithm))
      #expect(!other.publicKey.isValidSignature(signature, for: message, algorithm: algorithm))
      #expect(
        !key.publicKey.isValidSignature(signature.dropLast(), for: message, algorithm: algorithm))
      #expect(SignatureAlgorithm(algorithm.algorithmIdentifier) == algorithm)
    }
    #expect(throws: KeyError.self) { try key.signature(for: message, algorithm: .ecdsa(.sha1)) }
    #expect(throws: KeyError.self) { try key.signature(for: message, algorithm: .rsaPKCS1(.sha1)) }
    #expect(throws: KeyError.self) {
      try key.signature(for: message, algorithm: .rsaPSS(.sha3Bits256))
    }
  }

  @Test("keys go to PKCS#8 and back, with a passphrase and without", arguments: kinds)
  func storage(_ kind: FileKey.Kind) throws {
    let key = try FileKey.generate(kind)
    #expect(try FileKey(pem: key.pem(passphrase: nil)).publicKey == key.publicKey)
    let locked = try key.pem(passphrase: "合言葉", parameters: fewRounds)
    #expect(try FileKey(pem: locked, passphrase: "合言葉").publicKey == key.publicKey)
    #expect(throws: KeyError.wrongPassphrase) { try FileKey(pem: locked, passphrase: "山") }
    #expect(throws: KeyError.passphraseNeeded) { try FileKey(pem: locked) }
  }

  @Test("openssl reads our encrypted keys and we read its", .enabled(if: OpenSSL.isPresent))
  func keysCross() throws {
    try withFolder { folder in
      for kind in Self.kinds {
        let key = try FileKey.generate(kind)
        try folder.put("k.pem", key.pem(passphrase: "open sesame", parameters: fewRounds).utf8)
        let read = try OpenSSL.run(
          "pkey", "-in", "k.pem", "-passin", "pass:open sesame", "-pubout", "-out", "p.pem",
          in: folder)
        #expect(read.status == 0, "\(read.output)")
        let text = String(decoding: try folder.get("p.pem"), as: UTF8.self)
        #expect(try PublicKey(pemEncoded: text) == key.publicKey)
        for options in [["aes-128-cbc", "hmacWithSHA1"], ["aes-256-cbc", "hmacWithSHA512"]] {
          try OpenSSL.run(
            "pkcs8", "-topk8", "-in", "k.pem", "-passin", "pass:open sesame", "-passout", "pass:x",
            "-v2", options[0], "-v2prf", options[1], "-out", "l.pem", in: folder)
          let theirs = String(decoding: try folder.get("l.pem"), as: UTF8.self)
          #expect(try FileKey(pem: theirs, passphrase: "x").publicKey == key.publicKey)
        }
      }
    }
  }

  /// The openssl options that make each algorithm's signature.
  static let opensslAlgorithms: [(SignatureAlgorithm, String, [String])] = [
    (.rsaPKCS1(.sha1), "rsa", ["-sha1"]), (.rsaPKCS1(.sha256), "rsa", ["-sha256"]),
    (.rsaPKCS1(.sha3Bits384), "rsa", ["-sha3-384"]),
    (
      .rsaPSS(.sha256), "rsa",
      ["-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"]
    ),
    (
      .rsaPSS(.sha256, mask: .sha1, saltLength: 17), "rsa",
      [
        "-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:17", "-sigopt",
        "rsa_mgf1_md:sha1",
      ]
    ),
    (
      .rsaPSS(.sha3Bits512, mask: .sha3Bits512, saltLength: 0), "rsa",
      ["-sha3-512", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:0"]
    ),
    (.ecdsa(.sha1), "ec", ["-sha1"]), (.ecdsa(.sha3Bits256), "ec", ["-sha3-256"]),
    (.ecdsa(.sha512), "ec", ["-sha512"]),
    (.dsa(.sha256), "dsa", ["-sha256"]), (.dsa(.sha1), "dsa", ["-sha1"]),
  ]

  @Test("openssl's signatures verify here", .enabled(if: OpenSSL.isPresent))
  func signaturesCross() throws {
    try withFolder { folder in
      try OpenSSL.run("genrsa", "-out", "rsa.pem", "2047", in: folder)
      try OpenSSL.run(
        "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "ec.pem", in: folder)
      try OpenSSL.run("dsaparam", "-genkey", "-out", "dsa.pem", "2048", in: folder)
      for name in ["rsa", "ec", "dsa"] {
        try OpenSSL.run("pkey", "-in", "\(name).pem", "-pubout", "-out", "\(name).pub", in: folder)
      }
      let message = Array("signed elsewhere".utf8)
      try folder.put("m", message)
      for (algorithm, name, options) in Self.opensslAlgorithms {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(OpenSSL.path))
        process.arguments = ["dgst"] + options + ["-sign", "\(name).pem", "-out", "s", "m"]
        process.currentDirectoryURL = folder
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(algorithm)")
        let key = try PublicKey(
          pemEncoded: String(decoding: try folder.get("\(name).pub"), as: UTF8.self))
        var signature = try folder.get("s")
        #expect(key.isValidSignature(signature, for: message, algorithm: algorithm), "\(algorithm)")
        #expect(!key.isValidSignature(signature, for: message + [1], algorithm: algorithm))
        signature[signature.count - 1] ^= 1
        #expect(!key.isValidSignature(signature, for: message, algorithm: algorithm))
      }
    }
  }

  @Test("digests are those of FIPS 180-4 and FIPS 202")
  func digests() {
    func hex(_ bytes: [UInt8]) -> String { bytes.map { String(format: "%02x", $0) }.joined() }
    #expect(hex(HashAlgorithm.sha1.hash("abc".utf8)) == "a9993e364706816aba3e25717850c26c9cd0d89d")
    #expect(
      hex(HashAlgorithm.sha3Bits256.hash("abc".utf8))
        == "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532")
    var running = RunningHash(.sha512)
    running.update(Array("ab".utf8))
    running.update(Array("c".utf8))
    #expect(running.finalize() == HashAlgorithm.sha512.hash("abc".utf8))
    for algorithm in HashAlgorithm.allCases {
      #expect(algorithm.hash([]).count == algorithm.byteCount)
      #expect(HashAlgorithm(algorithm.identifier) == algorithm)
    }
  }
}
