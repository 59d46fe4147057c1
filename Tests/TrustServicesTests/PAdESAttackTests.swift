import Foundation
import NetworkTypes
import Testing

@testable import TrustServices

/// Attacks on signed PDF files that are known from the literature, each on a seal that passes before.
@Suite("PAdES under attack")
struct PAdESAttackTests {
  private let house: SealHouse
  private let validator: SealValidator

  init() throws {
    house = try SealHouse()
    validator = try house.validator(crls: [house.crl])
  }

  private func sealed(_ objects: [String] = PDFFixtures.objects(pages: 2, form: true)) async throws
    -> [UInt8]
  {
    let sealed = try await house.padesSealer().seal(
      PDFFixtures.table(objects), at: TestAuthority.now)
    #expect(validator.validate(file: sealed).verdict == "TOTAL-PASSED")
    return sealed
  }

  private func verdict(_ bytes: [UInt8]) -> String {
    let report = validator.validate(file: bytes)
    let kinds = report.signatures.first?.changesAfter.compactMap {
      ($0.isAllowed ? "+" : "-") + ($0.kind ?? "")
    }
    return ([report.verdict] + (kinds ?? [])).joined(separator: " ")
  }

  private func stream(_ text: String) -> String {
    "<</Length \(text.utf8.count)>>\nstream\n\(text)\nendstream"
  }

  // Objects: 1 catalogue, 2 pages, 3 font, 4 page, 5 its content, 6 page, 7 its content, 8 text field.

  @Test(
    "incremental saving: whatever changes the pages afterwards is said and refused",
    arguments: [
      ([5: "content"], "TOTAL-FAILED HASH_FAILURE -page-content"),
      (
        [3: "<</Type/Font/Subtype/Type1/BaseFont/Symbol>>"],
        "TOTAL-FAILED HASH_FAILURE -page-content"
      ),
      ([6: "null"], "TOTAL-FAILED HASH_FAILURE -pages"),
      (
        [2: "<</Type/Pages/Kids[4 0 R]/Count 1/MediaBox[0 0 595 842]>>"],
        "TOTAL-FAILED HASH_FAILURE -pages"
      ),
      (
        [2: "<</Type/Pages/Kids[6 0 R 4 0 R]/Count 2/MediaBox[0 0 595 842]>>"],
        "INDETERMINATE SIG_CONSTRAINTS_FAILURE -annotation"
      ),
      (
        [2: "<</Type/Pages/Kids[4 0 R 6 0 R]/Count 2/MediaBox[0 0 10 10]>>"],
        "TOTAL-FAILED HASH_FAILURE -page-content"
      ),
      (
        [
          6: "<</Type/Page/Parent 2 0 R/Resources<</Font<</F1 3 0 R>>>>/Contents 7 0 R"
            + "/Annots[<</Type/Annot/Subtype/FreeText/Rect[0 0 595 842]/Contents(paid)>>]>>"
        ],
        "INDETERMINATE SIG_CONSTRAINTS_FAILURE -annotation"
      ),
      (
        [1: "<</Type/Catalog/Pages 2 0 R/OpenAction<</S/JavaScript/JS(x)>>/AcroForm 11 0 R>>"],
        "INDETERMINATE SIG_CONSTRAINTS_FAILURE -catalogue"
      ),
    ] as [([Int: String], String)])
  func incrementalSaving(objects: [Int: String], expected: String) async throws {
    var objects = objects
    if objects[5] != nil { objects[5] = stream(PDFFixtures.content + " q Q") }
    let bytes = try await sealed()
    if objects[1] != nil {
      // The form as the seal left it.
      let form = try #require(try PDFDocument(bytes).catalogue()["AcroForm"]?.reference)
      objects[1] = objects[1]?.replacingOccurrences(of: "11 0 R", with: "\(form.number) 0 R")
    }
    let outcome = verdict(try PDFFixtures.update(bytes, objects))
    #expect(outcome.hasPrefix(expected), "\(outcome)")
  }

