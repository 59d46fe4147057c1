import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NetworkTypes

/// What the portal knows of one request: Hummingbird's context and the peer's address.
struct PortalContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  let peer: String?

  init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
    peer = source.channel.remoteAddress?.ipAddress
  }
}

/// The door: finds out who asks, in which language, whether the route is for them and whether a
/// form really comes from our own page; then lets the route answer, or says why not.
struct Admission: Sendable {
  let platform: Platform

  static let sessionCookie = "noroshi_session"
  static let languageCookie = "noroshi_language"
  /// Binds the sign-in form to the browser that asked for it, as there is no session yet.
  static let visitorCookie = "noroshi_visitor"
  static let visitorPurpose = "noroshi sign-in"

  func respond(
    _ route: Route, _ request: Request, _ context: PortalContext, readsForm: Bool = true
  ) async -> Response {
    var response = await answer(route, request, context, readsForm: readsForm)
    SecurityHeaders.add(to: &response, isSecure: platform.configuration.isSecure)
    platform.traffic.answered(route.path, status: response.status.code)
    return response
  }

  private func answer(
    _ route: Route, _ request: Request, _ context: PortalContext, readsForm: Bool
  ) async -> Response {
    var visit = anonymousVisit(request, context)
    do {
      guard isOurHost(request) else { throw Problem.wrongHost }
      let viewer = try await viewer(request, visit.cookies, route.face)
      visit = self.visit(as: viewer, request, context, form: [:])
      guard route.audience.admits(viewer?.account.role) else {
        return refusal(route, visit, viewer == nil ? .unauthenticated : .forbidden)
      }
      if case .upload = route.face {
        return try await platform.uploads.pass {
          let form = try await upload(request)
          let visit = self.visit(
            as: viewer, request, context, form: form.fields, files: form.files)
          try checkForm(visit, request)
          return try await route.handle(visit)
        }
      }
      if readsForm, request.method == .post {
        let form = try await form(request)
        visit = self.visit(as: viewer, request, context, form: form)
        try checkForm(visit, request)
      }
      var response = try await route.handle(visit)
      remember(visit, in: &response)
      return response
    } catch let problem as Problem {
      return refusal(route, visit, problem)
    } catch {
      platform.logger.error(
        "a request failed", metadata: ["route": "\(route.path)", "error": "\(error)"])
      return refusal(route, visit, .unavailable)
    }
  }

  // MARK: Who asks

  private func viewer(_ request: Request, _ cookies: [String: String], _ face: Route.Face)
    async throws -> Viewer?
  {
    switch face {
    case .api, .probe:
      if let header = request.headers[.authorization] {
        let words = header.split(separator: " ", maxSplits: 1)
        guard words.count == 2, words[0].lowercased() == "bearer",
          let viewer = try await platform.accounts.viewer(bearer: String(words[1]))
        else { throw Problem.unauthenticated }
        return viewer
      }
    case .asset: return nil
    case .page, .form, .upload, .download: break
    }
    guard let token = cookies[Self.sessionCookie] else { return nil }
    return try await platform.accounts.viewer(session: token)
  }

  private func anonymousVisit(_ request: Request, _ context: PortalContext) -> Visit {
    visit(as: nil, request, context, form: [:])
  }

  private func visit(
    as viewer: Viewer?, _ request: Request, _ context: PortalContext, form: [String: String],
    files: [String: [UploadedFile]] = [:]
  ) -> Visit {
    let cookies = Self.cookies(request)
    let query = QueryText.pairs(request.uri.query ?? "")
    let wanted =
      query.last { $0.name == "lang" }?.value ?? viewer?.account.language
      ?? cookies[Self.languageCookie]
    let language =
      wanted.flatMap { Language(rawValue: $0) }
      ?? Language(acceptLanguage: request.headers[.acceptLanguage] ?? "")
      ?? platform.defaultLanguage
    let zone =
      viewer?.account.zone.flatMap { Zone(rawValue: $0) } ?? (language == .ja ? .jst : .utc)
    let formToken =
      viewer?.session?.formToken
      ?? Secret.derived(
        from: cookies[Self.visitorCookie] ?? Secret.token().text, for: Self.visitorPurpose)
    var parameters: [String: String] = [:]
    for (name, value) in context.parameters {
      parameters[String(name)] = QueryText.decode(value, plusIsSpace: false)
    }
    return Visit(
      path: QueryText.decode(request.uri.path, plusIsSpace: false), query: query,
      parameters: parameters, form: form, files: files, viewer: viewer, language: language,
      zone: zone,
      formToken: formToken, isFromElsewhere: Self.isForeign(request),
      address: address(request, context), cookies: cookies,
      platform: platform)
  }

  /// The peer, or whom a trusted proxy names: the last entry of X-Forwarded-For that is no proxy of
  /// ours, because everything before it can be invented by the visitor.
  private func address(_ request: Request, _ context: PortalContext) -> String? {
    let proxies = platform.configuration.trustedProxies
    func isProxy(_ text: String) -> Bool {
      IPAddress(text).map { address in proxies.contains { $0.contains(address) } } ?? false
    }
    guard let peer = context.peer, isProxy(peer),
      let name = HTTPField.Name("X-Forwarded-For"), let header = request.headers[name]
    else { return context.peer }
    let hops = header.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    return hops.last { !isProxy($0) } ?? peer
  }

