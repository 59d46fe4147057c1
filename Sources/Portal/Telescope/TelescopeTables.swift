import NetworkTypes
import Telescope

/// The telescope's lists: hosts, events, victims, member alerts, campaigns.
struct TelescopeTables: Sendable {
  let reading: TelescopeReading
  /// The name of an autonomous system, where it is known.
  let systemName: @Sendable (ASN) -> String?

  static let verdictWords = HostVerdict.allCases.map(\.rawValue)
  static let classWords = TrafficClass.allCases.map(\.name)

  static func asnCell(_ asn: ASN) -> Cell { asn == .unknown ? .none : .text(asn.description) }

  func asnMarkup(_ asn: ASN) -> HTML {
    guard asn != .unknown else { return "<span class=\"none\">–</span>" }
    return systemName(asn).map { "\(asn.description) <small>\($0)</small>" } ?? "\(asn.description)"
  }

  static func portText(_ port: ObservedHost.PortCount) -> String {
    port.transport == .icmp || port.transport == .icmpv6
      ? port.transport.description : "\(port.port)/\(port.transport)"
  }

  static func hostLink(_ address: IPAddress) -> String {
    "/hosts/\(QueryText.encode(address.description))"
  }

  var hosts: Table<ObservedHost> {
    Table(
      name: "hosts", path: "/hosts", section: "hosts", audience: .signedIn,
      columns: hostColumns, order: .init("-last_seen"),
      rows: { query, visit in try await reading.hosts(query, visit.scope) })
  }

  var hostColumns: [Column<ObservedHost>] {
    [
      Column(
        "address", .address, link: { Self.hostLink($0.address) },
        value: { .text($0.address.description) }),
      Column(
        "verdict", .choice(prefix: "verdict", words: Self.verdictWords),
        markup: { host, visit in
          """
          <span class="badge verdict-\(host.verdict.rawValue)">\
          \(visit.t("verdict.\(host.verdict.rawValue)"))</span>
          """
        }, value: { .choice($0.verdict.rawValue) }),
      Column("confidence", .integer, value: { .integer(Int64($0.confidence)) }),
      Column("tools", .list, sort: false, value: { .list($0.tools) }),
      Column(
        "ports", .list, sort: false,
        markup: { host, _ in
          let shown = host.ports.prefix(4).map {
            "<span class=\"tag\">\(Self.portText($0))</span>" as HTML
          }
          let rest: HTML = host.distinctPorts > 4 && host.ports.count > 4 ? " …" : .empty
          return shown.joined(" ") + rest
        }, value: { .list($0.ports.map { Self.portText($0) }) }),
      Column("country", .country, value: { .country($0.country.description) }),
      Column(
        "asn", .system, markup: { host, _ in asnMarkup(host.asn) },
        value: { Self.asnCell($0.asn) }),
      Column("packets", .integer, value: { .count($0.packets) }),
      Column("bytes", .integer, hidden: true, value: { .count($0.bytes) }),
      Column("destinations", .number, value: { .number($0.destinations) }),
      Column("rate_pps", .number, hidden: true, value: { .number($0.rate.packetsPerSecond) }),
      Column("malware", .text, hidden: true, value: { .optional($0.malware) }),
      Column("surveyor", .text, hidden: true, value: { .optional($0.surveyor) }),
      Column("first_seen", .time, value: { .time($0.firstSeen) }),
      Column("last_seen", .time, value: { .time($0.lastSeen) }),
    ]
  }

  var events: Table<EventSummary> {
    Table(
      name: "events", path: "/telescope/events", section: "telescope", audience: .staff,
      columns: Self.eventColumns, order: .init("-last_seen"),
      rows: { query, visit in try await reading.events(query, visit.scope) })
  }

  static let eventColumns: [Column<EventSummary>] = [
    Column(
      "source", .address, link: { hostLink($0.source) }, value: { .text($0.source.description) }),
    Column(
      "port", .integer, markup: { event, _ in "\(event.port)" },
      value: { .integer(Int64($0.port)) }),
    Column(
      "class", .choice(prefix: "class", words: classWords),
      value: { .choice($0.trafficClass) }),
    Column("packets", .integer, value: { .count($0.packets) }),
    Column("bytes", .integer, hidden: true, value: { .count($0.bytes) }),
    Column("destinations", .number, value: { .number($0.destinations) }),
    Column("rate_pps", .number, value: { .number($0.packetsPerSecond) }),
    Column("tools", .list, sort: false, value: { .list($0.tools) }),
    Column("country", .country, value: { .country($0.country) }),
    Column("asn", .system, value: { asnCell($0.asn) }),
    Column("first_seen", .time, value: { .time($0.firstSeen) }),
    Column("last_seen", .time, value: { .time($0.lastSeen) }),
    Column("closed", .flag, value: { .flag($0.isClosed) }),
  ]

  var victims: Table<VictimEvent> {
    Table(
      name: "victims", path: "/telescope/victims", section: "telescope", audience: .staff,
      columns: victimColumns, order: .init("-end"),
      rows: { query, visit in try await reading.victims(query, visit.scope) })
  }

