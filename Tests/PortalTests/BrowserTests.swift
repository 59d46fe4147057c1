import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Synchronization
import Testing

@testable import Portal

/// The portal in a real browser, from a real server on 127.0.0.1.
///
/// With `NOROSHI_SCREENSHOTS=DIRECTORY` every page is photographed: by day and night, on a desk and
/// on a phone, in both languages.
@Suite("In a browser", .serialized, .enabled(if: Tool.has("chromium"), "apt install chromium"))
struct BrowserTests {
  /// Signs everybody in as one person, and answers `/frame`, a page that holds another in a frame
  /// of a phone's width, because a desktop browser's window cannot be that narrow.
  struct SignedIn<Inner: HTTPResponder>: HTTPResponder where Inner.Context == PortalContext {
    typealias Context = PortalContext
    let inner: Inner
    let session: String

    func respond(to request: Request, context: PortalContext) async throws -> Response {
      if request.uri.path == "/frame" { return Self.frame(request) }
      if request.uri.path == "/measure" { return Self.measure(request) }
      var head = request.head
      head.headerFields[.cookie] = "noroshi_session=\(session)"
      var response = try await inner.respond(
        to: Request(head: head, body: request.body), context: context)
      // Only here: the test's own page frames the portal, which it forbids to everybody.
      response.headers[.contentSecurityPolicy] = nil
      if let name = HTTPField.Name("X-Frame-Options") { response.headers[name] = nil }
      return response
    }

    static func frame(_ request: Request) -> Response {
      let query = QueryText.pairs(request.uri.query ?? "")
      let path = query.first { $0.name == "path" }?.value ?? "/"
      let width = query.first { $0.name == "width" }?.value ?? "390"
      return Answer.text(
        """
        <!DOCTYPE html><meta name="color-scheme" content="light dark"><body style="margin:0">
        <iframe src="\(HTML.escape(path))" style="border:0;width:\(width)px;height:2400px"></iframe>
        """, type: "text/html; charset=utf-8")
    }

    /// Opens pages one after another in a frame of a width and writes down what sticks out of it.
    static func measure(_ request: Request) -> Response {
      let query = QueryText.pairs(request.uri.query ?? "")
      let width = query.first { $0.name == "width" }?.value ?? "360"
      let paths = query.filter { $0.name == "path" }.map { "\"\($0.value)\"" }
      return Answer.text(
        """
        <!DOCTYPE html><body><script>
        (async () => {
          const found = [];
          for (const path of [\(paths.joined(separator: ","))]) {
            const frame = document.createElement("iframe");
            frame.style = "border:0;width:\(width)px;height:900px";
            await new Promise((done) => { frame.onload = done; frame.src = path; document.body.append(frame); });
            const page = frame.contentDocument.documentElement;
            if (page.scrollWidth > \(width)) {
              const wide = [...frame.contentDocument.querySelectorAll("body *")].filter(
                (e) => e.getBoundingClientRect().right > \(width) + 1 && !e.closest(".scroll, pre, .unseen, svg"));
              found.push(path + " is " + page.scrollWidth + " wide: "
                + wide.slice(0, 3).map((e) => e.tagName + "." + e.className).join(" "));
            }
            const small = [...frame.contentDocument.querySelectorAll("svg text")].filter(
              (e) => e.getBoundingClientRect().height > 0 && e.getBoundingClientRect().height < 9);
            if (small.length) found.push(path + " has " + small.length + " texts too small");
            frame.remove();
          }
          document.body.innerHTML = "<output>measured: " + (found.join("; ") || "nothing") + "</output>";
        })();
        </script>
        """, type: "text/html; charset=utf-8")
    }
  }

  static let pages = [
    "/", "/telescope", "/telescope/campaigns", "/telescope/victims", "/telescope/alerts",
    "/telescope/events", "/hosts", "/hosts/192.0.2.4", "/cases", "/cases/C-2026-1000", "/notices",
    "/notices/N-aozora-net-6", "/organisations", "/organisations/aozora-net", "/audit", "/users",
    "/account", "/nothing", "/flows", "/flows/conversation", "/flows/exporters",
    "/servers", "/servers/\(QueryText.encode(SampleDetection.server))", "/attacks",
    "/attacks/\(SampleDetection.reflection)", "/attacks/\(SampleDetection.flood)",
    "/attacks/scanners", "/attacks/reflectors", "/hosts/192.0.2.7",
  ]

