/// The frame of every page: header with navigation, the page, footer.
enum Layout {
  static func page(_ view: View, for visit: Visit) -> HTML {
    let assets = visit.platform.assets
    return """
      <!DOCTYPE html>
      <html lang="\(visit.language.rawValue)">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>\(view.title) · \(visit.t("product"))</title>
      <link rel="stylesheet" href="\(assets.stylesheet.path)">
      <link rel="icon" type="image/svg+xml" href="\(assets.mark.path)">
      <script src="\(assets.script.path)" defer></script>
      </head>
      <body>
      <a class="skip" href="#main">\(visit.t("layout.skip"))</a>
      \(header(view, visit))
      <main id="main" tabindex="-1">
      \(view.body)
      </main>
      <footer class="foot">
      <p>\(visit.t("layout.zone", ["zone": visit.zone.rawValue]))</p>
      <p>\(visit.t("layout.geometry"))</p>
      </footer>
      </body>
      </html>
      """
  }

  private static func header(_ view: View, _ visit: Visit) -> HTML {
    let role = visit.viewer?.account.role
    let items =
      visit.viewer == nil
      ? [] : visit.platform.navigation.filter { $0.audience.admits(role) }
    let links = items.map { item -> HTML in
      """
      <li><a href="\(item.path)"\(when: item.name == view.section, " aria-current=\"page\"")>\
      \(visit.t("nav.\(item.name)"))</a></li>
      """
    }
    let navigation: HTML =
      links.isEmpty
      ? .empty
      : "<nav class=\"main\" aria-label=\"\(visit.t("layout.nav"))\"><ul>\(links)</ul></nav>"
    return """
      <header class="top">
      <a class="brand" href="/"><svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">\
      <path class="flame" d="M12 1c1 4 5 5 5 9.500a5 5 0 0 1-10 0C7 8 9 7.500 9.500 5c1.500 1 2 2 2 3.500C12.500 7 12.800 4 12 1z"/>\
      <path class="tower" d="M6 17h12l-1-1.500H7zM7.500 18h9l1.500 5H6z"/></svg>\
      <span lang="ja">狼煙</span> <span class="latin">Noroshi</span></a>
      \(navigation)
      \(who(visit))
      </header>
      """
  }

  private static func who(_ visit: Visit) -> HTML {
    let others = Language.allCases.filter { $0 != visit.language }
    guard let account = visit.viewer?.account else {
      let links = others.map { language -> HTML in
        """
        <a lang="\(language.rawValue)" hreflang="\(language.rawValue)" \
        href="\(visit.address(replacing: ["lang": language.rawValue]))">\(language.endonym)</a>
        """
      }
      return "<div class=\"who\">\(links)</div>"
    }
    let switches = others.map { language -> HTML in
      """
      <button type="submit" name="language" value="\(language.rawValue)" \
      lang="\(language.rawValue)">\
      \(language.endonym)</button>
      """
    }
    let back = visit.address(replacing: ["lang": nil])
    return """
      <div class="who">
      <form method="post" action="/account/language">\(Form.token(visit))\
      <input type="hidden" name="next" value="\(back)">\(switches)</form>
      <a href="/account" class="name">\(account.name)</a>
      <form method="post" action="/sign-out">\(Form.token(visit))\
      <button type="submit">\(visit.t("account.sign-out"))</button></form>
      </div>
      """
  }
}

/// Parts of forms.
enum Form {
  static func token(_ visit: Visit) -> HTML {
    "<input type=\"hidden\" name=\"form_token\" value=\"\(visit.formToken)\">"
  }

  /// A form of one button.
  static func button(
    _ action: String, _ title: String, _ visit: Visit, confirm: String? = nil,
    fields: HTML = .empty,
    isDangerous: Bool = false
  ) -> HTML {
    let question = confirm.map { " data-confirm=\"\($0)\"" as HTML }
    return """
      <form method="post" action="\(action)" class="inline"\(question)>\
      \(Form.token(visit))\(fields)\
      <button type="submit"\(when: isDangerous, " class=\"danger\"")>\(title)</button></form>
      """
  }
}

/// A list of facts: terms and what they are.
struct Facts {
  private(set) var items: [(String, HTML)] = []

  mutating func add(_ term: String, _ value: HTML) { items.append((term, value)) }

  var html: HTML {
    "<dl class=\"facts\">\(items.map { "<div><dt>\($0.0)</dt><dd>\($0.1)</dd></div>" as HTML })</dl>"
  }
}

enum ProblemPage {
  static func view(_ problem: Problem, _ visit: Visit) -> View {
    let fields = problem.fields.map { field -> HTML in
      "<li><code>\(field.name)</code> \(visit.t("field.\(field.code)", field.values))</li>"
    }
    let list: HTML = fields.isEmpty ? .empty : "<ul>\(fields)</ul>"
    return View(
      title: visit.t("problem.\(problem.code)"), section: "",
      body: """
        <section class="panel narrow">
        <h1>\(visit.t("problem.\(problem.code)"))</h1>
        <p>\(visit.t("problem.\(problem.code).detail"))</p>\(list)
        <p><a href="/">\(visit.t("problem.home"))</a></p>
        </section>
        """, status: problem.status)
  }
}
