import Crypto
import CryptoExtras
import FoundationEssentials
import SwiftASN1

/// Numbers of the encryption of key files.
public struct KeyEncryptionParameters: Sendable {
  /// PBKDF2 rounds on writing: OWASP's figure of 2023 for HMAC-SHA-256.
  public var rounds = 600_000
  /// The most rounds on reading, about 3 s of one core; our own choice, so that a hostile file
  /// cannot stall the process.
  public var maximumRounds = 5_000_000
  /// Octets of salt on writing (RFC 8018 4.1 asks for 8 or more).
  public var saltLength = 16

  /// The values above.
  public init() {}
}

/// EncryptedPrivateKeyInfo (RFC 5958 3) with PBES2, PBKDF2 and AES-CBC (RFC 8018 6.2).
public enum EncryptedPrivateKey {
  /// Opens the DER of an EncryptedPrivateKeyInfo and gives the PrivateKeyInfo inside.
  public static func decrypt(
    _ bytes: [UInt8], passphrase: String, parameters: KeyEncryptionParameters = .init()
  ) throws -> [UInt8] {
    var outer = try ElementReader(der: bytes[...], as: "EncryptedPrivateKeyInfo")
    let scheme = try AlgorithmIdentifier(try outer.any("encryptionAlgorithm"))
    let ciphertext = Array(try outer.octets("encryptedData"))
    try outer.end()
    guard scheme.algorithm == OID.pbes2, let encoded = scheme.parameters else {
      throw KeyError.unsupportedEncryption("\(scheme.algorithm)")
    }
    var pbes2 = try ElementReader(der: encoded[...], as: "PBES2-params")
    let derivation = try AlgorithmIdentifier(try pbes2.any("keyDerivationFunc"))
    let cipher = try AlgorithmIdentifier(try pbes2.any("encryptionScheme"))
    guard derivation.algorithm == OID.pbkdf2, let pbkdf2 = derivation.parameters else {
      throw KeyError.unsupportedEncryption("key derivation \(derivation.algorithm)")
    }
    let keyLength =
      switch cipher.algorithm {
      case OID.aes128CBC: 16
      case OID.aes192CBC: 24
      case OID.aes256CBC: 32
      default: throw KeyError.unsupportedEncryption("cipher \(cipher.algorithm)")
      }
    guard let ivBytes = cipher.parameters else {
      throw MalformedStructure("PBES2-params", "encryptionScheme", "no initialisation vector")
    }
    let iv = try ASN1Node.parse(der: ivBytes[...], as: "PBES2-params")
      .octets("PBES2-params", "iv")
    let key = try derive(passphrase, pbkdf2, keyLength: keyLength, parameters)
    guard iv.count == 16,
      let plain = try? AES._CBC.decrypt(
        ciphertext, using: key, iv: AES._CBC.IV(ivBytes: Array(iv))),
      // A wrong key passes the padding check once in 256 times; what comes out is no SEQUENCE then.
      (try? DER.parse(Array(plain))) != nil
    else { throw KeyError.wrongPassphrase }
    return Array(plain)
  }

  private static func derive(
    _ passphrase: String, _ encoded: [UInt8], keyLength: Int, _ limits: KeyEncryptionParameters
  ) throws -> SymmetricKey {
    var reader = try ElementReader(der: encoded[...], as: "PBKDF2-params")
    let salt = Array(try reader.octets("salt"))
    let rounds = try reader.smallInteger("iterationCount")
    if let stated = reader.optional(.integer),
      try stated.smallInteger("PBKDF2-params", "keyLength") != keyLength
    {
      throw reader.wrong("keyLength", "not the cipher's \(keyLength)")
    }
    var hash = KDF.Insecure.PBKDF2.HashFunction.insecureSHA1
    if !reader.isAtEnd {
      let function = try AlgorithmIdentifier(try reader.any("prf"))
      switch function.algorithm {
      case OID.hmacSHA1: hash = .insecureSHA1
      case OID.hmacSHA256: hash = .sha256
      case OID.hmacSHA384: hash = .sha384
      case OID.hmacSHA512: hash = .sha512
      default: throw KeyError.unsupportedEncryption("PBKDF2 with \(function.algorithm)")
      }
    }
    guard rounds > 0, rounds <= limits.maximumRounds else {
      throw KeyError.unsupportedEncryption("PBKDF2 of \(rounds) rounds")
    }
    return try KDF.Insecure.PBKDF2.deriveKey(
      from: Array(passphrase.utf8), salt: salt, using: hash, outputByteCount: keyLength,
      unsafeUncheckedRounds: rounds)
  }

  /// Encrypts a PrivateKeyInfo: PBKDF2 with HMAC-SHA-256, AES-256-CBC.
  public static func encrypt(
    _ privateKeyInfo: [UInt8], passphrase: String, parameters: KeyEncryptionParameters = .init()
  ) throws -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    let salt = (0..<parameters.saltLength).map { _ in UInt8.random(in: 0...255, using: &generator) }
    let key = try KDF.Insecure.PBKDF2.deriveKey(
      from: Array(passphrase.utf8), salt: salt, using: .sha256, outputByteCount: 32,
      unsafeUncheckedRounds: parameters.rounds)
    let iv = AES._CBC.IV()
    let ciphertext = try AES._CBC.encrypt(privateKeyInfo, using: key, iv: iv)
    let derivation = AlgorithmIdentifier(
      OID.pbkdf2,
      parameters: der {
        $0.sequence {
          $0.octets(salt)
          $0.integer(parameters.rounds)
          AlgorithmIdentifier(OID.hmacSHA256, parameters: AlgorithmIdentifier.null).write(&$0)
        }
      })
    let cipher = AlgorithmIdentifier(OID.aes256CBC, parameters: der { $0.octets(Array(iv)) })
    return der {
      $0.sequence {
        AlgorithmIdentifier(
          OID.pbes2,
          parameters: der {
            $0.sequence {
              derivation.write(&$0)
              cipher.write(&$0)
            }
          }
        ).write(&$0)
        $0.octets(ciphertext)
      }
    }
  }
}