  /// Searches of flows: they have a query already.
  static let searches = [
    "/flows?purpose=C-2026-1000&run=1&last=all",
    "/flows?purpose=x&run=1&last=all&view=top&by=srcip",
    "/flows?purpose=x&run=1&last=all&view=list&size=20",
    "/flows?purpose=x&run=1&last=all&view=connections&size=20",
    "/flows?purpose=x&run=1&filter=src%20ip%20192.0.2.1%20and%20port%20http",
    "/flows/conversation?a=192.0.2.4&b=203.0.113.9&purpose=x&run=1&last=all",
  ]

  /// Serves the house to `body`, which gets the address.
  static func serving(_ body: @escaping @Sendable (String) async throws -> Void) async throws {
    let house = try await SampleHouse()
    guard
      case .signedIn(let viewer) = try await house.accounts.signIn(
        name: "admin", password: SampleHouse.password, address: nil)
    else {
      Issue.record("could not sign in")
      return
    }
    let responder = SignedIn(
      inner: house.portal.router().buildResponder(), session: viewer.session?.token ?? "")
    let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
    var logger = Logger(label: "browser-tests")
    logger.logLevel = .error
    let application = Application(
      responder: responder,
      configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
      onServerRunning: { continuation.yield($0.localAddress?.port ?? 0) }, logger: logger)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await application.run() }
      group.addTask {
        for await port in ports {
          try await body("http://127.0.0.1:\(port)")
          break
        }
      }
      try await group.next()
      group.cancelAll()
    }
  }

  static func chromium(_ arguments: [String]) async throws -> (status: Int32, output: String) {
    let profile = FileManager.default.temporaryDirectory.appending(path: "noroshi-\(UUID())")
    defer { try? FileManager.default.removeItem(at: profile) }
    let all =
      [
        "60", "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        "--disable-dev-shm-usage", "--no-first-run", "--user-data-dir=\(profile.path)",
      ] + arguments
    // The server needs this task's thread while the browser runs.
    return try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread {
        continuation.resume(with: Result { try Tool.run("timeout", all) })
      }
    }
  }

  @Test("no page is wider than a phone of 360 pixels, and no text of a chart becomes too small")
  func narrow() async throws {
    try await Self.serving { address in
      for language in ["ja", "en"] {
        let all =
          Self.pages.map { $0 + "?lang=\(language)" }
          + Self.searches.map { $0 + "&lang=\(language)" }
        let paths = all.map { "path=\(QueryText.encode($0))" }
        let (status, output) = try await Self.chromium([
          "--virtual-time-budget=60000", "--dump-dom",
          "\(address)/measure?width=360&\(paths.joined(separator: "&"))",
        ])
        #expect(status == 0)
        let found = output.firstMatch(of: /<output>measured: (.*?)<\/output>/)
        #expect(found.map { String($0.output.1) } == "nothing")
      }
    }
  }

  @Test("the overview is drawn")
  func overview() async throws {
    try await Self.serving { address in
      let file = FileManager.default.temporaryDirectory.appending(path: "noroshi-\(UUID()).png")
      defer { try? FileManager.default.removeItem(at: file) }
      _ = try await Self.chromium([
        "--window-size=1280,1600", "--screenshot=\(file.path)", address + "/?lang=ja",
      ])
      let size = try FileManager.default.attributesOfItem(atPath: file.path)[.size] as? Int
      #expect(size ?? 0 > 30_000)
    }
  }

  static let album = ProcessInfo.processInfo.environment["NOROSHI_SCREENSHOTS"]

  @Test(
    "every page is photographed by day and night, at the desk and on the phone, in both languages",
    .enabled(if: album != nil, "set NOROSHI_SCREENSHOTS to a directory"))
  func photographs() async throws {
    let directory = URL(filePath: try #require(Self.album))
    let only = ProcessInfo.processInfo.environment["NOROSHI_SCREENSHOTS_ONLY"]
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    try await Self.serving { address in
      for path in Self.pages {
        for (language, isDark, isPhone) in [
          ("ja", false, false), ("en", true, false), ("ja", true, true), ("en", false, true),
        ] {
          let words = path.split(separator: "/").joined(separator: "_")
          let name = [
            words.isEmpty ? "overview" : words, language, isDark ? "night" : "day",
            isPhone ? "phone" : "desk",
          ].joined(separator: "-")
          if let only, name.firstMatch(of: try Regex(only)) == nil { continue }
          let target = "\(path)?lang=\(language)"
          let shown =
            isPhone
            ? "\(address)/frame?width=390&path=\(QueryText.encode(target))" : address + target
          _ = try await Self.chromium(
            (isDark ? ["--blink-settings=preferredColorScheme=0"] : []) + [
              "--window-size=\(isPhone ? "500,2400" : "1360,1900")",
              "--screenshot=\(directory.appending(path: name + ".png").path)", shown,
            ])
        }
      }
    }
  }
}
