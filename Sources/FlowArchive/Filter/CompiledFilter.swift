import FlowRecords
import NetworkTypes

/// A filter made ready for columns: negations are at the leaves, sets are ranges.
struct CompiledFilter: Sendable {
  indirect enum Node: Sendable {
    case constant(Bool)
    case leaf(Leaf, isNegated: Bool)
    case all([Node])
    case some([Node])
  }

  enum Leaf: Sendable {
    case numbers(FlowQuantity, ValueRanges<UInt64>)
    case address(FlowColumn, ValueRanges<UInt128>)
    case family(isIPv4: Bool)
    case flags(UInt8)
  }

  let root: Node
  /// Whether packets and octets are tested as counted, without the sampling rate.
  let isRaw: Bool

  init(_ filter: FlowFilter, isRaw: Bool = false) {
    root = Self.node(filter.pushedDown())
    self.isRaw = isRaw
  }

  var isConstantTrue: Bool { if case .constant(true) = root { true } else { false } }

  private static func node(_ filter: FlowFilter) -> Node {
    switch filter {
    case .any: return .constant(true)
    case .predicate(let predicate): return .leaf(leaf(predicate), isNegated: false)
    case .not(.predicate(let predicate)): return .leaf(leaf(predicate), isNegated: true)
    // `pushedDown` leaves negations only at predicates.
    case .not(let inner): return node(inner.pushedDown(isNegated: true))
    case .all(let parts): return .all(parts.map(node).sorted { cost($0) < cost($1) })
    case .some(let parts): return parts.isEmpty ? .constant(false) : .some(parts.map(node))
    }
  }

  /// About how long a test takes, so that the quick and choosy ones come first: addresses are sorted
  /// or have dictionaries, quotients need four columns.
  private static func cost(_ node: Node) -> Int {
    switch node {
    case .constant: 0
    case .leaf(.address(.sourceAddress, _), isNegated: false): 1
    case .leaf(.address, isNegated: false): 2
    case .leaf(.family, _): 1
    case .leaf(.flags, _): 4
    case .leaf(.numbers(.column(let column), _), let isNegated):
      column == .transport || isNegated ? 4 : 3
    case .leaf(.numbers, _): 8
    case .leaf: 5
    case .all(let parts): parts.map(cost).min() ?? 0
    case .some(let parts): 4 + (parts.map(cost).max() ?? 0)
    }
  }

  private static func leaf(_ predicate: FlowPredicate) -> Leaf {
    switch predicate {
    case .compare(let quantity, let comparison, let value):
      .numbers(quantity, ValueRanges([comparison.range(value)].compactMap(\.self)))
    case .among(let quantity, let values):
      .numbers(quantity, ValueRanges(values.map { $0...$0 }))
    case .address(let column, let blocks):
      .address(column, ValueRanges(blocks.map { $0.first.bits...$0.last.bits }))
    case .family(let isIPv4): .family(isIPv4: isIPv4)
    case .flags(let mask): .flags(mask)
    }
  }

  // MARK: Pruning

  /// What the statistics of a row group say.
  func outcome(_ file: OpenFile, _ group: Int) -> PruneOutcome { outcome(root, file, group) }

  func outcome(_ node: Node, _ file: OpenFile, _ group: Int) -> PruneOutcome {
    switch node {
    case .constant(let isTrue): return isTrue ? .all : .none
    case .leaf(.flags, _): return .some
    case .leaf(let leaf, let isNegated):
      let outcome = outcome(leaf, file, group)
      return isNegated ? outcome.inverted : outcome
    case .all(let parts):
      var result = PruneOutcome.all
      for part in parts {
        switch outcome(part, file, group) {
        case .none: return .none
        case .some: result = .some
        case .all: break
        }
      }
      return result
    case .some(let parts):
      var result = PruneOutcome.none
      for part in parts {
        switch outcome(part, file, group) {
        case .all: return .all
        case .some: result = .some
        case .none: break
        }
      }
      return result
    }
  }

  private func outcome(_ leaf: Leaf, _ file: OpenFile, _ group: Int) -> PruneOutcome {
    switch leaf {
    case .flags: return .some
    case .address(let column, let ranges):
      if column == .exporter { return .some }
      return ranges.outcome(file.addresses(column, group: group))
    case .family(let isIPv4):
      let base = UInt128(0xffff) << 32
      let mapped = ValueRanges<UInt128>([base...(base | 0xffff_ffff)])
      let source = mapped.outcome(file.addresses(.sourceAddress, group: group))
      let destination = mapped.outcome(file.addresses(.destinationAddress, group: group))
      switch (source, destination) {
      case (.all, .all): return isIPv4 ? .all : .none
      case (.none, .none): return isIPv4 ? .none : .all
      default: return .some
      }
    case .numbers(let quantity, let ranges):
      switch quantity {
      case .column(let column): return ranges.outcome(file.bounds(column, group: group))
      case .packets: return ranges.outcome(scaled(.packets, file, group))
      case .bytes: return ranges.outcome(scaled(.bytes, file, group))
      case .flows:
        guard let bounds = file.bounds(.aggregatedFlows, group: group) else { return .some }
        return ranges.outcome(max(1, bounds.lowerBound)...max(1, bounds.upperBound))
      case .packetsPerSecond, .bitsPerSecond, .bytesPerPacket, .duration, .icmpType, .icmpCode,
        .observationDomain:
        return .some
      }
    }
  }

  private func scaled(
    _ column: FlowColumn, _ file: OpenFile, _ group: Int
  ) -> ClosedRange<UInt64>? {
    guard let bounds = file.bounds(column, group: group) else { return nil }
    if isRaw { return bounds }
    guard let rates = file.bounds(.samplingRate, group: group) else { return nil }
    let high = SamplingRate.scaled(
      bounds.upperBound, by: UInt32(clamping: max(1, rates.upperBound)))
    return bounds.lowerBound...high
  }
}
