import Constituency
import Yams

/// Every sentence of a notice, in each language, from `Catalogue/notices.yaml`: no text that a receiver
/// reads stands in code.
struct NoticeCatalogue: Sendable {
  private let texts: [String: [Language: String]]

  /// - Throws: ``NoticeCatalogueError`` when the file is not of its form or a key lacks a language.
  init(yaml: String) throws {
    guard let root = try Yams.compose(yaml: yaml)?.mapping else {
      throw NoticeCatalogueError("it is not a mapping of keys to texts")
    }
    var texts: [String: [Language: String]] = [:]
    for (key, value) in root {
      guard let name = key.string, let entry = value.mapping, texts[name] == nil else {
        throw NoticeCatalogueError("an entry is not `key: { ja: …, en: … }`, or stands twice")
      }
      for language in Language.allCases {
        guard let text = entry[language.rawValue]?.string, !text.isEmpty else {
          throw NoticeCatalogueError("\(name) has no text in \(language.rawValue)")
        }
        texts[name, default: [:]][language] = text
      }
    }
    self.texts = texts
  }

  /// The catalogue that is built in.
  static func embedded() throws -> NoticeCatalogue {
    try NoticeCatalogue(yaml: String(decoding: PackageResources.notices_yaml, as: UTF8.self))
  }

  var keys: Set<String> { Set(texts.keys) }

  /// The text of a key in one pass over it, so that a value which looks like a place is not filled in
  /// again; nil where there is none.
  func text(_ key: String, _ language: Language, _ values: [String: String] = [:]) -> String? {
    guard let text = texts[key]?[language] else { return nil }
    guard !values.isEmpty else { return text }
    var filled = ""
    var rest = text[...]
    while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
      filled += rest[..<open]
      let name = String(rest[rest.index(after: open)..<close])
      filled += values[name] ?? "{\(name)}"
      rest = rest[rest.index(after: close)...]
    }
    return filled + rest
  }
}

/// Why the catalogue was refused.
struct NoticeCatalogueError: Error, CustomStringConvertible {
  let description: String
  init(_ problem: String) {
    description = "notices.yaml: \(problem); correct the file and build again"
  }
}
