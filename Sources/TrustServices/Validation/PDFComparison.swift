/// One difference between a signed revision and the document as it is now.
enum PDFChange: Hashable {
  // Allowed (EN 319 142-1 5.6, ISO 32000-2 12.8.2.2).
  case validationData
  case documentTimeStamp(String)
  case signature(String)
  case visibleSignature(String)
  case signatureField(String)
  case formField(String)
  case formDefaults
  case information
  case version
  // Not allowed.
  case annotation(Int)
  case pageContent(Int)
  case pages(Int, Int)
  case signatureAltered(String)
  case fieldAltered(String)
  case fieldLocked(String)
  case appearanceAltered(String)
  case catalogue(String)
  case trailing
  case unreadable
}

/// Compares what two revisions of a document show: all that hangs on the catalogue, apart from what
/// signatures, their validation and the filling-in of forms have to change.
///
/// It follows the content and not the cross-reference tables, so that it does not matter how a change
/// was brought in.
struct PDFComparison {
  private let old: PDFDocument
  private let new: PDFDocument
  private let changed: Set<Int>
  /// Pages, form fields and widgets: compared by themselves, and by reference alone elsewhere.
  private var exempt: Set<PDFReference> = []
  /// Objects that were found the same together with everything below.
  private var visited: Set<[PDFReference]> = []
  private(set) var found: [PDFChange] = []
  /// What has been looked at; two graphs can have many more pairs of objects than objects.
  private var steps = 0

  /// The differences, in the order in which they were met.
  static func changes(from old: PDFDocument, to new: PDFDocument) throws(PDFError) -> [PDFChange] {
    var comparison = PDFComparison(old, new)
    try comparison.run()
    return comparison.found
  }

  private init(_ old: PDFDocument, _ new: PDFDocument) {
    self.old = old
    self.new = new
    changed = new.changes(since: old)
  }

  private mutating func note(_ change: PDFChange) {
    if !found.contains(change) { found.append(change) }
  }

  private mutating func run() throws(PDFError) {
    let (oldPages, newPages) = (try old.pages(), try new.pages())
    let (oldForm, newForm) = (try PDFForm(old), try PDFForm(new))
    let isSameCount = oldPages.pages.count == newPages.pages.count
    if !isSameCount { note(.pages(oldPages.pages.count, newPages.pages.count)) }
    let pages = isSameCount ? Array(zip(oldPages.pages, newPages.pages)) : []
    // What is painted comes first and without exemption: a file may be prepared so that one object
    // is both a form field and part of a page.
    for (index, (before, after)) in pages.enumerated() {
      for key in ["Contents", "Resources"]
      where try !isSame(before.effective[key], after.effective[key]) {
        note(.pageContent(index + 1))
      }
    }
    let fillable = Set(
      oldForm.fields.filter { $0.type != "Sig" || $0.value == nil }.flatMap(\.widgets))
    let known = Set(oldForm.fields.flatMap(\.widgets))
    for (index, (before, _)) in pages.enumerated() {
      for annotation in try old.array(before.dictionary["Annots"]) ?? [] {
        try count(1)
        guard let reference = annotation.reference, !fillable.contains(reference) else { continue }
        let painted = try old.dictionary(annotation)?["AP"]
        if try !isSame(painted, try new.dictionary(annotation)?["AP"]) {
          let field = oldForm.fields.first { $0.widgets.contains(reference) }
          note(field.map { .signatureAltered($0.name) } ?? .annotation(index + 1))
        }
      }
    }
    // From here on, pages and fields are compared by themselves, and by reference elsewhere. Only
    // those of the signed revision: what is new cannot be referred to by what was there.
    exempt = oldPages.nodes
    for (index, (before, after)) in pages.enumerated() {
      if try !isSame(
        before.effective, after.effective, without: ["Parent", "Annots", "Contents", "Resources"])
      {
        note(.pageContent(index + 1))
      }
    }
    exempt.formUnion(known)
    exempt.formUnion(oldForm.fields.compactMap(\.reference))
    exempt.formUnion(oldForm.groups.compactMap(\.reference))
    try compareCatalogues()
    try compareForms(oldForm, newForm)
    let added = newWidgets(oldForm, newForm)
    for (index, (before, after)) in pages.enumerated() {
      try compareAnnotations(before, after, number: index + 1, added: added, known: known)
    }
  }

  // MARK: equality

  private mutating func count(_ more: Int) throws(PDFError) {
    steps += more
    guard steps <= new.limits.maximumComparisons else { throw .tooLarge("objects to compare") }
  }

  private mutating func isSame(_ first: PDFObject?, _ second: PDFObject?) throws(PDFError) -> Bool {
    var work = [(first ?? .null, second ?? .null)]
    var entered: [[PDFReference]] = []
    while let (a, b) = work.popLast() {
      guard try isSame(a, b, &work, &entered) else {
        // What hangs below these was not compared to the end.
        for pair in entered { visited.remove(pair) }
        return false
      }
    }
    return true
  }

