import Foundation
import GRDB
import NetworkTypes
import Store

/// A table's question in the words of the store.
extension TableQuery {
  /// - Parameters:
  ///   - names: the store's names of columns where they differ from the table's.
  ///   - moment: how the store's list wants a time.
  func listQuery(
    offset: Int, limit: Int, names: [String: String] = [:],
    moment: (Timestamp) -> String = { $0.description }
  ) -> ListQuery {
    var conditions: [String: String] = [:]
    for filter in filters {
      let name = names[filter.column] ?? filter.column
      switch filter.condition {
      case .contains(let text): conditions[name + "_contains"] = text
      case .equals(let text): conditions[name] = text
      case .within(let prefix): conditions[name] = prefix.description
      // Counts are whole; a fraction of one is not reached by the number below it.
      case .atLeast(let least): conditions[name + "_min"] = Self.whole(least.rounded(.up))
      case .from(let start): conditions[name + "_from"] = moment(start)
      case .until(let end): conditions[name + "_to"] = moment(end)
      case .flag(let isSet): conditions[name] = isSet ? "true" : "false"
      }
    }
    return ListQuery(
      filters: conditions,
      sort: .init(
        column: names[order.column] ?? order.column, isAscending: !order.isDescending),
      offset: offset, limit: limit)
  }

  private static func whole(_ value: Double) -> String {
    String(Int64(exactly: value) ?? (value < 0 ? .min : .max))
  }

  /// Asks the store in stretches, because one answer of it is bounded and an export is longer.
  func gather<Item: Sendable>(
    names: [String: String] = [:], moment: (Timestamp) -> String = { $0.description },
    _ ask: (ListQuery) throws -> ListPage<Item>
  ) throws -> Rows<Item> {
    var rows: [Item] = []
    var total = 0
    repeat {
      let page = try ask(
        listQuery(
          offset: offset + rows.count, limit: min(size - rows.count, Self.stretch), names: names,
          moment: moment))
      total = page.total
      rows += page.rows
      if page.rows.isEmpty { break }
    } while rows.count < size && offset + rows.count < total
    return Rows(rows, total: total)
  }

  /// The most that `ListQuery` gives at once.
  private static let stretch = 10_000
}

extension ListColumn {
  /// A column of nanoseconds since 1970, asked for by RFC 3339.
  static func moment(_ name: String, _ expression: String) -> ListColumn {
    ListColumn(name, expression: expression, expected: "a time") { text in
      Timestamp(text).map { .integer($0.nanoseconds)...Key.integer($0.nanoseconds) }
    }
  }

  /// A column of sixteen octets, asked for by an address or a prefix.
  static func address(_ name: String, _ expression: String) -> ListColumn {
    ListColumn(name, expression: expression, expected: "an address or a prefix") { text in
      IPPrefix(text).map {
        .bytes(AddressOctets.of($0.first))...Key.bytes(AddressOctets.of($0.last))
      }
    }
  }

  /// A column of system numbers, asked for by `AS64500` or `64500`.
  static func system(_ name: String, _ expression: String) -> ListColumn {
    ListColumn(name, expression: expression, expected: "a system number") { text in
      ASN(text: text).map { .integer(Int64($0.number))...Key.integer(Int64($0.number)) }
    }
  }

  static func flag(_ name: String, _ expression: String) -> ListColumn {
    .choice(name, expression: expression, ["true": 1, "false": 0])
  }
}

/// Addresses as the tables of the house hold them: sixteen octets, most significant first, IPv4
/// mapped, so that a prefix is a range of the index.
enum AddressOctets {
  static func of(_ address: IPAddress) -> [UInt8] {
    withUnsafeBytes(of: address.bits.bigEndian) { Array($0) }
  }

  static func address(_ octets: Data) -> IPAddress {
    IPAddress(bits: octets.prefix(16).reduce(UInt128(0)) { $0 << 8 | UInt128($1) })
  }

  /// As an SQL literal; it is made of hexadecimal digits only.
  static func literal(_ address: IPAddress) -> String { "x'\(Secret.hex(of(address)))'" }
}
