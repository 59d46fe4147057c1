import FlowAnalysis
import NetworkTypes

/// The lists of attacks and of what precedes them.
struct AttackTables: Sendable {
  let reading: DetectionReading

  var routes: [Route] { attacks.routes + scanners.routes + reflectors.routes }

  var attacks: Table<AttackSummary> {
    Table(
      name: "attacks", path: "/attacks", section: "attacks", audience: .staff,
      columns: Self.attackColumns, order: .init("-ongoing"),
      rows: { query, _ in try await reading.attacks(query) },
      lead: { visit in Self.lists(visit) })
  }

  var scanners: Table<ObservedScan> {
    Table(
      name: "scanners", path: "/attacks/scanners", section: "attacks", audience: .staff,
      columns: Self.scanColumns, order: .init("-last_seen"),
      rows: { query, _ in try await reading.scans(query) },
      lead: { visit in Self.lists(visit) })
  }

  var reflectors: Table<ObservedReflector> {
    Table(
      name: "reflectors", path: "/attacks/reflectors", section: "attacks", audience: .staff,
      columns: Self.reflectorColumns, order: .init("-last_seen"),
      rows: { query, _ in try await reading.reflectors(query) },
      lead: { visit in Self.lists(visit) })
  }

  /// The way between the three lists.
  static func lists(_ visit: Visit) -> HTML {
    let pages = [
      ("/attacks", visit.t("table.attacks")),
      ("/attacks/scanners", visit.t("table.scanners")),
      ("/attacks/reflectors", visit.t("table.reflectors")),
    ]
    let items = pages.map { path, title -> HTML in
      """
      <li><a href="\(path)"\(when: visit.path == path, " aria-current=\"page\"")>\(title)</a></li>
      """
    }
    return "<nav class=\"sub\" aria-label=\"\(visit.t("attack.lists"))\"><ul>\(items)</ul></nav>"
  }

  static let natureWords = SourceNature.allCases.map(\.rawValue)

  static let attackColumns: [Column<AttackSummary>] = [
    Column(
      "ongoing", .flag,
      markup: { attack, visit in badge(isOngoing: attack.isOngoing, visit) },
      value: { .flag($0.isOngoing) }),
    Column(
      "start", .time, link: { ServerPath.attack($0.id) }, value: { .time($0.start) }),
    Column(
      "target", .address, markup: { attack, _ in "\(AttackWords.target(attack.target))" },
      value: { .text(AttackWords.target($0.target)) }),
    Column(
      "vectors", .list, sort: false,
      markup: { attack, visit in
        attack.vectors.map { "<span class=\"tag\">\(AttackWords.vector($0, visit))</span>" as HTML }
          .joined(" ")
      }, value: { .list($0.vectors) }),
    Column("name", .text, hidden: true, value: { .text($0.name) }),
    Column(
      "end", .time,
      markup: { attack, visit in
        attack.isOngoing ? "<span class=\"none\">–</span>" : visit.timeElement(attack.end)
      }, value: { .time($0.end) }),
    Column("peak_pps", .number, value: { .number($0.peakPackets.rounded()) }),
    Column("peak_bps", .number, value: { .number($0.peakBits.rounded()) }),
    Column("packets", .integer, hidden: true, value: { .count($0.packets) }),
    Column("bytes", .integer, hidden: true, value: { .count($0.octets) }),
    Column("sources", .number, value: { .number($0.sources.rounded()) }),
    Column(
      "nature", .choice(prefix: "nature", words: natureWords),
      value: { .choice($0.nature.rawValue) }),
    Column("id", .text, hidden: true, value: { .text($0.id) }),
  ]

