/// A JSON value that is written in exactly one way, so that it can be hashed and compared as text.
///
/// Keys rise by their UTF-8 bytes, nothing is spaced, and only what must be escaped is escaped
/// (RFC 8259 §7), in the spirit of RFC 8785; numbers are whole.
public indirect enum CanonicalJSON: Hashable, Sendable {
  case string(String)
  case integer(Int64)
  case boolean(Bool)
  case null
  case array([CanonicalJSON])
  case object([String: CanonicalJSON])

  /// An object of strings, by far the most frequent one.
  public static func strings(_ values: [String: String]) -> CanonicalJSON {
    .object(values.mapValues { .string($0) })
  }

  /// As ``strings(_:)`` and its ``text``, without the value between.
  static func text(ofStrings values: [String: String]) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(values.count * 32)
    JSONText.append(values, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The one text of this value.
  public var text: String {
    var bytes: [UInt8] = []
    write(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  private func write(to bytes: inout [UInt8]) {
    switch self {
    case .string(let text): JSONText.append(text, to: &bytes)
    case .integer(let number): JSONText.append(number, to: &bytes)
    case .boolean(true): JSONText.append(word: "true", to: &bytes)
    case .boolean(false): JSONText.append(word: "false", to: &bytes)
    case .null: JSONText.append(word: "null", to: &bytes)
    case .array(let items):
      bytes.append(UInt8(ascii: "["))
      for (place, item) in items.enumerated() {
        if place > 0 { bytes.append(UInt8(ascii: ",")) }
        item.write(to: &bytes)
      }
      bytes.append(UInt8(ascii: "]"))
    case .object(let members):
      JSONText.append(members, to: &bytes) { $0.write(to: &$1) }
    }
  }
}
