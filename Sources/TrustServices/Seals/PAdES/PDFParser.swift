/// Reads objects at places of a PDF's octets (ISO 32000-2 7.2, 7.3); never beyond `end`.
struct PDFParser {
  private let bytes: [UInt8]
  private let end: Int
  private let maximumDepth: Int
  private(set) var position: Int
  /// Where the hexadecimal string under `Contents` of the outermost dictionary stood, `<` and `>`
  /// included: what a signature's byte range has to leave out.
  private(set) var contents: Range<Int>?
  /// Octets that were searched for the end of a stream.
  private(set) var scanned = 0

  init(_ bytes: [UInt8], at position: Int, end: Int? = nil, limits: PDFLimits) {
    self.bytes = bytes
    self.end = min(end ?? bytes.count, bytes.count)
    self.position = max(0, min(position, self.end))
    maximumDepth = limits.maximumDepth
  }

  static func isSpace(_ octet: UInt8) -> Bool {
    switch octet {
    case 0x00, 0x09, 0x0A, 0x0C, 0x0D, 0x20: true
    default: false
    }
  }

  static func isDelimiter(_ octet: UInt8) -> Bool {
    switch octet {
    case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "<"), UInt8(ascii: ">"),
      UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "{"), UInt8(ascii: "}"),
      UInt8(ascii: "/"), UInt8(ascii: "%"):
      true
    default: false
    }
  }

  private var next: UInt8? { position < end ? bytes[position] : nil }

  private func wrong(_ what: String) -> PDFError { .malformed(offset: position, what) }

  mutating func skipSpace() {
    while position < end {
      let octet = bytes[position]
      if octet == UInt8(ascii: "%") {
        while position < end, bytes[position] != 0x0A, bytes[position] != 0x0D { position += 1 }
      } else if Self.isSpace(octet) {
        position += 1
      } else {
        return
      }
    }
  }

  /// Takes a word, where it stands here and ends.
  mutating func take(_ word: StaticString) -> Bool {
    let count = word.utf8CodeUnitCount
    guard position + count <= end else { return false }
    let matches = word.withUTF8Buffer { $0.elementsEqual(bytes[position..<position + count]) }
    guard matches else { return false }
    let following = position + count
    if following < end, !Self.isSpace(bytes[following]), !Self.isDelimiter(bytes[following]) {
      return false
    }
    position = following
    return true
  }

  /// An unsigned number of at most 18 digits.
  mutating func unsigned() -> Int? {
    let start = position
    var value = 0
    while let octet = next, (0x30...0x39).contains(octet) {
      guard position - start < 18 else { return nil }
      value = value * 10 + Int(octet - 0x30)
      position += 1
    }
    return position > start ? value : nil
  }

  mutating func object(_ depth: Int = 0) throws(PDFError) -> PDFObject {
    guard depth <= maximumDepth else { throw .tooLarge("levels of nesting") }
    skipSpace()
    guard let octet = next else { throw wrong("it ends where an object is expected") }
    switch octet {
    case UInt8(ascii: "/"): return .name(try name())
    case UInt8(ascii: "("): return .string(try literalString())
    case UInt8(ascii: "["):
      position += 1
      return .array(try array(depth))
    case UInt8(ascii: "<"):
      if position + 1 < end, bytes[position + 1] == UInt8(ascii: "<") {
        position += 2
        return .dictionary(try dictionary(depth))
      }
      return .string(try hexadecimalString())
    case 0x30...0x39, UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
      return try number()
    default:
      if take("null") { return .null }
      if take("true") { return .boolean(true) }
      if take("false") { return .boolean(false) }
      throw wrong("no object begins here")
    }
  }

  private mutating func array(_ depth: Int) throws(PDFError) -> [PDFObject] {
    var elements: [PDFObject] = []
    while true {
      skipSpace()
      guard let octet = next else { throw wrong("an array does not end") }
      if octet == UInt8(ascii: "]") {
        position += 1
        return elements
      }
      elements.append(try object(depth + 1))
    }
  }

  private mutating func dictionary(_ depth: Int) throws(PDFError) -> PDFDictionary {
    var entries: PDFDictionary = [:]
    while true {
      skipSpace()
      guard let octet = next else { throw wrong("a dictionary does not end") }
      if octet == UInt8(ascii: ">") {
        guard position + 1 < end, bytes[position + 1] == UInt8(ascii: ">") else {
          throw wrong("a dictionary ends with one “>”")
        }
        position += 2
        return entries
      }
      guard octet == UInt8(ascii: "/") else { throw wrong("a name is expected in a dictionary") }
      let key = try name()
      skipSpace()
      let start = position
      let value = try object(depth + 1)
      if depth == 0, key == "Contents", bytes[start] == UInt8(ascii: "<"), value.string != nil {
        contents = start..<position
      }
      // Readers differ about which of two counts, so that one file would show two contents.
      guard entries.updateValue(value, forKey: key) == nil else {
        throw wrong("/\(key) stands twice in a dictionary")
      }
    }
  }

  private mutating func name() throws(PDFError) -> String {
    position += 1
    var scalars = String.UnicodeScalarView()
    while let octet = next, !Self.isSpace(octet), !Self.isDelimiter(octet) {
      position += 1
      if octet == UInt8(ascii: "#"), position + 1 < end,
        let high = Self.digit(bytes[position]), let low = Self.digit(bytes[position + 1])
      {
        scalars.append(Unicode.Scalar(high << 4 | low))
        position += 2
      } else {
        scalars.append(Unicode.Scalar(octet))
      }
    }
    return String(scalars)
  }

  private static func digit(_ octet: UInt8) -> UInt8? {
    switch octet {
    case 0x30...0x39: octet - 0x30
    case 0x41...0x46: octet - 0x41 + 10
    case 0x61...0x66: octet - 0x61 + 10
    default: nil
    }
  }

  private mutating func hexadecimalString() throws(PDFError) -> [UInt8] {
    position += 1
    var octets: [UInt8] = []
    var high: UInt8?
    while let octet = next {
      position += 1
      if octet == UInt8(ascii: ">") {
        if let high { octets.append(high << 4) }
        return octets
      }
      if Self.isSpace(octet) { continue }
      guard let digit = Self.digit(octet) else { throw wrong("no hexadecimal digit") }
      if let first = high {
        octets.append(first << 4 | digit)
        high = nil
      } else {
        high = digit
      }
    }
    throw wrong("a string does not end")
  }

  private mutating func literalString() throws(PDFError) -> [UInt8] {
    position += 1
    var octets: [UInt8] = []
    var open = 1
    while let octet = next {
      position += 1
      switch octet {
      case UInt8(ascii: "("):
        open += 1
        octets.append(octet)
      case UInt8(ascii: ")"):
        open -= 1
        if open == 0 { return octets }
        octets.append(octet)
      case UInt8(ascii: "\\"): escape(&octets)
      case 0x0D:
        // An end of line, however it is written, is one line feed (7.3.4.2).
        if next == 0x0A { position += 1 }
        octets.append(0x0A)
      default: octets.append(octet)
      }
    }
    throw wrong("a string does not end")
  }

  private mutating func escape(_ octets: inout [UInt8]) {
    guard let octet = next else { return }
    position += 1
    switch octet {
    case UInt8(ascii: "n"): octets.append(0x0A)
    case UInt8(ascii: "r"): octets.append(0x0D)
    case UInt8(ascii: "t"): octets.append(0x09)
    case UInt8(ascii: "b"): octets.append(0x08)
    case UInt8(ascii: "f"): octets.append(0x0C)
    case 0x0D: if next == 0x0A { position += 1 }
    case 0x0A: break
    case 0x30...0x37:
      var value = Int(octet - 0x30)
      for _ in 0..<2 {
        guard let digit = next, (0x30...0x37).contains(digit) else { break }
        value = value * 8 + Int(digit - 0x30)
        position += 1
      }
      octets.append(UInt8(truncatingIfNeeded: value))
    default: octets.append(octet)
    }
  }

  private mutating func number() throws(PDFError) -> PDFObject {
    let start = position
    var isReal = false
    var isSigned = false
    while let octet = next {
      switch octet {
      case 0x30...0x39: break
      case UInt8(ascii: "+"), UInt8(ascii: "-"): isSigned = true
      case UInt8(ascii: "."): isReal = true
      default:
        return try finishNumber(start, isReal: isReal, isSigned: isSigned)
      }
      position += 1
    }
    return try finishNumber(start, isReal: isReal, isSigned: isSigned)
  }

  private mutating func finishNumber(_ start: Int, isReal: Bool, isSigned: Bool)
    throws(PDFError) -> PDFObject
  {
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    guard position - start <= 64 else { throw wrong("a number of more than 64 digits") }
    if isReal {
      guard Double(text) != nil || text == "." || text.hasSuffix(".") || text.hasPrefix("-.")
      else { throw wrong("\(text) is no number") }
      return .real(text)
    }
    guard let value = Int(text) else { throw wrong("\(text) is no number") }
    guard !isSigned, value >= 0 else { return .integer(value) }
    // Perhaps a reference: two numbers and R.
    let back = position
    skipSpace()
    if let generation = unsigned(), generation <= 65_535 {
      skipSpace()
      if take("R") { return .reference(PDFReference(number: value, generation: generation)) }
    }
    position = back
    return .integer(value)
  }

  // MARK: indirect objects

  /// `12 0 obj`, nil where something else stands here.
  mutating func header() -> PDFReference? {
    skipSpace()
    guard let number = unsigned() else { return nil }
    skipSpace()
    guard let generation = unsigned() else { return nil }
    skipSpace()
    guard take("obj") else { return nil }
    return PDFReference(number: number, generation: generation)
  }

  /// An indirect object's value behind its header; `length` says how long a stream is whose length
  /// is elsewhere.
  mutating func indirect(length: (PDFReference) throws(PDFError) -> Int?) throws(PDFError)
    -> PDFObject
  {
    let value = try object()
    guard case .dictionary(let entries) = value else { return value }
    skipSpace()
    guard take("stream") else { return value }
    // CR LF or LF (7.3.8.1); a CR alone is met too.
    if next == 0x0D { position += 1 }
    if next == 0x0A { position += 1 }
    let start = position
    var known: Int?
    switch entries["Length"] {
    case .integer(let count): known = count
    case .reference(let reference): known = try length(reference)
    default: break
    }
    if let known, known >= 0, known <= end - start {
      position = start + known
      skipSpace()
      if take("endstream") { return .stream(entries, bytes[start..<start + known]) }
    }
    // A wrong length: up to the word that ends it, as every reader does.
    let word = Array("endstream".utf8)
    position = start
    while position + word.count <= end {
      if bytes[position] == word[0], bytes[position..<position + word.count].elementsEqual(word) {
        var last = position
        if last > start, bytes[last - 1] == 0x0A { last -= 1 }
        if last > start, bytes[last - 1] == 0x0D { last -= 1 }
        scanned = position - start
        return .stream(entries, bytes[start..<last])
      }
      position += 1
    }
    throw wrong("a stream does not end")
  }
}
