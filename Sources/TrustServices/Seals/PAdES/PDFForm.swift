/// The interactive form (ISO 32000-2 12.7) as far as signatures and changes need it.
struct PDFForm {
  /// A terminal field.
  struct Field {
    var reference: PDFReference?
    /// Partial names from the root down, with dots.
    var name: String
    /// `Sig`, `Tx`, `Btn`, `Ch`; inherited.
    var type: String?
    var dictionary: PDFDictionary
    /// Of the field or inherited.
    var value: PDFObject?
    /// Its widgets that are objects of their own.
    var widgets: [PDFReference]
  }

  private(set) var fields: [Field] = []
  /// The fields that only hold others together.
  private(set) var groups: [(reference: PDFReference?, name: String, dictionary: PDFDictionary)] =
    []
  let dictionary: PDFDictionary?

  init(_ document: PDFDocument) throws(PDFError) {
    dictionary = try document.dictionary(document.catalogue()["AcroForm"])
    var seen: Set<PDFReference> = []
    var kidCount = 0
    typealias Open = (
      object: PDFObject, prefix: String, type: String?, value: PDFObject?, depth: Int
    )
    var open: [Open] = (try document.array(dictionary?["Fields"]) ?? []).reversed().map {
      ($0, "", nil, nil, 0)
    }
    while let next = open.popLast() {
      // A form that leads back to itself is met in files of others; a field counts once.
      if let reference = next.object.reference, !seen.insert(reference).inserted { continue }
      // A stream could be painted besides.
      guard case .dictionary(let field) = try document.resolve(next.object) else { continue }
      guard next.depth <= document.limits.maximumDepth,
        fields.count + groups.count + open.count <= document.limits.maximumFields
      else { throw .tooLarge("form fields") }
      var name = next.prefix
      if let own = try document.resolve(field["T"]).string {
        name += (name.isEmpty ? "" : ".") + PDFObject.text(own)
      }
      let type = try document.resolve(field["FT"]).name ?? next.type
      let value = field["V"] ?? next.value
      let kids = try document.array(field["Kids"]) ?? []
      // The same array may be the kids of many.
      kidCount += kids.count
      guard kidCount <= document.limits.maximumObjects else { throw .tooLarge("form fields") }
      var widgets: [PDFReference] = []
      var children: [PDFObject] = []
      for kid in kids {
        // A kid without a name is a widget of this field (12.7.4.2).
        if let dictionary = try document.dictionary(kid), dictionary["T"] == nil {
          if let reference = kid.reference { widgets.append(reference) }
        } else {
          children.append(kid)
        }
      }
      if children.isEmpty {
        if field["Subtype"] == .name("Widget"), let reference = next.object.reference {
          widgets.append(reference)
        }
        fields.append(
          Field(
            reference: next.object.reference, name: name, type: type, dictionary: field,
            value: value, widgets: widgets))
      } else {
        groups.append((next.object.reference, name, field))
        for kid in children.reversed() { open.append((kid, name, type, value, next.depth + 1)) }
      }
    }
  }
}
