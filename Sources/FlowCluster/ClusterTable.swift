import FlowRecords

/// The columns of a cluster's table: those of ``FlowColumn`` and some by which it is kept in order.
enum ClusterTable {
  struct Column: Sendable {
    let name: String
    /// A type that ClickHouse 18.16 and today's know alike.
    let type: String
    /// What compresses it on servers that have codecs (19.11 and later).
    var codec: String?
  }

  /// Filing day, UTC: the partition. That of the flow's end or, of irregular flows, of the collector.
  static let day = Column(name: "day", type: "Date", codec: "ZSTD(1)")
  /// Filing hour, UTC.
  static let hour = Column(name: "hour", type: "DateTime", codec: "Delta, ZSTD(1)")
  /// 1 where end and filing hour do not go together, or the flow lasted longer than a day.
  static let irregular = Column(name: "irregular", type: "UInt8", codec: "ZSTD(1)")
  /// Which insert the row came with, so that it is never made twice.
  static let batch = Column(name: "batch", type: "UInt64", codec: "ZSTD(1)")
  static let domain = Column(name: "observation_domain", type: "UInt32", codec: "ZSTD(1)")
  static let filing = [day, hour, irregular, batch]

  /// The column for a flow's column. Times are milliseconds since 1970; addresses 16 octets, IPv4 in its
  /// mapped form, all zero for none.
  static func column(_ column: FlowColumn) -> Column {
    let type: String
    var codec = "ZSTD(1)"
    switch column.kind {
    case .time:
      type = "Int64"
      codec = "Delta, ZSTD(1)"
    case .address: type = "FixedString(16)"
    case .counter, .number, .mac:
      type = column == .exporter ? "FixedString(16)" : "UInt\(column.width * 8)"
    }
    return Column(name: column.name, type: type, codec: codec)
  }

  /// All columns in the table's order.
  static let all: [Column] = filing + FlowColumn.allCases.map(column) + [domain]

  /// Octets of one value.
  static func width(_ type: String) -> Int? {
    switch type {
    case "UInt8": 1
    case "UInt16", "Date": 2
    case "UInt32", "DateTime": 4
    case "UInt64", "Int64": 8
    case "FixedString(16)": 16
    default: nil
    }
  }
}
