import NetworkTypes
import Yams

/// Reads and writes the constituency as YAML. Unknown keys are refused with the nearest place.
struct ConstituencyYAML {
  let file: String?

  /// Greater files are refused before they are parsed: a full table of a large country is under 10
  /// MB.
  static let greatestByteCount = 32 << 20

  func read(_ text: String) throws -> Constituency {
    guard text.utf8.count <= Self.greatestByteCount else {
      throw ConstituencyError("the file is larger than 32 MB; split it", file: file)
    }
    let root: Node?
    do {
      root = try compose(yaml: text)
    } catch let error as YamlError {
      throw syntax(error)
    } catch {
      throw ConstituencyError("this is not YAML: \(error)", file: file)
    }
    guard let root, root.null == nil else { return Constituency() }
    var fields = try Fields(root, "", self)
    var organisations: [Organisation] = []
    if let list = fields.take("organisations") {
      for (place, node) in try sequence(list, "organisations").enumerated() {
        organisations.append(try organisation(node, "organisations[\(place)]"))
      }
    }
    try fields.finish()
    do {
      return try Constituency(organisations)
    } catch {
      throw ConstituencyError(error.message, file: file)
    }
  }

  private func syntax(_ error: YamlError) -> ConstituencyError {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      ConstituencyError("this is not YAML: \(problem)", file: file, line: mark.line)
    default: ConstituencyError("this is not YAML: \(error)", file: file)
    }
  }

  func wrong(_ node: Node, _ path: String, _ expected: String) -> ConstituencyError {
    let found = node.string.map { "“\($0.prefix(60))”" } ?? "a list or mapping"
    return ConstituencyError(
      "expected \(expected), found \(found)", file: file, line: node.mark?.line, path: path)
  }

  func sequence(_ node: Node, _ path: String) throws -> [Node] {
    if node.null != nil { return [] }
    guard let sequence = node.sequence else { throw wrong(node, path, "a list") }
    return Array(sequence)
  }

  private func organisation(_ node: Node, _ path: String) throws -> Organisation {
    var fields = try Fields(node, path, self)
    var organisation = Organisation(
      id: try fields.text("id", "an identifier of a-z, 0-9 and “-”", Organisation.isValidID),
      name: try fields.text("name", "a name") { !$0.isEmpty && $0.utf8.count <= 500 })
    organisation.nameJa = try fields.optional("nameJa") { $0 }
    organisation.roles = Set(try fields.words("roles", Organisation.Role.self))
    organisation.prefixes = try fields.list("prefixes", "a prefix as 192.0.2.0/24") {
      IPPrefix($0)
    }
    organisation.asns = try fields.list("asns", "an AS number as 64496") { ASN(text: $0) }
    organisation.parent = try fields.optional("parent") { $0 }
    organisation.language = try fields.word("language", Language.self) ?? organisation.language
    organisation.memberAlerts = try fields.flag("memberAlerts") ?? false
    if let list = fields.take("contacts") {
      for (place, contact) in try sequence(list, path + ".contacts").enumerated() {
        organisation.contacts.append(try self.contact(contact, "\(path).contacts[\(place)]"))
      }
    }
    if let node = fields.take("delivery") {
      organisation.delivery = try delivery(node, path + ".delivery")
    }
    try fields.finish()
    return organisation
  }

  private func contact(_ node: Node, _ path: String) throws -> Contact {
    var fields = try Fields(node, path, self)
    let email = try fields.text(
      "email", "an e-mail address as abuse@example.org", Contact.isValidEmail)
    var contact = Contact(name: try fields.optional("name") { $0 } ?? email, email: email)
    contact.role = try fields.word("role", Contact.Role.self) ?? .abuse
    contact.language = try fields.word("language", Language.self)
    contact.pgp = try fields.optional("pgp", "a key fingerprint of 40 or 64 hexadecimal digits") {
      let digits = $0.filter { $0 != " " }
      return [40, 64].contains(digits.count) && digits.allSatisfy(\.isHexDigit) ? digits : nil
    }
    contact.doNotNotify = try fields.flag("doNotNotify") ?? false
    try fields.finish()
    return contact
  }

  private func delivery(_ node: Node, _ path: String) throws
    -> DeliveryPreferences
  {
    var fields = try Fields(node, path, self)
    var delivery = DeliveryPreferences()
    if fields.has("formats") {
      delivery.formats = Set(try fields.words("formats", DeliveryPreferences.Format.self))
    }
    if fields.has("channels") {
      delivery.channels = Set(try fields.words("channels", DeliveryPreferences.Channel.self))
    }
    delivery.intervalSeconds =
      try fields.optional("interval", "seconds from -1 (never) to 31,536,000 (a year)") {
        Int($0).flatMap { (-1...31_536_000).contains($0) ? $0 : nil }
      } ?? delivery.intervalSeconds
    delivery.doNotNotify = try fields.flag("doNotNotify") ?? false
    delivery.aggregateBy =
      try fields.word("aggregateBy", DeliveryPreferences.Aggregation.self) ?? delivery.aggregateBy
    delivery.minimumConfidence =
      try fields.optional("minimumConfidence", "per cent from 0 to 100") {
        Int($0).flatMap { (0...100).contains($0) ? $0 : nil }
      } ?? delivery.minimumConfidence
    delivery.maximumMarking =
      try fields.optional(
        "maximumMarking", "one of \(DeliveryPreferences.markings.joined(separator: ", "))"
      ) { DeliveryPreferences.markings.contains($0) ? $0 : nil } ?? delivery.maximumMarking
    try fields.finish()
    return delivery
  }
}

