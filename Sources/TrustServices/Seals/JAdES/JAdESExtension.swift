/// Extends JAdES signatures, anybody's, to a higher level (TS 119 182-1 6).
public struct JAdESExtension: Sendable {
  private let timeStamps: (any TimeStampSource)?
  private let revocation: (any RevocationInformationSource)?
  private let certificates: [Certificate]
  private let anchors: [Certificate]

  /// An extension with its sources; `certificates` help to build chains, `anchors` end them.
  public init(
    timeStamps: (any TimeStampSource)?, revocation: (any RevocationInformationSource)? = nil,
    certificates: [Certificate] = [], anchors: [Certificate] = []
  ) {
    self.timeStamps = timeStamps
    self.revocation = revocation
    self.certificates = certificates
    self.anchors = anchors
  }

  /// Brings every signature to a level; at B-LTA one more archive time stamp is added.
  ///
  /// `contents` are what detached signatures are about, needed for B-LTA.
  public func extend(
    _ seal: JSONWebSignature, to level: SealLevel, contents: [NamedContent] = []
  ) async throws -> JSONWebSignature {
    guard level >= .timeStamped else { return seal }
    guard let timeStamps else { throw SealError.timeStampSourceNeeded(level) }
    var signers = seal.signers
    for index in signers.indices {
      var header = signers[index].unprotected ?? JSONObject()
      var properties = try UnsignedProperties(header)
      guard properties.isEncoded else {
        throw SealError.cannotRead("its etsiU is in clear, which cannot be archived. Seal again.")
      }
      if !properties.contains("sigTst") {
        properties.append(
          "sigTst",
          UnsignedProperties.stamp(
            try await timeStamps.timeStamp(
              MessageImprint(
                timeStamps.preferredHash,
                of: JAdESTimeStamps.signatureInput(signers[index])))))
      }
      if level >= .longTerm { try await addMaterial(signers[index], &properties) }
      if level >= .archive {
        let hash = timeStamps.preferredHash
        let tail = JAdESTimeStamps.archiveTail(signers[index], properties.properties[...])
        guard
          let digest = DetachedObjects.archiveDigest(
            hash, payloadText: seal.payloadText, signer: signers[index], contents: contents,
            tail: tail)
        else { throw SealError.contentNeeded }
        properties.append(
          "arcTst",
          UnsignedProperties.stamp(
            try await timeStamps.timeStamp(MessageImprint(hash, digest: digest))))
      }
      header["etsiU"] = properties.encoded
      signers[index].unprotected = header
    }
    return JSONWebSignature(
      serialization: seal.serialization == .compact ? .flattened : seal.serialization,
      payloadText: seal.payloadText, signers: signers)
  }

  private func addMaterial(
    _ signer: JSONWebSignature.Signer, _ properties: inout UnsignedProperties
  ) async throws {
    let carried = try JAdESReader.certificates(signer.protected)
    guard let own = carried.first else {
      throw SealError.cannotRead("it does not hold its certificate (x5c). Supply it.")
    }
    var known = carried + certificates
    var present: [Certificate] = carried
    var crls: [CertificateRevocationList] = []
    var responses: [OCSPResponse] = []
    properties.collect(&present, &crls, &responses)
    known += present
    var wanted = [own]
    for property in properties.properties where ["sigTst", "arcTst"].contains(property.name) {
      for token in UnsignedProperties.tokens(property.value) {
        let token = try TimeStampToken(encoded: try token.get())
        known += token.signedData.certificates
        present += token.signedData.certificates
        wanted += token.signedData.certificates.filter { token.signer.identifier.matches($0) }
      }
    }
    let found = try await ValidationMaterial(
      source: revocation, certificates: known, anchors: anchors
    ).collect(for: wanted, known: known)
    let held = Set(present)
    let new = found.certificates.filter { !held.contains($0) }
    let old = Set(crls.map(\.encoded) + responses.map(\.encoded))
    let fresh = found.revocation.filter { !old.contains($0.encoded) }
    // What is added after an archive time stamp belongs to that (tstVD, 5.3.7).
    if properties.contains("arcTst") {
      var object = JSONObject()
      if !new.isEmpty { object["xVals"] = UnsignedProperties.certificateValues(new) }
      if !fresh.isEmpty { object["rVals"] = UnsignedProperties.revocationValues(fresh) }
      if !object.members.isEmpty { properties.append("tstVD", .object(object)) }
      return
    }
    if !new.isEmpty { properties.append("xVals", UnsignedProperties.certificateValues(new)) }
    if !fresh.isEmpty { properties.append("rVals", UnsignedProperties.revocationValues(fresh)) }
  }
}
