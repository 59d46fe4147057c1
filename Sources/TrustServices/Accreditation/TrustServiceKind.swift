/// What is accredited: time stamping, or the certification of e-seals at a level of a scheme.
///
/// As text: `time-stamp`, `e-seal-2025-2`, `e-seal-2021-3`.
public enum TrustServiceKind: Hashable, Sendable {
  /// 時刻認証業務.
  case timeStamp
  /// eシールに係る認証業務; 1 or 2 in the scheme of 2025, 1 to 3 in the guideline of 2021.
  case seal(SchemeLevel.Edition, level: Int)

  /// Every kind there is.
  public static let all: [TrustServiceKind] =
    [.timeStamp] + (1...2).map { .seal(.accreditation2025, level: $0) }
    + (1...3).map { .seal(.guideline2021, level: $0) }

  /// The level, where it is a seal's.
  public var level: SchemeLevel? {
    guard case .seal(let edition, let level) = self else { return nil }
    return SchemeLevel(edition: edition, level: level, policy: nil)
  }

  /// Service type identifier (TS 119 612 5.5.1): a time-stamp service, or an authority that issues
  /// certificates. These are the types that claim no qualification by EU law.
  public var typeIdentifier: String {
    switch self {
    case .timeStamp: "http://uri.etsi.org/TrstSvc/Svctype/TSA"
    case .seal: "http://uri.etsi.org/TrstSvc/Svctype/CA/PKC"
    }
  }

  /// Additional service information (TS 119 612 5.5.9.4): certificates for seals.
  static let forSeals = "http://uri.etsi.org/TrstSvc/TrustedList/SvcInfoExt/ForeSeals"
  private static let qualifierStart = "urn:noroshi:trusted-list:qualifier:"

  /// The level as a qualifier of the certificates (TS 119 612 5.5.9.2); ETSI has none for Japan's
  /// levels, so that the name is our own.
  var qualifier: String? { level.map { _ in Self.qualifierStart + description } }

  init?(qualifier: String) {
    guard qualifier.hasPrefix(Self.qualifierStart) else { return nil }
    self.init(String(qualifier.dropFirst(Self.qualifierStart.count)))
    guard level != nil else { return nil }
  }
}

extension TrustServiceKind: LosslessStringConvertible, Codable {
  public var description: String {
    switch self {
    case .timeStamp: "time-stamp"
    case .seal(let edition, let level): "e-seal-\(edition.rawValue)-\(level)"
    }
  }

  /// Reads the text form; nil for any other text.
  public init?(_ description: String) {
    guard let known = Self.all.first(where: { $0.description == description }) else { return nil }
    self = known
  }

  /// Reads the text form.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let kind = TrustServiceKind(text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "\(text) is no kind of trust service")
    }
    self = kind
  }

  /// Writes the text form.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
