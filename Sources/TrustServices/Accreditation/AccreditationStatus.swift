public import NetworkTypes

/// What a list says of a service from a moment on.
public enum AccreditationStatus: String, Hashable, Sendable, Codable, CaseIterable {
  /// 認定.
  case accredited
  /// 認定の一時停止.
  case suspended
  /// 認定の取消し, by the body or at the provider's own wish; the reason stands in the register.
  case withdrawn
  /// Its validity (認定の有効期間) or its scheme ended.
  case expired

  /// Service current status (TS 119 612 5.5.4): the values for voluntary accreditation, which
  /// TS 102 231 defined. Nothing in them stands for a suspension, so that name is our own.
  public var uri: String {
    let start = "http://uri.etsi.org/TrstSvc/Svcstatus/"
    return switch self {
    case .accredited: start + "accredited"
    case .suspended: "urn:noroshi:trusted-list:status:suspended"
    case .withdrawn: start + "accreditationrevoked"
    case .expired: start + "accreditationceased"
    }
  }

  /// The status of a URI; nil for one that is not used here.
  public init?(uri: String) {
    guard let known = Self.allCases.first(where: { $0.uri == uri }) else { return nil }
    self = known
  }
}

/// A status with when it began, and the validity that was granted.
public struct AccreditationPeriod: Hashable, Sendable, Codable {
  public let status: AccreditationStatus
  /// The first moment of the status.
  public let since: Timestamp
  /// The accreditation's first and last day, whatever happened in between.
  public let validFrom: JapaneseDay
  public let validUntil: JapaneseDay

  /// A period from its parts.
  public init(
    _ status: AccreditationStatus, since: Timestamp, validFrom: JapaneseDay, validUntil: JapaneseDay
  ) {
    self.status = status
    self.since = since
    self.validFrom = validFrom
    self.validUntil = validUntil
  }
}
