/// The kinds of evidence for and against a server, each a number that ``ServerRanking`` weighs.
public enum EvidenceKind: String, Hashable, Sendable, Codable, CaseIterable, CodingKeyRepresentable
{
  // For.
  /// A client comes back by the clock (``PeriodicityTest``), 0...1.
  case periodic
  /// A client sends the same amount each time (``SizeRegularityTest``), 0...1.
  case sameSize
  /// A client keeps coming through the whole time, 0...1.
  case persistent
  /// A session is long and thin (``LongSessionTest``), 0...1.
  case longSession
  /// Its clients do harm more often than the population (``EnrichmentTest``), decades.
  case enriched
  /// The port is neither web nor infrastructure, 0 or 1.
  case rarePort
  /// Several clients act at the same moments (``SynchronyTest``), 0...1.
  case synchronous
  /// New in this network after a time of learning, 0 or 1.
  case new
  /// On a list (``ThreatList``), 0 or 1.
  case listed
  // Against.
  /// The port is one of services that are contacted by the clock anyway, 0 or 1.
  case infrastructure
  /// Much of the population goes there or to its neighbours, 0...1.
  case popular
  /// Nobody ever gets an answer, 0...1.
  case silent
  /// The client treats many other servers alike (peer-to-peer, crawlers), decades.
  case oneOfMany
  /// It is one of the addresses that the client scans, 0 or 1.
  case scanTarget
  /// It is inside, and contacted from outside, 0 or 1.
  case inbound

  /// Whether it may only raise (+1) or only lower (−1) the probability.
  public var sign: Double {
    switch self {
    case .periodic, .sameSize, .persistent, .longSession, .enriched, .rarePort, .synchronous, .new,
      .listed:
      1
    case .infrastructure, .popular, .silent, .oneOfMany, .scanTarget, .inbound: -1
    }
  }

  /// Kinds of which a server needs two to be confirmed without an analyst, because each is
  /// independent of the others: its rhythm, its clients, other people's knowledge.
  static let independent: [[EvidenceKind]] = [
    [.periodic, .longSession], [.enriched], [.synchronous], [.listed],
  ]
}
