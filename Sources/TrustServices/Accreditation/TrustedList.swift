public import NetworkTypes

/// A trusted list (トラステッドリスト) after the model of ETSI TS 119 612: who accredits under which
/// schemes, which services of which providers were accredited when, and by which certificates they are
/// recognised.
///
/// It has one text, canonical JSON; ``SealedTrustedList`` is that text with its seal.
public struct TrustedList: Hashable, Sendable {
  /// A provider with its services.
  public struct Provider: Hashable, Sendable {
    public let information: TrustServiceProvider
    public let services: [Service]
  }

  /// A service as relying parties know it.
  public struct Service: Hashable, Sendable {
    public let id: String
    /// The identifier of its scheme.
    public let scheme: String
    public let kind: TrustServiceKind
    public let name: BilingualText
    /// Who has one of these keys with the name beside it is the service, or certified by it.
    public let certificates: [Certificate]
    /// Policies that the accreditation is limited to; empty for no limit.
    public let policies: [String]
    /// The current status, then the earlier ones, the latest first.
    public let periods: [AccreditationPeriod]

    /// The period in which a moment lies; nil before the first.
    public func period(at moment: Timestamp) -> AccreditationPeriod? {
      periods.first { $0.since <= moment }
    }
  }

  public let schemeOperator: SchemeOperator
  public let schemes: [AccreditationScheme]
  /// Grows by one with each list.
  public let sequence: UInt64
  public let issued: Timestamp
  /// When the next one is out at the latest; nil for a closed list, which is the last.
  public let nextUpdate: Timestamp?
  /// The signed head of the register that it was made from (C2SP tlog-checkpoint).
  public let registerHead: String?
  public let providers: [Provider]

  /// The scheme of an identifier.
  public func scheme(_ id: String) -> AccreditationScheme? { schemes.first { $0.id == id } }

  /// Every service with its provider.
  public var services: [(provider: TrustServiceProvider, service: Service)] {
    providers.flatMap { provider in provider.services.map { (provider.information, $0) } }
  }

  /// SHA-256 of the canonical text, hexadecimal.
  public var sha256: String { Hexadecimal.text(HashAlgorithm.sha256.hash(encoded)) }

  /// The period of a service in which a moment lies: validity and scheme end on their day, whether or
  /// not a newer list has come to say so. nil before the first, and before the scheme counted.
  public func period(of service: Service, at moment: Timestamp) -> AccreditationPeriod? {
    let scheme = scheme(service.scheme)
    guard let period = service.period(at: moment), scheme.map({ moment >= $0.from.start }) ?? true
    else { return nil }
    let end = max(
      period.since, min(period.validUntil.end, scheme?.until?.end ?? .distantFuture))
    guard [.accredited, .suspended].contains(period.status), moment >= end else { return period }
    return AccreditationPeriod(
      .expired, since: end, validFrom: period.validFrom, validUntil: period.validUntil)
  }

  /// Whether a newer one should be out by now.
  public func isOutdated(at moment: Timestamp) -> Bool { nextUpdate.map { moment > $0 } ?? false }
}

extension AccreditationContents {
  /// The list of what the public is to know at a moment, without its seal.
  ///
  /// Services appear with their first accreditation, and never leave the list again.
  public func list(
    sequence: UInt64, issued: Timestamp, nextUpdate: Timestamp?, registerHead: String?
  ) throws(AccreditationError) -> TrustedList {
    guard let schemeOperator else { throw .notOpened }
    let issued = Timestamp(seconds: issued.seconds)
    var listed: [TrustedList.Provider] = []
    for provider in providers {
      var entries: [TrustedList.Service] = []
      for service in services where service.provider == provider.id {
        let periods = periods(of: service, at: issued)
        guard !periods.isEmpty else { continue }
        entries.append(
          TrustedList.Service(
            id: service.id, scheme: service.scheme, kind: service.kind, name: service.name,
            certificates: service.certificates, policies: service.policies,
            periods: periods.reversed()))
      }
      if !entries.isEmpty {
        listed.append(TrustedList.Provider(information: provider, services: entries))
      }
    }
    return TrustedList(
      schemeOperator: schemeOperator, schemes: schemes, sequence: sequence, issued: issued,
      nextUpdate: nextUpdate.map { Timestamp(seconds: $0.seconds) }, registerHead: registerHead,
      providers: listed)
  }
}
