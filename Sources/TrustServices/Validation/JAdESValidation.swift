import FoundationEssentials
import NetworkTypes

extension SealValidator {
  /// Validates a JWS or JAdES signature in any serialisation.
  public func validate(jws bytes: [UInt8], contents: [NamedContent] = []) -> ValidationReport {
    let message: JSONWebSignature
    do { message = try JSONWebSignature(encoded: bytes) } catch {
      return ValidationReport(format: .jades, checkedAt: moment, unreadable: "\(error)")
    }
    let signatures = message.signers.prefix(parameters.maximumSignatures + 1).map {
      JAdESReader(message: message, signer: $0, contents: contents, others: certificates).read()
    }
    return report(on: Array(signatures), format: .jades)
  }
}

/// Turns one signature of a JWS into a ``SignatureUnderTest``.
struct JAdESReader {
  let message: JSONWebSignature
  let signer: JSONWebSignature.Signer
  let contents: [NamedContent]
  let others: [Certificate]

  /// Header parameters that may be critical and are understood here.
  private static let understood: Set<String> = [
    "b64", "sigT", "sigX5ts", "sigD", "sigPId", "sigPl", "srCms", "srAts", "adoTst", "x5t#o",
  ]
  /// Parameters of RFC 7515 and RFC 7518, which must not be listed as critical.
  private static let registered: Set<String> = [
    "alg", "jku", "jwk", "kid", "x5u", "x5c", "x5t", "x5t#S256", "typ", "cty", "crit",
  ]

  func read() -> SignatureUnderTest {
    let properties: UnsignedProperties
    let carried: [Certificate]
    do {
      properties = try UnsignedProperties(signer.unprotected)
      carried = try Self.certificates(signer.protected)
    } catch {
      return SignatureUnderTest(
        outcome: .refused(.failed(.formatFailure, "\(error)"), nil), level: .basic)
    }
    var certificates = carried
    var crls: [CertificateRevocationList] = []
    var responses: [OCSPResponse] = []
    properties.collect(&certificates, &crls, &responses)

    let (outcome, covers) = verify(certificates)
    let level: SealLevel =
      properties.contains("arcTst")
      ? .archive
      : properties.contains("sigTst")
        ? (properties.contains("rVals") ? .longTerm : .timeStamped) : .basic
    var signature = SignatureUnderTest(outcome: outcome, level: level)
    signature.covers = covers
    signature.certificates = certificates
    signature.crls = crls
    signature.ocspResponses = responses
    signature.claimedTime = claimedTime
    addTimeStamps(properties, outcome, to: &signature)
    if signer.protected["sigPId"] != nil {
      signature.notes.append("The signature names a signature policy, which is not evaluated here.")
    }
    if properties.contains("cSig") {
      signature.notes.append("Counter-signatures (cSig) are in it, which are not evaluated here.")
    }
    return signature
  }

  private var claimedTime: Timestamp? {
    if case .number(let text) = signer.protected["iat"], let seconds = Int64(text) {
      return Timestamp(seconds: seconds)
    }
    return signer.protected["sigT"]?.text.flatMap { Timestamp($0) }
  }

  /// x5c: standard base64, the signer's own first.
  static func certificates(_ header: JSONObject) throws(MalformedStructure) -> [Certificate] {
    guard let value = header["x5c"] else { return [] }
    guard let elements = value.elements, !elements.isEmpty else {
      throw MalformedStructure("JAdES", "x5c", "not a list of certificates")
    }
    var list: [Certificate] = []
    for element in elements {
      guard let octets = element.text.flatMap(UnsignedProperties.base64),
        let certificate = try? Certificate(derEncoded: octets)
      else { throw MalformedStructure("JAdES", "x5c", "an element that is not a certificate") }
      list.append(certificate)
    }
    return list
  }

