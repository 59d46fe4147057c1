import NetworkTypes

/// What a collector has received, decoded and lost: everything for which there is a counter.
public struct CollectorStatistics: Sendable, Codable {
  public var exporters: [ExporterStatistics] = []
  /// Faults of datagrams that belong to no exporter.
  public var strayFaults = FaultCounts()
  public var datagrams: UInt64 = 0
  public var octets: UInt64 = 0
  /// Datagrams that the kernel dropped because the socket's buffer was full.
  public var kernelDrops: UInt64 = 0
  /// Datagrams of exporters that are not on the list.
  public var refused: UInt64 = 0
  /// Datagrams above their exporter's rate.
  public var shed: UInt64 = 0
  /// How often receiving had to wait for decoding.
  public var queueFull: UInt64 = 0
  public var connections = 0
  /// TCP connections that were refused or closed: too many, silent, or not IPFIX.
  public var closedConnections: UInt64 = 0

  public init() {}

  public var flows: UInt64 { exporters.reduce(0) { $0 &+ $1.flows } }
  /// What sequence numbers say is missing.
  public var lost: UInt64 { exporters.reduce(0) { $0 &+ $1.lost } }

  /// Counters and gauges, named as Prometheus names them, each with a sentence for `/metrics`.
  public var metrics: [FlowMetric] {
    var metrics: [FlowMetric] = []
    func add(
      _ name: String, _ help: String, _ value: UInt64, isCounter: Bool = true,
      _ labels: [(String, String)] = []
    ) {
      metrics.append(
        FlowMetric(
          name: "noroshi_flows_\(name)", help: help, isCounter: isCounter,
          labels: labels.map { .init(name: $0.0, value: $0.1) }, value: Double(value)))
    }
    add("datagrams_total", "Datagrams and messages received.", datagrams)
    add("octets_total", "Octets of datagrams and messages received.", octets)
    add(
      "kernel_drops_total", "Datagrams that the kernel dropped, as the socket's buffer was full.",
      kernelDrops)
    add("refused_total", "Datagrams of exporters that are not allowed.", refused)
    add("shed_total", "Datagrams above their exporter's rate.", shed)
    add("queue_full_total", "How often receiving had to wait for decoding.", queueFull)
    add("connections", "Open TCP connections.", UInt64(connections), isCounter: false)
    add("connections_closed_total", "TCP connections refused or cut.", closedConnections)
    for fault in DecodingFault.allCases {
      add(
        "stray_faults_total", "Datagrams of no exporter that could not be read, by reason.",
        strayFaults[fault], [("reason", fault.name)])
    }
    for exporter in exporters.sorted(by: { $0.order < $1.order }) {
      let labels = [
        ("exporter", exporter.exporter.address.description),
        ("domain", String(exporter.exporter.domain)), ("protocol", exporter.version.rawValue),
      ]
      add("records_total", "Flows decoded.", exporter.flows, labels)
      add("exporter_datagrams_total", "Datagrams of an exporter.", exporter.datagrams, labels)
      add("sequence_lost_total", "Missing by sequence number.", exporter.lost, labels)
      add("sequence_gaps_total", "Gaps in sequence numbers.", exporter.gaps, labels)
      add("reordered_total", "Datagrams overtaken by later ones.", exporter.reordered, labels)
      add("restarts_total", "Restarts of an exporter.", exporter.restarts, labels)
      add("templates", "Templates known.", UInt64(exporter.templates), isCounter: false, labels)
      add(
        "held_octets", "Octets that wait for their template.", UInt64(exporter.heldOctets),
        isCounter: false, labels)
      add(
        "sampling_rate", "The rate last used; 0 is unknown.", UInt64(exporter.sampling.rate),
        isCounter: false, labels + [("source", exporter.sampling.source.name)])
      for fault in DecodingFault.allCases where exporter.faults[fault] > 0 {
        add(
          "faults_total", "What could not be decoded, by reason.", exporter.faults[fault],
          labels + [("reason", fault.name)])
      }
    }
    return metrics
  }
}

extension ExporterStatistics {
  fileprivate var order: (UInt128, UInt32, String) {
    (exporter.address.bits, exporter.domain, version.rawValue)
  }
}

/// One value of a collector for `/metrics`.
public struct FlowMetric: Sendable {
  public struct Label: Sendable {
    public let name: String
    public let value: String
  }

  public let name: String
  public let help: String
  /// A counter, or a gauge.
  public let isCounter: Bool
  public let labels: [Label]
  public let value: Double
}
