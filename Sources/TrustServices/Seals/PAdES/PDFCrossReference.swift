/// Where an object is.
enum PDFEntry: Hashable, Sendable {
  case free
  case offset(Int, generation: Int)
  /// In an object stream, at an index of it.
  case compressed(stream: Int, index: Int)
}

/// One cross-reference section: the table or stream that one saving of the file added
/// (ISO 32000-2 7.5.4, 7.5.8).
struct PDFSection {
  var offset: Int
  var isStream: Bool
  var entries: [Int: PDFEntry] = [:]
  var trailer: PDFDictionary
}

/// Reads cross-reference sections.
struct PDFCrossReferenceReader {
  let bytes: [UInt8]
  let end: Int
  let limits: PDFLimits

  /// The last `startxref` before `end`, as the offset that it states and the place where it stands.
  static func start(_ bytes: [UInt8], end: Int, limits: PDFLimits) throws(PDFError)
    -> (offset: Int, place: Int)
  {
    let word = Array("startxref".utf8)
    let first = max(0, end - limits.tailSize)
    var place = end - word.count
    while place >= first {
      if bytes[place] == word[0], bytes[place..<place + word.count].elementsEqual(word) {
        var parser = PDFParser(bytes, at: place + word.count, end: end, limits: limits)
        parser.skipSpace()
        guard let offset = parser.unsigned() else {
          throw .malformed(offset: place, "startxref has no number")
        }
        return (offset, place)
      }
      place -= 1
    }
    throw .malformed(offset: max(0, end - 1), "startxref is missing at the end")
  }

  /// Every section from the newest to the first.
  func sections(from start: Int) throws(PDFError) -> [PDFSection] {
    var sections: [PDFSection] = []
    var seen: Set<Int> = []
    var next: Int? = start
    var count = 0
    while let offset = next {
      guard seen.insert(offset).inserted else {
        throw .malformed(offset: offset, "the cross-reference sections go in a circle")
      }
      guard sections.count < limits.maximumSections else { throw .tooLarge("revisions") }
      var section = try section(at: offset)
      if !section.isStream, let hybrid = section.trailer["XRefStm"]?.integer {
        guard seen.insert(hybrid).inserted else {
          throw .malformed(offset: hybrid, "the cross-reference sections go in a circle")
        }
        // What a table hides as free for old readers is in the stream (7.5.8.4).
        for (number, entry) in try self.section(at: hybrid).entries
        where section.entries[number] == nil || section.entries[number] == .free {
          section.entries[number] = entry
        }
      }
      count += section.entries.count
      guard count <= limits.maximumObjects else { throw .tooLarge("objects") }
      next = section.trailer["Prev"]?.integer
      if section.trailer["Prev"] != nil, next == nil {
        throw .malformed(offset: offset, "Prev is no number")
      }
      sections.append(section)
    }
    return sections
  }

  private func section(at offset: Int) throws(PDFError) -> PDFSection {
    guard offset > 0, offset < end else {
      throw .malformed(offset: offset, "a cross-reference section lies outside of the file")
    }
    var parser = PDFParser(bytes, at: offset, end: end, limits: limits)
    parser.skipSpace()
    if parser.take("xref") { return try table(&parser, offset) }
    guard let header = parser.header() else {
      throw .malformed(offset: offset, "no cross-reference section stands there")
    }
    let object = try parser.indirect { (_) throws(PDFError) in nil }
    guard case .stream(let dictionary, let data) = object,
      dictionary["Type"] == .name("XRef")
    else { throw .malformed(offset: offset, "object \(header.number) is no XRef stream") }
    return try stream(dictionary, data, offset)
  }

  private func table(_ parser: inout PDFParser, _ offset: Int) throws(PDFError) -> PDFSection {
    var section = PDFSection(offset: offset, isStream: false, trailer: [:])
    while true {
      parser.skipSpace()
      if parser.take("trailer") { break }
      let place = parser.position
      guard let first = parser.unsigned() else {
        throw .malformed(offset: place, "neither a subsection nor the trailer")
      }
      parser.skipSpace()
      guard let count = parser.unsigned(), first <= limits.maximumObjects * 8 else {
        throw .malformed(offset: place, "the subsection has no count")
      }
      for index in 0..<count {
        guard section.entries.count <= limits.maximumObjects else { throw .tooLarge("objects") }
        parser.skipSpace()
        let place = parser.position
        guard let position = parser.unsigned() else {
          throw .malformed(offset: place, "an entry of the table is missing")
        }
        parser.skipSpace()
        guard let generation = parser.unsigned(), generation <= 65_535 else {
          throw .malformed(offset: place, "an entry of the table has no generation")
        }
        parser.skipSpace()
        // Offset 0 is no place for an object; some writers mean free by it.
        if parser.take("n") {
          section.entries[first + index] =
            position == 0 ? .free : .offset(position, generation: generation)
        } else if parser.take("f") {
          section.entries[first + index] = .free
        } else {
          throw .malformed(offset: place, "an entry of the table is neither n nor f")
        }
      }
    }
    guard case .dictionary(let trailer) = try parser.object() else {
      throw .malformed(offset: parser.position, "the trailer is no dictionary")
    }
    section.trailer = trailer
    return section
  }

  private func stream(_ dictionary: PDFDictionary, _ data: ArraySlice<UInt8>, _ offset: Int)
    throws(PDFError) -> PDFSection
  {
    var section = PDFSection(offset: offset, isStream: true, trailer: dictionary)
    guard let widths = dictionary["W"]?.integers, widths.count == 3,
      widths.allSatisfy({ (0...8).contains($0) }), widths[1] > 0,
      let size = dictionary["Size"]?.integer, size >= 0
    else { throw .malformed(offset: offset, "W or Size of an XRef stream") }
    let index = dictionary["Index"] == nil ? [0, size] : dictionary["Index"]?.integers ?? []
    guard index.count % 2 == 0, index.allSatisfy({ $0 >= 0 }) else {
      throw .malformed(offset: offset, "Index of an XRef stream")
    }
    let plain = try PDFFilters.unpack(
      data, filter: dictionary["Filter"] ?? .null,
      parameters: dictionary["DecodeParms"] ?? .null, limit: limits.maximumStreamSize)
    let width = widths.reduce(0, +)
    var place = 0
    func field(_ number: Int, _ standard: Int) -> Int? {
      guard widths[number] > 0 else { return standard }
      var value: UInt64 = 0
      for octet in plain[place..<place + widths[number]] { value = value << 8 | UInt64(octet) }
      place += widths[number]
      return Int(exactly: value)
    }
    for pair in stride(from: 0, to: index.count, by: 2) {
      guard index[pair] <= limits.maximumObjects * 8 else { throw .tooLarge("objects") }
      for number in 0..<index[pair + 1] {
        // Fewer entries than promised are met in files of others; those left out are free.
        guard place + width <= plain.count else { return section }
        guard section.entries.count <= limits.maximumObjects else { throw .tooLarge("objects") }
        guard let kind = field(0, 1), let second = field(1, 0), let third = field(2, 0) else {
          throw .malformed(offset: offset, "an entry of an XRef stream is out of range")
        }
        section.entries[index[pair] + number] =
          switch kind {
          case 1: .offset(second, generation: third)
          case 2: .compressed(stream: second, index: third)
          default: .free
          }
      }
    }
    return section
  }
}
