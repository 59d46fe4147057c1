import Foundation
public import NetworkTypes

/// RITA's beacon scores, recomputed from their description for comparison: version 5 and version 4
/// ("legacy"). See docs/detection.md for the formulas.
public struct RitaScore: Sendable {
  public enum Version: String, Hashable, Sendable, Codable, CaseIterable { case v4, v5 }

  /// The numbers of the published configurations.
  public struct Parameters: Hashable, Sendable, Codable {
    public var weight = 0.25
    public var minimumSeconds = 4
    /// From so many connections on it is a "strobe", which is not scored.
    public var strobe = 86_400
    public var bins = 24
    public var minimumBars = 11
    public var histogramSensitivity = 0.05
    public var minimumHours = 6
    public var idealHours = 12.0
    public var largestSkewSize = 65_535.0

    public init() {}
  }

  /// A score and its four parts.
  public struct Parts: Hashable, Sendable, Codable {
    public var score = 0.0
    public var timing = 0.0
    public var size = 0.0
    public var histogram = 0.0
    public var duration = 0.0

    public init() {}
  }

  public var parameters = Parameters()
  public let version: Version

  public init(_ version: Version) { self.version = version }

  /// Scores one pair; nil where RITA would not.
  ///
  /// - Parameters:
  ///   - seconds: start of each connection, whole seconds.
  ///   - sizes: octets that the source sent in each.
  ///   - window: first and last second of the data.
  public func score(
    seconds: [Int64], sizes: [Double], window: ClosedRange<Int64>
  ) -> Parts? {
    let times = seconds.sorted()
    guard Set(times).count >= parameters.minimumSeconds, times.count < parameters.strobe else {
      return nil
    }
    let gaps = zip(times, times.dropFirst()).map { Double($1 - $0) }.filter { $0 > 0 }
    guard gaps.count >= 3, sizes.count >= 3 else { return nil }
    var parts = Parts()
    let (timeSkew, timeSpread) = shape(gaps, whenSmall: 1)
    parts.timing = rounded((timeSkew + timeSpread) / 2)
    let (sizeSkew, sizeSpread) = shape(sizes, whenSmall: 0)
    switch version {
    case .v5: parts.size = rounded((sizeSkew + sizeSpread) / 2)
    case .v4:
      let counts = Dictionary(sizes.map { ($0, 1) }, uniquingKeysWith: +)
      let mode = counts.max { ($0.value, -$0.key) < ($1.value, -$1.key) }?.key ?? 0
      let smallness = max(0, 1 - mode / parameters.largestSkewSize)
      parts.size = rounded((sizeSkew + sizeSpread + smallness) / 3)
    }
    histogram(times, window, &parts)
    parts.score = rounded(
      parameters.weight * (parts.timing + parts.size + parts.histogram + parts.duration))
    return parts
  }

  private func rounded(_ value: Double) -> Double {
    version == .v5 ? (value * 1_000).rounded() / 1_000 : (value * 1_000).rounded(.up) / 1_000
  }

  private func ceiling(_ value: Double) -> Double { (value * 1_000).rounded(.up) / 1_000 }

  /// One minus Bowley's skewness, and one minus the relative median deviation.
  private func shape(_ values: [Double], whenSmall: Double) -> (skew: Double, spread: Double) {
    let sorted = values.sorted()
    let (low, middle, high) = quartiles(sorted)
    let width = high - low
    let skew =
      width >= 10 && middle != low && middle != high ? (low + high - 2 * middle) / width : 0
    let median = version == .v5 ? Statistics.median(sorted) : middle
    let deviation = sorted.map { abs($0 - median) }.sorted()
    let spread = version == .v5 ? Statistics.median(deviation) : quartiles(deviation).1
    return (1 - abs(skew), median >= 1 ? max(0, (median - spread) / median) : whenSmall)
  }

  private func quartiles(_ sorted: [Double]) -> (Double, Double, Double) {
    let count = sorted.count
    switch version {
    case .v5:
      let half = count / 2
      return (
        Statistics.median(Array(sorted[..<half])), Statistics.median(sorted),
        Statistics.median(Array(sorted[(count - half)...]))
      )
    case .v4:
      let at = { (share: Double) in sorted[Int((share * Double(count - 1)).rounded())] }
      return (at(0.25), at(0.5), at(0.75))
    }
  }

