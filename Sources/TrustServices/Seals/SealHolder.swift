import SwiftASN1

/// Whose certificate made a signature: an organisation's seal or a person's signature.
public struct SealHolder: Hashable, Sendable, Codable {
  /// What kind of holder a certificate names.
  public enum Kind: String, Hashable, Sendable, Codable {
    case organisation, person, unknown
  }

  public let kind: Kind
  public let subject: String
  public let commonName: String?
  public let organisation: String?
  /// As the certificate has it (EN 319 412-1 5.1.4), such as `NTRJP-` and 13 digits.
  public let organizationIdentifier: String?
  /// The corporate number (法人番号), where one is stated and its check digit is right.
  public let corporateNumber: CorporateNumber?
  /// Whether a corporate number is stated whose check digit is wrong.
  public let hasWrongCorporateNumber: Bool
  public let country: String?
  /// Of a person.
  public let givenName: String?
  public let surname: String?
  /// What an accreditation scheme says of the certificate's policies.
  public let scheme: SchemeLevel?
  /// Whether the issuer states it to be for seals (id-etsi-qct-eseal, EN 319 412-5 4.2.3).
  public let statesSealType: Bool

  /// What `certificate` says of its holder, judged by `scheme`.
  public init(_ certificate: Certificate, scheme: SealScheme = SealScheme()) {
    let name = certificate.subject
    subject = "\(name)"
    commonName = name.texts(.commonName).last
    organisation = name.texts(.organization).last
    country = name.texts(.country).last
    organizationIdentifier = name.texts(.organizationIdentifier).last
    func text(_ last: UInt) -> String? {
      name.relativeNames.joined().last { $0.type == [2, 5, 4, last] }?.text
    }
    givenName = text(42)
    surname = text(4)
    let stated = organizationIdentifier.flatMap { identifier -> String? in
      for prefix in ["NTRJP-", "JCN-", "OTHJP-"] where identifier.hasPrefix(prefix) {
        return String(identifier.dropFirst(prefix.count))
      }
      return nil
    }
    corporateNumber = stated.flatMap { CorporateNumber($0) }
    hasWrongCorporateNumber = stated != nil && corporateNumber == nil
    let types = QualifiedStatements.types(certificate)
    statesSealType = types.contains(QualifiedStatements.seal)
    if givenName != nil || surname != nil || types.contains(QualifiedStatements.signature) {
      kind = .person
    } else if organizationIdentifier != nil || statesSealType || organisation != nil {
      kind = .organisation
    } else {
      kind = .unknown
    }
    self.scheme = scheme.level(of: certificate)
  }
}

extension CorporateNumber: Codable {
  /// Reads the 13 digits; a wrong check digit is an error.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let number = CorporateNumber(text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "\(text) is not a corporate number of 13 digits")
    }
    self = number
  }

  /// Writes the 13 digits.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
