import FlowRecords
import Foundation
import NetworkTypes
import Parquet

extension FlowSearch {
  /// Writes all flows that match to one Parquet file with the archive's own columns, as counted and not
  /// scaled; it can be searched like an archive. Gives back how many there were.
  ///
  /// - Throws: ``ArchiveError``, `ParquetError`, or what `audit` throws.
  @discardableResult
  public func export(_ query: FlowQuery, toParquet path: String) throws -> Int {
    let file = try FlowFile(path)
    let count = try forEachBatch(query) { try file.append($0) }
    try file.finish()
    return count
  }
}

/// One Parquet file of flows with the archive's own columns, outside of an archive.
private final class FlowFile {
  private let writer: ParquetWriter
  private var encoding = BlockEncoding()
  /// One for flows of which both ends are IPv4, one for the others.
  private let blocks: [RowBlock]

  init(_ path: String) throws {
    var parameters = ArchiveParameters()
    parameters.rowsPerGroup = 1 << 18
    var parquet = ArchiveSchema.parquet(parameters)
    parquet.isJournalled = false
    let everything = FlowColumn.allCases.reduce(UInt64(0)) { $0 | $1.bit }
    writer = try ParquetWriter(
      path: path, schema: ArchiveSchema.columns(everything), parameters: parquet)
    writer.metadata = [ParquetPair(key: "noroshi.format", value: ArchiveSchema.format)]
    blocks = [true, false].map { isNarrow in
      let block = RowBlock(capacity: parameters.rowsPerGroup)
      block.begin(isNarrow: isNarrow, hour: 0, since: 0)
      return block
    }
  }

  /// Appends a batch whose flows are of one kind, or of both: then it takes the wider one.
  func append(_ batch: FlowBatch) throws {
    let isNarrow =
      batch.isIPv4
      || (0..<batch.count).allSatisfy {
        batch.address(.sourceAddress, row: $0).isIPv4
          && batch.address(.destinationAddress, row: $0).isIPv4
      }
    let block = blocks[isNarrow ? 0 : 1]
    if block.room < batch.count {
      try encoding.write(block, to: writer)
      block.begin(isNarrow: isNarrow, hour: 0, since: 0)
    }
    block.append(batch, rows: .range(0..<batch.count))
  }

  func finish() throws {
    for block in blocks { try encoding.write(block, to: writer) }
    try writer.finish()
  }
}

extension FlowQueryResult {
  /// Writes the flows of a listing to a Parquet file, as ``FlowSearch/export(_:toParquet:)`` does.
  ///
  /// - Throws: `ParquetError`.
  public func writeRecords(toParquet path: String) throws {
    let file = try FlowFile(path)
    let batch = FlowBatch()
    for isIPv4 in [true, false] {
      for record in records.lazy.map(\.record)
      where (record.source.isIPv4 && record.destination.isIPv4) == isIPv4 {
        if batch.count == batch.capacity {
          try file.append(batch)
          batch.removeAll()
        }
        batch.append(record)
      }
      if batch.count > 0 { try file.append(batch) }
      batch.removeAll()
    }
    try file.finish()
  }

  /// Writes the rows of a statistic, an aggregation or biflows to a Parquet file: a column for each
  /// element, by its name (`/` and `,` become `_`), numbers as UINT64 and addresses as text, then the
  /// sums.
  ///
  /// - Throws: `ParquetError`.
  public func writeRows(of query: FlowQuery, toParquet path: String) throws {
    let elements = query.elements
    var schema: [ParquetColumn] = []
    for (index, element) in elements.enumerated() {
      let name = element.name.replacing("/", with: "_").replacing(",", with: "_")
      var isNumber = false
      if case .number = rows.first?.key[index] { isNumber = true }
      schema.append(isNumber ? .integer(name, bits: 64) : .string(name))
    }
    let isBiflow = query.kind == .biflows
    schema += [.timestamp("first", .milliseconds), .timestamp("last", .milliseconds)]
    let sums =
      ["flows", "packets", "bytes"] + (isBiflow ? ["reverse_packets", "reverse_bytes"] : [])
    schema += sums.map { .integer($0, bits: 64) }
    let writer = try ParquetWriter(path: path, schema: schema)
    for row in rows {
      for (index, value) in row.key.enumerated() {
        switch value {
        case .number(let number): writer.columns[index].append(number)
        case .address, .mac: writer.columns[index].append(value.description)
        }
      }
      var place = elements.count
      for time in [row.first, row.last] {
        writer.columns[place].append(time)
        place += 1
      }
      let values =
        [row.flows, row.packets, row.bytes]
        + (isBiflow ? [row.reversePackets, row.reverseBytes] : [])
      for value in values {
        writer.columns[place].append(value)
        place += 1
      }
      try writer.endRow()
    }
    try writer.finish()
  }
}

extension FlowQuery {
  /// What a row's key consists of; empty for a listing.
  public var elements: [FlowElement] {
    switch kind {
    case .listing: return []
    case .aggregation(let elements): return elements
    case .biflows: return FlowElement.connection
    case .statistic(let elements, let splitsByProtocol):
      guard let first = elements.first else { return [] }
      let transport = FlowElement("proto", .number(.transport))
      return splitsByProtocol && elements != [transport] ? [transport, first] : [first]
    }
  }
}
