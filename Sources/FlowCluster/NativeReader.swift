import FlowRecords
import NetworkTypes

/// Reads ClickHouse's format Native into batches: the columns of a cluster's table and no others.
struct NativeReader {
  private let octets: [UInt8]
  private let server: String
  private var position = 0

  init(_ octets: [UInt8], server: String) {
    self.octets = octets
    self.server = server
  }

  private func failure(_ reason: String) -> ClusterError {
    .badReply(server: server, reason: reason)
  }

  /// All flows of the answer.
  ///
  /// - Throws: ``ClusterError/badReply(server:reason:)``.
  mutating func records() throws(ClusterError) -> [FlowRecord] {
    var records: [FlowRecord] = []
    while !isAtEnd { try block(&records) }
    return records
  }

  private mutating func varint() throws(ClusterError) -> Int {
    var value = 0
    for shift in stride(from: 0, to: 56, by: 7) {
      guard position < octets.count else { throw failure("it ends early") }
      let octet = octets[position]
      position += 1
      value |= Int(octet & 127) << shift
      if octet < 128 { return value }
    }
    throw failure("a number is too long")
  }

  mutating func text() throws(ClusterError) -> String {
    let count = try varint()
    guard count <= 1_024, count <= octets.count - position else {
      throw failure("a name is too long")
    }
    defer { position += count }
    return String(decoding: octets[position..<position + count], as: UTF8.self)
  }

  var isAtEnd: Bool { position >= octets.count }

  /// What a block begins with.
  mutating func blockHeader() throws(ClusterError) -> (columns: Int, rows: Int) {
    let columns = try varint()
    let rows = try varint()
    // Every row has at least an octet for each column.
    guard columns <= 1_024, rows <= octets.count else { throw failure("it ends early") }
    return (columns, rows)
  }

  /// Passes over values; gives back where they begin.
  mutating func skip(_ count: Int, width: Int) throws(ClusterError) -> Int {
    let (size, overflow) = width.multipliedReportingOverflow(by: count)
    guard count >= 0, !overflow, size <= octets.count - position else {
      throw failure("it ends early")
    }
    defer { position += size }
    return position
  }

  private mutating func block(_ records: inout [FlowRecord]) throws(ClusterError) {
    let (columnCount, rows) = try blockHeader()
    var places: [String: (place: Int, width: Int)] = [:]
    for _ in 0..<columnCount {
      let name = try text()
      let type = try text()
      guard let width = ClusterTable.width(type) else {
        throw failure("column \(name) is of type \(type)")
      }
      places[name] = (try skip(rows, width: width), width)
    }
    var start = 0
    while start < rows {
      let part = start..<min(rows, start + FlowParameters.batchCapacity)
      let batch = FlowBatch(capacity: part.count)
      batch.extend(by: part.count)
      for column in FlowColumn.allCases where column != .exporter {
        guard let (place, width) = places[column.name] else { continue }
        for (row, source) in part.enumerated() {
          if column.kind == .address {
            batch.set(column, row: row, to: address(place, source))
          } else {
            let value = number(place, width, source)
            batch.set(column, row: row, to: column.kind == .time ? Self.nanoseconds(value) : value)
          }
        }
      }
      for (row, source) in part.enumerated() {
        let exporter = FlowExporter(
          address: places[FlowColumn.exporter.name].map { address($0.place, source) }
            ?? IPAddress(bits: 0),
          domain: places[ClusterTable.domain.name].map {
            UInt32(truncatingIfNeeded: number($0.place, $0.width, source))
          } ?? 0)
        if let index = batch.index(of: exporter) {
          batch.set(.exporter, row: row, to: UInt64(index))
        }
      }
      records += batch.records
      start = part.upperBound
    }
  }

  private func number(_ place: Int, _ width: Int, _ row: Int) -> UInt64 {
    var value: UInt64 = 0
    let first = place + row * width
    for index in 0..<min(width, 8) { value |= UInt64(octets[first + index]) << UInt64(8 * index) }
    return value
  }

  private func address(_ place: Int, _ row: Int) -> IPAddress {
    let first = place + row * 16
    guard first + 16 <= octets.count else { return IPAddress(bits: 0) }
    return IPAddress(bits: octets[first..<first + 16].reduce(0) { $0 << 8 | UInt128($1) })
  }

  /// Milliseconds as nanoseconds; what does not fit becomes the nearest end.
  private static func nanoseconds(_ milliseconds: UInt64) -> UInt64 {
    let value = Int64(bitPattern: milliseconds)
    let (product, overflow) = value.multipliedReportingOverflow(by: 1_000_000)
    return UInt64(bitPattern: overflow ? (value < 0 ? .min : .max) : product)
  }
}
