import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing

@testable import Portal

/// A browser as far as tests need one: cookies, forms with the token of the page they stand on.
final class Visitor {
  private let client: any TestClientProtocol
  private var cookies: [String: String] = [:]
  var language = "en"
  var extraHeaders: [(String, String)] = []

  init(_ client: any TestClientProtocol) { self.client = client }

  struct Answer {
    let status: Int
    let headers: HTTPFields
    let body: String
    var location: String? { headers[.location] }
  }

  func get(_ path: String, bearer: String? = nil) async throws -> Answer {
    try await send(path, .get, body: nil, bearer: bearer)
  }

  func send(
    _ path: String, _ method: HTTPRequest.Method, body: String?, bearer: String? = nil
  ) async throws -> Answer {
    var headers: HTTPFields = [.acceptLanguage: language]
    if !cookies.isEmpty {
      headers[.cookie] = cookies.map { "\($0.key)=\($0.value)" }.joined(separator: "; ")
    }
    if let bearer { headers[.authorization] = "Bearer \(bearer)" }
    if body != nil { headers[.contentType] = "application/x-www-form-urlencoded" }
    for (name, value) in extraHeaders {
      if let name = HTTPField.Name(name) { headers[name] = value }
    }
    let response = try await client.executeRequest(
      uri: path, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) })
    for line in response.headers[values: .setCookie] {
      let pair = line.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1)
      if line.contains("Max-Age=0") {
        cookies[String(pair[0])] = nil
      } else if pair.count == 2 {
        cookies[String(pair[0])] = String(pair[1])
      }
    }
    return Answer(
      status: response.status.code, headers: response.headers, body: String(buffer: response.body))
  }

  /// Sends a form with the token that stands on a page.
  func post(_ path: String, _ fields: [String: String], from page: String) async throws -> Answer {
    let markup = try await get(page).body
    var fields = fields
    let mark = "name=\"form_token\" value=\""
    if let range = markup.range(of: mark) {
      fields["form_token"] = String(markup[range.upperBound...].prefix { $0 != "\"" })
    }
    let body = fields.map { "\(QueryText.encode($0.key))=\(QueryText.encode($0.value))" }
    return try await send(path, .post, body: body.joined(separator: "&"))
  }

  @discardableResult
  func signIn(_ name: String, password: String = SampleHouse.password) async throws -> Answer {
    try await post("/sign-in", ["name": name, "password": password], from: "/sign-in")
  }

  func cookie(_ name: String) -> String? { cookies[name] }
}
