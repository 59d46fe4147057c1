import FlowAnalysis
import HTTPTypes
import Hummingbird
import NetworkTypes

/// Attacks: the lists, and one attack: when, how much, of what, from whom, what to tell, what to do.
struct AttackPages: Sendable {
  let reading: DetectionReading
  /// The cases about an address, as a section.
  let cases: @Sendable (Visit, [TableQuery.Filter], String) async throws -> HTML
  let systemName: @Sendable (ASN) -> String?
  var flows = FlowLink()

  /// Sources and groups that a page lists at most; the CSV file has all that are kept.
  private static let shownSources = 25

  var tables: AttackTables { AttackTables(reading: reading) }

  var routes: [Route] {
    tables.routes + [
      .page("/attacks/{id}", .staff) { try await view($0) },
      .api("/attacks/{id}", .staff, AttackAPI.operation) { visit in
        AttackAPI.json(try await find(visit), owner: reading.owners())
      },
      .api("/attacks/{id}/mitigation", .staff, AttackAPI.mitigationOperation) { visit in
        AttackAPI.mitigations(try await find(visit))
      },
    ] + AttackDownloads(reading: reading, find: find).routes
  }

  private func find(_ visit: Visit) async throws -> Attack {
    guard let attack = try await reading.attack(visit.parameter("id")) else {
      throw Problem.notFound
    }
    return attack
  }

  private func view(_ visit: Visit) async throws -> View {
    let attack = try await find(visit)
    let name = AttackWords.vector(attack.name, visit)
    let target = AttackWords.target(attack.target)
    let title = visit.t("attack.title", ["target": target, "name": name])
    let cases = try await cases(
      visit, [.init(column: "address", condition: .within(attack.target))],
      "/cases?address=\(QueryText.encode(attack.target.description))")
    return View(
      title: title, section: "attacks",
      body: """
        <p class="trail"><a href="/attacks">\(visit.t("table.attacks"))</a></p>
        <h1>\(title) \(AttackTables.badge(isOngoing: !attack.isOver, visit))</h1>
        <div class="columns wide">
        <section class="panel"><h2>\(visit.t("attack.facts"))</h2>\(facts(attack, visit))\
        \(flowLink(attack, visit))</section>
        <section class="panel"><h2>\(visit.t("attack.vectors"))</h2>\
        \(attack.vectors.map { vector($0, visit) })</section>
        </div>
        \(course(attack, visit))
        \(try sources(attack, visit))
        \(AttackDownloads.panel(attack, visit))
        \(MitigationMarkup.panel(attack, visit))
        \(cases)
        """)
  }

  private func facts(_ attack: Attack, _ visit: Visit) -> HTML {
    var facts = Facts()
    let target = AttackWords.target(attack.target)
    facts.add(
      visit.t("column.target"),
      attack.target.first == attack.target.last
        ? "<a href=\"\(TelescopeTables.hostLink(attack.target.address))\">\(target)</a>"
        : "\(target)")
    if let network = attack.network {
      facts.add(visit.t("attack.network"), "\(network.description)")
    }
    facts.add(visit.t("column.start"), visit.timeElement(attack.start))
    facts.add(visit.t("attack.peak-time"), visit.timeElement(attack.peakTime))
    facts.add(
      visit.t("column.end"),
      attack.isOver
        ? visit.timeElement(attack.end)
        : "\(visit.t("attack.so-far")) \(visit.timeElement(attack.end))")
    facts.add(visit.t("attack.duration"), "\(ServerEvidence.duration(attack.seconds, visit))")
    facts.add(
      visit.t("attack.noticed"),
      """
      \(AttackWords.trigger(attack.trigger, visit)) \
      <small>\(visit.timeElement(attack.detected))</small>
      """)
    let peak = [
      AttackWords.rate(attack.peak.packetsPerSecond, "pps", visit),
      AttackWords.rate(attack.peak.bitsPerSecond, "bps", visit),
      AttackWords.rate(attack.peak.flowsPerSecond, "fps", visit),
    ]
    facts.add(visit.t("attack.peak"), "\(peak.joined(separator: visit.t("list.separator")))")
    facts.add(
      visit.t("attack.total"),
      "\(visit.t("flows.found", ["flows": visit.number(attack.total.flows), "packets": visit.number(attack.total.packets), "bytes": visit.number(attack.total.octets)]))"
    )
    facts.add(visit.t("column.sources"), "\(Self.count(attack, visit))")
    facts.add(
      visit.t("column.destinations"), "\(visit.number(attack.destinationCount.rounded()))")
    if attack.samplingRate > 1 {
      facts.add(visit.t("column.sampling_rate"), "1:\(attack.samplingRate)")
    }
    return facts.html
  }

