/// Extends the signatures of a PDF document, anybody's, to a higher level (EN 319 142-1 6.3): document
/// time stamps and a document security store in further updates.
public struct PAdESExtension: Sendable {
  private let timeStamps: (any TimeStampSource)?
  private let material: ValidationMaterial
  private let limits: PDFLimits

  /// An extension with its sources; `certificates` help to build chains, `anchors` end them.
  public init(
    timeStamps: (any TimeStampSource)?, revocation: (any RevocationInformationSource)? = nil,
    certificates: [Certificate] = [], anchors: [Certificate] = [], limits: PDFLimits = PDFLimits()
  ) {
    self.timeStamps = timeStamps
    self.limits = limits
    material = ValidationMaterial(
      source: revocation, certificates: certificates, anchors: anchors)
  }

  /// Brings every signature to `level`; at B-LTA one more document time stamp is added.
  ///
  /// A signature without a time stamp of its own gets a document time stamp, because its Contents
  /// cannot be changed any more.
  public func extend(_ pdf: [UInt8], to level: SealLevel) async throws -> [UInt8] {
    guard level >= .timeStamped else { return pdf }
    guard let timeStamps else { throw SealError.timeStampSourceNeeded(level) }
    var pdf = pdf
    if try Self.hasUnstamped(PDFDocument(pdf, limits: limits)), level < .archive {
      pdf = try await stamp(pdf, timeStamps)
    }
    guard level >= .longTerm else { return pdf }
    pdf = try await addMaterial(pdf)
    guard level >= .archive else { return pdf }
    return try await stamp(pdf, timeStamps)
  }

  /// Whether any signature has neither a time stamp of its own nor a document time stamp after it.
  private static func hasUnstamped(_ document: PDFDocument) throws -> Bool {
    let signatures = try PDFSignature.all(document, PDFForm(document))
    guard signatures.contains(where: { !$0.isDocumentTimeStamp }) else {
      throw SealError.cannotRead("there is no signature in the document. Seal it first.")
    }
    let last = signatures.filter(\.isDocumentTimeStamp).map(\.claimedEnd).max() ?? 0
    return signatures.contains { signature in
      guard !signature.isDocumentTimeStamp, signature.claimedEnd > last else { return false }
      let message = try? SignedData(padded: signature.contents)
      return message?.signers.allSatisfy {
        $0.unsignedAttributes(CAdESIdentifiers.signatureTimeStamp).isEmpty
      } ?? true
    }
  }

  private func stamp(_ pdf: [UInt8], _ source: any TimeStampSource) async throws -> [UInt8] {
    let hash = source.preferredHash
    let writer = PDFSignatureWriter(
      document: try PDFDocument(pdf, limits: limits),
      entries: [
        "Type": .name("DocTimeStamp"), "Filter": .name("Adobe.PPKLite"),
        "SubFilter": .name("ETSI.RFC3161"),
      ], fieldPrefix: "TimeStamp")
    return try await writer.write(room: 8192, hashes: [hash]) { content in
      guard let digest = content.digest(hash) else { throw SealError.digestNeeded(hash) }
      return try await source.timeStamp(MessageImprint(hash, digest: digest)).encoded
    }
  }

  /// Chains and revocation data of every signature and time stamp.
  private func addMaterial(_ pdf: [UInt8]) async throws -> [UInt8] {
    var wanted: [Certificate] = []
    let document = try PDFDocument(pdf, limits: limits)
    let signatures = try PDFSignature.all(document, PDFForm(document))
    var known = try DocumentSecurityStore(document).readable.certificates
    func want(_ signer: SignerInfo, _ message: SignedData, _ who: String) throws {
      known += message.certificates
      guard let own = known.first(where: { signer.identifier.matches($0) }) else {
        throw SealError.cannotRead("the certificate of \(who) is not in it. Supply it.")
      }
      wanted.append(own)
    }
    for signature in signatures {
      let message = try SignedData(padded: signature.contents)
      for signer in message.signers {
        try want(signer, message, signature.fieldName)
        for token in try signer.timeStampTokens() {
          try want(token.signer, token.signedData, "the time stamp of \(signature.fieldName)")
        }
      }
    }
    let found = try await material.collect(for: wanted, known: known)
    return try DocumentSecurityStore.add(
      found, for: signatures, to: PDFDocument(pdf, limits: limits))
  }
}
