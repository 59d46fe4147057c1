import GRDB
import Hummingbird

/// What machines ask: is it alive, how is it doing, how is it spoken to.
enum ProbeRoutes {
  static func routes(metricsAreOpen: Bool) -> [Route] {
    [
      Route(method: .get, path: "/healthz", audience: .everyone, face: .probe) { visit in
        _ = try await visit.platform.accounts.database.read { db in
          try Int.fetchOne(db, sql: "SELECT 1")
        }
        return Answer.text("ok\n")
      },
      Route(
        method: .get, path: "/metrics", audience: metricsAreOpen ? .everyone : .staff, face: .probe
      ) { visit in
        Answer.text(
          await visit.platform.metrics.text(),
          type: "text/plain; version=0.0.4; charset=utf-8")
      },
    ]
  }

  static func openAPI(describing routes: [Route]) -> Route {
    let operation = Operation(
      id: "getDescription", summary: "This description.", tag: "api", response: ["type": "object"])
    let path = "/api/v1/openapi.json"
    let own = Route(method: .get, path: path, audience: .everyone, face: .api(operation)) { _ in
      Answer.text("")
    }
    let document = OpenAPI.document(routes: routes + [own], version: "1").text
    return Route(method: .get, path: path, audience: .everyone, face: .api(operation)) { _ in
      Answer.text(document, type: "application/json")
    }
  }
}

/// Answers what no route answers, in the same clothes as everything else.
struct Fallback: RouterMiddleware {
  typealias Context = PortalContext

  let admission: Admission

  func handle(
    _ request: Request, context: PortalContext,
    next: (Request, PortalContext) async throws -> Response
  ) async throws -> Response {
    do {
      return try await next(request, context)
    } catch let error as HTTPError {
      let isAPI = request.uri.path.hasPrefix("/api/")
      let none = Operation(id: "", summary: "", tag: "", response: .null)
      let route = Route(
        method: request.method, path: "(none)", audience: .everyone,
        face: isAPI ? .api(none) : .page
      ) { _ in
        throw error.status == .notFound
          ? Problem.notFound : Problem(status: error.status, code: "bad-request")
      }
      // A form for nobody is not read, so that its token is not asked for.
      return await admission.respond(route, request, context, readsForm: false)
    }
  }
}