  @Test("a form field that is filled in afterwards is named, and altered ones are not allowed")
  func forms() async throws {
    let widget = "<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/V(%)/Rect[72 600 200 620]/F 4/P 4 0 R"
    let bytes = try await sealed()
    let filled = try PDFFixtures.update(
      bytes, [8: widget.replacingOccurrences(of: "%", with: "new") + ">>"])
    #expect(verdict(filled) == "TOTAL-PASSED +form-field")
    let moved = try PDFFixtures.update(
      bytes, [8: widget.replacingOccurrences(of: "72 600", with: "0 0") + ">>"])
    #expect(verdict(moved) == "INDETERMINATE SIG_CONSTRAINTS_FAILURE -field-altered")
    // A box that shows something else than its value.
    var objects = PDFFixtures.objects(pages: 2, form: true)
    objects[7] = widget.replacingOccurrences(of: "%", with: "old") + "/AP<</N 9 0 R>>>>"
    objects.append(stream("BT (old) Tj ET"))
    let replaced = try PDFFixtures.update(
      try await sealed(objects), [9: stream("BT (new) Tj ET")])
    #expect(verdict(replaced) == "TOTAL-FAILED HASH_FAILURE -appearance-altered")
  }

  @Test("an object that is form field and page content at once hides nothing")
  func doubleUse() async throws {
    // The page takes its resource names from a field, whose appearance may change when it is filled.
    var objects = PDFFixtures.objects(pages: 2, form: true)
    objects[7] =
      "<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/V(old)/Rect[0 0 9 9]/P 4 0 R/AP 9 0 R>>"
    objects[3] =
      "<</Type/Page/Parent 2 0 R/Resources<</XObject 8 0 R>>/Contents 5 0 R/Annots[8 0 R]>>"
    objects.append(stream("q Q"))
    objects.append(stream("BT (paid) Tj ET"))
    let outcome = verdict(
      try PDFFixtures.update(
        try await sealed(objects),
        [
          8: objects[7].replacingOccurrences(of: "9 0 R", with: "10 0 R")
            .replacingOccurrences(of: "old", with: "new")
        ]))
    #expect(outcome.hasPrefix("TOTAL-FAILED HASH_FAILURE -page-content"), "\(outcome)")
  }

  @Test("shadow attack: an update that only points an object elsewhere is a change of content")
  func shadow() async throws {
    var objects = PDFFixtures.objects(pages: 2, form: true)
    objects.append("<</Length 29>>\nstream\nBT /F1 24 Tf (Shadow) Tj ET q Q\nendstream")
    let bytes = try await sealed(objects)
    let document = try PDFDocument(bytes)
    guard case .offset(let place, _) = document.entry(9) else { return }
    // Object 5 written where object 9's body stands would have another header.
    let start = bytes.count
    let text =
      "xref\n5 1\n\(PDFFixtures.pad(place, 10)) 00000 n \ntrailer\n<</Size 12/Root "
      + "1 0 R/Prev \(document.sections[0].offset)>>\nstartxref\n\(start)\n%%EOF\n"
    #expect(verdict(bytes + Array(text.utf8)) == "TOTAL-FAILED HASH_FAILURE -page-content")
    // Hidden: the content freed.
    let freed =
      "xref\n5 1\n0000000000 00001 f \ntrailer\n<</Size 12/Root 1 0 R/Prev "
      + "\(document.sections[0].offset)>>\nstartxref\n\(start)\n%%EOF\n"
    #expect(verdict(bytes + Array(freed.utf8)) == "TOTAL-FAILED HASH_FAILURE -page-content")
  }

