import Findings
import FlowAnalysis
import HTTPTypes
import Hummingbird
import NetworkTypes

/// C&C servers: the list, and one screen on which an analyst reads why a server is on it and says
/// whether that is right.
struct ServerPages: Sendable {
  let reading: DetectionReading
  /// The cases about an address, as a section.
  let cases: @Sendable (Visit, [TableQuery.Filter], String) async throws -> HTML
  var flows = FlowLink()

  /// The longest reason that is kept, in characters: as a case's comment.
  static let reasonLength = CasePages.commentLength
  /// Clients that a page lists at most; the API gives all that are kept.
  private static let shownClients = 25

  var table: Table<ServerSummary> { ServerTable(reading: reading).table }

  var routes: [Route] {
    table.routes + [
      .page("/servers/{service}", .staff) { try await view($0) },
      .api("/servers/{service}", .staff, Self.operation) { visit in
        let entry = try await find(visit)
        return json(entry, visit)
      },
      .form("/servers/{service}/verdict", .staff) { visit in
        let entry = try await find(visit)
        try await judge(entry.server.service, visit)
        return Answer.redirect(to: ServerPath.page(entry.server.service))
      },
    ]
  }

  private func find(_ visit: Visit) async throws -> ServerRegister.Entry {
    guard let service = ServerPath.service(visit.parameter("service")),
      let entry = try await reading.server(service)
    else { throw Problem.notFound }
    return entry
  }

  private func judge(_ service: Service, _ visit: Visit) async throws {
    let word = visit.form["verdict"] ?? ""
    guard ServerTable.verdictWords.contains(word) else {
      throw Problem.field(
        "verdict", "choice", ["words": ServerTable.verdictWords.joined(separator: ", ")])
    }
    let reason = (visit.form["reason"] ?? "").trimmingWhitespace
    guard !reason.isEmpty else { throw Problem.field("reason", "empty") }
    guard reason.count <= Self.reasonLength else {
      throw Problem.field("reason", "long", ["limit": String(Self.reasonLength)])
    }
    let actor = try visit.requireViewer().account.name
    try await reading.judge(service, ServerVerdict(rawValue: word), actor, reason)
  }

  // MARK: The screen

  private func view(_ visit: Visit) async throws -> View {
    let entry = try await find(visit)
    let server = entry.server
    let name = server.service.description
    let parameters = reading.ranking()
    let evidence = ServerEvidence(server: server, visit: visit)
    let summary = ServerSummary(entry, parameters, at: visit.platform.now())
    let cases = try await cases(
      visit,
      [
        .init(column: "address", condition: .within(IPPrefix(server.service.address))),
        .init(column: "kind", condition: .equals(Finding.Kind.commandAndControl.rawValue)),
      ], "/cases?address=\(QueryText.encode(server.service.address.description))")
    return View(
      title: name, section: "servers",
      body: """
        <p class="trail"><a href="/servers">\(visit.t("table.servers"))</a></p>
        <h1><span class="address">\(name)</span> \(ServerTable.badge(summary.grade, visit))</h1>
        <p class="verdict">\(visit.t("server.likely", ["percent": visit.number(ServerTable.percent(server.probability))])) \
        \(state(summary, visit))</p>
        \(sampling(server, parameters, visit))
        <div class="columns wide">
        <section class="panel"><h2>\(visit.t("server.why"))</h2>
        \(evidence.reckoning(parameters))</section>
        <section class="panel"><h2>\(visit.t("server.contacts"))</h2>
        \(ContactPlot(server: server).html(visit))
        \(links(entry, visit))</section>
        </div>
        \(clients(entry, visit))
        <div class="columns">
        <section class="panel"><h2>\(visit.t("server.facts"))</h2>\(facts(entry, visit))</section>
        <section class="panel"><h2>\(visit.t("server.judge"))</h2>\(judging(entry, visit))</section>
        </div>
        \(cases)
        """)
  }

  private func state(_ summary: ServerSummary, _ visit: Visit) -> HTML {
    guard summary.state != .listed else { return .empty }
    return "<span class=\"badge\">\(visit.t("server-state.\(summary.state.rawValue)"))</span>"
  }

  private func sampling(
    _ server: DetectedServer, _ parameters: RankingParameters, _ visit: Visit
  ) -> HTML {
    guard server.samplingRate > 1 else { return .empty }
    let isCoarse = server.samplingRate >= parameters.coarseSampling
    let text = visit.t(
      isCoarse ? "server.sampled-coarse" : "server.sampled",
      ["rate": visit.number(server.samplingRate)])
    return "<p class=\"alert\">\(text)</p>"
  }