  private static func cookies(_ request: Request) -> [String: String] {
    var result: [String: String] = [:]
    for header in request.headers[values: .cookie] {
      for part in header.split(separator: ";").prefix(50) {
        let pair = part.split(separator: "=", maxSplits: 1)
        guard pair.count == 2 else { continue }
        result[pair[0].trimmingCharacters(in: .whitespaces)] = String(pair[1])
      }
    }
    return result
  }

  private func isOurHost(_ request: Request) -> Bool {
    let allowed = platform.configuration.allowedHosts
    guard !allowed.isEmpty else { return true }
    guard let host = request.head.authority?.lowercased() else { return false }
    if allowed.contains(host) { return true }
    guard let colon = host.lastIndex(of: ":"), !host.hasSuffix("]") else { return false }
    return allowed.contains(String(host[..<colon]))
  }

  // MARK: Forms

  private func form(_ request: Request) async throws -> [String: String] {
    let type = request.headers[.contentType] ?? ""
    guard type.lowercased().hasPrefix("application/x-www-form-urlencoded") else {
      throw Problem(status: .unsupportedMediaType, code: "bad-form")
    }
    var request = request
    let body: ByteBuffer
    do {
      body = try await request.collectBody(upTo: platform.configuration.parameters.formBytes)
    } catch {
      throw Problem.tooLarge
    }
    var form: [String: String] = [:]
    for (name, value) in QueryText.pairs(String(buffer: body)) { form[name] = value }
    return form
  }

  private func upload(_ request: Request) async throws -> MultipartForm {
    let type = request.headers[.contentType] ?? ""
    var request = request
    let body: ByteBuffer
    do {
      body = try await request.collectBody(upTo: platform.configuration.parameters.uploadBytes)
    } catch {
      throw Problem.tooLarge
    }
    do throws(MultipartForm.Malformed) {
      return try MultipartForm(Array(buffer: body), contentType: type)
    } catch {
      throw Problem(status: .unsupportedMediaType, code: "bad-form")
    }
  }

  private static func isForeign(_ request: Request) -> Bool {
    let site = HTTPField.Name("Sec-Fetch-Site").flatMap { request.headers[$0] }
    return site == "cross-site" || site == "same-site"
  }

  /// A form must carry its page's token, and must not come from another site as far as the browser
  /// tells (Fetch Metadata, Sec-Fetch-Site).
  private func checkForm(_ visit: Visit, _ request: Request) throws {
    let isForeign = Self.isForeign(request)
    let isBound = visit.viewer != nil || visit.cookies[Self.visitorCookie] != nil
    guard !isForeign, isBound, Secret.equal(visit.form["form_token"] ?? "", visit.formToken) else {
      throw Problem.staleForm
    }
  }

  /// `?lang=` is remembered for visitors who are not signed in.
  private func remember(_ visit: Visit, in response: inout Response) {
    guard visit.viewer == nil, let wanted = visit.query("lang"),
      let language = Language(rawValue: wanted)
    else { return }
    response.headers.append(
      CookieText.set(
        Self.languageCookie, language.rawValue, maxAge: 365 * 86_400,
        isSecure: platform.configuration.isSecure))
  }

  // MARK: Refusals

  private func refusal(_ route: Route, _ visit: Visit, _ problem: Problem) -> Response {
    var response: Response
    switch route.face {
    case .api, .probe:
      response = Answer.json(
        problem.json(for: visit), status: problem.status, type: "application/problem+json")
      if problem.status == .unauthorized {
        response.headers[.wwwAuthenticate] = "Bearer realm=\"noroshi\""
      }
    case .page where problem.status == .unauthorized,
      .download where problem.status == .unauthorized:
      let target = visit.address(replacing: ["lang": nil])
      response = Answer.redirect(to: "/sign-in?next=\(QueryText.encode(target))")
    case .form where problem.status == .unauthorized,
      .upload where problem.status == .unauthorized:
      response = Answer.redirect(to: "/sign-in")
    case .page, .download, .form, .upload, .asset:
      response = Answer.html(
        Layout.page(ProblemPage.view(problem, visit), for: visit), status: problem.status)
    }
    if problem.status == .tooManyRequests {
      response.headers[.retryAfter] = String(
        platform.configuration.parameters.throttleWindowSeconds)
    }
    return response
  }
}

/// The headers that every answer carries.
enum SecurityHeaders {
  /// Nothing from elsewhere, no script or style in the page itself, no frames, forms to us only.
  static let policy =
    "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; "
    + "frame-ancestors 'none'"

  static func add(to response: inout Response, isSecure: Bool) {
    response.headers[.contentSecurityPolicy] = policy
    response.headers[.xContentTypeOptions] = "nosniff"
    let fixed = [
      ("Referrer-Policy", "same-origin"), ("X-Frame-Options", "DENY"),
      ("Cross-Origin-Opener-Policy", "same-origin"),
      ("Cross-Origin-Resource-Policy", "same-origin"),
      ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
    ]
    for (name, value) in fixed {
      if let name = HTTPField.Name(name) { response.headers[name] = value }
    }
    if isSecure { response.headers[.strictTransportSecurity] = "max-age=31536000" }
  }
}

/// Cookies as we set them: out of reach of scripts, not sent with other sites' forms.
enum CookieText {
  static func set(_ name: String, _ value: String, maxAge: Int64?, isSecure: Bool) -> HTTPField {
    var text = "\(name)=\(value); Path=/; HttpOnly; SameSite=Lax"
    if let maxAge { text += "; Max-Age=\(maxAge)" }
    if isSecure { text += "; Secure" }
    return HTTPField(name: .setCookie, value: text)
  }
}