  @Test("octets behind the signed revision that no reader should look at are refused")
  func trailing() async throws {
    let bytes = try await sealed()
    #expect(
      verdict(bytes + Array("5 0 obj\n<<>>\nendobj\n".utf8))
        == "TOTAL-FAILED HASH_FAILURE -trailing")
    #expect(verdict(bytes + Array("\n\n".utf8)) == "TOTAL-PASSED")
  }

  @Test(
    "universal signature forgery: a ByteRange that is missing or odd, and Contents that are none",
    arguments: [
      ("/ByteRange [0 ", "/ByteRangf [0 ", "missing or not of numbers"),
      ("/ByteRange [0 ", "/ByteRange [1 ", "does not begin with the file"),
      ("/ByteRange [0 ", "/ByteRange [-0 ", nil),
      ("/ByteRange [0 ", "/ByteRange [/ ", "missing or not of numbers"),
      ("/ByteRange [0 ", "/ByteRange [( ", nil),
      ("/Contents <", "/Contentz <", "missing, empty or null"),
      ("/Contents <3", "/Contents <0", nil),
    ] as [(String, String, String?)])
  func forgery(old: String, new: String, reason: String?) async throws {
    let bytes = try await sealed()
    var text = new
    // Kept as long as it was.
    if text.utf8.count > old.utf8.count { text = String(text.dropLast()) }
    let forged = PDFFixtures.replace(bytes, old, text)
    #expect(forged != bytes)
    let report = validator.validate(file: forged)
    #expect(report.conclusion.indication == .totalFailed)
    if let reason {
      #expect(report.verdict == "TOTAL-FAILED FORMAT_FAILURE")
      #expect(report.conclusion.detail?.contains(reason) == true, "\(report.conclusion)")
    }
  }

  @Test("numbers of a ByteRange that reach beyond, overlap or leave out more are refused")
  func ranges() async throws {
    let bytes = try await sealed()
    let document = try PDFDocument(bytes)
    let signature = try #require(try PDFSignature.all(document, PDFForm(document)).first)
    let range = try signature.range(in: document)
    let old = "[0 \(range.gapStart) \(range.gapEnd) \(range.end - range.gapEnd)"
    for (numbers, reason) in [
      ("[0 \(range.gapStart) \(range.gapEnd) 9999999999", "beyond the file"),
      ("[0 \(range.gapStart) 9223372036854775807 1", "beyond the file"),
      ("[0 \(range.gapEnd) \(range.gapStart) 1", "overlap"),
      ("[0 \(range.gapStart - 9) \(range.gapEnd) 99", "not exactly the Contents"),
      ("[0 \(range.gapStart) \(range.gapEnd) 20", "startxref is missing"),
      ("[0 \(range.gapStart) \(range.gapEnd)", "3 numbers"),
      ("[0 \(range.gapStart) \(range.gapEnd) 1 2 3", "6 numbers"),
    ] {
      let text =
        numbers + String(repeating: " ", count: max(0, old.utf8.count - numbers.utf8.count))
      var forged = bytes
      let place = try #require(forged.firstRange(of: Array(old.utf8)))
      let room = max(place.count, text.utf8.count)
      forged.replaceSubrange(place.lowerBound..<(place.lowerBound + room), with: text.utf8)
      let report = validator.validate(file: forged)
      #expect(report.verdict == "TOTAL-FAILED FORMAT_FAILURE")
      #expect(report.conclusion.detail?.contains(reason) == true, "\(report.conclusion)")
    }
  }

  @Test("signature wrapping: a seal's dictionary moved into another place of another document")
  func wrapping() async throws {
    let bytes = try await sealed()
    let document = try PDFDocument(bytes)
    let signature = try #require(try PDFSignature.all(document, PDFForm(document)).first)
    let reference = try #require(signature.reference)
    // The attacker's own update holds a copy of the signature, over the original's octets.
    var dictionary = signature.dictionary
    dictionary["Reason"] = .string(Array("mine".utf8))
    var update = PDFUpdate(document)
    update.set(reference, .dictionary(dictionary))
    update.set(
      PDFReference(number: 5), encoded: Array(stream("BT (Pay the attacker) Tj ET").utf8))
    let report = validator.validate(file: update.encoded().bytes)
    #expect(report.verdict == "TOTAL-FAILED FORMAT_FAILURE")
    #expect(report.conclusion.detail?.contains("not exactly the Contents") == true)
    // A second field that points at the same signature.
    let field = "<</FT/Sig/T(Other)/V \(reference.number) 0 R>>"
    let form = try #require(try document.catalogue()["AcroForm"]?.reference)
    let own = try #require(signature.field)
    let doubled = try PDFFixtures.update(
      bytes,
      [
        60: field,
        form.number: "<</SigFlags 3/Fields[8 0 R \(own.number) 0 R 60 0 R]>>",
      ])
    #expect(validator.validate(file: doubled).conclusion.indication == .totalFailed)
  }

  @Test("a seal that is removed from the form, or painted over, does not pass for the other")
  func removed() async throws {
    var description = PAdESSealer.Description()
    description.appearance = SealAppearance()
    let first = try await house.padesSealer().seal(
      PDFFixtures.table(), description: description, at: TestAuthority.now)
    let second = try await house.padesSealer().seal(first, at: TestAuthority.now)
    let document = try PDFDocument(second)
    let field = try #require(try PDFForm(document).fields.first)
    let painted = try #require(try document.dictionary(field.dictionary["AP"])?["N"]?.reference)
    let over = try PDFFixtures.update(second, [painted.number: stream("BT (Bank) Tj ET")])
    let report = validator.validate(file: over)
    #expect(
      report.signatures.map(\.conclusion.code)
        == Array(repeating: "TOTAL-FAILED/HASH_FAILURE", count: 2))
    #expect(report.signatures[1].changesAfter.compactMap(\.kind) == ["signature-altered"])
    let form = try #require(try document.catalogue()["AcroForm"]?.reference)
    let last = try #require(try PDFForm(document).fields.last?.reference)
    let gone = try PDFFixtures.update(
      second, [form.number: "<</SigFlags 3/Fields[\(last.number) 0 R]>>"])
    #expect(validator.validate(file: gone).conclusion.indication != .totalPassed)
  }

  @Test("a certifying signature that permits nothing makes form filling a change that is refused")
  func certified() async throws {
    let bytes = try await sealed()
    let document = try PDFDocument(bytes)
    let changes: [PDFChange] = [.formField("name"), .validationData, .documentTimeStamp("T")]
    let none = PAdESChanges(changes, permission: 1, locks: nil, end: document.end)
    #expect(none.list.map(\.isAllowed) == [false, true, true])
    #expect(none.conclusion?.subIndication == .sigConstraintsFailure)
    let locked = PAdESChanges(
      changes, permission: nil, locks: { $0 == "name" }, end: document.end)
    #expect(locked.list.first?.kind == "field-locked")
    let annotated = PAdESChanges([.annotation(1)], permission: 3, locks: nil, end: 1)
    #expect(annotated.conclusion == nil)
  }

  @Test("a document time stamp over changed octets proves nothing, and is said to")
  func stamp() async throws {
    let archived = try await house.padesSealer().seal(
      PDFFixtures.table(), level: .archive, at: TestAuthority.now)
    // The DSS was changed after the document time stamp.
    let document = try PDFDocument(archived)
    let stamp = try #require(
      try PDFSignature.all(document, PDFForm(document)).first { $0.isDocumentTimeStamp })
    let store = try #require(try document.catalogue()["DSS"]?.reference)
    let removed = try PDFFixtures.update(archived, [store.number: "<<>>"])
    let report = try house.validator().validate(file: removed)
    #expect(
      report.signatures.first?.timeStamps.map(\.conclusion.code).last == "INDETERMINATE/TRY_LATER")
    var broken = archived
    broken[try stamp.range(in: document).gapStart - 600] ^= 1
    #expect(try house.validator(crls: [house.crl]).validate(file: broken) != report)
  }

  @Test("two circles of references that never meet end at the bound, not after their product")
  func circles() async throws {
    // The page's resources lead into a circle of 7, replaced by one of 11 afterwards.
    func circle(_ first: Int, _ count: Int) -> [Int: String] {
      Dictionary(
        uniqueKeysWithValues: (0..<count).map {
          (first + $0, "<</Next \(first + ($0 + 1) % count) 0 R>>")
        })
    }
    var objects = PDFFixtures.objects(pages: 2, form: true)
    objects[3] =
      "<</Type/Page/Parent 2 0 R/Resources 9 0 R/Contents 5 0 R/Annots[8 0 R]>>"
    for number in 9..<16 { objects.append(circle(9, 7)[number] ?? "") }
    let bytes = try await sealed(objects)
    var update = circle(30, 11)
    update[9] = "<</Next 30 0 R>>"
    let changed = try PDFFixtures.update(bytes, update)
    // The same to a reader, and found to be so within the bound.
    #expect(verdict(changed) == "TOTAL-PASSED")
    var limits = PDFLimits()
    limits.maximumComparisons = 20
    let report = validator.validate(pdf: changed, limits: limits)
    #expect(report.verdict == "TOTAL-FAILED HASH_FAILURE")
    #expect(report.signatures.first?.changesAfter.compactMap(\.kind) == ["unreadable"])
  }

  @Test("reports of every change are in both languages")
  func texts() {
    let changes: [PDFChange] = [
      .validationData, .documentTimeStamp("a"), .signature("a"), .visibleSignature("a"),
      .signatureField("a"), .formField("a"), .formDefaults, .information, .version,
      .annotation(1), .pageContent(1), .pages(1, 2), .signatureAltered("a"), .fieldAltered("a"),
      .fieldLocked("a"), .appearanceAltered("a"), .catalogue("a"), .trailing, .unreadable,
    ]
    for change in PAdESChanges(changes, permission: nil, locks: nil, end: 1).list {
      let entry = ReportCatalogue.entries["change-\(change.kind ?? "")"]
      #expect(entry != nil && entry?.japanese != entry?.english)
      #expect(!change.text.contains("{") && !change.text.isEmpty)
    }
  }
}
