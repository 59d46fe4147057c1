import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import NetworkTypes
import Testing
import TrustServices

@testable import Portal

@Suite("Trust services over HTTP")
struct TrustAnswersTests {
  static let now = Timestamp("2026-11-25T09:00:00Z") ?? .distantPast

  /// An authority, a CA above it, and what they answer; the folder goes with the test.
  func withAnswers(
    _ body:
      @escaping @Sendable (TrustAnswers, any TestClientProtocol, CertificateAuthority) async throws
      -> Void
  )
    async throws
  {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "noroshi-trust-http-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let register = CertificateRegister(path: folder.path + "/register")
    let name = { (text: String) in
      DistinguishedName([(.country, "JP"), (.organization, "Test"), (.commonName, text)])
    }
    let authority = try CertificateAuthority.create(
      subject: name("Root"), key: FileKey.generate(.p256), register: register, at: Self.now)
    let (unitKey, ocspKey) = (try FileKey.generate(.p256), try FileKey.generate(.p256))
    let unit = try authority.issue(
      CertificateApplication(
        profile: .tsa, subject: name("TSU"), publicKey: unitKey.publicKey), at: Self.now)
    let ocsp = try authority.issue(
      CertificateApplication(
        profile: .ocsp, subject: name("OCSP"), publicKey: ocspKey.publicKey), at: Self.now)
    let later = Self.now.advanced(bySeconds: 60)
    let stamps = TimeStampAuthority(
      unit: try TimeStampUnit(
        certificate: unit, key: unitKey,
        parameters: TimeStampUnitParameters(policy: OID.anyPolicy)),
      clockSources: ClockSources(
        clocks: { ClockPair(wall: later, monotonic: 1) },
        sample: { ClockSample(moment: later, observations: []) }), isGuarding: false,
      journal: try Journal(folder: folder.path + "/journal"),
      signer: try LogSigner(name: "test/tsa", key: FileKey.generate(.ed25519)))
    var answers = TrustAnswers(now: { later })
    answers.authority = stamps
    answers.chain = unit.pem + authority.certificate.pem
    answers.issuer = authority.certificate.encoded
    let list = try authority.revocationList(at: Self.now).encoded
    answers.revocationList = { list }
    answers.responder = try OCSPResponder(
      authority: authority.certificate, certificate: ocsp, key: ocspKey
    ) { try register.contents() }
    let router = Router()
    answers.add(to: router)
    let given = answers
    try await Application(router: router).test(.router) { try await body(given, $0, authority) }
  }

  func query(_ type: String?) -> HTTPFields {
    var fields = HTTPFields()
    if let type { fields[.contentType] = type }
    return fields
  }

  @Test("a stamp is asked for and given as RFC 3161 3.4 says")
  func stamp() async throws {
    try await withAnswers { answers, client, authority in
      let request = TimeStampRequest(MessageImprint(.sha256, of: [1, 2, 3]))
      let response = try await client.execute(
        uri: "/tsa", method: .post, headers: query("application/timestamp-query"),
        body: ByteBuffer(bytes: request.encoded))
      #expect(response.status == .ok)
      #expect(response.headers[.contentType] == "application/timestamp-reply")
      let token = try TimeStampResponse(encoded: Array(buffer: response.body)).granted()
      let validator = CertificateValidator(anchors: [try TrustAnchor(authority.certificate)])
      _ = try token.verify(content: [1, 2, 3], request: request, validator: validator)
      let serial = token.info.serialNumberText
      let proof = try await client.execute(
        uri: "/tsa/journal/proof?serial=\(serial)", method: .get)
      let log = try #require(answers.authority?.logVerifier)
      try JSONDecoder().decode(InclusionProof.self, from: Data(Array(buffer: proof.body)))
        .verify(token, log: log)
      let key = try await client.execute(uri: "/tsa/journal/key", method: .get)
      #expect(String(buffer: key.body) == "\(log)\n")
      let head = try await client.execute(uri: "/tsa/journal/head", method: .get)
      #expect(log.head(in: String(buffer: head.body))?.size == 1)
      let entries = try await client.execute(uri: "/tsa/journal/entries?from=0", method: .get)
      #expect(String(buffer: entries.body).hasPrefix("stamp \(serial) "))
      let consistency = try await client.execute(
        uri: "/tsa/journal/consistency?from=0&to=1", method: .get)
      #expect(consistency.status == .ok)
      let status = try await client.execute(uri: "/tsa/status", method: .get)
      let said = try JSONDecoder().decode(
        TimeStampStatus.self, from: Data(Array(buffer: status.body)))
      #expect(said.granted == 1 && said.records == 1)
      let chain = try await client.execute(uri: "/tsa/certificates", method: .get)
      #expect(try Certificate.list(pemEncoded: String(buffer: chain.body)).count == 2)
    }
  }