  private func verify(_ carried: [Certificate]) -> (
    SignatureUnderTest.Outcome, [CoveredContent]
  ) {
    do throws(MalformedStructure) { try checkHeader() } catch {
      return (.refused(.failed(.formatFailure, "\(error)"), carried.first), [])
    }
    guard let name = signer.protected["alg"]?.text,
      let algorithm = JSONWebAlgorithm.algorithm(name)
    else {
      return (
        .refused(
          .indeterminate(
            .cryptoConstraintsFailure, "`alg` is missing or not known here. Ask for another."),
          carried.first), []
      )
    }
    if let unknown = unknownCritical {
      return (
        .refused(
          .indeterminate(
            .sigConstraintsFailure,
            "The header parameter \(unknown) is critical and not known here. Ask the signer."),
          carried.first), []
      )
    }
    let certificate: Certificate
    do throws(MalformedStructure) {
      guard let found = try signingCertificate(carried) else {
        return (
          .refused(
            .indeterminate(
              .noSigningCertificateFound,
              "The certificate that the signature refers to is not at hand. Supply it."),
            carried.first), []
        )
      }
      certificate = found
    } catch { return (.refused(.failed(.formatFailure, "\(error)"), carried.first), []) }

    let (payload, covers) = payload(algorithm)
    guard case .success(let text) = payload else {
      if case .failure(let problem) = payload {
        return (.refused(problem.conclusion, certificate), covers)
      }
      return (.refused(Conclusion(CMSError.badSignature), certificate), covers)
    }
    guard let key = certificate.publicKey else {
      return (.refused(Conclusion(CMSError.unsupportedKey), certificate), covers)
    }
    // ES256 belongs to P-256 alone (RFC 7518 3.4).
    let fits: Bool =
      switch (algorithm, key.kind) {
      case (.ecdsa(.sha256), .p256), (.ecdsa(.sha384), .p384), (.ecdsa(.sha512), .p521): true
      case (.ecdsa, _): false
      default: true
      }
    guard fits, let signature = JSONWebAlgorithm.derSignature(signer.signature, algorithm),
      key.isValidSignature(signature, for: signer.signingInput(text), algorithm: algorithm)
    else { return (.refused(Conclusion(CMSError.badSignature), certificate), covers) }
    return (
      .verified(
        SignatureFacts(
          certificate: certificate, algorithm: algorithm, contentHash: algorithm.hash,
          fixesCertificate: isCertificateFixed)), covers
    )
  }

  // MARK: header

  private func checkHeader() throws(MalformedStructure) {
    let header = signer.protected
    if header["b64"] != nil {
      guard case .bool = header["b64"] else {
        throw MalformedStructure("JWS", "b64", "neither true nor false")
      }
    }
    let critical = header["crit"]
    if let critical {
      guard let elements = critical.elements, !elements.isEmpty else {
        throw MalformedStructure("JWS", "crit", "not a list, or empty")
      }
      let names = elements.compactMap(\.text)
      guard names.count == elements.count, Set(names).count == names.count else {
        throw MalformedStructure("JWS", "crit", "names that are no strings, or doubled")
      }
      for name in names {
        guard header[name] != nil else {
          throw MalformedStructure("JWS", "crit", "\(name) is not in the header")
        }
        guard !Self.registered.contains(name) else {
          throw MalformedStructure("JWS", "crit", "\(name) belongs to the standard itself")
        }
      }
    }
    if header["b64"] == .bool(false) {
      // RFC 7797 6: else a verifier that does not know it would read another payload.
      guard critical?.elements?.contains(.string("b64")) == true else {
        throw MalformedStructure("JWS", "b64", "not listed in crit")
      }
    }
  }

  private var unknownCritical: String? {
    signer.protected["crit"]?.elements?.compactMap(\.text).first { !Self.understood.contains($0) }
  }

  private var isCertificateFixed: Bool {
    ["x5t#S256", "x5t#o", "sigX5ts", "x5c", "x5t"].contains { signer.protected[$0] != nil }
  }

  /// The certificate that every reference in the header agrees with.
  private func signingCertificate(_ carried: [Certificate]) throws(MalformedStructure)
    -> Certificate?
  {
    var references: [(HashAlgorithm, [UInt8])] = []
    func add(_ field: String, _ hash: HashAlgorithm?, _ value: JSONValue?)
      throws(MalformedStructure)
    {
      guard let hash, let digest = value?.text.flatMap({ Base64URL.decode($0.utf8) }) else {
        throw MalformedStructure("JAdES", field, "not a digest by a known hash")
      }
      references.append((hash, digest))
    }
    if let value = signer.protected["x5t#S256"] { try add("x5t#S256", .sha256, value) }
    if let value = signer.protected["x5t"] { try add("x5t", .sha1, value) }
    if let value = signer.protected["x5t#o"] {
      try add(
        "x5t#o", value.object?["digAlg"]?.text.flatMap(JSONWebAlgorithm.hash),
        value.object?["digVal"])
    }
    if let value = signer.protected["sigX5ts"] {
      // The first is the signer's own (5.2.2.3).
      guard let first = value.elements?.first else {
        throw MalformedStructure("JAdES", "sigX5ts", "not a list")
      }
      try add(
        "sigX5ts", first.object?["digAlg"]?.text.flatMap(JSONWebAlgorithm.hash),
        first.object?["digVal"])
    }
    let stated = signer.protected["x5c"] != nil ? Array(carried.prefix(1)) : carried + others
    if references.isEmpty {
      return signer.protected["x5c"] != nil ? stated.first : nil
    }
    return stated.first { certificate in
      references.allSatisfy { certificate.fingerprint($0.0) == $0.1 }
    }
  }

