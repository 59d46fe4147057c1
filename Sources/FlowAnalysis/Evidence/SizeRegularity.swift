import Foundation

/// Whether a client sends the same amount each time: check-ins without news are alike.
public struct SizeRegularityTest: Hashable, Sendable {
  public struct Parameters: Hashable, Sendable, Codable {
    /// Contacts at least.
    public var minimumContacts = 4
    /// Codes to either side of the modal one that count as the same: 1/32 octave each, so ±3 %.
    public var tolerance: UInt16 = 1

    public init() {}
  }

  public var parameters: Parameters

  public init(parameters: Parameters = Parameters()) { self.parameters = parameters }

  /// The share of contacts around the modal size, 0...1; nil for too few.
  ///
  /// - Parameter sizes: codes of ``Pair``; 0 means that nothing is known.
  func share(_ sizes: [UInt16]) -> Double? {
    let known = sizes.filter { $0 > 0 }.sorted()
    guard known.count >= parameters.minimumContacts else { return nil }
    var best = 0
    var from = 0
    var to = 0
    for centre in known {
      while known[from] + parameters.tolerance < centre { from += 1 }
      while to < known.count, known[to] <= centre + parameters.tolerance { to += 1 }
      best = max(best, to - from)
    }
    return Double(best) / Double(known.count)
  }
}