  var victimColumns: [Column<VictimEvent>] {
    [
      Column(
        "victim", .address, link: { Self.hostLink($0.victim) },
        value: { .text($0.victim.description) }),
      Column("start", .time, value: { .time($0.start) }),
      Column("end", .time, value: { .time($0.end) }),
      Column(
        "services", .list, sort: false, value: { .list($0.services.map { Self.portText($0) }) }),
      Column("packets", .integer, value: { .count($0.packets) }),
      Column("peak_ppm", .integer, value: { .count($0.peakPacketsPerMinute) }),
      Column("destinations", .number, hidden: true, value: { .number($0.destinations) }),
      Column(
        "rate_pps", .number,
        markup: { victim, visit in
          let rate = victim.rate
          return """
            \(visit.number(rate.packetsPerSecond)) \
            <small>\(visit.number(rate.lower))–\(visit.number(rate.upper))</small>
            """
        }, value: { .number($0.rate.packetsPerSecond) }),
      Column("rate_lower", .number, hidden: true, value: { .number($0.rate.lower) }),
      Column("rate_upper", .number, hidden: true, value: { .number($0.rate.upper) }),
      Column("quote_mismatches", .integer, hidden: true, value: { .count($0.quoteMismatches) }),
      Column(
        "evidence", .list, sort: false, filter: false,
        markup: { victim, visit in
          victim.evidence.map { item -> HTML in
            """
            <span class="tag">\(visit.t("class.\(item.trafficClass.name)")) \
            \(visit.number(item.packets))</span>
            """
          }.joined(" ")
        }, value: { .list($0.evidence.map { "\($0.trafficClass.name)=\($0.packets)" }) }),
      Column("country", .country, value: { .country($0.country.description) }),
      Column(
        "asn", .system, markup: { victim, _ in asnMarkup(victim.asn) },
        value: { Self.asnCell($0.asn) }),
      Column("closed", .flag, value: { .flag($0.isClosed) }),
    ]
  }

  var alerts: Table<MemberAlert> {
    Table(
      name: "alerts", path: "/telescope/alerts", section: "telescope", audience: .staff,
      columns: [
        Column(
          "organisation", .text, link: { "/organisations/\(QueryText.encode($0.organisation))" },
          value: { .text($0.organisation) }),
        Column(
          "address", .address, link: { Self.hostLink($0.address) },
          value: { .text($0.address.description) }),
        Column(
          "reach", .choice(prefix: "reach", words: MemberAlert.Reach.allCases.map(\.rawValue)),
          value: { .choice($0.reach.rawValue) }),
        Column(
          "state", .choice(prefix: "alert", words: MemberAlert.State.allCases.map(\.rawValue)),
          value: { .choice($0.state.rawValue) }),
        Column("packets", .integer, value: { .count($0.packets) }),
        Column("destinations", .number, value: { .number($0.destinations) }),
        Column("ports", .list, sort: false, value: { .list($0.ports.map { String($0) }) }),
        Column("first_seen", .time, value: { .time($0.firstSeen) }),
        Column("last_seen", .time, value: { .time($0.lastSeen) }),
      ], order: .init("-last_seen"),
      rows: { query, visit in try await reading.alerts(query, visit.scope) })
  }

  var campaigns: Table<Campaign> {
    Table(
      name: "campaigns", path: "/telescope/campaigns", section: "telescope", audience: .staff,
      columns: [
        Column(
          "subject", .choice(prefix: "campaign", words: Campaign.Subject.allCases.map(\.rawValue)),
          value: { .choice($0.subject.rawValue) }),
        Column(
          "key", .text, markup: { item, _ in "<code>\(item.key)</code>" }, value: { .text($0.key) }),
        Column("began", .time, value: { .time($0.began) }),
        Column("last_seen", .time, value: { .time($0.lastSeen) }),
        Column("over", .flag, value: { .flag($0.isOver) }),
        Column("peak_sources", .number, value: { .number($0.peakSources) }),
        Column("baseline", .number, value: { .number($0.baseline) }),
        Column("deviations", .number, value: { .number($0.deviations) }),
        Column(
          "tools", .list, sort: false,
          markup: { item, visit in Self.shares(item.tools, visit) { $0 } },
          value: { .list($0.tools.map(\.name)) }),
        Column(
          "countries", .list, sort: false,
          markup: { item, visit in Self.shares(item.countries, visit) { visit.country($0) } },
          value: { .list($0.countries.map(\.name)) }),
      ], order: .init("-began"),
      rows: { query, _ in try await reading.campaigns(query) })
  }

  /// The three largest parts, in per cent of all of them.
  private static func shares(
    _ shares: [Campaign.Share], _ visit: Visit, name: (String) -> String
  ) -> HTML {
    let all = shares.reduce(0) { $0 + $1.sources }
    guard all > 0 else { return "<span class=\"none\">–</span>" }
    return shares.sorted { $0.sources > $1.sources }.prefix(3).map { share -> HTML in
      "<span class=\"tag\">\(name(share.name)) \(visit.number(100 * share.sources / all))%</span>"
    }.joined(" ")
  }

  var routes: [Route] {
    hosts.routes + events.routes + victims.routes + alerts.routes + campaigns.routes
  }
}
