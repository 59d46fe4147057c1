import NetworkTypes

/// Templates and sampling of all exporters, to be kept over a restart of the collector.
///
/// RFC 7011 §8 lets an exporter announce templates as rarely as every half hour; without this file a
/// collector that starts anew reads nothing until then.
public struct RememberedExporters: Codable, Sendable {
  /// The layout of this value; files with another number are not used.
  public static let currentVersion = 1

  public var version = RememberedExporters.currentVersion
  public var exporters: [Exporter] = []

  public init() {}

  public struct Exporter: Codable, Sendable {
    public var exporter: FlowExporter
    public var version: FlowProtocol
    public var templates: [Entry]
    public var samplers: [UInt64: UInt32]
    public var interfaceRates: [UInt32: UInt32]
    public var domainRate: UInt32
    public var systemStart: UInt64?
    /// Milliseconds since the exporter started, and when that was by its clock, Unix milliseconds.
    public var uptime: UInt32?
    public var started: Int64?
    public var sequence: UInt32?
    /// Unix nanoseconds.
    public var exportTime: Int64
    public var received: Int64
  }

  public struct Entry: Codable, Sendable {
    public var template: Template
    /// Unix nanoseconds of the collector.
    public var announced: Int64
  }
}

extension FlowDecoder {
  /// What is to be kept over a restart.
  public func remembered() -> RememberedExporters {
    var result = RememberedExporters()
    result.exporters = exporters.values.compactMap { state in
      guard state.key.session == 0, !state.templates.isEmpty else { return nil }
      return RememberedExporters.Exporter(
        exporter: state.key.exporter, version: state.key.version,
        templates: state.templates.values
          .map { .init(template: $0.plan.template, announced: $0.announced) }
          .sorted { $0.template.id < $1.template.id },
        samplers: state.samplers, interfaceRates: state.interfaceRates,
        domainRate: state.domainRate, systemStart: state.systemStart, uptime: state.lastUptime,
        started: state.started, sequence: state.lastSequence, exportTime: state.lastExportTime,
        received: state.lastReceived)
    }
    .sorted {
      ($0.exporter.address, $0.exporter.domain) < ($1.exporter.address, $1.exporter.domain)
    }
    return result
  }

  /// Takes up what was kept, before the first datagram. What is too much for the bounds, or was not
  /// made by this program, is passed over. Whether an exporter has restarted since is seen from its
  /// next datagram.
  public func restore(_ remembered: RememberedExporters) {
    guard remembered.version == RememberedExporters.currentVersion else { return }
    for kept in remembered.exporters {
      guard
        let state = state(
          ExporterKey(exporter: kept.exporter, version: kept.version, session: 0))
      else { return }
      for entry in kept.templates.prefix(parameters.largestTemplateCount) {
        let template = entry.template
        guard template.id >= 256, !template.fields.isEmpty,
          template.fields.count <= parameters.largestFieldCount,
          (1...65_535).contains(template.shortestRecord),
          template.scopeCount >= 0, template.scopeCount <= template.fields.count
        else { continue }
        state.templates[template.id] = KnownTemplate(
          plan: DecodingPlan(template), announced: entry.announced)
        if template.isOptions { state.hasOptionsTemplates = true }
      }
      let bound = parameters.largestSamplerCount
      for (sampler, rate) in kept.samplers.prefix(bound) { state.samplers[sampler] = rate }
      for (interface, rate) in kept.interfaceRates.prefix(bound) {
        state.interfaceRates[interface] = rate
      }
      state.domainRate = kept.domainRate
      state.systemStart = kept.systemStart
      state.lastUptime = kept.uptime
      state.started = kept.started
      state.lastSequence = kept.sequence
      state.lastExportTime = kept.exportTime
      state.lastReceived = kept.received
      state.isRestored = true
    }
  }
}
