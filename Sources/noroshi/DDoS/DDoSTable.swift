import FlowAnalysis
import NetworkTypes

/// The columns that attacks and what precedes them are listed with.
enum DDoSTable {
  static var attacks: [ListColumn<Attack>] {
    [
      ListColumn("id") { .text($0.id) },
      ListColumn("name") { .text($0.name) },
      ListColumn("start") { .time($0.start) },
      ListColumn("seconds") { .seconds($0.seconds) },
      ListColumn("peak_pps") { .count(Int64($0.peak.packetsPerSecond)) },
      ListColumn("peak_bps") { .count(Int64($0.peak.bitsPerSecond)) },
      ListColumn("packets") { .count($0.total.packets) },
      ListColumn("sources") { .count(Int64($0.sourceCount)) },
      ListColumn("nature") { .text($0.vectors.first?.nature.rawValue) },
      ListColumn("ongoing") { .flag(!$0.isOver) },
      ListColumn("target", extra: true) { .text($0.target.description) },
      ListColumn("network", extra: true) { .text($0.network?.description) },
      ListColumn("end", extra: true) { .time($0.end) },
      ListColumn("detected", extra: true) { .time($0.detected) },
      ListColumn("bytes", extra: true) { .bytes(Int64(clamping: $0.total.octets)) },
      ListColumn("flows", extra: true) { .count($0.total.flows) },
      ListColumn("peak_fps", extra: true) { .count(Int64($0.peak.flowsPerSecond)) },
      ListColumn("peak_time", extra: true) { .time($0.peakTime) },
      ListColumn("vectors", extra: true) { .list($0.vectors.map(\.name)) },
      ListColumn("destinations", extra: true) { .count(Int64($0.destinationCount)) },
      ListColumn("trigger", extra: true) { .text(trigger($0.trigger)) },
      ListColumn("sampling_rate", extra: true) { .count($0.samplingRate) },
    ]
  }

  static func trigger(_ trigger: AttackTrigger) -> String {
    if trigger.basis == .told { return "told to be one" }
    let value = Int64(trigger.value.rounded())
    let limit = Int64(trigger.limit.rounded())
    return "\(trigger.kind.name) \(Quantity.grouped(value)) \(trigger.unit.rawValue) above the "
      + "\(trigger.basis.rawValue) limit of \(Quantity.grouped(limit))"
  }

  static var sources: [ListColumn<AttackSource>] {
    [
      ListColumn("address") { .text($0.address.description) },
      ListColumn("packets") { .count($0.packets) },
      ListColumn("error") { .count($0.error) },
      ListColumn("bytes") { .bytes(Int64(clamping: $0.octets)) },
      ListColumn("flows") { .count($0.flows) },
      ListColumn("nature") { .text($0.nature.rawValue) },
      ListColumn("vectors") { .list($0.vectors) },
      ListColumn("first", extra: true) { .time($0.first) },
      ListColumn("last", extra: true) { .time($0.last) },
    ]
  }

  static var groups: [ListColumn<SourceGroup>] {
    [
      ListColumn("organisation") { .text($0.owner.organisation) },
      ListColumn("asn") { $0.owner.asn.map { .text($0.description) } ?? .none },
      ListColumn("country") { .text($0.owner.country?.description) },
      ListColumn("network") { .text($0.owner.network?.description) },
      ListColumn("sources") { .count($0.sources.count) },
      ListColumn("packets") { .count($0.packets) },
      ListColumn("bytes") { .bytes(Int64(clamping: $0.octets)) },
      ListColumn("reflectors") { .count($0.count(of: .reflector)) },
      ListColumn("forged") { .count($0.count(of: .forged)) },
      ListColumn("direct") { .count($0.count(of: .direct)) },
    ]
  }

  static var scans: [ListColumn<ObservedScan>] {
    [
      ListColumn("source") { .text($0.source.description) },
      ListColumn("shape") { .text($0.shape.rawValue) },
      ListColumn("protocol") { .text($0.transport.description) },
      ListColumn("port") { $0.port.map { .text("\($0)") } ?? .none },
      ListColumn("target") { .text($0.target?.description) },
      ListColumn("targets") { .count(Int64($0.targets)) },
      ListColumn("answered") { .count(Int64($0.answered)) },
      ListColumn("packets") { .count($0.packets) },
      ListColumn("first") { .time($0.first) },
      ListColumn("last") { .time($0.last) },
      ListColumn("flows", extra: true) { .count($0.flows) },
    ]
  }

  static var reflectors: [ListColumn<ObservedReflector>] {
    [
      ListColumn("address") { .text($0.address.description) },
      ListColumn("service") { .text($0.service) },
      ListColumn("factor") { $0.factor.map { .decimal($0, digits: 1) } ?? .none },
      ListColumn("clients") { .count(Int64($0.clients)) },
      ListColumn("bytes_out") { .bytes(Int64(clamping: $0.octetsOut)) },
      ListColumn("bytes_in") { .bytes(Int64(clamping: $0.octetsIn)) },
      ListColumn("top_client") { .text($0.topClient.description) },
      ListColumn("top_share") { .percent($0.topClientShare * 100) },
      ListColumn("last") { .time($0.last) },
      ListColumn("port", extra: true) { .text("\($0.port)") },
      ListColumn("first", extra: true) { .time($0.first) },
      ListColumn("packets_out", extra: true) { .count($0.packetsOut) },
      ListColumn("packets_in", extra: true) { .count($0.packetsIn) },
    ]
  }
}
