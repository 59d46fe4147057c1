import NetworkTypes

/// Says what a source is, and why.
///
/// Infected: it sends Mirai's packets (or another malware rule's), or scans a set of ports that only
/// IoT malware scans together. Kept out: surveys, hosts whose packets contradict each other as forged
/// ones do, and ports on which a storm of forged sources was raging.
struct HostJudge {
  let parameters: TelescopeParameters
  let space: DarkSpace
  let surveys: SurveyLists
  let members: MemberIndex
  /// The reverse name of an address, where somebody looked it up.
  let reverseName: @Sendable (IPAddress) -> String?

  func judge(_ source: SourceSummary, storms: StormLog) -> ObservedHost {
    var host = describe(source)
    let entry = source.entry
    let probes: UInt16 =
      1 << UInt16(TrafficClass.synScan.rawValue) | 1 << UInt16(TrafficClass.stealthScan.rawValue)
      | 1 << UInt16(TrafficClass.udpProbe.rawValue) | 1 << UInt16(TrafficClass.icmpRequest.rawValue)
    let backscatter = TrafficClass.allCases.filter(\.isBackscatter).reduce(UInt16(0)) {
      $0 | 1 << UInt16($1.rawValue)
    }

    if entry.classes & (1 << UInt16(TrafficClass.spoofedSource.rawValue)) != 0 {
      host.verdict = .undecided
      host.reasons = [.init("unusable-source")]
      return host
    }
    if let surveyor = surveyor(of: source) {
      host.verdict = .survey
      host.surveyor = surveyor.name.isEmpty ? nil : surveyor.name
      host.confidence = surveyor.confidence
      host.reasons = [surveyor.reason]
      return host
    }
    if let verdict = malware(source, &host) ?? iotPorts(source, storms, &host) {
      host.verdict = verdict
      return host
    }
    if entry.classes & probes != 0 {
      host.verdict = source.destinations >= 2 || entry.packets >= 10 ? .scanner : .undecided
      host.confidence = source.tools.isEmpty ? 50 : 80
      if let tool = source.tools.first {
        host.reasons.append(
          .init("tool", ["tool": tool.label, "packets": String(tool.packets)]))
      }
      if source.destinations >= parameters.aggressiveDispersion * space.addressCount {
        host.reasons.append(
          .init(
            "dispersion",
            [
              "destinations": String(Int(source.destinations)),
              "of": String(Int(space.addressCount)),
            ])
        )
      }
    } else if entry.classes & backscatter != 0 {
      host.verdict = .victim
      host.confidence = 50
      host.reasons = [.init("backscatter-only")]
    }
    return host
  }

  private func surveyor(
    of source: SourceSummary
  ) -> (name: String, confidence: Int, reason: ObservedHost.Reason)? {
    if let name = surveys.scanner(of: source.address) {
      return (name, 95, .init("survey-list", ["scanner": name]))
    }
    if !surveys.reverseNames.isEmpty, let reverse = reverseName(source.address),
      let name = surveys.scanner(reverseName: reverse)
    {
      return (name, 90, .init("survey-reverse-name", ["name": reverse, "scanner": name]))
    }
    // Malware scans few ports; whoever covers so many so thoroughly in a day maps the Internet.
    if source.entry.surveyDay, source.tools.allSatisfy({ $0.malware == nil }) {
      return (
        "", 70,
        .init(
          "survey-behaviour",
          [
            "ports": String(Int(source.distinctPorts)), "packets": String(source.entry.packets),
          ])
      )
    }
    return nil
  }

  private func malware(_ source: SourceSummary, _ host: inout ObservedHost) -> HostVerdict? {
    guard let tool = source.tools.first(where: { $0.malware != nil }),
      tool.packets >= parameters.infectedMinimumPackets,
      source.destinations >= Double(parameters.infectedMinimumDestinations)
    else { return nil }
    guard source.isConsistent(parameters) else {
      host.reasons.append(
        .init(
          "forged-packets",
          ["lowest": String(source.entry.lowestTTL), "highest": String(source.entry.highestTTL)]))
      return nil
    }
    host.malware = tool.malware
    // Chance is 2^-32 a packet: what is left of doubt is a forger who imitates the bot.
    host.confidence = tool.grade == .certain ? (tool.packets >= 10 ? 99 : 95) : 70
    host.reasons.append(
      .init(
        "malware-fingerprint",
        [
          "rule": tool.rule, "packets": String(tool.packets),
          "share": String(Int((tool.share * 100).rounded())),
        ]))
    return .infected
  }

  private func iotPorts(
    _ source: SourceSummary, _ storms: StormLog, _ host: inout ObservedHost
  ) -> HostVerdict? {
    let entry = source.entry
    let ports = parameters.iotPorts.prefix(32).enumerated().filter {
      entry.iotMask & (1 << UInt32($0.offset)) != 0
    }.map(\.element)
    guard ports.count >= parameters.iotMinimumPorts,
      entry.iotPackets >= UInt32(parameters.iotMinimumPackets),
      Double(entry.iotPackets) >= parameters.iotMinimumShare * Double(entry.synPackets),
      source.destinations >= Double(parameters.iotMinimumDestinations),
      // A named scanning tool is a person's or a survey's, not a bot's.
      source.tools.isEmpty
    else { return nil }
    let stormy = ports.filter { storms.covers(port: $0, from: entry.first, to: entry.last) }
    guard ports.count - stormy.count >= parameters.iotMinimumPorts else {
      host.reasons.append(
        .init("spoofed-storm", ["ports": stormy.map(String.init).joined(separator: " ")]))
      return nil
    }
    let spread = Int(entry.highestTTL) - Int(entry.lowestTTL)
    guard spread <= parameters.consistentTTLSpread else {
      host.reasons.append(
        .init(
          "forged-packets",
          ["lowest": String(entry.lowestTTL), "highest": String(entry.highestTTL)]))
      return nil
    }
    host.confidence = min(85, 50 + 5 * ports.count)
    host.reasons.append(
      .init(
        "iot-port-set",
        [
          "ports": ports.sorted().map(String.init).joined(separator: " "),
          "packets": String(entry.iotPackets),
        ]))
    return .infected
  }

  private func describe(_ source: SourceSummary) -> ObservedHost {
    let entry = source.entry
    let first = Timestamp(nanoseconds: entry.first)
    let last = Timestamp(nanoseconds: entry.last)
    return ObservedHost(
      address: source.address, verdict: .undecided, confidence: 0, reasons: [], firstSeen: first,
      lastSeen: last, packets: entry.packets, bytes: entry.bytes,
      destinations: source.destinations, ports: entry.ports.counts,
      distinctPorts: source.distinctPorts,
      classes: TrafficClass.allCases.filter { entry.classes & (1 << UInt16($0.rawValue)) != 0 },
      tools: source.tools.map(\.label), malware: nil,
      rate: RateEstimate(
        packets: entry.packets, seconds: last.seconds(since: first), space: space),
      country: CountryCode(packed: entry.country), asn: ASN(entry.asn), surveyor: nil)
  }
}
