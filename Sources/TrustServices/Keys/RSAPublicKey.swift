import Crypto
import CryptoExtras
import FoundationEssentials
import SwiftASN1

/// An RSA key: swift-crypto verifies what it can, the rest (SHA-3, unusual PSS salts, sizes it
/// refuses) is verified here after the public operation.
struct RSAPublicKey: Sendable {
  private let fast: _RSA.Signing.PublicKey?
  private let modulus: [UInt8]
  private let exponent: [UInt8]
  let bitCount: Int

  /// Reads an RSAPublicKey (RFC 8017 A.1.1) of 512 to 8,192 bits.
  init(_ keyOctets: [UInt8]) throws {
    var reader = try ElementReader(der: keyOctets[...], as: "RSAPublicKey")
    modulus = Array(try reader.integer("modulus").drop { $0 == 0 })
    exponent = Array(try reader.integer("publicExponent").drop { $0 == 0 })
    try reader.end()
    bitCount = MontgomeryModulus.bitCount(MontgomeryModulus.limbs(modulus))
    // 33 bits: no key in use has a larger exponent, and a large one is a way to stall a verifier.
    guard (512...8192).contains(bitCount), let last = exponent.last, last & 1 == 1,
      exponent.count <= 5, exponent != [1], modulus.last.map({ $0 & 1 == 1 }) == true
    else { throw KeyError.malformedKey("an RSA key of \(bitCount) bits or with a bad exponent") }
    fast =
      bitCount >= 1024
      ? try? _RSA.Signing.PublicKey(unsafeDERRepresentation: keyOctets) : nil
  }

  func isValid(
    _ signature: [UInt8], for message: some Collection<UInt8>, algorithm: SignatureAlgorithm
  ) -> Bool {
    if let fast, let padding = Self.fastPadding(algorithm) {
      return Digests.with(algorithm.hash, of: message) {
        fast.isValidSignature(.init(rawRepresentation: signature), for: $0, padding: padding)
      }
    }
    guard signature.count == modulus.count,
      let n = MontgomeryModulus(modulus, maximumBits: 8192),
      case let s = MontgomeryModulus.limbs(signature), MontgomeryModulus.isLess(s, n.limbs)
    else { return false }
    let encoded = MontgomeryModulus.bytes(
      n.power(s, MontgomeryModulus.limbs(exponent)), count: modulus.count)
    let digest = algorithm.hash.hash(message)
    switch algorithm {
    case .rsaPKCS1(let hash):
      return Self.isPKCS1(encoded, digest: digest, hash: hash)
    case .rsaPSS(let hash, let mask, let salt):
      return isPSS(encoded, digest: digest, hash: hash, mask: mask, saltLength: salt)
    default: return false
    }
  }

  /// nil where swift-crypto has no such padding; for SHA-3 it would trap.
  private static func fastPadding(_ algorithm: SignatureAlgorithm) -> _RSA.Signing.Padding? {
    switch algorithm.hash {
    case .sha1, .sha256, .sha384, .sha512: break
    case .sha3Bits256, .sha3Bits384, .sha3Bits512: return nil
    }
    switch algorithm {
    case .rsaPKCS1: return .insecurePKCS1v1_5
    case .rsaPSS(let hash, let mask, let salt) where hash == mask && salt == hash.byteCount:
      return .PSS
    default: return nil
    }
  }

  /// EMSA-PKCS1-v1_5 (RFC 8017 9.2), compared as a whole, with NULL parameters or without
  /// (RFC 8017 A.2.4 for old hashes, RFC 9688 for SHA-3).
  private static func isPKCS1(_ encoded: [UInt8], digest: [UInt8], hash: HashAlgorithm) -> Bool {
    for parameters in [AlgorithmIdentifier.null, nil] {
      let info = der {
        $0.sequence {
          AlgorithmIdentifier(hash.identifier, parameters: parameters).write(&$0)
          $0.octets(digest)
        }
      }
      guard encoded.count >= info.count + 11 else { return false }
      let padding = [UInt8](repeating: 0xFF, count: encoded.count - info.count - 3)
      if encoded == [0, 1] + padding + [0] + info { return true }
    }
    return false
  }

  /// EMSA-PSS-VERIFY (RFC 8017 9.1.2).
  private func isPSS(
    _ representative: [UInt8], digest: [UInt8], hash: HashAlgorithm, mask: HashAlgorithm,
    saltLength: Int
  ) -> Bool {
    let bits = bitCount - 1
    let length = (bits + 7) / 8
    let encoded = representative.suffix(length)
    if length < representative.count, representative[0] != 0 { return false }
    guard length >= hash.byteCount + saltLength + 2, encoded.last == 0xBC else { return false }
    let maskedDB = Array(encoded.prefix(length - hash.byteCount - 1))
    let h = Array(encoded.dropFirst(maskedDB.count).prefix(hash.byteCount))
    let unused = UInt8(8 * length - bits)
    guard maskedDB[0] & ~(0xFF >> unused) == 0 else { return false }
    var db = zip(maskedDB, Self.mgf1(h, count: maskedDB.count, mask)).map { $0 ^ $1 }
    db[0] &= 0xFF >> unused
    let zeros = length - hash.byteCount - saltLength - 2
    guard db.prefix(zeros).allSatisfy({ $0 == 0 }), db[zeros] == 1 else { return false }
    return hash.hash([UInt8](repeating: 0, count: 8) + digest + db.suffix(saltLength)) == h
  }

  /// MGF1 (RFC 8017 B.2.1).
  private static func mgf1(_ seed: [UInt8], count: Int, _ hash: HashAlgorithm) -> [UInt8] {
    var output: [UInt8] = []
    var counter: UInt32 = 0
    while output.count < count {
      output += hash.hash(
        seed + (0..<4).map { UInt8(truncatingIfNeeded: counter >> (24 - UInt32($0) * 8)) })
      counter += 1
    }
    return Array(output.prefix(count))
  }
}
