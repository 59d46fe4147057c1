import Crypto
import CryptoExtras
import FoundationEssentials
import SwiftASN1

/// A public key that verifies: RSA, ECDSA on P-256, P-384 and P-521, Ed25519, and DSA for old
/// certificates.
public struct PublicKey: Hashable, Sendable {
  /// What kind of key it is, with its size in bits.
  public enum Kind: Hashable, Sendable {
    case rsa(bits: Int)
    case p256, p384, p521, ed25519
    case dsa(bits: Int)
  }

  enum Storage: Sendable {
    case rsa(RSAPublicKey)
    case p256(P256.Signing.PublicKey)
    case p384(P384.Signing.PublicKey)
    case p521(P521.Signing.PublicKey)
    case ed25519(Curve25519.Signing.PublicKey)
    case dsa(DSAPublicKey)
  }

  let storage: Storage
  /// The SubjectPublicKeyInfo, DER.
  public let subjectPublicKeyInfo: [UInt8]
  /// The octets of the key's BIT STRING: what key identifiers are computed over.
  let keyOctets: [UInt8]

  public static func == (left: Self, right: Self) -> Bool {
    left.subjectPublicKeyInfo == right.subjectPublicKeyInfo
  }

  public func hash(into hasher: inout Hasher) { hasher.combine(subjectPublicKeyInfo) }

  /// What kind of key this is.
  public var kind: Kind {
    switch storage {
    case .rsa(let key): .rsa(bits: key.bitCount)
    case .p256: .p256
    case .p384: .p384
    case .p521: .p521
    case .ed25519: .ed25519
    case .dsa(let key): .dsa(bits: key.bitCount)
    }
  }

  /// Reads a SubjectPublicKeyInfo (RFC 5280 4.1.2.7); an algorithm that is not verified here is an
  /// error.
  public init(derEncoded bytes: [UInt8]) throws {
    self = try SubjectPublicKeyInfo(try ASN1Node.parse(der: bytes[...], as: "SubjectPublicKeyInfo"))
      .key()
  }

  /// Reads the PEM form, `-----BEGIN PUBLIC KEY-----`.
  public init(pemEncoded text: String) throws {
    let blocks = try PEMBlock.list(text)
    guard let block = blocks.first(where: { $0.label == "PUBLIC KEY" }) else {
      throw KeyError.wrongPEM(expected: "PUBLIC KEY", found: blocks.first?.label ?? "nothing")
    }
    try self.init(derEncoded: block.bytes)
  }

  init(_ storage: Storage, subjectPublicKeyInfo: [UInt8], keyOctets: [UInt8]) {
    self.storage = storage
    self.subjectPublicKeyInfo = subjectPublicKeyInfo
    self.keyOctets = keyOctets
  }

  init(_ storage: Storage, algorithm: AlgorithmIdentifier, keyOctets: [UInt8]) {
    self.init(
      storage,
      subjectPublicKeyInfo: der {
        $0.sequence {
          algorithm.write(&$0)
          $0.bits(keyOctets)
        }
      }, keyOctets: keyOctets)
  }

  /// The key identifier of method 1 (RFC 5280 4.2.1.2): SHA-1 over the key's octets.
  public var keyIdentifier: [UInt8] { HashAlgorithm.sha1.hash(keyOctets) }

  /// Whether `signature` over `message` was made with this key; false too where key and algorithm
  /// do not belong together.
  public func isValidSignature(
    _ signature: some Collection<UInt8>, for message: some Collection<UInt8>,
    algorithm: SignatureAlgorithm
  ) -> Bool {
    let signature = Array(signature)
    switch (storage, algorithm) {
    case (.rsa(let key), .rsaPKCS1), (.rsa(let key), .rsaPSS):
      return key.isValid(signature, for: message, algorithm: algorithm)
    case (.p256(let key), .ecdsa(let hash)):
      guard let parsed = try? P256.Signing.ECDSASignature(derRepresentation: signature) else {
        return false
      }
      return Digests.with(hash, of: message) { key.isValidSignature(parsed, for: $0) }
    case (.p384(let key), .ecdsa(let hash)):
      guard let parsed = try? P384.Signing.ECDSASignature(derRepresentation: signature) else {
        return false
      }
      return Digests.with(hash, of: message) { key.isValidSignature(parsed, for: $0) }
    case (.p521(let key), .ecdsa(let hash)):
      guard let parsed = try? P521.Signing.ECDSASignature(derRepresentation: signature) else {
        return false
      }
      return Digests.with(hash, of: message) { key.isValidSignature(parsed, for: $0) }
    case (.ed25519(let key), .ed25519):
      return key.isValidSignature(signature, for: Array(message))
    case (.dsa(let key), .dsa(let hash)):
      return key.isValid(signature, digest: hash.hash(message))
    default:
      return false
    }
  }
}

