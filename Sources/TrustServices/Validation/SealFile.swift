/// A file that holds seals, of whichever form: told by its first octets, not by its name.
public enum SealFile: Hashable, Sendable {
  case cades
  case jades
  case container
  case timeStamp
  case pdf

  /// What `bytes` begin like; nil for anything that is no seal.
  public init?(_ bytes: [UInt8]) {
    let start = bytes.drop { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
    if start.starts(with: "PK".utf8) {
      self = .container
    } else if start.starts(with: "%PDF-".utf8) {
      self = .pdf
    } else if start.starts(with: "-----BEGIN ".utf8) {
      self = .cades
    } else if start.first == UInt8(ascii: "{") || start.starts(with: "ey".utf8) {
      // The protected header of every JWS is an object, and `{"` begins as `ey` in base64url.
      self = .jades
    } else if start.first == 0x30 {
      let isStamp =
        (try? TimeStampResponse(encoded: bytes)) != nil
        || (try? TimeStampToken(encoded: bytes)) != nil
      self = isStamp ? .timeStamp : .cades
    } else {
      return nil
    }
  }

  /// The hashes by which the seals of a file speak of content kept elsewhere: what has to be taken
  /// of a file too large to hold.
  public static func hashes(_ bytes: [UInt8]) -> Set<HashAlgorithm> {
    // Whatever cannot be read asks for nothing more than the usual.
    var found: Set<HashAlgorithm> = [.sha256]
    func add(_ token: TimeStampToken) {
      if let hash = token.info.imprint.hashAlgorithm { found.insert(hash) }
    }
    switch SealFile(bytes) {
    case .cades:
      guard let message = try? SignedData(filed: bytes) else { break }
      for signer in message.signers {
        if let hash = HashAlgorithm(signer.digestAlgorithm) { found.insert(hash) }
        for value in (signer.unsignedAttributes + (signer.signedAttributes ?? [])).flatMap(\.values)
        {
          if let token = try? TimeStampToken(encoded: value) { add(token) }
        }
      }
    case .timeStamp:
      let token =
        (try? TimeStampResponse(encoded: bytes))?.token ?? (try? TimeStampToken(encoded: bytes))
      if let token { add(token) }
    case .jades:
      guard let message = try? JSONWebSignature(encoded: bytes) else { break }
      for signer in message.signers {
        if let value = signer.protected["sigD"],
          let hash = (try? DetachedObjects(value))?.hash
        {
          found.insert(hash)
        }
        for property in (try? UnsignedProperties(signer.unprotected))?.properties ?? []
        where property.name == "arcTst" {
          for case .success(let octets) in UnsignedProperties.tokens(property.value) {
            if let token = try? TimeStampToken(encoded: octets) { add(token) }
          }
        }
      }
    case .container, .pdf, nil: break
    }
    return found
  }
}

extension SealValidator {
  /// Validates a file by what it is.
  public func validate(file bytes: [UInt8], contents: [NamedContent] = []) -> ValidationReport {
    switch SealFile(bytes) {
    case .cades:
      validate(cms: bytes, content: contents.first?.content, name: contents.first?.name)
    case .timeStamp:
      validate(timeStamp: bytes, content: contents.first?.content, name: contents.first?.name)
    case .jades: validate(jws: bytes, contents: contents)
    case .container: validate(container: bytes)
    case .pdf: validate(pdf: bytes)
    case nil:
      ValidationReport(
        format: nil, checkedAt: moment,
        unreadable: "The file is no seal of a form that is read here. Give the seal's own file.")
    }
  }
}
