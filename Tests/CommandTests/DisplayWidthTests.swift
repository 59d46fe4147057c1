import Testing

@testable import noroshi

@Suite("The width of text in a terminal")
struct DisplayWidthTests {
  @Test(
    "Japanese takes two columns a character, half-width kana and Latin one, marks none",
    arguments: [
      ("", 0), ("abc", 3), ("狼煙", 4), ("ｶﾅ", 2), ("ＡＢ", 4), ("が", 2), ("か\u{3099}", 2),
      ("é", 1), ("e\u{301}", 1), ("한글", 4), ("\u{200b}x", 1), ("…", 1), ("〇", 2), ("𠮷", 2),
      ("\u{1b}[31m", 4),
    ])
  func widths(text: String, width: Int) {
    #expect(DisplayWidth.of(text) == width)
  }

  @Test("a text is cut so that it fits, never through a character")
  func truncation() {
    #expect(DisplayWidth.truncated("狼煙のろし", to: 10) == "狼煙のろし")
    #expect(DisplayWidth.truncated("狼煙のろし", to: 6) == "狼煙…")
    #expect(DisplayWidth.truncated("狼煙のろし", to: 7) == "狼煙の…")
    #expect(DisplayWidth.truncated("abc", to: 0) == "")
    #expect(DisplayWidth.truncated("abc", to: 1) == "…")
    for width in 0...12 {
      #expect(DisplayWidth.of(DisplayWidth.truncated("aか゛狼b煙ｶ", to: width)) <= width)
    }
  }

  @Test("nothing that is listed can steer the terminal")
  func controlCharacters() {
    #expect(DisplayWidth.printable("\u{1b}[2J") == "\\u{1b}[2J")
    #expect(DisplayWidth.printable("a\nb\tc") == "a⏎b c")
    #expect(DisplayWidth.printable("\u{202e}evil\u{9b}") == "\\u{202e}evil\\u{9b}")
    #expect(DisplayWidth.printable("普通 text") == "普通 text")
  }
}
