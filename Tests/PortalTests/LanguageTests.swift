import Findings
import FlowAnalysis
import Foundation
import Hummingbird
import HummingbirdTesting
import NetworkTypes
import Telescope
import Testing

@testable import Portal

@Suite("Languages")
struct LanguageTests {
  static let sources = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../Sources/Portal").standardizedFileURL

  static func swiftFiles() -> [(name: String, text: String)] {
    let files = FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil)
    var result: [(String, String)] = []
    while let file = files?.nextObject() as? URL {
      guard file.pathExtension == "swift", let text = try? String(contentsOf: file, encoding: .utf8)
      else { continue }
      result.append((file.lastPathComponent, text))
    }
    return result
  }

  @Test("every key has a text in every language, and the same blanks to fill in")
  func complete() throws {
    let catalogue = try Catalogue.embedded()
    #expect(catalogue.keys.count > 300)
    for key in catalogue.keys {
      let blanks = Language.allCases.map { language in
        catalogue.text(key, language).matches(of: /\{[a-z]+\}/).map { String($0.output) }.sorted()
      }
      #expect(Set(blanks).count == 1, "\(key) has different blanks")
    }
  }

  @Test("a key without one of the languages is refused by its name")
  func incomplete() {
    #expect(throws: CatalogueError.self) { try Catalogue(yaml: "a.b: { ja: \"あ\" }") }
  }

  @Test("every key that the code names is in the catalogue")
  func known() throws {
    let keys = try Catalogue.embedded().keys
    let files = Self.swiftFiles()
    #expect(files.count > 30)
    for file in files {
      for match in file.text.matches(of: /\bt\(\s*"([^"\\]+)"/) {
        #expect(keys.contains(String(match.output.1)), "\(file.name) uses \(match.output.1)")
      }
    }
  }

  @Test("every word of a vocabulary, every column, table, problem and field reason has a text")
  func vocabularies() async throws {
    let keys = try Catalogue.embedded().keys
    var wanted = TrafficClass.allCases.map { "class.\($0.name)" }
    wanted += HostVerdict.allCases.map { "verdict.\($0.rawValue)" }
    wanted += Finding.Kind.allCases.map { "kind.\($0.rawValue)" }
    wanted += MemberAlert.Reach.allCases.map { "reach.\($0.rawValue)" }
    wanted += MemberAlert.State.allCases.map { "alert.\($0.rawValue)" }
    wanted += Campaign.Subject.allCases.map { "campaign.\($0.rawValue)" }
    wanted += TrafficLight.allCases.map { "tlp.\($0.rawValue)" }
    wanted += SeriesPoint.Dimension.allCases.map { "dimension.\($0.rawValue)" }
    wanted += SeriesQuery.Measure.allCases.map { "measure.\($0.rawValue)" }
    wanted += SeriesQuery.resolutionWords.map { "resolution.\($0)" }
    wanted += Zone.allCases.map { "zone.\($0.rawValue)" }
    wanted += CasePages.reasons.map { "close.\($0)" }
    wanted += EvidenceKind.allCases.flatMap { ["evidence.\($0)", "evidence-long.\($0)"] }
    wanted += ServerGrade.allCases.map { "grade.\($0.rawValue)" }
    wanted += ServerTable.verdictWords.flatMap {
      ["server-verdict.\($0)", "server-verdict-do.\($0)"]
    }
    wanted += ServerSummary.State.allCases.map { "server-state.\($0.rawValue)" }
    wanted += SourceNature.allCases.flatMap {
      ["nature.\($0.rawValue)", "nature-long.\($0.rawValue)"]
    }
    wanted += ObservedScan.Shape.allCases.map { "shape.\($0.rawValue)" }
    wanted += TrafficKind.allCases.map { "traffic.\($0.name)" }
    wanted += SourceGroup.Key.allCases.map { "group.\($0.rawValue)" }
    wanted += MitigationFormat.allCases.map { "mitigation.\($0.rawValue)" }
    wanted += AttackDownloads.Exchange.allCases.flatMap {
      ["exchange.\($0.rawValue)", "exchange-long.\($0.rawValue)"]
    }
    wanted += ["seconds", "minutes", "hours", "days"].map { "duration.\($0)" }
    wanted += ["pps", "bps", "fps"].map { "rate.\($0)" }
    wanted += Portal.navigation.map { "nav.\($0.name)" }
    for file in Self.swiftFiles() {
      wanted += file.text.matches(of: /Column\(\s*"([a-z_]+)"/).map { "column.\($0.output.1)" }
      wanted += file.text.matches(of: /name: "([a-z]+)", path: "[a-z\/]+", section/).flatMap {
        ["table.\($0.output.1)", "table.\($0.output.1).note"]
      }
      wanted += file.text.matches(of: /Problem\(\s*status: [^,]+, code: "([a-z-]+)"/).flatMap {
        ["problem.\($0.output.1)", "problem.\($0.output.1).detail"]
      }
      wanted += file.text.matches(of: /Problem\.field\(\s*"?[a-z_]+"?,\s*"([a-z-]+)"/).map {
        "field.\($0.output.1)"
      }
      wanted += file.text.matches(of: /record\(\s*[a-z.]+, "(account\.[a-z-]+)"/).map {
        "audit.\($0.output.1)"
      }
    }
    #expect(wanted.count > 150)
    let missing = Set(wanted).subtracting(keys)
    #expect(missing.isEmpty, "\(missing.sorted())")
  }

  @Test("no page in one language holds a key, or a text of the other language that differs")
  func pages() async throws {
    let house = try await SampleHouse()
    let keys = house.portal.platform.catalogue.keys
    try await house.portal.application().test(.router) { client in
      for language in ["ja", "en"] {
        let visitor = Visitor(client)
        visitor.language = language
        try await visitor.signIn("admin")
        for route in house.portal.routes {
          guard route.method == .get, case .page = route.face else { continue }
          let page = try await visitor.get(RouteTests.path(route.path, foreign: false)).body
          guard !page.isEmpty else { continue }
          #expect(page.contains("<html lang=\"\(language)\">"), "\(route.path)")
          for key in keys where key.contains(".") && !key.hasPrefix("audit.") {
            #expect(!page.contains(">\(key)<"), "\(route.path) shows the key \(key)")
          }
          if language == "en" {
            #expect(!page.contains(">該当なし<"), "\(route.path)")
          }
        }
      }
    }
  }

  @Test(
    "the language is the browser's best, and Japanese where it names none of ours",
    arguments: [
      ("en-GB,en;q=0.8,ja;q=0.5", "en"), ("ja,en;q=0.9", "ja"), ("fr,de;q=0.8", "ja"), ("", "ja"),
      ("fr;q=1,en;q=0.3,ja;q=0.2", "en"), ("en;q=0,ja;q=0.1", "ja"),
    ])
  func negotiated(header: String, language: String) async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      visitor.language = header
      let page = try await visitor.get("/sign-in").body
      #expect(page.contains("<html lang=\"\(language)\">"))
    }
  }

  @Test("a visitor's choice of language is remembered before signing in")
  func chosen() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      visitor.language = "en"
      _ = try await visitor.get("/sign-in?lang=ja")
      #expect(try await visitor.get("/sign-in").body.contains("<html lang=\"ja\">"))
    }
  }

  @Test("numbers are grouped and rounded to what can be read")
  func numbers() {
    #expect(NumberText.grouped("1234567") == "1,234,567")
    #expect(NumberText.grouped("-123") == "-123")
    #expect(NumberText.grouped(0.5) == "0.5")
    #expect(NumberText.grouped(12.345) == "12.3")
    #expect(NumberText.grouped(1_234.6) == "1,235")
    #expect(NumberText.grouped(-0.25) == "-0.25")
    #expect(NumberText.grouped(.infinity) == "–")
    #expect(NumberText.compact(1_500_000) == "1.5M")
  }
}
