import SwiftASN1

/// ATSHashIndexV3 (EN 319 122-1 5.5.2) and its two forerunners: the digests of everything that an
/// archive time stamp covers, so that more can be added later without breaking it.
struct HashIndex {
  enum Version {
    /// TS 101 733: digests of whole attributes.
    case first
    /// Digests of an attribute's type and one of its values.
    case second, third
  }

  let version: Version
  let algorithm: HashAlgorithm
  let certificates: [[UInt8]]
  let crls: [[UInt8]]
  let unsignedAttributes: [[UInt8]]
  /// The attribute's value as encoded.
  let encoded: [UInt8]

  /// The index of everything that `message` holds now around `signer`.
  init(_ message: SignedData, signer: SignerInfo, algorithm: HashAlgorithm) {
    version = .third
    self.algorithm = algorithm
    certificates = message.certificateEncodings.map { algorithm.hash($0) }
    crls = message.revocationEncodings.map { algorithm.hash($0) }
    unsignedAttributes = signer.unsignedAttributes.flatMap {
      Self.values(of: $0, version: .third, algorithm)
    }
    let lists = [certificates, crls, unsignedAttributes]
    encoded = der { coder in
      coder.sequence { coder in
        algorithm.algorithmIdentifier.write(&coder)
        for list in lists {
          coder.sequence { coder in for digest in list { coder.octets(digest) } }
        }
      }
    }
  }

  /// The index that a time stamp carries among its unsigned attributes; nil where it has none.
  init?(of token: TimeStampToken) throws(MalformedStructure) {
    let known: [(ASN1ObjectIdentifier, Version)] = [
      (CAdESIdentifiers.hashIndexV3, .third), (CAdESIdentifiers.hashIndexV2, .second),
      (CAdESIdentifiers.hashIndexV1, .first),
    ]
    for (identifier, version) in known {
      let found = token.signer.unsignedAttributes(identifier)
      guard let attribute = found.first else { continue }
      let name = "ATSHashIndex"
      guard found.count == 1, attribute.values.count == 1 else {
        throw MalformedStructure(name, "attrValues", "more than one index")
      }
      let node = try ASN1Node.parse(ber: attribute.values[0][...], as: name)
      var reader = try ElementReader(node, as: name)
      self.version = version
      encoded = attribute.values[0]
      var algorithm = HashAlgorithm.sha256
      // A SEQUENCE that begins with an OBJECT IDENTIFIER is the algorithm; older versions may
      // leave it out.
      if let next = reader.next, let first = try? next.children(name, "element").first,
        first.identifier == .objectIdentifier
      {
        let identifier = try AlgorithmIdentifier(try reader.any("hashIndAlgorithm"))
        guard let hash = HashAlgorithm(identifier) else {
          throw reader.wrong("hashIndAlgorithm", "\(identifier.algorithm) is not known here")
        }
        algorithm = hash
      }
      self.algorithm = algorithm
      certificates = try Self.digests(&reader, "certificatesHashIndex")
      crls = try Self.digests(&reader, "crlsHashIndex")
      unsignedAttributes = try Self.digests(&reader, "unsignedAttrValuesHashIndex")
      try reader.end()
      return
    }
    return nil
  }

  private static func digests(_ reader: inout ElementReader, _ field: String)
    throws(MalformedStructure) -> [[UInt8]]
  {
    var list: [[UInt8]] = []
    for element in try reader.expect(.sequence, field).children("ATSHashIndex", field) {
      list.append(Array(try element.octets("ATSHashIndex", field)))
    }
    return list
  }

  /// The digests that stand for one unsigned attribute.
  private static func values(
    of attribute: CMSAttribute, version: Version, _ algorithm: HashAlgorithm
  ) -> [[UInt8]] {
    switch version {
    case .first: return [algorithm.hash(attribute.encoded)]
    case .second, .third:
      let type = der { $0.objectIdentifier(attribute.type) }
      return attribute.values.map { algorithm.hash(type + $0) }
    }
  }

  /// The encodings inside certificate-values and revocation-values.
  private static func values(of signer: SignerInfo) -> (certificates: [[UInt8]], crls: [[UInt8]]) {
    let certificates = signer.unsignedAttributes(CAdESIdentifiers.certificateValues)
      .flatMap(\.values).flatMap { value in
        ((try? ASN1Node.parse(ber: value[...], as: "CertificateValues")
          .children("CertificateValues", "certificates")) ?? []).map { Array($0.encodedBytes) }
      }
    let crls = signer.unsignedAttributes(CAdESIdentifiers.revocationValues)
      .flatMap(\.values).compactMap { try? RevocationValues($0) }.flatMap { values in
        values.crls.map(\.encoded) + values.ocspResponses.map(\.encoded) + values.basicEncodings
      }
    return (certificates, crls)
  }

  /// What of a message the index names.
  struct Match {
    /// Certificates and revocation data by their encodings.
    var certificates: [[UInt8]] = []
    var crls: [[UInt8]] = []
    /// Attributes all of whose values are named.
    var attributes: [CMSAttribute] = []
    /// Whether every digest of the index belongs to something that is there.
    var isComplete = false
  }

  /// Finds what the digests stand for; one that stands for nothing breaks the time stamp
  /// (EN 319 122-1 5.5.2).
  func match(_ message: SignedData, signer: SignerInfo) -> Match {
    var match = Match()
    var open = Set(certificates + crls + unsignedAttributes)
    func find(_ encodings: [[UInt8]], _ digests: [[UInt8]]) -> [[UInt8]] {
      let wanted = Set(digests)
      return encodings.filter { encoding in
        let digest = algorithm.hash(encoding)
        guard wanted.contains(digest) else { return false }
        open.remove(digest)
        return true
      }
    }
    // Some signers kept what they indexed in certificate-values and revocation-values.
    let (otherCertificates, otherCRLs) = Self.values(of: signer)
    match.certificates = find(message.certificateEncodings + otherCertificates, certificates)
    match.crls = find(message.revocationEncodings + otherCRLs, crls)
    let wanted = Set(unsignedAttributes)
    for attribute in signer.unsignedAttributes {
      // The second version was read both ways by its implementers.
      let readings: [Version] = version == .first ? [.first] : [.third, .first]
      for reading in readings {
        let digests = Self.values(of: attribute, version: reading, algorithm)
        let named = digests.filter { wanted.contains($0) }
        for digest in named { open.remove(digest) }
        if !named.isEmpty, named.count == digests.count {
          match.attributes.append(attribute)
          break
        }
      }
    }
    match.isComplete = open.isEmpty
    return match
  }
}
