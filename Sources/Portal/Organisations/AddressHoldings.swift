import Constituency
import NetworkTypes

/// The addresses that one organisation alone answers for, as a condition in SQL: the same answer as
/// `ConstituencyIndex.responsible(for:asn:)` for every address, which a test holds it to.
struct AddressHoldings: Sendable {
  /// Ranges that its prefixes hold and no more specific one of another organisation takes away.
  private(set) var ranges: [ClosedRange<UInt128>] = []
  /// What any prefix of the constituency holds: there no system is asked.
  private(set) var claimed: [ClosedRange<UInt128>] = []
  /// Systems that it alone has.
  private(set) var systems: [ASN] = []

  init(of id: String, in organisations: some Sequence<Organisation>) {
    let answering = organisations.filter(\.answersForAddresses)
    var claims: [IPPrefix: Set<String>] = [:]
    var holders: [ASN: Set<String>] = [:]
    for organisation in answering {
      for prefix in organisation.prefixes { claims[prefix, default: []].insert(organisation.id) }
      for asn in organisation.asns where asn != .unknown {
        holders[asn, default: []].insert(organisation.id)
      }
    }
    systems = holders.filter { $0.value == [id] }.map(\.key).sorted()
    // A wider prefix comes before those inside it, so that a stack knows who holds each stretch.
    let ordered = claims.map { (prefix: $0.key, isOwn: $0.value == [id]) }.sorted {
      ($0.prefix.first.bits, $1.prefix.last.bits) < ($1.prefix.first.bits, $0.prefix.last.bits)
    }
    var stack: [(last: UInt128, isOwn: Bool)] = []
    var position: UInt128 = 0
    func close(until end: UInt128?) {
      while let top = stack.last, end.map({ top.last < $0 }) ?? true {
        add(from: position, to: top.last, isOwn: top.isOwn)
        // Past the last address of all there is nothing left to give.
        position = top.last == .max ? .max : max(position, top.last + 1)
        stack.removeLast()
      }
    }
    for (prefix, isOwn) in ordered {
      let first = prefix.first.bits
      close(until: first)
      if let top = stack.last, first > position {
        add(from: position, to: first - 1, isOwn: top.isOwn)
      }
      position = max(position, first)
      stack.append((prefix.last.bits, isOwn))
    }
    close(until: nil)
  }

  private mutating func add(from first: UInt128, to last: UInt128, isOwn: Bool) {
    guard first <= last else { return }
    Self.extend(&claimed, first, last)
    if isOwn { Self.extend(&ranges, first, last) }
  }

  private static func extend(
    _ ranges: inout [ClosedRange<UInt128>], _ first: UInt128, _ last: UInt128
  ) {
    if let end = ranges.last?.upperBound, end != .max, end + 1 == first,
      let start = ranges.last?.lowerBound
    {
      ranges[ranges.count - 1] = start...last
    } else {
      ranges.append(first...last)
    }
  }

  /// - Parameter system: the column of the system number; nil where the table has none.
  func condition(address: String, system: String?) -> String {
    var parts: [String] = []
    if !ranges.isEmpty { parts.append(Self.within(address, ranges)) }
    if let system, !systems.isEmpty {
      let numbers = systems.map { String($0.number) }.joined(separator: ",")
      let outside = claimed.isEmpty ? "1" : "NOT \(Self.within(address, claimed))"
      parts.append("(\(system) IN (\(numbers)) AND \(outside))")
    }
    return parts.isEmpty ? "0" : "(\(parts.joined(separator: " OR ")))"
  }

  /// A table of ranges, because SQLite bounds the depth of an OR (SQLITE_MAX_EXPR_DEPTH, 1000).
  private static func within(_ column: String, _ ranges: [ClosedRange<UInt128>]) -> String {
    let values = ranges.map { range in
      let first = AddressOctets.literal(IPAddress(bits: range.lowerBound))
      let last = AddressOctets.literal(IPAddress(bits: range.upperBound))
      return "(\(first),\(last))"
    }
    return """
      EXISTS (SELECT 1 FROM (VALUES \(values.joined(separator: ","))) AS held \
      WHERE \(column) BETWEEN held.column1 AND held.column2)
      """
  }
}
