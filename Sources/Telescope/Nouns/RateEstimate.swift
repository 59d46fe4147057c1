import Glibc

/// A rate on the whole IPv4 Internet, estimated from what fell on the telescope, in packets per second.
public struct RateEstimate: Hashable, Sendable, Codable {
  public let packetsPerSecond: Double
  /// The 95 % interval of the Poisson count behind it.
  public let lower: Double
  public let upper: Double

  public init(packetsPerSecond: Double, lower: Double, upper: Double) {
    self.packetsPerSecond = packetsPerSecond
    self.lower = lower
    self.upper = upper
  }

  /// From a count of packets over a time, for a sender that chooses destinations uniformly.
  ///
  /// One packet alone, or packets within one second, are counted as one second.
  public init(packets: UInt64, seconds: Double, space: DarkSpace) {
    let scale = space.extrapolation / max(1, seconds)
    let bounds = Self.poissonInterval(Double(packets))
    packetsPerSecond = Double(packets) * scale
    lower = bounds.lower * scale
    upper = bounds.upper * scale
  }

  /// The exact (Garwood 1936) 95 % limits, by the Wilson–Hilferty (1931) approximation of the
  /// chi-square quantile, which is within 0.1 % from five counts on.
  static func poissonInterval(_ count: Double) -> (lower: Double, upper: Double) {
    let z = 1.959964
    let upperCount = count + 1
    let upper = upperCount * pow(1 - 1 / (9 * upperCount) + z / (3 * sqrt(upperCount)), 3)
    guard count > 0 else { return (0, upper) }
    let lower = count * pow(1 - 1 / (9 * count) - z / (3 * sqrt(count)), 3)
    return (max(0, lower), upper)
  }
}
