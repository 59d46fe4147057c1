/// A tool that a source's packets point to.
public struct ToolAttribution: Codable, Hashable, Sendable {
  /// The rule's identifier.
  public let rule: String
  public let tool: String
  public let versionFamily: String
  public let grade: FingerprintGrade
  /// The malware's name, if the source is an infected host.
  public let malware: String?
  /// Packets that matched.
  public let packets: Int
  /// ``packets`` over the source's probes, 0 to 1.
  public let share: Double

  /// `masscan (>= 1.3.9)`.
  public var label: String { versionFamily == "any" ? tool : "\(tool) (\(versionFamily))" }
}

extension FingerprintMatcher {
  /// The tools that a tally proves or makes probable, the most specific first.
  ///
  /// A rule counts when at least its `minimum-packets` packets match, they are at least its `share`
  /// of all the source's probes, and its behaviours hold for that share of consecutive pairs: never
  /// on one packet alone.
  public func decide(_ tally: FingerprintTally) -> [ToolAttribution] {
    guard tally.considered >= FingerprintParameters.smallestMinimum else { return [] }
    var counts = tally.counters.map { (bit: Int($0.rule), count: Int($0.count)) }
    let whole = FingerprintParameters.firstWholeSourceBit..<FingerprintParameters.maximumRules
    for bit in whole where tally.common >> UInt64(bit) & 1 != 0 {
      counts.append((bit, Int(tally.considered)))
    }
    var found: [(order: Int, tool: ToolAttribution)] = []
    for (bit, count) in counts {
      guard ruleOfBit.indices.contains(bit), let rule = ruleOfBit[bit] else { continue }
      let share = Double(count) / Double(tally.considered)
      guard count >= rule.minimumPackets, share >= rule.share,
        rule.behaviours.allSatisfy({ tally.shows($0, rule) })
      else { continue }
      let order = rules.rules.firstIndex { $0.id == rule.id } ?? bit
      found.append(
        (
          order,
          ToolAttribution(
            rule: rule.id, tool: rule.tool, versionFamily: rule.versionFamily, grade: rule.grade,
            malware: rule.malware, packets: count, share: min(1, share))
        ))
    }
    return found.sorted { ($0.tool.grade, $0.order) < ($1.tool.grade, $1.order) }.map(\.tool)
  }
}

extension FingerprintTally {
  /// Whether a behaviour holds for the rule's share of the pairs of consecutive packets.
  func shows(_ behaviour: FingerprintBehaviour, _ rule: FingerprintRule) -> Bool {
    let hits: Int
    var of = pairCount
    switch behaviour {
    case .sameSequence: hits = sameSequenceCount
    case .xorNonce: hits = nonceCount
    case .sourcePortIncrements: hits = nextPortCount
    case .ttlVaries: hits = otherTTLCount
    case .unicornscanKey:
      hits = sameKeyCount
      // A packet sent again has the same key whoever sent it: it says nothing.
      of -= sameSequenceCount
    }
    return hits >= rule.minimumPackets - 1 && Double(hits) >= rule.share * Double(of)
  }
}
