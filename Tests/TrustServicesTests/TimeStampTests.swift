import Foundation
import NetworkTypes
import SwiftASN1
import Testing
import TrustServices

@Suite("Time stamps")
struct TimeStampTests {
  let root: TestAuthority
  let content = Array("証拠となる記録".utf8)
  static let policy: ASN1ObjectIdentifier = [1, 2, 392, 200_000, 1]

  init() throws { root = try TestAuthority() }

  func unit(
    _ kind: FileKey.Kind = .p256, _ change: (inout TimeStampUnitParameters) -> Void = { _ in }
  ) throws -> TimeStampUnit {
    let (certificate, key) = try root.issue(
      "TSU", kind: kind, purpose: OID.timeStamping, isCritical: true)
    var parameters = TimeStampUnitParameters(policy: Self.policy)
    change(&parameters)
    return try TimeStampUnit(certificate: certificate, key: key, parameters: parameters)
  }

  func validator(_ evidence: RevocationEvidence = .init()) throws -> CertificateValidator {
    CertificateValidator(anchors: [try root.anchor()], evidence: evidence)
  }

  func request(_ change: (inout TimeStampRequest) -> Void = { _ in }) -> TimeStampRequest {
    var request = TimeStampRequest(MessageImprint(.sha256, of: content))
    change(&request)
    return request
  }

  /// A request that went over the wire, answered by `unit`.
  func answer(_ unit: TimeStampUnit, _ request: TimeStampRequest) throws -> TimeStampResponse {
    do {
      let read = try unit.read(request.encoded)
      #expect(read == request)
      try unit.check(read)
      let token = try unit.stamp(
        read, serialNumber: [0x11, 0x22], genTime: TestAuthority.now.advanced(bySeconds: 0.25))
      return try TimeStampResponse(encoded: TimeStampResponse(token).encoded)
    } catch let rejection as TimeStampRejection {
      return try TimeStampResponse(encoded: TimeStampResponse(rejection).encoded)
    }
  }

  @Test("a stamp proves content and moment to whoever asked")
  func roundTrip() throws {
    for kind: FileKey.Kind in [.p256, .p384, .ed25519, .rsa(bits: 2048)] {
      let unit = try unit(kind)
      let request = request()
      let token = try answer(unit, request).granted()
      let verified = try token.verify(content: content, request: request, validator: validator())
      #expect(verified.moment == Timestamp("2026-11-25T09:00:00.25Z"))
      #expect(verified.token.info.policy == Self.policy)
      #expect(verified.token.info.accuracy == TimeStampAccuracy(microseconds: 1_000_000))
      #expect(verified.token.info.serialNumber == [0x11, 0x22])
      #expect(verified.token.info.tsa == .directoryName(unit.certificate.subject))
      #expect(verified.path.certificates == [unit.certificate])
      let again = try TimeStampToken(encoded: token.encoded)
      #expect(again == token)
    }
  }

