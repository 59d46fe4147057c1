import Foundation

/// Fits the weights of evidence on labelled sets: logistic regression with a sign for each kind and a
/// prior around the weights that stand there before, so that kinds of which the sets say nothing keep
/// what physics says of them.
///
/// Gradient descent with backtracking from the prior, projected on the signs; convex, so that the
/// result does not depend on chance.
public struct RankingFit: Sendable {
  public struct Parameters: Hashable, Sendable, Codable {
    /// How far a weight is expected to move from the prior (standard deviation, log-odds).
    public var spread = 0.7
    /// The same of the bias, which the sets may set freely.
    public var biasSpread = 2.0
    public var steps = 2_000
    /// The weight of all synthetic channels together, in true servers: they are no better than one's
    /// imagination.
    public var overlayWeight = 12.0
    /// False servers per true one of a set count at most so much; a capture of the Internet's
    /// background is not a million arguments.
    public var negativesPerSet = 400.0
    /// Share of weighed services that are C&C servers in an ordinary network: the sets have far more, so
    /// that the bias is put right afterwards (Prentice and Pyke 1979, case-control studies). One in a
    /// thousand is our own assumption; a higher one reports more.
    public var prevalence = 0.001
    public var seed: UInt64 = 1

    public init() {}
  }

  /// A service to learn from.
  public struct Row: Hashable, Sendable {
    public var evidence: [EvidenceKind: Double]
    public var isTrue: Bool
    public var weight: Double

    public init(evidence: [EvidenceKind: Double], isTrue: Bool, weight: Double) {
      self.evidence = evidence
      self.isTrue = isTrue
      self.weight = weight
    }
  }

  public struct Result: Hashable, Sendable, Codable {
    public var parameters: RankingParameters
    public var trueServers = 0
    public var otherServers = 0
    /// Mean log-loss before and after, without the prior.
    /// With the bias for ordinary networks afterwards, so that it may be greater.
    public var lossBefore = 0.0
    public var lossAfter = 0.0
  }

  public var parameters = Parameters()

  public init() {}

  /// Learns from sets whose labels or channels are known; `overlays` are laid over each of `bases`.
  ///
  /// - Throws: ``LabelledFlowError``.
  public func fit(
    _ sets: [EvaluationSet], bases: [EvaluationSet], overlays: [BeaconOverlay],
    from prior: RankingParameters
  ) throws -> Result {
    var rows: [Row] = []
    for set in sets { try rows += self.rows(set, prior) }
    for base in bases { try rows += synthetic(base, overlays, prior) }
    return fit(rows, from: prior)
  }

  private func rows(_ set: EvaluationSet, _ prior: RankingParameters) throws -> [Row] {
    let flows = try EvaluationFlows(set, keeping: 3_000_000)
    var ranking = ServerRanking(parameters: prior)
    ranking.home = set.home
    ranking.limit = 5_000
    let tracker = ContactTracker()
    try flows.forEachFlow { tracker.add($0.contact) }
    let servers = ranking.rank(tracker).servers
    let positives = servers.filter { flows.isTrue($0.service) }
    // What the labels call malicious otherwise is neither right nor wrong.
    let negatives = servers.filter {
      !flows.isTrue($0.service) && !flows.malicious.contains($0.service)
    }
    let weight = min(1, parameters.negativesPerSet / Double(max(1, negatives.count)))
    return positives.map { Row(evidence: $0.evidence, isTrue: true, weight: 1) }
      + negatives.map { Row(evidence: $0.evidence, isTrue: false, weight: weight) }
  }

  private func synthetic(
    _ set: EvaluationSet, _ overlays: [BeaconOverlay], _ prior: RankingParameters
  ) throws -> [Row] {
    let flows = try EvaluationFlows(set, keeping: 3_000_000)
    let hosts = try flows.hosts()
    var rows: [Row] = []
    for (index, overlay) in overlays.enumerated() {
      let copy = ContactTracker()
      try flows.forEachFlow { copy.add($0.contact) }
      for flow in overlay.flows(
        from: flows.first, to: flows.last, hosts: hosts, seed: parameters.seed &+ UInt64(index))
      {
        copy.add(flow.contact)
      }
      var ranking = ServerRanking(parameters: prior)
      ranking.home = set.home
      ranking.limit = 2_000
      if let server = ranking.rank(copy).servers.first(where: { $0.service == overlay.service }) {
        rows.append(
          Row(
            evidence: server.evidence, isTrue: true,
            weight: parameters.overlayWeight / Double(overlays.count)))
      }
    }
    return rows
  }

  /// Learns from rows.
  public func fit(_ rows: [Row], from prior: RankingParameters) -> Result {
    let kinds = EvidenceKind.allCases
    let start = [prior.bias] + kinds.map { prior.weight($0) }
    let matrix = rows.map { row in [1.0] + kinds.map { row.evidence[$0] ?? 0 } }
    var weights = start
    let total = rows.reduce(0) { $0 + $1.weight }

    func loss(_ weights: [Double], withPrior: Bool) -> Double {
      var sum = 0.0
      for (row, values) in zip(rows, matrix) {
        var z = 0.0
        for index in values.indices { z += weights[index] * values[index] }
        let signed = row.isTrue ? z : -z
        sum += row.weight * (signed > 0 ? log1p(exp(-signed)) : -signed + log1p(exp(signed)))
      }
      guard withPrior else { return total > 0 ? sum / total : 0 }
      for index in weights.indices {
        let spread = index == 0 ? parameters.biasSpread : parameters.spread
        sum += pow((weights[index] - start[index]) / spread, 2) / 2
      }
      return sum
    }
    var current = loss(weights, withPrior: true)
    var rate = 1.0
    for _ in 0..<parameters.steps {
      var gradient = [Double](repeating: 0, count: weights.count)
      for (row, values) in zip(rows, matrix) {
        var z = 0.0
        for index in values.indices { z += weights[index] * values[index] }
        let difference = row.weight * (1 / (1 + exp(-z)) - (row.isTrue ? 1 : 0))
        for index in values.indices { gradient[index] += difference * values[index] }
      }
      for index in weights.indices {
        let spread = index == 0 ? parameters.biasSpread : parameters.spread
        gradient[index] += (weights[index] - start[index]) / (spread * spread)
      }
      var moved = weights
      var next = current
      while rate > 1e-9 {
        for index in weights.indices {
          moved[index] = weights[index] - rate * gradient[index]
          if index > 0 {
            let sign = kinds[index - 1].sign
            moved[index] = sign > 0 ? max(0, moved[index]) : min(0, moved[index])
          }
        }
        next = loss(moved, withPrior: true)
        if next < current { break }
        rate /= 2
      }
      guard next < current else { break }
      let gain = current - next
      weights = moved
      current = next
      rate *= 1.5
      if gain < 1e-10 { break }
    }
    let positives = rows.reduce(0) { $0 + ($1.isTrue ? $1.weight : 0) }
    if positives > 0, total > positives {
      weights[0] +=
        log(parameters.prevalence / (1 - parameters.prevalence))
        - log(positives / (total - positives))
    }
    let after = loss(weights, withPrior: false)
    var fitted = prior
    fitted.bias = (weights[0] * 100).rounded() / 100
    for (index, kind) in kinds.enumerated() {
      fitted.weights[kind] = (weights[index + 1] * 100).rounded() / 100
    }
    return Result(
      parameters: fitted, trueServers: rows.count { $0.isTrue },
      otherServers: rows.count { !$0.isTrue }, lossBefore: loss(start, withPrior: false),
      lossAfter: after)
  }
}