  /// Compares one object; what it refers to goes to `work`.
  private mutating func isSame(
    _ a: PDFObject, _ b: PDFObject, _ work: inout [(PDFObject, PDFObject)],
    _ entered: inout [[PDFReference]]
  ) throws(PDFError) -> Bool {
    try count(1)
    switch (a, b) {
    case (.reference(let left), .reference(let right)):
      if left == right, exempt.contains(left) { return true }
      guard visited.insert([left, right]).inserted else { return true }
      entered.append([left, right])
      let after = try new.value(of: right)
      // The same octets of the file are the same object; only what it refers to is to be looked at.
      let isUntouched =
        left == right && !changed.contains(left.number)
        && { if case .offset = new.entry(left.number) { true } else { false } }()
      var before = after
      if case .stream = after {
        before = try old.value(of: left)
      } else if !isUntouched {
        before = try old.value(of: left)
      }
      work.append((before, after))
      return true
    case (.reference, _): return try isSame(try old.resolve(a), b, &work, &entered)
    case (_, .reference): return try isSame(a, try new.resolve(b), &work, &entered)
    case (.array(let left), .array(let right)):
      guard left.count == right.count else { return false }
      for (x, y) in zip(left, right) where try !isSame(nested: x, y, &work, &entered) {
        return false
      }
      return true
    case (.dictionary(let left), .dictionary(let right)):
      return try isSame(left, right, &work, &entered)
    case (.stream(let left, let packed), .stream(let right, let other)):
      try count(packed.count / 64)
      guard packed == other else { return false }
      return try isSame(left, right, &work, &entered)
    case (.integer(let value), .real(let text)), (.real(let text), .integer(let value)):
      return Double(text) == Double(value)
    case (.real(let first), .real(let second)):
      return first == second || Double(first).map { $0 == Double(second) } ?? false
    default: return a == b
    }
  }

  private mutating func isSame(
    nested a: PDFObject, _ b: PDFObject, _ work: inout [(PDFObject, PDFObject)],
    _ entered: inout [[PDFReference]]
  ) throws(PDFError) -> Bool {
    if case .reference = a {
      work.append((a, b))
      return true
    }
    if case .reference = b {
      work.append((a, b))
      return true
    }
    return try isSame(a, b, &work, &entered)
  }

  private mutating func isSame(
    _ left: PDFDictionary, _ right: PDFDictionary, _ work: inout [(PDFObject, PDFObject)],
    _ entered: inout [[PDFReference]]
  ) throws(PDFError) -> Bool {
    guard left.count == right.count else { return false }
    for (key, value) in left {
      guard let other = right[key] else { return false }
      guard try isSame(nested: value, other, &work, &entered) else { return false }
    }
    return true
  }

  private mutating func isSame(
    _ left: PDFDictionary, _ right: PDFDictionary, without keys: Set<String>
  ) throws(PDFError) -> Bool {
    try isSame(
      .dictionary(left.filter { !keys.contains($0.key) }),
      .dictionary(right.filter { !keys.contains($0.key) }))
  }

  // MARK: catalogue

  private mutating func compareCatalogues() throws(PDFError) {
    let (before, after) = (try old.catalogue(), try new.catalogue())
    for key in Set(before.keys).union(after.keys).sorted()
    where key != "Pages" && key != "AcroForm" {
      guard try !isSame(before[key], after[key]) else { continue }
      switch key {
      case "DSS": note(.validationData)
      case "Extensions", "Version": note(.version)
      case "Metadata": note(.information)
      default: note(.catalogue(key))
      }
    }
    if try !isSame(old.trailer["Info"], new.trailer["Info"]) { note(.information) }
  }

  // MARK: form

  private static let signatureValueKeys: Set<String> = ["V", "AP", "AS", "F", "M"]
  private static let valueKeys: Set<String> = ["V", "AP", "AS", "RV", "I", "M"]

  private mutating func compareForms(_ before: PDFForm, _ after: PDFForm) throws(PDFError) {
    if let own = before.dictionary {
      if try !isSame(
        own, after.dictionary ?? [:],
        without: ["Fields", "SigFlags", "DA", "DR", "NeedAppearances"]
      ) {
        note(.catalogue("AcroForm"))
      }
      for key in ["DA", "DR", "NeedAppearances"]
      where try !isSame(own[key], after.dictionary?[key]) {
        note(.formDefaults)
      }
    } else if after.dictionary?["XFA"] != nil {
      note(.catalogue("AcroForm"))
    }
    var oldFields = Self.byKey(before)
    for (index, field) in after.fields.enumerated() {
      if let earlier = oldFields.removeValue(forKey: Self.key(field.reference, index)) {
        try compare(earlier, field)
      } else if field.type == "Sig" {
        try noteSignature(field)
      } else {
        note(.fieldAltered(field.name))
      }
    }
    for name in oldFields.values.map(\.name).sorted() { note(.fieldAltered(name)) }
    var groups: [[Int]: PDFDictionary] = [:]
    for (index, group) in after.groups.enumerated() {
      groups[Self.key(group.reference, index)] = group.dictionary
    }
    for (index, group) in before.groups.enumerated() {
      guard let later = groups[Self.key(group.reference, index)],
        try isSame(group.dictionary, later, without: ["Kids"])
      else {
        note(.fieldAltered(group.name))
        continue
      }
    }
  }

