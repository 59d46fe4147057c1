/// A PDF file, or a revision of it: the octets up to an end, and what they are a document of.
///
/// Objects are read when asked for and kept. A file whose cross-reference tables are broken is
/// refused, because two readers that repair it may see two documents.
final class PDFDocument {
  let bytes: [UInt8]
  let end: Int
  let limits: PDFLimits
  /// From the newest to the first.
  let sections: [PDFSection]
  /// Where the `startxref` stands that was read.
  let startPlace: Int
  private let entries: [Int: PDFEntry]
  private var objects: [Int: PDFObject] = [:]
  private var streams: [Int: (plain: [UInt8], places: [(number: Int, offset: Int)])] = [:]
  /// Where each object's `Contents` stood that has one as its own.
  private var contents: [Int: Range<Int>] = [:]
  private var unpacked = 0
  private var scanned = 0
  private var indirection = 0

  /// The document of the octets before `end`, the whole file where nil.
  init(_ bytes: [UInt8], end: Int? = nil, limits: PDFLimits = PDFLimits()) throws(PDFError) {
    let end = end ?? bytes.count
    self.bytes = bytes
    self.end = end
    self.limits = limits
    guard end <= bytes.count, bytes.prefix(1024).firstRange(of: Array("%PDF-".utf8)) != nil else {
      throw .malformed(offset: 0, "the header %PDF- is missing")
    }
    let start = try PDFCrossReferenceReader.start(bytes, end: end, limits: limits)
    startPlace = start.place
    sections = try PDFCrossReferenceReader(bytes: bytes, end: end, limits: limits)
      .sections(from: start.offset)
    var entries: [Int: PDFEntry] = [:]
    for section in sections {
      entries.merge(section.entries) { newer, _ in newer }
    }
    self.entries = entries
    guard !sections.contains(where: { $0.trailer["Encrypt"] != nil }) else { throw .encrypted }
  }

  var trailer: PDFDictionary { sections.first?.trailer ?? [:] }

  /// The highest number of any object.
  var maximumNumber: Int {
    max(entries.keys.max() ?? 0, (trailer["Size"]?.integer).map { min($0, 8 << 20) - 1 } ?? 0)
  }

  /// How many objects the cross-references name.
  var objectCount: Int { entries.count }

  func entry(_ number: Int) -> PDFEntry { entries[number] ?? .free }

  /// The numbers whose entry is another one in an older revision.
  func changes(since older: PDFDocument) -> Set<Int> {
    var changed: Set<Int> = []
    for (number, entry) in entries where older.entry(number) != entry { changed.insert(number) }
    for number in older.entries.keys where entries[number] == nil { changed.insert(number) }
    return changed
  }

  /// What a value is, through its reference; null where that leads nowhere (7.3.10).
  func resolve(_ object: PDFObject?) throws(PDFError) -> PDFObject {
    var object = object ?? .null
    var steps = 0
    while case .reference(let reference) = object {
      steps += 1
      guard steps <= limits.maximumIndirection else { throw .tooLarge("references in a row") }
      object = try value(of: reference)
    }
    return object
  }

  func dictionary(_ object: PDFObject?) throws(PDFError) -> PDFDictionary? {
    try resolve(object).dictionary
  }

  func array(_ object: PDFObject?) throws(PDFError) -> [PDFObject]? { try resolve(object).array }

  /// The value under a reference, which may be a reference again.
  func value(of reference: PDFReference) throws(PDFError) -> PDFObject {
    let entry = entry(reference.number)
    switch entry {
    case .free: return .null
    case .offset(_, let generation) where generation != reference.generation: return .null
    case .compressed where reference.generation != 0: return .null
    default: break
    }
    if let known = objects[reference.number] { return known }
    indirection += 1
    defer { indirection -= 1 }
    guard indirection <= limits.maximumIndirection else { throw .tooLarge("nested streams") }
    let value: PDFObject
    switch entry {
    case .free: value = .null
    case .offset(let offset, _):
      var parser = PDFParser(bytes, at: offset, end: end, limits: limits)
      // An object that is not where it should be is none (7.3.10).
      guard parser.header() == reference else {
        objects[reference.number] = .null
        return .null
      }
      value = try parser.indirect { (length) throws(PDFError) in
        try self.resolve(.reference(length)).integer
      }
      contents[reference.number] = parser.contents
      scanned += parser.scanned
      guard scanned <= max(limits.maximumStreamSize, end * 2) else {
        throw .tooLarge("streams of a wrong length")
      }
    case .compressed(let stream, let index):
      value = try compressed(reference.number, in: stream, at: index)
    }
    objects[reference.number] = value
    return value
  }

