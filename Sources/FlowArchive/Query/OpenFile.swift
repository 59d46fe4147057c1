import FlowRecords
import Parquet

/// A file of the archive with its footer read, and where its columns are.
final class OpenFile: Sendable {
  let path: String
  let reader: ParquetReader
  /// Of each flow column its place in the file's schema, of addresses that of the IPv4 form.
  private let places: [Int?]
  /// Of addresses the place of the IPv6 form.
  private let widePlaces: [Int?]
  let domainPlace: Int?

  /// Opens a file; nil for one that was there when the archive was listed and is not any more, or whose
  /// writer has not synced anything yet.
  ///
  /// - Parameter keepsOpen: whether it keeps a descriptor.
  init?(_ file: ArchiveFile, keepsOpen: Bool = true) throws(ArchiveError) {
    path = file.path
    do throws(ParquetError) {
      reader =
        file.isUnfinished
        ? try ParquetReader(unfinished: file.path)
        : try ParquetReader(path: file.path, keepsOpen: keepsOpen)
    } catch .system(_, _, 2) {
      // ENOENT: finished, compacted or expired meanwhile.
      return nil
    } catch {
      if file.isUnfinished { return nil }
      throw .file(path: file.path, reason: "\(error)")
    }
    let reader = reader
    places = FlowColumn.allCases.map { column in
      reader.place(
        of: column.kind == .address
          ? ArchiveSchema.addressName(column, isIPv4: true) : column.name)
    }
    widePlaces = FlowColumn.allCases.map { column in
      column.kind == .address
        ? reader.place(of: ArchiveSchema.addressName(column, isIPv4: false)) : nil
    }
    domainPlace = reader.place(of: ArchiveSchema.domainName)
    let foreign = FlowColumn.allCases.first { column in
      if let wide = widePlaces[Int(column.rawValue)] {
        let type = reader.schema[wide].physicalType
        guard type == .fixedLengthByteArray(16) || type == .byteArray else { return true }
      }
      guard let place = places[Int(column.rawValue)] else { return false }
      return reader.schema[place].physicalType != Self.type(column)
    }
    if let foreign {
      throw .file(
        path: file.path, reason: "column \(foreign.name) has another type than the archive's")
    }
  }

  private static func type(_ column: FlowColumn) -> PhysicalType {
    if column == .exporter { return .byteArray }
    switch column.kind {
    case .time, .mac: return .int64
    case .address: return .int32
    case .counter, .number: return column.width == 8 ? .int64 : .int32
    }
  }

  /// A place in the schema whose values in a row group are not all null.
  func place(_ column: FlowColumn, group: Int, isWide: Bool = false) -> Int? {
    let found = isWide ? widePlaces[Int(column.rawValue)] : places[Int(column.rawValue)]
    guard let found else { return nil }
    let nulls = reader.rowGroups[group].statistics(reader.schema[found].name)?.nullCount
    return nulls == reader.rowGroups[group].rowCount ? nil : found
  }

  /// The bounds of a number column in a row group; 0...0 where it is absent, nil where unknown.
  func bounds(_ column: FlowColumn, group: Int) -> ClosedRange<UInt64>? {
    guard let place = place(column, group: group) else { return 0...0 }
    guard let statistics = reader.rowGroups[group].statistics(reader.schema[place].name),
      case .unsigned(let least) = statistics.minimum,
      case .unsigned(let greatest) = statistics.maximum, least <= greatest
    else { return nil }
    // Rows without a value read as zero.
    return (statistics.nullCount == 0 ? least : 0)...greatest
  }

  /// How many of a time column's units make a millisecond: 1 in this archive's own files.
  func unitsPerMillisecond(_ place: Int) -> Int64 {
    switch reader.schema[place].logicalType {
    case .timestamp(.microseconds): 1_000
    case .timestamp(.nanoseconds): 1_000_000
    default: 1
    }
  }

  /// The bounds of a time column in milliseconds.
  func milliseconds(_ column: FlowColumn, group: Int) -> ClosedRange<Int64>? {
    guard let place = place(column, group: group) else { return 0...0 }
    guard let statistics = reader.rowGroups[group].statistics(reader.schema[place].name),
      case .integer(let least) = statistics.minimum,
      case .integer(let greatest) = statistics.maximum, least <= greatest
    else { return nil }
    let units = unitsPerMillisecond(place)
    let first = least / units - (least % units < 0 ? 1 : 0)
    let last = greatest / units
    guard first <= last else { return nil }
    return statistics.nullCount == 0 ? first...last : min(0, first)...max(0, last)
  }

  /// The bounds of an address column, in its 128-bit form; nil where unknown.
  func addresses(_ column: FlowColumn, group: Int) -> ClosedRange<UInt128>? {
    let narrow = place(column, group: group)
    let wide = place(column, group: group, isWide: true)
    switch (narrow, wide) {
    case (nil, nil): return 0...0
    case (let place?, nil):
      guard let statistics = reader.rowGroups[group].statistics(reader.schema[place].name),
        case .unsigned(let least) = statistics.minimum,
        case .unsigned(let greatest) = statistics.maximum, least <= greatest,
        statistics.nullCount == 0
      else { return nil }
      let base = UInt128(0xffff) << 32
      // In columns that may lack an address, zero stands for none.
      let first = least == 0 && !isEnd(column) ? 0 : base | UInt128(least)
      return first...(base | UInt128(greatest))
    case (nil, let place?):
      guard let statistics = reader.rowGroups[group].statistics(reader.schema[place].name),
        case .octets(let least) = statistics.minimum,
        case .octets(let greatest) = statistics.maximum, statistics.nullCount == 0,
        least.count == 16, greatest.count == 16
      else { return nil }
      let first = least.reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
      let last = greatest.reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
      return first <= last ? first...last : nil
    case (_?, _?): return nil
    }
  }

  private func isEnd(_ column: FlowColumn) -> Bool {
    column == .sourceAddress || column == .destinationAddress
  }

  /// Whether an address column of a row group is only IPv4.
  func isNarrow(_ column: FlowColumn, group: Int) -> Bool {
    place(column, group: group, isWide: true) == nil
  }
}
