import NetworkTypes
import Telescope

/// The telescope's page: what arrives, from where, with which tools; and the same for programs.
struct TelescopePages: Sendable {
  let reading: TelescopeReading
  let tables: TelescopeTables
  let map: WorldMap
  let systemName: @Sendable (ASN) -> String?

  var routes: [Route] {
    [
      .page("/telescope", .staff) { try await view($0) },
      .api("/telescope/series", .staff, Self.seriesOperation) { try await seriesJSON($0) },
      .api("/telescope/top", .staff, Self.topOperation) { try await topJSON($0) },
      .api("/telescope/counters", .staff, Self.countersOperation) { _ in
        Self.json(try await reading.counters())
      },
    ]
  }

  private func view(_ visit: Visit) async throws -> View {
    let query = try SeriesQuery(visit)
    guard let span = try await reading.span() else {
      return View(
        title: visit.t("telescope.title"), section: "telescope",
        body: """
          <h1>\(visit.t("telescope.title"))</h1>
          <section class="panel"><p class="empty">\(visit.t("telescope.nothing"))</p></section>
          """)
    }
    let range = query.range(span)
    let counters = try await reading.counters()
    let counts = try await reading.hostsByCountry(visit.scope)
    let world = map.html(counts, id: "world", title: visit.t("map.title"), visit: visit) {
      "/hosts?country=\($0)"
    }
    let campaigns = try await tables.campaigns.brief(
      visit, limit: 6, only: ["subject", "key", "began", "peak_sources", "baseline", "tools"])
    let victims = try await tables.victims.brief(
      visit, limit: 6,
      only: ["victim", "start", "end", "services", "packets", "rate_pps", "country"])
    let covered = visit.t(
      "telescope.span", ["from": visit.time(span.first), "to": visit.time(span.last)])
    return View(
      title: visit.t("telescope.title"), section: "telescope",
      body: """
        <h1>\(visit.t("telescope.title"))</h1>
        <p class="note">\(covered)</p>
        \(subnavigation(visit))
        <section class="panel"><h2>\(visit.t("telescope.course"))</h2>
        \(controls(query, visit))
        \(try await chart(query, range: range, id: "course", visit).html(visit))
        </section>
        <div class="columns wide">
        \(try await top(.port, range, query.resolution, visit))
        \(try await top(.country, range, query.resolution, visit))
        \(try await top(.tool, range, query.resolution, visit))
        \(try await top(.asn, range, query.resolution, visit))
        </div>
        <section class="panel"><h2>\(visit.t("map.title"))</h2>
        \(world)
        </section>
        \(campaigns)
        \(victims)
        \(try await tables.alerts.brief(visit, limit: 6))
        \(losses(counters, visit))
        """)
  }

  private func subnavigation(_ visit: Visit) -> HTML {
    let items = ["events", "victims", "campaigns", "alerts"].map { name -> HTML in
      "<li><a href=\"/telescope/\(name)\">\(visit.t("table.\(name)"))</a></li>"
    }
    return """
      <nav class="sub" aria-label="\(visit.t("telescope.lists"))"><ul>\(items)</ul></nav>
      """
  }

  private func controls(_ query: SeriesQuery, _ visit: Visit) -> HTML {
    func select(_ name: String, _ words: [String], _ chosen: String) -> HTML {
      let options = words.map { word -> HTML in
        """
        <option value="\(word)"\(when: word == chosen, " selected")>\
        \(visit.t("\(name).\(word)"))</option>
        """
      }
      return
        "<label>\(visit.t("series.\(name)"))<select name=\"\(name)\">\(options)</select></label>"
    }
    return """
      <form method="get" action="/telescope" class="row controls">
      \(select("dimension", SeriesPoint.Dimension.allCases.map(\.rawValue), query.dimension.rawValue))
      \(select("resolution", SeriesQuery.resolutionWords, query.resolutionWord))
      \(select("measure", SeriesQuery.Measure.allCases.map(\.rawValue), query.measure.rawValue))
      <label>\(visit.t("series.until", ["zone": visit.inputZone.rawValue]))<input \
      type="datetime-local" name="until" value="\(visit.localInput("until"))"></label>
      <button type="submit">\(visit.t("series.show"))</button></form>
      """
  }

