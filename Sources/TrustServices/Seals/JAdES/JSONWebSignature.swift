/// A JWS (RFC 7515) in any of its three serialisations, with the texts that signatures cover kept.
public struct JSONWebSignature: Hashable, Sendable {
  /// How it is written (RFC 7515 7).
  public enum Serialization: String, Hashable, Sendable, CaseIterable {
    case compact, flattened, general
  }

  struct Signer: Hashable, Sendable {
    /// base64url, as signed.
    let protectedText: [UInt8]
    let protected: JSONObject
    var unprotected: JSONObject?
    let signatureText: [UInt8]
    let signature: [UInt8]

    /// False where the payload is signed as it stands (RFC 7797).
    var isPayloadEncoded: Bool { protected["b64"] != .bool(false) }

    func signingInput(_ payloadText: [UInt8]) -> [UInt8] {
      protectedText + [UInt8(ascii: ".")] + payloadText
    }
  }

  public let serialization: Serialization
  /// As written: base64url, or the content itself where `b64` is false; nil where detached.
  let payloadText: [UInt8]?
  var signers: [Signer]

  /// Reads whichever serialisation it is.
  public init(encoded bytes: [UInt8]) throws {
    let text = bytes.trimmed
    if text.first == UInt8(ascii: "{") {
      try self.init(json: Array(text))
    } else {
      try self.init(compact: Array(text))
    }
  }

  init(
    serialization: Serialization, payloadText: [UInt8]?, signers: [Signer]
  ) {
    self.serialization = serialization
    self.payloadText = payloadText
    self.signers = signers
  }

  private init(compact text: [UInt8]) throws {
    let parts = text.split(
      separator: UInt8(ascii: "."), maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count == 3 else {
      throw MalformedStructure("JWS", "serialisation", "neither JSON nor three parts with dots")
    }
    serialization = .compact
    payloadText = parts[1].isEmpty ? nil : Array(parts[1])
    signers = [try Self.signer(protected: Array(parts[0]), nil, signature: Array(parts[2]))]
    try checkPayload()
  }

  private init(json text: [UInt8]) throws {
    guard let object = try JSONValue(parsing: text, as: "JWS").object else {
      throw MalformedStructure("JWS", "serialisation", "not an object")
    }
    if let payload = object["payload"] {
      guard let payload = payload.text else {
        throw MalformedStructure("JWS", "payload", "not a string")
      }
      payloadText = Array(payload.utf8)
    } else {
      payloadText = nil
    }
    if let list = object["signatures"] {
      guard let list = list.elements, !list.isEmpty, object["signature"] == nil else {
        throw MalformedStructure("JWS", "signatures", "not a list, empty, or beside `signature`")
      }
      serialization = .general
      signers = try list.map {
        guard let object = $0.object else {
          throw MalformedStructure("JWS", "signatures", "an element that is no object")
        }
        return try Self.signer(object)
      }
    } else {
      serialization = .flattened
      signers = [try Self.signer(object)]
    }
    try checkPayload()
  }

  private static func signer(_ object: JSONObject) throws -> Signer {
    guard let protected = object["protected"]?.text, let signature = object["signature"]?.text
    else {
      throw MalformedStructure("JWS", "signature", "without `protected` or `signature`")
    }
    var header: JSONObject?
    if let value = object["header"] {
      guard let object = value.object else {
        throw MalformedStructure("JWS", "header", "not an object")
      }
      header = object
    }
    return try signer(
      protected: Array(protected.utf8), header, signature: Array(signature.utf8))
  }

  private static func signer(protected text: [UInt8], _ header: JSONObject?, signature: [UInt8])
    throws -> Signer
  {
    guard let decoded = Base64URL.decode(text) else {
      throw MalformedStructure("JWS", "protected", "not base64url")
    }
    guard let protected = try JSONValue(parsing: decoded, as: "JWS Protected Header").object else {
      throw MalformedStructure("JWS", "protected", "not an object")
    }
    // RFC 7515 4: no parameter in both.
    for member in header?.members ?? [] where protected[member.name] != nil {
      throw MalformedStructure("JWS", member.name, "in both headers")
    }
    guard let octets = Base64URL.decode(signature) else {
      throw MalformedStructure("JWS", "signature", "not base64url")
    }
    return Signer(
      protectedText: text, protected: protected, unprotected: header, signatureText: signature,
      signature: octets)
  }

  private func checkPayload() throws {
    guard let payloadText, signers.contains(where: \.isPayloadEncoded) else { return }
    guard Base64URL.decode(payloadText) != nil else {
      throw MalformedStructure("JWS", "payload", "not base64url")
    }
  }

  /// The content inside, decoded; nil where detached.
  public var payload: [UInt8]? {
    guard let payloadText, let signer = signers.first else { return nil }
    return signer.isPayloadEncoded ? Base64URL.decode(payloadText) : payloadText
  }

  /// The text to be stored. Compact has no place for an unprotected header and becomes flattened
  /// where one is there.
  public var encoded: [UInt8] {
    guard let first = signers.first else { return [] }
    let dot = [UInt8(ascii: ".")]
    if serialization == .compact, first.unprotected == nil {
      return first.signingInput(payloadText ?? []) + dot + first.signatureText
    }
    var object = JSONObject()
    if let payloadText {
      object["payload"] = .string(String(decoding: payloadText, as: UTF8.self))
    }
    func write(_ signer: Signer, _ object: inout JSONObject) {
      object["protected"] = .string(String(decoding: signer.protectedText, as: UTF8.self))
      if let header = signer.unprotected { object["header"] = .object(header) }
      object["signature"] = .string(String(decoding: signer.signatureText, as: UTF8.self))
    }
    if serialization == .general || signers.count > 1 {
      object["signatures"] = .array(
        signers.map {
          var one = JSONObject()
          write($0, &one)
          return .object(one)
        })
    } else {
      write(first, &object)
    }
    return JSONValue.object(object).encoded
  }
}

extension [UInt8] {
  fileprivate var trimmed: ArraySlice<UInt8> {
    func isSpace(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(byte) }
    let front = drop { isSpace($0) }
    return front.prefix(front.lastIndex { !isSpace($0) }.map { $0 + 1 - front.startIndex } ?? 0)
  }
}
