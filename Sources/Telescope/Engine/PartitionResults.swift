import NetworkTypes
import Sketches

/// What a partition has finished and the engine has not yet collected.
struct PartitionResults {
  var closedEvents: [TelescopeEvent] = []
  var closedVictims: [VictimEvent] = []
  var closedAlerts: [AlertRecord] = []
  /// Sources that were forgotten and about which there was something to say.
  var departed: [SourceSummary] = []
  var cells = SeriesCells()
  var sources = HyperLogLog(precision: 14)
  var evictedEvents: UInt64 = 0
  var evictedSources: UInt64 = 0
  var evictedVictims: UInt64 = 0
  var evictedPackets: UInt64 = 0
  var unsampled: UInt64 = 0
}

struct AlertRecord {
  var member: UInt16
  var reach: MemberAlert.Reach
  var entry: AlertEntry
  var destinations: Double
  var isClosed: Bool
}

/// Sums of one series bin: packets, bytes and unique hosts for each key of each dimension.
///
/// Sums and HyperLogLogs merge in any order to the same value, so it does not matter which thread
/// counted what.
struct SeriesCells {
  /// What is counted apart. `bogonPort` and `signature` are for storms and campaigns alone and are
  /// not published.
  enum Dimension: UInt8 { case all, trafficClass, port, country, asn, rule, bogonPort, signature }

  struct Cell {
    var packets: UInt64 = 0
    var bytes: UInt64 = 0
    var hosts: HyperLogLog
  }

  static let precision = 12
  private(set) var keys: [UInt64] = []
  private(set) var cells: [Cell] = []
  private var places: [UInt64: Int] = [:]
  var signatures: [UInt32: SYNSignature] = [:]

  var isEmpty: Bool { keys.isEmpty }

  static func key(_ dimension: Dimension, _ number: UInt32) -> UInt64 {
    UInt64(dimension.rawValue) << 32 | UInt64(number)
  }

  mutating func add(
    _ dimension: Dimension, _ number: UInt32, packets: UInt64, bytes: UInt64, host: UInt64
  ) {
    let place = place(of: Self.key(dimension, number))
    cells[place].packets += packets
    cells[place].bytes += bytes
    cells[place].hosts.insert(hash: host)
  }

  mutating func merge(_ other: borrowing SeriesCells) {
    for index in other.keys.indices {
      let place = place(of: other.keys[index])
      cells[place].packets += other.cells[index].packets
      cells[place].bytes += other.cells[index].bytes
      cells[place].hosts.merge(other.cells[index].hosts)
    }
    signatures.merge(other.signatures) { first, second in
      // Of two signatures with one 16-bit hash the same one must be named on every thread count.
      first.text <= second.text ? first : second
    }
  }

  subscript(dimension: Dimension, number: UInt32) -> Cell? {
    places[Self.key(dimension, number)].map { cells[$0] }
  }

  /// All keys of one dimension with their cells, in no particular order.
  func each(_ dimension: Dimension) -> [(number: UInt32, cell: Cell)] {
    keys.indices.compactMap { index in
      keys[index] >> 32 == UInt64(dimension.rawValue)
        ? (UInt32(truncatingIfNeeded: keys[index]), cells[index]) : nil
    }
  }

  private mutating func place(of key: UInt64) -> Int {
    if let place = places[key] { return place }
    let place = keys.count
    keys.append(key)
    cells.append(Cell(hosts: HyperLogLog(precision: Self.precision)))
    places[key] = place
    return place
  }

  func write(to sink: inout CheckpointWriter) {
    sink.write(UInt64(keys.count))
    for index in keys.indices {
      sink.write(keys[index])
      sink.write(cells[index].packets)
      sink.write(cells[index].bytes)
      sink.write(cells[index].hosts.serialized())
    }
  }

  init() {}

  init(from source: inout CheckpointReader) throws {
    let count = try source.readCount(stride: 24)
    for _ in 0..<count {
      let place = place(of: try source.readWord())
      cells[place].packets = try source.readWord()
      cells[place].bytes = try source.readWord()
      cells[place].hosts = try HyperLogLog(serialized: try source.readBytes())
    }
  }
}