  private func facts(_ entry: ServerRegister.Entry, _ visit: Visit) -> HTML {
    let server = entry.server
    var facts = Facts()
    facts.add(
      visit.t("column.address"),
      """
      <a href="\(TelescopeTables.hostLink(server.service.address))">\
      \(server.service.address.description)</a>
      """)
    facts.add(
      visit.t("column.port"), "\(server.service.port)/\(server.service.transport.description)")
    facts.add(visit.t("column.first_seen"), visit.timeElement(entry.firstSeen))
    facts.add(visit.t("column.last_seen"), visit.timeElement(entry.lastSeen))
    facts.add(visit.t("column.expires"), visit.timeElement(entry.expires))
    facts.add(
      visit.t("column.highest"), "\(visit.number(ServerTable.percent(entry.highest)))")
    facts.add(visit.t("column.clients"), "\(visit.number(server.clientCount))")
    facts.add(
      visit.t("server.population"),
      "\(visit.t("server.population-of", ["count": visit.number(server.population), "suspects": visit.number(server.suspects.rounded())]))"
    )
    if !server.lists.isEmpty {
      let names = Set(server.lists.map(\.list)).sorted().map {
        "<span class=\"tag\">\($0)</span>" as HTML
      }
      facts.add(visit.t("server.lists"), names.joined(" "))
    }
    return facts.html
  }

  private func judging(_ entry: ServerRegister.Entry, _ visit: Visit) -> HTML {
    let said: HTML? = entry.verdict.map { statement in
      let actor = statement.actor.split(separator: ":", maxSplits: 1).last.map { String($0) }
      return """
        <p class="said">\(ServerTable.badge(statement.verdict, visit)) \
        \(visit.timeElement(statement.at)) <span class="actor">\(actor ?? statement.actor)</span><br>\
        \(statement.reason)</p>
        """
    }
    // Where there is none, none can be taken back, and one must be chosen.
    let choices =
      ServerVerdict.allCases.map(\.rawValue)
      + (entry.verdict == nil ? [] : [ServerTable.noVerdict])
    let first: HTML =
      entry.verdict == nil ? "<option value=\"\">\(visit.t("server.choose"))</option>" : .empty
    let options = choices.map { word -> HTML in
      """
      <option value="\(word)"\(when: word == entry.verdict?.verdict.rawValue, " selected")>\
      \(visit.t("server-verdict-do.\(word)"))</option>
      """
    }
    return """
      \(said)
      <form method="post" action="\(ServerPath.page(entry.server.service))/verdict" class="stack">\
      \(Form.token(visit))
      <label>\(visit.t("column.verdict"))<select name="verdict" required>\
      \(first)\(options)</select></label>
      <label>\(visit.t("server.reason"))<textarea name="reason" rows="3" required \
      maxlength="\(Self.reasonLength)"></textarea></label>
      <p class="meta">\(visit.t("server.judge-note"))</p>
      <p class="buttons"><button type="submit">\(visit.t("server.judge-do"))</button></p></form>
      """
  }

  private func clients(_ entry: ServerRegister.Entry, _ visit: Visit) -> HTML {
    let server = entry.server
    let columns = clientColumns(server)
    let head = columns.map { column -> HTML in
      """
      <th scope="col" role="columnheader"\(when: column.isNumeric, " class=\"number\"")>\
      \(visit.t("column.\(column.name)"))</th>
      """
    }
    let rows = server.clients.prefix(Self.shownClients).map { client -> HTML in
      let cells = columns.map { column -> HTML in
        """
        <td role="cell" data-label="\(visit.t("column.\(column.name)"))"\
        \(when: column.isNumeric, " class=\"number\"")>\(column.html(client, visit))</td>
        """
      }
      return "<tr role=\"row\">\(cells)</tr>"
    }
    let shown = min(Self.shownClients, server.clients.count)
    let rest: HTML =
      server.clientCount > shown
      ? """
      <p class="meta">\(visit.t("server.more-clients", ["count": visit.number(server.clientCount - shown)]))</p>
      """ : .empty
    return """
      <section class="panel"><h2>\(visit.t("server.clients", ["count": visit.number(server.clientCount)]))</h2>
      <div class="scroll" role="region" aria-label="\(visit.t("column.clients"))" tabindex="0">
      <table role="table"><caption class="unseen">\(visit.t("column.clients"))</caption>
      <thead role="rowgroup"><tr role="row">\(head)</tr></thead>
      <tbody role="rowgroup">\(rows)</tbody></table></div>\(rest)</section>
      """
  }

