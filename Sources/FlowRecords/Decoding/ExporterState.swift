public import NetworkTypes

/// The protocol that a datagram is in.
public enum FlowProtocol: String, Sendable, Codable, CaseIterable {
  case netflow5, netflow9, ipfix, sflow5
}

/// What identifies the state kept for an exporter. Two protocols may share an observation domain's
/// number, and an IPFIX session over TCP has templates of its own (RFC 7011 §8).
struct ExporterKey: Hashable, Sendable {
  let exporter: FlowExporter
  let version: FlowProtocol
  /// 0 for UDP.
  let session: UInt64
}

/// A template in use.
struct KnownTemplate {
  let plan: DecodingPlan
  /// When it was last announced, Unix nanoseconds of the collector.
  var announced: Int64
}

/// A set of records whose template is not known yet.
struct HeldSet {
  let template: UInt16
  let octets: [UInt8]
  let context: SetContext
  let received: Int64
}

/// All that is remembered of one exporter's observation domain.
final class ExporterState {
  let key: ExporterKey
  // Counted for every datagram and reached from nowhere else meanwhile: looking for overlapping accesses
  // at run time would cost as much as counting.
  @exclusivity(unchecked) var statistics: ExporterStatistics
  var templates: [UInt16: KnownTemplate] = [:]
  /// The template used last: nearly always the next one as well.
  @exclusivity(unchecked) var lastTemplate: DecodingPlan?
  /// Until when it may be used, Unix nanoseconds.
  @exclusivity(unchecked) var lastTemplateEnd: Int64 = .min
  /// Sampling rates by sampler or selector identifier.
  var samplers: [UInt64: UInt32] = [:]
  /// Sampling rates by input interface, where options data have an interface as their scope.
  var interfaceRates: [UInt32: UInt32] = [:]
  /// Whether any template is an options template.
  var hasOptionsTemplates = false
  /// The rate that options data gave for the whole domain.
  var domainRate: UInt32 = 0
  /// IPFIX element 160, from options data: when the exporter started, Unix milliseconds.
  var systemStart: UInt64?
  /// What the operator's configuration says of this exporter.
  let configured: SamplingConfiguration?

  @exclusivity(unchecked) var expectedSequence: UInt32?
  /// What the sequence numbers of this exporter count (IPFIX).
  @exclusivity(unchecked) var counting = SequenceCounting()
  /// The rate in the header of the datagram at hand (NetFlow v5).
  @exclusivity(unchecked) var headerRate: UInt32 = 0
  @exclusivity(unchecked) var lastSequence: UInt32?
  @exclusivity(unchecked) var lastUptime: UInt32?
  /// When the exporter started by its own clock, Unix milliseconds.
  @exclusivity(unchecked) var started: Int64?
  @exclusivity(unchecked) var lastExportTime: Int64 = .min
  @exclusivity(unchecked) var lastReceived: Int64 = .min
  /// State read from a file, which an exporter that has restarted since has made stale.
  @exclusivity(unchecked) var isRestored = false

  var held: [HeldSet] = []
  var heldOctets = 0

  init(_ key: ExporterKey, configured: SamplingConfiguration?) {
    self.key = key
    self.configured = configured
    statistics = ExporterStatistics(exporter: key.exporter, version: key.version)
  }

  func forgetTemplates() {
    templates.removeAll()
    lastTemplate = nil
    samplers.removeAll()
    interfaceRates.removeAll()
    hasOptionsTemplates = false
    domainRate = 0
    systemStart = nil
  }

  /// The rate for records that do not say it themselves.
  func rate(sampler: UInt64? = nil, interface: UInt32? = nil) -> SamplingRate {
    if let configured, configured.overrides {
      return SamplingRate(rate: configured.rate, source: .configuration)
    }
    if let sampler, let rate = samplers[sampler] {
      return SamplingRate(rate: rate, source: .options)
    }
    if let interface, let rate = interfaceRates[interface] {
      return SamplingRate(rate: rate, source: .options)
    }
    if domainRate > 0 { return SamplingRate(rate: domainRate, source: .options) }
    // Without an identifier in the record, a single known sampler is the one that is meant.
    if sampler == nil, samplers.count == 1, let only = samplers.first {
      return SamplingRate(rate: only.value, source: .options)
    }
    if headerRate > 0 { return SamplingRate(rate: headerRate, source: .header) }
    if let configured { return SamplingRate(rate: configured.rate, source: .configuration) }
    return .unknown
  }
}

/// What is known of an exporter: what came, what was lost, what could not be read.
public struct ExporterStatistics: Sendable, Codable {
  public let exporter: FlowExporter
  public let version: FlowProtocol
  public var datagrams: UInt64 = 0
  public var octets: UInt64 = 0
  /// Flows that were decoded and handed on.
  public var flows: UInt64 = 0
  /// Records of options templates.
  public var optionsRecords: UInt64 = 0
  /// Records of templates without any address, which are no flows.
  public var otherRecords: UInt64 = 0
  /// sFlow counter samples, which are skipped.
  public var counterSamples: UInt64 = 0
  /// What the sequence numbers say is missing: flows of NetFlow v5 and IPFIX, datagrams of v9 and
  /// sFlow.
  public var lost: UInt64 = 0
  /// How often something was missing.
  public var gaps: UInt64 = 0
  /// Datagrams that came after a later one.
  public var reordered: UInt64 = 0
  public var restarts: UInt64 = 0
  public var templates = 0
  /// Templates that replaced another layout of the same identifier.
  public var redefinitions: UInt64 = 0
  public var expiredTemplates: UInt64 = 0
  /// Sets that waited for their template, and were decoded when it came.
  public var heldSets: UInt64 = 0
  /// Octets that wait for their template now.
  public var heldOctets = 0
  public var faults = FaultCounts()
  /// The last rate used, and where it came from.
  public var sampling = SamplingRate.unknown
  /// When the first and last datagrams came.
  public var firstReceived = Timestamp(nanoseconds: 0)
  public var lastReceived = Timestamp(nanoseconds: 0)
}
