import NetworkTypes
import Sketches

/// The series bins that are open: five minutes, the hour, the day.
///
/// Five-minute bins come from the partitions; hours and days are merged from them.
struct SeriesBook {
  let parameters: TelescopeParameters
  /// Tool names by rule number.
  private let tools: [String]
  var bin = SeriesCells()
  private var hour = SeriesCells()
  private var day = SeriesCells()
  /// Starts in seconds since 1970; nil while empty.
  private var hourStart: Int64?
  private var dayStart: Int64?
  private var points: [SeriesPoint] = []
  private(set) var signatures: [UInt32: SYNSignature] = [:]

  init(parameters: TelescopeParameters, tools: [String]) {
    self.parameters = parameters
    self.tools = tools
  }

  mutating func takePoints() -> [SeriesPoint] {
    defer { points = [] }
    return points
  }

  /// Adds what a partition has counted to the open bin.
  mutating func take(_ cells: SeriesCells) {
    bin.merge(cells)
    // Pruning sorts: it waits until it is worth it.
    if bin.count > 2 * parameters.seriesKeys { bin.prune(to: parameters.seriesKeys) }
  }

  /// The open bin has ended: it goes into its hour and day.
  mutating func closeBin(start: Int64) {
    guard !bin.isEmpty else { return }
    bin.prune(to: parameters.seriesKeys)
    points += describe(bin, .fiveMinutes, start: start)
    hour.merge(bin)
    day.merge(bin)
    hour.prune(to: parameters.seriesKeys)
    day.prune(to: parameters.seriesKeys)
    signatures.merge(bin.signatures) { first, second in first.text <= second.text ? first : second }
    hourStart = Self.floor(start, 3_600)
    dayStart = Self.floor(start, 86_400)
    bin = SeriesCells()
  }

  /// Ends the hour and the day that lie before `now`.
  mutating func closeBefore(_ now: Int64) {
    if let start = hourStart, now >= start + 3_600 {
      points += describe(hour, .hour, start: start)
      hour = SeriesCells()
      hourStart = nil
      signatures = [:]
    }
    if let start = dayStart, now >= start + 86_400 {
      points += describe(day, .day, start: start)
      day = SeriesCells()
      dayStart = nil
    }
  }

  /// All three bins as they stand, with what the open five-minute bin holds so far.
  func openPoints(with open: SeriesCells, start: Int64) -> [SeriesPoint] {
    var result: [SeriesPoint] = []
    if !open.isEmpty { result += describe(open, .fiveMinutes, start: start) }
    for (cells, begun, resolution) in [
      (hour, hourStart, SeriesPoint.Resolution.hour), (day, dayStart, .day),
    ] {
      var cells = cells
      cells.merge(open)
      guard !cells.isEmpty else { continue }
      result += describe(
        cells, resolution, start: begun ?? Self.floor(start, Int64(resolution.rawValue)))
    }
    return result
  }

  /// Unique sources of the hour that is ending, for the campaigns.
  func hourSources() -> [CampaignWatch.Subject: Double] {
    var result: [CampaignWatch.Subject: Double] = [:]
    for (number, cell) in hour.each(.port) where number != SeriesCells.other {
      result[.init(kind: .port, key: name(.port, number))] = cell.hosts.estimate
    }
    for (number, cell) in hour.each(.signature) where number != SeriesCells.other {
      result[.init(kind: .signature, key: name(.signature, number))] = cell.hosts.estimate
    }
    return result
  }

  private func describe(
    _ cells: SeriesCells, _ resolution: SeriesPoint.Resolution, start: Int64
  ) -> [SeriesPoint] {
    var result: [SeriesPoint] = []
    let published: [(SeriesCells.Dimension, SeriesPoint.Dimension)] = [
      (.all, .all), (.trafficClass, .trafficClass), (.port, .port), (.country, .country),
      (.asn, .asn), (.rule, .tool),
    ]
    for (dimension, publishedAs) in published {
      // Several rules name one tool, so cells are merged by name.
      var merged: [String: SeriesCells.Cell] = [:]
      for (number, cell) in cells.each(dimension) {
        let key = name(dimension, number)
        if merged[key] == nil {
          merged[key] = cell
        } else {
          merged[key]?.packets += cell.packets
          merged[key]?.bytes += cell.bytes
          merged[key]?.hosts.merge(cell.hosts)
        }
      }
      var list = merged.map { key, cell in
        SeriesPoint(
          resolution: resolution, start: start, dimension: publishedAs, key: key,
          packets: cell.packets,
          bytes: cell.bytes, hosts: cell.hosts.estimate)
      }
      list.sort { ($1.hosts, $1.packets, $0.key) < ($0.hosts, $0.packets, $1.key) }
      if list.count > parameters.seriesKeysPerBin {
        let named = list.filter { $0.key != Self.otherName }.prefix(parameters.seriesKeysPerBin)
        var rest = list[0]
        rest.key = Self.otherName
        rest.packets = list.reduce(0) { $0 + $1.packets } - named.reduce(0) { $0 + $1.packets }
        rest.bytes = list.reduce(0) { $0 + $1.bytes } - named.reduce(0) { $0 + $1.bytes }
        // Hosts of different keys overlap: the largest is a lower bound of their union.
        let kept = Set(named.map(\.key))
        rest.hosts = list.lazy.filter { !kept.contains($0.key) }.map(\.hosts).max() ?? 0
        list = named + [rest]
      }
      result += list
    }
    return result
  }

  private static let otherName = "other"

  /// The published name of a key.
  private func name(_ dimension: SeriesCells.Dimension, _ number: UInt32) -> String {
    if number == SeriesCells.other { return Self.otherName }
    return switch dimension {
    case .all: ""
    case .trafficClass: TrafficClass(rawValue: UInt8(truncatingIfNeeded: number))?.name ?? "other"
    case .port, .bogonPort:
      "\(number & 0xffff)/\(IPProtocol(rawValue: UInt8(truncatingIfNeeded: number >> 16)))"
    case .country: CountryCode(packed: UInt16(truncatingIfNeeded: number)).description
    case .asn: ASN(number).description
    case .rule: tools.indices.contains(Int(number)) ? tools[Int(number)] : "other"
    case .signature: signatures[number]?.text ?? "other"
    }
  }

  private static func floor(_ seconds: Int64, _ width: Int64) -> Int64 {
    let quotient = seconds / width
    return (seconds % width < 0 ? quotient - 1 : quotient) * width
  }

  func write(to sink: inout CheckpointWriter) {
    bin.write(to: &sink)
    hour.write(to: &sink)
    day.write(to: &sink)
    sink.write(UInt64(bitPattern: hourStart ?? .min))
    sink.write(UInt64(bitPattern: dayStart ?? .min))
  }

  init(parameters: TelescopeParameters, tools: [String], from source: inout CheckpointReader) throws
  {
    self.parameters = parameters
    self.tools = tools
    bin = try SeriesCells(from: &source)
    hour = try SeriesCells(from: &source)
    day = try SeriesCells(from: &source)
    let hourWord = Int64(bitPattern: try source.readWord())
    let dayWord = Int64(bitPattern: try source.readWord())
    hourStart = hourWord == .min ? nil : hourWord
    dayStart = dayWord == .min ? nil : dayWord
  }
}
