/// Numbers of the authority.
public struct TimeStampAuthorityParameters: Sendable {
  /// Stamps that may wait for the disk at once; our own choice: at 10,000 a second, 0.4 s. Beyond it
  /// requests are refused, so that memory stays bounded.
  public var maximumWaiting = 4096
  /// Seconds for which a signed head is published before a newer one is signed.
  public var headSeconds = 1.0
  /// Seconds between two anchors: the authority's own stamp over the journal's head.
  public var anchorSeconds = 3600.0
  /// Octets of a request that are read: RFC 3161 requests have about 100, extensions included never
  /// more than this.
  public var maximumRequestLength = 65_536
  /// Entries given at once to whoever audits.
  public var maximumEntries = 1000
  /// How far, in seconds, genTime may be put ahead of the clock to keep stamps in order where
  /// ``TimeStampUnitParameters/ordering`` is on: our own choice, a hundredth of the promise.
  public var maximumOrderingLead = 0.01

  /// The values above.
  public init() {}
}
