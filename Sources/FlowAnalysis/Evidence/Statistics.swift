import Foundation

/// Probabilities of the tests, as decimal logarithms where they get small.
enum Statistics {
  /// log10 of P(X ≥ k) for X binomial of n trials with probability p; 0 for k ≤ 0.
  static func binomialTail(_ k: Int, of n: Int, _ p: Double) -> Double {
    guard k > 0, n > 0 else { return 0 }
    guard k <= n, p > 0 else { return -400 }
    guard p < 1 else { return 0 }
    var sum = 0.0
    let largest = logBinomial(n, k) + Double(k) * log(p) + Double(n - k) * log(1 - p)
    // Terms relative to the first; beyond the mode they fall at least geometrically.
    var term = 1.0
    var j = k
    while j <= n {
      sum += term
      if j == n { break }
      term *= Double(n - j) / Double(j + 1) * p / (1 - p)
      if term < 1e-15 * sum { break }
      j += 1
    }
    return min(0, (largest + log(sum)) / log(10))
  }

  /// log10 of P(X ≥ k) when n are drawn from a population with so many suspects: how surprising
  /// it is that k of a server's n clients are suspects (hypergeometric).
  static func hypergeometricTail(_ k: Int, drawn n: Int, marked suspects: Int, of population: Int)
    -> Double
  {
    guard k > 0, n > 0, population > 0 else { return 0 }
    let high = min(n, suspects)
    guard k <= high else { return -400 }
    let all = logBinomial(population, n)
    var logs: [Double] = []
    for j in k...high where n - j <= population - suspects {
      logs.append(logBinomial(suspects, j) + logBinomial(population - suspects, n - j) - all)
      if logs.count > 10_000 { break }
    }
    guard let greatest = logs.max() else { return -400 }
    return min(0, (greatest + log(logs.reduce(0) { $0 + exp($1 - greatest) })) / log(10))
  }

  static func logBinomial(_ n: Int, _ k: Int) -> Double {
    guard k >= 0, k <= n else { return -.infinity }
    return logGamma(Double(n) + 1) - logGamma(Double(k) + 1) - logGamma(Double(n - k) + 1)
  }

  /// ln Γ(x) for x ≥ 1 by Stirling's series (Abramowitz and Stegun 6.1.41), raised above 8 first.
  static func logGamma(_ x: Double) -> Double {
    var x = max(x, 1)
    var product = 1.0
    while x < 8 {
      product *= x
      x += 1
    }
    let series = 1 / (12 * x) - 1 / (360 * x * x * x) + 1 / (1_260 * x * x * x * x * x)
    return (x - 0.5) * log(x) - x + 0.5 * log(2 * .pi) + series - log(product)
  }

  static func median(_ sorted: [Double]) -> Double {
    guard !sorted.isEmpty else { return 0 }
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}