  private func histogram(_ times: [Int64], _ window: ClosedRange<Int64>, _ parts: inout Parts) {
    let length = Double(max(1, window.upperBound - window.lowerBound))
    let step = length / Double(parameters.bins)
    var bins = [Int](repeating: 0, count: parameters.bins)
    for time in times {
      let bin = Int(Double(time - window.lowerBound) / step)
      bins[min(parameters.bins - 1, max(0, bin))] += 1
    }
    let bars = bins.count { $0 > 0 }
    let mean = Double(times.count) / Double(bins.count)
    let variance = bins.reduce(0) { $0 + pow(Double($1) - mean, 2) } / Double(bins.count)
    let variation = variance.squareRoot() / mean
    var best = variation > 1 ? 0 : rounded(1 - variation)
    if bars >= parameters.minimumBars {
      let width = Int(
        (Double(bins.max() ?? 0) * parameters.histogramSensitivity).rounded(.up))
      let groups = Dictionary(
        bins.filter { $0 > 0 }.map { ($0 / max(1, width), 1) }, uniquingKeysWith: +)
      let largest = groups.values.sorted(by: >).prefix(2).reduce(0, +)
      best = max(best, min(1, rounded(Double(largest) / Double(max(bars - 1, 1)))))
    }
    parts.histogram = best
    guard bars >= parameters.minimumHours, let first = times.first, let last = times.last else {
      return
    }
    var run = 0
    var longest = 0
    for index in 0..<(2 * bins.count) {
      run = bins[index % bins.count] > 0 ? run + 1 : 0
      longest = max(longest, run)
    }
    longest = min(longest, bins.count)
    parts.duration = max(
      min(1, ceiling(Double(last - first) / length)),
      min(1, ceiling(Double(longest) / parameters.idealHours)))
  }
}

/// Collects what RITA's scores and the popularity baseline need, pair by pair.
public struct BaselineCollector: Sendable {
  struct Pair: Sendable {
    var seconds: [Int64] = []
    var sizes: [Float] = []
  }

  struct Key: Hashable, Sendable {
    let source: IPAddress
    let destination: IPAddress
  }

  private var pairs: [Key: Pair] = [:]
  private var first = Int64.max
  private var last = Int64.min
  private let home: HomeNetworks
  /// Contacts kept at most: times and sizes of 40 million take half a gigabyte.
  private var room: Int
  /// Pairs at most: with their lists, about a gigabyte.
  private static let pairLimit = 3_000_000
  /// Contacts that found no room.
  public private(set) var refused = 0

  /// - Parameter home: only contacts from there to elsewhere count; unknown for all.
  public init(home: HomeNetworks, capacity: Int = 40_000_000) {
    self.home = home
    room = capacity
  }

  /// Takes in a flow with its ends as the record has them, as RITA does.
  public mutating func add(_ flow: LabelledFlow) {
    let contact = flow.sourceIsClient ? flow.contact : flow.contact.reversed
    guard home.isUnknown || home.contains(contact.client) && !home.contains(contact.server)
    else { return }
    let key = Key(source: contact.client, destination: contact.server)
    guard room > 0, pairs.count < Self.pairLimit || pairs[key] != nil else {
      refused += 1
      return
    }
    room -= 1
    let second = Timestamp(nanoseconds: contact.start).seconds
    first = min(first, second)
    last = max(last, second)
    pairs[key, default: Pair()].seconds.append(second)
    pairs[key, default: Pair()].sizes.append(Float(contact.bytesOut))
  }

  /// A pair's score.
  public struct Scored: Hashable, Sendable {
    public let source: IPAddress
    public let destination: IPAddress
    public let parts: RitaScore.Parts
  }

  /// RITA's ranking of pairs, the best first.
  public func ranking(_ version: RitaScore.Version) -> [Scored] {
    guard first <= last else { return [] }
    let score = RitaScore(version)
    return pairs.compactMap { key, pair in
      score.score(seconds: pair.seconds, sizes: pair.sizes.map(Double.init), window: first...last)
        .map { Scored(source: key.source, destination: key.destination, parts: $0) }
    }.sorted {
      $0.parts.score != $1.parts.score
        ? $0.parts.score > $1.parts.score
        : ($0.destination, $0.source) < ($1.destination, $1.source)
    }
  }

  /// The plain baseline: servers by contacts per client, which puts what few visit often first.
  public func popularity() -> [(server: IPAddress, score: Double)] {
    var servers: [IPAddress: (contacts: Int, clients: Int)] = [:]
    for (key, pair) in pairs {
      servers[key.destination, default: (0, 0)].contacts += pair.seconds.count
      servers[key.destination, default: (0, 0)].clients += 1
    }
    return servers.map { ($0.key, Double($0.value.contacts) / pow(Double($0.value.clients), 2)) }
      .sorted { $0.1 != $1.1 ? $0.1 > $1.1 : $0.0 < $1.0 }
  }
}
