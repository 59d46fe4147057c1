import Foundation
import NetworkTypes
import SwiftASN1
import Testing
import TrustServices

@Suite("Certificates and revocation made here")
struct RevocationTests {
  let root: TestAuthority
  let day: (Double) -> Timestamp = { TestAuthority.now.advanced(bySeconds: $0 * 86_400) }

  init() throws { root = try TestAuthority() }

  func list(_ number: UInt64, _ entries: [RevocationListTemplate.Entry], base: UInt64? = nil)
    throws -> CertificateRevocationList
  {
    try RevocationListTemplate(
      number: number, thisUpdate: day(-1), nextUpdate: day(6), entries: entries, deltaBase: base
    ).issue(issuer: root.certificate, key: root.key)
  }

  func outcome(
    _ certificate: Certificate, _ evidence: RevocationEvidence, at moment: Timestamp? = nil
  )
    -> PathError.Reason?
  {
    guard let anchor = try? root.anchor() else { return .unsupportedKey }
    let validator = CertificateValidator(anchors: [anchor], evidence: evidence)
    let parameters = PathParameters(moment: moment ?? TestAuthority.now)
    switch validator.outcome(of: certificate, parameters) {
    case .success: return nil
    case .failure(let error): return error.reason
    }
  }

  @Test("a CRL revokes from its date on, and a delta can take it back")
  func crls() throws {
    let (certificate, _) = try root.issue("seal")
    let entry = RevocationListTemplate.Entry(
      serialNumber: certificate.serialNumber, revokedAt: day(-3), reason: .certificateHold)
    #expect(outcome(certificate, .init()) == .revocationUnknown(.noInformation))
    #expect(outcome(certificate, .init(crls: [try list(1, [])])) == nil)
    let held = try list(2, [entry])
    #expect(
      outcome(certificate, .init(crls: [held])) == .revoked(at: day(-3), .certificateHold))
    var release = entry
    release.reason = .removeFromCRL
    #expect(outcome(certificate, .init(crls: [held, try list(3, [release], base: 2)])) == nil)
    var lost = entry
    lost.reason = .keyCompromise
    #expect(
      outcome(certificate, .init(crls: [try list(2, []), try list(3, [lost], base: 1)]))
        == .revoked(at: day(-3), .keyCompromise))
    #expect(
      outcome(certificate, .init(crls: [held]), at: day(30)) == .revocationUnknown(.outOfDate))
    let stranger = try TestAuthority()
    let forged = try RevocationListTemplate(
      number: 9, thisUpdate: day(-1), nextUpdate: day(6), entries: []
    ).issue(issuer: stranger.certificate, key: stranger.key)
    #expect(
      outcome(certificate, .init(crls: [forged])) == .revocationUnknown(.badSignature))
  }

  @Test("an OCSP answer counts when the CA or its delegate signed it")
  func ocsp() throws {
    let (certificate, _) = try root.issue("seal")
    let (responder, responderKey) = try root.issue("OCSP", purpose: OID.ocspSigning) {
      $0.hasOCSPNoCheck = true
    }
    let (impostor, impostorKey) = try root.issue("not OCSP", purpose: OID.timeStamping)
    let request = try OCSPRequest(
      derEncoded: OCSPRequest(
        [OCSPCertificateID(certificate, issuerKey: root.key.publicKey, hashAlgorithm: .sha256)],
        nonce: [1, 2, 3]
      ).encoded)
    let asked = try #require(request.certificates.first)
    #expect(asked.isIssued(by: root.certificate.subject, key: root.key.publicKey))
    func answer(
      _ status: OCSPResponse.CertificateStatus, _ signer: Certificate, _ key: FileKey,
      until: Timestamp? = nil
    ) throws -> RevocationEvidence {
      let response = try OCSPResponse.issue(
        [
          .init(
            certificate: asked, status: status, thisUpdate: day(-0.1), nextUpdate: until ?? day(1))
        ],
        producedAt: day(-0.1), nonce: request.nonce, responder: signer, key: key)
      #expect(response.nonce == [1, 2, 3])
      return RevocationEvidence(ocsp: [try OCSPResponse(derEncoded: response.encoded)])
    }
    #expect(outcome(certificate, try answer(.good, responder, responderKey)) == nil)
    #expect(outcome(certificate, try answer(.good, root.certificate, root.key)) == nil)
    #expect(
      outcome(
        certificate, try answer(.revoked(at: day(-2), reason: .superseded), responder, responderKey)
      )
        == .revoked(at: day(-2), .superseded))
    #expect(
      outcome(certificate, try answer(.good, impostor, impostorKey))
        == .revocationUnknown(.issuerNotAuthorised))
    #expect(
      outcome(certificate, try answer(.good, responder, responderKey, until: day(-0.05)))
        == .revocationUnknown(.outOfDate))
    #expect(
      outcome(certificate, try answer(.unknown, responder, responderKey))
        == .revocationUnknown(.noInformation))
    #expect(throws: OCSPResponse.Failure.self) {
      try OCSPResponse(derEncoded: OCSPResponse.failure(.tryLater))
    }
  }

  @Test(
    "openssl agrees with certificates, CRLs and OCSP made here", .enabled(if: OpenSSL.isPresent))
  func openssl() throws {
    let kinds: [FileKey.Kind] = [.p256, .p384, .p521, .ed25519, .rsa(bits: 2048)]
    for kind in kinds {
      let root = try TestAuthority(kind: kind)
      let middle = try TestAuthority("Sub", kind: kind, below: root)
      let (leaf, leafKey) = try middle.issue("leaf", purpose: OID.emailProtection) {
        $0.subjectAlternativeNames = [.dNSName("seal.example"), .iPAddress([192, 0, 2, 1])]
        $0.policies = [
          PolicyInformation([2, 999, 1], practiceStatements: ["https://cps.example/"])
        ]
        $0.crlDistributionPoints = [DistributionPoint(uri: "http://crl.example/1.crl")]
        $0.ocspLocations = ["http://ocsp.example/"]
      }
      _ = leafKey
      try withFolder { folder in
        try folder.put("root.pem", root.certificate.pem.utf8)
        try folder.put("sub.pem", middle.certificate.pem.utf8)
        try folder.put("leaf.pem", leaf.pem.utf8)
        let crls = try [(root, leaf), (middle, leaf)].map { authority, _ in
          try RevocationListTemplate(
            number: 7, thisUpdate: day(-1), nextUpdate: day(600),
            entries: [
              .init(
                serialNumber: [5], revokedAt: day(-2), reason: .keyCompromise, invalidSince: day(-9)
              )
            ]
          ).issue(issuer: authority.certificate, key: authority.key)
        }
        try folder.put("crls.pem", crls.map(\.pem).joined().utf8)
        let time = "\(TestAuthority.now.seconds)"
        let verified = try OpenSSL.run(
          "verify", "-x509_strict", "-crl_check_all", "-CRLfile", "crls.pem", "-attime", time,
          "-CAfile", "root.pem", "-untrusted", "sub.pem", "leaf.pem", in: folder)
        #expect(verified.output.contains("leaf.pem: OK"), "\(verified.output)")
        let response = try OCSPResponse.issue(
          [
            .init(
              certificate: .init(leaf, issuerKey: middle.key.publicKey), status: .good,
              thisUpdate: day(-1), nextUpdate: day(600))
          ], producedAt: day(-1), nonce: nil, responder: middle.certificate, key: middle.key)
        try folder.put("r.der", response.encoded)
        let answered = try OpenSSL.run(
          "ocsp", "-respin", "r.der", "-issuer", "sub.pem", "-cert", "leaf.pem", "-CAfile",
          "root.pem", "-verify_other", "sub.pem", "-attime", time, in: folder)
        #expect(answered.output.contains("Response verify OK"), "\(answered.output)")
        #expect(answered.output.contains("leaf.pem: good"), "\(answered.output)")
        try OpenSSL.run(
          "ocsp", "-issuer", "sub.pem", "-cert", "leaf.pem", "-reqout", "q.der", in: folder)
        let asked = try OCSPRequest(derEncoded: folder.get("q.der"))
        #expect(
          asked.certificates == [OCSPCertificateID(leaf, issuerKey: middle.key.publicKey)])
        #expect(asked.nonce?.count == 16)
      }
    }
  }

  @Test("requests go to openssl and come from it", .enabled(if: OpenSSL.isPresent))
  func requests() throws {
    try withFolder { folder in
      for kind: FileKey.Kind in [.p256, .ed25519, .rsa(bits: 2048)] {
        let key = try FileKey.generate(kind)
        let made = try CertificateRequest(
          subject: TestAuthority.name("unit"), key: key, alternativeNames: [.dNSName("a.example")])
        try folder.put("r.pem", made.pem.utf8)
        let checked = try OpenSSL.run(
          "req", "-in", "r.pem", "-verify", "-noout", "-text", in: folder)
        #expect(checked.output.contains("DNS:a.example"), "\(checked.output)")
        #expect(checked.output.contains("verify OK"), "\(checked.output)")
        try folder.put("k.pem", key.pem(passphrase: nil).utf8)
        try OpenSSL.run(
          "req", "-new", "-key", "k.pem", "-subj", "/C=JP/O=Org/CN=x", "-addext",
          "subjectAltName=DNS:b.example", "-out", "q.pem", in: folder)
        let read = try CertificateRequest(
          pemEncoded: String(decoding: try folder.get("q.pem"), as: UTF8.self))
        #expect(
          read.subject
            == DistinguishedName([(.country, "jp"), (.organization, "ORG"), (.commonName, " x ")]))
        #expect(read.publicKey == key.publicKey)
        #expect(read.requestedExtensions.subjectAlternativeNames == [.dNSName("b.example")])
        var forged = read.encoded
        forged[forged.count - 1] ^= 1
        #expect(throws: MalformedStructure.self) { try CertificateRequest(derEncoded: forged) }
      }
    }
  }

  @Test("a pool made to be walked forever ends in an error")
  func maze() throws {
    let name = TestAuthority.name("maze")
    let key = try FileKey.generate(.ed25519)
    let certificates = try (0..<60).map { _ in
      var template = CertificateTemplate(
        subject: name, publicKey: key.publicKey, notBefore: TestAuthority.start,
        notAfter: TestAuthority.end)
      template.basicConstraints = BasicConstraints(isCA: true)
      return try template.issue(key: key)
    }
    let validator = CertificateValidator(
      anchors: [try root.anchor()], pool: CertificatePool(certificates))
    let started = ContinuousClock.now
    let outcome = validator.outcome(
      of: certificates[0], PathParameters(moment: TestAuthority.now))
    guard case .failure = outcome else {
      Issue.record("accepted")
      return
    }
    #expect(ContinuousClock.now - started < .seconds(20))
    // The same name is an anchor, and every list of the maze's is signed rightly: still bounded.
    let trusting = CertificateValidator(
      anchors: [TrustAnchor(name: name, publicKey: root.key.publicKey)],
      pool: CertificatePool(certificates))
    _ = trusting.outcome(of: certificates[0], PathParameters(moment: TestAuthority.now))
    #expect(ContinuousClock.now - started < .seconds(40))
  }
}
