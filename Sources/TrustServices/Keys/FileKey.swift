import Crypto
import CryptoExtras
import FoundationEssentials
import SwiftASN1

/// A private key held in memory, read from and written to PKCS#8 (RFC 5958).
public struct FileKey: SigningKey {
  private enum Storage: Sendable {
    case rsa(_RSA.Signing.PrivateKey)
    case p256(P256.Signing.PrivateKey)
    case p384(P384.Signing.PrivateKey)
    case p521(P521.Signing.PrivateKey)
    case ed25519(Curve25519.Signing.PrivateKey)
  }

  /// What to generate.
  public enum Kind: Hashable, Sendable {
    /// 2048, 3072 or 4096 bits.
    case rsa(bits: Int)
    case p256, p384, p521, ed25519
  }

  private let storage: Storage
  public let publicKey: PublicKey

  /// A new key from the system's random numbers.
  public static func generate(_ kind: Kind) throws -> FileKey {
    switch kind {
    case .rsa(let bits):
      guard [2048, 3072, 4096].contains(bits) else {
        throw KeyError.unsupportedKey("RSA size of \(bits) bits")
      }
      return try FileKey(.rsa(.init(keySize: .init(bitCount: bits))))
    case .p256: return try FileKey(.p256(.init()))
    case .p384: return try FileKey(.p384(.init()))
    case .p521: return try FileKey(.p521(.init()))
    case .ed25519: return try FileKey(.ed25519(.init()))
    }
  }

  private init(_ storage: Storage) throws {
    self.storage = storage
    publicKey =
      switch storage {
      case .rsa(let key): try PublicKey(derEncoded: Array(key.publicKey.derRepresentation))
      case .p256(let key): try PublicKey(derEncoded: Array(key.publicKey.derRepresentation))
      case .p384(let key): try PublicKey(derEncoded: Array(key.publicKey.derRepresentation))
      case .p521(let key): try PublicKey(derEncoded: Array(key.publicKey.derRepresentation))
      case .ed25519(let key):
        PublicKey(
          .ed25519(key.publicKey), algorithm: AlgorithmIdentifier(OID.ed25519),
          keyOctets: Array(key.publicKey.rawRepresentation))
      }
  }

  /// Reads an unencrypted PrivateKeyInfo (RFC 5958 2), DER.
  public init(pkcs8 bytes: [UInt8]) throws {
    var reader = try ElementReader(der: bytes[...], as: "PrivateKeyInfo")
    guard try (0...1).contains(reader.smallInteger("version")) else {
      throw reader.wrong("version", "neither 0 nor 1")
    }
    let algorithm = try AlgorithmIdentifier(try reader.any("privateKeyAlgorithm"))
    let octets = Array(try reader.octets("privateKey"))
    switch algorithm.algorithm {
    case OID.rsaEncryption, OID.rsassaPSS:
      guard let key = try? _RSA.Signing.PrivateKey(derRepresentation: octets) else {
        throw KeyError.malformedKey("an RSA private key that is broken or below 2048 bits")
      }
      try self.init(.rsa(key))
    case OID.ecPublicKey:
      guard let parameters = algorithm.parameters,
        let curve = try? ASN1ObjectIdentifier(derEncoded: parameters)
      else { throw KeyError.unsupportedKey("EC without a named curve") }
      // ECPrivateKey (RFC 5915): the number alone is enough, and some writers leave the rest out.
      var inner = try ElementReader(der: octets[...], as: "ECPrivateKey")
      _ = try inner.smallInteger("version")
      let number = Array(try inner.octets("privateKey"))
      do {
        switch curve {
        case OID.p256: try self.init(.p256(.init(rawRepresentation: number)))
        case OID.p384: try self.init(.p384(.init(rawRepresentation: number)))
        case OID.p521: try self.init(.p521(.init(rawRepresentation: number)))
        default: throw KeyError.unsupportedKey("EC curve \(curve)")
        }
      } catch let error as KeyError {
        throw error
      } catch { throw KeyError.malformedKey("an EC private key out of range") }
    case OID.ed25519:
      let inner = try ASN1Node.parse(der: octets[...], as: "CurvePrivateKey")
      guard
        let key = try? Curve25519.Signing.PrivateKey(
          rawRepresentation: Array(inner.octets("CurvePrivateKey", "octets")))
      else { throw KeyError.malformedKey("an Ed25519 private key of the wrong length") }
      try self.init(.ed25519(key))
    default:
      throw KeyError.unsupportedKey("algorithm \(algorithm.algorithm)")
    }
  }

