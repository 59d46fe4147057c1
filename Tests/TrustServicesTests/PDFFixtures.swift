import Foundation

@testable import TrustServices

/// PDF files of one test.
enum PDFFixtures {
  /// Text of the page.
  static let content = "BT /F1 24 Tf 72 700 Td (The flow report) Tj ET"

  /// Objects by their numbers from 1: a catalogue, pages and a text field where wanted.
  static func objects(pages: Int = 1, form: Bool = false, catalogue: String = "") -> [String] {
    let field = 4 + pages * 2
    let kids = (0..<pages).map { "\(4 + $0 * 2) 0 R" }.joined(separator: " ")
    var list = [
      "<</Type/Catalog/Pages 2 0 R\(form ? "/AcroForm<</Fields[\(field) 0 R]>>" : "")\(catalogue)>>",
      "<</Type/Pages/Kids[\(kids)]/Count \(pages)/MediaBox[0 0 595 842]>>",
      "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    for page in 0..<pages {
      list.append(
        "<</Type/Page/Parent 2 0 R/Resources<</Font<</F1 3 0 R>>>>/Contents \(5 + page * 2) 0 R"
          + (form && page == 0 ? "/Annots[\(field) 0 R]" : "") + ">>")
      list.append("<</Length \(content.utf8.count)>>\nstream\n\(content)\nendstream")
    }
    if form {
      list.append(
        "<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/V(old)/Rect[72 600 200 620]/F 4/P 4 0 R>>")
    }
    return list
  }

  /// A file with a cross-reference table.
  static func table(_ objects: [String] = objects()) -> [UInt8] {
    var text = "%PDF-1.7\n%\u{E2}\u{E3}\n"
    var places: [Int] = []
    for (index, object) in objects.enumerated() {
      places.append(text.utf8.count)
      text += "\(index + 1) 0 obj\n\(object)\nendobj\n"
    }
    let start = text.utf8.count
    text += "xref\n0 \(objects.count + 1)\n0000000000 65535 f \n"
    for place in places { text += pad(place, 10) + " 00000 n \n" }
    text += "trailer\n<</Size \(objects.count + 1)/Root 1 0 R>>\nstartxref\n\(start)\n%%EOF\n"
    return Array(text.utf8)
  }

  /// The same with everything but streams in an object stream, and a cross-reference stream.
  static func stream(_ objects: [String] = objects()) -> [UInt8] {
    var text = "%PDF-1.7\n"
    var places: [Int: Int] = [:]
    var packed: [(number: Int, text: String)] = []
    for (index, object) in objects.enumerated() {
      if object.contains("stream") {
        places[index + 1] = text.utf8.count
        text += "\(index + 1) 0 obj\n\(object)\nendobj\n"
      } else {
        packed.append((index + 1, object))
      }
    }
    var header = ""
    var body = ""
    for (number, object) in packed {
      header += "\(number) \(body.utf8.count) "
      body += object + "\n"
    }
    let container = objects.count + 1
    places[container] = text.utf8.count
    text +=
      "\(container) 0 obj\n<</Type/ObjStm/N \(packed.count)/First \(header.utf8.count)/Length "
      + "\(header.utf8.count + body.utf8.count)>>\nstream\n\(header)\(body)\nendstream\nendobj\n"
    let own = container + 1
    let start = text.utf8.count
    places[own] = start
    var table: [UInt8] = []
    for number in 0...own {
      if let place = places[number] {
        table += [1, UInt8(place >> 16 & 255), UInt8(place >> 8 & 255), UInt8(place & 255), 0]
      } else if let index = packed.firstIndex(where: { $0.number == number }) {
        table += [2, 0, UInt8(container >> 8), UInt8(container & 255), UInt8(index)]
      } else {
        table += [0, 0, 0, 0, 255]
      }
    }
    var bytes = Array(text.utf8)
    bytes += "\(own) 0 obj\n<</Type/XRef/Size \(own + 1)/W[1 3 1]/Root 1 0 R/Length ".utf8
    bytes += "\(table.count)>>\nstream\n".utf8
    bytes += table
    bytes += "\nendstream\nendobj\nstartxref\n\(start)\n%%EOF\n".utf8
    return bytes
  }

  /// Appends an update that sets objects, as an attacker or another program would.
  static func update(_ bytes: [UInt8], _ objects: [Int: String]) throws -> [UInt8] {
    let document = try PDFDocument(bytes)
    var update = PDFUpdate(document)
    for number in objects.keys.sorted() {
      update.set(PDFReference(number: number), encoded: Array((objects[number] ?? "").utf8))
    }
    return update.encoded().bytes
  }

  static func pad(_ value: Int, _ width: Int) -> String {
    let text = "\(value)"
    return String(repeating: "0", count: max(0, width - text.count)) + text
  }

  /// Replaces the first occurrence by as many octets.
  static func replace(_ bytes: [UInt8], _ old: String, _ new: String) -> [UInt8] {
    var bytes = bytes
    if let range = bytes.firstRange(of: Array(old.utf8)) {
      bytes.replaceSubrange(range, with: new.utf8)
    }
    return bytes
  }
}

/// A program that judges PDF files besides us.
enum PDFTool {
  static func path(_ name: String) -> String? {
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
      .map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  static func run(_ name: String, _ arguments: [String], in folder: URL) throws -> OpenSSL.Outcome {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path(name) ?? "/nonexistent")
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.standardInput = FileHandle.nullDevice
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return OpenSSL.Outcome(
      status: process.terminationStatus, output: String(decoding: output, as: UTF8.self))
  }
}

extension SealHouse {
  func padesSealer() throws -> PAdESSealer {
    var sealer = PAdESSealer(
      identity: try SealingIdentity(certificate: seal.certificate, key: seal.key),
      timeStamps: try stamps(), revocation: KnownRevocationInformation(crls: [crl]))
    sealer.certificates = [root.certificate]
    sealer.anchors = [root.certificate]
    return sealer
  }

  func padesExtension(at moment: TestMoment = .now) throws -> PAdESExtension {
    PAdESExtension(
      timeStamps: try stamps(at: moment.timestamp),
      revocation: KnownRevocationInformation(crls: [crl]),
      certificates: [root.certificate], anchors: [root.certificate])
  }
}
