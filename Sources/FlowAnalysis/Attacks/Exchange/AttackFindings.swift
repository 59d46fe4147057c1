public import Findings
public import NetworkTypes

/// The numbers that decide which sources become findings, and so cases.
public struct AttackFindingParameters: Sendable {
  /// Sources of one attack that become findings at most, the strongest.
  public var largestSourceCount = 1_000
  /// Packets of a source from which on it does.
  public var leastPackets: UInt64 = 100
  /// How sure: an attack is sure enough; of a source that came again and again, or answered as a
  /// reflector does, one in four or five may be wrong (our own choice); of one that is unknown,
  /// half.
  public var victimConfidence = 90
  public var reflectorConfidence = 80
  public var directConfidence = 75
  public var unknownConfidence = 40
  public var scannerConfidence = 85

  public init() {}
}

extension Attack {
  /// The victim, and the sources that somebody answers for and that are probably true.
  ///
  /// - Parameters:
  ///   - sensor: the name of the sensor in the findings.
  ///   - isAnswered: whether an organisation that can be told answers for an address. Sources of
  ///     nobody are kept with the attack and make no findings.
  public func findings(
    sensor: String, parameters: AttackFindingParameters = AttackFindingParameters(),
    isAnswered: (IPAddress) -> Bool = { _ in true }
  ) -> [Finding] {
    var findings = [victim(sensor, parameters)]
    let told = sources.filter { source in
      source.packets >= parameters.leastPackets && source.nature != .forged
        && isAnswered(source.address)
    }
    for source in told.prefix(parameters.largestSourceCount) {
      if let finding = finding(source, sensor, parameters) { findings.append(finding) }
    }
    return findings
  }

  private func victim(_ sensor: String, _ parameters: AttackFindingParameters) -> Finding {
    Finding(
      kind: .denialOfServiceVictim, subject: .init(target.address), sensor: sensor,
      firstSeen: start, lastSeen: end,
      confidence: Confidence(percent: parameters.victimConfidence), marking: .amber,
      evidence: vectors.map { vector in
        Finding.Evidence(
          name: vector.name,
          summary: "\(vector.volume.packets) packets of \(vector.name) in flow records. "
            + vector.evidence,
          values: [
            "packets": String(vector.volume.packets), "octets": String(vector.volume.octets),
            "nature": vector.nature.rawValue,
          ])
      },
      attributes: [
        "attack.id": id, "attack.name": name, "target": target.description,
        "packets": String(total.packets), "rate.pps": String(Int(peak.packetsPerSecond.rounded())),
        "rate.bps": String(Int(peak.bitsPerSecond.rounded())),
        "sources": String(Int(sourceCount)),
      ])
  }

  private func finding(
    _ source: AttackSource, _ sensor: String, _ parameters: AttackFindingParameters
  ) -> Finding? {
    let kind: Finding.Kind
    let confidence: Int
    switch source.nature {
    case .forged: return nil
    case .reflector:
      (kind, confidence) = (.denialOfServiceReflector, parameters.reflectorConfidence)
    case .direct: (kind, confidence) = (.denialOfServiceSource, parameters.directConfidence)
    case .unknown: (kind, confidence) = (.denialOfServiceSource, parameters.unknownConfidence)
    }
    let names = source.vectors.joined(separator: ", ")
    let taken = vectors.filter { source.vectors.contains($0.name) }
    let service = taken.lazy.compactMap(\.service).first
    // Who answers a forged SYN is set up rightly: only amplifiers have something to mend.
    if source.nature == .reflector, service == nil { return nil }
    var attributes = [
      "attack.id": id, "attack.name": name, "vectors": names, "packets": String(source.packets),
      "nature": source.nature.rawValue,
    ]
    attributes["service"] = service ?? names
    let ports = Set(taken.map(\.sourcePort))
    if ports.count == 1, let port = ports.first ?? nil { attributes["source.port"] = String(port) }
    // The destination ports say something of a source; of a reflector they are the forged sender's.
    let transport = taken.first.map { IPProtocol(rawValue: $0.transport) }
    if source.nature != .reflector, let transport, let ports = taken.first?.destinationPorts,
      !ports.isEmpty
    {
      attributes["ports"] = ports.map { "\($0.value)/\(transport)" }.joined(separator: " ")
    }
    // Since when it took part may change as more is known; when the attack began does not.
    return Finding(
      kind: kind, subject: .init(source.address), sensor: sensor, firstSeen: start,
      lastSeen: max(source.last, start), confidence: Confidence(percent: confidence),
      marking: .amber,
      evidence: [
        Finding.Evidence(
          name: source.nature == .reflector ? "attack-reflector" : "attack-source",
          summary: "\(source.packets) packets of \(names) to a host under attack, in "
            + "\(source.flows) flow records.",
          values: [
            "packets": String(source.packets), "octets": String(source.octets),
            "error": String(source.error),
          ])
      ],
      attributes: attributes)
  }
}

extension ObservedScan {
  public func finding(
    sensor: String, parameters: AttackFindingParameters = AttackFindingParameters()
  ) -> Finding {
    let what = port.map { "port \($0)/\(transport)" } ?? "\(transport)"
    let summary =
      shape == .horizontal
      ? "Asked \(Int(targets)) hosts on \(what); \(Int(answered)) answered."
      : "Asked \(Int(targets)) \(transport) ports of one host; \(Int(answered)) answered."
    var attributes = [
      "shape": shape.rawValue, "packets": String(packets), "targets": String(Int(targets)),
      "ports": port.map { "\($0)/\(transport)" } ?? "\(transport)",
    ]
    if let target { attributes["target"] = target.description }
    // Several scans of a source at the same time are findings of their own.
    return Finding(
      kind: .scanner, subject: .init(source, port: port, transport: transport), sensor: sensor,
      firstSeen: first, lastSeen: last,
      confidence: Confidence(percent: parameters.scannerConfidence), marking: .amber,
      evidence: [
        Finding.Evidence(
          name: "\(shape.rawValue)-scan", summary: summary,
          values: ["targets": String(Int(targets)), "answered": String(Int(answered))])
      ], attributes: attributes)
  }
}

extension ObservedReflector {
  public func finding(
    sensor: String, parameters: AttackFindingParameters = AttackFindingParameters()
  ) -> Finding {
    let factorText = factor.map { String((($0 * 10).rounded()) / 10) }
    var attributes = [
      "service": service, "packets": String(packetsOut), "clients": String(Int(clients)),
    ]
    attributes["factor"] = factorText
    return Finding(
      kind: .denialOfServiceReflector,
      subject: .init(address, port: port, transport: .udp), sensor: sensor,
      firstSeen: first, lastSeen: last,
      confidence: Confidence(
        percent: (factor ?? 0) >= 2 ? parameters.reflectorConfidence : parameters.unknownConfidence),
      marking: .amber,
      evidence: [
        Finding.Evidence(
          name: "open-reflector",
          summary: "Answered \(Int(clients)) addresses outside from port \(port) (\(service)) with "
            + "\(octetsOut) octets"
            + (factorText.map { ", \($0) for each one asked." } ?? "; no question was seen."),
          values: ["out": String(octetsOut), "in": String(octetsIn)])
      ], attributes: attributes)
  }
}
