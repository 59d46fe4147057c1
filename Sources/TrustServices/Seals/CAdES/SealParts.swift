extension SignedData {
  /// The first signer's certificate, where it came along; nothing is verified by this.
  public var signerCertificate: Certificate? {
    guard let signer = signers.first else { return nil }
    return certificates.first { signer.identifier.matches($0) }
  }
}

extension SignerInfo {
  /// The time stamps over the signature (EN 319 122-1 5.3) that can be read; nothing is verified by
  /// this.
  public var signatureTimeStamps: [TimeStampToken] {
    unsignedAttributes(CAdESIdentifiers.signatureTimeStamp).flatMap(\.values).compactMap {
      try? TimeStampToken(encoded: $0)
    }
  }
}
