import SwiftASN1

/// archive-time-stamp-v3 (EN 319 122-1 5.5.3).
enum ArchiveTimeStamp {
  /// What is hashed for it: content type, the content's digest, the fields of the signer in their
  /// order, and the index.
  static func imprintInput(
    contentType: ASN1ObjectIdentifier, contentDigest: [UInt8], signer: SignerInfo, index: [UInt8]
  ) -> [UInt8] {
    der { coder in
      coder.objectIdentifier(contentType)
      coder.raw(contentDigest)
      coder.raw(signer.fieldsBeforeUnsignedAttributes)
      coder.raw(index)
    }
  }

  /// A new archive time stamp over everything in `message` now, as an unsigned attribute.
  static func make(
    over message: SignedData, signer: SignerInfo, content: ContentDigests,
    from source: any TimeStampSource
  ) async throws -> CMSAttribute {
    let hash = source.preferredHash
    guard let digest = content.digest(hash) else { throw SealError.digestNeeded(hash) }
    let index = HashIndex(message, signer: signer, algorithm: hash)
    let input = imprintInput(
      contentType: message.contentType, contentDigest: digest, signer: signer,
      index: index.encoded)
    let token = try await source.timeStamp(MessageImprint(hash, of: input))
    var signedData = token.signedData
    signedData.signers[0].unsignedAttributes.append(
      CMSAttribute(CAdESIdentifiers.hashIndexV3, value: index.encoded))
    return CMSAttribute(CAdESIdentifiers.archiveTimeStampV3, value: signedData.encoded)
  }
}

extension SignerInfo {
  /// version, sid, digestAlgorithm, signedAttrs, signatureAlgorithm and signature, one after the
  /// other as SignerInfo holds them.
  var fieldsBeforeUnsignedAttributes: [UInt8] {
    var bare = self
    bare.unsignedAttributes = []
    let encoded = bare.encoded
    // Proof of the alternative never being taken: the encoding above is a SEQUENCE in DER.
    guard let node = try? ASN1Node.parse(der: encoded[...], as: "SignerInfo"),
      let fields = try? node.children("SignerInfo", "fields")
    else { return encoded }
    return fields.flatMap { Array($0.encodedBytes) }
  }
}
