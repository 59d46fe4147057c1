import NetworkTypes
import Telescope

/// One host with everything that is known of it.
struct HostPages: Sendable {
  let reading: TelescopeReading
  let tables: TelescopeTables
  /// What other systems know of an address: each gives a section of the page, or nothing.
  let sections: [@Sendable (IPAddress, Visit) async throws -> HTML]
  /// The organisations that answer for an address: identifier and name.
  let responsible: @Sendable (IPAddress, ASN?) async throws -> [OrganisationRecord]
  var flows = FlowLink()

  var routes: [Route] {
    [
      .page("/hosts/{address}", .signedIn) { try await view($0) },
      .api("/hosts/{address}", .signedIn, operation) { visit in
        let (address, host) = try await find(visit)
        guard let host else { throw Problem.notFound }
        let events = try await reading.events(Self.events(of: address), visit.scope)
        return [
          "host": tables.hostColumns.json(host),
          "reasons": .array(
            host.reasons.map { reason in
              let values = reason.values.sorted { $0.key < $1.key }
              return [
                "name": .string(reason.name),
                "values": .object(values.map { .init(name: $0.key, value: .string($0.value)) }),
              ]
            }),
          "events": .array(events.rows.map { TelescopeTables.eventColumns.json($0) }),
        ]
      },
    ]
  }

  private var operation: Operation {
    Operation(
      id: "getHost", summary: "One host: verdict, reasons, its latest 100 events.", tag: "hosts",
      response: [
        "type": "object", "required": ["host", "reasons", "events"],
        "properties": [
          "host": tables.hostColumns.schema(),
          "reasons": [
            "type": "array",
            "items": [
              "type": "object", "required": ["name", "values"],
              "properties": [
                "name": ["type": "string"],
                "values": ["type": "object", "additionalProperties": ["type": "string"]],
              ],
            ],
          ],
          "events": ["type": "array", "items": TelescopeTables.eventColumns.schema()],
        ],
      ])
  }

  private static func events(of address: IPAddress) -> TableQuery {
    TableQuery(
      order: .init("-last_seen"), size: 100,
      filters: [.init(column: "source", condition: .within(IPPrefix(address)))])
  }

  /// The host a visit names; a host outside the visitor's scope is not found, like one that is not
  /// there, so that nothing is learnt about it.
  private func find(_ visit: Visit) async throws -> (IPAddress, ObservedHost?) {
    guard let address = IPAddress(visit.parameter("address")) else {
      throw Problem.field("address", "address")
    }
    let host = try await reading.host(address)
    // Where several claim an address, nobody sees it until an analyst has decided.
    if let organisation = visit.scope.organisation,
      try await responsible(address, host?.asn).map(\.id) != [organisation]
    {
      throw Problem.notFound
    }
    return (address, host)
  }

  private func view(_ visit: Visit) async throws -> View {
    let (address, host) = try await find(visit)
    var others: [HTML] = []
    for section in sections { others.append(try await section(address, visit)) }
    let organisations = try await responsible(address, host?.asn)
    let filter = TableQuery.Filter(column: "source", condition: .within(IPPrefix(address)))
    let events = try await tables.events.brief(
      visit, limit: 10, filters: [filter],
      only: [
        "port", "class", "packets", "destinations", "rate_pps", "tools", "first_seen", "last_seen",
      ],
      more: "/telescope/events?source=\(QueryText.encode(address.description))")
    var victims: HTML = .empty
    if visit.scope == .everything {
      victims = try await tables.victims.brief(
        visit, limit: 5,
        filters: [.init(column: "victim", condition: .within(IPPrefix(address)))],
        only: ["start", "end", "services", "packets", "peak_ppm", "rate_pps", "evidence"],
        more: "/telescope/victims?victim=\(QueryText.encode(address.description))")
    }
    return View(
      title: address.description, section: "hosts",
      body: """
        <p class="trail"><a href="/hosts">\(visit.t("table.hosts"))</a></p>
        <h1 class="address">\(address.description)</h1>
        \(flowLink(address, host, visit))
        \(host.map { summary($0, organisations, visit) } ?? unknown(organisations, visit))
        \(others)
        \(events)
        \(victims)
        """)
  }

