import NetworkTypes
import SwiftASN1

extension SealValidator {
  /// Validates a CMS or CAdES message, attached or with its content beside it.
  public func validate(cms bytes: [UInt8], content: ContentDigests? = nil, name: String? = nil)
    -> ValidationReport
  {
    let message: SignedData
    do { message = try SignedData(filed: bytes) } catch {
      return ValidationReport(format: .cades, checkedAt: moment, unreadable: "\(error)")
    }
    return report(
      on: signatures(in: message, content: content, name: name), format: .cades)
  }

  /// The signatures of a message, to be judged or to be completed by the format around them.
  ///
  /// A PDF's reader calls this with the digest of its byte range, and adds its coverage, its changes,
  /// its DSS and document time stamps.
  public func signatures(
    in message: SignedData, content: ContentDigests? = nil, name: String? = nil
  ) -> [SignatureUnderTest] {
    message.signers.prefix(parameters.maximumSignatures + 1).map {
      CAdESReader(message: message, content: content, name: name, certificates: certificates)
        .read($0)
    }
  }

  /// Validates a time stamp on its own, a token or a response that holds one.
  public func validate(
    timeStamp bytes: [UInt8], content: ContentDigests? = nil, name: String? = nil
  )
    -> ValidationReport
  {
    let token: TimeStampToken
    do {
      if let response = try? TimeStampResponse(encoded: bytes) {
        token = try response.granted()
      } else {
        token = try TimeStampToken(encoded: bytes)
      }
    } catch {
      return ValidationReport(format: .timeStamp, checkedAt: moment, unreadable: "\(error)")
    }
    return report(on: token, content: content, name: name)
  }

  private func report(on token: TimeStampToken, content: ContentDigests?, name: String?)
    -> ValidationReport
  {
    let unit = token.signedData.certificates.first { token.signer.identifier.matches($0) }
    var signature = SignatureUnderTest(
      outcome: .refused(.passed, unit), level: .timeStamped)
    signature.timeStamps = [
      TimeStampEvidence(.document, token: token, covers: [.signature]) { content?.digest($0) }
    ]
    let hash = token.info.imprint.hashAlgorithm
    let digest = hash.flatMap { content?.digest($0) }
    signature.covers = [
      CoveredContent(
        name: name, digestAlgorithm: hash?.rawValue,
        digest: Hexadecimal.text(token.info.imprint.digest),
        isEnclosed: false, isIntact: digest == token.info.imprint.digest)
    ]
    var report = report(on: [signature], format: .timeStamp)
    if let stamp = report.signatures.first?.timeStamps.first {
      report.signatures[0].conclusion = stamp.conclusion
      report.signatures[0].chain = stamp.chain
      if stamp.conclusion.isPassed { report.signatures[0].anchor = stamp.chain.first?.issuer }
      report.conclusion = stamp.conclusion
    }
    return report
  }
}

extension SignedData {
  /// Reads a message as files hold it: DER or BER, with zero octets or line ends behind it, or PEM.
  public init(filed bytes: [UInt8]) throws {
    if bytes.starts(with: Array("-----BEGIN ".utf8)) {
      let blocks = try PEMBlock.list(String(decoding: bytes, as: UTF8.self))
      guard let block = blocks.first(where: { ["CMS", "PKCS7"].contains($0.label) }) else {
        throw MalformedStructure(
          "PEM", "label", "\(blocks.first?.label ?? "nothing") instead of CMS or PKCS7")
      }
      try self.init(encoded: block.bytes)
      return
    }
    var end = bytes.count
    while end > 0, [0x0A, 0x0D, 0x20].contains(bytes[end - 1]) { end -= 1 }
    // A message may end with one of these by itself.
    if end < bytes.count, let message = try? SignedData(padded: Array(bytes[..<end])) {
      self = message
    } else {
      try self.init(padded: bytes)
    }
  }
}

/// Turns one signer of a message into a ``SignatureUnderTest``.
struct CAdESReader {
  let message: SignedData
  let content: ContentDigests?
  let name: String?
  let certificates: [Certificate]

