import Foundation

/// A language of the portal.
enum Language: String, Sendable, CaseIterable {
  case ja, en

  /// Its own name for itself, which is what a reader who cannot read the page looks for.
  var endonym: String { self == .ja ? "日本語" : "English" }

  /// The best of ours for an Accept-Language header (RFC 9110 §12.5.4): the highest weight wins,
  /// the first named among equals; nil when it names none of ours.
  init?(acceptLanguage header: String) {
    var best: (language: Language, weight: Double)?
    for part in header.split(separator: ",").prefix(32) {
      let pieces = part.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) }
      guard let range = pieces.first?.lowercased() else { continue }
      let weight =
        pieces.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
      let language = Language(rawValue: String(range.prefix { $0 != "-" }))
      guard let language, weight > 0, weight > best?.weight ?? 0 else { continue }
      best = (language, weight)
    }
    guard let best else { return nil }
    self = best.language
  }

  /// A country's name from the Unicode CLDR that comes with Foundation; the code itself where CLDR
  /// has no name for it.
  func countryName(_ code: String) -> String {
    Self.locales[self]?.localizedString(forRegionCode: code) ?? code
  }

  private static let locales = [
    Language.ja: Locale(identifier: "ja"), .en: Locale(identifier: "en"),
  ]
}

/// The zone in which times are shown.
enum Zone: String, Sendable, CaseIterable {
  case utc = "UTC"
  case jst = "JST"

  /// Japan has had no daylight saving time since 1951, so that one offset serves.
  var offsetSeconds: Int64 { self == .jst ? 9 * 3_600 : 0 }
}
