import Foundation
import Sketches

/// Whether a client comes back by the clock.
///
/// Two tests, because beacons are "periodic only when idle" (García 2014): how many of the intervals
/// lie around one value, whatever the rest does (**modal interval**), and how much of the contacts'
/// power stands at one frequency, even where beats are missing or sampling took most of them
/// (**spectrum**; BAYWATCH, Hu et al. 2016, with its permutation null).
public struct PeriodicityTest: Hashable, Sendable {
  public struct Parameters: Hashable, Sendable, Codable {
    /// Contacts closer together than this are one: a page and its parts, a retry.
    public var burstSeconds: UInt32 = 2
    /// Intervals at least; three equal ones happen by chance.
    public var minimumIntervals = 4
    /// Around the modal interval, this share of it, at least one second. Common jitter settings are
    /// 10 to 30 %; RITA's test beacon has ±27 %.
    public var tolerance = 0.15
    /// Chance that an interval of a memoryless process lies there: exp(−1)·2·tolerance ≈ 0.11 at its
    /// best place, doubled for the heavier middle of human habits (our own choice).
    public var chance = 0.2
    /// Contacts at least for a spectrum.
    public var spectralContacts = 8
    /// Frequencies looked at, at most.
    public var frequencies = 1_024
    /// Shufflings of the null; the p-value cannot fall below one in so many and one more, so that what
    /// is found to exceed all of them is extrapolated by the exponential tail of a periodogram.
    public var permutations = 20
    public var seed: UInt64 = 0x6e6f_726f_7368_6931

    public init() {}
  }

  /// What was found.
  public struct Result: Hashable, Sendable, Codable {
    /// −log10 of the chance that so many intervals agree, corrected for the places tried.
    public var modal = 0.0
    /// Share of intervals around the modal one.
    public var share = 0.0
    /// The modal interval, or the spectrum's period where only that spoke; seconds, 0 for none.
    public var period = 0.0
    /// −log10 of the chance of such a peak.
    public var spectral = 0.0
    /// The period of the peak, seconds.
    public var spectralPeriod = 0.0
    /// Distinct contacts that were looked at.
    public var contacts = 0

    public init() {}

    /// The stronger of the two.
    public var strength: Double { max(modal, spectral) }
  }

  public var parameters: Parameters

  public init(parameters: Parameters = Parameters()) { self.parameters = parameters }

  /// - Parameter seconds: distinct seconds in rising order.
  public func examine(_ seconds: [UInt32]) -> Result {
    var result = Result()
    var times: [UInt32] = []
    for second in seconds where times.last.map({ second &- $0 >= parameters.burstSeconds }) ?? true
    {
      times.append(second)
    }
    result.contacts = times.count
    guard times.count > parameters.minimumIntervals else { return result }
    modal(times, &result)
    if times.count >= parameters.spectralContacts { spectral(times, &result) }
    if result.spectral > result.modal { result.period = result.spectralPeriod }
    return result
  }

  private func modal(_ times: [UInt32], _ result: inout Result) {
    let gaps = zip(times, times.dropFirst()).map { Double($1 - $0) }.sorted()
    var best = 0
    var bestFrom = 0
    var from = 0
    var to = 0
    for centre in gaps {
      let width = max(1, parameters.tolerance * centre)
      while gaps[from] < centre - width { from += 1 }
      while to < gaps.count, gaps[to] <= centre + width { to += 1 }
      if to - from > best {
        best = to - from
        bestFrom = from
      }
    }
    result.share = Double(best) / Double(gaps.count)
    result.period = Statistics.median(Array(gaps[bestFrom..<(bestFrom + best)]))
    let tail = Statistics.binomialTail(best, of: gaps.count, parameters.chance)
    result.modal = max(0, -tail - log10(Double(min(gaps.count, 10))))
  }

  private func spectral(_ times: [UInt32], _ result: inout Result) {
    let span = Double(times[times.count - 1] - times[0])
    // Above a quarter of a beat per second there is only the grid of whole seconds.
    let last = min(parameters.frequencies, Int(span / 4))
    // Below a few beats in the whole there is the rhythm of sessions, not of a program.
    let first = max(4, times.count / 8)
    guard last > first + 4 else { return }
    let offsets = times.dropLast().map { Double($0 - times[0]) / span }
    let peak = Self.peak(offsets, first, last)
    let count = Double(last - first + 1)
    // A periodogram of scattered points is exponential: P(peak > x) ≤ count·exp(−x).
    let analytic = peak.power / log(10) - log10(count)
    guard analytic > 1 else { return }
    var generator = SeededGenerator(seed: parameters.seed)
    var strongest = 0.0
    for _ in 0..<parameters.permutations {
      // Contacts shuffled over the seconds of the span, which is the permutation of BAYWATCH's signal.
      let shuffled = offsets.map { _ in generator.nextUnit() }
      strongest = max(strongest, Self.peak(shuffled, first, last).power)
    }
    guard peak.power > strongest else { return }
    result.spectral = min(analytic, (peak.power - strongest) / log(10) + log10(20))
    result.spectralPeriod = span / Double(peak.frequency)
  }

  /// The strongest of the frequencies first...last, in beats per span, for offsets in 0...1.
  private static func peak(
    _ offsets: [Double], _ first: Int, _ last: Int
  ) -> (power: Double, frequency: Int) {
    var reals = [Double](repeating: 0, count: last - first + 1)
    var imaginaries = reals
    for offset in offsets {
      let angle = 2 * Double.pi * offset
      let stepReal = cos(angle)
      let stepImaginary = sin(angle)
      var real = cos(angle * Double(first))
      var imaginary = sin(angle * Double(first))
      for index in reals.indices {
        reals[index] += real
        imaginaries[index] += imaginary
        let next = real * stepReal - imaginary * stepImaginary
        imaginary = real * stepImaginary + imaginary * stepReal
        real = next
      }
    }
    var best = (power: 0.0, frequency: first)
    for index in reals.indices {
      let power =
        (reals[index] * reals[index] + imaginaries[index] * imaginaries[index])
        / Double(offsets.count)
      if power > best.power { best = (power, first + index) }
    }
    return best
  }
}
