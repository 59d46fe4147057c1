import FoundationEssentials
import HTTPTypes
import Hummingbird
public import NetworkTypes
public import TrustServices

/// What the trust services answer over HTTP, to programs and without signing in: time stamps
/// (RFC 3161 3.4), the journal's proofs, and the certificate authority's CRL and OCSP (RFC 6960
/// appendix A).
///
/// It stands beside the portal's pages: `noroshi serve` adds it to the portal's router,
/// `noroshi tsa serve` and `noroshi ca ocsp serve` serve it alone.
public struct TrustAnswers: Sendable {
  /// The authority, and the PEM of its unit's certificate and those above.
  public var authority: TimeStampAuthority?
  public var chain = ""
  /// The certificate authority's responder, its certificate (DER) and its present CRL (DER).
  public var responder: OCSPResponder?
  public var issuer: [UInt8]?
  public var revocationList: (@Sendable () throws -> [UInt8]?)?
  /// The wall clock, for OCSP.
  public var now: @Sendable () -> Timestamp

  /// Answers nothing yet.
  public init(now: @escaping @Sendable () -> Timestamp) { self.now = now }

  /// The paths that are answered; the last of a kind may go deeper.
  static let paths = [
    "/tsa", "/tsa/status", "/tsa/certificates", "/tsa/journal/key", "/tsa/journal/head",
    "/tsa/journal/proof", "/tsa/journal/consistency", "/tsa/journal/entries", "/ca/crl",
    "/ca/certificate", "/ca/ocsp", "/ca/ocsp/**",
  ]

  /// Adds the paths to a router.
  func add<Context: RequestContext>(to router: Router<Context>) {
    for path in Self.paths {
      for method in [HTTPRequest.Method.get, .post] {
        router.on(RouterPath(path), method: method) { request, _ in await answer(request) }
      }
    }
  }

  /// Octets of a request's body that are read: RFC 3161 requests have about 100.
  static let bodyLimit = 65_536

  /// The answer to any request.
  func answer(_ request: Request) async -> Response {
    let path = request.uri.path
    if let authority, path == "/tsa" || path == "/" {
      return await stamp(request, authority)
    }
    if let authority, path.hasPrefix("/tsa/") {
      guard request.method == .get else { return Self.refuse(.methodNotAllowed, allow: "GET") }
      return journal(request, authority)
    }
    if path.hasPrefix("/ca/") { return await certificates(request) }
    return Self.refuse(.notFound)
  }

  // Time stamps

  private func stamp(_ request: Request, _ authority: TimeStampAuthority) async -> Response {
    guard request.method == .post else { return Self.refuse(.methodNotAllowed, allow: "POST") }
    guard Self.isType(request, "application/timestamp-query") else {
      return Self.refuse(.unsupportedMediaType, "Send application/timestamp-query (RFC 3161).")
    }
    guard !authority.isOverloaded else {
      var response = Self.refuse(.serviceUnavailable, "Too many requests at once. Try again.")
      response.headers[.retryAfter] = "1"
      return response
    }
    guard let query = await Self.body(request) else { return Self.refuse(.contentTooLarge) }
    return Self.octets(await authority.answer(query), "application/timestamp-reply")
  }

  private func journal(_ request: Request, _ authority: TimeStampAuthority) -> Response {
    let query = QueryText.pairs(request.uri.query ?? "")
    func number(_ name: String) -> UInt64? {
      query.last { $0.name == name }.flatMap { UInt64($0.value) }
    }
    do {
      switch request.uri.path {
      case "/tsa/certificates":
        return Answer.text(chain, type: "application/pem-certificate-chain")
      case "/tsa/status": return try Self.json(TimeStampStatus(authority))
      case "/tsa/journal/key": return Answer.text("\(authority.logVerifier)\n")
      case "/tsa/journal/head": return Answer.text(try authority.head().note)
      case "/tsa/journal/proof":
        guard let text = query.last(where: { $0.name == "serial" })?.value,
          let serial = Self.serial(text)
        else { return Self.refuse(.badRequest, "serial: expected hexadecimal digits.") }
        return try Self.json(try authority.inclusionProof(serialNumber: serial))
      case "/tsa/journal/consistency":
        guard let from = number("from"), let to = number("to") else {
          return Self.refuse(.badRequest, "from, to: expected the sizes of two heads.")
        }
        return try Self.json(try authority.consistencyProof(from: from, to: to))
      case "/tsa/journal/entries":
        guard let from = number("from") else {
          return Self.refuse(.badRequest, "from: expected the number of a record.")
        }
        let count = number("count").map { Int(clamping: $0) } ?? authority.parameters.maximumEntries
        var lines: [UInt8] = []
        for entry in try authority.entries(from: from, count: count) {
          lines += entry
          lines.append(0x0A)
        }
        return Self.octets(lines, "text/plain; charset=utf-8")
      default: return Self.refuse(.notFound)
      }
    } catch let error as LogError {
      return Self.refuse(.notFound, error.description)
    } catch let error as JournalError {
      if case .noSuchRecord = error { return Self.refuse(.notFound, error.description) }
      return Self.refuse(.internalServerError)
    } catch { return Self.refuse(.internalServerError) }
  }