  // MARK: payload

  private struct Problem: Error {
    let conclusion: Conclusion
  }

  private func payload(_ algorithm: SignatureAlgorithm) -> (
    Result<[UInt8], Problem>, [CoveredContent]
  ) {
    if let value = signer.protected["sigD"] {
      guard message.payloadText == nil else {
        let error = MalformedStructure("JAdES", "sigD", "beside a payload")
        return (.failure(Problem(conclusion: .failed(.formatFailure, "\(error)"))), [])
      }
      do throws(MalformedStructure) { return detached(try DetachedObjects(value)) } catch {
        return (.failure(Problem(conclusion: .failed(.formatFailure, "\(error)"))), [])
      }
    }
    let hash = HashAlgorithm.sha256
    if let text = message.payloadText {
      let octets = signer.isPayloadEncoded ? Base64URL.decode(text) ?? [] : text
      return (
        .success(text),
        [
          CoveredContent(
            name: nil, digestAlgorithm: hash.rawValue, digest: Hexadecimal.text(hash.hash(octets)),
            isEnclosed: true, isIntact: true)
        ]
      )
    }
    guard contents.count == 1, let octets = contents[0].content.octets else {
      return (
        .failure(Problem(conclusion: Conclusion(CMSError.contentMissing))),
        [
          CoveredContent(
            name: nil, digestAlgorithm: nil, digest: nil, isEnclosed: false, isIntact: false)
        ]
      )
    }
    return (
      .success(signer.isPayloadEncoded ? Base64URL.encode(octets) : octets),
      [
        CoveredContent(
          name: contents[0].name, digestAlgorithm: hash.rawValue,
          digest: Hexadecimal.text(hash.hash(octets)), isEnclosed: false, isIntact: true)
      ]
    )
  }

  private func detached(_ objects: DetachedObjects) -> (Result<[UInt8], Problem>, [CoveredContent])
  {
    let isOnly = objects.names.count == 1
    switch objects.mechanism {
    case DetachedObjects.byURIHash:
      var conclusion: Conclusion?
      var covers: [CoveredContent] = []
      for (name, digest) in zip(objects.names, objects.digests) {
        let content = DetachedObjects.find(name, in: contents, only: isOnly)
        let found = objects.hash.flatMap { hash -> [UInt8]? in
          guard signer.isPayloadEncoded else { return content?.digest(hash) }
          return content?.octets.map { hash.hash(Base64URL.encode($0)) }
        }
        let isIntact = found == digest
        if found == nil {
          conclusion =
            conclusion
            ?? .indeterminate(
              .signedDataNotFound, "\(name) is not at hand. Give the file that the seal is about.")
        } else if !isIntact {
          conclusion = .failed(
            .hashFailure, "\(name) is not what was signed. Check that it is the right file.")
        }
        covers.append(
          CoveredContent(
            name: DetachedObjects.decode(name) ?? name, digestAlgorithm: objects.hash?.rawValue,
            digest: Hexadecimal.text(digest), isEnclosed: false, isIntact: isIntact))
      }
      if let conclusion { return (.failure(Problem(conclusion: conclusion)), covers) }
      return (.success([]), covers)
    case DetachedObjects.byURI:
      let covers = objects.names.map { name in
        CoveredContent(
          name: DetachedObjects.decode(name) ?? name, digestAlgorithm: nil, digest: nil,
          isEnclosed: false,
          isIntact: DetachedObjects.find(name, in: contents, only: isOnly) != nil)
      }
      guard let text = objects.joined(contents, isEncoded: signer.isPayloadEncoded) else {
        return (.failure(Problem(conclusion: Conclusion(CMSError.contentMissing))), covers)
      }
      return (.success(text), covers)
    default:
      return (
        .failure(
          Problem(
            conclusion: .indeterminate(
              .signedDataNotFound, "The objects are named by \(objects.mechanism), unknown here."))),
        []
      )
    }
  }
}
