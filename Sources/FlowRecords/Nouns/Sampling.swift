public import NetworkTypes

/// Where a flow's sampling rate came from.
public enum SamplingSource: UInt8, Sendable, Codable, CaseIterable {
  /// No one said; the rate is 0.
  case unknown = 0
  /// A field of the flow record itself.
  case record = 1
  /// Options data of the exporter.
  case options = 2
  /// The operator's configuration.
  case configuration = 3
  /// The header of the datagram (NetFlow v5).
  case header = 4

  public var name: String {
    switch self {
    case .unknown: "unknown"
    case .record: "record"
    case .options: "options"
    case .configuration: "configuration"
    case .header: "header"
    }
  }
}

/// One of how many packets was looked at, and how that is known.
@frozen
public struct SamplingRate: Hashable, Sendable, Codable {
  /// 0 unknown, 1 every packet.
  public var rate: UInt32
  public var source: SamplingSource

  public init(rate: UInt32, source: SamplingSource) {
    self.rate = rate
    self.source = source
  }

  public static let unknown = SamplingRate(rate: 0, source: .unknown)

  /// A raw counter times the rate; an unknown rate counts as 1, and the largest number stands for
  /// everything above it.
  @inlinable
  public static func scaled(_ raw: UInt64, by rate: UInt32) -> UInt64 {
    guard rate > 1 else { return raw }
    let (product, overflow) = raw.multipliedReportingOverflow(by: UInt64(rate))
    return overflow ? .max : product
  }
}

/// A sampling rate that the operator sets for some exporters.
public struct SamplingConfiguration: Sendable, Codable, Hashable {
  /// The exporters that it is for.
  public var exporters: IPPrefix
  /// One of how many packets they look at, from 1.
  public var rate: UInt32
  /// Whether the rate replaces the one that the exporter announces.
  public var overrides: Bool

  public init(exporters: IPPrefix, rate: UInt32, overrides: Bool = false) {
    self.exporters = exporters
    self.rate = rate
    self.overrides = overrides
  }
}
