import Glibc
public import NetworkTypes

/// The unused addresses that the telescope watches, and what follows from how many they are.
public struct DarkSpace: Hashable, Sendable {
  /// One dark network, and whose it is: packets from an organisation's own addresses into its own
  /// dark network are an *internal* alert, into anybody else's an *external* one.
  public struct Network: Hashable, Sendable, Codable {
    public let prefix: IPPrefix
    public let organisation: String?

    public init(_ prefix: IPPrefix, organisation: String? = nil) {
      self.prefix = prefix
      self.organisation = organisation
    }
  }

  public let networks: [Network]
  /// N of the formulas: how many addresses, IPv4 only (what falls on IPv6 space cannot be scaled to
  /// the whole Internet); at least 1.
  public let addressCount: Double

  /// Overlapping networks are counted once: the wider one wins the count, the narrower one the owner.
  public init(_ networks: [Network]) {
    self.networks = networks.sorted { $0.prefix < $1.prefix }
    var covered: [IPPrefix] = []
    for network in networks.sorted(by: { $0.prefix.length < $1.prefix.length })
    where !covered.contains(where: { $0.contains(network.prefix) }) {
      covered.append(network.prefix)
    }
    let addresses = covered.filter(\.address.isIPv4).reduce(0.0) { $0 + Double($1.count) }
    addressCount = max(1, addresses)
  }

  public init(prefixes: [IPPrefix]) { self.init(prefixes.map { Network($0) }) }

  public func contains(_ address: IPAddress) -> Bool {
    networks.contains { $0.prefix.contains(address) }
  }

  /// How many packets on the whole IPv4 Internet one packet seen here stands for.
  public var extrapolation: Double { 4_294_967_296 / addressCount }

  /// The silence after which an event has ended.
  ///
  /// T = ln(1/ε) · 2³² / (r_min · N): the time in which a scanner of r_min packets per second that
  /// picks addresses at random is seen at least once with probability 1 − ε. With N = 475,136,
  /// r_min = 100 and ε = 0.001 this is Merit's 624 s.
  public func eventTimeoutSeconds(_ parameters: TelescopeParameters) -> Double {
    parameters.eventTimeoutSeconds
      ?? log(1 / parameters.eventCutProbability) * extrapolation
      / parameters.slowestScannerPacketsPerSecond
  }

  /// The packets per minute that a victim's backscatter must reach: Moore's, scaled to this size.
  public func victimPacketsPerMinute(_ parameters: TelescopeParameters) -> Double {
    max(
      parameters.victimPacketsPerMinuteOnSlash8 * addressCount / 16_777_216,
      parameters.victimPacketsPerMinuteFloor)
  }

  public func victimIdleSeconds(_ parameters: TelescopeParameters) -> Double {
    min(
      parameters.victimIdleCeilingSeconds,
      max(parameters.victimIdleFloorSeconds, eventTimeoutSeconds(parameters)))
  }
}
