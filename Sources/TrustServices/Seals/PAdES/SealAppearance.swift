/// What a visible seal shows: a box with lines of text, ASCII in Helvetica, everything else in a
/// font of the reader's Japanese collection; no font goes into the file.
public struct SealAppearance: Hashable, Sendable {
  /// Counts from 1; the last page where the document has fewer.
  public var page = 1
  /// Left, bottom, right and top in points; the lower right corner of the page where nil.
  public var rectangle: [Double]?
  /// From the top down; the organisation's name and the time where nil.
  public var lines: [String]?

  /// The usual box.
  public init() {}

  /// A box of this size stands in the lower right corner, our own choice: 72 mm by 20 mm.
  private static let size = (width: 204.0, height: 57.0)
  private static let margin = 28.0

  /// The rectangle on a page of this media box.
  func rectangle(on box: [Double]) -> [Double] {
    if let rectangle, rectangle.count == 4, rectangle.allSatisfy(\.isFinite) { return rectangle }
    let right = max(box[0], box[2])
    let bottom = min(box[1], box[3])
    return [
      right - Self.margin - Self.size.width, bottom + Self.margin, right - Self.margin,
      bottom + Self.margin + Self.size.height,
    ]
  }

  /// Writes the form XObject with its fonts, and gives its reference.
  func write(_ lines: [String], width: Double, height: Double, to update: inout PDFUpdate)
    -> PDFReference
  {
    let lines = lines.prefix(6)
    let isJapanese = lines.contains { $0.unicodeScalars.contains { !$0.isASCII } }
    var fonts: PDFDictionary = ["F1": .reference(Self.helvetica(&update))]
    if isJapanese { fonts["F2"] = .reference(Self.japanese(&update)) }
    var content = "q 0.6 0.1 0.1 RG 1 w 0.5 0.5 \(Self.number(width - 1)) "
    content += "\(Self.number(height - 1)) re S Q\nBT 0.6 0.1 0.1 rg\n"
    let step = height / Double(max(1, lines.count) + 1)
    for (index, line) in lines.enumerated() {
      // As large as the line's share of the height and of the width allows.
      let size = max(2, min(step * 0.85, (width - 12) / max(1, Self.ems(line)), 14))
      let baseline = height - step * (Double(index) + 1) - size * 0.1
      content += "1 0 0 1 6 \(Self.number(baseline)) Tm\n"
      for run in Self.runs(line) {
        content += "/\(run.isASCII ? "F1" : "F2") \(Self.number(size)) Tf "
        content += String(decoding: run.object.encoded, as: UTF8.self) + " Tj\n"
      }
    }
    content += "ET"
    let form: PDFDictionary = [
      "Type": .name("XObject"), "Subtype": .name("Form"),
      "BBox": .array([
        .integer(0), .integer(0), .real(Self.number(width)), .real(Self.number(height)),
      ]),
      "Resources": .dictionary(["Font": .dictionary(fonts)]),
    ]
    return update.add(.stream(form, Array(content.utf8)[...]))
  }

  /// With two digits behind the point.
  static func number(_ value: Double) -> String {
    let bounded = max(-1e6, min(1e6, value))
    let hundredths = Int((abs(bounded) * 100).rounded())
    let fraction = hundredths % 100
    return (bounded < 0 ? "-" : "") + "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)"
  }

  /// The width in ems, taken rather too wide: Helvetica's letters have 0.56 on average.
  private static func ems(_ line: String) -> Double {
    line.unicodeScalars.reduce(0) { $0 + ($1.isASCII ? 0.62 : 1) }
  }

  private static func runs(_ line: String) -> [(isASCII: Bool, object: PDFObject)] {
    var runs: [(isASCII: Bool, text: String)] = []
    for character in line.unicodeScalars.filter({ $0.value >= 0x20 && $0.value != 0x7F }) {
      if runs.last?.isASCII == character.isASCII {
        runs[runs.count - 1].text.unicodeScalars.append(character)
      } else {
        runs.append((character.isASCII, String(character)))
      }
    }
    return runs.map { run in
      (
        run.isASCII,
        .string(
          run.isASCII
            ? Array(run.text.utf8)
            : run.text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] })
      )
    }
  }

  private static func helvetica(_ update: inout PDFUpdate) -> PDFReference {
    update.add(
      .dictionary([
        "Type": .name("Font"), "Subtype": .name("Type1"), "BaseFont": .name("Helvetica"),
        "Encoding": .name("WinAnsiEncoding"),
      ]))
  }

  /// HeiseiKakuGo-W5 by its name alone: every reader has a font for the collection Adobe-Japan1
  /// (ISO 32000-2 9.7.5.2, UniJIS-UTF16-H).
  private static func japanese(_ update: inout PDFUpdate) -> PDFReference {
    let name = PDFObject.name("HeiseiKakuGo-W5")
    let box: [PDFObject] = [.integer(-92), .integer(-250), .integer(1010), .integer(922)]
    let descriptor = update.add(
      .dictionary([
        "Type": .name("FontDescriptor"), "FontName": name, "Flags": .integer(4),
        "FontBBox": .array(box), "ItalicAngle": .integer(0), "Ascent": .integer(752),
        "Descent": .integer(-221), "CapHeight": .integer(737), "StemV": .integer(114),
      ]))
    let descendant = update.add(
      .dictionary([
        "Type": .name("Font"), "Subtype": .name("CIDFontType0"), "BaseFont": name,
        "CIDSystemInfo": .dictionary([
          "Registry": .string(Array("Adobe".utf8)), "Ordering": .string(Array("Japan1".utf8)),
          "Supplement": .integer(5),
        ]), "FontDescriptor": .reference(descriptor), "DW": .integer(1000),
      ]))
    return update.add(
      .dictionary([
        "Type": .name("Font"), "Subtype": .name("Type0"), "BaseFont": name,
        "Encoding": .name("UniJIS-UTF16-H"),
        "DescendantFonts": .array([.reference(descendant)]),
      ]))
  }
}
