public import FlowRecords
public import Parquet

/// The columns of the archive's files: see docs/flow-archive.md.
///
/// Every address is in one of two columns: `…_ipv4`, a number of 32 bits, in row groups where all
/// addresses of its kind are IPv4, else `…_ipv6`, 16 octets with IPv4 in its mapped form. Times are
/// milliseconds. The exporter is text and a number.
public enum ArchiveSchema {
  /// The value of the footer's note `noroshi.format`.
  public static let format = "flows 1"

  /// Columns that every file has; the others are left out of files whose flows do not have them.
  static let always: [FlowColumn] = [
    .start, .end, .sourceAddress, .destinationAddress, .sourcePort, .destinationPort, .transport,
    .tcpFlags, .packets, .bytes, .exporter,
  ]
  static let alwaysMask: UInt64 = always.reduce(0) { $0 | $1.bit }

  public static let domainName = "observation_domain"

  /// The column of the IPv4 or of the IPv6 form of an address: `source_ipv4`.
  public static func addressName(_ column: FlowColumn, isIPv4: Bool) -> String {
    let stem =
      column.name.hasSuffix("_address") ? String(column.name.dropLast(8)) : column.name
    return stem + (isIPv4 ? "_ipv4" : "_ipv6")
  }

  /// The file columns for flow columns given as a presence mask.
  public static func columns(_ presence: UInt64) -> [ParquetColumn] {
    FlowColumn.allCases.filter { (presence | alwaysMask) & $0.bit != 0 }.flatMap(columns)
  }

  private static func columns(_ column: FlowColumn) -> [ParquetColumn] {
    let isOptional = !always.contains(column)
    if column == .exporter {
      return [
        .string(column.name, encoding: .dictionary),
        .integer(domainName, bits: 32, encoding: .compact),
      ]
    }
    switch column.kind {
    case .time:
      return [.timestamp(column.name, .milliseconds, isOptional: isOptional, encoding: .compact)]
    case .address:
      // Sorted by source, so that the differences are small.
      let encoding = column == .sourceAddress ? ParquetColumn.Encoding.delta : .compact
      return [
        .integer(
          addressName(column, isIPv4: true), bits: 32, isOptional: true, encoding: encoding),
        ParquetColumn(
          addressName(column, isIPv4: false), .fixedLengthByteArray(16), isOptional: true),
      ]
    case .counter, .number, .mac:
      return [
        .integer(
          column.name, bits: column.width * 8, isOptional: isOptional, encoding: .compact)
      ]
    }
  }

  /// How files are written.
  static func parquet(_ parameters: ArchiveParameters) -> ParquetWriterParameters {
    var parquet = ParquetWriterParameters()
    parquet.rowsPerGroup = parameters.rowsPerGroup
    parquet.rowsPerPage = parameters.rowsPerPage
    parquet.pageVersion = .two
    parquet.compression = .zstd(parameters.compressionLevel)
    parquet.hasChecksums = true
    parquet.splitsWithoutDictionary = true
    parquet.isJournalled = true
    return parquet
  }
}
