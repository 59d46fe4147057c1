/// Takes an object's members one by one and says which one is wrong; one that was not asked for is an
/// error, so that what is read is all that was sealed.
struct JSONMembers {
  private let structure: String
  private var left: [String: JSONValue] = [:]

  init(_ value: JSONValue, _ structure: String) throws(MalformedStructure) {
    self.structure = structure
    guard let object = value.object else {
      throw MalformedStructure(structure, "value", "not an object")
    }
    // The parser let no name through twice.
    for member in object.members { left[member.name] = member.value }
  }

  func wrong(_ field: String, _ reason: String) -> MalformedStructure {
    MalformedStructure(structure, field, reason)
  }

  mutating func optional(_ name: String) -> JSONValue? { left.removeValue(forKey: name) }

  mutating func value(_ name: String) throws(MalformedStructure) -> JSONValue {
    guard let value = optional(name) else { throw wrong(name, "missing") }
    return value
  }

  mutating func text(_ name: String) throws(MalformedStructure) -> String {
    guard let text = try value(name).text else { throw wrong(name, "not a string") }
    return text
  }

  mutating func optionalText(_ name: String) throws(MalformedStructure) -> String? {
    guard let value = optional(name) else { return nil }
    guard let text = value.text else { throw wrong(name, "not a string") }
    return text
  }

  /// A whole number from 0 to 2^53 - 1, in its one spelling.
  mutating func number(_ name: String) throws(MalformedStructure) -> UInt64 {
    guard case .number(let text) = try value(name), let number = UInt64(text),
      number < 1 << 53, "\(number)" == text
    else { throw wrong(name, "not a whole number below 2^53") }
    return number
  }

  mutating func elements(_ name: String, most: Int) throws(MalformedStructure) -> [JSONValue] {
    guard let elements = try value(name).elements else { throw wrong(name, "not a list") }
    guard elements.count <= most else { throw wrong(name, "more than \(most) elements") }
    return elements
  }

  func end() throws(MalformedStructure) {
    if let name = left.keys.min() { throw wrong(name, "not known in this version") }
  }
}
