public import NetworkTypes

/// Rows of an answer to a statement of one's own, column by column (ClickHouse's format Native): numbers,
/// addresses, and lists of numbers.
public struct ClusterRows: Sendable {
  /// Where a column's values are.
  private struct Column: Sendable {
    let first: Int
    let width: Int
    /// Of lists, for each row where its list ends, counted in values.
    let ends: Int?
  }

  private let octets: [UInt8]
  private let server: String
  private var columns: [String: Column] = [:]
  /// How many rows there are.
  public let count: Int

  private init(_ octets: [UInt8], _ server: String, count: Int) {
    self.octets = octets
    self.server = server
    self.count = count
  }

  /// Hands over the blocks of an answer one after the other.
  ///
  /// - Throws: ``ClusterError/badReply(server:reason:)``, or what `body` throws.
  static func forEach(
    in octets: [UInt8], server: String, _ body: (ClusterRows) throws -> Void
  ) throws {
    var reader = NativeReader(octets, server: server)
    while !reader.isAtEnd {
      let header = try reader.blockHeader()
      var rows = ClusterRows(octets, server, count: header.rows)
      for _ in 0..<header.columns {
        let name = try reader.text()
        var type = try reader.text()
        var ends: Int?
        var values = header.rows
        if type.hasPrefix("Array("), type.hasSuffix(")") {
          type = String(type.dropFirst(6).dropLast())
          let place = try reader.skip(header.rows, width: 8)
          ends = place
          values = header.rows == 0 ? 0 : rows.end(place, header.rows - 1)
        }
        guard let width = ClusterTable.width(type) else {
          throw ClusterError.badReply(
            server: server, reason: "column \(name) is of type \(type)")
        }
        rows.columns[name] = Column(
          first: try reader.skip(values, width: width), width: width, ends: ends)
      }
      if header.rows > 0 { try body(rows) }
    }
  }

  private func word(_ place: Int, _ width: Int) -> UInt64 {
    var value: UInt64 = 0
    for index in 0..<min(width, 8) { value |= UInt64(octets[place + index]) << UInt64(8 * index) }
    return value
  }

  /// No list can be longer than the answer.
  private func end(_ ends: Int, _ row: Int) -> Int {
    Int(min(UInt64(octets.count), word(ends + row * 8, 8)))
  }

  private func column(_ name: String) throws(ClusterError) -> Column {
    guard let column = columns[name] else {
      throw .badReply(server: server, reason: "it has no column \(name)")
    }
    return column
  }

  /// A column of numbers; of negative ones their bits.
  ///
  /// - Throws: ``ClusterError/badReply(server:reason:)`` where there is no such column.
  public func numbers(_ name: String) throws(ClusterError) -> [UInt64] {
    let column = try column(name)
    guard column.ends == nil, column.width <= 8 else {
      throw .badReply(server: server, reason: "column \(name) has no numbers")
    }
    return (0..<count).map { word(column.first + $0 * column.width, column.width) }
  }

  /// A column of addresses of 16 octets.
  ///
  /// - Throws: ``ClusterError/badReply(server:reason:)`` where there is no such column.
  public func addresses(_ name: String) throws(ClusterError) -> [IPAddress] {
    let column = try column(name)
    guard column.ends == nil, column.width == 16 else {
      throw .badReply(server: server, reason: "column \(name) has no addresses")
    }
    return (0..<count).map { row in
      let first = column.first + row * 16
      return IPAddress(bits: octets[first..<first + 16].reduce(0) { $0 << 8 | UInt128($1) })
    }
  }

  /// A column of lists of numbers.
  ///
  /// - Throws: ``ClusterError/badReply(server:reason:)`` where there is no such column, or its lists go
  ///   backwards.
  public func lists(_ name: String) throws(ClusterError) -> [[UInt64]] {
    let column = try column(name)
    guard let ends = column.ends, column.width <= 8 else {
      throw .badReply(server: server, reason: "column \(name) has no lists")
    }
    var lists: [[UInt64]] = []
    lists.reserveCapacity(count)
    let all = count == 0 ? 0 : end(ends, count - 1)
    var from = 0
    for row in 0..<count {
      let to = end(ends, row)
      guard to >= from, to <= all else {
        throw .badReply(server: server, reason: "lists of column \(name) go backwards")
      }
      lists.append((from..<to).map { word(column.first + $0 * column.width, column.width) })
      from = to
    }
    return lists
  }
}
