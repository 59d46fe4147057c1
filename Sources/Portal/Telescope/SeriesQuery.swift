import NetworkTypes
import Telescope

/// Which time series a visitor wants: `?resolution=&dimension=&measure=&until=`.
struct SeriesQuery: Sendable {
  enum Measure: String, Sendable, CaseIterable { case packets, bytes, hosts }

  var resolution = SeriesPoint.Resolution.hour
  var dimension = SeriesPoint.Dimension.trafficClass
  var measure = Measure.packets
  /// The end of what is shown; nil is the end of the data.
  var until: Timestamp?

  static let resolutionWords = ["5min", "1h", "1d"]

  /// How many bins are shown: a day, a week, a quarter of a year.
  static func bins(_ resolution: SeriesPoint.Resolution) -> Int64 {
    switch resolution {
    case .fiveMinutes: 288
    case .hour: 168
    case .day: 90
    }
  }

  /// - Throws: ``Problem`` 400 that names the parameter.
  init(_ visit: Visit) throws {
    if let text = visit.query("resolution"), !text.isEmpty {
      switch text {
      case "5min": resolution = .fiveMinutes
      case "1h": resolution = .hour
      case "1d": resolution = .day
      default: throw Problem.field("resolution", "choice", ["words": "5min, 1h, 1d"])
      }
    }
    if let text = visit.query("dimension"), !text.isEmpty {
      guard let known = SeriesPoint.Dimension(rawValue: text) else {
        let words = SeriesPoint.Dimension.allCases.map(\.rawValue).joined(separator: ", ")
        throw Problem.field("dimension", "choice", ["words": words])
      }
      dimension = known
    }
    if let text = visit.query("measure"), !text.isEmpty {
      guard let known = Measure(rawValue: text) else {
        throw Problem.field("measure", "choice", ["words": "packets, bytes, hosts"])
      }
      measure = known
    }
    if let text = visit.query("until"), !text.isEmpty {
      guard let moment = Timestamp(dateOrMoment: text, in: visit.inputZone) else {
        throw Problem.field("until", "time")
      }
      until = moment
    }
  }

  var resolutionWord: String {
    switch resolution {
    case .fiveMinutes: "5min"
    case .hour: "1h"
    case .day: "1d"
    }
  }

  /// The bins shown: up to the wanted moment, or to the end of the data, but not before its start.
  func range(_ span: (first: Timestamp, last: Timestamp)) -> Range<Int64> {
    let step = Int64(resolution.rawValue)
    let last = min(until ?? span.last, span.last).seconds
    let end = last - ((last % step) + step) % step + step
    let first = span.first.seconds - ((span.first.seconds % step) + step) % step
    let start = max(first, end - Self.bins(resolution) * step)
    return min(start, end - step)..<end
  }

  func value(_ point: SeriesPoint) -> Double {
    switch measure {
    case .packets: Double(point.packets)
    case .bytes: Double(point.bytes)
    case .hosts: point.hosts
    }
  }
}

/// Points gathered into the lines of a chart: the strongest keys by themselves, the rest together.
struct SeriesGrid: Sendable {
  let starts: [Int64]
  let series: [TimeChart.Series]

  /// The chart's palette has eight colours; the rest has its own.
  static let strongest = 7

  init(
    _ points: [SeriesPoint], query: SeriesQuery, range: Range<Int64>, name: (String) -> String,
    restName: String
  ) {
    let step = Int64(query.resolution.rawValue)
    let starts = Array(stride(from: range.lowerBound, to: range.upperBound, by: Int(step)))
    self.starts = starts
    var values: [String: [Double]] = [:]
    let empty = [Double](repeating: 0, count: starts.count)
    for point in points where range.contains(point.start) {
      let index = Int((point.start - range.lowerBound) / step)
      guard starts.indices.contains(index) else { continue }
      values[point.key, default: empty][index] += query.value(point)
    }
    let rest = values.removeValue(forKey: "other")
    let ordered = values.map { (key: $0.key, values: $0.value, sum: $0.value.reduce(0, +)) }
      .sorted { ($1.sum, $0.key) < ($0.sum, $1.key) }
    var series = ordered.prefix(Self.strongest).map {
      TimeChart.Series(name: name($0.key), values: $0.values)
    }
    // Unique hosts of several keys do not add up; their rest is left out rather than wrong.
    if query.measure != .hosts {
      var remainder = rest ?? empty
      for item in ordered.dropFirst(Self.strongest) {
        for index in remainder.indices { remainder[index] += item.values[index] }
      }
      if remainder.contains(where: { $0 > 0 }) {
        series.append(TimeChart.Series(name: restName, values: remainder, isRest: true))
      }
    }
    self.series = series
  }
}
