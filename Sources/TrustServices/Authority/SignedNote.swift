import Crypto
import FoundationEssentials

/// Whose signature a log's heads carry: a name and an Ed25519 key, written as
/// `name+keyhash+base64` (C2SP signed-note, "verifier key").
public struct LogVerifier: Hashable, Sendable, CustomStringConvertible {
  public let name: String
  let publicKey: [UInt8]
  let keyIdentifier: [UInt8]

  init(name: String, publicKey: [UInt8]) {
    self.name = name
    self.publicKey = publicKey
    // 1 is Ed25519's number.
    keyIdentifier = Array(
      HashAlgorithm.sha256.hash(Array(name.utf8) + [0x0A, 1] + publicKey).prefix(4))
  }

  /// Reads the text form; nil where it is broken.
  public init?(_ text: String) {
    let parts = text.split(separator: "+", maxSplits: 2).map(String.init)
    guard parts.count == 3, let data = Data(base64Encoded: parts[2]), data.count == 33,
      data.first == 1, !parts[0].isEmpty, !parts[0].contains(where: \.isWhitespace)
    else { return nil }
    self.init(name: parts[0], publicKey: Array(data.dropFirst()))
    guard Hexadecimal.text(keyIdentifier) == parts[1].lowercased() else { return nil }
  }

  public var description: String {
    "\(name)+\(Hexadecimal.text(keyIdentifier))+\(Data([1] + publicKey).base64EncodedString())"
  }

  /// The head in a signed note; nil where the signature is not this log's.
  public func head(in note: String) -> JournalHead? {
    text(of: note).flatMap { JournalHead(checkpoint: $0, origin: name) }
  }

  /// The text of a signed note; nil where none of its signatures is this key's.
  func text(of note: String) -> String? {
    guard let gap = note.firstRange(of: "\n\n") else { return nil }
    let text = note[..<gap.lowerBound] + "\n"
    for line in note[gap.upperBound...].split(separator: "\n") {
      let parts = line.split(separator: " ")
      guard parts.count == 3, parts[0] == "—", parts[1] == name,
        let data = Data(base64Encoded: String(parts[2])), data.count == 68,
        Array(data.prefix(4)) == keyIdentifier,
        let key = try? Curve25519.Signing.PublicKey(rawRepresentation: publicKey),
        key.isValidSignature(data.dropFirst(4), for: Data(text.utf8))
      else { continue }
      return String(text)
    }
    return nil
  }
}

/// Signs the heads of a log (C2SP signed-note and tlog-checkpoint).
///
/// The key is not the time-stamp unit's: that one signs nothing but stamps, and anybody may have a
/// text that looks like a head stamped.
public struct LogSigner: Sendable {
  public let verifier: LogVerifier
  private let key: FileKey

  /// A signer for the log of this name with an Ed25519 key.
  public init(name: String, key: FileKey) throws(KeyError) {
    guard case .ed25519 = key.publicKey.kind else {
      throw .unsupportedKey("kind for a log's heads; Ed25519 is needed")
    }
    self.key = key
    verifier = LogVerifier(name: name, publicKey: key.publicKey.keyOctets)
  }

  /// The head as a signed note.
  public func note(_ head: JournalHead) throws -> String {
    let text = head.checkpoint(origin: verifier.name)
    let signature = try key.signature(for: Array(text.utf8), algorithm: .ed25519)
    return text + "\n— \(verifier.name) "
      + Data(verifier.keyIdentifier + signature).base64EncodedString() + "\n"
  }
}

/// Octets as text.
enum Hexadecimal {
  private static let digits = Array("0123456789abcdef".utf8)

  static func append(_ octets: some Sequence<UInt8>, to text: inout [UInt8]) {
    for octet in octets {
      text.append(digits[Int(octet >> 4)])
      text.append(digits[Int(octet & 15)])
    }
  }

  static func text(_ octets: some Sequence<UInt8>) -> String {
    var text: [UInt8] = []
    append(octets, to: &text)
    return String(decoding: text, as: UTF8.self)
  }

  /// nil for an odd number of digits or anything that is none.
  static func octets(_ text: some StringProtocol) -> [UInt8]? {
    let digits = text.utf8.map { digit -> UInt8? in
      switch digit {
      case 0x30...0x39: digit - 0x30
      case 0x41...0x46: digit - 0x41 + 10
      case 0x61...0x66: digit - 0x61 + 10
      default: nil
      }
    }
    let known = digits.compactMap { $0 }
    guard known.count == digits.count, known.count % 2 == 0 else { return nil }
    return stride(from: 0, to: known.count, by: 2).map { known[$0] << 4 | known[$0 + 1] }
  }
}
