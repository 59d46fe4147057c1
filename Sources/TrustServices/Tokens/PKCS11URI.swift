import FoundationEssentials

/// A key on a token, named by a URI (RFC 7512): `pkcs11:token=Noroshi;object=tsu;type=private
/// ?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/noroshi/pin`.
public struct PKCS11URI: Hashable, Sendable, CustomStringConvertible {
  public var token: String?
  public var serial: String?
  public var manufacturer: String?
  public var model: String?
  public var slot: UInt?
  /// CKA_LABEL of the key.
  public var object: String?
  /// CKA_ID of the key.
  public var id: [UInt8]?
  public var modulePath: String?
  /// Where the PIN is: `file:/…`, `env:NAME`, or a path. A PIN in the URI itself is refused, because
  /// configurations are shown and backed up.
  public var pinSource: String?

  /// Reads a URI; attributes that are not known here are an error, so that none is ignored unseen.
  public init(_ text: String) throws(TokenError) {
    guard text.hasPrefix("pkcs11:") else { throw .malformedURI("it does not begin with pkcs11:") }
    let halves = text.dropFirst(7).split(
      separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    for part in halves[0].split(separator: ";") {
      let (name, value) = try Self.pair(part)
      switch name {
      case "token": token = try Self.text(value, name)
      case "serial": serial = try Self.text(value, name)
      case "manufacturer": manufacturer = try Self.text(value, name)
      case "model": model = try Self.text(value, name)
      case "object": object = try Self.text(value, name)
      case "id": id = try Self.octets(value)
      case "slot-id":
        guard let number = UInt(value) else { throw .malformedURI("slot-id is no number") }
        slot = number
      case "type":
        guard value == "private" else { throw .malformedURI("type is not private") }
      default: throw .malformedURI("\(name) is not known here")
      }
    }
    for part in halves.dropFirst().first?.split(separator: "&") ?? [] {
      let (name, value) = try Self.pair(part)
      switch name {
      case "module-path": modulePath = try Self.text(value, name)
      case "pin-source": pinSource = try Self.text(value, name)
      case "pin-value": throw .malformedURI("pin-value shows the PIN; use pin-source")
      default: throw .malformedURI("\(name) is not known here")
      }
    }
    guard object != nil || id != nil else {
      throw .malformedURI("it names no key: object or id is needed")
    }
  }

  private static func pair(_ part: Substring) throws(TokenError) -> (String, Substring) {
    guard let equals = part.firstIndex(of: "=") else {
      throw .malformedURI("“\(part)” has no value")
    }
    return (String(part[..<equals]), part[part.index(after: equals)...])
  }

  private static func octets(_ text: Substring) throws(TokenError) -> [UInt8] {
    var octets: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let first = rest.popFirst() {
      guard first == 0x25 else {
        octets.append(first)
        continue
      }
      guard rest.count >= 2,
        let value = Hexadecimal.octets(String(decoding: rest.prefix(2), as: UTF8.self))
      else { throw .malformedURI("a % without two digits") }
      octets += value
      rest = rest.dropFirst(2)
    }
    return octets
  }

  private static func text(_ text: Substring, _ name: String) throws(TokenError) -> String {
    guard let text = String(validating: try octets(text), as: UTF8.self) else {
      throw .malformedURI("\(name) is not UTF-8")
    }
    return text
  }

  /// The URI without where its PIN is.
  public var description: String {
    func escaped(_ text: String) -> String {
      var out = ""
      for octet in text.utf8 {
        let scalar = Unicode.Scalar(octet)
        if octet < 0x80,
          scalar.properties.isAlphabetic
            || "0123456789-._~:[]@!$'()*+,/".unicodeScalars.contains(scalar)
        {
          out.unicodeScalars.append(scalar)
        } else {
          out += "%" + Hexadecimal.text([octet])
        }
      }
      return out
    }
    var parts: [String] = []
    for (name, value) in [
      ("token", token), ("serial", serial), ("manufacturer", manufacturer), ("model", model),
      ("slot-id", slot.map { String($0) }), ("object", object),
    ] {
      if let value { parts.append("\(name)=\(escaped(value))") }
    }
    if let id { parts.append("id=" + id.map { "%" + Hexadecimal.text([$0]) }.joined()) }
    return "pkcs11:" + parts.joined(separator: ";")
  }

  /// The PIN from where `pinSource` says; nil where it says nothing.
  public func pin(environment: [String: String]) throws(TokenError) -> String? {
    guard let pinSource else { return nil }
    if pinSource.hasPrefix("env:") {
      guard let pin = environment[String(pinSource.dropFirst(4))], !pin.isEmpty else {
        throw .pinMissing("the variable \(pinSource.dropFirst(4)) is empty")
      }
      return pin
    }
    let path = pinSource.hasPrefix("file:") ? String(pinSource.dropFirst(5)) : pinSource
    guard let data = try? Data(contentsOf: URL(fileURLWithPath: path)),
      let first = String(decoding: data, as: UTF8.self)
        .split(whereSeparator: \.isNewline).first
    else { throw .pinMissing("\(path) cannot be read or is empty") }
    return String(first)
  }
}

/// Why a token's key cannot be used.
public enum TokenError: Error, Hashable, Sendable, CustomStringConvertible {
  case malformedURI(String)
  case pinMissing(String)
  case moduleMissing(String)
  /// A function of the module failed with this CKR number.
  case failed(String, UInt)
  case tokenMissing(String)
  case keyMissing(String)
  case keyAmbiguous(String)
  case unsupportedKey(String)

