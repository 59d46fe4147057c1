import Foundation

/// Whether a server's clients are suspects more often than the population is.
///
/// A likelihood ratio per client: how often a controller's client is seen doing harm, against how often
/// any client of this network is. Beside it stands the hypergeometric chance of so many suspects among
/// so many clients (Fisher's exact test), which people may read. (In the line of Karasaridis et al.,
/// HotBots 2007.)
public struct EnrichmentTest: Hashable, Sendable {
  public struct Parameters: Hashable, Sendable, Codable {
    /// Share of a controller's clients that are seen scanning, spamming or flooding in the same flows:
    /// about half, as many bots are idle (our own choice).
    public var suspectsAmongBots = 0.5
    /// The population's share is smoothed by as many imagined clients and suspects, so that the only
    /// host of a capture is not its own norm: one in a hundred.
    public var priorClients = 60.0
    public var priorSuspects = 0.6
    /// Decades at most and at least.
    public var highest = 3.0
    public var lowest = -1.0

    public init() {}
  }

  public var parameters: Parameters

  public init(parameters: Parameters = Parameters()) { self.parameters = parameters }

  /// log10 of the likelihood ratio.
  ///
  /// - Parameters:
  ///   - suspects: the sum of its clients' suspicions.
  ///   - clients: its clients.
  ///   - populationSuspects: the same of the whole population.
  ///   - population: its number of clients.
  public func decades(
    suspects: Double, clients: Int, populationSuspects: Double, population: Int
  ) -> Double {
    guard clients > 0 else { return 0 }
    // What these clients themselves contribute to the norm is taken out of it.
    let others = max(0, Double(population - clients))
    let otherSuspects = min(others, max(0, populationSuspects - suspects))
    let share =
      (otherSuspects + parameters.priorSuspects) / (others + parameters.priorClients)
    let bots = parameters.suspectsAmongBots
    let yes = log10(bots / share)
    let no = log10((1 - bots) / (1 - min(0.99, share)))
    let sum = suspects * yes + max(0, Double(clients) - suspects) * no
    return min(parameters.highest, max(parameters.lowest, sum))
  }
}
