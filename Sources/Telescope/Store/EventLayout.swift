import NetworkTypes
import Parquet

/// Numbers that decide how the archive of events is kept.
public struct EventArchiveParameters: Sendable {
  /// Rows of a row group: our own choice. A look-up of one source decodes one group of each file, and
  /// a page of a list one group for each of its rows, so groups are small.
  public var rowsPerGroup = 8_192
  /// Files of one hour that are let stand; more are merged into one (our own choice: a live capture
  /// adds a file or two to an hour with each of its checkpoints).
  public var filesPerHour = 8
  /// Files with more rows than this are not merged any more.
  public var rowsPerMerge = 4_000_000
  /// Events that are going on are sorted in runs of this many, so that memory stays small.
  public var rowsPerRun = 65_536
  /// Files of the archive that stay open between two questions.
  public var openFiles = 128
  /// The deepest row of a list that a page may reach; an export has no such end.
  public var deepestRow = 2_000_000

  /// The values above.
  public init() {}
}

/// How an event is laid out in a file of the archive.
///
/// The source is there twice: as text for people's tools, and as two numbers (IPv4 in its mapped form)
/// by which rows are sorted and row groups left out.
enum EventLayout {
  static let high = "source_high"
  static let low = "source_low"

  static let schema: [ParquetColumn] = [
    .string("source", encoding: .plain), .integer(high, bits: 64),
    .integer(low, bits: 64, encoding: .delta), .integer("port", bits: 16), .string("class"),
    .timestamp("first_seen"), .timestamp("last_seen"), .integer("packets", bits: 64),
    .integer("bytes", bits: 64), ParquetColumn("destinations", .double),
    ParquetColumn("destination_blocks", .double), ParquetColumn("rate_pps", .double),
    ParquetColumn("rate_lower", .double), ParquetColumn("rate_upper", .double),
    .string("country"), .integer("asn", bits: 32), .string("tools"),
    ParquetColumn("closed", .boolean), ParquetColumn("samples", .byteArray),
  ]

  /// Appends the events at these places in their order: column by column, which touches of each event
  /// only what is written, and of the writer one column at a time.
  static func append(
    _ events: [TelescopeEvent], at places: ArraySlice<Int>, to writer: ParquetWriter
  ) throws {
    let columns = writer.columns
    for place in places { columns[0].append(events[place].source.description) }
    for place in places {
      columns[1].append(UInt64(truncatingIfNeeded: events[place].source.bits >> 64))
      columns[2].append(UInt64(truncatingIfNeeded: events[place].source.bits))
    }
    for place in places { columns[3].append(events[place].port) }
    for place in places { columns[4].append(events[place].trafficClass.name) }
    for place in places { columns[5].append(events[place].firstSeen.nanoseconds) }
    for place in places { columns[6].append(events[place].lastSeen.nanoseconds) }
    for place in places { columns[7].append(events[place].packets) }
    for place in places { columns[8].append(events[place].bytes) }
    for place in places { columns[9].append(events[place].destinations) }
    for place in places { columns[10].append(events[place].destinationBlocks) }
    for place in places { columns[11].append(events[place].rate.packetsPerSecond) }
    for place in places { columns[12].append(events[place].rate.lower) }
    for place in places { columns[13].append(events[place].rate.upper) }
    for place in places { columns[14].append(events[place].country.description) }
    for place in places { columns[15].append(events[place].asn.number) }
    for place in places {
      columns[16].append(
        events[place].tools.count > 1
          ? events[place].tools.joined(separator: "\n") : events[place].tools.first ?? "")
    }
    for place in places { columns[17].append(events[place].isClosed) }
    for place in places { columns[18].append(octets: pack(events[place].samples)) }
    try writer.endRows(places.count)
  }

  /// Each sample behind its length.
  static func pack(_ samples: [[UInt8]]) -> [UInt8] {
    var octets: [UInt8] = []
    octets.reserveCapacity(samples.reduce(0) { $0 + 1 + min(255, $1.count) })
    for sample in samples {
      octets.append(UInt8(min(255, sample.count)))
      octets.append(contentsOf: sample.prefix(255))
    }
    return octets
  }

  static func unpack(_ octets: some Collection<UInt8>) -> [[UInt8]] {
    var samples: [[UInt8]] = []
    var rest = octets[...]
    while let length = rest.first {
      rest = rest.dropFirst()
      samples.append(Array(rest.prefix(Int(length))))
      rest = rest.dropFirst(Int(length))
    }
    return samples
  }

  /// The place of each class in the order of its names, by which rows of one source and port follow
  /// each other.
  static let classRanks: [UInt8: UInt8] = {
    let sorted = TrafficClass.allCases.sorted { $0.name < $1.name }
    return Dictionary(
      uniqueKeysWithValues: sorted.enumerated().map { ($1.rawValue, UInt8($0)) })
  }()

  static let ranksByName: [String: UInt8] = Dictionary(
    uniqueKeysWithValues: TrafficClass.allCases.map { ($0.name, classRanks[$0.rawValue] ?? 255) })
}

/// By what rows of a file are sorted, and how ties of a list are broken.
struct EventKey: Comparable, Sendable {
  var source: UInt128
  var port: UInt16
  var classRank: UInt8
  var firstSeen: Int64

  init(source: UInt128, port: UInt16, classRank: UInt8, firstSeen: Int64) {
    self.source = source
    self.port = port
    self.classRank = classRank
    self.firstSeen = firstSeen
  }

  init(_ event: TelescopeEvent) {
    source = event.source.bits
    port = event.port
    classRank = EventLayout.classRanks[event.trafficClass.rawValue] ?? 255
    firstSeen = event.firstSeen.nanoseconds
  }

  static func < (left: Self, right: Self) -> Bool {
    if left.source != right.source { return left.source < right.source }
    if left.port != right.port { return left.port < right.port }
    if left.classRank != right.classRank { return left.classRank < right.classRank }
    return left.firstSeen < right.firstSeen
  }
}
