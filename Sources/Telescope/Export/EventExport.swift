public import Anonymisation
import NetworkTypes
import Parquet
import Store

/// Writes events as one Parquet file, for DuckDB, pandas and Spark; on request with anonymised sources.
///
/// Columns: `source`, `port`, `class`, `first_seen` and `last_seen` (UTC, ns), `packets`, `bytes`,
/// `destinations`, `destination_blocks`, `rate_pps` with `rate_lower` and `rate_upper`, `country`, `asn`,
/// `tools` (separated by semicolons), `closed`.
///
/// An anonymised file keeps prefixes (Crypto-PAn): two sources share as many leading bits as before, so
/// that networks stay networks. Samples of raw packets are never exported, since they hold addresses.
public struct EventExport {
  /// Events are read from the store in pages of this many.
  private static let pageSize = 10_000

  private let store: TelescopeStore
  private var anonymiser: CachedCryptoPAn?

  public init(_ store: TelescopeStore, anonymisedWith key: AnonymisationKey? = nil) {
    self.store = store
    anonymiser = key.map { CachedCryptoPAn(CryptoPAn(key: $0)) }
  }

  /// - Parameter progress: events written so far, and how many there are.
  /// - Returns: the number of events written.
  /// - Throws: `ParquetError` when the file cannot be written; it is then not there at all.
  public mutating func write(
    to path: String, filters: [String: String] = [:], progress: (Int, Int) -> Void = { _, _ in }
  ) throws -> Int {
    let writer = try ParquetWriter(path: path, schema: Self.schema)
    var written = 0
    while true {
      let page = try store.events(
        ListQuery(filters: filters, offset: written, limit: Self.pageSize))
      for event in page.rows { try append(event, to: writer) }
      written += page.rows.count
      progress(written, page.total)
      if page.rows.count < Self.pageSize { break }
    }
    try writer.finish()
    return written
  }

  private static let schema: [ParquetColumn] = [
    .string("source"), .integer("port", bits: 16), .string("class"), .timestamp("first_seen"),
    .timestamp("last_seen"), .integer("packets", bits: 64), .integer("bytes", bits: 64),
    ParquetColumn("destinations", .double), ParquetColumn("destination_blocks", .double),
    ParquetColumn("rate_pps", .double), ParquetColumn("rate_lower", .double),
    ParquetColumn("rate_upper", .double), .string("country", isOptional: true),
    .integer("asn", bits: 32, isOptional: true), .string("tools"),
    ParquetColumn("closed", .boolean),
  ]

  private mutating func append(_ event: TelescopeEvent, to writer: ParquetWriter) throws {
    let source = anonymiser?.anonymised(event.source) ?? event.source
    let columns = writer.columns
    columns[0].append(source.description)
    columns[1].append(event.port)
    columns[2].append(event.trafficClass.name)
    columns[3].append(event.firstSeen.nanoseconds)
    columns[4].append(event.lastSeen.nanoseconds)
    columns[5].append(event.packets)
    columns[6].append(event.bytes)
    columns[7].append(event.destinations)
    columns[8].append(event.destinationBlocks)
    columns[9].append(event.rate.packetsPerSecond)
    columns[10].append(event.rate.lower)
    columns[11].append(event.rate.upper)
    columns[12].append(event.country == .unknown ? nil : event.country.description)
    columns[13].append(event.asn == .unknown ? nil : event.asn.number)
    columns[14].append(event.tools.joined(separator: ";"))
    columns[15].append(event.isClosed)
    try writer.endRow()
  }
}