  /// Fields are the same by their objects: names may stand for several.
  private static func key(_ reference: PDFReference?, _ index: Int) -> [Int] {
    reference.map { [$0.number, $0.generation] } ?? [index]
  }

  private static func byKey(_ form: PDFForm) -> [[Int]: PDFForm.Field] {
    var fields: [[Int]: PDFForm.Field] = [:]
    for (index, field) in form.fields.enumerated() { fields[key(field.reference, index)] = field }
    return fields
  }

  private mutating func noteSignature(_ field: PDFForm.Field) throws(PDFError) {
    guard let value = try new.dictionary(field.value) else {
      note(.signatureField(field.name))
      return
    }
    if value["SubFilter"] == .name("ETSI.RFC3161") {
      note(.documentTimeStamp(field.name))
      return
    }
    var isVisible = false
    for widget in field.widgets.prefix(16) {
      let rectangle = try new.array(new.dictionary(.reference(widget))?["Rect"]) ?? []
      isVisible = isVisible || Set(rectangle).count > 2
    }
    note(isVisible ? .visibleSignature(field.name) : .signature(field.name))
  }

  private mutating func compare(_ before: PDFForm.Field, _ after: PDFForm.Field) throws(PDFError) {
    guard before.reference == after.reference, before.type == after.type,
      after.widgets == before.widgets
    else {
      note(before.value == nil ? .fieldAltered(after.name) : .signatureAltered(after.name))
      return
    }
    let isSigned = before.type == "Sig" && before.value != nil
    let open: Set<String> =
      isSigned ? [] : before.type == "Sig" ? Self.signatureValueKeys : Self.valueKeys
    var isFilled = try !isSame(before.dictionary, after.dictionary, without: [])
    if isFilled, try !isSame(before.dictionary, after.dictionary, without: open) {
      note(isSigned ? .signatureAltered(after.name) : .fieldAltered(after.name))
      return
    }
    for widget in before.widgets where widget != before.reference {
      let left = try old.dictionary(.reference(widget)) ?? [:]
      let right = try new.dictionary(.reference(widget)) ?? [:]
      guard try !isSame(left, right, without: []) else { continue }
      isFilled = true
      if try !isSame(left, right, without: open) {
        note(isSigned ? .signatureAltered(after.name) : .fieldAltered(after.name))
        return
      }
    }
    guard isFilled else { return }
    guard before.type != "Sig" else {
      try noteSignature(after)
      return
    }
    // A box that is painted anew without a new value shows something else than it says ("replace",
    // Mainka et al., Shadow Attacks, NDSS 2021).
    if try isSame(before.dictionary["V"], after.dictionary["V"]), try isRepainted(before) {
      note(.appearanceAltered(after.name))
    } else {
      note(.formField(after.name))
    }
  }

  /// Whether an appearance that was there is another one now.
  private mutating func isRepainted(_ field: PDFForm.Field) throws(PDFError) -> Bool {
    for widget in field.widgets {
      guard let painted = try old.dictionary(.reference(widget))?["AP"] else { continue }
      if try !isSame(painted, try new.dictionary(.reference(widget))?["AP"]) { return true }
    }
    return false
  }

  /// The widgets of signature fields that were not there before, new objects all of them.
  private func newWidgets(_ before: PDFForm, _ after: PDFForm) -> Set<PDFReference> {
    let earlier = Self.byKey(before)
    var widgets: Set<PDFReference> = []
    for (index, field) in after.fields.enumerated()
    where field.type == "Sig" && earlier[Self.key(field.reference, index)] == nil {
      widgets.formUnion(field.widgets.filter { old.entry($0.number) == .free })
    }
    return widgets
  }

  // MARK: annotations

  private mutating func compareAnnotations(
    _ before: PDFDocument.Page, _ after: PDFDocument.Page, number: Int,
    added: Set<PDFReference>, known: Set<PDFReference>
  ) throws(PDFError) {
    let earlier = try old.array(before.dictionary["Annots"]) ?? []
    let later = try new.array(after.dictionary["Annots"]) ?? []
    try count(earlier.count + later.count)
    let kept = Set(later)
    for annotation in earlier {
      guard kept.contains(annotation) else {
        note(.annotation(number))
        continue
      }
      if let reference = annotation.reference, known.contains(reference) { continue }
      if try !isSame(annotation, annotation) { note(.annotation(number)) }
    }
    let there = Set(earlier)
    for annotation in later where !there.contains(annotation) {
      guard let reference = annotation.reference, added.contains(reference) else {
        note(.annotation(number))
        continue
      }
    }
  }
}