  private func flowLink(_ address: IPAddress, _ host: ObservedHost?, _ visit: Visit) -> HTML {
    let seen = host.map { min($0.firstSeen, $0.lastSeen)...max($0.firstSeen, $0.lastSeen) }
    return flows.html(
      address, seen: seen,
      purpose: visit.t("flows.purpose-host", ["address": address.description]), visit)
  }

  private func unknown(_ organisations: [OrganisationRecord], _ visit: Visit) -> HTML {
    var facts = Facts()
    facts.add(visit.t("host.responsible"), responsibleMarkup(organisations, visit))
    return """
      <section class="panel"><p>\(visit.t("host.unknown"))</p>\(facts.html)</section>
      """
  }

  private func responsibleMarkup(_ organisations: [OrganisationRecord], _ visit: Visit)
    -> HTML
  {
    guard !organisations.isEmpty else { return "\(visit.t("host.nobody"))" }
    return organisations.map { organisation -> HTML in
      "<a href=\"/organisations/\(QueryText.encode(organisation.id))\">\(organisation.name(in: visit.language))</a>"
    }.joined(", ")
  }

  private func summary(
    _ host: ObservedHost, _ organisations: [OrganisationRecord], _ visit: Visit
  ) -> HTML {
    var facts = Facts()
    facts.add(visit.t("host.responsible"), responsibleMarkup(organisations, visit))
    facts.add(visit.t("column.country"), "\(visit.country(host.country.description))")
    facts.add(visit.t("column.asn"), tables.asnMarkup(host.asn))
    facts.add(visit.t("column.first_seen"), visit.timeElement(host.firstSeen))
    facts.add(visit.t("column.last_seen"), visit.timeElement(host.lastSeen))
    facts.add(visit.t("column.packets"), "\(visit.number(host.packets))")
    facts.add(visit.t("column.bytes"), "\(visit.number(host.bytes))")
    facts.add(visit.t("column.destinations"), "\(visit.number(host.destinations))")
    facts.add(visit.t("host.ports"), "\(visit.number(host.distinctPorts))")
    facts.add(
      visit.t("column.rate_pps"),
      """
      \(visit.number(host.rate.packetsPerSecond)) \
      <small>\(visit.number(host.rate.lower))–\(visit.number(host.rate.upper))</small>
      """)
    if let malware = host.malware { facts.add(visit.t("column.malware"), "\(malware)") }
    if let surveyor = host.surveyor { facts.add(visit.t("column.surveyor"), "\(surveyor)") }
    let tools = host.tools.map { "<span class=\"tag\">\($0)</span>" as HTML }
    if !tools.isEmpty { facts.add(visit.t("column.tools"), tools.joined(" ")) }
    let classes = host.classes.map {
      "<span class=\"tag\">\(visit.t("class.\($0.name)"))</span>" as HTML
    }
    facts.add(visit.t("host.classes"), classes.joined(" "))
    let ports = BarList(
      title: visit.t("host.top-ports"), unit: visit.t("measure.packets"),
      nameTitle: visit.t("dimension.port"),
      bars: host.ports.prefix(10).map {
        .init(name: TelescopeTables.portText($0), value: Double($0.packets))
      })
    return """
      <div class="columns">
      <section class="panel"><h2>\(visit.t("host.verdict"))</h2>
      <p class="verdict"><span class="badge verdict-\(host.verdict.rawValue)">\
      \(visit.t("verdict.\(host.verdict.rawValue)"))</span> \
      \(visit.t("host.confidence", ["percent": String(host.confidence)]))</p>
      \(reasons(host, visit))
      <h3>\(visit.t("host.top-ports"))</h3>\(ports.html(visit))</section>
      <section class="panel"><h2>\(visit.t("host.facts"))</h2>\(facts.html)</section>
      </div>
      """
  }

  private func reasons(_ host: ObservedHost, _ visit: Visit) -> HTML {
    let items = host.reasons.map { reason -> HTML in
      let values = reason.values.sorted { $0.key < $1.key }.map { value -> HTML in
        "<span class=\"tag\">\(value.key) \(value.value)</span>"
      }
      return "<li>\(visit.name("reason", reason.name)) \(values.joined(" "))</li>"
    }
    return items.isEmpty ? .empty : "<ul class=\"reasons\">\(items)</ul>"
  }
}
