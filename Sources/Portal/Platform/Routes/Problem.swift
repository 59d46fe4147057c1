import HTTPTypes

/// Why a request was not answered as asked: shown as a page to people and as
/// `application/problem+json` (RFC 9457) to programs.
struct Problem: Error, Sendable {
  let status: HTTPResponse.Status
  /// The stable name: `problem.CODE` and `problem.CODE.detail` in the catalogue.
  let code: String
  /// The request's fields that are wrong, each with the code of its reason (`field.CODE`).
  var fields: [Field] = []

  struct Field: Sendable {
    let name: String
    let code: String
    var values: [String: String] = [:]
  }

  static let notFound = Problem(status: .notFound, code: "not-found")
  static let unauthenticated = Problem(status: .unauthorized, code: "unauthenticated")
  static let forbidden = Problem(status: .forbidden, code: "forbidden")
  static let staleForm = Problem(status: .forbidden, code: "stale-form")
  static let tooManyAttempts = Problem(status: .tooManyRequests, code: "too-many-attempts")
  static let wrongHost = Problem(status: .misdirectedRequest, code: "wrong-host")
  static let tooLarge = Problem(status: .contentTooLarge, code: "too-large")
  static let unavailable = Problem(status: .internalServerError, code: "internal")
  static let conflict = Problem(status: .conflict, code: "conflict")

  static func field(_ name: String, _ code: String, _ values: [String: String] = [:]) -> Problem {
    Problem(
      status: .badRequest, code: "bad-request",
      fields: [Field(name: name, code: code, values: values)])
  }
}

extension Problem {
  func json(for visit: Visit) -> JSON {
    .object([
      .init(name: "type", value: "about:blank"),
      .init(name: "title", value: .string(visit.t("problem.\(code)"))),
      .init(name: "status", value: .integer(Int64(status.code))),
      .init(name: "detail", value: .string(visit.t("problem.\(code).detail"))),
      .init(name: "code", value: .string(code)),
      .init(
        name: "errors",
        value: .array(
          fields.map { field in
            [
              "field": .string(field.name),
              "detail": .string(visit.t("field.\(field.code)", field.values)),
            ]
          })),
    ])
  }
}