  private func clientColumns(_ server: DetectedServer) -> [Column<DetectedClient>] {
    Self.clientColumns + [
      Column(
        "actions", .text, exported: false,
        markup: { client, visit in conversation(client, server, visit) }, value: { _ in .none })
    ]
  }

  static let clientColumns: [Column<DetectedClient>] = [
    Column(
      "address", .address, link: { TelescopeTables.hostLink($0.address) },
      value: { .text($0.address.description) }),
    Column("contact_count", .integer, value: { .integer(Int64($0.contacts)) }),
    Column(
      "period", .number,
      markup: { client, visit in
        client.rhythm.period > 0
          ? "\(ServerEvidence.duration(client.rhythm.period, visit))"
          : "<span class=\"none\">–</span>"
      }, value: { $0.rhythm.period > 0 ? .number($0.rhythm.period) : .none }),
    Column(
      "bytes_out", .integer, markup: { client, visit in octets(client.bytesOut, visit) },
      value: { .count($0.bytesOut) }),
    Column(
      "bytes_in", .integer, markup: { client, visit in octets(client.bytesIn, visit) },
      value: { .count($0.bytesIn) }),
    Column("first_seen", .time, value: { .time($0.firstSeen) }),
    Column("last_seen", .time, value: { .time($0.lastSeen) }),
    Column(
      "conduct", .list,
      markup: { client, visit in
        let words = ServerEvidence.conduct(client.conduct, visit)
        guard !words.isEmpty else { return "<span class=\"none\">–</span>" }
        return words.map { "<span class=\"tag\">\($0)</span>" as HTML }.joined(" ")
      }, value: { .list($0.conduct.words) }),
  ]

  /// Octets as the tracker keeps them: each contact's in units of sixteen, a part of one as a whole.
  private static func octets(_ octets: UInt64, _ visit: Visit) -> HTML {
    octets > 0 ? "≈ \(visit.number(octets))" : "\(visit.number(octets))"
  }

  // MARK: Flows

  private func purpose(_ server: DetectedServer, _ visit: Visit) -> String {
    visit.t("server.purpose", ["server": server.service.description])
  }

  private func conversation(
    _ client: DetectedClient, _ server: DetectedServer, _ visit: Visit
  ) -> HTML {
    flows.conversation(
      client.address, server.service.address,
      seen: client.firstSeen...max(client.firstSeen, client.lastSeen),
      purpose: purpose(server, visit), visit)
  }

  private func links(_ entry: ServerRegister.Entry, _ visit: Visit) -> HTML {
    let service = entry.server.service
    return flows.connections(
      "ip \(service.address) and port \(service.port) and proto \(service.transport)",
      seen: entry.firstSeen...max(entry.firstSeen, entry.lastSeen),
      purpose: purpose(entry.server, visit), visit)
  }

  // MARK: For programs

  private static let operation = Operation(
    id: "getServer", summary: "One suspected C&C server: why it is listed, and its clients.",
    tag: "servers",
    response: [
      "type": "object",
      "required": ["server", "log_odds", "evidence", "clients", "contacts", "sampling_rate"],
      "properties": [
        "server": ServerTable.columns.schema(), "log_odds": ["type": "number"],
        "evidence": [
          "type": "array",
          "items": [
            "type": "object", "required": ["kind", "value", "points", "text"],
            "properties": [
              "kind": [
                "type": "string",
                "enum": .array(EvidenceKind.allCases.map { .string($0.rawValue) }),
              ],
              "value": ["type": "number"], "points": ["type": "number"],
              "text": ["type": "string"],
            ],
          ],
        ],
        "clients": ["type": "array", "items": clientColumns.schema()],
        "contacts": ["type": "array", "items": ["type": "string", "format": "date-time"]],
        "sampling_rate": ["type": "integer"],
      ],
    ])

  private func json(_ entry: ServerRegister.Entry, _ visit: Visit) -> JSON {
    let parameters = reading.ranking()
    let server = entry.server
    let evidence = ServerEvidence(server: server, visit: visit)
    let lines = ServerExplanation(server, parameters: parameters).lines
    return [
      "server": ServerTable.columns.json(
        ServerSummary(entry, parameters, at: visit.platform.now())),
      "log_odds": .number(server.score),
      "evidence": .array(
        lines.map { line in
          [
            "kind": .string(line.kind.rawValue), "value": .number(line.value),
            "points": .number(line.points),
            "text": .string(evidence.sentence(line.kind, line.value)),
          ]
        }),
      "clients": .array(server.clients.map { Self.clientColumns.json($0) }),
      "contacts": .array(
        server.contacts.map { .string(Timestamp(seconds: Int64($0)).description) }),
      "sampling_rate": .integer(Int64(server.samplingRate)),
    ]
  }
}
