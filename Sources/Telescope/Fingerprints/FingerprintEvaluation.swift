import NetworkTypes
public import PacketCapture

/// How well a rule set names the tools of labelled captures.
///
/// Sources are judged apart for TCP SYN, other TCP, UDP and ICMP probes; backscatter is left out.
/// A source belongs to the truth once it has sent ``FingerprintParameters/minimumPackets`` probes
/// of one class.
public struct FingerprintEvaluation: Codable, Hashable, Sendable {
  /// One row for each rule.
  public var rules: [RuleRow]
  /// One row for each tool.
  public var tools: [ToolRow]
  /// One row for each capture.
  public var captures: [CaptureRow]

  public struct RuleRow: Codable, Hashable, Sendable {
    public let rule: String
    public let tool: String
    public let versionFamily: String
    public let grade: FingerprintGrade
    /// Packets that matched in captures of this tool.
    public var packets = 0
    /// Packets that matched in captures known not to be of this tool.
    public var strayPackets = 0
    /// Sources for which the rule was decided and is right.
    public var rightSources = 0
    /// Sources for which the rule was decided and is wrong.
    public var wrongSources = 0
    /// Sources for which the rule was decided in captures of unknown truth.
    public var unjudgedSources = 0
    /// Captures of this tool whose destination was replaced by a single address, and in which the
    /// rule, which needs the real one, never matched.
    public var notTestable: [String] = []
    /// Right sources over decided ones; nil where none was decided.
    public var precision: Double? { ratio(rightSources, rightSources + wrongSources) }
  }

  public struct ToolRow: Codable, Hashable, Sendable {
    public let tool: String
    /// Sources of captures of this tool.
    public var sources = 0
    public var rightSources = 0
    public var wrongSources = 0
    /// Probes in captures of this tool.
    public var probes = 0
    /// Those that match at least one rule of this tool.
    public var matchedProbes = 0
    public var precision: Double? { ratio(rightSources, rightSources + wrongSources) }
    /// Sources named over all of them.
    public var recall: Double? { ratio(rightSources, sources) }
    public var packetRecall: Double? { ratio(matchedProbes, probes) }
  }

  public struct CaptureRow: Codable, Hashable, Sendable {
    public let path: String
    /// The tool, `none` or `unknown`.
    public let expected: String
    public var packets = 0
    public var probes = 0
    public var sources = 0
    public var destinations = 0
    /// Packets that match each rule, by the rule's identifier.
    public var packetsByRule: [String: Int] = [:]
    /// Sources of each decided tool, with its grade's best rule: `zmap (>= 4.1.1)`.
    public var sourcesByTool: [String: Int] = [:]
    public var missedSources = 0
    public var wrongSources = 0
  }

  /// Reads the captures and judges what `matcher` says about them.
  ///
  /// - Throws: ``CaptureError`` for a file that cannot be read.
  public init(
    of captures: [LabelledCapture], by matcher: FingerprintMatcher
  ) throws(CaptureError) {
    rules = matcher.rules.rules.map {
      RuleRow(rule: $0.id, tool: $0.tool, versionFamily: $0.versionFamily, grade: $0.grade)
    }
    var seen: Set<String> = []
    tools = matcher.rules.rules.compactMap {
      seen.insert($0.tool).inserted ? ToolRow(tool: $0.tool) : nil
    }
    self.captures = []
    for capture in captures {
      var reading = FingerprintReading(matcher: matcher, only: capture.sources)
      try reading.read(capture.path)
      judge(capture, reading, matcher)
    }
  }

  private mutating func judge(
    _ capture: LabelledCapture, _ reading: FingerprintReading, _ matcher: FingerprintMatcher
  ) {
    var expected: String?
    var row: CaptureRow
    switch capture.truth {
    case .tool(let tool):
      expected = tool
      row = CaptureRow(path: capture.path, expected: tool)
    case .none: row = CaptureRow(path: capture.path, expected: "none")
    case .unknown: row = CaptureRow(path: capture.path, expected: "unknown")
    }
    let isJudged = capture.truth != .unknown
    row.packets = reading.packets
    row.probes = reading.probes
    row.sources = Set(reading.tallies.keys.map(\.source)).count
    row.destinations = reading.destinations.count
    let ruleIndex = Dictionary(uniqueKeysWithValues: rules.enumerated().map { ($1.rule, $0) })
    let toolIndex = Dictionary(uniqueKeysWithValues: tools.enumerated().map { ($1.tool, $0) })
    for (bit, count) in reading.matches.enumerated() where count > 0 {
      guard let rule = matcher.ruleOfBit[bit], let place = ruleIndex[rule.id] else { continue }
      row.packetsByRule[rule.id] = count
      if rule.tool == expected {
        rules[place].packets += count
      } else if isJudged {
        rules[place].strayPackets += count
      }
    }
    for (place, rule) in matcher.rules.rules.enumerated() {
      if rule.tool == expected, rule.needsDestination, !rule.isWholeSource,
        row.destinations == 1, row.sources > 0, row.packetsByRule[rule.id] == nil
      {
        rules[place].notTestable.append(capture.path)
      }
    }
    var decisions: [IPAddress: [ToolAttribution]] = [:]
    var large: Set<IPAddress> = []
    for (key, tally) in reading.tallies {
      decisions[key.source, default: []] += matcher.decide(tally)
      if tally.considered >= FingerprintParameters.minimumPackets { large.insert(key.source) }
    }
    for source in large {
      let found = decisions[source] ?? []
      for id in Set(found.map(\.rule)) {
        guard let place = ruleIndex[id] else { continue }
        if !isJudged {
          rules[place].unjudgedSources += 1
        } else if rules[place].tool == expected {
          rules[place].rightSources += 1
        } else {
          rules[place].wrongSources += 1
        }
      }
      var best: [String: ToolAttribution] = [:]
      for attribution in found where best[attribution.tool] == nil {
        best[attribution.tool] = attribution
      }
      for attribution in best.values { row.sourcesByTool[attribution.label, default: 0] += 1 }
      guard isJudged else { continue }
      for tool in best.keys {
        guard let place = toolIndex[tool] else { continue }
        if tool == expected {
          tools[place].rightSources += 1
        } else {
          tools[place].wrongSources += 1
        }
      }
      if best.keys.contains(where: { $0 != expected }) { row.wrongSources += 1 }
      if let expected, best[expected] == nil { row.missedSources += 1 }
    }
    if let expected, let place = toolIndex[expected] {
      tools[place].sources += large.count
      tools[place].probes += reading.probes
      tools[place].matchedProbes += reading.toolMatches[expected] ?? 0
    }
    captures.append(row)
  }
}

private func ratio(_ part: Int, _ whole: Int) -> Double? {
  whole > 0 ? Double(part) / Double(whole) : nil
}
