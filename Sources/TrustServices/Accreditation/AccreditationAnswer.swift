public import NetworkTypes

/// "Was this service accredited, by whom, under which scheme, at that time?": what the trusted lists
/// at hand say.
public struct AccreditationAnswer: Hashable, Sendable, Codable {
  /// The moment that was asked about: of a stamp its time, of a seal its best proven time.
  public var moment: Timestamp
  /// Whether that is proven by a time stamp, and not merely the moment of validation.
  public var isProven: Bool
  /// Whether any list says that the service was accredited then.
  public var isAccredited: Bool
  /// One for each entry of a list that is about the service; several schemes may overlap.
  public var findings: [AccreditationFinding]

  /// The schemes under which it was accredited, by their identifiers.
  public var schemes: [String] {
    findings.filter { $0.status == .accredited }.map(\.scheme)
  }
}

/// What one entry of one list says of a service at a moment.
public struct AccreditationFinding: Hashable, Sendable, Codable {
  /// What was the case.
  public enum Status: String, Hashable, Sendable, Codable, CaseIterable {
    case accredited, suspended, withdrawn, expired
    /// Before its first accreditation, or before the scheme counted.
    case notYet
    /// Other certificates of the same authority are accredited; this one's policies are not.
    case otherPolicy
    /// The list is too old to know.
    case unknown
  }

  public var status: Status
  /// When the status began; nil for `notYet`, `otherPolicy` and `unknown`.
  public var since: Timestamp?
  /// The accreditation's days, in JST.
  public var validFrom: JapaneseDay?
  public var validUntil: JapaneseDay?
  /// The scheme's identifier and name, and who accredits under it.
  public var scheme: String
  public var schemeName: BilingualText
  public var authority: BilingualText
  public var kind: TrustServiceKind
  public var service: String
  public var serviceName: BilingualText
  public var providerName: BilingualText
  /// What became of it since, as the list has it; nil where nothing did.
  public var laterStatus: AccreditationStatus?
  public var laterSince: Timestamp?
  /// The list that says so.
  public var listOperator: BilingualText
  public var listSequence: UInt64
  public var listIssued: Timestamp
  /// Whether a newer list should be out at the time of validation.
  public var isListOutdated: Bool
}
