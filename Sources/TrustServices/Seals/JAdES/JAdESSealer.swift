public import NetworkTypes

/// Makes JAdES seals (TS 119 182-1) for JSON and anything else, and extends anybody's.
public struct JAdESSealer: Sendable {
  public var identity: SealingIdentity
  /// Needed from B-T on.
  public var timeStamps: (any TimeStampSource)?
  /// Asked from B-LT on.
  public var revocation: (any RevocationInformationSource)?
  /// Certificates that may be above the signer's and the time-stamp units'.
  public var certificates: [Certificate] = []
  /// Certificates that a relying party trusts as they are.
  public var anchors: [Certificate] = []

  /// A sealer for one identity.
  public init(
    identity: SealingIdentity, timeStamps: (any TimeStampSource)? = nil,
    revocation: (any RevocationInformationSource)? = nil
  ) {
    self.identity = identity
    self.timeStamps = timeStamps
    self.revocation = revocation
  }

  /// Seals octets, which become the payload.
  ///
  /// From B-T on a compact seal is written flattened, because only JSON has room for time stamps.
  public func seal(
    _ payload: [UInt8], contentType: String? = nil, level: SealLevel = .basic,
    serialization: JSONWebSignature.Serialization = .flattened, at moment: Timestamp
  ) async throws -> JSONWebSignature {
    var header = try header(at: moment)
    if let contentType { header["cty"] = .string(contentType) }
    let text = Base64URL.encode(payload)
    let signer = try sign(header, signed: text)
    let seal = JSONWebSignature(
      serialization: serialization, payloadText: text, signers: [signer])
    return try await extend(seal, to: level)
  }

  /// Seals files that are kept apart, by their digests (sigD, ObjectIdByURIHash); of each the digest
  /// of ``SealingIdentity/contentHash`` has to be known.
  public func seal(
    detached contents: [NamedContent], level: SealLevel = .basic,
    serialization: JSONWebSignature.Serialization = .flattened, at moment: Timestamp
  ) async throws -> JSONWebSignature {
    guard !contents.isEmpty else { throw SealError.contentNeeded }
    let hash = identity.contentHash
    let digests = try contents.map { named in
      guard let digest = named.content.digest(hash) else { throw SealError.digestNeeded(hash) }
      return JSONValue.string(Base64URL.text(digest))
    }
    var header = try header(at: moment)
    // With b64 false the digests are those of the files as they stand (5.2.8.3.3), which any tool
    // can recompute.
    header["b64"] = .bool(false)
    header["crit"] = .array([.string("b64"), .string("sigD")])
    header["sigD"] = .object(
      JSONObject([
        ("mId", .string(DetachedObjects.byURIHash)),
        ("pars", .array(contents.map { .string(DetachedObjects.encode($0.name)) })),
        ("hashM", .string(JSONWebAlgorithm.name(of: hash))),
        ("hashV", .array(digests)),
      ]))
    let signer = try sign(header, signed: [])
    let seal = JSONWebSignature(
      serialization: serialization, payloadText: nil, signers: [signer])
    return try await extend(seal, to: level, contents: contents)
  }

  private func header(at moment: Timestamp) throws -> JSONObject {
    try identity.check(at: moment)
    guard
      let algorithm = JSONWebAlgorithm.name(
        of: identity.algorithm, key: identity.key.publicKey.kind)
    else { throw SealError.unsupported("\(identity.algorithm) in JSON") }
    let chain = [identity.certificate] + identity.chain
    return JSONObject([
      ("alg", .string(algorithm)), ("typ", .string("jose+json")),
      ("iat", .number("\(moment.seconds)")),
      ("x5t#S256", .string(Base64URL.text(identity.certificate.fingerprint()))),
      ("x5c", .array(chain.map { .string(UnsignedProperties.base64($0.encoded)) })),
    ])
  }

  private func sign(_ header: JSONObject, signed payloadText: [UInt8]) throws
    -> JSONWebSignature.Signer
  {
    let protected = Base64URL.encode(JSONValue.object(header).encoded)
    let made = try identity.key.signature(
      for: protected + [UInt8(ascii: ".")] + payloadText, algorithm: identity.algorithm)
    let signature = try JSONWebAlgorithm.rawSignature(made, identity.algorithm)
    return JSONWebSignature.Signer(
      protectedText: protected, protected: header, unprotected: nil,
      signatureText: Base64URL.encode(signature), signature: signature)
  }

  /// Brings every signature to a level; at B-LTA one more archive time stamp is added.
  ///
  /// `contents` are what detached signatures are about, needed for B-LTA.
  public func extend(
    _ seal: JSONWebSignature, to level: SealLevel, contents: [NamedContent] = []
  ) async throws -> JSONWebSignature {
    try await JAdESExtension(
      timeStamps: timeStamps, revocation: revocation,
      certificates: certificates + identity.chain, anchors: anchors
    ).extend(seal, to: level, contents: contents)
  }
}
