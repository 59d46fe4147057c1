/// The part of XML 1.0 that ASiC manifests are written in, read strictly: elements, attributes,
/// text, comments. Document types, entities of one's own and processing instructions are refused.
struct XMLElement {
  /// Without its prefix.
  let name: String
  let namespace: String
  let attributes: [String: String]
  private(set) var children: [XMLElement] = []
  private(set) var text = ""

  func first(_ name: String) -> XMLElement? { children.first { $0.name == name } }

  static func read(_ bytes: [UInt8]) throws(MalformedStructure) -> XMLElement {
    guard var text = String(validating: bytes, as: UTF8.self) else {
      throw MalformedStructure("ASiCManifest", "encoding", "it is not UTF-8")
    }
    if text.unicodeScalars.first == "\u{FEFF}" { text.unicodeScalars.removeFirst() }
    var reader = Reader(rest: Array(text.utf8)[...])
    return try reader.document()
  }

  private struct Reader {
    var rest: ArraySlice<UInt8>

    func wrong(_ reason: String) -> MalformedStructure {
      MalformedStructure("ASiCManifest", "octet \(rest.startIndex)", reason)
    }

    mutating func skip(_ text: String) -> Bool {
      guard rest.starts(with: text.utf8) else { return false }
      rest = rest.dropFirst(text.utf8.count)
      return true
    }

    mutating func space() {
      rest = rest.drop { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
    }

    mutating func upTo(_ end: String) throws(MalformedStructure) -> String {
      let mark = Array(end.utf8)
      guard let found = rest.firstRange(of: mark) else { throw wrong("expected \(end)") }
      let text = String(decoding: rest[..<found.lowerBound], as: UTF8.self)
      rest = rest[found.upperBound...]
      return text
    }

    /// Comments and space between elements.
    mutating func misc() throws(MalformedStructure) {
      space()
      while skip("<!--") {
        _ = try upTo("-->")
        space()
      }
    }

    mutating func document() throws(MalformedStructure) -> XMLElement {
      space()
      if skip("<?xml") { _ = try upTo("?>") }
      try misc()
      let root = try element(["": "", "xml": "http://www.w3.org/XML/1998/namespace"], depth: 0)
      try misc()
      guard rest.isEmpty else { throw wrong("more text after the root element") }
      return root
    }

    mutating func name() throws(MalformedStructure) -> String {
      let name = rest.prefix {
        $0 >= 0x80 || (0x30...0x3A).contains($0) || (0x41...0x5A).contains($0)
          || (0x61...0x7A).contains($0) || [0x2D, 0x2E, 0x5F].contains($0)
      }
      guard !name.isEmpty else { throw wrong("expected a name") }
      rest = rest.dropFirst(name.count)
      return String(decoding: name, as: UTF8.self)
    }

    mutating func element(_ outer: [String: String], depth: Int) throws(MalformedStructure)
      -> XMLElement
    {
      // A manifest has four levels.
      guard depth < 16 else { throw wrong("nested too deeply") }
      guard skip("<") else { throw wrong("expected an element") }
      let qualified = try name()
      var raw: [(String, String)] = []
      var namespaces = outer
      while true {
        space()
        if rest.first == UInt8(ascii: ">") || rest.first == UInt8(ascii: "/") { break }
        let key = try name()
        space()
        guard skip("=") else { throw wrong("expected =") }
        space()
        let quote = skip("\"") ? "\"" : skip("'") ? "'" : ""
        guard !quote.isEmpty else { throw wrong("expected a quoted value") }
        let value = try decoded(try upTo(quote))
        guard !raw.contains(where: { $0.0 == key }) else { throw wrong("\(key) appears twice") }
        raw.append((key, value))
        if key == "xmlns" { namespaces[""] = value }
        if key.hasPrefix("xmlns:") { namespaces[String(key.dropFirst(6))] = value }
      }
      let parts = qualified.split(separator: ":", omittingEmptySubsequences: false)
      guard parts.count <= 2, let local = parts.last,
        let namespace = namespaces[parts.count == 2 ? String(parts[0]) : ""]
      else { throw wrong("a prefix that nobody declared") }
      var attributes: [String: String] = [:]
      for (key, value) in raw where !key.hasPrefix("xmlns") { attributes[key] = value }
      var found = XMLElement(
        name: String(local), namespace: namespace, attributes: attributes)
      if skip("/>") { return found }
      guard skip(">") else { throw wrong("expected >") }
      while true {
        if skip("<!--") {
          _ = try upTo("-->")
        } else if skip("</") {
          guard try name() == qualified else { throw wrong("the end of another element") }
          space()
          guard skip(">") else { throw wrong("expected >") }
          return found
        } else if rest.first == UInt8(ascii: "<") {
          found.children.append(try element(namespaces, depth: depth + 1))
        } else {
          let piece = rest.prefix { $0 != UInt8(ascii: "<") }
          guard !piece.isEmpty else { throw wrong("the text ends within \(qualified)") }
          rest = rest.dropFirst(piece.count)
          found.text += try decoded(String(decoding: piece, as: UTF8.self))
        }
      }
    }

    func decoded(_ text: String) throws(MalformedStructure) -> String {
      guard text.contains("&") else { return text }
      var result = ""
      var rest = text[...]
      while let start = rest.firstIndex(of: "&") {
        result += rest[..<start]
        guard let end = rest[start...].firstIndex(of: ";") else { throw wrong("a bare &") }
        let name = rest[rest.index(after: start)..<end]
        switch name {
        case "amp": result += "&"
        case "lt": result += "<"
        case "gt": result += ">"
        case "quot": result += "\""
        case "apos": result += "'"
        default:
          let number =
            name.hasPrefix("#x")
            ? UInt32(name.dropFirst(2), radix: 16)
            : name.hasPrefix("#") ? UInt32(name.dropFirst()) : nil
          guard let scalar = number.flatMap(Unicode.Scalar.init) else {
            throw wrong("the entity \(name)")
          }
          result.unicodeScalars.append(scalar)
        }
        rest = rest[rest.index(after: end)...]
      }
      return result + rest
    }
  }

  static func escape(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default: result.append(character)
      }
    }
    return result
  }
}
