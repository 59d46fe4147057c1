import Foundation

/// The encodings that carry text and files through mail as printable ASCII.
enum MailText {
  /// Text without what could begin another header field or disturb a reader: controls, line and
  /// paragraph separators and bidirectional overrides become blanks.
  static func plain(_ text: String) -> String {
    var scalars = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .lineSeparator, .paragraphSeparator, .surrogate: scalars.append(" ")
      case .format where scalar != "\u{200D}": scalars.append(" ")
      default: scalars.append(scalar)
      }
    }
    return String(scalars)
  }

  /// An unstructured field (RFC 5322 §2.2.1), folded; words outside ASCII as encoded words (RFC 2047).
  static func field(_ name: String, _ text: String) -> String {
    let clean = plain(text)
    let words = clean.split(separator: " ", omittingEmptySubsequences: true).map(String.init)
    let isSimple =
      clean.utf8.allSatisfy { $0 < 0x80 } && !clean.contains("=?")
      && words.allSatisfy { $0.utf8.count <= 70 }
    guard isSimple else {
      return fold(
        "\(name):", encodedWords(words.joined(separator: " "), after: name.utf8.count + 2))
    }
    return fold("\(name):", words)
  }

  /// A name and an address (RFC 5322 §3.4). The address must have been checked.
  static func field(_ name: String, _ mailbox: Mailbox) -> String {
    let address = "<\(mailbox.address)>"
    let display = plain(mailbox.name).trimmingCharacters(in: .whitespaces)
    guard !display.isEmpty else { return fold("\(name):", [address]) }
    guard display.utf8.allSatisfy({ $0 < 0x80 }), !display.contains("=?"), display.utf8.count <= 60
    else {
      return fold("\(name):", encodedWords(display, after: name.utf8.count + 2) + [address])
    }
    let quoted = display.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    return fold("\(name):", ["\"\(quoted)\"", address])
  }

  /// `=?UTF-8?B?…?=` pieces of at most 75 characters (RFC 2047 §2), each of whole characters (§5).
  static func encodedWords(_ text: String, after offset: Int) -> [String] {
    let frame = "=?UTF-8?B??=".utf8.count
    // 45 octets make 60 base64 characters: 72 with the frame. The first shares its line with the name.
    var room = max(15, (76 - offset - frame) / 4 * 3)
    var words: [String] = []
    var octets: [UInt8] = []
    for character in text {
      // One character may be a long cluster of scalars; scalars are the unit that must stay whole.
      for scalar in character.unicodeScalars {
        let next = Array(String(scalar).utf8)
        if octets.count + next.count > room {
          words.append(encodedWord(octets))
          octets = []
          room = 45
        }
        octets += next
      }
    }
    if !octets.isEmpty { words.append(encodedWord(octets)) }
    return words
  }

  private static func encodedWord(_ octets: [UInt8]) -> String {
    "=?UTF-8?B?\(Data(octets).base64EncodedString())?="
  }

  /// Folds before the word that would pass column 78 (RFC 5322 §2.1.1).
  private static func fold(_ start: String, _ words: [String]) -> String {
    var lines = [start]
    var column = start.utf8.count
    for (place, word) in words.enumerated() {
      if place > 0, column + 1 + word.utf8.count > 78 {
        lines.append(word)
        column = 1 + word.utf8.count
      } else {
        lines[lines.count - 1] += " " + word
        column += 1 + word.utf8.count
      }
    }
    return lines.joined(separator: "\r\n ")
  }

  /// Base64 in lines of 76 characters (RFC 2045 §6.8).
  static func base64(_ octets: [UInt8]) -> String {
    Data(octets).base64EncodedString(
      options: [.lineLength76Characters, .endLineWithCarriageReturn, .endLineWithLineFeed]) + "\r\n"
  }

  /// Quoted-printable (RFC 2045 §6.7), for text that is mostly ASCII. Line ends become CR LF.
  static func quotedPrintable(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF")
    let lines = lines(of: text).map { line -> String in
      var pieces: [String] = []
      var piece = ""
      var count = 0
      let octets = Array(line.utf8)
      for (place, octet) in octets.enumerated() {
        let isLast = place == octets.count - 1
        let isBlank = octet == 0x20 || octet == 0x09
        let isLiteral = (octet > 0x20 && octet < 0x7f && octet != 0x3d) || (isBlank && !isLast)
        let width = isLiteral ? 1 : 3
        if count + width > 75 {
          pieces.append(piece + "=")
          piece = ""
          count = 0
        }
        if isLiteral {
          piece.unicodeScalars.append(Unicode.Scalar(octet))
        } else {
          piece += "=\(digits[Int(octet >> 4)])\(digits[Int(octet & 15)])"
        }
        count += width
      }
      return (pieces + [piece]).joined(separator: "\r\n")
    }
    return lines.joined(separator: "\r\n") + "\r\n"
  }

  /// The lines of a text with any line ends; one at the end opens no further line.
  static func lines(of text: String) -> [String] {
    var lines = text.replacing("\r\n", with: "\n").split(
      separator: "\n", omittingEmptySubsequences: false
    ).map(String.init)
    if lines.last?.isEmpty == true { lines.removeLast() }
    return lines
  }
}
