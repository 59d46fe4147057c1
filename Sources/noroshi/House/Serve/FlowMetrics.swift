import FlowArchive
import FlowCluster
import FlowRecords
import Portal

/// What `/metrics` says of the flow collector.
enum FlowMetrics {
  /// What was received and lost on the way, and what became of it in the archive.
  static func families(of service: CollectService) -> [MetricFamily] {
    families(of: service.collector.statistics().metrics) + archive(service.writer.counters)
  }

  /// What was received and lost on the way, and what became of it in the cluster.
  static func families(of service: ClusterCollectService) -> [MetricFamily] {
    families(of: service.collector.statistics().metrics)
      + service.sink.metrics.map { metric in
        MetricFamily(
          name: metric.name, help: metric.help, kind: metric.isCounter ? .counter : .gauge,
          samples: [MetricSample(value: Double(metric.value))])
      }
  }

  /// One family for each name.
  static func families(of metrics: [FlowMetric]) -> [MetricFamily] {
    var families: [MetricFamily] = []
    var places: [String: Int] = [:]
    for metric in metrics {
      let place = places[metric.name] ?? families.count
      if place == families.count {
        places[metric.name] = place
        families.append(
          MetricFamily(
            name: metric.name, help: metric.help, kind: metric.isCounter ? .counter : .gauge))
      }
      families[place].samples.append(
        MetricSample(metric.labels.map { .init($0.name, $0.value) }, value: metric.value))
    }
    return families
  }

  private static func archive(_ counters: ArchiveWriter.Counters) -> [MetricFamily] {
    [
      ("accepted_total", "Flows handed to the archive.", counters.accepted),
      ("synced_total", "Flows on the disk.", counters.synced),
      ("dropped_total", "Flows dropped as the disk was too slow.", counters.dropped),
      ("lost_total", "Flows that could not be written.", counters.lost),
    ].map { name, help, value in
      MetricFamily(
        name: "noroshi_flows_archive_\(name)", help: help, kind: .counter,
        samples: [MetricSample(value: Double(value))])
    }
  }
}
