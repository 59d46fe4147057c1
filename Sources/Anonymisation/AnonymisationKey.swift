internal import Crypto
internal import CryptoExtras
import Foundation
import Glibc

/// The secret behind an anonymised data set: whoever has it can undo the anonymisation.
///
/// The same key maps the same address to the same pseudonym, so that data sets made with one key can
/// be joined; a data set that must not be joined with another gets a key of its own.
public struct AnonymisationKey: Sendable {
  /// 32 bytes: the AES-128 key, then the secret from which Crypto-PAn's pad is made.
  let bytes: [UInt8]

  public static let byteCount = 32

  /// A key from its 32 bytes; nil for any other number of bytes.
  public init?(bytes: some Collection<UInt8>) {
    guard bytes.count == Self.byteCount else { return nil }
    self.bytes = Array(bytes)
  }

  /// A new random key from the system's generator.
  public static func random() -> AnonymisationKey {
    var generator = SystemRandomNumberGenerator()
    // Exactly 32 bytes, the only condition of the initialiser.
    return AnonymisationKey(exact: (0..<byteCount).map { _ in generator.next() })
  }

  private init(exact bytes: [UInt8]) { self.bytes = bytes }

  /// A key from a passphrase that several people agreed on, by scrypt (RFC 7914) and HKDF-SHA256
  /// (RFC 5869).
  ///
  /// A published data set invites guessing, as one known address confirms a guess: scrypt makes each
  /// guess take some 0.5 s and 128 MB. It does not make a bad passphrase good.
  ///
  /// - Parameter dataset: the name of the data set, so that one passphrase gives unrelated keys.
  public init(passphrase: String, dataset: String) throws {
    guard passphrase.utf8.count >= AnonymisationParameters.shortestPassphraseBytes else {
      throw AnonymisationError(
        "The passphrase is too short: expected at least "
          + "\(AnonymisationParameters.shortestPassphraseBytes) bytes. Take several random words.")
    }
    let stretched = try KDF.Scrypt.deriveKey(
      from: Array(passphrase.utf8), salt: Array("noroshi anonymisation 1".utf8),
      outputByteCount: Self.byteCount, rounds: AnonymisationParameters.scryptRounds, blockSize: 8,
      parallelism: 1)
    let key = HKDF<SHA256>.deriveKey(
      inputKeyMaterial: stretched, info: Array(dataset.utf8), outputByteCount: Self.byteCount)
    bytes = key.withUnsafeBytes { Array($0) }
  }

  /// Reads a key file, as ``save(to:)`` writes it: 64 hexadecimal digits and a line end.
  ///
  /// - Throws: ``AnonymisationError`` when the file cannot be read, is not a key, or may be read by
  ///   other users of the machine.
  public init(contentsOf path: String) throws {
    var status = stat()
    guard stat(path, &status) == 0, let data = FileManager.default.contents(atPath: path) else {
      throw AnonymisationError(
        "The anonymisation key \(path) cannot be read. Make one, or check the path.")
    }
    guard status.st_mode & 0o077 == 0 else {
      throw AnonymisationError(
        "The anonymisation key \(path) may be read by other users; run `chmod 600 \(path)`, and "
          + "consider whether data sets made with it are still anonymous.")
    }
    let text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    let digits = text.utf8.compactMap { Self.digit($0) }
    guard text.utf8.count == 2 * Self.byteCount, digits.count == 2 * Self.byteCount else {
      throw AnonymisationError(
        "\(path) is not an anonymisation key: expected \(2 * Self.byteCount) hexadecimal digits.")
    }
    bytes = (0..<Self.byteCount).map { digits[2 * $0] << 4 | digits[2 * $0 + 1] }
  }

  /// Writes the key for its owner's eyes only (mode 0600). A file that exists is not replaced, as the
  /// key in it may be the only way to join older data sets.
  public func save(to path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw AnonymisationError(
        "The anonymisation key \(path) cannot be written: \(String(cString: strerror(errno))).")
    }
    let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    let hex = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() + "\n"
    do {
      try file.write(contentsOf: Data(hex.utf8))
      try file.synchronize()
      try file.close()
    } catch {
      unlink(path)
      throw AnonymisationError(
        "The anonymisation key \(path) cannot be written: \(error.localizedDescription).")
    }
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 48...57: byte - 48
    case 97...102: byte - 87
    case 65...70: byte - 55
    default: nil
    }
  }
}

/// Keys must not end up in logs: text made of a key is this.
extension AnonymisationKey: CustomStringConvertible, CustomReflectable {
  public var description: String { "AnonymisationKey(hidden)" }
  public var customMirror: Mirror { Mirror(self, children: []) }
}

/// The numbers that decide, with their sources.
public struct AnonymisationParameters: Sendable {
  /// scrypt's N, with r = 8 and p = 1: 128 MB and some 0.5 s a guess (RFC 7914 §2; the value of
  /// OWASP's Password Storage Cheat Sheet, 2023).
  public static let scryptRounds = 1 << 17
  /// Our own choice: three random words of a Diceware list are longer.
  public static let shortestPassphraseBytes = 12
  /// How many IPv4 /24 and IPv6 /64 networks, and how many addresses, keep their result. Our own
  /// choice: 6 MB, which stay in the second level of a server's cache in good part.
  public static let cachedNetworks = 1 << 16
  public static let cachedAddresses = 1 << 17
}

/// Why a key could not be had; the text says what to do.
public struct AnonymisationError: Error, CustomStringConvertible, Sendable {
  public let description: String
  init(_ description: String) { self.description = description }
}
