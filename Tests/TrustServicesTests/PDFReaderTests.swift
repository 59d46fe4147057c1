import Foundation
import Testing

@testable import TrustServices

@Suite("PDF reader")
struct PDFReaderTests {
  private func object(_ text: String) throws -> PDFObject {
    var parser = PDFParser(Array(text.utf8), at: 0, limits: PDFLimits())
    return try parser.object()
  }

  @Test(
    "objects are read as ISO 32000-2 7.3 writes them",
    arguments: [
      ("null", .null), (" % a remark\n true", .boolean(true)), ("-17", .integer(-17)),
      ("+4.50", .real("+4.50")), ("12 0 R", .reference(PDFReference(number: 12))),
      ("[12 0 13 0 R]", .array([.integer(12), .integer(0), .reference(PDFReference(number: 13))])),
      ("(a\\(b\\)\\101\\r\\\n(c))", .string(Array("a(b)A\r(c)".utf8))),
      ("<48 65 6C6>", .string([0x48, 0x65, 0x6C, 0x60])), ("/A#42/", .name("AB")),
      ("<</A/B/C<<>>>>", .dictionary(["A": .name("B"), "C": .dictionary([:])])),
    ] as [(String, PDFObject)])
  func syntax(text: String, expected: PDFObject) throws {
    #expect(try object(text) == expected)
    #expect(try object(String(decoding: expected.encoded, as: UTF8.self)) == expected)
  }

  @Test(
    "broken objects are errors and never traps",
    arguments: [
      "", "(", "<4", "<zz>", "[1", "<</A", "<</A 1 /A 2>>", "<<1 2>>", "nul",
      "99999999999999999999",
      "--", "1-2", "]", "<</A 1>", "/", "(\\", "<", "+", "4.5.6",
    ])
  func broken(text: String) {
    if text != "/" { #expect(throws: PDFError.self) { try object(text) } }
  }

  @Test("nesting is bounded")
  func depth() {
    for (open, close) in [("[", "]"), ("<</A", ">>")] {
      let text = String(repeating: open, count: 100_000) + String(repeating: close, count: 100_000)
      #expect(throws: PDFError.tooLarge("levels of nesting")) { try object(text) }
    }
  }

  @Test("table and stream of cross-references give the same document")
  func forms() throws {
    let objects = PDFFixtures.objects(pages: 3, form: true)
    for bytes in [PDFFixtures.table(objects), PDFFixtures.stream(objects)] {
      let document = try PDFDocument(bytes)
      #expect(try document.pages().pages.count == 3)
      #expect(try document.pages(limit: 2).pages.count == 2)
      let page = try document.pages().pages[1]
      #expect(page.effective["MediaBox"] != nil && page.dictionary["MediaBox"] == nil)
      #expect(
        try document.streamOctets(page.effective["Contents"]) == Array(PDFFixtures.content.utf8))
      #expect(try PDFForm(document).fields.map(\.name) == ["name"])
    }
  }