  /// How many sources, with the standard error where it is an estimate.
  private static func count(_ attack: Attack, _ visit: Visit) -> String {
    let count = visit.number(attack.sourceCount.rounded())
    guard attack.sourceCountError > 0 else { return count }
    let percent = (attack.sourceCountError * 1_000).rounded() / 10
    return visit.t("attack.about", ["count": count, "percent": visit.number(percent)])
  }

  private func vector(_ vector: AttackVector, _ visit: Visit) -> HTML {
    var facts = Facts()
    facts.add(visit.t("attack.share"), "\(visit.number((vector.share * 100).rounded()))%")
    facts.add(
      visit.t("column.packets"),
      """
      \(visit.number(vector.volume.packets)) \
      <small>\(visit.t("attack.size", ["bytes": visit.number(vector.volume.octetsPerPacket.rounded())]))</small>
      """)
    facts.add(
      visit.t("column.source_port"),
      "\(vector.sourcePort.map { String($0) } ?? visit.t("attack.varies"))")
    let ports = vector.destinationPorts.map {
      "<span class=\"tag\">\($0.value) \(visit.number(($0.share * 100).rounded()))%</span>" as HTML
    }
    facts.add(
      visit.t("column.destination_port"),
      ports.isEmpty ? "\(visit.t("attack.varies"))" : ports.joined(" "))
    facts.add(
      visit.t("column.nature"),
      """
      <strong>\(visit.t("nature.\(vector.nature.rawValue)"))</strong> · \
      \(visit.t("nature-long.\(vector.nature.rawValue)")) <small lang="en">\(vector.evidence)</small>
      """)
    return """
      <article class="finding"><h3>\(AttackWords.vector(vector.name, visit))</h3>\(facts.html)</article>
      """
  }

  private func course(_ attack: Attack, _ visit: Visit) -> HTML {
    guard attack.series.packets.count > 1 else { return .empty }
    let step = Int64(max(1, attack.series.stepSeconds))
    // The quiet time that showed that it was over is no part of it.
    let starts = attack.series.packets.indices.map { attack.start.seconds + Int64($0) * step }
      .filter { !attack.isOver || $0 <= attack.end.seconds }
    let charts = [
      ("packets", visit.t("column.pps"), attack.series.packets),
      ("bits", visit.t("column.bps"), attack.series.bits),
    ].map { id, title, values -> HTML in
      let chart = TimeChart(
        id: "attack-\(id)", title: title,
        description: visit.t(
          "attack.course-note",
          [
            "from": visit.time(attack.start), "to": visit.time(attack.end),
            "step": ServerEvidence.duration(Double(step), visit),
          ]), starts: starts, binSeconds: step,
        series: [.init(name: title, values: values.prefix(starts.count).map { $0.rounded() })])
      return "<div><h3>\(title)</h3>\(chart.html(visit))</div>"
    }
    return """
      <section class="panel"><h2>\(visit.t("attack.course"))</h2>\
      <div class="columns wide">\(charts)</div></section>
      """
  }

  private func flowLink(_ attack: Attack, _ visit: Visit) -> HTML {
    let isHost = attack.target.first == attack.target.last
    let target = AttackWords.target(attack.target)
    return flows.connections(
      isHost ? "dst ip \(target)" : "dst net \(target)",
      seen: attack.start...max(attack.start, attack.end), view: .summary,
      purpose: visit.t("attack.purpose", ["id": attack.id]), visit)
  }

  // MARK: Sources

  private func sources(_ attack: Attack, _ visit: Visit) throws -> HTML {
    let key: SourceGroup.Key
    if let word = visit.query("by"), !word.isEmpty {
      guard let known = SourceGroup.Key(rawValue: word) else {
        throw Problem.field(
          "by", "choice",
          ["words": SourceGroup.Key.allCases.map(\.rawValue).joined(separator: ", ")])
      }
      key = known
    } else {
      key = .organisation
    }
    let path = ServerPath.attack(attack.id)
    let tabs = SourceGroup.Key.allCases.map { item -> HTML in
      """
      <li><a href="\(path)?by=\(item.rawValue)#sources"\(when: item == key, " aria-current=\"true\"")>\
      \(visit.t("group.\(item.rawValue)"))</a></li>
      """
    }
    let groups = attack.sourceGroups(by: key, owner: reading.owners())
    return """
      <section class="panel part" id="sources"><h2>\(visit.t("attack.sources")) \
      <small>\(Self.count(attack, visit))</small></h2>
      <p class="exports"><a href="\(path)/sources/csv" download>CSV</a></p>
      <p class="meta">\(visit.t("attack.sources-note", ["kept": visit.number(attack.sources.count)])) \
      \(attack.sources.contains { $0.error > 0 } ? visit.t("attack.sources-error") : "")</p>
      <nav class="tabs" aria-label="\(visit.t("attack.grouped"))"><ul>\(tabs)</ul></nav>
      \(table(groups.prefix(Self.shownSources), groupColumns(key, attack), visit, title: visit.t("attack.grouped")))
      <h3>\(visit.t("attack.strongest"))</h3>
      \(table(attack.sources.prefix(Self.shownSources), Self.sourceColumns, visit, title: visit.t("attack.strongest")))
      </section>
      """
  }

