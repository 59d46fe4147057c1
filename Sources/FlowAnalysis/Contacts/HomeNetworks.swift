public import NetworkTypes

/// The networks whose hosts are watched: a carrier's customers, a campus.
///
/// Direction matters: a server outside that customers call is another thing than a customer whom the
/// Internet scans.
public struct HomeNetworks: Sendable {
  public let prefixes: [IPPrefix]
  private let map: PrefixMap<Bool>

  public init(_ prefixes: [IPPrefix]) {
    self.prefixes = prefixes
    map = PrefixMap(prefixes.map { ($0, true) })
  }

  /// No knowledge: every contact counts as one from inside to outside.
  public static let unknown = HomeNetworks([])

  public var isUnknown: Bool { prefixes.isEmpty }

  public func contains(_ address: IPAddress) -> Bool { map[address] ?? false }

  /// Private addresses of RFC 1918, RFC 6598 and RFC 4193.
  public static let privatePrefixes: [IPPrefix] = [
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7",
  ].compactMap { IPPrefix($0) }

  /// Guesses them from a network's own flows: the fewest prefixes, of 16 bits in IPv4 and 48 in IPv6,
  /// private ones first, that have an end in nearly all contacts (``share``). Where three do not reach
  /// it the flows are not of one network, and nothing is guessed.
  ///
  /// - Parameters:
  ///   - pairs: both addresses of each pair and how many contacts they had.
  public static func inferred(
    from pairs: some Sequence<(IPAddress, IPAddress, UInt64)>, share: Double = 0.97
  ) -> HomeNetworks {
    let privates = HomeNetworks(privatePrefixes)
    var total: UInt64 = 0
    var covered: UInt64 = 0
    var usesPrivate = false
    // What private ends do not cover, by the two prefixes of its ends.
    var edges: [Edge: UInt64] = [:]
    for (one, other, weight) in pairs {
      total &+= weight
      if privates.contains(one) || privates.contains(other) {
        covered &+= weight
        usesPrivate = true
      } else if edges.count < 1 << 20 {
        edges[Edge(site(one), site(other)), default: 0] &+= weight
      }
    }
    guard total > 0 else { return .unknown }
    var chosen = usesPrivate ? privatePrefixes : []
    for _ in 0..<3 where Double(covered) < share * Double(total) {
      var weights: [IPPrefix: UInt64] = [:]
      for (edge, weight) in edges {
        weights[edge.one, default: 0] &+= weight
        if edge.other != edge.one { weights[edge.other, default: 0] &+= weight }
      }
      guard
        let best = weights.max(by: { ($0.value, $0.key) < ($1.value, $1.key) })
      else { break }
      // One prefix more must explain something.
      guard Double(best.value) >= 0.02 * Double(total) else { break }
      covered &+= best.value
      chosen.append(best.key)
      edges = edges.filter { $0.key.one != best.key && $0.key.other != best.key }
    }
    return Double(covered) >= share * Double(total) ? HomeNetworks(chosen) : .unknown
  }

  private struct Edge: Hashable {
    let one: IPPrefix
    let other: IPPrefix

    init(_ one: IPPrefix, _ other: IPPrefix) {
      self.one = min(one, other)
      self.other = max(one, other)
    }
  }

  private static func site(_ address: IPAddress) -> IPPrefix {
    IPPrefix(address, length: address.isIPv4 ? 16 : 48) ?? IPPrefix(address)
  }
}
