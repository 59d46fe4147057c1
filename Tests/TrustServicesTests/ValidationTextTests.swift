import NetworkTypes
import Testing

@testable import TrustServices

@Suite("Reports for people")
struct ValidationTextTests {
  @Test("every indication, sub-indication and kind has its words in both languages")
  func complete() {
    let keys =
      Indication.allCases.map(\.rawValue) + SubIndication.allCases.map(\.rawValue)
      + ["stamp-content", "stamp-signature", "stamp-references", "stamp-archive", "stamp-document"]
    for key in keys { #expect(ReportCatalogue.entries[key] != nil, "\(key)") }
    for (key, entry) in ReportCatalogue.entries {
      #expect(!entry.japanese.isEmpty && !entry.english.isEmpty)
      // What one language fills in, the other does too.
      func names(_ text: String) -> Set<Substring> {
        Set(
          "x\(text)".split(separator: "{").dropFirst().compactMap { $0.split(separator: "}").first }
        )
      }
      #expect(names(entry.japanese) == names(entry.english), "\(key)")
    }
  }

  @Test("a report names organisation, corporate number, times and reason in both languages")
  func rendered() async throws {
    let house = try SealHouse()
    let content = ContentDigests(Array("警報".utf8))
    let seal = try await house.sealer().seal(
      content, level: .timeStamped, isDetached: true, at: TestAuthority.now)
    let good = try house.validator(crls: [house.crl]).validate(
      cms: seal.encoded, content: content, name: "警報.txt")
    let japanese = ReportText(.japanese).render(good, name: "警報.txt")
    for part in [
      "結果：有効", "組織：狼煙研究所", "法人番号：\(SealHouse.number)", "証明された時刻：2026-11-25T09:00:00Z",
      "eシールのレベル1（2025年の制度、証明書の申告）", "対象：警報.txt",
    ] { #expect(japanese.contains(part), "\(part) in \(japanese)") }
    let bad = try house.validator().validate(cms: seal.encoded, content: content)
    let english = ReportText(.english).render(bad)
    for part in [
      "Result: Cannot be decided: Whether a certificate is revoked is unknown.",
      "INDETERMINATE/TRY_LATER", "Organisation: 狼煙研究所",
      "only as stated: the certificate could not be confirmed",
    ] { #expect(english.contains(part), "\(part) in \(english)") }
  }

  @Test("what names contain cannot move a terminal's cursor")
  func controls() throws {
    let house = try SealHouse(.p256) {
      $0.subject = DistinguishedName([
        (.organization, "a\u{1B}[2Jb\u{202E}c"), (.commonName, "x\ny"),
      ])
    }
    let message = try house.sealer().sign(
      ContentDigests([1]), isDetached: false, at: TestAuthority.now)
    let text = ReportText(.english).render(
      try house.validator(crls: [house.crl]).validate(cms: message.encoded))
    #expect(!text.unicodeScalars.contains("\u{1B}"))
    #expect(!text.unicodeScalars.contains("\u{202E}"))
    #expect(!text.contains("x\ny"))
  }
}