  /// Reads PEM: `PRIVATE KEY`, `ENCRYPTED PRIVATE KEY` with its passphrase, and the older
  /// `EC PRIVATE KEY` and `RSA PRIVATE KEY` unencrypted.
  public init(pem text: String, passphrase: String? = nil) throws {
    let blocks = try PEMBlock.list(text)
    guard let document = blocks.first(where: { $0.label.hasSuffix("PRIVATE KEY") }) else {
      throw KeyError.wrongPEM(expected: "PRIVATE KEY", found: blocks.first?.label ?? "nothing")
    }
    guard !document.hasHeaders else {
      throw KeyError.unsupportedEncryption("the PEM headers of RFC 1421")
    }
    switch document.label {
    case "PRIVATE KEY": try self.init(pkcs8: document.bytes)
    case "ENCRYPTED PRIVATE KEY":
      guard let passphrase else { throw KeyError.passphraseNeeded }
      try self.init(
        pkcs8: EncryptedPrivateKey.decrypt(document.bytes, passphrase: passphrase))
    case "RSA PRIVATE KEY":
      guard let key = try? _RSA.Signing.PrivateKey(derRepresentation: document.bytes) else {
        throw KeyError.malformedKey("an RSA private key that is broken or below 2048 bits")
      }
      try self.init(.rsa(key))
    case "EC PRIVATE KEY":
      if let key = try? P256.Signing.PrivateKey(derRepresentation: document.bytes) {
        try self.init(.p256(key))
      } else if let key = try? P384.Signing.PrivateKey(derRepresentation: document.bytes) {
        try self.init(.p384(key))
      } else if let key = try? P521.Signing.PrivateKey(derRepresentation: document.bytes) {
        try self.init(.p521(key))
      } else {
        throw KeyError.malformedKey("an EC private key on no supported curve")
      }
    default:
      throw KeyError.wrongPEM(expected: "PRIVATE KEY", found: document.label)
    }
  }

  /// The PrivateKeyInfo, DER and unencrypted: for an encryption or an owner-only file.
  public var pkcs8: [UInt8] {
    switch storage {
    case .rsa(let key): Array(key.pkcs8DERRepresentation)
    case .p256(let key): Array(key.derRepresentation)
    case .p384(let key): Array(key.derRepresentation)
    case .p521(let key): Array(key.derRepresentation)
    case .ed25519(let key):
      der {
        $0.sequence {
          $0.integer(0)
          AlgorithmIdentifier(OID.ed25519).write(&$0)
          $0.octets(der { $0.octets(key.rawRepresentation) })
        }
      }
    }
  }

  /// PEM, encrypted where a passphrase is given (PBES2, see ``EncryptedPrivateKey``).
  public func pem(passphrase: String?, parameters: KeyEncryptionParameters = .init()) throws
    -> String
  {
    guard let passphrase else {
      return PEMBlock.encode("PRIVATE KEY", pkcs8)
    }
    return PEMBlock.encode(
      "ENCRYPTED PRIVATE KEY",
      try EncryptedPrivateKey.encrypt(pkcs8, passphrase: passphrase, parameters: parameters))
  }

  public func signature(for message: [UInt8], algorithm: SignatureAlgorithm) throws -> [UInt8] {
    let refusal = KeyError.cannotSign("\(algorithm)")
    guard algorithm.hash.isCollisionResistant else { throw refusal }
    switch (storage, algorithm) {
    case (.rsa(let key), .rsaPKCS1(let hash)):
      switch hash {
      // swift-crypto's RSA knows SHA-2 alone and traps on SHA-3.
      case .sha3Bits256, .sha3Bits384, .sha3Bits512, .sha1: throw refusal
      case .sha256, .sha384, .sha512: break
      }
      return try Digests.with(hash, of: message) {
        Array(try key.signature(for: $0, padding: .insecurePKCS1v1_5).rawRepresentation)
      }
    case (.rsa(let key), .rsaPSS(let hash, let mask, let salt))
    where hash == mask && salt == hash.byteCount:
      switch hash {
      case .sha3Bits256, .sha3Bits384, .sha3Bits512, .sha1: throw refusal
      case .sha256, .sha384, .sha512: break
      }
      return try Digests.with(hash, of: message) {
        Array(try key.signature(for: $0, padding: .PSS).rawRepresentation)
      }
    case (.p256(let key), .ecdsa(let hash)):
      return try Digests.with(hash, of: message) {
        Array(try key.signature(for: $0).derRepresentation)
      }
    case (.p384(let key), .ecdsa(let hash)):
      return try Digests.with(hash, of: message) {
        Array(try key.signature(for: $0).derRepresentation)
      }
    case (.p521(let key), .ecdsa(let hash)):
      return try Digests.with(hash, of: message) {
        Array(try key.signature(for: $0).derRepresentation)
      }
    case (.ed25519(let key), .ed25519):
      return Array(try key.signature(for: message))
    default: throw refusal
    }
  }
}
