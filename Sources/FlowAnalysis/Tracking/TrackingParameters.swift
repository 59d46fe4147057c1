/// The numbers that bound what is remembered of pairs.
public struct TrackingParameters: Hashable, Sendable, Codable {
  /// Pairs of a client and a service at most. 10 million take about 0.6 GB.
  public var pairs = 10_000_000
  /// Pairs with a list of times at most: those with three contacts or more. 384 octets each.
  public var timelines = 800_000
  /// Addresses and services at most; a contact that needs more is counted and left out.
  public var addresses = 6_000_000
  public var services = 6_000_000
  /// Share of pairs that is let go when there is no room: those heard of longest ago, single contacts
  /// first (our own choice: room for a while, without forgetting much at once).
  public var evictedShare = 0.2
  /// A pair that was silent for so long is forgotten. Seven days, so that weekly habits of people do
  /// not look like something new.
  public var idleSeconds = 7 * 86_400
  /// A record with the same client port that begins so soon after the last one ended goes on with the
  /// same session: exporters cut long flows (Cisco's active timeout).
  public var continuationSeconds = 3

  /// The values above.
  public init() {}
}

/// What was counted while contacts were taken in: every loss has its number.
public struct TrackingCounters: Hashable, Sendable, Codable {
  public var contacts: UInt64 = 0
  /// Contacts with multicast, broadcast, loopback or link-local ends: they leave no network.
  public var local: UInt64 = 0
  /// Contacts of which no pair could be kept, because addresses or services had no room.
  public var refused: UInt64 = 0
  /// Pairs let go for want of room.
  public var evictedPairs: UInt64 = 0
  /// Pairs whose times could not be kept for want of room.
  public var refusedTimelines: UInt64 = 0
  /// Pairs forgotten after long silence.
  public var idlePairs: UInt64 = 0

  public init() {}
}