  func read(_ signer: SignerInfo) -> SignatureUnderTest {
    var signature = SignatureUnderTest(outcome: verify(signer), level: level(of: signer))
    signature.claimedTime = signer.signingTime
    signature.certificates = message.certificates
    signature.crls = message.crls
    signature.ocspResponses = message.ocspResponses
    addValues(of: signer, to: &signature)
    addTimeStamps(of: signer, to: &signature)
    signature.covers = [covered(signer, signature)]
    addCounterSignatures(of: signer, to: &signature)
    if signer.signedAttribute(CAdESIdentifiers.signaturePolicy) != nil {
      signature.notes.append("The signature names a signature policy, which is not evaluated here.")
    }
    if signer.unsignedAttributes.contains(where: {
      $0.type == CAdESIdentifiers.evidenceRecordInternal
        || $0.type == CAdESIdentifiers.evidenceRecordExternal
    }) {
      signature.notes.append("Evidence records (RFC 4998) are in it, which are not evaluated here.")
    }
    return signature
  }

  private func verify(_ signer: SignerInfo) -> SignatureUnderTest.Outcome {
    let others = certificates
    let claimed = (message.certificates + others).first { signer.identifier.matches($0) }
    for attribute in signer.signedAttributes ?? [] {
      // RFC 5652 11, EN 319 122-1 5.2: each of these once.
      let once = [
        OID.contentType, OID.messageDigest, OID.signingTime, OID.signingCertificate,
        OID.signingCertificateV2,
      ]
      if once.contains(attribute.type), signer.signedAttribute(attribute.type) == nil {
        return .refused(
          .failed(.formatFailure, "\(CMSError.attributeMissing(attribute.type))"), claimed)
      }
    }
    var signed = SignedContent.attached
    if content != nil || message.content == nil {
      if let octets = content?.octets {
        signed = .bytes(octets)
      } else if let hash = HashAlgorithm(signer.digestAlgorithm),
        let digest = content?.digest(hash)
      {
        signed = .digest(hash, digest)
      }
    }
    do throws(CMSError) {
      let verified = try message.verify(signer, content: signed, certificates: others)
      return .verified(
        SignatureFacts(
          certificate: verified.certificate, algorithm: verified.algorithm,
          contentHash: verified.digestAlgorithm, fixesCertificate: verified.isCertificateSigned))
    } catch { return .refused(Conclusion(error), claimed) }
  }

  private func covered(_ signer: SignerInfo, _ signature: SignatureUnderTest) -> CoveredContent {
    let hash = HashAlgorithm(signer.digestAlgorithm)
    let digest =
      message.content.flatMap { octets in hash.map { $0.hash(octets) } }
      ?? hash.flatMap { content?.digest($0) }
    let isIntact =
      switch signature.outcome {
      case .verified: true
      case .refused(let conclusion, _):
        conclusion.subIndication != .hashFailure && conclusion.subIndication != .signedDataNotFound
          && conclusion.subIndication != .formatFailure && digest != nil
      }
    return CoveredContent(
      name: name, digestAlgorithm: hash?.rawValue, digest: digest.map { Hexadecimal.text($0) },
      isEnclosed: message.content != nil, isIntact: isIntact)
  }

  private func level(of signer: SignerInfo) -> SealLevel {
    let archives = signer.unsignedAttributes.contains {
      [
        CAdESIdentifiers.archiveTimeStampV3, CAdESIdentifiers.archiveTimeStampV2,
        CAdESIdentifiers.archiveTimeStampV1,
      ].contains($0.type)
    }
    if archives { return .archive }
    guard !signer.unsignedAttributes(CAdESIdentifiers.signatureTimeStamp).isEmpty else {
      return .basic
    }
    let hasValues =
      !message.revocationEncodings.isEmpty
      || !signer.unsignedAttributes(CAdESIdentifiers.revocationValues).isEmpty
    return hasValues ? .longTerm : .timeStamped
  }

