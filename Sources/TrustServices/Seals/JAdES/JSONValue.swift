/// A JSON text (RFC 8259) read strictly: UTF-8, no name twice in an object, bounded depth, the order
/// of members and the spelling of numbers kept, because signatures cover them.
enum JSONValue: Hashable, Sendable {
  case null
  case bool(Bool)
  /// As it was spelled.
  case number(String)
  case string(String)
  case array([JSONValue])
  case object(JSONObject)

  /// Deeper nesting is refused; no signature needs more than ten levels.
  static let maximumDepth = 32

  init(parsing bytes: [UInt8], as structure: String) throws(MalformedStructure) {
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw MalformedStructure(structure, "encoding", "it is not UTF-8")
    }
    var parser = JSONParser(bytes: bytes, structure: structure)
    self = try parser.value(depth: 0)
    try parser.end()
  }

  var text: String? { if case .string(let text) = self { text } else { nil } }
  var object: JSONObject? { if case .object(let object) = self { object } else { nil } }
  var elements: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }

  /// Compact, in the order of the members.
  var encoded: [UInt8] {
    var output: [UInt8] = []
    write(to: &output)
    return output
  }

  private func write(to output: inout [UInt8]) {
    switch self {
    case .null: output += "null".utf8
    case .bool(let value): output += (value ? "true" : "false").utf8
    case .number(let text): output += text.utf8
    case .string(let text): Self.write(text, to: &output)
    case .array(let elements):
      output.append(UInt8(ascii: "["))
      for (index, element) in elements.enumerated() {
        if index > 0 { output.append(UInt8(ascii: ",")) }
        element.write(to: &output)
      }
      output.append(UInt8(ascii: "]"))
    case .object(let object):
      output.append(UInt8(ascii: "{"))
      for (index, member) in object.members.enumerated() {
        if index > 0 { output.append(UInt8(ascii: ",")) }
        Self.write(member.name, to: &output)
        output.append(UInt8(ascii: ":"))
        member.value.write(to: &output)
      }
      output.append(UInt8(ascii: "}"))
    }
  }

  private static func write(_ text: String, to output: inout [UInt8]) {
    output.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        output.append(UInt8(ascii: "\\"))
        output.append(byte)
      case 0..<0x20: output += "\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8
      default: output.append(byte)
      }
    }
    output.append(UInt8(ascii: "\""))
  }
}

/// The members of an object in their order.
struct JSONObject: Hashable, Sendable {
  struct Member: Hashable, Sendable {
    let name: String
    var value: JSONValue
  }

  var members: [Member] = []

  init(_ members: [(String, JSONValue)] = []) {
    self.members = members.map { Member(name: $0.0, value: $0.1) }
  }

  subscript(name: String) -> JSONValue? {
    get { members.first { $0.name == name }?.value }
    set {
      let index = members.firstIndex { $0.name == name }
      switch (index, newValue) {
      case (let index?, let value?): members[index].value = value
      case (let index?, nil): members.remove(at: index)
      case (nil, let value?): members.append(Member(name: name, value: value))
      case (nil, nil): break
      }
    }
  }
}

private struct JSONParser {
  let bytes: [UInt8]
  let structure: String
  var position = 0