/// The keys of one mapping, taken one after the other; what is left at the end is unknown.
private struct Fields {
  let path: String
  let reader: ConstituencyYAML
  let node: Node
  private var rest: [(key: String, value: Node)] = []
  private var taken: [String] = []

  init(_ node: Node, _ path: String, _ reader: ConstituencyYAML) throws {
    self.node = node
    self.path = path
    self.reader = reader
    guard let mapping = node.mapping else { throw reader.wrong(node, path, "keys with values") }
    for (key, value) in mapping {
      guard let name = key.string else { throw reader.wrong(key, path, "a key") }
      rest.append((name, value))
    }
  }

  private func inside(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  func has(_ key: String) -> Bool { rest.contains { $0.key == key } }

  mutating func take(_ key: String) -> Node? {
    taken.append(key)
    guard let place = rest.firstIndex(where: { $0.key == key }) else { return nil }
    return rest.remove(at: place).value
  }

  mutating func optional<Value>(
    _ key: String, _ expected: String = "a text", _ read: (String) -> Value?
  ) throws -> Value? {
    guard let node = take(key), node.null == nil else { return nil }
    guard let text = node.string, let value = read(text) else {
      throw reader.wrong(node, inside(key), expected)
    }
    return value
  }

  mutating func text(_ key: String, _ expected: String, _ isGood: (String) -> Bool)
    throws -> String
  {
    guard let text = try optional(key, expected, { isGood($0) ? $0 : nil }) else {
      throw ConstituencyError(
        "\(key) is missing; expected \(expected)", file: reader.file, line: node.mark?.line,
        path: inside(key))
    }
    return text
  }

  mutating func flag(_ key: String) throws -> Bool? {
    try optional(key, "true or false") { ["true": true, "false": false][$0] }
  }

  mutating func word<Word: RawRepresentable & CaseIterable>(_ key: String, _: Word.Type)
    throws -> Word? where Word.RawValue == String
  {
    try optional(key, "one of \(oneOf(Word.self))") { Word(rawValue: $0) }
  }

  mutating func words<Word: RawRepresentable & CaseIterable>(_ key: String, _: Word.Type)
    throws -> [Word] where Word.RawValue == String
  {
    try list(key, "one of \(oneOf(Word.self))") { Word(rawValue: $0) }
  }

  mutating func list<Value>(_ key: String, _ expected: String, _ read: (String) -> Value?)
    throws -> [Value]
  {
    guard let node = take(key) else { return [] }
    var values: [Value] = []
    for (place, element) in try reader.sequence(node, inside(key)).enumerated() {
      guard let text = element.string, let value = read(text) else {
        throw reader.wrong(element, "\(inside(key))[\(place)]", expected)
      }
      values.append(value)
    }
    return values
  }

  func finish() throws {
    guard let unknown = rest.first else { return }
    throw ConstituencyError(
      "unknown key; the keys here are \(taken.joined(separator: ", "))", file: reader.file,
      line: unknown.value.mark?.line, path: inside(unknown.key))
  }
}

private func oneOf<Word: RawRepresentable & CaseIterable>(_: Word.Type) -> String
where Word.RawValue == String {
  Word.allCases.map(\.rawValue).joined(separator: ", ")
}
