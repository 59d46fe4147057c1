import Constituency

/// How notices are sealed and time-stamped before they leave: every part gets a detached seal beside it.
///
/// The seal is the caller's: this system knows of certificates no more than what texts say of them.
public struct NoticeSealing: Sendable {
  /// Seals octets: a detached CAdES signature (EN 319 122-1) in DER, with a time stamp.
  public var seal: @Sendable (_ content: [UInt8]) async throws -> [UInt8]

  public init(seal: @escaping @Sendable ([UInt8]) async throws -> [UInt8]) { self.seal = seal }
}

/// What a notice says of its seals, so that the recipient can verify them.
public struct NoticeSealWords: Hashable, Sendable {
  /// The organisation that the seal's certificate names.
  public var organisation: String
  /// The subject of the certificate at which the seal's chain ends.
  public var anchor: String
  /// Its SHA-256 fingerprint, as people compare it: `12:AB:…`.
  public var fingerprint: String
  /// Where it is found; nil where the recipient must ask.
  public var address: String?

  public init(organisation: String, anchor: String, fingerprint: String, address: String? = nil) {
    self.organisation = organisation
    self.anchor = anchor
    self.fingerprint = fingerprint
    self.address = address
  }
}

extension NoticePart {
  /// The media type of a detached CMS signature (RFC 8551 §3.2.1).
  static let sealType = "application/pkcs7-signature"

  /// Whether it is the seal of the part whose name it carries, with `.p7s` behind it.
  public var isSeal: Bool { type == Self.sealType }

  /// The part that holds a seal of this one.
  func sealed(by seal: [UInt8]) -> NoticePart {
    NoticePart(
      format: format, language: language, name: name + ".p7s", type: Self.sealType, subject: nil,
      content: seal)
  }

  /// Whether it comes as a file with a mail of this language. A text does where it is sealed, since
  /// mail systems write texts in their own way.
  func isFile(in language: Language, sealed isSealed: Bool) -> Bool {
    format == .mail ? isSealed && self.language == language : true
  }
}
