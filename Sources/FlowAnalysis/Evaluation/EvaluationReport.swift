/// Everything that an evaluation measured, in the form of its JSON.
public struct EvaluationReport: Hashable, Sendable, Codable {
  /// What one set gave.
  public struct Scenario: Hashable, Sendable, Codable {
    public var name = ""
    public var flows = 0
    public var passedOver = 0
    public var days = 0.0
    public var home: [String] = []
    public var population = 0
    public var suspects = 0.0
    public var counters = TrackingCounters()
    /// True servers and what became of each.
    public var truth: [Truth] = []
    public var metrics = RankingMetrics()
    /// The head of the list.
    public var head: [Listed] = []
    /// Servers at each grade or above.
    public var candidates = 0
    public var probable = 0
    public var confirmed = 0
    /// Servers above the reporting line that are not true ones, and those of them that the labels call
    /// malicious otherwise.
    public var falseServers = 0
    public var otherMalicious = 0
    public var falsePerDay = RankingMetrics.Estimate(value: 0, low: 0, high: 0)
    public var falseConfirmed = 0
    public var garcia: [Garcia] = []
    public var baselines: [Baseline] = []
    public var sampled: [Sampled] = []

    public init() {}
  }

  public struct Truth: Hashable, Sendable, Codable {
    public var server: String
    /// Place in the list, 1 for the first; nil where it is not listed. Ties count as lost.
    public var rank: Int?
    public var probability: Double?
    public var grade: ServerGrade?
    /// Seconds from its first contact to the first ranking that put it above the reporting line.
    public var secondsToDetection: Double?
  }

  public struct Listed: Hashable, Sendable, Codable {
    public var service: String
    public var probability: Double
    public var grade: ServerGrade
    public var isTrue: Bool
    public var clients: Int
    public var contacts: UInt32
    public var evidence: [EvidenceKind: Double]
    /// Seconds since 1970 of the first client's latest contacts.
    public var times: [UInt32]
  }

  /// García's metric for one way of flagging.
  public struct Garcia: Hashable, Sendable, Codable {
    /// `list`: flows to servers above the line; `online`: the same, from the moment on at which a
    /// server got there; `everything` and `rita-v5` for comparison.
    public var method: String
    public var result: GarciaMetric.Result
    public var precision: Double
    public var recall: Double
    public var falsePositiveRate: Double
    public var f1: Double

    init(_ method: String, _ result: GarciaMetric.Result) {
      self.method = method
      self.result = result
      precision = result.precision
      recall = result.recall
      falsePositiveRate = result.falsePositiveRate
      f1 = result.f1
    }
  }

  /// Another method's ranking of the same flows.
  public struct Baseline: Hashable, Sendable, Codable {
    public var method: String
    /// Pairs or servers that it ranked.
    public var scored: Int
    /// The place of the best true one, ties lost; nil where none is ranked.
    public var rank: Int?
    public var score: Double?
    public var averagePrecision: Double
    /// Ranked at 0.9 and above, where scores are of that kind.
    public var atLeast90: Int?
  }

  public struct Sampled: Hashable, Sendable, Codable {
    public var rate: UInt32
    public var flows: Int
    public var metrics: RankingMetrics
    public var truth: [Truth]
    public var falseServers: Int
  }

  /// A cell of the sweep of synthetic channels.
  public struct OverlayResult: Hashable, Sendable, Codable {
    public var set: String
    public var overlay: BeaconOverlay
    public var samplingRate: UInt32
    public var rank: Int?
    public var probability: Double
    public var grade: ServerGrade
  }

  /// How often servers of about this probability are true.
  public struct CalibrationBin: Hashable, Sendable, Codable {
    public var from: Double
    public var to: Double
    public var servers: Int
    public var meanProbability: Double
    public var observed: Double
  }

  public var seed: UInt64
  public var parameters: RankingParameters
  public var scenarios: [Scenario] = []
  public var overlays: [OverlayResult] = []
  public var calibration: [CalibrationBin] = []

  public init(seed: UInt64, parameters: RankingParameters) {
    self.seed = seed
    self.parameters = parameters
  }
}
