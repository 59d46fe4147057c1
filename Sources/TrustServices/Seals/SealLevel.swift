/// The baseline levels of advanced signatures (EN 319 122-1 6, TS 119 182-1 6, EN 319 142-1 6).
public enum SealLevel: String, Codable, Hashable, Sendable, CaseIterable, Comparable {
  /// The signature with its certificate fixed.
  case basic = "B-B"
  /// With a time stamp over the signature.
  case timeStamped = "B-T"
  /// With every certificate, CRL and OCSP answer that validation needs.
  case longTerm = "B-LT"
  /// With a time stamp over all of that, renewable for as long as wanted.
  case archive = "B-LTA"

  private var rank: Int {
    switch self {
    case .basic: 0
    case .timeStamped: 1
    case .longTerm: 2
    case .archive: 3
    }
  }

  public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }
}

/// The forms that seals have here.
public enum SealFormat: String, Codable, Hashable, Sendable, CaseIterable {
  case cades = "CAdES"
  case jades = "JAdES"
  case pades = "PAdES"
  /// ASiC-E with CAdES (EN 319 162-1).
  case asic = "ASiC-E"
  /// A time stamp on its own (RFC 3161).
  case timeStamp = "RFC 3161"
}

/// Why a seal cannot be made or extended.
public enum SealError: Error, Hashable, Sendable, CustomStringConvertible {
  case keyMismatch
  case certificateOutsideValidity
  case timeStampSourceNeeded(SealLevel)
  case contentNeeded
  case digestNeeded(HashAlgorithm)
  case revocationMissing(String)
  case fieldName(String)
  case nameTwice(String)
  case cannotRead(String)
  case unsupported(String)

  public var description: String {
    switch self {
    case .keyMismatch: "The key does not belong to the certificate. Give the right pair."
    case .certificateOutsideValidity:
      "The certificate is not valid at the moment of sealing. Use one that is, or set the clock."
    case .timeStampSourceNeeded(let level):
      "Level \(level.rawValue) needs a time-stamp authority. Name one."
    case .contentNeeded:
      "The sealed content is kept apart from the seal. Give the file that it is about."
    case .digestNeeded(let hash):
      "The \(hash.rawValue) digest of the content is needed. Give the content itself."
    case .revocationMissing(let subject):
      "Nothing says whether the certificate of \(subject) is revoked. Supply a CRL or OCSP answer."
    case .fieldName(let name):
      "The document has a field \"\(name)\" already, or the name is empty or has a dot; the seal gets "
        + "a field of its own. Choose another name."
    case .nameTwice(let name):
      "Two of the files are named \(name), and a container holds each name once. Rename one."
    case .cannotRead(let what): "The seal cannot be extended: \(what)"
    case .unsupported(let what): "\(what) is not supported here. Choose another form."
    }
  }
}
