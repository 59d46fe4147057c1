public import FlowRecords
public import NetworkTypes

/// A filter over flows, as a tree that any engine can walk: this package's own evaluates it over
/// columns, others may write SQL from it.
public indirect enum FlowFilter: Hashable, Sendable {
  /// True of every flow.
  case any
  case predicate(FlowPredicate)
  case not(FlowFilter)
  /// All of them; true when there are none.
  case all([FlowFilter])
  /// At least one of them; false when there are none.
  case some([FlowFilter])
}

/// One test of one flow.
public enum FlowPredicate: Hashable, Sendable {
  /// A number compares with a constant.
  case compare(FlowQuantity, FilterComparison, UInt64)
  /// A number is one of these, ascending and without doubles.
  case among(FlowQuantity, [UInt64])
  /// An address lies in one of these blocks. IPv4 blocks hold no IPv6 addresses, and the reverse.
  case address(FlowColumn, [IPPrefix])
  /// Both source and destination are of this family.
  case family(isIPv4: Bool)
  /// TCP, and all of these flags are set. Its negation is, as in nfdump: not TCP, or none of these
  /// flags is set.
  case flags(UInt8)
}

/// A number of a flow that a filter tests or a listing is ordered by.
public enum FlowQuantity: Hashable, Sendable {
  /// A number column as it was recorded.
  case column(FlowColumn)
  /// Packets times the sampling rate.
  case packets
  /// Octets times the sampling rate.
  case bytes
  /// Flows that an aggregated record stands for; 1 for others.
  case flows
  /// Scaled packets per second, cut to a whole number; 0 for a flow without duration.
  case packetsPerSecond
  /// Scaled bits per second, cut to a whole number; 0 for a flow without duration.
  case bitsPerSecond
  /// Octets per packet, cut to a whole number; 0 without packets.
  case bytesPerPacket
  /// Milliseconds from the first to the last packet.
  case duration
  /// The ICMP type: of its column or, where the exporter put it into the destination port, from there.
  case icmpType
  case icmpCode
  /// The exporter's observation domain.
  case observationDomain
}

/// How two numbers compare.
public enum FilterComparison: String, Hashable, Sendable {
  case equal = "="
  case less = "<"
  case greater = ">"
  case atMost = "<="
  case atLeast = ">="

  /// The numbers for which the comparison with `value` holds; nil when there are none.
  public func range(_ value: UInt64) -> ClosedRange<UInt64>? {
    switch self {
    case .equal: value...value
    case .less: value == 0 ? nil : 0...value - 1
    case .greater: value == .max ? nil : value + 1 ... .max
    case .atMost: 0...value
    case .atLeast: value ... .max
    }
  }
}

extension FlowFilter {
  /// Both; simplified where one of them says nothing.
  public func and(_ other: FlowFilter) -> FlowFilter {
    switch (self, other) {
    case (.any, _): other
    case (_, .any): self
    default: .all([self, other])
    }
  }

  /// The same filter with negations only directly at predicates.
  func pushedDown(isNegated: Bool = false) -> FlowFilter {
    switch self {
    case .any: isNegated ? .some([]) : .any
    case .predicate: isNegated ? .not(self) : self
    case .not(let inner): inner.pushedDown(isNegated: !isNegated)
    case .all(let parts):
      isNegated
        ? .some(parts.map { $0.pushedDown(isNegated: true) })
        : .all(parts.map { $0.pushedDown() })
    case .some(let parts):
      isNegated
        ? .all(parts.map { $0.pushedDown(isNegated: true) })
        : .some(parts.map { $0.pushedDown() })
    }
  }
}