/// Hands swift-crypto's typed digests to generic code.
enum Digests {
  static func with<Result>(
    _ algorithm: HashAlgorithm, of message: some Collection<UInt8>,
    _ body: (any Digest) throws -> Result
  ) rethrows -> Result {
    let bytes = Array(message)
    return switch algorithm {
    case .sha1: try body(Insecure.SHA1.hash(data: bytes))
    case .sha256: try body(SHA256.hash(data: bytes))
    case .sha384: try body(SHA384.hash(data: bytes))
    case .sha512: try body(SHA512.hash(data: bytes))
    case .sha3Bits256: try body(SHA3_256.hash(data: bytes))
    case .sha3Bits384: try body(SHA3_384.hash(data: bytes))
    case .sha3Bits512: try body(SHA3_512.hash(data: bytes))
    }
  }
}

/// SubjectPublicKeyInfo (RFC 5280 4.1.2.7) before anybody asks whether its algorithm is known.
struct SubjectPublicKeyInfo: Hashable, Sendable {
  let algorithm: AlgorithmIdentifier
  let keyOctets: [UInt8]
  let encoded: [UInt8]

  init(_ node: ASN1Node) throws(MalformedStructure) {
    var reader = try ElementReader(node, as: "SubjectPublicKeyInfo")
    algorithm = try AlgorithmIdentifier(try reader.any("algorithm"))
    keyOctets = Array(try reader.bits("subjectPublicKey").bytes)
    try reader.end()
    encoded = Array(node.encodedBytes)
  }

  /// The usable key; `inherited` are DSA parameters of the issuer (RFC 3279 2.3.2).
  func key(inherited: DSAParameters? = nil) throws -> PublicKey {
    let storage: PublicKey.Storage
    switch algorithm.algorithm {
    case OID.rsaEncryption, OID.rsassaPSS:
      storage = .rsa(try RSAPublicKey(keyOctets))
    case OID.ecPublicKey:
      guard let parameters = algorithm.parameters,
        let curve = try? ASN1ObjectIdentifier(derEncoded: parameters)
      else { throw KeyError.unsupportedKey("EC without a named curve") }
      do {
        let isCompressed = keyOctets.first == 2 || keyOctets.first == 3
        switch curve {
        case OID.p256:
          storage = .p256(
            isCompressed
              ? try .init(compressedRepresentation: keyOctets)
              : try .init(x963Representation: keyOctets))
        case OID.p384:
          storage = .p384(
            isCompressed
              ? try .init(compressedRepresentation: keyOctets)
              : try .init(x963Representation: keyOctets))
        case OID.p521:
          storage = .p521(
            isCompressed
              ? try .init(compressedRepresentation: keyOctets)
              : try .init(x963Representation: keyOctets))
        default: throw KeyError.unsupportedKey("EC curve \(curve)")
        }
      } catch let error as KeyError {
        throw error
      } catch { throw KeyError.malformedKey("a point that is not on its curve") }
    case OID.ed25519:
      guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: keyOctets) else {
        throw KeyError.malformedKey("an Ed25519 key of \(keyOctets.count) octets")
      }
      storage = .ed25519(key)
    case OID.dsa:
      guard let parameters = try DSAParameters(algorithm.parameters) ?? inherited else {
        throw KeyError.malformedKey("a DSA key without parameters, and none inherited")
      }
      storage = .dsa(try DSAPublicKey(keyOctets, parameters))
    default:
      throw KeyError.unsupportedKey("algorithm \(algorithm.algorithm)")
    }
    return PublicKey(storage, subjectPublicKeyInfo: encoded, keyOctets: keyOctets)
  }
}
