import HTTPTypes
import Hummingbird
import NetworkTypes

/// The accounts of the portal, for administrators: make, reset, disable.
struct UserPages: Sendable {
  /// The organisations an ISP's user may belong to: identifier and name.
  let organisations: @Sendable () async throws -> [(id: String, name: String)]

  var table: Table<Account> {
    Table(
      name: "users", path: "/users", section: "users", audience: .administrators,
      columns: [
        Column("name", .text, value: { .text($0.name) }),
        Column(
          "role", .choice(prefix: "role", words: ["administrator", "analyst", "isp"]),
          value: { .choice($0.role.name) }),
        Column("organisation", .text, value: { .optional($0.role.organisation) }),
        Column("created", .time, value: { .time($0.created) }),
        Column("last_sign_in", .time, value: { .optional($0.lastSignIn) }),
        Column("disabled", .flag, value: { .flag($0.isDisabled) }),
        Column(
          "actions", .text, sort: false, filter: false, exported: false,
          markup: { account, visit in Self.actions(account, visit) }, value: { _ in .none }),
      ],
      order: .init("name"),
      rows: { query, visit in
        let accounts = try await visit.platform.accounts.all()
        return query.answer(accounts, columns: self.table.columns)
      },
      lead: { visit in try await form(visit) })
  }

  var routes: [Route] {
    table.routes + [
      .form("/users", .administrators) { visit in
        let name = visit.form["name"] ?? ""
        let organisation = visit.form["role"] == "isp" ? visit.form["organisation"] : nil
        guard let role = Role(name: visit.form["role"] ?? "", organisation: organisation) else {
          throw Problem.field(visit.form["role"] == "isp" ? "organisation" : "role", "empty")
        }
        if let id = role.organisation,
          try await organisations().contains(where: { $0.id == id }) == false
        {
          throw Problem.field("organisation", "unknown-organisation")
        }
        return try await change(visit) { accounts, actor in
          try await accounts.create(
            name: name, password: visit.form["password"] ?? "", role: role, actor: actor)
        }
      },
      .form("/users/{name}/password", .administrators) { visit in
        try await change(visit) { accounts, actor in
          try await accounts.setPassword(
            of: visit.parameter("name"), to: visit.form["password"] ?? "", actor: actor)
        }
      },
      .form("/users/{name}/disable", .administrators) { visit in
        try await change(visit) { accounts, actor in
          try await accounts.setDisabled(true, name: visit.parameter("name"), actor: actor)
        }
      },
      .form("/users/{name}/enable", .administrators) { visit in
        try await change(visit) { accounts, actor in
          try await accounts.setDisabled(false, name: visit.parameter("name"), actor: actor)
        }
      },
    ]
  }

  private func change(_ visit: Visit, _ body: (Accounts, String) async throws -> Void) async throws
    -> Response
  {
    do {
      try await body(visit.platform.accounts, try visit.requireViewer().account.name)
      return Answer.redirect(to: "/users")
    } catch AccountError.noSuchAccount {
      throw Problem.notFound
    } catch let error as AccountError {
      let view = View(
        title: visit.t("table.users"), section: "users",
        body: """
          <section class="panel narrow"><h1>\(visit.t("table.users"))</h1>
          \(SignInPages.alert(error.text(visit)))
          <p><a href="/users">\(visit.t("users.back"))</a></p></section>
          """)
      return Answer.html(Layout.page(view, for: visit), status: .badRequest)
    }
  }

  private static func actions(_ account: Account, _ visit: Visit) -> HTML {
    let path = "/users/\(QueryText.encode(account.name))"
    let state =
      account.isDisabled
      ? Form.button(path + "/enable", visit.t("users.enable"), visit)
      : Form.button(
        path + "/disable", visit.t("users.disable"), visit,
        confirm: visit.t("users.disable-sure", ["name": account.name]), isDangerous: true)
    let title = visit.t("users.reset-of", ["name": account.name])
    return """
      <div class="actions"><details class="inline"><summary>\(visit.t("users.reset"))</summary>
      <form method="post" action="\(path)/password" class="row">\(Form.token(visit))
      <input type="password" name="password" autocomplete="new-password" required aria-label="\(title)">
      <button type="submit">\(visit.t("users.set"))</button></form></details>\(state)</div>
      """
  }

  private func form(_ visit: Visit) async throws -> HTML {
    let organisations = try await organisations().map { organisation -> HTML in
      "<option value=\"\(organisation.id)\">\(organisation.name)</option>"
    }
    let roles = ["analyst", "administrator", "isp"].map { role -> HTML in
      "<option value=\"\(role)\">\(visit.t("role.\(role)"))</option>"
    }
    let minimum = visit.platform.configuration.parameters.passwordMinimumLength
    return """
      <section class="panel"><h2>\(visit.t("users.new"))</h2>
      <form method="post" action="/users" class="row">\(Form.token(visit))
      <label>\(visit.t("column.name"))<input name="name" required maxlength="64" \
      autocomplete="off" autocapitalize="off" spellcheck="false"></label>
      <label>\(visit.t("column.role"))<select name="role">\(roles)</select></label>
      <label>\(visit.t("users.organisation"))<select name="organisation">\
      <option value="">–</option>\
      \(organisations)</select></label>
      <label>\(visit.t("users.password", ["minimum": String(minimum)]))<input type="password" \
      name="password" autocomplete="new-password" required minlength="\(minimum)"></label>
      <button type="submit">\(visit.t("users.create"))</button></form></section>
      """
  }
}
