import NetworkTypes

/// A source's entry, taken out of its table: what the verdict is reached from.
struct SourceSummary {
  let entry: SourceEntry
  let destinations: Double
  let distinctPorts: Double
  let tools: [ToolAttribution]

  var address: IPAddress { IPAddress(bits: entry.address) }

  /// Whether a host is worth a row of its own: infected, a survey, a tool, a large scan, or busy.
  func isNotable(_ parameters: TelescopeParameters) -> Bool {
    !tools.isEmpty || entry.surveyDay
      || entry.iotMask.nonzeroBitCount >= parameters.iotMinimumPorts
      || entry.packets >= 100 || entry.member != 0
  }

  /// Whether the packets look as if one host had sent them all: its TTL, window or source port holds.
  /// Forged packets vary in all three (a Mirai bot keeps window and source port, any host its TTL).
  func isConsistent(_ parameters: TelescopeParameters) -> Bool {
    let syn = Double(max(1, entry.synPackets))
    let spread = Int(entry.highestTTL) - Int(entry.lowestTTL)
    return spread <= parameters.consistentTTLSpread || Double(entry.sameWindow) >= 0.8 * syn
      || Double(entry.sameSourcePort) >= 0.8 * syn
  }
}
