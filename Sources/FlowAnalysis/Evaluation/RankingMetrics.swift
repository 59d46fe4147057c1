import Foundation
import Sketches

/// Figures of a ranked list against the truth: precision, recall, average precision, with intervals
/// from resampling.
public struct RankingMetrics: Hashable, Sendable, Codable {
  /// A value and its interval of 95 %.
  public struct Estimate: Hashable, Sendable, Codable {
    public var value: Double
    public var low: Double
    public var high: Double
  }

  /// Precision and recall at a depth or above a probability.
  public struct Point: Hashable, Sendable, Codable {
    /// The depth k, or the least probability.
    public var at: Double
    public var listed: Int
    public var correct: Int
    public var precision: Double
    public var recall: Double
  }

  /// True servers, whether listed or not.
  public var positives = 0
  public var averagePrecision = Estimate(value: 0, low: 0, high: 0)
  public var atDepth: [Point] = []
  public var atProbability: [Point] = []

  /// An entry of a list: its score, and whether it is right.
  public struct Entry: Hashable, Sendable {
    public var score: Double
    public var isTrue: Bool

    public init(score: Double, isTrue: Bool) {
      self.score = score
      self.isTrue = isTrue
    }
  }

  public init() {}

  /// - Parameters:
  ///   - entries: the list, in any order; ties count against the true ones.
  ///   - missed: true servers that are not in the list.
  public init(
    _ entries: [Entry], missed: Int, depths: [Int] = [1, 3, 5, 10, 20],
    probabilities: [Double] = [0.1, 0.5, 0.9, 0.97], resamples: Int = 1_000, seed: UInt64 = 1
  ) {
    let ordered = Self.ordered(entries)
    positives = ordered.count { $0.isTrue } + missed
    func point(_ at: Double, _ listed: ArraySlice<Entry>) -> Point {
      let correct = listed.count { $0.isTrue }
      return Point(
        at: at, listed: listed.count, correct: correct,
        precision: listed.isEmpty ? 0 : Double(correct) / Double(listed.count),
        recall: positives == 0 ? 0 : Double(correct) / Double(positives))
    }
    atDepth = depths.map { point(Double($0), ordered.prefix($0)) }
    atProbability = probabilities.map { least in
      point(least, ordered.prefix { 1 / (1 + exp(-$0.score)) >= least })
    }
    let value = Self.averagePrecision(ordered, positives: positives)
    var samples: [Double] = []
    if positives > 0, !ordered.isEmpty {
      var generator = SeededGenerator(seed: seed)
      // Servers are drawn again with replacement, the missed ones among them.
      let everything =
        ordered + [Entry](repeating: Entry(score: -.infinity, isTrue: true), count: missed)
      for _ in 0..<resamples {
        var drawn: [Int] = []
        drawn.reserveCapacity(everything.count)
        for _ in everything.indices {
          drawn.append(Int(generator.nextUnit() * Double(everything.count)))
        }
        drawn.sort()
        let sample = drawn.map { everything[$0] }
        let all = sample.count { $0.isTrue }
        guard all > 0 else { continue }
        samples.append(
          Self.averagePrecision(sample.filter { $0.score > -.infinity }, positives: all))
      }
      samples.sort()
    }
    averagePrecision = Estimate(
      value: value, low: Self.quantile(samples, 0.025) ?? value,
      high: Self.quantile(samples, 0.975) ?? value)
  }

  static func quantile(_ sorted: [Double], _ share: Double) -> Double? {
    sorted.isEmpty ? nil : sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))]
  }

  private static func ordered(_ entries: [Entry]) -> [Entry] {
    entries.sorted { $0.score != $1.score ? $0.score > $1.score : !$0.isTrue && $1.isTrue }
  }

  /// The mean of the precision at each true server's place; missed ones count as 0.
  static func averagePrecision(_ ordered: [Entry], positives: Int) -> Double {
    guard positives > 0 else { return 0 }
    var correct = 0
    var sum = 0.0
    for (index, entry) in ordered.enumerated() where entry.isTrue {
      correct += 1
      sum += Double(correct) / Double(index + 1)
    }
    return sum / Double(positives)
  }

  /// An interval of 95 % for a count, as if it were Poisson's (Garwood 1936, by the approximation of
  /// Wilson and Hilferty).
  public static func poisson(_ count: Int) -> (low: Double, high: Double) {
    let z = 1.96
    func bound(_ mean: Double, _ sign: Double) -> Double {
      guard mean > 0 else { return 0 }
      return mean * pow(1 - 1 / (9 * mean) + sign * z / (3 * mean.squareRoot()), 3)
    }
    return (bound(Double(count), -1), bound(Double(count + 1), 1))
  }
}
