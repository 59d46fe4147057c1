public import NetworkTypes

/// Makes PAdES seals (EN 319 142-1): PDF documents with the seal inside, added as an incremental
/// update so that every octet of the original stays.
///
/// ```swift
/// let sealer = PAdESSealer(identity: identity, timeStamps: source, revocation: known)
/// let sealed = try await sealer.seal(pdf, level: .archive, at: now)
/// ```
public struct PAdESSealer: Sendable {
  public var identity: SealingIdentity
  /// Needed from B-T on.
  public var timeStamps: (any TimeStampSource)?
  /// Asked from B-LT on.
  public var revocation: (any RevocationInformationSource)?
  /// Certificates that may be above the signer's and the time-stamp units'.
  public var certificates: [Certificate] = []
  /// Certificates for which nobody need answer, because a relying party trusts them as they are.
  public var anchors: [Certificate] = []
  public var limits = PDFLimits()

  /// A sealer for one identity.
  public init(
    identity: SealingIdentity, timeStamps: (any TimeStampSource)? = nil,
    revocation: (any RevocationInformationSource)? = nil
  ) {
    self.identity = identity
    self.timeStamps = timeStamps
    self.revocation = revocation
  }

  /// What a seal says and shows besides.
  public struct Description: Hashable, Sendable {
    /// The new form field's name; `Seal` and a number where nil.
    public var fieldName: String?
    public var reason: String?
    public var location: String?
    /// nil for a seal that is not seen on any page.
    public var appearance: SealAppearance?

    /// An invisible seal without a reason.
    public init() {}
  }

  /// Seals a document at a level; `moment` is the claimed time, by the caller's clock.
  ///
  /// Throws ``PDFError`` where the document cannot be read or permits no further signature, and
  /// ``SealError`` as the other sealers do.
  public func seal(
    _ pdf: [UInt8], level: SealLevel = .basic, description: Description = Description(),
    at moment: Timestamp
  ) async throws -> [UInt8] {
    guard level < .timeStamped || timeStamps != nil else {
      throw SealError.timeStampSourceNeeded(level)
    }
    let document = try PDFDocument(pdf, limits: limits)
    if try PDFCertification.permission(document) == 1 { throw PDFError.changesForbidden }
    let holder = SealHolder(identity.certificate)
    let name = holder.organisation ?? holder.commonName ?? holder.subject
    var entries: PDFDictionary = [
      "Type": .name("Sig"), "Filter": .name("Adobe.PPKLite"),
      "SubFilter": .name("ETSI.CAdES.detached"), "M": .string(PDFSignature.date(moment)),
      "Name": PDFObject.text(name),
    ]
    entries["Reason"] = description.reason.map { PDFObject.text($0) }
    entries["Location"] = description.location.map { PDFObject.text($0) }
    var writer = PDFSignatureWriter(
      document: document, entries: entries, fieldPrefix: "Seal",
      fieldName: description.fieldName)
    if let appearance = description.appearance {
      let lines = appearance.lines ?? [name, "e-Seal（eシール）", "\(moment)"]
      writer.appearance = (appearance, lines)
    }
    let cades = CAdESSealer(identity: identity, timeStamps: timeStamps)
    let signed = try await writer.write(
      room: estimatedSize(level), hashes: [identity.contentHash]
    ) { content in
      let basic = try cades.sign(content, at: moment)
      return try await cades.extend(basic, to: min(level, .timeStamped)).encoded
    }
    guard level >= .longTerm else { return signed }
    return try await PAdESExtension(
      timeStamps: timeStamps, revocation: revocation, certificates: certificates + identity.chain,
      anchors: anchors, limits: limits
    ).extend(signed, to: level)
  }

  /// Octets for the signature: the chain, attributes and a signature of the longest key, and where
  /// wanted a time stamp with its own chain. A guess that is too small costs one more signature.
  private func estimatedSize(_ level: SealLevel) -> Int {
    let chain = ([identity.certificate] + identity.chain).reduce(0) { $0 + $1.encoded.count }
    return chain + 2048 + (level >= .timeStamped ? 8192 : 0)
  }
}
