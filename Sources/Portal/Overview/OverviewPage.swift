import Findings
import NetworkTypes
import Telescope

/// The first page: what is new, who must be told, what went wrong. An ISP's user sees its own part.
struct OverviewPage: Sendable {
  let telescope: TelescopePages
  let cases: CasePages
  let notices: NoticePages
  let detection: DetectionSections

  var routes: [Route] {
    [
      .page("/", .signedIn) { try await view($0) },
      .api("/overview", .signedIn, Self.operation) { try await json($0) },
    ]
  }

  private func view(_ visit: Visit) async throws -> View {
    let scope = visit.scope
    let verdicts = try await telescope.reading.verdicts(scope)
    let states = try await cases.reading.counts(scope)
    let span = try await telescope.reading.span()
    let shown: [(HostVerdict, String)] = [
      (.infected, visit.t("overview.infected")), (.victim, visit.t("overview.victims")),
      (.scanner, visit.t("overview.scanners")),
    ]
    let hosts = shown.map { verdict, title in
      figure(
        title, verdicts[verdict] ?? 0, "/hosts?verdict=\(verdict.rawValue)",
        isHot: verdict == .infected, visit)
    }
    let now = scope == .everything ? try await detection.now() : nil
    let detected = now.map { now in
      [
        figure(
          visit.t("overview.attacks"), now.attacks.total, DetectionSections.ongoing, isHot: true,
          visit),
        figure(
          visit.t("overview.servers"), now.servers.total, DetectionSections.unjudged,
          isHot: true, visit),
      ]
    }
    let open = states.filter { $0.key != "closed" }.sorted { $0.key < $1.key }.map { state, count in
      figure(
        visit.t("overview.cases", ["state": visit.name("case", state)]), count,
        "/cases?state=\(state)", isHot: state == "open" || state == "reopened", visit)
    }
    let latest = try await cases.table.brief(
      visit, limit: 8, only: ["id", "state", "kind", "address", "organisation", "updated"])
    let course = scope == .everything && span != nil ? try await course(visit, span) : HTML.empty
    return View(
      title: visit.t("overview.title"), section: "overview",
      body: """
        <h1>\(visit.t("overview.title"))</h1>
        <p class="note">\(note(span, visit))</p>
        \(now.map { detection.lines($0, visit) })
        <ul class="figures">
        \(hosts)
        \(detected ?? [])
        \(open)
        </ul>
        \(course)
        \(latest)
        \(try await notices.table.brief(visit, limit: 5))
        """)
  }

  private func note(_ span: (first: Timestamp, last: Timestamp)?, _ visit: Visit) -> String {
    guard let span else { return visit.t("telescope.nothing") }
    return visit.t(
      "telescope.span", ["from": visit.time(span.first), "to": visit.time(span.last)])
  }

  private func figure(
    _ title: String, _ value: Int, _ link: String, isHot: Bool, _ visit: Visit
  ) -> HTML {
    """
    <li\(when: isHot && value > 0, " class=\"hot\"")><a href="\(link)"><span class="value">\
    \(visit.number(value))</span>\
    <span class="title">\(title)</span></a></li>
    """
  }

  private func course(_ visit: Visit, _ span: (first: Timestamp, last: Timestamp)?) async throws
    -> HTML
  {
    guard let span else { return .empty }
    var query = try SeriesQuery(visit)
    query.resolution = .hour
    query.dimension = .trafficClass
    query.measure = .packets
    let chart = try await telescope.chart(query, range: query.range(span), id: "overview", visit)
    let counts = try await telescope.reading.hostsByCountry(visit.scope)
    let map = telescope.map.html(counts, id: "world", title: visit.t("map.title"), visit: visit) {
      "/hosts?country=\($0)"
    }
    let campaigns = try await telescope.tables.campaigns.brief(
      visit, limit: 4, only: ["subject", "key", "began", "peak_sources", "baseline"])
    return """
      <div class="columns wide">
      <section class="panel"><h2>\(visit.t("overview.course"))</h2>\(chart.html(visit))
      <p class="more"><a href="/telescope">\(visit.t("overview.telescope"))</a></p></section>
      <section class="panel"><h2>\(visit.t("map.title"))</h2>
      \(map)
      </section></div>
      \(campaigns)
      """
  }

  private static let counts: JSON = [
    "type": "object", "additionalProperties": ["type": "integer"],
  ]

  private static let operation = Operation(
    id: "getOverview", summary: "Hosts by verdict and cases by state.", tag: "overview",
    response: [
      "type": "object", "required": ["hosts", "cases"],
      "properties": ["hosts": counts, "cases": counts],
    ])

  private func json(_ visit: Visit) async throws -> JSON {
    let verdicts = try await telescope.reading.verdicts(visit.scope)
    let states = try await cases.reading.counts(visit.scope)
    return [
      "hosts": .object(
        verdicts.sorted { $0.key.rawValue < $1.key.rawValue }
          .map { .init(name: $0.key.rawValue, value: .integer(Int64($0.value))) }),
      "cases": .object(
        states.sorted { $0.key < $1.key }
          .map { .init(name: $0.key, value: .integer(Int64($0.value))) }),
    ]
  }
}
