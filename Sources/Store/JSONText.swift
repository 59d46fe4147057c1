import Glibc

/// The words of JSON (RFC 8259) as octets at the end of a buffer: what ``CanonicalJSON`` and
/// ``DocumentEncoder`` write with.
enum JSONText {
  static let quote = UInt8(ascii: "\"")
  private static let backslash = UInt8(ascii: "\\")

  /// Appends a string in its quotation marks; only what must be escaped is (§7).
  static func append(_ text: String, to bytes: inout [UInt8]) {
    bytes.append(quote)
    let isDone: Void? = text.utf8.withContiguousStorageIfAvailable {
      append(octets: $0, to: &bytes)
    }
    if isDone == nil { Array(text.utf8).withUnsafeBufferPointer { append(octets: $0, to: &bytes) } }
    bytes.append(quote)
  }

  private static func append(octets: UnsafeBufferPointer<UInt8>, to bytes: inout [UInt8]) {
    // Runs without anything to escape are copied as they are: nearly always the whole.
    var start = 0
    for place in octets.indices {
      let byte = octets[place]
      guard byte < 0x20 || byte == quote || byte == backslash else { continue }
      bytes.append(contentsOf: UnsafeBufferPointer(rebasing: octets[start..<place]))
      start = place + 1
      bytes.append(backslash)
      switch byte {
      case quote, backslash: bytes.append(byte)
      case 0x0a: bytes.append(UInt8(ascii: "n"))
      case 0x0d: bytes.append(UInt8(ascii: "r"))
      case 0x09: bytes.append(UInt8(ascii: "t"))
      default:
        bytes.append(contentsOf: [UInt8(ascii: "u"), 48, 48, hex(byte >> 4), hex(byte & 15)])
      }
    }
    bytes.append(contentsOf: UnsafeBufferPointer(rebasing: octets[start...]))
  }

  private static func hex(_ digit: UInt8) -> UInt8 { digit < 10 ? 48 + digit : 87 + digit }

  /// Appends `true`, `null` and the like.
  static func append(word: StaticString, to bytes: inout [UInt8]) {
    word.withUTF8Buffer { bytes.append(contentsOf: $0) }
  }

  /// Appends a whole number in decimal.
  static func append(_ number: some FixedWidthInteger, to bytes: inout [UInt8]) {
    guard let small = Int64(exactly: number) else {
      bytes.append(contentsOf: String(number).utf8)
      return
    }
    var rest = small.magnitude
    if small < 0 { bytes.append(UInt8(ascii: "-")) }
    let start = bytes.count
    repeat {
      bytes.append(48 + UInt8(truncatingIfNeeded: rest % 10))
      rest /= 10
    } while rest > 0
    bytes[start...].reverse()
  }

  /// Appends an object of strings, its keys rising by their UTF-8 octets.
  static func append(_ members: [String: String], to bytes: inout [UInt8]) {
    append(members, to: &bytes) { append($0, to: &$1) }
  }

  /// Appends an object, its keys rising by their UTF-8 octets.
  static func append<Value>(
    _ members: [String: Value], to bytes: inout [UInt8],
    value: (Value, inout [UInt8]) -> Void
  ) {
    bytes.append(UInt8(ascii: "{"))
    var isFirst = true
    for (key, member) in members.sorted(by: { precedes($0.key, $1.key) }) {
      if !isFirst { bytes.append(UInt8(ascii: ",")) }
      isFirst = false
      append(key, to: &bytes)
      bytes.append(UInt8(ascii: ":"))
      value(member, &bytes)
    }
    bytes.append(UInt8(ascii: "}"))
  }

  private static func precedes(_ left: String, _ right: String) -> Bool {
    let order: Bool?? = left.utf8.withContiguousStorageIfAvailable { left in
      right.utf8.withContiguousStorageIfAvailable { right in
        let common = min(left.count, right.count)
        guard common > 0, let first = left.baseAddress, let second = right.baseAddress else {
          return left.count < right.count
        }
        let order = memcmp(first, second, common)
        return order == 0 ? left.count < right.count : order < 0
      }
    }
    return (order ?? nil) ?? left.utf8.lexicographicallyPrecedes(right.utf8)
  }
}
