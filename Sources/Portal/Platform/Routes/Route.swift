import HTTPTypes
import Hummingbird

/// One thing the portal answers to, with who may ask for it. The route table is the single source
/// of the router, the OpenAPI description and the test that walks every route as every role.
struct Route: Sendable {
  /// Who may ask; everybody else is sent to the sign-in page or refused.
  enum Audience: String, Sendable, CaseIterable {
    case everyone
    /// Every role; what an ISP's user sees is narrowed to its organisation by the handler's scope.
    case signedIn
    /// Analysts and administrators.
    case staff
    case administrators
  }

  /// What kind of answer it gives, which decides how refusals are told and what forms must carry.
  enum Face: Sendable {
    case page
    case form
    /// A form that may bring files.
    case upload
    case download
    case asset
    case api(Operation)
    /// Text for monitoring.
    case probe
  }

  let method: HTTPRequest.Method
  /// The path with `{name}` for its variable parts.
  let path: String
  let audience: Audience
  let face: Face
  let handle: @Sendable (Visit) async throws -> Response

  static func page(
    _ path: String, _ audience: Audience, _ handle: @escaping @Sendable (Visit) async throws -> View
  ) -> Route {
    Route(method: .get, path: path, audience: audience, face: .page) { visit in
      Answer.html(Layout.page(try await handle(visit), for: visit))
    }
  }

  static func form(
    _ path: String, _ audience: Audience,
    _ handle: @escaping @Sendable (Visit) async throws -> Response
  ) -> Route {
    Route(method: .post, path: path, audience: audience, face: .form, handle: handle)
  }

  static func api(
    _ path: String, _ audience: Audience, _ operation: Operation,
    _ handle: @escaping @Sendable (Visit) async throws -> JSON
  ) -> Route {
    Route(method: .get, path: "/api/v1" + path, audience: audience, face: .api(operation)) {
      visit in
      Answer.json(try await handle(visit))
    }
  }
}

extension Route.Audience {
  func admits(_ role: Role?) -> Bool {
    switch (self, role) {
    case (.everyone, _): true
    case (_, nil): false
    case (.signedIn, _): true
    case (.staff, .administrator?), (.staff, .analyst?): true
    case (.administrators, .administrator?): true
    default: false
    }
  }
}

/// What a page shows below the header.
struct View: Sendable {
  let title: String
  /// The entry of the navigation that is current.
  let section: String
  let body: HTML
  var status: HTTPResponse.Status = .ok
}

/// The portal's kinds of response.
enum Answer {
  static func html(_ page: HTML, status: HTTPResponse.Status = .ok) -> Response {
    text(page.markup, type: "text/html; charset=utf-8", status: status)
  }

  static func json(
    _ value: JSON, status: HTTPResponse.Status = .ok, type: String = "application/json"
  ) -> Response {
    text(value.text, type: type, status: status)
  }

  static func text(
    _ text: String, type: String = "text/plain; charset=utf-8", status: HTTPResponse.Status = .ok
  ) -> Response {
    Response(
      status: status, headers: [.contentType: type, .cacheControl: "no-store"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }

  static func file(_ text: String, name: String, type: String) -> Response {
    var response = Self.text(text, type: type)
    response.headers[.contentDisposition] = "attachment; filename=\"\(name)\""
    return response
  }

  static func file(_ content: [UInt8], name: String, type: String) -> Response {
    Response(
      status: .ok,
      headers: [
        .contentType: type, .cacheControl: "no-store",
        .contentDisposition: "attachment; filename=\"\(name)\"",
      ], body: ResponseBody(byteBuffer: ByteBuffer(bytes: content)))
  }

  /// 303, so that the browser comes back with GET (RFC 9110 §15.4.4). Only paths of our own are
  /// followed; anything else leads to the overview.
  static func redirect(to path: String) -> Response {
    Response(
      status: .seeOther,
      headers: [.location: isLocal(path) ? path : "/", .cacheControl: "no-store"])
  }

  /// Whether a path stays on this server: `//host` and `/\host` are addresses of others.
  static func isLocal(_ path: String) -> Bool {
    path.hasPrefix("/") && !path.hasPrefix("//") && !path.contains("\\")
      && path.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
  }
}
