import HTTPTypes
import Hummingbird

/// One's own account: language and zone, password, tokens for programs.
enum AccountPages {
  static var routes: [Route] {
    [
      .page("/account", .signedIn) { try await view($0) },
      .form("/account/language", .signedIn) { visit in
        let account = try visit.requireViewer().account
        guard let language = Language(rawValue: visit.form["language"] ?? "") else {
          throw Problem.field("language", "choice", ["words": "ja, en"])
        }
        try await visit.platform.accounts.setPreferences(
          of: account, language: language, zone: visit.zone)
        return Answer.redirect(to: visit.form["next"] ?? "/")
      },
      .form("/account/preferences", .signedIn) { visit in
        let account = try visit.requireViewer().account
        guard let language = Language(rawValue: visit.form["language"] ?? "") else {
          throw Problem.field("language", "choice", ["words": "ja, en"])
        }
        guard let zone = Zone(rawValue: visit.form["zone"] ?? "") else {
          throw Problem.field("zone", "choice", ["words": "UTC, JST"])
        }
        try await visit.platform.accounts.setPreferences(
          of: account, language: language, zone: zone)
        return Answer.redirect(to: "/account")
      },
      .form("/account/password", .signedIn) { try await changePassword($0) },
      .form("/account/tokens", .signedIn) { visit in
        let account = try visit.requireViewer().account
        let label = visit.form["label"] ?? ""
        guard !label.isEmpty else { throw Problem.field("label", "empty") }
        do {
          let token = try await visit.platform.accounts.makeToken(for: account, label: label)
          return Answer.html(Layout.page(try await view(visit, newToken: token), for: visit))
        } catch let error as AccountError {
          return try await failed(visit, error)
        }
      },
      .form("/account/tokens/{id}/revoke", .signedIn) { visit in
        let account = try visit.requireViewer().account
        guard let id = Int64(visit.parameter("id")) else { throw Problem.notFound }
        try await visit.platform.accounts.revokeToken(id, of: account)
        return Answer.redirect(to: "/account")
      },
    ]
  }

  private static func changePassword(_ visit: Visit) async throws -> Response {
    let account = try visit.requireViewer().account
    let accounts = visit.platform.accounts
    let moment = visit.platform.now()
    guard accounts.throttle.admits(account: account.name, address: visit.address, now: moment)
    else { throw Problem.tooManyAttempts }
    guard try await accounts.holds(account, password: visit.form["current"] ?? "") else {
      accounts.throttle.failed(account: account.name, address: visit.address, now: moment)
      throw Problem.field("current", "wrong-password")
    }
    guard visit.form["new"] == visit.form["again"] else {
      throw Problem.field("again", "different")
    }
    do {
      try await accounts.setPassword(
        of: account.name, to: visit.form["new"] ?? "", actor: account.name)
    } catch let error as AccountError {
      return try await failed(visit, error)
    }
    return Answer.redirect(to: "/sign-in")
  }

  private static func failed(_ visit: Visit, _ error: AccountError) async throws -> Response {
    let view = try await view(visit, failure: error.text(visit))
    return Answer.html(Layout.page(view, for: visit), status: .badRequest)
  }