  /// Where the hexadecimal `Contents` of an object that is not compressed stands.
  func contentsRange(of reference: PDFReference) throws(PDFError) -> Range<Int>? {
    _ = try value(of: reference)
    return contents[reference.number]
  }

  private func compressed(_ number: Int, in stream: Int, at index: Int) throws(PDFError)
    -> PDFObject
  {
    let opened = try open(stream)
    guard index < opened.places.count, opened.places[index].number == number else {
      throw .malformed(offset: 0, "object \(number) is not in object stream \(stream)")
    }
    var parser = PDFParser(opened.plain, at: opened.places[index].offset, limits: limits)
    return try parser.object()
  }

  private func open(_ stream: Int) throws(PDFError) -> (
    plain: [UInt8], places: [(number: Int, offset: Int)]
  ) {
    if let known = streams[stream] { return known }
    guard case .offset(_, let generation) = entry(stream),
      case .stream(let dictionary, let data) = try value(
        of: PDFReference(number: stream, generation: generation)),
      let count = try resolve(dictionary["N"]).integer,
      let first = try resolve(dictionary["First"]).integer, count >= 0, first >= 0
    else { throw .malformed(offset: 0, "object \(stream) is no object stream") }
    let plain = try unpack(dictionary, data)
    var parser = PDFParser(plain, at: 0, limits: limits)
    var places: [(number: Int, offset: Int)] = []
    for _ in 0..<count {
      parser.skipSpace()
      guard let number = parser.unsigned() else { break }
      parser.skipSpace()
      guard let offset = parser.unsigned(), first <= plain.count, offset <= plain.count else {
        break
      }
      places.append((number, first + offset))
    }
    streams[stream] = (plain, places)
    return (plain, places)
  }

  /// A stream's octets, unpacked.
  func unpack(_ dictionary: PDFDictionary, _ data: ArraySlice<UInt8>) throws(PDFError) -> [UInt8] {
    var parameters = try resolve(dictionary["DecodeParms"] ?? dictionary["DP"])
    if let list = parameters.array { parameters = try resolve(list.first) }
    let plain = try PDFFilters.unpack(
      data, filter: try resolve(dictionary["Filter"]), parameters: parameters,
      limit: min(limits.maximumStreamSize, limits.maximumUnpackedSize - unpacked))
    unpacked += plain.count
    return plain
  }

  /// The unpacked octets of a stream behind a reference, nil for anything else.
  func streamOctets(_ object: PDFObject?) throws(PDFError) -> [UInt8]? {
    guard case .stream(let dictionary, let data) = try resolve(object) else { return nil }
    return try unpack(dictionary, data)
  }

  // MARK: the catalogue and what hangs on it

  func catalogue() throws(PDFError) -> PDFDictionary {
    guard let catalogue = try dictionary(trailer["Root"]) else {
      throw .malformed(offset: sections.first?.offset ?? 0, "the document's Root is missing")
    }
    return catalogue
  }

  /// A page: its object, and its dictionary with what it inherits (7.7.3.4).
  struct Page {
    var reference: PDFReference?
    var dictionary: PDFDictionary
    var effective: PDFDictionary
  }

  /// Pages in their order, at most `limit`, with the references of the whole tree.
  func pages(limit: Int? = nil) throws(PDFError) -> (pages: [Page], nodes: Set<PDFReference>) {
    let inheritable = ["Resources", "MediaBox", "CropBox", "Rotate"]
    var pages: [Page] = []
    var nodes: Set<PDFReference> = []
    var open: [(PDFObject, PDFDictionary, Int)] = [(try catalogue()["Pages"] ?? .null, [:], 0)]
    while let (object, inherited, depth) = open.popLast() {
      if let limit, pages.count >= limit { break }
      if let reference = object.reference, !nodes.insert(reference).inserted {
        throw .malformed(offset: 0, "page object \(reference.number) stands twice in the tree")
      }
      guard depth <= limits.maximumDepth, pages.count < limits.maximumPages,
        open.count <= limits.maximumObjects
      else { throw .tooLarge("pages") }
      guard case .dictionary(let node) = try resolve(object) else { continue }
      var effective = inherited
      for key in inheritable { if let value = node[key] { effective[key] = value } }
      if node["Kids"] != nil {
        for kid in (try array(node["Kids"]) ?? []).reversed() {
          open.append((kid, effective, depth + 1))
        }
      } else {
        pages.append(
          Page(
            reference: object.reference, dictionary: node,
            effective: node.merging(effective) { own, _ in own }))
      }
    }
    return (pages, nodes)
  }
}
