import NetworkTypes
import Sketches

/// Times in which a port was flooded by forged sources: what GreyNoise calls a noise storm.
struct StormLog {
  struct Storm: Hashable {
    let port: UInt16
    /// Nanoseconds since 1970; the end is exclusive.
    let from: Int64
    var to: Int64
  }

  private(set) var storms: [Storm] = []
  /// Unique SYN sources per bin of recent bins, by port, to know what is usual.
  private var usual: [UInt16: [Float]] = [:]

  /// Looks at one closed series bin.
  mutating func examine(
    _ cells: SeriesCells, from: Int64, to: Int64, parameters: TelescopeParameters
  ) {
    var bogons: [UInt16: UInt64] = [:]
    for (number, cell) in cells.each(.bogonPort) {
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
      } else if hosts >= 10 {
        usual[port] = (history + [Float(hosts)]).suffix(288)
      }
    }
  }

  private mutating func note(port: UInt16, from: Int64, to: Int64) {
    if let index = storms.lastIndex(where: { $0.port == port && $0.to == from }) {
      storms[index].to = to
    } else {
      storms.append(Storm(port: port, from: from, to: to))
      if storms.count > 10_000 { storms.removeFirst() }
    }
  }

  func covers(port: UInt16, from: Int64, to: Int64) -> Bool {
    storms.contains { $0.port == port && $0.from <= to && $0.to > from }
  }

  func write(to sink: inout CheckpointWriter) {
    sink.write(UInt64(storms.count))
    for storm in storms {
      sink.write(UInt64(storm.port))
      sink.write(UInt64(bitPattern: storm.from))
      sink.write(UInt64(bitPattern: storm.to))
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
    for _ in 0..<(try source.readCount(stride: 24)) {
      storms.append(
        Storm(
          port: UInt16(truncatingIfNeeded: try source.readWord()),
          from: Int64(bitPattern: try source.readWord()),
          to: Int64(bitPattern: try source.readWord())))
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