  public var description: String {
    switch self {
    case .malformedURI(let reason):
      "The key's pkcs11: URI cannot be used: \(reason). See RFC 7512."
    case .pinMissing(let reason): "There is no PIN: \(reason). Set pin-source in the key's URI."
    case .moduleMissing(let reason):
      "The PKCS #11 module cannot be loaded: \(reason). Set module-path in the key's URI."
    case .failed(let function, let code):
      "\(function) of the PKCS #11 module failed: \(Self.name(code)). "
        + "Look at the token with `pkcs11-tool`."
    case .tokenMissing(let uri):
      "No token answers to \(uri). `pkcs11-tool --list-token-slots` shows those there are."
    case .keyMissing(let uri):
      "The token has no private key \(uri). `pkcs11-tool --list-objects --login` shows its keys."
    case .keyAmbiguous(let uri): "Several keys answer to \(uri). Add id= to the URI."
    case .unsupportedKey(let what):
      "The token's key is \(what). Use RSA, P-256, P-384 or P-521, with its public key beside it."
    }
  }

  private static func name(_ code: UInt) -> String {
    let known: [UInt: String] = [
      0x05: "CKR_GENERAL_ERROR", 0x06: "CKR_FUNCTION_FAILED", 0x30: "CKR_DEVICE_ERROR",
      0x32: "CKR_DEVICE_REMOVED", 0x70: "CKR_MECHANISM_INVALID", 0xA0: "CKR_PIN_INCORRECT",
      0xA4: "CKR_PIN_LOCKED", 0xB3: "CKR_SESSION_HANDLE_INVALID", 0xE0: "CKR_TOKEN_NOT_PRESENT",
      0xE1: "CKR_TOKEN_NOT_RECOGNIZED", 0x101: "CKR_USER_NOT_LOGGED_IN",
      0x63: "CKR_KEY_TYPE_INCONSISTENT", 0x68: "CKR_KEY_FUNCTION_NOT_PERMITTED",
      0x191: "CKR_CRYPTOKI_ALREADY_INITIALIZED", 0xD0: "CKR_TEMPLATE_INCOMPLETE",
    ]
    return known[code] ?? "0x" + String(code, radix: 16)
  }
}
