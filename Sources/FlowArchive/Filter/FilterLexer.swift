/// One word or sign of a filter.
struct FilterToken: Hashable {
  enum Kind: Hashable {
    /// A keyword, a number, an address or a name.
    case word
    /// `( ) [ ] , /` or a comparison.
    case sign
    case end
  }

  let kind: Kind
  /// In lower case.
  let text: String
  let offset: Int

  var isEnd: Bool { kind == .end }
}

/// Cuts a filter into tokens. Anything after `#` is a comment to the end of its line.
struct FilterLexer {
  let text: String
  private let octets: [UInt8]

  init(_ text: String) {
    self.text = text
    octets = Array(text.utf8)
  }

  /// All tokens, the last one of kind `end`.
  func tokens() throws(FilterError) -> [FilterToken] {
    var tokens: [FilterToken] = []
    var place = 0
    while place < octets.count {
      let octet = octets[place]
      switch octet {
      case 9, 10, 13, 32: place += 1
      case UInt8(ascii: "#"):
        while place < octets.count, octets[place] != 10 { place += 1 }
      case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "["), UInt8(ascii: "]"),
        UInt8(ascii: ","), UInt8(ascii: "/"):
        tokens.append(sign(place, 1))
        place += 1
      case UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "="), UInt8(ascii: "!"):
        let isWide = place + 1 < octets.count && octets[place + 1] == UInt8(ascii: "=")
        tokens.append(sign(place, isWide ? 2 : 1))
        place += isWide ? 2 : 1
      case UInt8(ascii: "&"), UInt8(ascii: "|"):
        guard place + 1 < octets.count, octets[place + 1] == octet else {
          throw FilterError(
            text: text, offset: place, message: "expected && or ||, or the words and, or")
        }
        tokens.append(sign(place, 2))
        place += 2
      case _ where Self.isWord(octet):
        let start = place
        while place < octets.count, Self.isWord(octets[place]) { place += 1 }
        let word = String(decoding: octets[start..<place], as: UTF8.self).lowercased()
        tokens.append(FilterToken(kind: .word, text: word, offset: start))
      default:
        throw FilterError(
          text: text, offset: place, message: "this sign means nothing in a filter")
      }
    }
    tokens.append(FilterToken(kind: .end, text: "the end", offset: octets.count))
    return tokens
  }

  private func sign(_ place: Int, _ length: Int) -> FilterToken {
    FilterToken(
      kind: .sign, text: String(decoding: octets[place..<place + length], as: UTF8.self),
      offset: place)
  }

  private static func isWord(_ octet: UInt8) -> Bool {
    switch octet {
    case 48...57, 65...90, 97...122, UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: "-"),
      UInt8(ascii: "_"), UInt8(ascii: "@"):
      true
    default: false
    }
  }
}
