/// Numbers that bound what is read of a trusted list; our own choice, far above the largest national
/// lists of the EU (about 5 MB, 400 services).
public struct TrustedListParameters: Sendable {
  /// Octets of a sealed list.
  public var maximumOctets = 32 << 20
  public var maximumProviders = 1000
  /// Of all providers together.
  public var maximumServices = 10_000
  /// Of all services together, history included.
  public var maximumPeriods = 100_000
  /// Certificates of all services together.
  public var maximumCertificates = 20_000
  public var maximumSchemes = 100
  /// Of one service.
  public var maximumPolicies = 50
  /// Days from issue to the next update: half a year (TS 119 612 5.3.15).
  public var maximumDays = 184
  /// Days for which history is kept: 65535 stands for "for ever" (TS 119 612 5.3.12).
  public static let historicalInformationPeriod = 65_535
  /// TSLVersionIdentifier of TS 119 612 v2.1.1, whose model this is.
  public static let version = 5

  /// The values above.
  public init() {}
}
