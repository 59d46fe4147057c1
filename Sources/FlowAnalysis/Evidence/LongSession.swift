import Foundation

/// Whether a session is kept open for long while hardly anything goes through it: a bot that waits for
/// orders. Some channels are one such flow, which no test of intervals can see.
public struct LongSessionTest: Hashable, Sendable {
  public struct Parameters: Hashable, Sendable, Codable {
    /// Seconds from which a session counts, and from which it counts fully. RITA's table begins at one
    /// hour and ends at twelve; captures are often shorter.
    public var shortest = 1_200.0
    public var longest = 14_400.0
    /// Octets per second, both ways: keep-alives of 100 octets every 10 s are well below.
    public var thin = 50.0
    /// From here on it is a transfer.
    public var thick = 1_000.0

    public init() {}
  }

  public var parameters: Parameters

  public init(parameters: Parameters = Parameters()) { self.parameters = parameters }

  /// 0 for none to 1 for a long thin session.
  public func strength(seconds: Double, octets: Double) -> Double {
    guard seconds > parameters.shortest else { return 0 }
    let length =
      min(
        1,
        0.4 + 0.6 * log(seconds / parameters.shortest)
          / log(parameters.longest / parameters.shortest))
    let rate = max(octets / seconds, 1e-3)
    let thinness = 1 - log(rate / parameters.thin) / log(parameters.thick / parameters.thin)
    return length * min(1, max(0, thinness))
  }
}
