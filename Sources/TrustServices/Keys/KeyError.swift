/// Why a key cannot be used.
public enum KeyError: Error, Hashable, Sendable, CustomStringConvertible {
  case wrongPEM(expected: String, found: String)
  case unsupportedKey(String)
  case malformedKey(String)
  case unsupportedEncryption(String)
  case passphraseNeeded
  case wrongPassphrase
  case cannotSign(String)

  public var description: String {
    switch self {
    case .wrongPEM(let expected, let found):
      "Expected PEM of \(expected), found \(found). Give the file that holds \(expected)."
    case .unsupportedKey(let what):
      "The key's \(what) is not supported. Use RSA, P-256, P-384, P-521 or Ed25519."
    case .malformedKey(let what):
      "The key is broken: \(what). Export it again from where it was made."
    case .unsupportedEncryption(let what):
      "The key is encrypted with \(what). Convert it with `openssl pkcs8 -topk8 -v2 aes-256-cbc`."
    case .passphraseNeeded:
      "The key is encrypted. Give its passphrase."
    case .wrongPassphrase:
      "The key does not open. Check the passphrase."
    case .cannotSign(let what):
      "This key cannot sign with \(what). Choose an algorithm that belongs to the key."
    }
  }
}
