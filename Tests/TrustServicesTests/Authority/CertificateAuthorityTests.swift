import Foundation
import NetworkTypes
import SwiftASN1
import Testing

@testable import TrustServices

@Suite("The certificate authority")
struct CertificateAuthorityTests {
  static let now = TestAuthority.now

  func withAuthority(_ body: (CertificateAuthority, URL) throws -> Void) throws {
    try withFolder { folder in
      let register = CertificateRegister(path: folder.appendingPathComponent("register").path)
      let authority = try CertificateAuthority.create(
        subject: TestAuthority.name("Root"), key: try FileKey.generate(.p256), register: register,
        at: Self.now, locations: CertificateLocations(base: "http://pki.example/ca/"))
      try body(authority, folder)
    }
  }

  func seal(_ identifier: String) -> DistinguishedName {
    DistinguishedName([
      (.country, "JP"), (.organization, "国税庁"), (.organizationIdentifier, identifier),
      (.commonName, "国税庁"),
    ])
  }

  func application(
    _ profile: CertificateProfile, _ subject: DistinguishedName? = nil,
    names: [GeneralName] = []
  ) throws -> CertificateApplication {
    CertificateApplication(
      profile: profile, subject: subject ?? TestAuthority.name("\(profile)"),
      publicKey: try FileKey.generate(.p256).publicKey, alternativeNames: names)
  }

