import NetworkTypes
import Parquet

/// One row group of a file of the archive; its columns are decoded when they are asked for.
struct EventGroup {
  private let reader: ParquetReader
  private let group: ParquetReader.RowGroup
  private var vectors: [String: ColumnVector] = [:]
  private var wholes: [EventColumn: [Int64]] = [:]
  private var sources: [UInt128]?

  var rowCount: Int { group.rowCount }
  /// Its number in the file, from 0.
  var number: Int { group.index }

  init(_ reader: ParquetReader, _ group: ParquetReader.RowGroup) {
    self.reader = reader
    self.group = group
  }

  // MARK: Columns

  private mutating func vector(_ name: String) throws -> ColumnVector {
    if let known = vectors[name] { return known }
    let vector = try reader.read(name, rowGroup: group.index)
    guard vector.count == group.rowCount else {
      throw TelescopeError.storage(
        "a file of the events' archive is damaged (column \(name) has \(vector.count) rows, not "
          + "\(group.rowCount)); restore telescope/events from a backup")
    }
    vectors[name] = vector
    return vector
  }

  private func misfit(_ name: String) -> TelescopeError {
    .storage(
      "a file of the events' archive has a column \(name) of another type; restore "
        + "telescope/events from a backup")
  }

  mutating func addresses() throws -> [UInt128] {
    if let sources { return sources }
    guard case .uint64(let high) = try vector(EventLayout.high).storage,
      case .uint64(let low) = try vector(EventLayout.low).storage
    else { throw misfit("source") }
    let result = high.indices.map { UInt128(high[$0]) << 64 | UInt128(low[$0]) }
    sources = result
    return result
  }

  /// Whole numbers, times and flags.
  mutating func integers(_ column: EventColumn) throws -> [Int64] {
    if let known = wholes[column] { return known }
    let vector = try vector(column.rawValue)
    let result: [Int64]
    if case .booleans(let flags) = vector.storage {
      result = flags.map { $0 ? 1 : 0 }
    } else if let integers = vector.integers {
      result = integers
    } else {
      throw misfit(column.rawValue)
    }
    wholes[column] = result
    return result
  }

  mutating func reals(_ column: EventColumn) throws -> [Double] {
    guard case .doubles(let values) = try vector(column.rawValue).storage else {
      throw misfit(column.rawValue)
    }
    return values
  }

  mutating func octets(_ column: EventColumn) throws -> OctetStrings {
    guard case .octets(let values) = try vector(column.rawValue).storage else {
      throw misfit(column.rawValue)
    }
    return values
  }

  // MARK: Bounds

  /// The least and the greatest value of whole numbers and times, where the file tells them.
  func bounds(_ column: EventColumn) -> ClosedRange<Int64>? {
    guard let statistics = group.statistics(column.rawValue) else { return nil }
    return switch (statistics.minimum, statistics.maximum) {
    case (.integer(let least), .integer(let greatest)) where least <= greatest: least...greatest
    case (.unsigned(let least), .unsigned(let greatest))
    where least <= greatest && greatest <= UInt64(Int64.max):
      Int64(least)...Int64(greatest)
    default: nil
    }
  }

  func realBounds(_ column: EventColumn) -> ClosedRange<Double>? {
    guard let statistics = group.statistics(column.rawValue),
      case .double(let least) = statistics.minimum,
      case .double(let greatest) = statistics.maximum, least <= greatest
    else { return nil }
    return least...greatest
  }

  func addressBounds() -> ClosedRange<UInt128>? {
    guard let high = group.statistics(EventLayout.high),
      let low = group.statistics(EventLayout.low),
      case .unsigned(let leastHigh) = high.minimum, case .unsigned(let greatestHigh) = high.maximum,
      case .unsigned(let leastLow) = low.minimum, case .unsigned(let greatestLow) = low.maximum,
      leastHigh <= greatestHigh, leastLow <= greatestLow
    else { return nil }
    // Over several upper halves the lower ones say nothing.
    let isOne = leastHigh == greatestHigh
    return UInt128(leastHigh) << 64
      | (isOne ? UInt128(leastLow) : 0)...UInt128(greatestHigh) << 64
      | UInt128(isOne ? greatestLow : .max)
  }

  // MARK: Events

  /// Some rows as events.
  mutating func events(_ rows: some Sequence<Int>, withSamples: Bool) throws -> [TelescopeEvent] {
    let addresses = try addresses()
    let ports = try integers(.port)
    let classes = try octets(.trafficClass)
    let first = try integers(.firstSeen)
    let last = try integers(.lastSeen)
    let packets = try integers(.packets)
    let bytes = try integers(.bytes)
    let destinations = try reals(.destinations)
    let blocks = try reals(.destinationBlocks)
    let rates = try reals(.rate)
    let lower = try reals(.rateLower)
    let upper = try reals(.rateUpper)
    let countries = try octets(.country)
    let systems = try integers(.asn)
    let tools = try octets(.tools)
    let closed = try integers(.isClosed)
    let samples = withSamples ? try octets(.samples) : nil
    return rows.map { row in
      TelescopeEvent(
        source: IPAddress(bits: addresses[row]), port: UInt16(clamping: ports[row]),
        trafficClass: TrafficClass(name: classes.text(row)) ?? .other,
        firstSeen: Timestamp(nanoseconds: first[row]), lastSeen: Timestamp(nanoseconds: last[row]),
        packets: UInt64(bitPattern: packets[row]), bytes: UInt64(bitPattern: bytes[row]),
        destinations: destinations[row], destinationBlocks: blocks[row],
        rate: RateEstimate(
          packetsPerSecond: rates[row], lower: lower[row], upper: upper[row]),
        country: CountryCode(countries.text(row)) ?? .unknown,
        asn: ASN(UInt32(clamping: systems[row])),
        tools: tools.text(row).split(separator: "\n").map(String.init),
        samples: samples.map { EventLayout.unpack($0[row]) } ?? [], isClosed: closed[row] != 0)
    }
  }
}
