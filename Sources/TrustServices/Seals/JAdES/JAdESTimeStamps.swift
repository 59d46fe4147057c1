/// What JAdES time stamps are over (TS 119 182-1 5.3.4, 5.3.6.2).
enum JAdESTimeStamps {
  /// sigTst: the signature as it is written.
  static func signatureInput(_ signer: JSONWebSignature.Signer) -> [UInt8] { signer.signatureText }

  /// What follows the payload in an arcTst: header, signature, and the properties before it.
  static func archiveTail(
    _ signer: JSONWebSignature.Signer, _ properties: ArraySlice<UnsignedProperties.Property>
  ) -> [UInt8] {
    let dot = [UInt8(ascii: ".")]
    return dot + signer.protectedText + dot + signer.signatureText + dot
      + properties.flatMap { $0.text ?? [] }
  }
}
