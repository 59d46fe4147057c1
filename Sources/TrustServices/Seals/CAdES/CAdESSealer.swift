public import NetworkTypes
public import SwiftASN1

/// Makes CAdES seals (EN 319 122-1) and extends anybody's to a higher level.
///
/// ```swift
/// let sealer = CAdESSealer(identity: identity, timeStamps: source, revocation: known)
/// let seal = try await sealer.seal(content, level: .longTerm, isDetached: true, at: now)
/// try write(seal.encoded)
/// ```
public struct CAdESSealer: Sendable {
  public var identity: SealingIdentity
  /// Needed from B-T on.
  public var timeStamps: (any TimeStampSource)?
  /// Asked from B-LT on.
  public var revocation: (any RevocationInformationSource)?
  /// Certificates that may be above the signer's and the time-stamp units'.
  public var certificates: [Certificate] = []
  /// Certificates for which nobody need answer, because a relying party trusts them as they are.
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

  /// Seals content at a level; `moment` is the claimed signing time, by the caller's clock.
  ///
  /// Attached needs the octets; detached is content with digests of ``SealingIdentity/contentHash``
  /// and, for B-LTA, of the time stamp's hash.
  public func seal(
    _ content: ContentDigests, level: SealLevel = .basic, isDetached: Bool, at moment: Timestamp
  ) async throws -> SignedData {
    let basic = try sign(
      content, type: OID.data, isDetached: isDetached, claiming: moment, at: moment)
    return try await extend(basic, to: level, content: content, anchors: anchors)
  }

  /// A detached B-B signature as PAdES wants it: no signing-time attribute unless `claiming`.
  public func sign(
    _ content: ContentDigests, type: ASN1ObjectIdentifier = OID.data, isDetached: Bool = true,
    claiming claimed: Timestamp? = nil, at moment: Timestamp,
    otherSignedAttributes: [CMSAttribute] = []
  ) throws -> SignedData {
    try identity.check(at: moment)
    var template = SignerTemplate(certificate: identity.certificate, key: identity.key)
    template.algorithm = identity.algorithm
    template.signingTime = claimed
    template.otherSignedAttributes = otherSignedAttributes
    let signed: SignedContent
    if isDetached {
      guard let digest = content.digest(identity.contentHash) else {
        throw SealError.digestNeeded(identity.contentHash)
      }
      signed = .digest(identity.contentHash, digest)
    } else {
      guard let octets = content.octets else { throw SealError.contentNeeded }
      signed = .bytes(octets)
    }
    return try SignedData.sign(
      signed, type: type, isDetached: isDetached, signers: [template],
      certificates: identity.chain)
  }

  /// Brings every signature of a message to a level; levels it has already are kept, and at B-LTA
  /// one more archive time stamp is added.
  ///
  /// It serves signatures that others made too. `content` is needed for B-LTA where detached.
  public func extend(
    _ message: SignedData, to level: SealLevel, content: ContentDigests? = nil,
    anchors: [Certificate] = []
  ) async throws -> SignedData {
    try await CAdESExtension(
      timeStamps: timeStamps, revocation: revocation,
      certificates: certificates + identity.chain, anchors: anchors
    ).extend(message, to: level, content: content)
  }
}
