/// The time stamps of a JSON signature, and what each proves.
extension JAdESReader {
  /// Adds the time stamps that a signature carries.
  func addTimeStamps(
    _ properties: UnsignedProperties, _ outcome: SignatureUnderTest.Outcome,
    to signature: inout SignatureUnderTest
  ) {
    let message = message
    let signer = signer
    let contents = contents
    func add(
      _ kind: TimeStampEvidence.Kind, _ value: JSONValue, _ covers: Set<ProvenObject>,
      _ imprint: @escaping @Sendable (HashAlgorithm) -> [UInt8]?
    ) {
      for token in UnsignedProperties.tokens(value) {
        switch token {
        case .success(let octets):
          signature.timeStamps.append(
            TimeStampEvidence(kind, encoded: octets, covers: covers, imprint: imprint))
        case .failure(let problem):
          signature.timeStamps.append(TimeStampEvidence(kind, problem: problem))
        }
      }
    }
    if let value = signer.protected["adoTst"] {
      add(.content, value, []) { hash in
        DetachedObjects.archiveDigest(
          hash, payloadText: message.payloadText, signer: signer, contents: contents, tail: [])
      }
    }
    var own: Set<ProvenObject> = [.signature]
    if case .verified(let facts) = outcome {
      own.insert(.certificate(facts.certificate.fingerprint()))
    }
    for (index, property) in properties.properties.enumerated() {
      switch property.name {
      case "sigTst":
        add(.signature, property.value, own) { $0.hash(signer.signatureText) }
      case "arcTst":
        guard properties.isEncoded else {
          signature.notes.append(
            "An archive time stamp over properties in clear is in it, which is not evaluated here.")
          continue
        }
        var before = properties.properties[..<index]
        let isPartial = property.value.object?["timestamped"]?.text == "previousArcTst"
        if isPartial, let previous = before.lastIndex(where: { $0.name == "arcTst" }) {
          before = before[previous...]
          let input = before.flatMap { $0.text ?? [] }
          add(.archive, property.value, covered(before, own)) { $0.hash(input) }
          continue
        }
        let tail = JAdESTimeStamps.archiveTail(signer, before)
        add(.archive, property.value, covered(before, own)) { hash in
          DetachedObjects.archiveDigest(
            hash, payloadText: message.payloadText, signer: signer, contents: contents, tail: tail)
        }
      case "sigRTst", "rfsTst":
        signature.notes.append(
          "A time stamp over references (\(property.name)) is in it, which is not evaluated here.")
      default: break
      }
    }
  }

  /// What an archive time stamp over these properties proves.
  private func covered(
    _ properties: ArraySlice<UnsignedProperties.Property>, _ own: Set<ProvenObject>
  ) -> Set<ProvenObject> {
    var covers = own
    var certificates = (try? Self.certificates(signer.protected)) ?? []
    var crls: [CertificateRevocationList] = []
    var responses: [OCSPResponse] = []
    UnsignedProperties(Array(properties)).collect(&certificates, &crls, &responses)
    for property in properties where ["sigTst", "arcTst"].contains(property.name) {
      for case .success(let octets) in UnsignedProperties.tokens(property.value) {
        guard let token = try? TimeStampToken(encoded: octets) else { continue }
        covers.insert(.timeStamp(HashAlgorithm.sha256.hash(token.encoded)))
        certificates += token.signedData.certificates
        crls += token.signedData.crls
        responses += token.signedData.ocspResponses
      }
    }
    for response in responses { certificates += response.certificates }
    for certificate in certificates { covers.insert(.certificate(certificate.fingerprint())) }
    for encoded in crls.map(\.encoded) + responses.map(\.encoded) {
      covers.insert(.revocation(HashAlgorithm.sha256.hash(encoded)))
    }
    return covers
  }
}
