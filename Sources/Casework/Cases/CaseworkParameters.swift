public import Findings

/// The numbers that decide when cases open, close and come back.
public struct CaseworkParameters: Hashable, Sendable {
  /// Days without a new sighting after which a case closes by itself. 14 as AbuseIO's
  /// `tickets_close_after`.
  public var quietDays: Double = 14
  /// Days after closing within which the same thing reopens the case instead of opening a new one.
  /// 90 as AbuseIO's `info_interval`: later than that it is most likely another device behind the
  /// address.
  public var reopenDays: Double = 90
  /// Days after a notice in which an answer is due. 14 days is when 92 % of walled-garden
  /// customers, and 58-74 % of a control group, had cleaned up (Çetin et al., NDSS 2019).
  public var dueDays: Double = 14
  /// In per cent; a finding below is kept and shown but opens no case. 50 is where "medium" begins.
  public var minimumConfidence: Int = 50
  /// The kinds that are cases. A scan alone is no reason to call a subscriber, and a victim of a
  /// spoofed attack is told where it is a customer: scanners are kept as findings only.
  public var kinds: Set<Finding.Kind> = [
    .infectedHost, .denialOfServiceVictim, .memberAlert, .commandAndControl,
    .denialOfServiceSource, .denialOfServiceReflector,
  ]

  public init() {}
}
