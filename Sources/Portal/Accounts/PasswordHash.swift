import Crypto
import CryptoExtras
import Foundation

/// A password as it is stored: scrypt (RFC 7914) with its cost and salt beside it, so that the cost
/// can rise later without locking anybody out.
struct PasswordHash: Sendable, Equatable {
  let rounds: Int
  let blockSize: Int
  let parallelism: Int
  let salt: [UInt8]
  let key: [UInt8]

  static let keyBytes = 32
  static let saltBytes = 16

  init(of password: String, parameters: PortalParameters) throws {
    rounds = parameters.scryptRounds
    blockSize = parameters.scryptBlockSize
    parallelism = parameters.scryptParallelism
    salt = Secret.random(Self.saltBytes)
    key = try Self.derive(
      password, salt: salt, rounds: rounds, blockSize: blockSize, parallelism: parallelism)
  }

  /// `scrypt$N$r$p$SALT$KEY`, salt and key in hexadecimal.
  var text: String {
    "scrypt$\(rounds)$\(blockSize)$\(parallelism)$\(Secret.hex(salt))$\(Secret.hex(key))"
  }

  /// Nil for what ``text`` did not write, and for costs that would take more than 1 GiB.
  init?(_ text: String) {
    let parts = text.split(separator: "$")
    guard parts.count == 6, parts[0] == "scrypt", let rounds = Int(parts[1]),
      let blockSize = Int(parts[2]), let parallelism = Int(parts[3]),
      rounds > 1, rounds <= 1 << 20, (1...16).contains(blockSize), (1...16).contains(parallelism),
      128 * rounds * blockSize <= 1 << 30,
      let salt = Secret.bytes(hex: parts[4]), let key = Secret.bytes(hex: parts[5])
    else { return nil }
    self.rounds = rounds
    self.blockSize = blockSize
    self.parallelism = parallelism
    self.salt = salt
    self.key = key
  }

  /// Takes the same time whether or not the password fits.
  func matches(_ password: String) throws -> Bool {
    let other = try Self.derive(
      password, salt: salt, rounds: rounds, blockSize: blockSize, parallelism: parallelism)
    return Secret.equal(other, key)
  }

  /// The password is hashed in Unicode normalisation form C (RFC 8265 §4.2.2), because keyboards
  /// send が as one scalar or as two.
  private static func derive(
    _ password: String, salt: [UInt8], rounds: Int, blockSize: Int, parallelism: Int
  ) throws -> [UInt8] {
    let phrase = Array(password.precomposedStringWithCanonicalMapping.utf8)
    let memory = 128 * blockSize * (rounds + parallelism + 4) + (1 << 20)
    let key = try KDF.Scrypt.deriveKey(
      from: phrase, salt: salt, outputByteCount: keyBytes, rounds: rounds, blockSize: blockSize,
      parallelism: parallelism, maxMemory: memory)
    return key.withUnsafeBytes { Array($0) }
  }
}

/// Hashes one password at a time: however many sign in at once, memory stays at one scrypt's, and
/// the other threads serve pages meanwhile.
actor PasswordBench {
  private let parameters: PortalParameters
  /// What a name without an account is checked against, so that the answer takes as long.
  private var decoy: PasswordHash?

  init(parameters: PortalParameters) { self.parameters = parameters }

  func hash(_ password: String) throws -> PasswordHash {
    try PasswordHash(of: password, parameters: parameters)
  }

  func check(_ password: String, against stored: PasswordHash?) throws -> Bool {
    if let stored { return try stored.matches(password) }
    if decoy == nil {
      decoy = try PasswordHash(of: Secret.token().text, parameters: parameters)
    }
    _ = try decoy?.matches(password)
    return false
  }
}

/// Random secrets and their comparison.
enum Secret {
  /// A token that a person or program holds, and its hash, which is what we hold.
  struct Token: Sendable {
    let text: String
    var hash: [UInt8] { Secret.hash(text) }
  }

  /// From the system's generator, which is cryptographically secure (getrandom).
  static func random(_ count: Int) -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return (0..<count).map { _ in generator.next() }
  }

  /// 256 random bits in hexadecimal.
  static func token(prefix: String = "") -> Token { Token(text: prefix + hex(random(32))) }

  /// SHA-256 is enough for a secret of 256 random bits: it cannot be guessed from its hash.
  static func hash(_ text: String) -> [UInt8] { Array(SHA256.hash(data: Array(text.utf8))) }

  /// A value that only the holder of the secret can have got from us, for one purpose.
  static func derived(from secret: String, for purpose: String) -> String {
    let key = SymmetricKey(data: Array(secret.utf8))
    return hex(
      Array(HMAC<SHA256>.authenticationCode(for: Array(purpose.utf8), using: key)).prefix(16))
  }

  static func hex(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  static func bytes(hex: some StringProtocol) -> [UInt8]? {
    let digits = Array(hex.utf8)
    guard digits.count.isMultiple(of: 2) else { return nil }
    var result: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      let pair = String(decoding: digits[index..<index + 2], as: UTF8.self)
      guard let byte = UInt8(pair, radix: 16) else { return nil }
      result.append(byte)
    }
    return result
  }

  /// In a time that depends on the length alone.
  static func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    var difference: UInt8 = 0
    for (a, b) in zip(left, right) { difference |= a ^ b }
    return difference == 0
  }

  static func equal(_ left: String, _ right: String) -> Bool {
    equal(Array(left.utf8), Array(right.utf8))
  }
}
