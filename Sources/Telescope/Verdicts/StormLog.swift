import NetworkTypes
import Sketches

/// Times in which a port was flooded by forged sources: what GreyNoise calls a noise storm.
struct StormLog {
  struct Storm: Hashable {
    /// Nanoseconds since 1970; the end is exclusive.
    let from: Int64
    var to: Int64
  }

  /// By port, the latest last. A port's oldest storm goes when there are more than these: three days
  /// of storms with a pause between any two.
  private static let stormsPerPort = 288
  private var storms: [UInt16: [Storm]] = [:]
  /// Unique SYN sources per bin of recent bins, by port, to know what is usual.
  private var usual: [UInt16: [Float]] = [:]

  /// Looks at one closed series bin.
  ///
  /// - Returns: whether a storm was raging in it, which may change what was said of hosts.
  mutating func examine(
    _ cells: SeriesCells, from: Int64, to: Int64, parameters: TelescopeParameters
  ) -> Bool {
    var isStormy = false
    var bogons: [UInt16: UInt64] = [:]
    for (number, cell) in cells.each(.bogonPort) where number != SeriesCells.other {
      bogons[UInt16(truncatingIfNeeded: number), default: 0] += cell.packets
    }
    for (number, cell) in cells.each(.port) where number >> 16 == 6 {
      let port = UInt16(truncatingIfNeeded: number)
      let hosts = cell.hosts.estimate
      let forged = bogons[port] ?? 0
      let history = usual[port] ?? []
      let median = history.isEmpty ? 0 : history.sorted()[history.count / 2]
      let byBogons =
        forged >= UInt64(parameters.stormMinimumBogonPackets)
        && Double(forged) >= parameters.stormBogonShare * Double(cell.packets + forged)
      let byCrowd =
        hosts >= Double(parameters.stormMinimumSources)
        && Double(cell.packets) <= parameters.stormPacketsPerSource * hosts
        && !history.isEmpty && hosts >= parameters.stormRatio * Double(median)
      if byBogons || byCrowd {
        note(port: port, from: from, to: to)
        isStormy = true
      } else if hosts >= 10 {
        usual[port] = (history + [Float(hosts)]).suffix(288)
      }
    }
    return isStormy
  }

  private mutating func note(port: UInt16, from: Int64, to: Int64) {
    var known = storms[port] ?? []
    if let last = known.indices.last, known[last].to == from {
      known[last].to = to
    } else {
      known.append(Storm(from: from, to: to))
      if known.count > Self.stormsPerPort { known.removeFirst() }
    }
    storms[port] = known
  }

  func covers(port: UInt16, from: Int64, to: Int64) -> Bool {
    storms[port]?.contains { $0.from <= to && $0.to > from } ?? false
  }

  func write(to sink: inout CheckpointWriter) {
    sink.write(UInt64(storms.count))
    for (port, known) in storms.sorted(by: { $0.key < $1.key }) {
      sink.write(UInt64(port))
      sink.write(UInt64(known.count))
      for storm in known {
        sink.write(UInt64(bitPattern: storm.from))
        sink.write(UInt64(bitPattern: storm.to))
      }
    }
    sink.write(UInt64(usual.count))
    for (port, history) in usual.sorted(by: { $0.key < $1.key }) {
      sink.write(UInt64(port))
      sink.write(UInt64(history.count))
      for value in history { sink.write(UInt64(value.bitPattern)) }
    }
  }

  init() {}

  init(from source: inout CheckpointReader) throws {
    for _ in 0..<(try source.readCount(stride: 16)) {
      let port = UInt16(truncatingIfNeeded: try source.readWord())
      var known: [Storm] = []
      for _ in 0..<(try source.readCount(stride: 16)) {
        known.append(
          Storm(
            from: Int64(bitPattern: try source.readWord()),
            to: Int64(bitPattern: try source.readWord())))
      }
      storms[port] = known
    }
    for _ in 0..<(try source.readCount(stride: 16)) {
      let port = UInt16(truncatingIfNeeded: try source.readWord())
      var history: [Float] = []
      for _ in 0..<(try source.readCount(stride: 8)) {
        history.append(Float(bitPattern: UInt32(truncatingIfNeeded: try source.readWord())))
      }
      usual[port] = history
    }
  }
}
