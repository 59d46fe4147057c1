import HTTPTypes
import Hummingbird

/// Signing in and out.
enum SignInPages {
  static var routes: [Route] {
    [
      Route(method: .get, path: "/sign-in", audience: .everyone, face: .page) { visit in
        guard visit.viewer == nil else { return Answer.redirect(to: next(visit.query("next"))) }
        return page(visit, next: visit.query("next") ?? "/", failure: nil)
      },
      .form("/sign-in", .everyone) { visit in
        let accounts = visit.platform.accounts
        let target = next(visit.form["next"])
        let outcome = try await accounts.signIn(
          name: visit.form["name"] ?? "", password: visit.form["password"] ?? "",
          address: visit.address)
        switch outcome {
        case .signedIn(let viewer):
          var response = Answer.redirect(to: target)
          let configuration = visit.platform.configuration
          response.headers.append(
            CookieText.set(
              Admission.sessionCookie, viewer.session?.token ?? "",
              maxAge: configuration.parameters.sessionSeconds, isSecure: configuration.isSecure))
          return response
        case .refused: return page(visit, next: target, failure: .refused)
        case .tooMany: return page(visit, next: target, failure: .tooMany)
        }
      },
      .form("/sign-out", .signedIn) { visit in
        let viewer = try visit.requireViewer()
        if let session = viewer.session {
          try await visit.platform.accounts.end(session: session.token)
        }
        let accounts = visit.platform.accounts
        await accounts.journal.record(
          viewer.account.name, "account.signed-out", viewer.account.name, [:])
        var response = Answer.redirect(to: "/sign-in")
        response.headers.append(
          CookieText.set(
            Admission.sessionCookie, "", maxAge: 0, isSecure: visit.platform.configuration.isSecure)
        )
        return response
      },
    ]
  }

  private enum Failure { case refused, tooMany }

  private static func next(_ wanted: String?) -> String {
    guard let wanted, Answer.isLocal(wanted), !wanted.hasPrefix("/sign-") else { return "/" }
    return wanted
  }

  private static func page(_ visit: Visit, next: String, failure: Failure?) -> Response {
    var response: Response
    let binding = VisitorBinding(visit)
    let message: HTML
    switch failure {
    case nil: message = .empty
    case .refused: message = alert(visit.t("sign-in.refused"))
    case .tooMany:
      let minutes = visit.platform.configuration.parameters.throttleWindowSeconds / 60
      message = alert(visit.t("sign-in.too-many", ["minutes": String(minutes)]))
    }
    let name = visit.form["name"] ?? ""
    let view = View(
      title: visit.t("sign-in.title"), section: "",
      body: """
        <section class="panel sign-in">
        <h1>\(visit.t("sign-in.title"))</h1>
        <p class="note">\(visit.t("sign-in.note"))</p>
        \(message)
        <form method="post" action="/sign-in">
        <input type="hidden" name="form_token" value="\(binding.token)">
        <input type="hidden" name="next" value="\(next)">
        <label>\(visit.t("sign-in.name"))
        <input name="name" autocomplete="username" required autofocus autocapitalize="off" \
        spellcheck="false" maxlength="64" value="\(name)"></label>
        <label>\(visit.t("sign-in.password"))
        <input type="password" name="password" autocomplete="current-password" required></label>
        <p class="buttons"><button type="submit">\(visit.t("sign-in.submit"))</button></p>
        </form></section>
        """)
    let status: HTTPResponse.Status =
      switch failure {
      case nil: .ok
      case .refused: .unauthorized
      case .tooMany: .tooManyRequests
      }
    response = Answer.html(Layout.page(view, for: visit), status: status)
    if let cookie = binding.cookie { response.headers.append(cookie) }
    return response
  }

  static func alert(_ text: String) -> HTML { "<p class=\"alert\" role=\"alert\">\(text)</p>" }
}