  static let scanColumns: [Column<ObservedScan>] = [
    Column(
      "source", .address, link: { TelescopeTables.hostLink($0.source) },
      value: { .text($0.source.description) }),
    Column(
      "shape", .choice(prefix: "shape", words: ObservedScan.Shape.allCases.map(\.rawValue)),
      value: { .choice($0.shape.rawValue) }),
    Column("protocol", .text, value: { .text($0.transport.description) }),
    Column(
      "port", .integer,
      markup: { scan, _ in scan.port.map { "\($0)" } ?? "<span class=\"none\">–</span>" },
      value: { $0.port.map { .integer(Int64($0)) } ?? .none }),
    Column(
      "scanned_host", .text, sort: false, filter: false,
      value: { .optional($0.target?.description) }),
    Column("targets", .number, value: { .number($0.targets.rounded()) }),
    Column(
      "answered", .number, sort: false, filter: false, value: { .number($0.answered.rounded()) }),
    Column("packets", .integer, value: { .count($0.packets) }),
    Column("first_seen", .time, value: { .time($0.first) }),
    Column("last_seen", .time, value: { .time($0.last) }),
  ]

  static let reflectorColumns: [Column<ObservedReflector>] = [
    Column(
      "address", .address, link: { TelescopeTables.hostLink($0.address) },
      value: { .text($0.address.description) }),
    Column(
      "amplifier", .text,
      markup: { item, _ in "\(item.service) <small>\(item.port)/udp</small>" },
      value: { .text($0.service) }),
    Column(
      "factor", .number, sort: false, filter: false,
      value: { $0.factor.map { .number(($0 * 10).rounded() / 10) } ?? .none }),
    Column("bytes_out", .integer, value: { .count($0.octetsOut) }),
    Column("bytes_in", .integer, sort: false, filter: false, value: { .count($0.octetsIn) }),
    Column(
      "clients", .number, sort: false, filter: false, value: { .number($0.clients.rounded()) }),
    Column(
      "top_client", .text, sort: false, filter: false,
      markup: { item, visit in
        let share = visit.number((item.topClientShare * 100).rounded())
        return """
          <a href="\(TelescopeTables.hostLink(item.topClient))">\(item.topClient.description)</a> \
          <small>\(share)%</small>
          """
      }, value: { .text($0.topClient.description) }),
    Column("first_seen", .time, value: { .time($0.first) }),
    Column("last_seen", .time, value: { .time($0.last) }),
  ]

  static func badge(isOngoing: Bool, _ visit: Visit) -> HTML {
    isOngoing
      ? "<span class=\"badge attack-ongoing\">\(visit.t("attack.ongoing"))</span>"
      : "<span class=\"badge\">\(visit.t("attack.over"))</span>"
  }
}

/// Attacks in the words of the visitor.
enum AttackWords {
  /// A target of one host is told as its address.
  static func target(_ target: IPPrefix) -> String {
    target.first == target.last ? target.address.description : target.description
  }

  /// The name of an attack or of one of its vectors; one that is new here says itself.
  static func vector(_ name: String, _ visit: Visit) -> String {
    if let known = visit.platform.catalogue.known("vector.\(name)", visit.language) { return known }
    let carpet = "carpet-bombing-"
    if name.hasPrefix(carpet) {
      return visit.t(
        "vector.carpet", ["vector": vector(String(name.dropFirst(carpet.count)), visit)])
    }
    for (suffix, key) in [("-amplification", "vector.amplification"), ("-flood", "vector.flood")]
    where name.hasSuffix(suffix) {
      return visit.t(key, ["what": name.dropLast(suffix.count).uppercased()])
    }
    return name
  }

  static func rate(_ value: Double, _ unit: String, _ visit: Visit) -> String {
    visit.t("rate.\(unit)", ["rate": NumberText.compact(value.rounded())])
  }

  /// The limit and what was just above it look alike when they are shortened.
  private static func exact(_ value: Double, _ unit: AttackTrigger.Unit, _ visit: Visit) -> String {
    visit.t("rate.\(unit.rawValue)", ["rate": visit.number(value.rounded())])
  }

  /// Why it was noticed.
  static func trigger(_ trigger: AttackTrigger, _ visit: Visit) -> String {
    guard trigger.basis != .told else { return visit.t("attack.told") }
    return visit.t(
      "attack.trigger-\(trigger.basis.rawValue)",
      [
        "what": visit.t("traffic.\(trigger.kind.name)"),
        "value": exact(trigger.value, trigger.unit, visit),
        "limit": exact(trigger.limit, trigger.unit, visit),
      ])
  }
}