  @Test("PNG predictors are undone", arguments: [UInt8]([0, 1, 2, 3, 4]))
  func predictors(kind: UInt8) throws {
    let rows: [[UInt8]] = [[1, 2, 3, 4], [5, 6, 7, 250], [9, 9, 0, 1]]
    var packed: [UInt8] = []
    var previous: [UInt8] = [0, 0, 0, 0]
    for row in rows {
      packed.append(kind)
      for index in row.indices {
        let left = index > 0 ? Int(row[index - 1]) : 0
        let corner = index > 0 ? Int(previous[index - 1]) : 0
        let up = Int(previous[index])
        let distances = [
          (abs(up - corner), left), (abs(left - corner), up), (abs(left + up - 2 * corner), corner),
        ]
        // Of equal distances the first counts.
        let paeth = distances.min { $0.0 < $1.0 }?.1 ?? 0
        let guess = [0, left, up, (left + up) / 2, paeth][Int(kind)]
        packed.append(row[index] &- UInt8(truncatingIfNeeded: guess))
      }
      previous = row
    }
    // zlib's header and one stored block.
    let data: [UInt8] =
      [0x78, 0x01, 0x01, UInt8(packed.count), 0, ~UInt8(packed.count), 0xFF] + packed + [
        0, 0, 0, 0,
      ]
    let plain = try PDFFilters.unpack(
      data[...], filter: .name("FlateDecode"),
      parameters: .dictionary(["Predictor": .integer(15), "Columns": .integer(4)]), limit: 1000)
    #expect(plain == rows.flatMap { $0 })
    #expect(throws: PDFError.tooLarge("octets in a stream")) {
      try PDFFilters.unpack(data[...], filter: .name("FlateDecode"), parameters: .null, limit: 5)
    }
    #expect(throws: PDFError.self) {
      try PDFFilters.unpack(data[...], filter: .name("LZWDecode"), parameters: .null, limit: 5)
    }
  }

  @Test("an update changes objects and leaves the rest, in tables and streams")
  func updates() throws {
    for bytes in [PDFFixtures.table(), PDFFixtures.stream()] {
      let text = "BT ET"
      let updated = try PDFFixtures.update(
        bytes, [5: "<</Length \(text.utf8.count)>>\nstream\n\(text)\nendstream"])
      #expect(updated.starts(with: bytes))
      let document = try PDFDocument(updated)
      let page = try document.pages().pages[0]
      #expect(try document.streamOctets(page.effective["Contents"]) == Array(text.utf8))
      let before = try PDFDocument(updated, end: bytes.count)
      #expect(document.changes(since: before).contains(5))
      #expect(
        try before.streamOctets(before.pages().pages[0].effective["Contents"])
          == Array(PDFFixtures.content.utf8))
    }
  }

  private func failure(_ bytes: [UInt8], limits: PDFLimits = PDFLimits()) -> String {
    do {
      let document = try PDFDocument(bytes, limits: limits)
      _ = try document.pages()
      _ = try PDFForm(document)
      return "read"
    } catch { return "\(error)" }
  }

  @Test("circles, lies about sizes and broken tables end in clear errors")
  func hostile() throws {
    let good = PDFFixtures.table()
    #expect(failure(good) == "read")
    #expect(failure([]).contains("header"))
    #expect(failure(Array("%PDF-1.7\n".utf8)).contains("startxref is missing"))
    let start = PDFFixtures.replace(good, "startxref\n", "startxref\n9")
    #expect(failure(start).contains("outside of the file"))
    let circle = PDFFixtures.replace(
      good, "/Root 1 0 R>>\nstartxref",
      "/Root 1 0 R/Prev \(try PDFDocument(good).sections[0].offset)>>\nstartxref")
    #expect(failure(circle).contains("go in a circle"))
    let many = PDFFixtures.replace(good, "0 6\n0000000000", "0 999999999\n0000000000")
    #expect(failure(many).contains("entry of the table"))
    let far = PDFFixtures.replace(good, "0 6\n0000000000", "99999999999 6\n0000000000")
    #expect(failure(far).contains("subsection has no count"))
    #expect(
      failure(PDFFixtures.replace(good, "/Kids[4 0 R]", "/Kids[2 0 R]")).contains("twice"))
    let encrypted = PDFFixtures.replace(good, "/Root 1 0 R", "/Root 1 0 R/Encrypt 9 0 R")
    #expect(failure(encrypted).contains("encrypted"))
    var limits = PDFLimits()
    limits.maximumObjects = 3
    #expect(failure(good, limits: limits).contains("more objects"))
    // A form that contains itself.
    var objects = PDFFixtures.objects(pages: 1, form: true)
    objects[5] = "<</T(a)/Kids[6 0 R 6 0 R]>>"
    #expect(failure(PDFFixtures.table(objects)) == "read")
    // Streams whose length is in themselves.
    objects = PDFFixtures.objects()
    objects[4] = "<</Length 5 0 R>>\nstream\nBT ET\nendstream"
    let document = try PDFDocument(PDFFixtures.table(objects))
    #expect(throws: PDFError.self) { try document.value(of: PDFReference(number: 5)) }
    // A reference that leads to itself.
    objects[4] = "5 0 R"
    let own = try PDFDocument(PDFFixtures.table(objects))
    #expect(throws: PDFError.self) { try own.resolve(.reference(PDFReference(number: 5))) }
  }

  @Test(
    "an XRef stream that lies about its fields is refused",
    arguments: [
      ("/W[1 3 1]", "/W[0 0 0]"), ("/W[1 3 1]", "/W[9 9 9]"), ("/W[1 3 1]", "/W[1 3-1]"),
      ("/W[1 3 1]", "/W(1 3 1)"), ("/Type/XRef", "/Type/Xref"),
    ])
  func fields(old: String, new: String) {
    #expect(failure(PDFFixtures.replace(PDFFixtures.stream(), old, new)) != "read")
  }

  @Test("every file that is cut off or has one octet changed is read or refused, never more")
  func damaged() throws {
    for good in [PDFFixtures.table(), PDFFixtures.stream()] {
      for end in stride(from: 0, to: good.count, by: 7) { _ = failure(Array(good[..<end])) }
      for place in good.indices {
        var bad = good
        bad[place] = bad[place] &+ 1
        _ = failure(bad)
      }
    }
  }

  @Test(
    "other people's files are read, or refused for what they are", .enabled(if: Shared.isPresent))
  func vectors() throws {
    func outcome(_ name: String) throws -> String { failure(try Shared.bytes("pdf/\(name).pdf")) }
    for name in [
      "minimal", "minimal-hybrid-xref-mswordstyle", "minimal-hybrid-xref-weirdgen",
      "minimal-with-nonexistent-refs", "CompactedPDFSyntaxTest", "info-bin-producer-string",
      "minimal-two-fields", "minimal-with-textfield-group", "page-tree-direct-kid",
      "form-tree-circular-ref-input", "ja-vert-stamps", "empty-a4", "malformed-xref-space-padded",
    ] { #expect(try outcome(name) == "read", "\(name)") }
    for name in [
      "minimal-rc4", "minimal-two-fields-aes256", "minimal-pubkey-rc4", "pubkey-ecc-test",
      "malformed-encrypt-dict2", "minimal-aes256-malformed-oe",
    ] { #expect(try outcome(name).contains("encrypted"), "\(name)") }
    #expect(try outcome("broken-objstream1").contains("not in object stream"))
    #expect(try outcome("minimal-startxref-hopeless3").contains("startxref"))
    #expect(try outcome("minimal-startxref-obo2").contains("no cross-reference section"))
    // Whatever is read takes a seal, and its octets stay.
    let house = try SealHouse()
    let sealer = try house.padesSealer()
    let folder = Shared.trust("pdf")
    var count = 0
    for case let file as URL in FileManager.default.enumerator(
      at: folder, includingPropertiesForKeys: nil) ?? FileManager.DirectoryEnumerator()
    where file.pathExtension == "pdf" {
      let bytes = Array(try Data(contentsOf: file))
      guard failure(bytes) == "read" else { continue }
      let writer = PDFSignatureWriter(
        document: try PDFDocument(bytes), entries: ["Type": .name("Sig")], fieldPrefix: "Seal")
      // Some have no page, or pages that are no objects of their own.
      guard let prepared = try? writer.prepare(room: 10) else { continue }
      #expect(prepared.bytes.starts(with: bytes))
      let again = try PDFDocument(prepared.bytes)
      #expect(try PDFForm(again).fields.contains { $0.type == "Sig" && $0.value != nil })
      count += 1
    }
    #expect(count > 40)
    _ = sealer
  }
}
