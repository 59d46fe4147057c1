import NetworkTypes

/// Counts over time, drawn as stacked steps (parts of a whole) or lines (things that do not add
/// up).
///
/// Text is not scaled with the drawing: the plot is an SVG of its own that stretches, axes and
/// labels stand around it in per cent, so that the chart is as legible at 360 pixels as at 1600.
struct TimeChart: Sendable {
  struct Series: Sendable {
    let name: String
    let values: [Double]
    /// The rest of a whole is grey.
    var isRest = false
  }

  enum Form: Sendable { case stacked, lines }

  /// Unique on its page.
  let id: String
  let title: String
  let description: String
  /// The start of each bin, in seconds since 1970.
  let starts: [Int64]
  let binSeconds: Int64
  let series: [Series]
  var form = Form.stacked

  private static let height = 220.0
  private static let top = 16.0
  private static let plotHeight = 176.0
  /// The plot's own units: 1000 high.
  private static let units = 1_000.0

  func html(_ visit: Visit) -> HTML {
    guard !starts.isEmpty, !series.isEmpty else {
      return "<p class=\"empty\">\(visit.t("chart.empty"))</p>"
    }
    let highest = max(1, peak)
    let ticks = Axis.ticks(upTo: highest)
    let ceiling = max(highest, ticks.last ?? highest)
    let grid = ticks.map { value -> HTML in
      let y = Self.top + Self.plotHeight * (1 - value / ceiling)
      return
        "<line class=\"grid\" x1=\"0\" x2=\"100%\" y1=\"\(SVG.number(y))\" y2=\"\(SVG.number(y))\"/>"
    }
    let scale = ([0] + ticks).map { value -> HTML in
      let y = Self.top + Self.plotHeight * (1 - value / ceiling)
      return
        "<text class=\"tick\" x=\"38\" y=\"\(SVG.number(y + 4))\">\(NumberText.compact(value))</text>"
    }
    let count = starts.count
    return """
      <figure class="chart"><div class="frame">
      <svg class="scale" width="44" height="\(SVG.number(Self.height))" aria-hidden="true">\
      \(scale)</svg>
      <svg class="plot" role="img" aria-labelledby="\(id)-title \(id)-desc" width="100%" height="\(SVG.number(Self.height))">
      <title id="\(id)-title">\(title)</title><desc id="\(id)-desc">\(description)</desc>
      \(grid)
      <svg x="0" y="\(SVG.number(Self.top))" width="100%" height="\(SVG.number(Self.plotHeight))" \
      viewBox="0 0 \(count) 1000" preserveAspectRatio="none">\(shapes(ceiling))</svg>
      \(labels(visit))
      \(hits(visit))
      </svg></div>
      <figcaption>\(legend)</figcaption>
      \(data(visit))
      </figure>
      """
  }

  private var peak: Double {
    switch form {
    case .lines: series.flatMap(\.values).max() ?? 0
    case .stacked:
      starts.indices.map { index in series.reduce(0) { $0 + $1.values[index] } }.max() ?? 0
    }
  }

  private func shapes(_ ceiling: Double) -> [HTML] {
    var base = [Double](repeating: 0, count: starts.count)
    func y(_ value: Double) -> String { SVG.number(Self.units * (1 - value / ceiling)) }
    return series.enumerated().map { place, series -> HTML in
      let style = series.isRest ? "rest" : "s\(place % 8)"
      var path = ""
      switch form {
      case .lines:
        for (index, value) in series.values.enumerated() {
          path += "\(index == 0 ? "M" : "L")\(index).5 \(y(value))"
        }
        return "<path class=\"line \(style)\" d=\"\(HTML(trusted: path))\"/>"
      case .stacked:
        let tops = zip(base, series.values).map { $0 + $1 }
        path = "M0 \(y(base[0]))"
        for (index, value) in tops.enumerated() { path += "V\(y(value))H\(index + 1)" }
        for index in tops.indices.reversed() { path += "V\(y(base[index]))H\(index)" }
        base = tops
        return "<path class=\"area \(style)\" d=\"\(HTML(trusted: path))z\"/>"
      }
    }
  }

  /// At most six times under the axis, at round moments of the visitor's zone.
  private func labels(_ visit: Visit) -> [HTML] {
    let marks = Axis.moments(
      from: starts[0], bins: starts.count, binSeconds: binSeconds,
      offset: visit.zone.offsetSeconds)
    return marks.map { index, isMinor -> HTML in
      let place = SVG.number(100 * Double(index) / Double(starts.count))
      let text = binLabel(starts[index], visit, short: true)
      return """
        <line class="mark" x1="\(place)%" x2="\(place)%" y1="192" y2="197"/>\
        <text class="tick\(when: isMinor, " minor")" x="\(place)%" y="210">\(text)</text>
        """
    }
  }