  private static func serial(_ text: String) -> [UInt8]? {
    guard text.utf8.count % 2 == 0, (2...40).contains(text.utf8.count) else { return nil }
    var octets: [UInt8] = []
    var rest = text[...]
    while !rest.isEmpty {
      guard let octet = UInt8(rest.prefix(2), radix: 16), rest.first != "+" else { return nil }
      octets.append(octet)
      rest = rest.dropFirst(2)
    }
    return octets
  }

  // Certificates

  private func certificates(_ request: Request) async -> Response {
    let path = request.uri.path
    switch path {
    case "/ca/crl":
      guard request.method == .get else { return Self.refuse(.methodNotAllowed, allow: "GET") }
      guard let list = try? revocationList?() else { return Self.refuse(.notFound) }
      return Self.octets(list, "application/pkix-crl")
    case "/ca/certificate":
      guard request.method == .get else { return Self.refuse(.methodNotAllowed, allow: "GET") }
      guard let issuer else { return Self.refuse(.notFound) }
      return Self.octets(issuer, "application/pkix-cert")
    default: break
    }
    guard let responder, path == "/ca/ocsp" || path.hasPrefix("/ca/ocsp/") else {
      return Self.refuse(.notFound)
    }
    let query: [UInt8]
    if request.method == .post {
      guard Self.isType(request, "application/ocsp-request") else {
        return Self.refuse(.unsupportedMediaType, "Send application/ocsp-request (RFC 6960).")
      }
      guard let body = await Self.body(request) else { return Self.refuse(.contentTooLarge) }
      query = body
    } else {
      // The request in Base64, its special characters escaped.
      let text = QueryText.decode(path.dropFirst("/ca/ocsp/".count), plusIsSpace: false)
      guard let data = Data(base64Encoded: text) else { return Self.refuse(.badRequest) }
      query = Array(data)
    }
    return Self.octets(responder.answer(query, at: now()), "application/ocsp-response")
  }

  // Parts of HTTP

  private static func isType(_ request: Request, _ type: String) -> Bool {
    let stated = request.headers[.contentType] ?? ""
    return stated.prefix { $0 != ";" }.trimmed.lowercased() == type
  }

  /// nil where it is longer than is read.
  private static func body(_ request: Request) async -> [UInt8]? {
    guard let buffer = try? await request.body.collect(upTo: bodyLimit) else { return nil }
    return Array(buffer.readableBytesView)
  }

  private static func octets(_ bytes: [UInt8], _ type: String) -> Response {
    Response(
      status: .ok, headers: [.contentType: type, .cacheControl: "no-store"],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }

  private static func json(_ value: some Encodable) throws -> Response {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return octets(Array(try encoder.encode(value)), "application/json")
  }

  private static func refuse(
    _ status: HTTPResponse.Status, _ reason: String? = nil, allow: String? = nil
  ) -> Response {
    var response = Answer.text((reason ?? status.reasonPhrase) + "\n", status: status)
    if let allow { response.headers[.allow] = allow }
    return response
  }
}

extension Substring {
  fileprivate var trimmed: Substring {
    var rest = self
    while rest.first == " " || rest.first == "\t" { rest.removeFirst() }
    while rest.last == " " || rest.last == "\t" { rest.removeLast() }
    return rest
  }
}

/// What `/tsa/status` says.
public struct TimeStampStatus: Codable, Sendable {
  public let state: String
  public let reasons: [String]
  /// In seconds; nil where nothing was measured.
  public let offset: Double?
  public let errorBound: Double?
  public let measured: String?
  public let jumps: Int
  public let records: UInt64
  public let granted: UInt64
  public let rejected: [String: UInt64]
  public let policy: String
  public let log: String
  public let certificateEnd: String

  /// The present state of an authority.
  public init(_ authority: TimeStampAuthority) {
    let clock = authority.clock.status
    state = clock.state.rawValue
    reasons = clock.reasons
    offset = clock.judgement?.offset
    errorBound = clock.judgement.flatMap { $0.errorBound.isFinite ? $0.errorBound : nil }
    measured = clock.sample?.moment.description
    jumps = clock.jumps
    records = authority.journal.head.size
    let counters = authority.counters
    granted = counters.granted
    rejected = Dictionary(
      uniqueKeysWithValues: counters.rejected.map { ("\($0.key)", $0.value) })
    policy = "\(authority.unit.parameters.policy)"
    log = "\(authority.logVerifier)"
    certificateEnd = authority.unit.certificate.notAfter.description
  }
}
