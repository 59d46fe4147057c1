/// The strongest of something: a table whose last column is drawn, so that it is its own
/// alternative.
struct BarList: Sendable {
  struct Bar: Sendable {
    let name: String
    let value: Double
    var link: String?
  }

  let title: String
  /// What the number counts.
  let unit: String
  let nameTitle: String
  let bars: [Bar]

  func html(_ visit: Visit) -> HTML {
    guard let highest = bars.map(\.value).max(), highest > 0 else {
      return "<p class=\"empty\">\(visit.t("chart.empty"))</p>"
    }
    let rows = bars.map { bar -> HTML in
      let name: HTML = bar.link.map { "<a href=\"\($0)\">\(bar.name)</a>" } ?? "\(bar.name)"
      let width = SVG.number(max(0.5, 100 * bar.value / highest))
      return """
        <tr><th scope="row">\(name)</th><td class="number">\(visit.number(bar.value))</td>\
        <td class="bar" aria-hidden="true"><svg width="100%" height="10" aria-hidden="true">\
        <rect class="track" width="100%" height="10" rx="2"/>\
        <rect class="fill" width="\(width)%" height="10" rx="2"/></svg></td></tr>
        """
    }
    return """
      <table class="bars"><caption class="unseen">\(title)</caption>
      <thead class="unseen"><tr><th scope="col">\(nameTitle)</th><th scope="col">\(unit)</th>\
      <td></td></tr></thead><tbody>
      \(rows)</tbody></table>
      """
  }
}

/// A course of numbers as small as a word.
enum Sparkline {
  static func html(_ values: [Double], label: String) -> HTML {
    guard values.count > 1, let highest = values.max(), highest > 0 else { return .empty }
    let width = Double(values.count - 1)
    var path = ""
    for (index, value) in values.enumerated() {
      let y = SVG.number(38 - 36 * value / highest)
      path += "\(index == 0 ? "M" : "L")\(index) \(y)"
    }
    return """
      <svg class="spark" role="img" aria-label="\(label)" viewBox="0 0 \(SVG.number(width)) 40" \
      preserveAspectRatio="none" width="100%" height="36">\
      <path class="under" d="\(HTML(trusted: path))V40H0z"/>\
      <path class="line" d="\(HTML(trusted: path))"/></svg>
      """
  }
}