  private func binLabel(_ start: Int64, _ visit: Visit, short: Bool) -> String {
    let text = visit.time(Timestamp(seconds: start))
    if binSeconds < 60 { return String(short ? text.dropFirst(11).prefix(8) : text.prefix(19)) }
    guard short else {
      return binSeconds >= 86_400 ? String(text.prefix(10)) : String(text.prefix(16))
    }
    let isMidnight = text.dropFirst(11).hasPrefix("00:00")
    if binSeconds >= 86_400 || isMidnight { return String(text.dropFirst(5).prefix(5)) }
    return String(text.dropFirst(11).prefix(5))
  }

  /// Invisible columns that tell their numbers to a pointer.
  private func hits(_ visit: Visit) -> [HTML] {
    let width = SVG.number(100 / Double(starts.count))
    return starts.indices.map { index -> HTML in
      let lines = series.filter { $0.values[index] > 0 }
        .map { "\($0.name): \(visit.number($0.values[index]))" }
      let text = ([binLabel(starts[index], visit, short: false)] + lines).joined(separator: "\n")
      let place = SVG.number(100 * Double(index) / Double(starts.count))
      return """
        <rect class="hit" x="\(place)%" width="\(width)%" y="16" height="176"><title>\
        \(text)</title></rect>
        """
    }
  }

  private var legend: HTML {
    guard series.count > 1 else { return "\(title)" }
    let keys = series.enumerated().map { place, series -> HTML in
      """
      <li><svg width="12" height="12" aria-hidden="true"><rect width="12" height="12" rx="2" \
      class="\(series.isRest ? "rest" : "s\(place % 8)") area"/></svg>\(series.name)</li>
      """
    }
    return "<ul class=\"legend\">\(keys)</ul>"
  }

  /// The same numbers as a table, for screen readers and for copying.
  private func data(_ visit: Visit) -> HTML {
    let head = series.map { "<th scope=\"col\" class=\"number\">\($0.name)</th>" as HTML }
    let rows = starts.indices.map { index -> HTML in
      let cells = series.map {
        "<td class=\"number\">\(visit.number($0.values[index]))</td>" as HTML
      }
      return
        "<tr><th scope=\"row\">\(binLabel(starts[index], visit, short: false))</th>\(cells)</tr>"
    }
    return """
      <details class="data"><summary>\(visit.t("chart.data"))</summary>
      <div class="scroll" role="region" aria-label="\(title)" tabindex="0">
      <table><caption class="unseen">\(title)</caption><thead><tr><th scope="col">\
      \(visit.t("chart.time"))</th>\(head)</tr></thead>
      <tbody>\(rows)</tbody></table></div></details>
      """
  }
}

/// Numbers in drawings.
enum SVG {
  /// At most two decimals, without an exponent.
  static func number(_ value: Double) -> String {
    guard value.isFinite else { return "0" }
    let hundredths = Int64((value * 100).rounded())
    if hundredths.isMultiple(of: 100) { return String(hundredths / 100) }
    let sign = hundredths < 0 ? "-" : ""
    let rest = abs(hundredths) % 100
    return "\(sign)\(abs(hundredths) / 100).\(rest < 10 ? "0" : "")\(rest)"
  }
}

/// Where the marks of an axis stand.
enum Axis {
  /// Two to five round values above zero (1, 2 or 5 times a power of ten), the last at or above
  /// what is shown.
  static func ticks(upTo highest: Double) -> [Double] {
    guard highest > 0, highest.isFinite else { return [] }
    var power = 1.0
    while power * 10 <= highest { power *= 10 }
    while power > highest { power /= 10 }
    for step in [power / 5, power / 2, power, power * 2, power * 5] where highest / step <= 4 {
      let count = Int((highest / step).rounded(.up))
      return (1...max(1, count)).map { Double($0) * step }
    }
    return [highest]
  }

  /// The bins that begin at a round moment, with a step that leaves at most six of them; every
  /// other one is minor, for narrow screens to leave out.
  static func moments(from start: Int64, bins: Int, binSeconds: Int64, offset: Int64) -> [(
    index: Int, isMinor: Bool
  )] {
    let steps: [Int64] = [
      1, 2, 5, 10, 15, 30, 60, 120, 300, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400,
      172_800, 604_800, 1_209_600,
      2_592_000, 7_776_000,
    ]
    let span = Int64(bins) * binSeconds
    let step = steps.first { span / $0 <= 6 && $0 >= binSeconds } ?? span
    var marks: [(index: Int, isMinor: Bool)] = []
    for index in 0..<bins {
      let local = start + Int64(index) * binSeconds + offset
      // Bins are found by the mark falling into them, because a day's bin begins at 09:00 in Japan.
      let into = ((local % step) + step) % step
      if into < binSeconds { marks.append((index, !marks.count.isMultiple(of: 2))) }
    }
    return marks
  }
}
