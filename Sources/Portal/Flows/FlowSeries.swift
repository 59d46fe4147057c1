import FlowArchive
import FlowRecords
import NetworkTypes

/// Rows of `time/N` and one more element, gathered into the lines of a chart.
struct FlowSeries: Sendable {
  var starts: [Int64]
  var step: Int64
  /// By the second element, the strongest first.
  var lines: [(key: FlowValue, values: [Double])]

  init(_ answer: FlowAnswer, _ measure: FlowQuestion.Measure) {
    starts = answer.plan.starts
    step = answer.plan.step
    var values: [FlowValue: [Double]] = [:]
    let empty = [Double](repeating: 0, count: starts.count)
    for row in answer.results.first?.rows ?? [] {
      guard let first = starts.first, row.key.count == 2, case .number(let start) = row.key[0]
      else { continue }
      // What began before the window counts where the window begins.
      let place = (Int64(clamping: start) &- first) / step
      let bin = Int(min(max(place, 0), Int64(starts.count - 1)))
      values[row.key[1], default: empty][bin] += Self.number(row, measure)
    }
    lines = values.map { ($0.key, $0.value) }
      .sorted {
        ($1.values.reduce(0, +), $0.key.description) < ($0.values.reduce(0, +), $1.key.description)
      }
  }

  static func number(_ row: FlowSum, _ measure: FlowQuestion.Measure) -> Double {
    switch measure {
    case .bytes: Double(row.bytes)
    case .packets: Double(row.packets)
    case .flows: Double(row.flows)
    }
  }

  func chart(
    id: String, title: String, measure: FlowQuestion.Measure, _ visit: Visit,
    name: (FlowValue) -> String
  ) -> TimeChart {
    var series = lines.prefix(SeriesGrid.strongest).map {
      TimeChart.Series(name: name($0.key), values: $0.values)
    }
    if lines.count > SeriesGrid.strongest {
      var rest = [Double](repeating: 0, count: starts.count)
      for line in lines.dropFirst(SeriesGrid.strongest) {
        for place in rest.indices { rest[place] += line.values[place] }
      }
      series.append(.init(name: visit.t("series.rest"), values: rest, isRest: true))
    }
    return TimeChart(
      id: id, title: title,
      description: visit.t(
        "series.description",
        [
          "from": visit.time(Timestamp(seconds: starts.first ?? 0)),
          "to": visit.time(Timestamp(seconds: (starts.last ?? 0) + step)),
          "resolution": Self.width(step, visit),
        ]),
      starts: starts, binSeconds: step, series: series)
  }

  /// The width of a bin in words.
  static func width(_ step: Int64, _ visit: Visit) -> String {
    let (count, unit) =
      step >= 86_400
      ? (step / 86_400, "days") : step >= 3_600 ? (step / 3_600, "hours") : (step / 60, "minutes")
    return visit.t("flows.width-\(unit)", ["count": String(count)])
  }
}
