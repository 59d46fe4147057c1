/// An indirect reference (ISO 32000-2 7.3.10).
struct PDFReference: Hashable, Sendable {
  var number: Int
  var generation = 0
}

typealias PDFDictionary = [String: PDFObject]

/// A PDF object (ISO 32000-2 7.3). Names hold one scalar for each octet, so that none is lost.
indirect enum PDFObject: Hashable, Sendable {
  case null
  case boolean(Bool)
  case integer(Int)
  /// As it is written, because rewriting must not round.
  case real(String)
  case string([UInt8])
  case name(String)
  case array([PDFObject])
  case dictionary(PDFDictionary)
  /// With its octets as they are in the file, packed.
  case stream(PDFDictionary, ArraySlice<UInt8>)
  case reference(PDFReference)

  var integer: Int? { if case .integer(let value) = self { value } else { nil } }
  var name: String? { if case .name(let value) = self { value } else { nil } }
  var string: [UInt8]? { if case .string(let value) = self { value } else { nil } }
  var array: [PDFObject]? { if case .array(let value) = self { value } else { nil } }
  var reference: PDFReference? { if case .reference(let value) = self { value } else { nil } }

  /// Of a stream too.
  var dictionary: PDFDictionary? {
    switch self {
    case .dictionary(let value), .stream(let value, _): value
    default: nil
    }
  }

  /// An array of integers, nil where anything else is in it.
  var integers: [Int]? {
    guard let array else { return nil }
    let values = array.compactMap(\.integer)
    return values.count == array.count ? values : nil
  }

  /// A text string (ISO 32000-2 7.9.2.2): UTF-16BE or UTF-8 by their marks, else taken as Latin-1.
  static func text(_ octets: [UInt8]) -> String {
    if octets.starts(with: [0xFE, 0xFF]) {
      var units: [UInt16] = []
      var index = 2
      while index + 1 < octets.count {
        units.append(UInt16(octets[index]) << 8 | UInt16(octets[index + 1]))
        index += 2
      }
      return String(decoding: units, as: UTF16.self)
    }
    if octets.starts(with: [0xEF, 0xBB, 0xBF]) {
      return String(decoding: octets.dropFirst(3), as: UTF8.self)
    }
    return latin(octets)
  }

  static func latin(_ octets: some Sequence<UInt8>) -> String {
    var scalars = String.UnicodeScalarView()
    for octet in octets { scalars.append(Unicode.Scalar(octet)) }
    return String(scalars)
  }

  /// A text string for `text`: ASCII as it is, else UTF-16BE.
  static func text(_ text: String) -> PDFObject {
    if text.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) { return .string(Array(text.utf8)) }
    return .string([0xFE, 0xFF] + text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] })
  }
}

// MARK: writing

extension PDFObject {
  var encoded: [UInt8] {
    var output: [UInt8] = []
    write(to: &output)
    return output
  }

  func write(to output: inout [UInt8]) {
    switch self {
    case .null: output += "null".utf8
    case .boolean(let value): output += (value ? "true" : "false").utf8
    case .integer(let value): output += "\(value)".utf8
    case .real(let text): output += text.utf8
    case .string(let octets): Self.write(string: octets, to: &output)
    case .name(let name): Self.write(name: name, to: &output)
    case .array(let elements):
      output.append(UInt8(ascii: "["))
      for (index, element) in elements.enumerated() {
        if index > 0 { output.append(0x20) }
        element.write(to: &output)
      }
      output.append(UInt8(ascii: "]"))
    case .dictionary(let entries): Self.write(entries, to: &output)
    case .stream(var entries, let data):
      entries["Length"] = .integer(data.count)
      Self.write(entries, to: &output)
      output += "\nstream\n".utf8
      output += data
      output += "\nendstream".utf8
    case .reference(let reference):
      output += "\(reference.number) \(reference.generation) R".utf8
    }
  }

  private static func write(_ entries: PDFDictionary, to output: inout [UInt8]) {
    output += "<<".utf8
    // In order, so that the same document is the same octets. Type first, as everybody does.
    let keys = entries.keys.sorted { ($0 == "Type" ? "" : $0) < ($1 == "Type" ? "" : $1) }
    for key in keys {
      write(name: key, to: &output)
      output.append(0x20)
      entries[key]?.write(to: &output)
    }
    output += ">>".utf8
  }

  private static func write(name: String, to output: inout [UInt8]) {
    output.append(UInt8(ascii: "/"))
    for scalar in name.unicodeScalars {
      let octet = UInt8(truncatingIfNeeded: scalar.value)
      if (0x21..<0x7F).contains(octet), octet != UInt8(ascii: "#"),
        !PDFParser.isDelimiter(octet)
      {
        output.append(octet)
      } else {
        output.append(UInt8(ascii: "#"))
        output += hexadecimal(octet)
      }
    }
  }

  private static func write(string octets: [UInt8], to output: inout [UInt8]) {
    if octets.allSatisfy({ (0x20..<0x7F).contains($0) }) {
      output.append(UInt8(ascii: "("))
      for octet in octets {
        if [UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "\\")].contains(octet) {
          output.append(UInt8(ascii: "\\"))
        }
        output.append(octet)
      }
      output.append(UInt8(ascii: ")"))
    } else {
      output.append(UInt8(ascii: "<"))
      for octet in octets { output += hexadecimal(octet) }
      output.append(UInt8(ascii: ">"))
    }
  }

  private static func hexadecimal(_ octet: UInt8) -> [UInt8] {
    let digits = Array("0123456789ABCDEF".utf8)
    return [digits[Int(octet >> 4)], digits[Int(octet & 15)]]
  }
}
