import Sketches

/// Sums of one series bin: packets, bytes and unique hosts for each key of each dimension.
///
/// Sums and HyperLogLogs merge in any order to the same value, so it does not matter which thread
/// counted what.
///
/// A flood of forged packets meets every port there is: beyond `limit` keys, new ports, AS numbers and
/// signatures are counted together as ``other``.
struct SeriesCells {
  /// What is counted apart. `bogonPort` and `signature` are for storms and campaigns alone and are
  /// not published.
  enum Dimension: UInt8 { case all, trafficClass, port, country, asn, rule, bogonPort, signature }

  struct Cell {
    var packets: UInt64 = 0
    var bytes: UInt64 = 0
    var hosts: HyperLogLog
  }

  /// 2^12 registers: a relative standard error of unique hosts of 1.6 %.
  static let precision = 12
  /// The number under which a dimension's keys without a cell of their own are counted.
  static let other = UInt32.max
  private let limit: Int
  private(set) var keys: [UInt64] = []
  private(set) var cells: [Cell] = []
  private var places: [UInt64: Int] = [:]
  var signatures: [UInt32: SYNSignature] = [:]

  var isEmpty: Bool { keys.isEmpty }
  var count: Int { keys.count }

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

  private static func isOpenEnded(_ key: UInt64) -> Bool {
    switch Dimension(rawValue: UInt8(truncatingIfNeeded: key >> 32)) {
    case .port, .asn, .bogonPort, .signature: true
    default: false
    }
  }

  private static func otherKey(_ key: UInt64) -> UInt64 { key | UInt64(other) }

  private mutating func place(of key: UInt64) -> Int {
    if let place = places[key] { return place }
    if keys.count >= limit, Self.isOpenEnded(key), key != Self.otherKey(key) {
      return place(of: Self.otherKey(key))
    }
    let place = keys.count
    keys.append(key)
    cells.append(Cell(hosts: HyperLogLog(precision: Self.precision)))
    places[key] = place
    return place
  }

  /// Folds the keys of fewest packets into ``other`` when there are more than `most` keys.
  mutating func prune(to most: Int) {
    guard keys.count > most else { return }
    let ranked = keys.indices.filter { Self.isOpenEnded(keys[$0]) }.sorted {
      (cells[$1].packets, keys[$0]) < (cells[$0].packets, keys[$1])
    }
    // Pruning by a quarter more than is needed keeps it rare.
    let gone = Set(ranked.suffix(keys.count - most + most / 4))
    let old = self
    keys = []
    cells = []
    places = [:]
    for index in old.keys.indices {
      let key = gone.contains(index) ? Self.otherKey(old.keys[index]) : old.keys[index]
      let place = place(of: key)
      cells[place].packets += old.cells[index].packets
      cells[place].bytes += old.cells[index].bytes
      cells[place].hosts.merge(old.cells[index].hosts)
    }
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

  init(limit: Int = .max) {
    self.limit = limit
  }

  init(from source: inout CheckpointReader) throws {
    limit = .max
    let count = try source.readCount(stride: 24)
    for _ in 0..<count {
      let place = place(of: try source.readWord())
      cells[place].packets = try source.readWord()
      cells[place].bytes = try source.readWord()
      cells[place].hosts = try HyperLogLog(serialized: try source.readBytes())
    }
  }
}
