import Foundation

/// Whether a server's clients act at the same moments: bots that follow one order do, people do not.
public struct SynchronyTest: Hashable, Sendable {
  public struct Parameters: Hashable, Sendable, Codable {
    /// Seconds within which acts are simultaneous (our own choice: orders spread in seconds, clocks of
    /// exporters differ by a few).
    public var binSeconds: UInt32 = 30
    /// Clients that are compared at most.
    public var clients = 12
    /// Decades of surprise that count fully.
    public var fullDecades = 8.0

    public init() {}
  }

  public var parameters: Parameters

  public init(parameters: Parameters = Parameters()) { self.parameters = parameters }

  /// −log10 of the chance that at least half of the clients were active together so often, were each
  /// active in its bins independently; 0 for less than three clients.
  public func decades(_ timelines: [[UInt32]]) -> Double {
    let chosen = timelines.filter { $0.count >= 3 }.prefix(parameters.clients)
    guard chosen.count >= 3, let first = chosen.compactMap(\.first).max(),
      let last = chosen.compactMap(\.last).min(), last > first
    else { return 0 }
    // Only the time in which all of them were there.
    let width = max(1, parameters.binSeconds)
    let bins = Int((last - first) / width) + 1
    guard bins >= 8 else { return 0 }
    var activity: [Int: Int] = [:]
    var shares: [Double] = []
    for timeline in chosen {
      let active = Set(
        timeline.filter { $0 >= first && $0 <= last }.map { Int(($0 - first) / width) })
      for bin in active { activity[bin, default: 0] += 1 }
      shares.append(min(0.999, Double(active.count) / Double(bins)))
    }
    let needed = max(2, (chosen.count + 1) / 2)
    let together = activity.values.count { $0 >= needed }
    // The chance that `needed` of independent clients fall into one bin, by adding them one by one.
    var counts = [1.0]
    for share in shares {
      var next = [Double](repeating: 0, count: counts.count + 1)
      for (index, value) in counts.enumerated() {
        next[index] += value * (1 - share)
        next[index + 1] += value * share
      }
      counts = next
    }
    let chance = counts.dropFirst(needed).reduce(0, +)
    guard chance < 0.5 else { return 0 }
    return max(0, -Statistics.binomialTail(together, of: bins, chance))
  }

  /// 0...1.
  func strength(_ timelines: [[UInt32]]) -> Double {
    min(1, decades(timelines) / parameters.fullDecades)
  }
}