  @Test("what cannot be answered has HTTP's status, what is refused RFC 3161's")
  func statuses() async throws {
    try await withAnswers { _, client, _ in
      let good = query("application/timestamp-query")
      for (method, headers, length, status) in [
        (HTTPRequest.Method.get, good, 0, HTTPResponse.Status.methodNotAllowed),
        (.post, query(nil), 10, .unsupportedMediaType),
        (.post, query("text/plain"), 10, .unsupportedMediaType),
        (.post, good, 65_537, .contentTooLarge), (.post, good, 65_536, .ok), (.post, good, 0, .ok),
        (.post, query("Application/Timestamp-Query; charset=x"), 3, .ok),
      ] {
        let response = try await client.execute(
          uri: "/tsa", method: method, headers: headers,
          body: ByteBuffer(repeating: 0x30, count: length))
        #expect(response.status == status, "\(method) \(length)")
        if status == .ok {
          let answer = try TimeStampResponse(encoded: Array(buffer: response.body))
          #expect(answer.failures == [.badDataFormat])
        }
      }
      for (path, status) in [
        ("/tsa/journal/proof", HTTPResponse.Status.badRequest),
        ("/tsa/journal/proof?serial=xyz", .badRequest),
        ("/tsa/journal/proof?serial=%2B1", .badRequest),
        ("/tsa/journal/proof?serial=00112233445566778899aabbccddeeff", .notFound),
        ("/tsa/journal/consistency?from=1", .badRequest),
        ("/tsa/journal/consistency?from=1&to=99", .notFound),
        ("/tsa/journal/entries", .badRequest),
        ("/tsa/journal/entries?from=18446744073709551615&count=18446744073709551615", .ok),
        ("/tsa/journal/nothing", .notFound), ("/tsa/else", .notFound), ("/ca/else", .notFound),
      ] {
        let response = try await client.execute(uri: path, method: .get)
        #expect(response.status == status, "\(path)")
      }
    }
  }

  @Test("CRL, certificate and OCSP are given to whoever asks")
  func certificates() async throws {
    try await withAnswers { _, client, authority in
      let list = try await client.execute(uri: "/ca/crl", method: .get)
      #expect(list.headers[.contentType] == "application/pkix-crl")
      _ = try CertificateRevocationList(derEncoded: Array(buffer: list.body))
      let certificate = try await client.execute(uri: "/ca/certificate", method: .get)
      #expect(Array(buffer: certificate.body) == authority.certificate.encoded)
      let entry = try #require(try authority.register.contents().entries.last)
      let key = try #require(authority.certificate.publicKey)
      let question = OCSPRequest([OCSPCertificateID(entry.certificate, issuerKey: key)])
      let posted = try await client.execute(
        uri: "/ca/ocsp", method: .post, headers: query("application/ocsp-request"),
        body: ByteBuffer(bytes: question.encoded))
      #expect(posted.headers[.contentType] == "application/ocsp-response")
      let answer = try OCSPResponse(derEncoded: Array(buffer: posted.body))
      #expect(answer.responses.map(\.status) == [.good])
      let text = Data(question.encoded).base64EncodedString()
        .replacing("+", with: "%2B").replacing("/", with: "%2F").replacing("=", with: "%3D")
      let got = try await client.execute(uri: "/ca/ocsp/\(text)", method: .get)
      #expect(
        try OCSPResponse(derEncoded: Array(buffer: got.body)).responses.map(\.status) == [.good])
      let wrong = try await client.execute(
        uri: "/ca/ocsp", method: .post, headers: query("text/plain"))
      #expect(wrong.status == .unsupportedMediaType)
      let broken = try await client.execute(uri: "/ca/ocsp/!!", method: .get)
      #expect(broken.status == .badRequest)
    }
  }
}
