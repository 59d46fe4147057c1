import Yams

/// Every text that the portal shows, in each of its languages.
///
/// The file holds one line per key, `key: { ja: "…", en: "…" }`; `{name}` in a text is filled in
/// where it is used. No text that a person reads stands in code.
struct Catalogue: Sendable {
  private let texts: [String: [Language: String]]

  var keys: Set<String> { Set(texts.keys) }

  /// - Throws: ``CatalogueError`` when the file is not of that form or a key lacks a language.
  init(yaml: String) throws {
    guard let root = try Yams.compose(yaml: yaml)?.mapping else {
      throw CatalogueError("the catalogue is not a mapping of keys to texts")
    }
    var texts: [String: [Language: String]] = [:]
    for (key, value) in root {
      guard let name = key.string, let entry = value.mapping else {
        throw CatalogueError("an entry of the catalogue is not `key: { ja: …, en: … }`: \(key)")
      }
      guard texts[name] == nil else { throw CatalogueError("`\(name)` stands twice") }
      for language in Language.allCases {
        guard let text = entry[language.rawValue]?.string, !text.isEmpty else {
          throw CatalogueError("`\(name)` has no text in `\(language.rawValue)`")
        }
        texts[name, default: [:]][language] = text
      }
    }
    self.texts = texts
  }

  /// The catalogue that is built in.
  static func embedded() throws -> Catalogue {
    try Catalogue(yaml: String(decoding: PackageResources.catalogue_yaml, as: UTF8.self))
  }

  /// The text of a key; the key itself where there is none, which the tests forbid.
  func text(_ key: String, _ language: Language, _ values: [String: String] = [:]) -> String {
    guard var text = texts[key]?[language] else { return key }
    for (name, value) in values { text = Self.replace("{\(name)}", by: value, in: text) }
    return text
  }

  /// Nil where the catalogue does not know the key: for names that come from data.
  func known(_ key: String, _ language: Language) -> String? { texts[key]?[language] }

  private static func replace(_ mark: String, by value: String, in text: String) -> String {
    text.split(separator: mark, omittingEmptySubsequences: false).joined(separator: value)
  }
}

/// Why the catalogue was refused.
struct CatalogueError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) {
    self.description = "catalogue.yaml: \(description). Correct the file and build again."
  }
}
