public import Findings
import NetworkTypes

extension TelescopeResults {
  /// The findings that these conclusions amount to: infected hosts, victims of denial-of-service
  /// attacks, and member alerts.
  ///
  /// Scanners are conclusions, but nobody's case: they are listed, not reported.
  ///
  /// - Parameter sensor: the telescope's name in the findings.
  public func findings(sensor: String) -> [Finding] {
    hosts.filter { $0.verdict == .infected }.map { Self.finding($0, sensor) }
      + victims.map { Self.finding($0, sensor) } + alerts.map { Self.finding($0, sensor) }
  }

  private static func finding(_ host: ObservedHost, _ sensor: String) -> Finding {
    var attributes = [
      "packets": String(host.packets),
      "destinations": String(Int(host.destinations.rounded())),
      "ports": host.ports.map { "\($0.port)/\($0.transport)" }.joined(separator: " "),
      "rate.pps": String(Int(host.rate.packetsPerSecond.rounded())),
    ]
    if let malware = host.malware { attributes["malware.name"] = malware }
    if let tool = host.tools.first { attributes["tool"] = tool }
    attributes.merge(place(host.country, host.asn)) { $1 }
    return Finding(
      kind: .infectedHost, subject: .init(host.address), sensor: sensor,
      firstSeen: host.firstSeen, lastSeen: host.lastSeen,
      confidence: Confidence(percent: host.confidence), marking: .amber,
      evidence: host.reasons.map { reason in
        Finding.Evidence(
          name: reason.name, summary: summary(reason, of: host), values: reason.values)
      }, attributes: attributes)
  }

  private static func summary(_ reason: ObservedHost.Reason, of host: ObservedHost) -> String {
    let values = reason.values
    switch reason.name {
    case "malware-fingerprint":
      return "\(values["packets"] ?? "0") packets to unused addresses carry the mark of "
        + "\(host.malware ?? "known") malware (\(values["share"] ?? "0") % of its probes)."
    case "iot-port-set":
      return "\(values["packets"] ?? "0") connection attempts to unused addresses on ports that "
        + "only IoT malware scans together (\(values["ports"] ?? ""))."
    default:
      return "\(host.packets) packets to unused addresses."
    }
  }

  private static func finding(_ event: VictimEvent, _ sensor: String) -> Finding {
    let services = event.services.map { "\($0.port)/\($0.transport)" }.joined(separator: " ")
    var attributes = [
      "packets": String(event.packets), "peak.ppm": String(event.peakPacketsPerMinute),
      "services": services, "rate.pps": String(Int(event.rate.packetsPerSecond.rounded())),
      "rate.pps.lower": String(Int(event.rate.lower.rounded())),
      "rate.pps.upper": String(Int(event.rate.upper.rounded())),
    ]
    attributes.merge(place(event.country, event.asn)) { $1 }
    let evidence = event.evidence.map { count in
      Finding.Evidence(
        name: count.trafficClass.name,
        summary: "\(count.packets) answers (\(count.trafficClass.name)) to packets that carried "
          + "unused addresses as their forged source.",
        values: ["packets": String(count.packets)])
    }
    return Finding(
      kind: .denialOfServiceVictim, subject: .init(event.victim), sensor: sensor,
      firstSeen: event.start, lastSeen: event.end, confidence: Confidence(percent: 90),
      marking: .amber, evidence: evidence, attributes: attributes)
  }

  private static func finding(_ alert: MemberAlert, _ sensor: String) -> Finding {
    Finding(
      kind: .memberAlert, subject: .init(alert.address),
      sensor: "\(sensor)/\(alert.reach.rawValue)",
      firstSeen: alert.firstSeen, lastSeen: alert.lastSeen, confidence: Confidence(percent: 70),
      marking: .amber,
      evidence: [
        Finding.Evidence(
          name: "member-\(alert.reach.rawValue)",
          summary:
            "\(alert.packets) packets of this member's address concern unused address space.",
          values: ["packets": String(alert.packets)])
      ],
      attributes: [
        "organisation": alert.organisation, "reach": alert.reach.rawValue,
        "state": alert.state.rawValue, "packets": String(alert.packets),
        "ports": alert.ports.map(String.init).joined(separator: " "),
      ])
  }

  private static func place(_ country: CountryCode, _ asn: ASN) -> [String: String] {
    var place: [String: String] = [:]
    if country != .unknown { place["country"] = country.description }
    if asn != .unknown { place["asn"] = String(asn.number) }
    return place
  }
}
