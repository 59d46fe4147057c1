import FlowArchive
import FlowRecords
import NetworkTypes

/// A filter as a condition in SQL, true of the same flows as the archive's own evaluation.
///
/// Nothing that a user typed comes into the text: only column names of this package, numbers, and
/// addresses as `\xHH`.
struct FilterSQL {
  /// Whether packets and octets are tested as counted, without the sampling rate.
  let isRaw: Bool

  /// - Throws: ``ClusterError/inexpressible(_:)``.
  func condition(_ filter: FlowFilter, isNegated: Bool = false) throws(ClusterError) -> String {
    switch filter {
    case .any: return isNegated ? "0" : "1"
    case .not(let inner): return try condition(inner, isNegated: !isNegated)
    case .all(let parts): return try join(parts, isNegated, isNegated ? " OR " : " AND ")
    case .some(let parts): return try join(parts, isNegated, isNegated ? " AND " : " OR ")
    case .predicate(.flags(let mask)):
      // The negation is nfdump's: not TCP, or none of these flags.
      return isNegated
        ? "(protocol != 6 OR bitAnd(tcp_flags, \(mask)) = 0)"
        : "(protocol = 6 AND bitAnd(tcp_flags, \(mask)) = \(mask))"
    case .predicate(let predicate):
      let test = try test(predicate)
      return isNegated ? "(NOT \(test))" : test
    }
  }

  private func join(
    _ parts: [FlowFilter], _ isNegated: Bool, _ separator: String
  ) throws(ClusterError) -> String {
    var texts: [String] = []
    for part in parts { texts.append(try condition(part, isNegated: isNegated)) }
    // Of nothing: all are true, none is.
    if texts.isEmpty { return separator == " AND " ? "1" : "0" }
    return "(" + texts.joined(separator: separator) + ")"
  }

  private func test(_ predicate: FlowPredicate) throws(ClusterError) -> String {
    switch predicate {
    case .compare(let quantity, let comparison, let value):
      return "(\(try number(quantity)) \(comparison.rawValue) \(value))"
    case .among(let quantity, let values):
      guard !values.isEmpty else { return "0" }
      return "(\(try number(quantity)) IN (\(values.map { "\($0)" }.joined(separator: ", "))))"
    case .address(let column, let blocks):
      guard column.kind == .address || column == .exporter else {
        throw .inexpressible("a test of \(column.name) as an address")
      }
      return Self.address(column.name, blocks)
    case .family(let isIPv4):
      let source = SQL.isIPv4("source_address")
      let destination = SQL.isIPv4("destination_address")
      return isIPv4
        ? "(\(source) AND \(destination))" : "(NOT \(source) AND NOT \(destination))"
    case .flags(let mask): return "(protocol = 6 AND bitAnd(tcp_flags, \(mask)) = \(mask))"
    }
  }

  private static func address(_ name: String, _ blocks: [IPPrefix]) -> String {
    var tests: [String] = []
    let single = blocks.filter { $0.first == $0.last }
    if single.count == 1 {
      tests.append("\(name) = \(SQL.address(single[0].first))")
    } else if !single.isEmpty {
      tests.append("\(name) IN (\(single.map { SQL.address($0.first) }.joined(separator: ", ")))")
    }
    for block in blocks where block.first != block.last {
      tests.append(
        "(\(name) >= \(SQL.address(block.first)) AND \(name) <= \(SQL.address(block.last)))")
    }
    return tests.isEmpty ? "0" : "(" + tests.joined(separator: " OR ") + ")"
  }

  /// A number of a flow.
  func number(_ quantity: FlowQuantity) throws(ClusterError) -> String {
    switch quantity {
    case .column(let column):
      switch column.kind {
      case .address: throw .inexpressible("\(column.name) as a number")
      case .time: return "toUInt64(\(column.name))"
      case .counter, .number, .mac:
        if column == .exporter { throw .inexpressible("the exporter as a number") }
        return column.name
      }
    case .packets: return SQL.scaled("packets", isRaw: isRaw)
    case .bytes: return SQL.scaled("bytes", isRaw: isRaw)
    case .flows: return SQL.flows
    case .packetsPerSecond:
      return SQL.rate(SQL.scaled("packets", isRaw: isRaw), 1_000, per: SQL.duration)
    case .bitsPerSecond:
      return SQL.rate(SQL.scaled("bytes", isRaw: isRaw), 8_000, per: SQL.duration)
    case .bytesPerPacket:
      return SQL.quotient(
        SQL.scaled("bytes", isRaw: isRaw), SQL.scaled("packets", isRaw: isRaw))
    case .duration: return SQL.duration
    case .icmpType:
      return "if(icmp_type != 0 OR icmp_code != 0, icmp_type, "
        + "toUInt8(intDiv(destination_port, 256)))"
    case .icmpCode:
      return "if(icmp_type != 0 OR icmp_code != 0, icmp_code, "
        + "toUInt8(bitAnd(destination_port, 255)))"
    case .observationDomain: return ClusterTable.domain.name
    }
  }
}

/// Pieces of SQL that have the same value as the archive's arithmetic.
///
/// ClickHouse evaluates both sides of `if`, so no divisor in them is ever zero.
enum SQL {
  /// ClickHouse's literal of the largest number of 64 bits.
  static let most = "18446744073709551615"

  /// Sixteen octets, each as `\xHH`.
  static func address(_ address: IPAddress) -> String {
    var text = "'"
    for shift in stride(from: 120, through: 0, by: -8) {
      let octet = UInt8(truncatingIfNeeded: address.bits >> UInt128(shift))
      text += "\\x" + (octet < 16 ? "0" : "") + String(octet, radix: 16, uppercase: true)
    }
    return text + "'"
  }

  static func isIPv4(_ name: String) -> String {
    let first = address(IPAddress(v4: 0))
    let last = address(IPAddress(v4: .max))
    return "(\(name) >= \(first) AND \(name) <= \(last))"
  }

  static let flows = "greatest(aggregated_flows, 1)"
  static let duration = "toUInt64(end - start)"

  /// As `SamplingRate.scaled`: an unknown rate is 1, and the largest number stands for all above it.
  static func scaled(_ name: String, isRaw: Bool) -> String {
    isRaw
      ? name
      : "if(sampling_rate > 1, if(\(name) > intDiv(\(most), greatest(sampling_rate, 1)), \(most), "
        + "\(name) * sampling_rate), \(name))"
  }

  /// `amount * factor / milliseconds`, cut, without overflow on the way: quotient and remainder apart.
  static func rate(_ amount: String, _ factor: Int, per milliseconds: String) -> String {
    let divisor = "greatest(\(milliseconds), 1)"
    let whole = "intDiv(\(amount), \(divisor))"
    let rest = "intDiv((\(amount) % \(divisor)) * \(factor), \(divisor))"
    return "if(\(milliseconds) = 0, 0, if(\(whole) >= intDiv(\(most), \(factor)), \(most), "
      + "\(whole) * \(factor) + \(rest)))"
  }

  /// Cut; 0 for nothing.
  static func quotient(_ amount: String, _ count: String) -> String {
    "if(\(count) = 0, 0, intDiv(\(amount), greatest(\(count), 1)))"
  }

  /// The upper and the lower half of an address as numbers.
  static func upper(_ name: String) -> String {
    "reinterpretAsUInt64(reverse(substring(\(name), 1, 8)))"
  }
  static func lower(_ name: String) -> String {
    "reinterpretAsUInt64(reverse(substring(\(name), 9, 8)))"
  }
}