  /// certificate-values and revocation-values (EN 319 122-1 A.1), where older signatures keep them.
  private func addValues(of signer: SignerInfo, to signature: inout SignatureUnderTest) {
    for value in signer.unsignedAttributes(CAdESIdentifiers.certificateValues).flatMap(\.values) {
      let nodes =
        (try? ASN1Node.parse(ber: value[...], as: "CertificateValues")
          .children("CertificateValues", "certificates")) ?? []
      signature.certificates += nodes.compactMap {
        try? Certificate(derEncoded: Array($0.encodedBytes))
      }
    }
    for value in signer.unsignedAttributes(CAdESIdentifiers.revocationValues).flatMap(\.values) {
      guard let values = try? RevocationValues(value) else {
        signature.notes.append("The revocation-values attribute cannot be read.")
        continue
      }
      signature.crls += values.crls
      signature.ocspResponses += values.ocspResponses
    }
  }

  private func addTimeStamps(of signer: SignerInfo, to signature: inout SignatureUnderTest) {
    let data = message.content.map { ContentDigests($0) } ?? content
    for attribute in signer.signedAttributes ?? []
    where attribute.type == CAdESIdentifiers.contentTimeStamp {
      for value in attribute.values {
        signature.timeStamps.append(
          TimeStampEvidence(.content, encoded: value, covers: []) { data?.digest($0) })
      }
    }
    let own = signerObjects(signer)
    for attribute in signer.unsignedAttributes {
      switch attribute.type {
      case CAdESIdentifiers.signatureTimeStamp:
        for value in attribute.values {
          signature.timeStamps.append(
            TimeStampEvidence(.signature, encoded: value, covers: own) {
              $0.hash(signer.signature)
            })
        }
      case CAdESIdentifiers.archiveTimeStampV3:
        for value in attribute.values {
          signature.timeStamps.append(archive(value, signer, own, data))
        }
      case CAdESIdentifiers.archiveTimeStampV1, CAdESIdentifiers.archiveTimeStampV2,
        CAdESIdentifiers.cadesCTimeStamp, CAdESIdentifiers.referencesTimeStamp:
        signature.notes.append(
          "A time stamp of an older form (\(attribute.type)) is in it, which is not evaluated here."
        )
      default: break
      }
    }
  }

  /// What the signature value vouches for: itself and the certificates it fixes.
  private func signerObjects(_ signer: SignerInfo) -> Set<ProvenObject> {
    let references = (try? signer.signingCertificates()) ?? []
    var objects: Set<ProvenObject> = [.signature]
    for certificate in message.certificates
    where references.contains(where: { $0.matches(certificate) }) {
      objects.insert(.certificate(certificate.fingerprint()))
    }
    return objects
  }

  private func archive(
    _ value: [UInt8], _ signer: SignerInfo, _ own: Set<ProvenObject>, _ data: ContentDigests?
  ) -> TimeStampEvidence {
    let token: TimeStampToken
    let index: HashIndex
    do {
      token = try TimeStampToken(encoded: value)
      guard let found = try HashIndex(of: token) else {
        throw MalformedStructure("ATSHashIndexV3", "attribute", "missing")
      }
      index = found
    } catch {
      return TimeStampEvidence(
        .archive,
        problem: error as? MalformedStructure
          ?? MalformedStructure("TimeStampToken", "encoding", "\(error)"))
    }
    let match = index.match(message, signer: signer)
    guard match.isComplete else {
      return TimeStampEvidence(
        .archive,
        problem: MalformedStructure(
          "ATSHashIndexV3", "hashIndex", "it names something that is not in the signature"))
    }
    var covers = own
    for encoding in match.certificates {
      covers.insert(.certificate(HashAlgorithm.sha256.hash(encoding)))
    }
    for encoding in match.crls { cover(revocation: encoding, &covers) }
    for attribute in match.attributes { cover(attribute, &covers) }
    let contentType = message.contentType
    return TimeStampEvidence(.archive, token: token, covers: covers) { hash in
      guard let digest = data?.digest(hash) else { return nil }
      return hash.hash(
        ArchiveTimeStamp.imprintInput(
          contentType: contentType, contentDigest: digest, signer: signer, index: index.encoded))
    }
  }

