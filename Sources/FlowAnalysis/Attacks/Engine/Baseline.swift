import Glibc
public import NetworkTypes

/// What is normal of a protected prefix, to be kept over restarts.
public struct LearnedRates: Sendable, Codable, Hashable {
  public var prefix: IPPrefix
  public var kind: TrafficKind
  /// Of the natural logarithm of (1 + the greatest second of a minute), for packets, bits and
  /// flows.
  public var mean: [Float]
  public var deviation: [Float]
  public var minutes: UInt32
  /// The same mean for each hour of the week from Thursday 00:00 UTC on (as 1970 began), packets,
  /// bits and flows in turn; negative where that hour was never seen. Empty or 504 values.
  public var week: [Float]
}

/// Learns what is normal, without learning attacks.
///
/// What is looked at is the greatest second of each minute, as a logarithm, since traffic varies by
/// factors. Its mean and mean absolute deviation follow with a small weight; a value far outside
/// counts only up to three deviations (winsorising), and minutes of an attack do not count at all.
struct Baseline {
  let rate: Float
  let weeklyRate: Float
  let warmUp: UInt32
  let factor: Float
  let deviations: Float
  let floor: Float
  let learns: Bool

  /// Half of an e-fold: what a first minute's deviation is taken for, and the least that it becomes
  /// is a tenth of that.
  private static let firstDeviation: Float = 0.5
  private static let leastDeviation: Float = 0.05
  /// Mean absolute deviations of a standard deviation of a normal distribution: √(π/2).
  private static let toStandard: Float = 1.2533

  init(_ parameters: AttackParameters) {
    rate = Float(min(max(parameters.learningRate, 0.001), 1))
    weeklyRate = Float(min(max(parameters.weeklyLearningRate, 0.001), 1))
    warmUp = UInt32(min(max(parameters.warmUpMinutes, 1), 100_000))
    factor = Float(max(1, parameters.baselineFactor))
    deviations = Float(max(0, parameters.baselineDeviations))
    floor = Float(min(max(parameters.baselineFloor, 0), 1))
    learns = parameters.learns
  }

  /// Takes in a minute and sets the limit anew.
  ///
  /// - Parameter usual: what this hour of the week usually has, as a logarithm; zero where unknown.
  func learn(_ meter: inout Meter, usual: SIMD4<Float>) {
    guard learns else { return }
    for unit in 0..<3 {
      let value = log1p(meter.minutePeak[unit])
      if meter.samples == 0 {
        meter.mean[unit] = value
        meter.deviation[unit] = Self.firstDeviation
        continue
      }
      // While it is new, a minute has more weight, so that the first is soon forgotten.
      let weight = max(rate, 1 / Float(meter.samples + 1))
      let bound = 3 * max(meter.deviation[unit], Self.leastDeviation)
      let difference = value - meter.mean[unit]
      let step = meter.samples < warmUp ? difference : min(max(difference, -bound), bound)
      meter.mean[unit] += weight * step
      meter.deviation[unit] += weight * (abs(step) - meter.deviation[unit])
    }
    meter.samples &+= 1
    setLimit(&meter, usual: usual)
  }

  func setLimit(_ meter: inout Meter, usual: SIMD4<Float>) {
    guard learns, meter.samples >= warmUp else { return }
    for unit in 0..<3 where meter.floor[unit].isFinite {
      let mean = max(meter.mean[unit], usual[unit])
      let spread = deviations * Self.toStandard * max(meter.deviation[unit], Self.leastDeviation)
      let learned = max(factor * expm1(mean), expm1(min(mean + spread, 80)))
      meter.limit[unit] = min(meter.fixed[unit], max(learned, floor * meter.floor[unit]))
    }
  }
}

/// What each hour of the week usually has, for one meter.
struct WeekProfile {
  static let hours = 168
  private(set) var usual: [Float]
  private var hour = -1
  private var sum = SIMD4<Float>(repeating: 0)
  private var minutes: Float = 0

  init() { usual = Array(repeating: -1, count: Self.hours * 3) }

  init?(_ stored: [Float]) {
    guard stored.count == Self.hours * 3, stored.allSatisfy({ $0.isFinite && $0 < 80 }) else {
      return nil
    }
    usual = stored
  }

  static func hour(ofMinute minute: Int64) -> Int { Int(minute / 60 % Int64(hours)) }

  /// What that hour usually has; zero where it was never seen.
  func expected(hour: Int) -> SIMD4<Float> {
    SIMD4(
      max(0, usual[hour * 3]), max(0, usual[hour * 3 + 1]), max(0, usual[hour * 3 + 2]), 0)
  }

  mutating func learn(_ peak: SIMD4<Float>, hour newHour: Int, rate: Float) {
    if newHour != hour {
      if hour >= 0, minutes > 0 {
        for unit in 0..<3 {
          let mean = sum[unit] / minutes
          let place = hour * 3 + unit
          usual[place] = usual[place] < 0 ? mean : usual[place] + rate * (mean - usual[place])
        }
      }
      hour = newHour
      sum = .zero
      minutes = 0
    }
    for unit in 0..<3 { sum[unit] += log1p(peak[unit]) }
    minutes += 1
  }
}