  private func table<Row: Sendable>(
    _ rows: ArraySlice<Row>, _ columns: [Column<Row>], _ visit: Visit, title: String
  ) -> HTML {
    guard !rows.isEmpty else { return "<p class=\"empty\">\(visit.t("table.empty"))</p>" }
    let columns = columns.filter { !$0.isHidden }
    let head = columns.map { column -> HTML in
      """
      <th scope="col" role="columnheader"\(when: column.isNumeric, " class=\"number\"")>\
      \(visit.t("column.\(column.name)"))</th>
      """
    }
    let body = rows.map { row -> HTML in
      let cells = columns.map { column -> HTML in
        """
        <td role="cell" data-label="\(visit.t("column.\(column.name)"))"\
        \(when: column.isNumeric, " class=\"number\"")>\(column.html(row, visit))</td>
        """
      }
      return "<tr role=\"row\">\(cells)</tr>"
    }
    return """
      <div class="scroll" role="region" aria-label="\(title)" tabindex="0">
      <table role="table"><caption class="unseen">\(title)</caption>
      <thead role="rowgroup"><tr role="row">\(head)</tr></thead>
      <tbody role="rowgroup">\(body)</tbody></table></div>
      """
  }

  private func groupColumns(_ key: SourceGroup.Key, _ attack: Attack) -> [Column<SourceGroup>] {
    let names = systemName
    return [
      Column(
        "group", .text, markup: { group, visit in Self.owner(group.owner, key, visit, names) },
        value: { .optional($0.owner.organisation) }),
      Column("source_count", .integer, value: { .integer(Int64($0.sources.count)) }),
      Column("packets", .integer, value: { .count($0.packets) }),
      Column("bytes", .integer, value: { .count($0.octets) }),
      Column("direct", .integer, value: { .integer(Int64($0.count(of: .direct))) }),
      Column("reflecting", .integer, value: { .integer(Int64($0.count(of: .reflector))) }),
      Column("forged", .integer, value: { .integer(Int64($0.count(of: .forged))) }),
      Column(
        "actions", .text, exported: false,
        markup: { group, visit in AttackDownloads.callHome(attack, group, visit) },
        value: { _ in .none }),
    ]
  }

  private static func owner(
    _ owner: SourceOwner, _ key: SourceGroup.Key, _ visit: Visit, _ names: (ASN) -> String?
  ) -> HTML {
    let none: HTML = "<span class=\"none\">\(visit.t("group.nobody"))</span>"
    let system: HTML? = owner.asn.map { asn in
      names(asn).map { "\(asn.description) <small>\($0)</small>" } ?? "\(asn.description)"
    }
    switch key {
    case .organisation:
      return owner.organisation.map {
        "<a href=\"/organisations/\(QueryText.encode($0))\">\($0)</a>"
      } ?? none
    case .asn: return system ?? none
    case .country: return owner.country.map { "\(visit.country($0.description))" } ?? none
    case .network:
      return owner.network.map { "\($0.description) <small>\(system)</small>" } ?? none
    }
  }

  static let sourceColumns: [Column<AttackSource>] = [
    Column(
      "address", .address, link: { TelescopeTables.hostLink($0.address) },
      value: { .text($0.address.description) }),
    Column("packets", .integer, value: { .count($0.packets) }),
    Column("packets_error", .integer, hidden: true, value: { .count($0.error) }),
    Column("bytes", .integer, value: { .count($0.octets) }),
    Column("flows", .integer, value: { .count($0.flows) }),
    Column(
      "nature", .choice(prefix: "nature", words: AttackTables.natureWords),
      value: { .choice($0.nature.rawValue) }),
    Column(
      "vectors", .list,
      markup: { source, visit in
        source.vectors.map { "<span class=\"tag\">\(AttackWords.vector($0, visit))</span>" as HTML }
          .joined(" ")
      }, value: { .list($0.vectors) }),
    Column("first_seen", .time, value: { .time($0.first) }),
    Column("last_seen", .time, value: { .time($0.last) }),
  ]
}
