import Foundation
import Hummingbird
import HummingbirdTesting
import Testing

@testable import Portal

/// What axe-core would look for, as far as markup and stylesheet say it.
@Suite("For everybody's eyes, ears and hands")
struct LookTests {
  /// The colours of the stylesheet, by day and by night.
  static func palettes() throws -> [(name: String, colours: [String: String])] {
    let text = String(decoding: PackageResources.portal_css, as: UTF8.self)
    let parts = text.components(separatedBy: "@media (prefers-color-scheme: dark)")
    let light = colours(try #require(parts.first))
    let dark = colours(String(try #require(parts.last).prefix { $0 != "*" }))
    return [("light", light), ("dark", light.merging(dark) { $1 })]
  }

  private static func colours(_ text: String) -> [String: String] {
    text.matches(of: /--([a-z0-9-]+):\s*(#[0-9a-f]{6});/).reduce(into: [:]) {
      $0[String($1.output.1)] = String($1.output.2)
    }
  }

  /// WCAG 2.2's relative luminance.
  static func luminance(_ colour: String) -> Double {
    let digits = Array(colour.dropFirst())
    let parts = stride(from: 0, to: 6, by: 2).map { index -> Double in
      let value = Double(Int(String(digits[index...index + 1]), radix: 16) ?? 0) / 255
      return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
    }
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
  }

  static func contrast(_ a: String, _ b: String) -> Double {
    let (first, second) = (luminance(a), luminance(b))
    return (max(first, second) + 0.05) / (min(first, second) + 0.05)
  }

  @Test("text stands out from its ground at 4.5 : 1, drawings at 3 : 1, by day and by night")
  func contrasts() throws {
    let texts = [
      ("ink", "ground"), ("ink", "panel"), ("quiet", "ground"), ("quiet", "panel"),
      ("link", "panel"), ("link", "ground"), ("fire", "panel"), ("fire", "fire-soft"),
      ("ink", "fire-soft"), ("on-fire", "fire"), ("good", "good-soft"), ("ink", "good-soft"),
      ("warn", "warn-soft"), ("ink", "calm-soft"), ("head-ink", "head"), ("head-quiet", "head"),
    ]
    let drawings =
      (0..<8).map { ("s\($0)", "panel") } + [
        ("rest", "panel"), ("q5", "panel"), ("fire", "ground"),
      ]
    for (name, colours) in try Self.palettes() {
      for (pairs, least) in [(texts, 4.5), (drawings, 3.0)] {
        for (front, back) in pairs {
          let a = try #require(colours[front])
          let b = try #require(colours[back])
          let ratio = Self.contrast(a, b)
          #expect(ratio >= least, "\(name): \(front) on \(back) is \(ratio)")
        }
      }
    }
  }

  @Test("every page has one h1, a language, a title, a skip link, named regions and no gaps")
  func structure() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("admin")
      var pages = ["/sign-in", "/nothing"]
      for route in house.portal.routes {
        if route.method == .get, case .page = route.face {
          pages.append(RouteTests.path(route.path, foreign: false))
        }
      }
      for path in pages {
        let page =
          path == "/sign-in"
          ? try await Visitor(client).get(path).body : try await visitor.get(path).body
        let problems = Self.problems(page)
        #expect(problems.isEmpty, "\(path): \(problems)")
      }
    }
  }

  static func problems(_ page: String) -> [String] {
    var problems: [String] = []
    func need(_ condition: Bool, _ text: String) { if !condition { problems.append(text) } }
    need(page.hasPrefix("<!DOCTYPE html>"), "doctype")
    need(page.contains(/<html lang="(ja|en)">/), "lang")
    need(page.matches(of: /<title>[^<]+<\/title>\n<link/).count == 1, "title")
    need(page.matches(of: /<h1[ >]/).count == 1, "one h1")
    need(page.contains("<a class=\"skip\" href=\"#main\">"), "skip link")
    need(page.contains("<main id=\"main\""), "main")
    need(!page.contains(/\son[a-z]+="/), "inline script")
    need(!page.contains(/\sstyle="/) && !page.contains("<style"), "inline style")
    // A link may lead elsewhere; nothing may be fetched from there.
    need(!page.contains(/<(?!a )[a-z]+ [^>]*(src|href)="(https?:)?\/\//), "remote asset")
    // Headings do not skip a level.
    var last = 0
    for match in page.matches(of: /<h([1-6])[ >]/) {
      let level = Int(match.output.1) ?? 0
      need(level <= last + 1, "h\(level) after h\(last)")
      last = level
    }
    // Every field has a name: a label around it, or aria-label.
    for match in page.matches(of: /<(input|select|textarea)\b([^>]*)>/) {
      let attributes = match.output.2
      if attributes.contains("type=\"hidden\"") || attributes.contains(" hidden")
        || attributes.contains("aria-label=")
      {
        continue
      }
      let before = page[..<match.range.lowerBound]
      let opened = before.range(of: "<label", options: .backwards)?.lowerBound
      let closed = before.range(of: "</label>", options: .backwards)?.lowerBound
      need(opened != nil && (closed == nil || closed! < opened!), "label for \(match.output.0)")
    }
    for match in page.matches(of: /<button[^>]*>([^<]*)</) {
      need(!match.output.1.allSatisfy(\.isWhitespace), "a button without text")
    }
    for match in page.matches(of: /<svg([^>]*)>/) {
      let attributes = match.output.1
      need(
        attributes.contains("aria-hidden=\"true\"") || attributes.contains("role=\"img\"")
          || attributes.contains("preserveAspectRatio"), "svg without a name: \(attributes)")
    }
    for match in page.matches(of: /<table[^>]*>(.{0,9})/) {
      need(match.output.1.hasPrefix("<caption"), "table without caption")
    }
    // Identifiers are unique.
    let ids = page.matches(of: /\sid="([^"]+)"/).map { String($0.output.1) }
    need(Set(ids).count == ids.count, "id twice")
    return problems
  }

  @Test("what comes from outside is escaped wherever it is shown")
  func escaped() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      try await visitor.signIn("admin")
      let script = "%3Cscript%3Ealert(1)%3C%2Fscript%3E%22%27"
      for path in [
        "/cases?organisation=\(script)", "/hosts?tools=\(script)", "/hosts?\(script)=1",
        "/cases/\(script)", "/\(script)", "/sign-in?next=/\(script)",
        "/telescope?until=\(script)",
      ] {
        #expect(!(try await visitor.get(path).body.contains("<script>alert")), "\(path)")
        #expect(!(try await Visitor(client).get(path).body.contains("<script>alert")), "\(path)")
      }
      let page = try await visitor.get("/cases/C-2026-1000").body
      #expect(page.contains("&lt;b&gt;再起動&lt;/b&gt;"))
    }
    let markup: HTML = "<td title=\"\("\"'<&>\u{7}")\">"
    #expect(markup.markup == "<td title=\"&quot;&#39;&lt;&amp;&gt;\u{fffd}\">")
  }

  @Test("the stylesheet and the script are kept for good under names made of their content")
  func assets() async throws {
    let house = try await SampleHouse()
    try await house.portal.application().test(.router) { client in
      let visitor = Visitor(client)
      for asset in [
        house.portal.platform.assets.stylesheet, house.portal.platform.assets.script,
        house.portal.platform.assets.mark,
      ] {
        let answer = try await visitor.get(asset.path)
        #expect(answer.status == 200)
        #expect(answer.headers[.cacheControl]?.contains("immutable") == true)
        #expect(answer.headers[.contentType] == asset.type)
      }
    }
  }
}