  @Test("a certificate is there only when it was asked for")
  func certReq() throws {
    let unit = try unit()
    let request = request {
      $0.wantsCertificate = false
      $0.nonce = nil
    }
    let token = try answer(unit, request).granted()
    #expect(token.signedData.certificates.isEmpty)
    #expect(throws: TimeStampError.self) {
      try token.verify(content: content, request: request, validator: validator())
    }
    _ = try token.verify(
      content: content, request: request, validator: validator(),
      certificates: [unit.certificate])
  }

  @Test("each request that is refused gets its failInfo")
  func rejections() throws {
    let unit = try unit { $0.otherPolicies = [[1, 2, 3]] }
    func failure(_ change: (inout TimeStampRequest) -> Void) throws -> TimeStampFailure? {
      let response = try answer(unit, request(change))
      #expect((response.status == .rejection) == (response.token == nil))
      #expect(response.token != nil || !response.statusText.isEmpty)
      return response.failures.first
    }
    #expect(try failure { $0.policy = [1, 2, 3] } == nil)
    #expect(try failure { $0.policy = [1, 2, 4] } == .unacceptedPolicy)
    #expect(
      try failure { $0.imprint = MessageImprint(.sha1, of: content) } == .badAlg)
    #expect(
      try failure { $0.imprint = MessageImprint(.sha384, digest: [1, 2, 3]) } == .badDataFormat)
    #expect(
      try failure { $0.extensions = [CertificateExtension([1, 2, 5], value: [5, 0])] }
        == .unacceptedExtension)
    #expect(throws: TimeStampRejection.self) { try unit.read([0x30, 0x03, 0x02, 0x01]) }
    let tooLate = TestAuthority.end.advanced(bySeconds: 1)
    #expect(throws: TimeStampRejection.self) {
      try unit.stamp(request(), serialNumber: [1], genTime: tooLate)
    }
  }

  @Test("a stamp of other content, request, policy or signer proves nothing")
  func refusals() throws {
    let unit = try unit()
    let sent = request()
    let token = try answer(unit, sent).granted()
    func reason(
      _ token: TimeStampToken, _ content: [UInt8], _ request: TimeStampRequest?,
      _ validator: CertificateValidator
    ) -> String {
      do throws(TimeStampError) {
        _ = try token.verify(content: content, request: request, validator: validator)
        return "valid"
      } catch {
        switch error {
        case .path(let error): return "\(error.reason)"
        case .signature(let error): return "\(error)"
        default: return "\(error)"
        }
      }
    }
    let good = try validator()
    #expect(reason(token, content, sent, good) == "valid")
    #expect(reason(token, content + [0], sent, good).contains("other content"))
    #expect(reason(token, content, request(), good).contains("another request"))
    var withPolicy = sent
    withPolicy.policy = [1, 2, 3]
    #expect(reason(token, content, withPolicy, good).contains("policy"))
    let stranger = CertificateValidator(anchors: [try TestAuthority().anchor()])
    #expect(reason(token, content, sent, stranger) == "badSignature")

    // Signed by a certificate for something else, or without ESSCertID.
    for (purpose, isCritical, fixes) in [
      (OID.emailProtection, true, true), (OID.timeStamping, false, true),
      (OID.timeStamping, true, false),
    ] {
      let (certificate, key) = try root.issue("no TSU", purpose: purpose, isCritical: isCritical)
      var signer = SignerTemplate(certificate: certificate, key: key)
      signer.fixesCertificate = fixes
      let forged = try SignedData.sign(
        .bytes(token.info.encoded), type: OID.tstInfo, signers: [signer])
      let read = try TimeStampToken(encoded: forged.encoded)
      #expect(
        reason(read, content, sent, good).contains(fixes ? "no time-stamp unit" : "does not fix"))
      #expect(throws: TimeStampUnitError.self) {
        guard fixes else { throw TimeStampUnitError.notATimeStampUnit }
        _ = try TimeStampUnit(
          certificate: certificate, key: key, parameters: .init(policy: Self.policy))
      }
    }
  }

  @Test("a unit revoked later keeps its stamps unless its key may have been lost")
  func revokedLater() throws {
    let unit = try unit()
    let token = try answer(unit, request()).granted()
    let now = TestAuthority.now
    for (reason, stands) in [
      (RevocationReason.superseded, true), (.cessationOfOperation, true), (.keyCompromise, false),
      (.unspecified, false),
    ] {
      let crl = try RevocationListTemplate(
        number: 1, thisUpdate: now.advanced(bySeconds: 90_000),
        nextUpdate: now.advanced(bySeconds: 900_000),
        entries: [
          .init(
            serialNumber: unit.certificate.serialNumber,
            revokedAt: now.advanced(bySeconds: 80_000), reason: reason)
        ]
      ).issue(issuer: root.certificate, key: root.key)
      let result = try? token.verify(content: content, validator: validator(.init(crls: [crl])))
      #expect((result != nil) == stands, "\(reason)")
    }
  }

  @Test("openssl accepts our answers to its queries", .enabled(if: OpenSSL.isPresent))
  func opensslVerifies() throws {
    let units = [
      try unit(), try unit(.p521) { $0.fractionDigits = 6 }, try unit(.rsa(bits: 2048)),
      try unit {
        $0.ordering = true
        $0.accuracy = TimeStampAccuracy(microseconds: 500_250)
        $0.includesName = false
        $0.chain = [root.certificate]
      },
    ]
    try withFolder { folder in
      try folder.put("data", content)
      try folder.put("root.pem", root.certificate.pem.utf8)
      for (index, unit) in units.enumerated() {
        try folder.put("tsu.pem", unit.certificate.pem.utf8)
        for options in [["-sha256", "-cert"], ["-sha512", "-cert", "-no_nonce"], ["-sha384"]] {
          let process = Process()
          process.executableURL = URL(fileURLWithPath: try #require(OpenSSL.path))
          process.arguments = ["ts", "-query", "-data", "data", "-out", "q.tsq"] + options
          process.currentDirectoryURL = folder
          try process.run()
          process.waitUntilExit()
          let query = try TimeStampRequest(derEncoded: folder.get("q.tsq"))
          #expect(query.encoded == (try folder.get("q.tsq")))
          let response = try answer(unit, query)
          try folder.put("r.tsr", response.encoded)
          let text = try OpenSSL.run("ts", "-reply", "-in", "r.tsr", "-text", in: folder)
          #expect(text.output.contains("Status: Granted"), "\(text.output)")
          let checked = try OpenSSL.run(
            "ts", "-verify", "-queryfile", "q.tsq", "-in", "r.tsr", "-CAfile", "root.pem",
            "-untrusted", "tsu.pem", "-attime", "\(TestAuthority.now.seconds)", in: folder)
          #expect(
            checked.output.contains("Verification: OK"), "\(index) \(options) \(checked.output)")
        }
      }
    }
  }

  static let configuration = """
    [tsa]
    default_tsa = tsa_config
    [tsa_config]
    serial = serial
    crypto_device = builtin
    signer_digest = sha256
    default_policy = 1.2.3.4.1
    other_policies = 1.2.3.4.5
    digests = sha1, sha256, sha384, sha512
    accuracy = secs:1, millisecs:500, microsecs:100
    ordering = yes
    tsa_name = yes
    clock_precision_digits = 3
    ess_cert_id_chain = no
    ess_cert_id_alg = ALG
    """

  @Test("openssl's answers to our requests verify here", .enabled(if: OpenSSL.isPresent))
  func opensslStamps() throws {
    try withFolder { folder in
      for (kind, hash) in [
        (FileKey.Kind.p256, "sha256"), (.rsa(bits: 2048), "sha1"), (.p384, "sha512"),
      ] {
        let (certificate, key) = try root.issue(
          "TSU", kind: kind, purpose: OID.timeStamping, isCritical: true)
        try folder.put("tsu.pem", certificate.pem.utf8)
        try folder.put("root.pem", root.certificate.pem.utf8)
        try folder.put("tsu.key", key.pem(passphrase: nil).utf8)
        try folder.put("serial", "01\n".utf8)
        try folder.put(
          "tsa.cnf", Self.configuration.replacingOccurrences(of: "ALG", with: hash).utf8)
        for wantsCertificate in [true, false] {
          let request = request {
            $0.policy = [1, 2, 3, 4, 5]
            $0.wantsCertificate = wantsCertificate
          }
          try folder.put("q.tsq", request.encoded)
          let made = try OpenSSL.run(
            "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "q.tsq", "-signer", "tsu.pem",
            "-inkey", "tsu.key", "-chain", "root.pem", "-out", "r.tsr", in: folder)
          #expect(made.status == 0, "\(made.output)")
          let token = try TimeStampResponse(encoded: folder.get("r.tsr")).granted()
          let verified = try token.verify(
            content: content, request: request, validator: validator(),
            certificates: wantsCertificate ? [] : [certificate])
          #expect(verified.token.info.accuracy == TimeStampAccuracy(microseconds: 1_500_100))
          #expect(verified.token.info.ordering)
        }
        try folder.put("q.tsq", request { $0.policy = [1, 2, 9] }.encoded)
        try OpenSSL.run(
          "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "q.tsq", "-signer", "tsu.pem",
          "-inkey", "tsu.key", "-out", "r.tsr", in: folder)
        let refused = try TimeStampResponse(encoded: folder.get("r.tsr"))
        #expect(refused.failures == [.unacceptedPolicy])
        #expect(throws: TimeStampRejection.self) { try refused.granted() }
      }
    }
  }
}
