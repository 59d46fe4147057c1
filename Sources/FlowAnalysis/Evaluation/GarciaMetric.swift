import Foundation
public import NetworkTypes

/// The time-based metric of García et al. 2014 ("An empirical comparison of botnet detection methods",
/// §7.2): per comparison window and per *address*, with early detection worth more.
///
/// An address counts once in a window, whatever number of its flows is flagged. Background is not
/// counted. Windows are numbered from 1 and weigh `exp(−0.01·n) + 1`.
public struct GarciaMetric: Sendable {
  public struct Parameters: Hashable, Sendable, Codable {
    /// Seconds of a comparison window: five minutes, as published.
    public var windowSeconds = 300
    /// The decay α, as published.
    public var decay = 0.01

    public init() {}
  }

  /// The sums over all windows, and what follows from them.
  public struct Result: Hashable, Sendable, Codable {
    public var truePositives = 0.0
    public var falseNegatives = 0.0
    public var falsePositives = 0.0
    public var trueNegatives = 0.0
    /// Windows with both botnet and normal addresses.
    public var windows = 0

    public init() {}

    private static func ratio(_ part: Double, _ other: Double) -> Double {
      part + other > 0 ? part / (part + other) : 0
    }

    public var precision: Double { Self.ratio(truePositives, falsePositives) }
    /// TPR.
    public var recall: Double { Self.ratio(truePositives, falseNegatives) }
    public var falsePositiveRate: Double { Self.ratio(falsePositives, trueNegatives) }
    public var accuracy: Double {
      Self.ratio(truePositives + trueNegatives, falsePositives + falseNegatives)
    }
    public var f1: Double {
      precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0
    }
  }

  public let parameters: Parameters
  private var origin: Int64?
  /// By window: the addresses, and whether any flow of theirs was flagged.
  private var botnet: [Int: [IPAddress: Bool]] = [:]
  private var normal: [Int: [IPAddress: Bool]] = [:]

  public init(parameters: Parameters = Parameters()) { self.parameters = parameters }

  /// Takes in one flow.
  ///
  /// - Parameters:
  ///   - nanoseconds: its start; the first flow begins the first window.
  ///   - source: its source address, to which the label belongs.
  public mutating func add(
    nanoseconds: Int64, source: IPAddress, label: FlowLabel, isFlagged: Bool
  ) {
    if origin == nil { origin = nanoseconds }
    let begin = origin ?? nanoseconds
    let offset = nanoseconds.subtractingReportingOverflow(begin).partialValue
    let window = max(0, Int(offset / (Int64(max(1, parameters.windowSeconds)) * 1_000_000_000)))
    switch label {
    case .commandAndControl, .malicious:
      botnet[window, default: [:]][source, default: false] =
        (botnet[window]?[source] ?? false) || isFlagged
    case .normal:
      normal[window, default: [:]][source, default: false] =
        (normal[window]?[source] ?? false) || isFlagged
    case .background: break
    }
  }

  /// The metric. A window without botnet addresses adds nothing to the first two sums, one without
  /// normal addresses nothing to the others.
  public var result: Result {
    var result = Result()
    // In order, so that the sums are the same to the last digit each time.
    for window in Set(botnet.keys).union(normal.keys).sorted() {
      let weight = exp(-parameters.decay * Double(window + 1)) + 1
      let bots = botnet[window] ?? [:]
      let hosts = normal[window] ?? [:]
      if !bots.isEmpty {
        let found = Double(bots.values.count { $0 })
        result.truePositives += found * weight / Double(bots.count)
        result.falseNegatives += (Double(bots.count) - found) * weight / Double(bots.count)
      }
      if !hosts.isEmpty {
        let flagged = Double(hosts.values.count { $0 })
        result.falsePositives += flagged / Double(hosts.count)
        result.trueNegatives += (Double(hosts.count) - flagged) / Double(hosts.count)
      }
      if !bots.isEmpty, !hosts.isEmpty { result.windows += 1 }
    }
    return result
  }
}
