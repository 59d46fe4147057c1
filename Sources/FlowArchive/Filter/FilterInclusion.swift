extension FlowFilter {
  /// A filter's text with the text of a file in the place of each `@include FILE`, as nfdump has it; the
  /// name ends at the next blank. Files may include others.
  ///
  /// Only for filters of somebody who may read the files anyway, such as whoever types a command: a
  /// filter itself, as `init` reads it, knows no files.
  ///
  /// - Parameter read: the text of a file.
  /// - Throws: ``FilterError`` where a file cannot be read, includes itself, lies deeper than
  ///   ``FilterParameters/deepestInclusion``, or makes the filter longer than
  ///   ``FilterParameters/longestText``.
  public static func including(
    _ text: String, parameters: FilterParameters = FilterParameters(),
    read: (String) throws -> String
  ) throws(FilterError) -> String {
    var inclusion = FilterInclusion(parameters: parameters)
    try inclusion.add(text, from: [], read)
    return String(decoding: inclusion.octets, as: UTF8.self)
  }
}

/// Puts a filter's text together.
private struct FilterInclusion {
  let parameters: FilterParameters
  var octets: [UInt8] = []

  private static let word = Array("@include".utf8)

  init(parameters: FilterParameters) { self.parameters = parameters }

  /// Appends a text that came by these files, the outermost first.
  mutating func add(
    _ text: String, from files: [String], _ read: (String) throws -> String
  ) throws(FilterError) {
    let source = Array(text.utf8)
    guard octets.count + source.count <= parameters.longestText else {
      throw FilterError(
        text: "", offset: 0,
        message: "with what it includes a filter has at most \(parameters.longestText) octets")
    }
    var place = 0
    while place < source.count {
      if source[place] == UInt8(ascii: "#") {
        while place < source.count, source[place] != 10 {
          octets.append(source[place])
          place += 1
        }
      } else if isWord(source, at: place) {
        let start = place
        place += Self.word.count
        while place < source.count, isBlank(source[place]) { place += 1 }
        let name = source[place...].prefix { !isBlank($0) }
        place += name.count
        try include(String(decoding: name, as: UTF8.self), text, start, files, read)
      } else {
        octets.append(source[place])
        place += 1
      }
    }
  }

  private mutating func include(
    _ name: String, _ text: String, _ offset: Int, _ files: [String],
    _ read: (String) throws -> String
  ) throws(FilterError) {
    func failure(_ message: String) -> FilterError {
      FilterError(text: text, offset: offset, message: message)
    }
    if name.isEmpty { throw failure("expected a file's name after @include") }
    if files.contains(name) { throw failure("\(name) includes itself") }
    guard files.count < parameters.deepestInclusion else {
      throw failure("at most \(parameters.deepestInclusion) files include one another")
    }
    let content: String
    do { content = try read(name) } catch { throw failure("\(name) cannot be read: \(error)") }
    // A comment at a file's end ends there.
    octets.append(10)
    try add(content, from: files + [name], read)
    octets.append(10)
  }

  private func isWord(_ source: [UInt8], at place: Int) -> Bool {
    let end = place + Self.word.count
    guard end <= source.count, end == source.count || isBlank(source[end]) else { return false }
    guard place == 0 || isBlank(source[place - 1]) || source[place - 1] == UInt8(ascii: "(") else {
      return false
    }
    return zip(source[place..<end], Self.word).allSatisfy { $0 | 32 == $1 | 32 }
  }

  private func isBlank(_ octet: UInt8) -> Bool { octet == 32 || (9...13).contains(octet) }
}
