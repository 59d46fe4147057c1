public import NetworkTypes

/// What text a mitigation is written as.
public enum MitigationFormat: String, Sendable, CaseIterable {
  /// A table of Linux's nftables, for `nft -f`.
  case nftables
  /// A route of BGP that drops the target (RFC 7999), for ExaBGP.
  case rtbh
  /// Filters of BGP (RFC 8955, RFC 8956), for ExaBGP.
  case flowspec
  /// An access list of Cisco IOS.
  case cisco
  /// A firewall filter of Junos.
  case juniper
}

/// The numbers that mitigations are made with.
public struct MitigationParameters: Sendable {
  /// Sources that a filter names at most.
  public var largestSourceCount = 5_000
  /// Sources that filters of BGP name at most: routers hold some thousands of such routes in all.
  public var largestFlowspecSourceCount = 100
  /// The share of a vector's packets that the named sources must have, for a filter by sources.
  public var leastSourceShare = 0.8
  /// Packets per second that remain where only a limit helps, as a part of the rate that was the
  /// limit.
  public var limitPacketsPerSecond = 1_000
  /// The next hop of dropped routes; RFC 6666 has 100::/64 for IPv6, and 192.0.2.1 is what RFC 5635
  /// shows.
  public var nextHopV4 = IPAddress(v4: 0xc000_0201)
  public var nextHopV6 = IPAddress(high: 0x0100_0000_0000_0000, low: 1)
  /// BLACKHOLE (RFC 7999).
  public var community = "65535:666"

  public init() {}
}

/// One filter, before it is written for a device.
struct MitigationRule {
  enum Action { case drop, limit }

  var vector: String
  var target: IPPrefix
  /// nil for any protocol, which fragments of all may be.
  var transport: UInt8?
  var sourcePort: UInt16?
  var destinationPort: UInt16?
  /// Flags that are set, among ``examinedFlags``.
  var tcpFlags: UInt8?
  var isFragment = false
  var icmpType: UInt8?
  /// Only from these; everybody when empty.
  var sources: [IPAddress] = []
  var action: Action

  /// FIN, SYN, RST and ACK.
  static let examinedFlags: UInt8 = 0b1_0111

  static func rules(of attack: Attack, _ parameters: MitigationParameters) -> [MitigationRule] {
    attack.vectors.map { rule($0, attack, parameters) }
  }

  private static func rule(
    _ vector: AttackVector, _ attack: Attack, _ parameters: MitigationParameters
  ) -> MitigationRule {
    let isFragment = vector.kind == .fragment
    var rule = MitigationRule(
      vector: vector.name, target: attack.target, transport: isFragment ? nil : vector.transport,
      action: .drop)
    rule.isFragment = isFragment
    if vector.transport == 6 || vector.transport == 17, !isFragment {
      rule.sourcePort = vector.sourcePort
      if let top = vector.destinationPorts.first, top.share >= 0.9 {
        rule.destinationPort = top.value
      }
    }
    switch vector.kind {
    case .tcpSYN: rule.tcpFlags = 0b10
    case .tcpSYNACK: rule.tcpFlags = 0b1_0010
    case .tcpACK: rule.tcpFlags = 0b1_0000
    case .tcpRST: rule.tcpFlags = vector.tcpFlags.first.map { $0.flags & examinedFlags } ?? 0b100
    case .tcpOdd: rule.tcpFlags = 0
    default: break
    }
    if vector.transport == 1 || vector.transport == 58, let top = vector.icmpTypes.first,
      top.share >= 0.9
    {
      rule.icmpType = UInt8(truncatingIfNeeded: top.value)
    }
    let named = attack.sources.filter {
      $0.vectors.contains(vector.name) && $0.nature != .forged
        && $0.address.isIPv4 == attack.target.address.isIPv4
    }.prefix(parameters.largestSourceCount)
    let covered = named.reduce(0.0) { $0 + Double($1.packets - min($1.error, $1.packets)) }
    let isCovered = covered >= parameters.leastSourceShare * Double(vector.volume.packets)
    if vector.nature != .forged, isCovered {
      rule.sources = named.map(\.address)
    } else if vector.service == nil, !isFragment,
      vector.sourcePort == nil || vector.nature == .forged
    {
      // Nothing but the rate tells these packets from others.
      rule.action = .limit
    }
    return rule
  }
}

extension Attack {
  /// What an operator can apply against it, as text with a comment in front that says what it does.
  public func mitigation(
    _ format: MitigationFormat, parameters: MitigationParameters = MitigationParameters()
  ) -> String {
    let rules = MitigationRule.rules(of: self, parameters)
    return switch format {
    case .nftables: NftablesText.write(self, rules, parameters)
    case .rtbh: ExaBGPText.blackhole(self, parameters)
    case .flowspec: ExaBGPText.flowspec(self, rules, parameters)
    case .cisco: AccessListText.cisco(self, rules)
    case .juniper: AccessListText.juniper(self, rules, parameters)
    }
  }

  /// The identifier with letters, digits and underscores only, at most 32 of them.
  var mitigationName: String {
    let text = id.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" }
    return String(text.prefix(40))
  }

  func heading(_ mark: String, _ text: String) -> String {
    """
    \(mark) Noroshi: \(name) on \(target), \(start) to \(end)\(isOver ? "" : " (ongoing)").
    \(mark) \(text)

    """
  }
}
