import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// One server's HTTP interface.
struct ClusterConnection: Sendable {
  let server: ClusterAddress.Server
  let address: ClusterAddress
  let client: HTTPClient

  /// A client with no redirects and HTTP/1.1; it is shut down by whoever made it.
  static func client(connectSeconds: Double) -> HTTPClient {
    var configuration = HTTPClient.Configuration()
    configuration.timeout.connect = .milliseconds(Int64(connectSeconds * 1_000))
    configuration.redirectConfiguration = .disallow
    configuration.httpVersion = .http1Only
    return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  /// Errors are shown up to here; ClickHouse repeats the query in them.
  private static let longestMessage = 600

  /// Sends a statement, or a statement in `query` and its data in `body`.
  ///
  /// - Parameters:
  ///   - parameters: settings and `query_id`.
  ///   - limit: octets that the answer may have.
  /// - Throws: ``ClusterError``.
  func send(
    query: String? = nil, body: ByteBuffer, parameters: [(String, String)] = [], seconds: Double,
    limit: Int = 1 << 20
  ) async throws(ClusterError) -> ByteBuffer {
    var items = parameters
    if let query { items.append(("query", query)) }
    let text = items.map { name, value in
      name + "=" + (value.addingPercentEncoding(withAllowedCharacters: Self.plain) ?? "")
    }.joined(separator: "&")
    var request = HTTPClientRequest(
      url: "\(address.isEncrypted ? "https" : "http")://\(server)/?\(text)")
    request.method = .POST
    if let user = address.user {
      request.headers.add(name: "X-ClickHouse-User", value: user)
      request.headers.add(name: "X-ClickHouse-Key", value: address.password ?? "")
    }
    request.body = .bytes(body)
    let status: UInt
    let header: String?
    var answer = ByteBuffer()
    do {
      let response = try await client.execute(
        request, timeout: .milliseconds(Int64(max(0.001, seconds) * 1_000)))
      status = response.status.code
      header = response.headers.first(name: "X-ClickHouse-Exception-Code")
      for try await piece in response.body {
        guard answer.readableBytes + piece.readableBytes <= limit else {
          throw ClusterError.badReply(
            server: "\(server)",
            reason: "it has more than \(limit >> 20) MiB; ask for fewer rows, or allow more memory")
        }
        var piece = piece
        answer.writeBuffer(&piece)
      }
    } catch let error as ClusterError {
      throw error
    } catch {
      throw .unreachable(server: "\(server)", reason: Self.describe(error))
    }
    guard status == 200 else {
      let message = String(buffer: answer)
      throw .server(
        server: "\(server)", code: header.flatMap { Int($0) } ?? Self.code(message),
        message: Self.shorten(message.isEmpty ? "HTTP status \(status)" : message))
    }
    return answer
  }

  /// Sends a statement and gives back the lines of its answer, each as its fields.
  func rows(
    _ statement: String, parameters: [(String, String)] = [], seconds: Double
  ) async throws(ClusterError) -> [[String]] {
    let answer = try await send(
      body: ByteBuffer(string: statement + " FORMAT TabSeparated"), parameters: parameters,
      seconds: seconds)
    return String(buffer: answer).split(separator: "\n").map { line in
      line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
    }
  }

  private static let plain = CharacterSet(
    charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~")

  /// `Code: 60, e.displayText() = DB::Exception: …` and `Code: 60. DB::Exception: …`.
  private static func code(_ message: String) -> Int {
    guard message.hasPrefix("Code: ") else { return 0 }
    return Int(message.dropFirst(6).prefix(while: \.isNumber)) ?? 0
  }

  private static func shorten(_ message: String) -> String {
    var text = message
    for noise in [", e.what() = DB::Exception", "e.displayText() = "] {
      text = text.replacing(noise, with: "")
    }
    let line = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? text
    let visible = String(line.unicodeScalars.filter { $0.value >= 32 && $0.value != 127 })
    return visible.count > longestMessage ? visible.prefix(longestMessage) + "…" : visible
  }

  private static func describe(_ error: any Error) -> String {
    if let error = error as? HTTPClientError { return error.shortDescription }
    return "\(error)"
  }
}
