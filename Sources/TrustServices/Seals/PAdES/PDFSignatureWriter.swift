/// Adds one signature or document time stamp to a document, in an update of its own.
struct PDFSignatureWriter {
  let document: PDFDocument
  /// The entries of the signature dictionary besides ByteRange and Contents.
  var entries: PDFDictionary
  /// The start of the new field's name; a number is added.
  var fieldPrefix: String
  var fieldName: String?
  var appearance: (SealAppearance, lines: [String])?

  /// The file with room for `room` octets of Contents, and where everything is in it.
  func prepare(room: Int) throws -> (bytes: [UInt8], range: PDFSignature.Range) {
    var update = PDFUpdate(document)
    var body: [UInt8] = []
    PDFObject.dictionary(entries).write(to: &body)
    body.removeLast(2)
    body += "/ByteRange [".utf8
    let rangePlace = body.count
    // Three numbers of at most ten digits and the blanks between.
    body += [UInt8](repeating: 0x20, count: 34)
    body += "]/Contents ".utf8
    let contentsPlace = body.count
    body.append(UInt8(ascii: "<"))
    body += [UInt8](repeating: UInt8(ascii: "0"), count: room * 2)
    body += ">>>".utf8
    let signature = update.reserve()
    update.set(signature, encoded: body)
    try placeField(signature, &update)
    var (bytes, bodies) = update.encoded()
    // Proof of the alternative never being taken: the body was set three lines above.
    let place = bodies[signature] ?? 0
    let range = PDFSignature.Range(
      gapStart: place + contentsPlace, gapEnd: place + contentsPlace + room * 2 + 2,
      end: bytes.count)
    let text = "0 \(range.gapStart) \(range.gapEnd) \(range.end - range.gapEnd)"
    guard text.utf8.count <= 34 else { throw PDFError.tooLarge("octets") }
    bytes.replaceSubrange(
      (place + rangePlace)..<(place + rangePlace + text.utf8.count), with: text.utf8)
    return (bytes, range)
  }

  /// Puts the signature into its place.
  static func fill(_ bytes: inout [UInt8], _ range: PDFSignature.Range, with signature: [UInt8]) {
    let digits = Array("0123456789abcdef".utf8)
    for (index, octet) in signature.enumerated() {
      bytes[range.gapStart + 1 + index * 2] = digits[Int(octet >> 4)]
      bytes[range.gapStart + 2 + index * 2] = digits[Int(octet & 15)]
    }
  }

  /// Signs with what `sign` makes of the digests. Where it does not fit, it is made once more with
  /// as much room as it needs.
  func write(
    room: Int, hashes: Set<HashAlgorithm>, sign: (ContentDigests) async throws -> [UInt8]
  ) async throws -> [UInt8] {
    var room = room
    while true {
      var (bytes, range) = try prepare(room: room)
      let signature = try await sign(PDFSignature.digests(bytes, range, hashes))
      guard signature.count > room else {
        Self.fill(&bytes, range, with: signature)
        return bytes
      }
      // A signature may differ by some octets each time it is made.
      room = signature.count + 256
    }
  }

  // MARK: the field and its widget

  private func placeField(_ signature: PDFReference, _ update: inout PDFUpdate) throws {
    let form = try PDFForm(document)
    let names = Set((form.fields.map(\.name) + form.groups.map(\.name)))
    let name: String
    if let fieldName {
      guard !fieldName.isEmpty, !fieldName.contains("."), !names.contains(fieldName) else {
        throw SealError.fieldName(fieldName)
      }
      name = fieldName
    } else {
      var number = 1
      while names.contains("\(fieldPrefix)\(number)") { number += 1 }
      name = "\(fieldPrefix)\(number)"
    }
    let wanted = max(1, appearance?.0.page ?? 1)
    let pages = try document.pages(limit: wanted).pages
    guard let page = pages.last, let pageReference = page.reference else {
      throw PDFError.malformed(offset: 0, "it has no page that is an object of its own")
    }
    var widget: PDFDictionary = [
      "Type": .name("Annot"), "Subtype": .name("Widget"), "FT": .name("Sig"),
      "T": PDFObject.text(name), "V": .reference(signature),
      // Printed, locked (12.5.3).
      "F": .integer(132), "P": .reference(pageReference),
      "Rect": .array(Array(repeating: .integer(0), count: 4)),
    ]
    if let (appearance, lines) = appearance {
      let box = try numbers(page.effective["CropBox"] ?? page.effective["MediaBox"])
      let rectangle = appearance.rectangle(on: box ?? [0, 0, 595, 842])
      let form = appearance.write(
        lines, width: abs(rectangle[2] - rectangle[0]), height: abs(rectangle[3] - rectangle[1]),
        to: &update)
      widget["Rect"] = .array(rectangle.map { .real(SealAppearance.number($0)) })
      widget["AP"] = .dictionary(["N": .reference(form)])
    }
    let field = update.add(.dictionary(widget))
    try append(field, to: page.dictionary["Annots"], &update) { array, update in
      var dictionary = page.dictionary
      dictionary["Annots"] = array
      update.set(pageReference, .dictionary(dictionary))
    }
    try addToForm(field, form, &update)
  }

  private func numbers(_ object: PDFObject?) throws -> [Double]? {
    let values = try (document.array(object) ?? []).map { element -> Double? in
      switch try document.resolve(element) {
      case .integer(let value): Double(value)
      case .real(let text): Double(text)
      default: nil
      }
    }
    let known = values.compactMap { $0 }.filter { abs($0) < 1e6 }
    return known.count == 4 ? known : nil
  }

  /// Adds to an array that is an object of its own, or else gives the new array to `replace`.
  private func append(
    _ new: PDFReference, to object: PDFObject?, _ update: inout PDFUpdate,
    replace: (PDFObject, inout PDFUpdate) throws -> Void
  ) throws {
    let list = PDFObject.array((try document.array(object) ?? []) + [.reference(new)])
    if let own = object?.reference, try document.array(object) != nil {
      update.set(own, list)
    } else {
      try replace(list, &update)
    }
  }

  private func addToForm(_ field: PDFReference, _ form: PDFForm, _ update: inout PDFUpdate) throws {
    var catalogue = try document.catalogue()
    guard let root = document.trailer["Root"]?.reference else {
      throw PDFError.malformed(offset: 0, "the trailer's Root is no reference")
    }
    let document = document
    var dictionary = form.dictionary ?? [:]
    // Signatures exist, and only appending keeps them (12.7.3).
    let flags = try document.resolve(dictionary["SigFlags"]).integer ?? 0
    var isChanged = flags & 3 != 3
    dictionary["SigFlags"] = .integer(flags | 3)
    try append(field, to: dictionary["Fields"], &update) { array, _ in
      dictionary["Fields"] = array
      isChanged = true
    }
    guard isChanged else { return }
    if let own = catalogue["AcroForm"]?.reference, form.dictionary != nil {
      update.set(own, .dictionary(dictionary))
    } else {
      catalogue["AcroForm"] = .reference(update.add(.dictionary(dictionary)))
      update.set(root, .dictionary(catalogue))
    }
  }
}
