/// What turns evidence into a probability: one weight for each kind, natural logarithms of odds.
///
/// The shipped values are those that `noroshi flows fit` finds on the sets named in docs/detection.md.
public struct RankingParameters: Hashable, Sendable, Codable {
  /// Log-odds of a service without any evidence.
  public var bias = -8.1
  public var weights: [EvidenceKind: Double] = [
    .periodic: 3.53, .sameSize: 2.13, .persistent: 1.96, .longSession: 1.36, .enriched: 1.71,
    .rarePort: 2.47, .synchronous: 1.5, .new: 0.5, .listed: 5, .infrastructure: -4.02,
    .popular: -4, .silent: -0.89, .oneOfMany: -1.83, .scanTarget: -4, .inbound: -1,
  ]
  /// From here on a server is worth a look.
  public var candidate = 0.1
  /// The reporting line: more likely than not.
  public var probable = 0.5
  /// From here on, and with two independent kinds of evidence, it is confirmed without an analyst.
  public var confirmed = 0.97

  /// −log10 of the chance from which a rhythm counts, and from which it counts fully.
  public var periodicFrom = 1.5
  public var periodicFull = 9.0
  /// Distinct contacts from which persistence counts fully.
  public var persistentContacts = 8.0
  /// Share of the time covered below which a client is a visitor.
  public var persistentFrom = 0.2
  /// How much of persistence rests on leaving no beat out.
  public var steadiness = 0.6
  /// Silent addresses on one port from which a contact there may be part of the scan.
  public var scanTargets = 10
  /// How many times the scan's usual number of contacts lifts an address out of it.
  public var standsOut = 5.0
  /// Population from which popularity counts.
  public var population = 5
  /// Seconds of learning before anything can be new, and how young it must then be.
  public var learningSeconds = 7.0 * 86_400
  public var newSeconds = 3.0 * 86_400
  /// Sampling from which sizes and answers are not judged: most flows are then one packet.
  public var coarseSampling: UInt32 = 10
  /// Days that a server stays on the list after it was last seen: the median life of listed C&C
  /// servers is 66 days and a quarter live less than 21 (docs/detection.md), and it is renewed by
  /// every sight.
  public var expiryDays = 30.0
  /// Contacts in a plot and clients in an explanation, at most.
  public var listedClients = 50

  public var periodicity = PeriodicityTest.Parameters()
  public var sizes = SizeRegularityTest.Parameters()
  public var sessions = LongSessionTest.Parameters()
  public var conduct = ConductParameters()
  public var enrichment = EnrichmentTest.Parameters()
  public var synchrony = SynchronyTest.Parameters()

  public init() {}

  /// What physics says before any set is looked at, from which fitting starts: how many times more
  /// often each is met at a C&C server than elsewhere, by judgement.
  public static let prior: RankingParameters = {
    var parameters = RankingParameters()
    parameters.bias = -6.5
    parameters.weights = [
      .periodic: 3, .sameSize: 1.25, .persistent: 1, .longSession: 1.5, .enriched: 1.6,
      .rarePort: 1.5, .synchronous: 1.5, .new: 0.5, .listed: 5, .infrastructure: -4, .popular: -4,
      .silent: -1, .oneOfMany: -1.5, .scanTarget: -4, .inbound: -1,
    ]
    return parameters
  }()

  public func weight(_ kind: EvidenceKind) -> Double { weights[kind] ?? 0 }
}