  private func cover(revocation encoding: [UInt8], _ covers: inout Set<ProvenObject>) {
    if encoding.first == 0x30 {
      covers.insert(.revocation(HashAlgorithm.sha256.hash(encoding)))
    } else if let response = try? SignedData.ocspResponse(encoding) {
      covers.insert(.revocation(HashAlgorithm.sha256.hash(response.encoded)))
      for certificate in response.certificates {
        covers.insert(.certificate(certificate.fingerprint()))
      }
    }
  }

  private func cover(_ attribute: CMSAttribute, _ covers: inout Set<ProvenObject>) {
    for value in attribute.values {
      if attribute.type == CAdESIdentifiers.revocationValues {
        let values = try? RevocationValues(value)
        for crl in values?.crls ?? [] {
          covers.insert(.revocation(HashAlgorithm.sha256.hash(crl.encoded)))
        }
        for response in values?.ocspResponses ?? [] {
          covers.insert(.revocation(HashAlgorithm.sha256.hash(response.encoded)))
        }
      } else if let earlier = try? TimeStampToken(encoded: value) {
        covers.insert(.timeStamp(HashAlgorithm.sha256.hash(earlier.encoded)))
        for encoding in earlier.signedData.certificateEncodings {
          covers.insert(.certificate(HashAlgorithm.sha256.hash(encoding)))
        }
        for encoding in earlier.signedData.revocationEncodings {
          cover(revocation: encoding, &covers)
        }
      }
    }
  }

  private func addCounterSignatures(of signer: SignerInfo, to signature: inout SignatureUnderTest) {
    do {
      for counter in try signer.counterSignatures() {
        var one: SignatureUnderTest
        do throws(CMSError) {
          let verified = try message.verifyCounterSignature(
            counter, over: signer, certificates: certificates)
          one = SignatureUnderTest(
            outcome: .verified(
              SignatureFacts(
                certificate: verified.certificate, algorithm: verified.algorithm,
                contentHash: verified.digestAlgorithm,
                fixesCertificate: verified.isCertificateSigned)), level: level(of: counter))
        } catch {
          one = SignatureUnderTest(
            outcome: .refused(
              Conclusion(error), message.certificates.first { counter.identifier.matches($0) }),
            level: level(of: counter))
        }
        one.claimedTime = counter.signingTime
        one.certificates = signature.certificates
        one.crls = signature.crls
        one.ocspResponses = signature.ocspResponses
        addTimeStamps(of: counter, to: &one)
        signature.counterSignatures.append(one)
      }
    } catch { signature.notes.append("A counter-signature cannot be read: \(error)") }
  }
}

/// RevocationValues (RFC 5126 6.3.4).
struct RevocationValues {
  private(set) var crls: [CertificateRevocationList] = []
  private(set) var ocspResponses: [OCSPResponse] = []
  /// The OCSP answers as BasicOCSPResponse, as they are kept there.
  private(set) var basicEncodings: [[UInt8]] = []

  init(_ encoded: [UInt8]) throws {
    let name = "RevocationValues"
    var reader = try ElementReader(try ASN1Node.parse(ber: encoded[...], as: name), as: name)
    if let list = try reader.optional(explicit: 0, "crlVals") {
      crls = try list.children(name, "crlVals").compactMap {
        try? CertificateRevocationList(derEncoded: Array($0.encodedBytes))
      }
    }
    if let list = try reader.optional(explicit: 1, "ocspVals") {
      basicEncodings = try list.children(name, "ocspVals").map { Array($0.encodedBytes) }
      ocspResponses = basicEncodings.compactMap { try? OCSPResponse(basicEncoded: $0) }
    }
  }
}