  /// A chart of the series that a query wants.
  func chart(_ query: SeriesQuery, range: Range<Int64>, id: String, _ visit: Visit) async throws
    -> TimeChart
  {
    let points = try await reading.series(query.resolution, query.dimension, range)
    let grid = SeriesGrid(
      points, query: query, range: range,
      name: { keyName($0, query.dimension, visit) }, restName: visit.t("series.rest"))
    let measure = visit.t("measure.\(query.measure.rawValue)")
    let dimension = visit.t("dimension.\(query.dimension.rawValue)")
    return TimeChart(
      id: id,
      title: visit.t("series.title", ["measure": measure, "dimension": dimension]),
      description: visit.t(
        "series.description",
        [
          "from": visit.time(Timestamp(seconds: range.lowerBound)),
          "to": visit.time(Timestamp(seconds: range.upperBound)),
          "resolution": visit.t("resolution.\(query.resolutionWord)"),
        ]),
      starts: grid.starts, binSeconds: Int64(query.resolution.rawValue), series: grid.series,
      form: query.measure == .hosts ? .lines : .stacked)
  }

  private func keyName(_ key: String, _ dimension: SeriesPoint.Dimension, _ visit: Visit) -> String
  {
    switch dimension {
    case .all: visit.t("series.all")
    case .trafficClass: visit.name("class", key)
    case .country: visit.country(key)
    case .asn: ASN(text: key).flatMap { systemName($0) }.map { "\(key) \($0)" } ?? key
    case .port, .tool: key
    }
  }

  /// The strongest keys of a dimension over a range, by packets.
  func strongest(
    _ dimension: SeriesPoint.Dimension, _ range: Range<Int64>,
    _ resolution: SeriesPoint.Resolution, limit: Int
  ) async throws -> [(key: String, packets: UInt64, bytes: UInt64)] {
    var sums: [String: (packets: UInt64, bytes: UInt64)] = [:]
    for point in try await reading.series(resolution, dimension, range) where point.key != "other" {
      let sum = sums[point.key] ?? (0, 0)
      sums[point.key] = (sum.packets &+ point.packets, sum.bytes &+ point.bytes)
    }
    return sums.map { ($0.key, $0.value.packets, $0.value.bytes) }
      .sorted { ($1.1, $0.0) < ($0.1, $1.0) }.prefix(limit).map { $0 }
  }

  private func top(
    _ dimension: SeriesPoint.Dimension, _ range: Range<Int64>,
    _ resolution: SeriesPoint.Resolution, _ visit: Visit
  ) async throws -> HTML {
    let bars = try await strongest(dimension, range, resolution, limit: 10).map { item in
      let key = QueryText.encode(item.key)
      let link: String? =
        switch dimension {
        case .country: "/hosts?country=\(key)"
        case .asn: "/hosts?asn=\(key)"
        case .tool: "/hosts?tools=\(key)"
        case .port: "/telescope/events?port=\(item.key.prefix { $0 != "/" })"
        case .all, .trafficClass: nil
        }
      return BarList.Bar(
        name: keyName(item.key, dimension, visit), value: Double(item.packets), link: link)
    }
    let title = visit.t("top.\(dimension.rawValue)")
    let list = BarList(
      title: title, unit: visit.t("measure.packets"),
      nameTitle: visit.t("dimension.\(dimension.rawValue)"), bars: bars)
    return "<section class=\"panel\"><h2>\(title)</h2>\(list.html(visit))</section>"
  }

  /// What was read and what was lost.
  private func losses(_ counters: TelescopeCounters, _ visit: Visit) -> HTML {
    var facts = Facts()
    let numbers: [(String, UInt64)] = [
      ("packets", counters.packets), ("bytes", counters.bytes),
      ("outside", counters.outsideDarkSpace), ("ignored", counters.ignored),
      ("evicted", counters.evictedPackets), ("late", counters.late),
    ]
    for (name, value) in numbers { facts.add(visit.t("counter.\(name)"), "\(visit.number(value))") }
    facts.add(visit.t("counter.sources"), "\(visit.number(counters.sources.rounded()))")
    for (reason, count) in counters.undecoded.sorted(by: { $0.key < $1.key }) {
      facts.add(visit.t("counter.undecoded", ["reason": reason]), "\(visit.number(count))")
    }
    return "<section class=\"panel\"><h2>\(visit.t("counter.title"))</h2>\(facts.html)</section>"
  }
}
