import FlowCluster
import FlowRecords
import Portal
import ServiceLifecycle
import Settings
import Store

extension House {
  /// Everything that `serve` does with flows: the collector, its archive's upkeep or its cluster, and
  /// what looks at the flows as they come. Nothing where flows are not collected.
  ///
  /// Those that look are started before the collector and stopped after it.
  func flowServices(_ store: DataStore, _ metrics: MetricsRegistry) throws -> [any Service] {
    let flows = configuration.flows
    guard flows.enabled else { return [] }
    var collecting = collectorConfiguration()
    var services: [any Service] = []
    var taps: [@Sendable (FlowBatch) -> Void] = []
    if configuration.detection.enabled {
      let contacts = try ContactService(house: self, store: store)
      metrics.register { DetectionMetrics.families(of: contacts) }
      services.append(contacts)
      taps.append { contacts.feed($0) }
    }
    if configuration.ddos.enabled {
      let attacks = try attackService(protectedPrefixes(), attackParameters)
      metrics.register { DetectionMetrics.families(of: attacks) }
      collecting = Self.hurried(collecting)
      services.append(attacks)
      taps.append { attacks.feed($0) }
    }
    let tap: @Sendable (FlowBatch) -> Void = { [taps] batch in
      for tap in taps { tap(batch) }
    }
    if let cluster = flows.cluster {
      let collector = try ClusterCollectService(
        collecting, to: ClusterAddress(cluster), spool: data.flowSpool,
        parameters: SinkParameters(), report: data.flowExporters, logger: logger, tap: tap)
      metrics.register { FlowMetrics.families(of: collector) }
      services.append(collector)
    } else {
      let collector = try collectService(collecting, tap: tap)
      metrics.register { FlowMetrics.families(of: collector) }
      services.append(collector)
      services.append(ArchiveUpkeep(of: self, store: store))
    }
    return services
  }

  /// What `serve` says of it at the start.
  var flowsAnnouncement: [String] {
    let flows = configuration.flows
    guard flows.enabled else { return [] }
    let places = (flows.listen + flows.tcp).map(\.configurationText).joined(separator: ", ")
    var lines = ["Flows are collected on \(places)."]
    if configuration.detection.enabled {
      lines.append(
        "C&C servers are looked for in them every \(configuration.detection.intervalMinutes) min."
      )
    }
    if configuration.ddos.enabled { lines.append("Attacks are looked for in them.") }
    return lines
  }
}