  private static func view(_ visit: Visit, newToken: String? = nil, failure: String? = nil)
    async throws -> View
  {
    let account = try visit.requireViewer().account
    let tokens = try await visit.platform.accounts.tokens(of: account)
    var facts = Facts()
    facts.add(visit.t("column.name"), "\(account.name)")
    facts.add(visit.t("column.role"), "\(visit.t("role.\(account.role.name)"))")
    if let organisation = account.role.organisation {
      facts.add(visit.t("column.organisation"), "\(organisation)")
    }
    let made: HTML? = newToken.map { token in
      """
      <p class="alert good" role="status">\(visit.t("token.made"))<br><code class="secret">\
      \(token)</code></p>
      """
    }
    let minimum = visit.platform.configuration.parameters.passwordMinimumLength
    return View(
      title: visit.t("account.title"), section: "account",
      body: """
        <h1>\(visit.t("account.title"))</h1>
        \(failure.map { SignInPages.alert($0) })
        \(made)
        <div class="columns">
        <section class="panel"><h2>\(visit.t("account.who"))</h2>\(facts.html)</section>
        <section class="panel"><h2>\(visit.t("account.preferences"))</h2>
        <form method="post" action="/account/preferences" class="stack">\(Form.token(visit))
        <label>\(visit.t("account.language"))<select name="language">\(languages(visit))</select>\
        </label>
        <label>\(visit.t("account.zone"))<select name="zone">\(zones(visit))</select></label>
        <p class="buttons"><button type="submit">\(visit.t("account.save"))</button></p></form>\
        </section>
        <section class="panel"><h2>\(visit.t("account.password"))</h2>
        <form method="post" action="/account/password" class="stack">\(Form.token(visit))
        <input type="text" name="username" value="\(account.name)" autocomplete="username" hidden>
        <label>\(visit.t("account.current"))\
        <input type="password" name="current" autocomplete="current-password" required></label>
        <label>\(visit.t("account.new", ["minimum": String(minimum)]))\
        <input type="password" name="new" autocomplete="new-password" required minlength="\(minimum)"></label>
        <label>\(visit.t("account.again"))\
        <input type="password" name="again" autocomplete="new-password" required></label>
        <p class="buttons"><button type="submit">\(visit.t("account.change"))</button></p></form>\
        </section>
        </div>
        <section class="panel"><h2>\(visit.t("token.title"))</h2>
        <p class="note">\(visit.t("token.note")) <a href="/api/v1/openapi.json">openapi.json</a></p>
        \(list(tokens, visit))
        <form method="post" action="/account/tokens" class="row">\(Form.token(visit))
        <label>\(visit.t("token.label"))<input name="label" required maxlength="100"></label>
        <button type="submit">\(visit.t("token.make"))</button></form></section>
        """)
  }

  private static func languages(_ visit: Visit) -> [HTML] {
    Language.allCases.map { language in
      """
      <option value="\(language.rawValue)" lang="\(language.rawValue)"\
      \(when: language == visit.language, " selected")>\(language.endonym)</option>
      """
    }
  }

  private static func zones(_ visit: Visit) -> [HTML] {
    Zone.allCases.map { zone in
      """
      <option value="\(zone.rawValue)"\(when: zone == visit.zone, " selected")>\
      \(visit.t("zone.\(zone.rawValue)"))</option>
      """
    }
  }

  private static func list(_ tokens: [BearerToken], _ visit: Visit) -> HTML {
    guard !tokens.isEmpty else { return "<p class=\"empty\">\(visit.t("token.none"))</p>" }
    let rows = tokens.map { token -> HTML in
      let lastUsed = token.lastUsed.map { visit.timeElement($0) } ?? "–"
      let label = { (key: String) in visit.t(key) }
      let revoke = Form.button(
        "/account/tokens/\(token.id)/revoke", visit.t("token.revoke"), visit,
        confirm: visit.t("token.revoke-sure"), isDangerous: true)
      return """
        <tr role="row"><td role="cell" data-label="\(label("token.label"))">\(token.label)</td>\
        <td role="cell" data-label="\(label("column.created"))">\
        \(visit.timeElement(token.created))</td>\
        <td role="cell" data-label="\(label("token.expires"))">\
        \(visit.timeElement(token.expires))</td>\
        <td role="cell" data-label="\(label("token.used"))">\(lastUsed)</td>\
        <td role="cell">\(revoke)</td></tr>
        """
    }
    return """
      <table role="table"><caption class="unseen">\(visit.t("token.title"))</caption>
      <thead role="rowgroup"><tr role="row"><th scope="col">\(visit.t("token.label"))</th>\
      <th scope="col">\(visit.t("column.created"))</th><th scope="col">\
      \(visit.t("token.expires"))</th>\
      <th scope="col">\(visit.t("token.used"))</th>\
      <th scope="col"><span class="unseen">\(visit.t("token.revoke"))</span></th></tr></thead>
      <tbody role="rowgroup">\(rows)</tbody></table>
      """
  }
}

extension AccountError {
  /// The sentence for a page.
  func text(_ visit: Visit) -> String {
    switch self {
    case .nameTaken(let name): visit.t("account.error.name-taken", ["name": name])
    case .nameInvalid: visit.t("account.error.name-invalid")
    case .passwordTooShort(let minimum):
      visit.t("account.error.too-short", ["minimum": String(minimum)])
    case .passwordTooLong(let maximum):
      visit.t("account.error.too-long", ["maximum": String(maximum)])
    case .passwordIsName: visit.t("account.error.is-name")
    case .noSuchAccount: visit.t("account.error.none")
    case .lastAdministrator: visit.t("account.error.last")
    case .tooManyTokens(let limit): visit.t("account.error.tokens", ["limit": String(limit)])
    }
  }
}
