import Geolocation
import NetworkTypes

/// What the campaign watch asks of the tables, once an hour. The workers must be idle.
extension TelescopeEngine {
  /// How many sources of this hour scan exactly the same two to six ports.
  func portSets(since from: Int64) -> [(CampaignWatch.Subject, Int)] {
    var counts: [CampaignWatch.Subject: Int] = [:]
    for index in 0..<Partition.count {
      for position in 0..<partitions[index].sources.count {
        let source = partitions[index].sources[position]
        guard source.last >= from, let key = Self.portSet(source) else { continue }
        counts[.init(kind: .portSet, key: key), default: 0] += 1
        if let rule = rules.ruleNumber(of: source.tally) {
          let tool = rules.matcher.rules.rules[Int(rule)].tool
          counts[.init(kind: .cluster, key: "\(tool) on \(key)"), default: 0] += 1
        }
      }
    }
    return counts.map { ($0.key, $0.value) }
  }

  private static func portSet(_ source: SourceEntry) -> String? {
    let ports = source.ports.counts
    guard (2...5).contains(ports.count) else { return nil }
    let numbers = ports.map { (Int($0.transport.rawValue), Int($0.port)) }.sorted { $0 < $1 }
    return Dictionary(grouping: numbers, by: \.0).sorted { $0.key < $1.key }.map {
      transport, list in
      list.map { String($0.1) }.joined(separator: ",")
        + "/\(IPProtocol(rawValue: UInt8(transport)))"
    }.joined(separator: " ")
  }

  /// Tools and countries of the sources behind a subject in this hour.
  func mix(
    of subject: CampaignWatch.Subject, since from: Int64
  ) -> (tools: [Campaign.Share], countries: [Campaign.Share]) {
    var tools: [String: Int] = [:]
    var countries: [String: Int] = [:]
    func count(_ tally: FingerprintTally, _ country: UInt16) {
      tools[rules.matcher.decide(tally).first?.tool ?? "unknown", default: 0] += 1
      countries[CountryCode(packed: country).description, default: 0] += 1
    }
    for index in 0..<Partition.count {
      switch subject.kind {
      case .port, .signature:
        for position in 0..<partitions[index].events.count {
          let event = partitions[index].events[position]
          guard event.last >= from, belongs(event, to: subject) else { continue }
          count(
            event.tally, rules.geo.lookup(IPAddress(bits: event.address)).country.packed)
        }
      case .portSet, .cluster:
        for position in 0..<partitions[index].sources.count {
          let source = partitions[index].sources[position]
          guard source.last >= from, let set = Self.portSet(source),
            subject.kind == .portSet ? set == subject.key : subject.key.hasSuffix(" on \(set)")
          else { continue }
          count(source.tally, source.country)
        }
      }
    }
    return (Self.shares(tools), Self.shares(countries))
  }

  private func belongs(_ event: EventEntry, to subject: CampaignWatch.Subject) -> Bool {
    let trafficClass = TrafficClass(rawValue: event.trafficClass) ?? .other
    if subject.kind == .signature {
      return trafficClass == .synScan && event.signature.text == subject.key
    }
    return trafficClass == .synScan && subject.key == "\(event.port)/tcp"
      || trafficClass == .udpProbe && subject.key == "\(event.port)/udp"
  }

  private static func shares(_ counts: [String: Int]) -> [Campaign.Share] {
    counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(8)
      .map { Campaign.Share(name: $0.key, sources: Double($0.value)) }
  }
}