  @Test("a corporate number is known by its check digit")
  func corporateNumbers() {
    // The National Tax Agency, the Digital Agency, the Ministry of Internal Affairs.
    for good in ["7000012050002", "8000012010038", "2000012020001"] {
      #expect(CorporateNumber(good)?.organizationIdentifier == "NTRJP-\(good)")
    }
    for bad in [
      "", "700001205000", "70000120500021", "6000012050002", "7000012050003", "700001205000x",
      "٧٠٠٠٠١٢٠٥٠٠٠٢",
    ] { #expect(CorporateNumber(bad) == nil, "\(bad)") }
  }

  @Test("each profile's certificate is fit for its purpose and for no other")
  func profiles() throws {
    try withAuthority { authority, _ in
      let validator = CertificateValidator(anchors: [try TrustAnchor(authority.certificate)])
      var parameters = PathParameters(moment: Self.now.advanced(bySeconds: 60))
      parameters.revocation = .ignored
      let tsa = try authority.issue(application(.tsa), at: Self.now)
      let seal = try authority.issue(
        application(.seal, seal("NTRJP-7000012050002")), at: Self.now)
      let server = try authority.issue(
        application(.server, names: [.dNSName("tsa.example.jp")]), at: Self.now)
      let client = try authority.issue(application(.client), at: Self.now)
      for (certificate, purpose) in [
        (tsa, OID.timeStamping), (server, OID.serverAuth), (client, OID.clientAuth),
      ] {
        parameters.extendedKeyUsage = purpose
        _ = try validator.validate(certificate, parameters: parameters)
        parameters.extendedKeyUsage = OID.emailProtection
        #expect(throws: PathError.self) {
          try validator.validate(certificate, parameters: parameters)
        }
      }
      #expect(TimeStampToken.isTimeStampUnit(tsa))
      #expect(
        tsa.extensions.privateKeyUsagePeriod?.notAfter == Self.now.advanced(bySeconds: 365 * 86_400)
      )
      #expect(seal.subject.texts(.organizationIdentifier) == ["NTRJP-7000012050002"])
      #expect(seal.extensions.keyUsage == [.nonRepudiation])
      #expect(
        seal.extensions.crlDistributionPoints == [
          DistributionPoint(uri: "http://pki.example/ca/crl")
        ])
      #expect(seal.extensions.ocspLocations == ["http://pki.example/ca/ocsp"])
      #expect(server.extensions.subjectAlternativeNames == [.dNSName("tsa.example.jp")])
    }
  }

  @Test("what must not be certified is refused")
  func refusals() throws {
    try withAuthority { authority, _ in
      func isRefused(_ profile: CertificateProfile, _ subject: DistinguishedName? = nil) -> Bool {
        do {
          _ = try authority.issue(application(profile, subject), at: Self.now)
          return false
        } catch is CertificateAuthorityError { return true } catch { return false }
      }
      #expect(isRefused(.seal))
      #expect(isRefused(.seal, seal("NTRJP-7000012050003")))
      #expect(!isRefused(.seal, seal("VATDE-123456789")))
      #expect(isRefused(.server))
      #expect(isRefused(.root))
      #expect(isRefused(.client, DistinguishedName([])))
      #expect(throws: CertificateAuthorityError.self) {
        try authority.issue(
          application(.client), at: authority.certificate.notAfter.advanced(bySeconds: 1))
      }
      #expect(throws: CertificateAuthorityError.keyMismatch) {
        try CertificateAuthority(
          certificate: authority.certificate, key: try FileKey.generate(.p256),
          register: authority.register)
      }
    }
  }

  @Test("revocation shows in CRL and OCSP, numbers grow, and everything survives reopening")
  func revocation() throws {
    try withAuthority { authority, _ in
      let good = try authority.issue(application(.client), at: Self.now)
      let bad = try authority.issue(application(.client), at: Self.now)
      let first = try authority.revocationList(at: Self.now)
      #expect(first.entries.isEmpty && first.number == [1])
      try authority.revoke(
        serialNumber: bad.serialNumber, reason: .keyCompromise,
        at: Self.now.advanced(bySeconds: 60))
      #expect(throws: CertificateAuthorityError.self) {
        try authority.revoke(serialNumber: bad.serialNumber, at: Self.now)
      }
      #expect(throws: CertificateAuthorityError.self) {
        try authority.revoke(serialNumber: [9], at: Self.now)
      }
      let second = try authority.revocationList(at: Self.now.advanced(bySeconds: 120))
      #expect(second.number == [2])
      #expect(second.entries.map(\.serialNumber) == [bad.serialNumber])
      #expect(second.entries[0].reason == .keyCompromise)

      let responderKey = try FileKey.generate(.p256)
      let responderCertificate = try authority.issue(
        CertificateApplication(
          profile: .ocsp, subject: TestAuthority.name("OCSP"), publicKey: responderKey.publicKey),
        at: Self.now)
      let register = authority.register
      let responder = try OCSPResponder(
        authority: authority.certificate, certificate: responderCertificate, key: responderKey
      ) { try register.contents() }
      let issuerKey = try #require(authority.certificate.publicKey)
      let moment = Self.now.advanced(bySeconds: 180)
      func ask(_ identifiers: [OCSPCertificateID]) throws -> OCSPResponse {
        try OCSPResponse(
          derEncoded: responder.answer(
            OCSPRequest(identifiers, nonce: [1, 2, 3, 4]).encoded, at: moment))
      }
      let unknown = OCSPCertificateID(
        serialNumber: [5], issuerName: authority.certificate.subject, issuerKey: issuerKey,
        hashAlgorithm: .sha256)
      let answer = try ask(
        [good, bad].map { OCSPCertificateID($0, issuerKey: issuerKey) } + [unknown])
      #expect(answer.nonce == [1, 2, 3, 4])
      #expect(answer.responses[0].status == .good)
      #expect(
        answer.responses[1].status
          == .revoked(at: Self.now.advanced(bySeconds: 60), reason: .keyCompromise))
      #expect(answer.responses[2].status == .unknown)
      // The whole way: a validator that has to know.
      let validator = CertificateValidator(
        anchors: [try TrustAnchor(authority.certificate)],
        evidence: RevocationEvidence(crls: [second], ocsp: [answer]))
      _ = try validator.validate(good, parameters: PathParameters(moment: moment))
      #expect(throws: PathError.self) {
        try validator.validate(bad, parameters: PathParameters(moment: moment))
      }
      for broken in [[], [0x30, 0], [0x30, 3, 1, 2, 3]] as [[UInt8]] {
        #expect(throws: OCSPResponse.Failure.self) {
          try OCSPResponse(derEncoded: responder.answer(broken, at: moment))
        }
      }
      let stranger = OCSPCertificateID(
        serialNumber: [5], issuerName: TestAuthority.name("Other"), issuerKey: issuerKey,
        hashAlgorithm: .sha1)
      #expect(throws: OCSPResponse.Failure.self) { try ask([stranger]) }
    }
  }

  @Test("a register cut off at any octet loses its last line alone, an edited one is refused")
  func crashes() throws {
    try withAuthority { authority, folder in
      for _ in 0..<3 { _ = try authority.issue(application(.client), at: Self.now) }
      let file = folder.appendingPathComponent("register")
      let whole = try Data(contentsOf: file)
      let last = try #require(whole.dropLast().lastIndex(of: 0x0A)) + 1
      for end in stride(from: last, to: whole.count, by: 37) {
        try whole.prefix(end).write(to: file)
        #expect(try authority.register.contents().entries.count == 3)
        _ = try authority.issue(application(.client), at: Self.now)
        #expect(try authority.register.contents().entries.count == 4)
      }
      for position in stride(from: 0, to: last, by: 101) {
        var edited = whole
        edited[position] ^= 4
        try edited.write(to: file)
        #expect(throws: CertificateAuthorityError.self) { try authority.register.contents() }
        #expect(throws: CertificateAuthorityError.self) {
          try authority.issue(application(.client), at: Self.now)
        }
      }
      let lines = whole.split(separator: 0x0A)
      try Data(lines.enumerated().filter { $0.offset != 1 }.flatMap { $0.element + [0x0A] })
        .write(to: file)
      #expect(throws: CertificateAuthorityError.self) { try authority.register.contents() }
    }
  }

  @Test("openssl verifies certificates, CRL and OCSP answers", .enabled(if: OpenSSL.isPresent))
  func openssl() throws {
    try withAuthority { authority, folder in
      let good = try authority.issue(
        application(.seal, seal("NTRJP-7000012050002")), at: Self.now)
      let bad = try authority.issue(application(.client), at: Self.now)
      try authority.revoke(serialNumber: bad.serialNumber, reason: .superseded, at: Self.now)
      try folder.put("root.pem", Array(authority.certificate.pem.utf8))
      try folder.put("good.pem", Array(good.pem.utf8))
      try folder.put("bad.pem", Array(bad.pem.utf8))
      let moment = Self.now.advanced(bySeconds: 60)
      try folder.put("list.crl", try authority.revocationList(at: Self.now).encoded)
      let list = try OpenSSL.run(
        "crl", "-inform", "DER", "-in", "list.crl", "-CAfile", "root.pem", "-out", "crl.pem",
        in: folder)
      #expect(list.output.contains("verify OK"), "\(list.output)")
      for (file, expected) in [("good.pem", "good.pem: OK"), ("bad.pem", "certificate revoked")] {
        let outcome = try OpenSSL.run(
          "verify", "-CAfile", "root.pem", "-CRLfile", "crl.pem", "-crl_check", "-x509_strict",
          "-attime", "\(moment.seconds)", file, in: folder)
        #expect(outcome.output.contains(expected), "\(outcome.output)")
      }
      let key = try FileKey.generate(.p256)
      let certificate = try authority.issue(
        CertificateApplication(
          profile: .ocsp, subject: TestAuthority.name("OCSP"), publicKey: key.publicKey),
        at: Self.now)
      let register = authority.register
      let responder = try OCSPResponder(
        authority: authority.certificate, certificate: certificate, key: key
      ) { try register.contents() }
      try OpenSSL.run(
        "ocsp", "-issuer", "root.pem", "-cert", "good.pem", "-cert", "bad.pem", "-reqout", "q.der",
        in: folder)
      try folder.put("r.der", responder.answer(try folder.get("q.der"), at: moment))
      let outcome = try OpenSSL.run(
        "ocsp", "-issuer", "root.pem", "-cert", "good.pem", "-cert", "bad.pem", "-respin", "r.der",
        "-CAfile", "root.pem", "-no_nonce", "-validity_period", "999999999", "-attime",
        "\(moment.seconds)", in: folder)
      #expect(outcome.output.contains("Response verify OK"), "\(outcome.output)")
      #expect(outcome.output.contains("good.pem: good"))
      #expect(outcome.output.contains("bad.pem: revoked"))
      let text = try OpenSSL.run("x509", "-in", "good.pem", "-noout", "-text", in: folder)
      #expect(text.output.contains("NTRJP-7000012050002"))
    }
  }

  @Test("a request that openssl made is certified", .enabled(if: OpenSSL.isPresent))
  func request() throws {
    try withAuthority { authority, folder in
      for kind in [["rsa:2048"], ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"]] {
        let arguments =
          ["req", "-new", "-newkey"] + kind + [
            "-nodes", "-keyout", "k.pem", "-subj", "/C=JP/O=Example/CN=web", "-addext",
            "subjectAltName=DNS:web.example", "-out", "r.pem",
          ]
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(OpenSSL.path))
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        let request = try CertificateRequest(
          pemEncoded: String(decoding: try folder.get("r.pem"), as: UTF8.self))
        let certificate = try authority.issue(
          CertificateApplication(
            profile: .server, subject: request.subject, publicKey: request.publicKey,
            alternativeNames: request.requestedExtensions.subjectAlternativeNames), at: Self.now)
        #expect(certificate.extensions.subjectAlternativeNames == [.dNSName("web.example")])
        #expect(certificate.publicKey == request.publicKey)
      }
    }
  }
}
