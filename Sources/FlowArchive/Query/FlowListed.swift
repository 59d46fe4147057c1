public import FlowRecords
import NetworkTypes

/// One flow of a listing.
public struct FlowListed: Hashable, Sendable {
  /// As recorded, times cut to milliseconds.
  public var record: FlowRecord
  /// Packets and octets as the query counts them: scaled unless it is raw.
  public var packets: UInt64
  public var bytes: UInt64

  /// One flow with its counters as a query has them.
  public init(record: FlowRecord, packets: UInt64, bytes: UInt64) {
    self.record = record
    self.packets = packets
    self.bytes = bytes
  }
}

extension GroupScan {
  /// All columns of a row group that hold anything, loaded for the wanted rows.
  struct Columns {
    let loaded: [(FlowColumn, Loaded)]
    let domain: Loaded
  }

  func loadAll(_ mask: RowMask?) throws(ArchiveError) -> Columns {
    var all: [(FlowColumn, Loaded)] = []
    for column in FlowColumn.allCases {
      let one = try load(column, mask)
      if case .zero = one { continue }
      all.append((column, one))
    }
    return Columns(loaded: all, domain: try loadDomain(mask))
  }

  /// Adds wanted rows to a batch that has room for them.
  func append(_ rows: ArraySlice<Int32>, _ columns: Columns, to batch: FlowBatch) {
    guard let first = batch.extend(by: rows.count) else { return }
    for (column, loaded) in columns.loaded {
      if column == .exporter {
        appendExporters(rows, loaded, columns.domain, to: batch, at: first)
        continue
      }
      if column.kind == .address {
        for (offset, row) in rows.enumerated() {
          batch.set(
            column, row: first + offset,
            to: IPAddress(bits: address(column, loaded, Int(row))))
        }
        continue
      }
      for (offset, row) in rows.enumerated() {
        let value = number(loaded, Int(row))
        batch.set(
          column, row: first + offset,
          to: column.kind == .time ? Self.nanoseconds(value) : value)
      }
    }
  }

  /// Milliseconds as nanoseconds; what does not fit becomes the nearest end.
  static func nanoseconds(_ milliseconds: UInt64) -> UInt64 {
    let value = Int64(bitPattern: milliseconds)
    let (product, overflow) = value.multipliedReportingOverflow(by: 1_000_000)
    return UInt64(bitPattern: overflow ? (value < 0 ? .min : .max) : product)
  }

  private func appendExporters(
    _ rows: ArraySlice<Int32>, _ loaded: Loaded, _ domain: Loaded, to batch: FlowBatch,
    at first: Int
  ) {
    for (offset, row) in rows.enumerated() {
      let exporter = FlowExporter(
        address: IPAddress(bits: address(.exporter, loaded, Int(row))),
        domain: UInt32(truncatingIfNeeded: number(domain, Int(row))))
      if let number = batch.index(of: exporter) {
        batch.set(.exporter, row: first + offset, to: UInt64(number))
      }
    }
  }
}
