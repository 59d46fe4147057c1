/// A name or sentence in Japanese and English: trusted lists are read abroad too (TS 119 612 5.1.4
/// asks for English beside the national languages).
public struct BilingualText: Hashable, Sendable, Codable {
  public let ja: String
  public let en: String

  /// A text in both languages.
  public init(ja: String, en: String) {
    self.ja = ja
    self.en = en
  }

  /// The text of a language.
  public func text(_ language: ReportLanguage) -> String { language == .japanese ? ja : en }

  /// Most Unicode scalars of one language: names of laws are long, books are not wanted.
  static let maximumLength = 500

  /// What is wrong with it; nil where nothing is.
  var fault: String? { Self.fault(ja) ?? Self.fault(en) }

  /// Names go to pages and terminals: nothing in them may hide or move what stands beside.
  static func fault(_ text: String) -> String? {
    guard !text.isEmpty else { return "it is empty" }
    guard text.unicodeScalars.count <= maximumLength else {
      return "it is longer than \(maximumLength) characters"
    }
    for scalar in text.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse:
        return "it contains the invisible character U+\(String(scalar.value, radix: 16))"
      default: continue
      }
    }
    return nil
  }

  /// The same for the address of a page.
  static func faultOfURI(_ text: String) -> String? {
    guard text.utf8.count <= 2048, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
      text.hasPrefix("https://") || text.hasPrefix("http://")
    else { return "it is no address such as https://www.example.jp/" }
    return nil
  }
}

/// The names by which register and list speak of schemes, providers and services.
enum RegisterName {
  /// Lower-case letters, digits, `.` and `-`, at most 64, not beginning with a mark.
  static func fault(_ name: String) -> String? {
    func isWord(_ byte: UInt8) -> Bool {
      (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
    }
    guard (1...64).contains(name.utf8.count), let first = name.utf8.first, isWord(first),
      name.utf8.allSatisfy({ isWord($0) || $0 == 0x2D || $0 == 0x2E })
    else {
      return "“\(name.prefix(64))” is no identifier: a-z, 0-9, - and . are allowed, at most 64"
    }
    return nil
  }
}
