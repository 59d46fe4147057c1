import HTTPTypes

/// What binds a form to the browser that asked for it where nobody is signed in: a cookie of its own.
struct VisitorBinding {
  /// What the form must carry back.
  let token: String
  /// Set where the browser has none yet.
  let cookie: HTTPField?

  init(_ visit: Visit) {
    guard visit.viewer == nil, visit.cookies[Admission.visitorCookie] == nil else {
      token = visit.formToken
      cookie = nil
      return
    }
    let visitor = Secret.token().text
    token = Secret.derived(from: visitor, for: Admission.visitorPurpose)
    cookie = CookieText.set(
      Admission.visitorCookie, visitor, maxAge: nil,
      isSecure: visit.platform.configuration.isSecure)
  }
}