  func wrong(_ reason: String) -> MalformedStructure {
    MalformedStructure(structure, "octet \(position)", reason)
  }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
  }

  mutating func end() throws(MalformedStructure) {
    skipSpace()
    guard position == bytes.count else { throw wrong("more text after the value") }
  }

  mutating func value(depth: Int) throws(MalformedStructure) -> JSONValue {
    guard depth < JSONValue.maximumDepth else { throw wrong("nested too deeply") }
    skipSpace()
    switch next {
    case UInt8(ascii: "{"): return .object(try object(depth: depth))
    case UInt8(ascii: "["): return .array(try array(depth: depth))
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case .some: return .number(try number())
    case nil: throw wrong("the text ends where a value is expected")
    }
  }

  private mutating func word(_ word: String, _ value: JSONValue) throws(MalformedStructure)
    -> JSONValue
  {
    guard bytes[position...].starts(with: word.utf8) else { throw wrong("expected \(word)") }
    position += word.utf8.count
    return value
  }

  private mutating func object(depth: Int) throws(MalformedStructure) -> JSONObject {
    position += 1
    var object = JSONObject()
    var names: Set<String> = []
    skipSpace()
    if next == UInt8(ascii: "}") {
      position += 1
      return object
    }
    while true {
      skipSpace()
      guard next == UInt8(ascii: "\"") else { throw wrong("expected a member's name") }
      let name = try string()
      guard names.insert(name).inserted else { throw wrong("the name \(name) appears twice") }
      skipSpace()
      guard next == UInt8(ascii: ":") else { throw wrong("expected a colon") }
      position += 1
      object.members.append(.init(name: name, value: try value(depth: depth + 1)))
      skipSpace()
      switch next {
      case UInt8(ascii: ","): position += 1
      case UInt8(ascii: "}"):
        position += 1
        return object
      default: throw wrong("expected a comma or the object's end")
      }
    }
  }

  private mutating func array(depth: Int) throws(MalformedStructure) -> [JSONValue] {
    position += 1
    var elements: [JSONValue] = []
    skipSpace()
    if next == UInt8(ascii: "]") {
      position += 1
      return elements
    }
    while true {
      elements.append(try value(depth: depth + 1))
      skipSpace()
      switch next {
      case UInt8(ascii: ","): position += 1
      case UInt8(ascii: "]"):
        position += 1
        return elements
      default: throw wrong("expected a comma or the array's end")
      }
    }
  }

  private mutating func string() throws(MalformedStructure) -> String {
    position += 1
    var octets: [UInt8] = []
    while let byte = next {
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        // Proof: the whole text was validated, and escapes add whole scalars.
        return String(decoding: octets, as: UTF8.self)
      case UInt8(ascii: "\\"): try escape(into: &octets)
      case 0..<0x20: throw wrong("a control character in a string")
      default: octets.append(byte)
      }
    }
    throw wrong("the text ends within a string")
  }

  private mutating func escape(into octets: inout [UInt8]) throws(MalformedStructure) {
    guard let byte = next else { throw wrong("the text ends within a string") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): octets.append(byte)
    case UInt8(ascii: "b"): octets.append(8)
    case UInt8(ascii: "f"): octets.append(12)
    case UInt8(ascii: "n"): octets.append(10)
    case UInt8(ascii: "r"): octets.append(13)
    case UInt8(ascii: "t"): octets.append(9)
    case UInt8(ascii: "u"):
      var code = UInt32(try hexadecimal())
      if (0xD800..<0xDC00).contains(code) {
        guard bytes[position...].starts(with: "\\u".utf8) else { throw wrong("half a surrogate") }
        position += 2
        let low = UInt32(try hexadecimal())
        guard (0xDC00..<0xE000).contains(low) else { throw wrong("half a surrogate") }
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw wrong("half a surrogate") }
      octets += String(Character(scalar)).utf8
    default: throw wrong("an unknown escape")
    }
  }

  private mutating func hexadecimal() throws(MalformedStructure) -> UInt16 {
    guard position + 4 <= bytes.count else { throw wrong("the text ends within an escape") }
    var value: UInt16 = 0
    for byte in bytes[position..<position + 4] {
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw wrong("not four hexadecimal digits")
      }
      value = value << 4 | UInt16(digit)
    }
    position += 4
    return value
  }

  private mutating func number() throws(MalformedStructure) -> String {
    let start = position
    func isDigit(_ byte: UInt8?) -> Bool { byte.map { (0x30...0x39).contains($0) } ?? false }
    if next == UInt8(ascii: "-") { position += 1 }
    guard isDigit(next) else { throw wrong("expected a value") }
    if next == UInt8(ascii: "0") {
      position += 1
    } else {
      while isDigit(next) { position += 1 }
    }
    if next == UInt8(ascii: ".") {
      position += 1
      guard isDigit(next) else { throw wrong("expected a digit") }
      while isDigit(next) { position += 1 }
    }
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      position += 1
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { position += 1 }
      guard isDigit(next) else { throw wrong("expected a digit") }
      while isDigit(next) { position += 1 }
    }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }
}
