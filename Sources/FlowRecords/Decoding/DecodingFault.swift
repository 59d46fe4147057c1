/// Why something that an exporter sent could not be used.
public enum DecodingFault: UInt8, CaseIterable, Sendable, Codable {
  /// The datagram ends within its header.
  case truncatedHeader
  /// The datagram was longer than the collector receives.
  case truncatedDatagram
  /// Neither NetFlow 5 or 9, IPFIX nor sFlow 5.
  case unknownVersion
  /// The length or count in the header does not fit the datagram.
  case wrongLength
  /// A set that is shorter than its header or longer than its datagram.
  case wrongSetLength
  /// A template that ends early, has too many fields, or has an identifier below 256.
  case malformedTemplate
  /// A record that is longer than its set.
  case malformedRecord
  /// Data of a template that was never announced, and did not come in time: octets given up.
  case unknownTemplate
  /// More templates than ``FlowParameters/largestTemplateCount``.
  case tooManyTemplates
  /// More exporters than ``FlowParameters/largestExporterCount``.
  case tooManyExporters
  /// An sFlow sample that is inconsistent.
  case malformedSample
  /// A sampled packet's header that is not IP or cannot be decoded.
  case undecodablePacket

  /// The name of this fault's counter.
  public var name: String {
    switch self {
    case .truncatedHeader: "truncated_header"
    case .truncatedDatagram: "truncated_datagram"
    case .unknownVersion: "unknown_version"
    case .wrongLength: "wrong_length"
    case .wrongSetLength: "wrong_set_length"
    case .malformedTemplate: "malformed_template"
    case .malformedRecord: "malformed_record"
    case .unknownTemplate: "unknown_template"
    case .tooManyTemplates: "too_many_templates"
    case .tooManyExporters: "too_many_exporters"
    case .malformedSample: "malformed_sample"
    case .undecodablePacket: "undecodable_packet"
    }
  }
}

/// Counters of faults, by reason.
public struct FaultCounts: Hashable, Sendable {
  private var counts = [UInt64](repeating: 0, count: DecodingFault.allCases.count)

  public init() {}

  public subscript(fault: DecodingFault) -> UInt64 {
    get { counts[Int(fault.rawValue)] }
    set { counts[Int(fault.rawValue)] = newValue }
  }

  public var total: UInt64 { counts.reduce(0, &+) }

  mutating func add(_ fault: DecodingFault) { counts[Int(fault.rawValue)] &+= 1 }

  public static func += (left: inout Self, right: Self) {
    for index in left.counts.indices { left.counts[index] &+= right.counts[index] }
  }
}

extension FaultCounts: Codable {
  /// An object of counts by name, without zeros.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    var named: [String: UInt64] = [:]
    for fault in DecodingFault.allCases where self[fault] > 0 { named[fault.name] = self[fault] }
    try container.encode(named)
  }

  /// Names that are not known are passed over.
  public init(from decoder: any Decoder) throws {
    self.init()
    let named = try decoder.singleValueContainer().decode([String: UInt64].self)
    for fault in DecodingFault.allCases { self[fault] = named[fault.name] ?? 0 }
  }
}
