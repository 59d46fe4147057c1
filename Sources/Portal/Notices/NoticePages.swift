import Foundation
import HTTPTypes
import Hummingbird
import NetworkTypes

/// Notices: the list, and one with what was sent, where it went and what came of it.
struct NoticePages: Sendable {
  let reading: NoticeReading

  var table: Table<NoticeSummary> {
    Table(
      name: "notices", path: "/notices", section: "notices", audience: .signedIn, columns: columns,
      order: .init("-created"),
      rows: { query, visit in try await reading.notices(query, visit.scope) })
  }

  var columns: [Column<NoticeSummary>] {
    [
      Column("id", .text, link: { "/notices/\(QueryText.encode($0.id))" }, value: { .text($0.id) }),
      Column(
        "organisation", .text, link: { "/organisations/\(QueryText.encode($0.organisation))" },
        value: { .text($0.organisation) }),
      Column(
        "state", .choice(prefix: "delivery", words: reading.states),
        markup: { item, visit in
          "<span class=\"badge delivery-\(item.state)\">\(visit.name("delivery", item.state))</span>"
        }, value: { .choice($0.state) }),
      Column("cases", .integer, value: { .integer(Int64($0.cases)) }),
      Column("formats", .list, sort: false, value: { .list($0.formats) }),
      Column("created", .time, value: { .time($0.created) }),
      Column("delivered", .time, value: { .optional($0.delivered) }),
    ]
  }

  var routes: [Route] {
    table.routes + [
      .page("/notices/{id}", .signedIn) { try await view($0) },
      .api("/notices/{id}", .signedIn, operation) { json(try await find($0)) },
      Route(
        method: .get, path: "/notices/{id}/parts/{part}", audience: .signedIn, face: .download
      ) { visit in
        let detail = try await find(visit)
        guard let number = Int(visit.parameter("part")), detail.parts.indices.contains(number)
        else {
          throw Problem.notFound
        }
        let part = detail.parts[number]
        let name = String(part.name.unicodeScalars.map { Self.isPlain($0) ? Character($0) : "_" })
        return Answer.file(part.content, name: name, type: part.type)
      },
      action(.retry), action(.confirm),
    ]
  }

  private func action(_ action: DeliveryAction) -> Route {
    .form("/notices/{id}/deliveries/{delivery}/\(action.rawValue)", .staff) { visit in
      let detail = try await find(visit)
      let id = visit.parameter("delivery")
      guard detail.deliveries.contains(where: { $0.id == id }) else { throw Problem.notFound }
      try await reading.act(id, action, try visit.requireViewer().account.name)
      return Answer.redirect(to: "/notices/\(QueryText.encode(detail.summary.id))")
    }
  }

  /// What a file name of ours may hold inside a header.
  private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
    scalar.isASCII
      && (scalar.properties.isAlphabetic || "0123456789.-_".unicodeScalars.contains(scalar))
  }

  private static func text(_ part: NoticePart) -> HTML {
    guard let text = part.text else { return .empty }
    return "<pre tabindex=\"0\" role=\"region\" aria-label=\"\(part.name)\">\(text)</pre>"
  }

  private func find(_ visit: Visit) async throws -> NoticeDetail {
    guard let detail = try await reading.detail(visit.parameter("id"), visit.scope) else {
      throw Problem.notFound
    }
    return detail
  }

  private func view(_ visit: Visit) async throws -> View {
    let detail = try await find(visit)
    let title = visit.t("notice.title", ["id": detail.summary.id])
    var facts = Facts()
    for column in columns where column.name != "id" {
      facts.add(visit.t("column.\(column.name)"), column.html(detail.summary, visit))
    }
    let parts = detail.parts.enumerated().map { index, part -> HTML in
      let path = "/notices/\(QueryText.encode(detail.summary.id))/parts/\(index)"
      return """
        <section class="panel part"><h2>\(part.name) <small>\(part.type)</small></h2>
        <p class="exports"><a href="\(path)" download>\(visit.t("notice.download"))</a></p>
        \(Self.text(part))</section>
        """
    }
    let cases = detail.cases.map { id -> HTML in
      "<li><a href=\"/cases/\(QueryText.encode(id))\">\(id)</a></li>"
    }
    return View(
      title: title, section: "notices",
      body: """
        <p class="trail"><a href="/notices">\(visit.t("table.notices"))</a></p>
        <h1>\(title)</h1>
        <div class="columns">
        <section class="panel"><h2>\(visit.t("notice.facts"))</h2>\(facts.html)</section>
        <section class="panel"><h2>\(visit.t("table.cases"))</h2><ul class="plain">\(cases)</ul>\
        </section>
        </div>
        \(deliveries(detail, visit))
        \(parts)
        """)
  }

  private func deliveries(_ detail: NoticeDetail, _ visit: Visit) -> HTML {
    let columns = Self.deliveryColumns(states: reading.states)
    let canAct = visit.scope == .everything
    let path = "/notices/\(QueryText.encode(detail.summary.id))/deliveries"
    let head = columns.map { column -> HTML in
      """
      <th scope="col"\(when: column.isNumeric, " class=\"number\"")>\
      \(visit.t("column.\(column.name)"))</th>
      """
    }
    let rows = detail.deliveries.map { delivery -> HTML in
      let cells = columns.map { column -> HTML in
        """
        <td role="cell" data-label="\(visit.t("column.\(column.name)"))"\
        \(when: column.isNumeric, " class=\"number\"")>\(column.html(delivery, visit))</td>
        """
      }
      let buttons = DeliveryAction.allCases.filter { canAct && $0.suits(delivery.state) }.map {
        Form.button(
          "\(path)/\(QueryText.encode(delivery.id))/\($0.rawValue)",
          visit.t("delivery.\($0.rawValue)"), visit)
      }
      let actions: HTML =
        canAct ? "<td role=\"cell\"><div class=\"actions\">\(buttons)</div></td>" : .empty
      return "<tr role=\"row\">\(cells)\(actions)</tr>"
    }
    let actionsHead: HTML =
      canAct ? "<th scope=\"col\">\(visit.t("column.actions"))</th>" : .empty
    return """
      <section class="panel"><h2>\(visit.t("notice.deliveries"))</h2>
      <div class="scroll" role="region" aria-label="\(visit.t("notice.deliveries"))" tabindex="0">
      <table role="table"><caption class="unseen">\(visit.t("notice.deliveries"))</caption>
      <thead role="rowgroup"><tr role="row">\(head)\(actionsHead)</tr></thead>
      <tbody role="rowgroup">\(rows)</tbody></table></div></section>
      """
  }

  static func deliveryColumns(states: [String]) -> [Column<NoticeDelivery>] {
    [
      Column("channel", .text, value: { .text($0.channel) }),
      Column("target", .text, value: { .text($0.target) }),
      Column(
        "state", .choice(prefix: "delivery", words: states),
        markup: { item, visit in
          "<span class=\"badge delivery-\(item.state)\">\(visit.name("delivery", item.state))</span>"
        }, value: { .choice($0.state) }),
      Column("attempts", .integer, value: { .integer(Int64($0.attempts)) }),
      Column("last_attempt", .time, value: { .optional($0.lastAttempt) }),
      Column("next_attempt", .time, value: { .optional($0.nextAttempt) }),
      Column("failure", .text, value: { .optional($0.failure) }),
    ]
  }

  private var operation: Operation {
    Operation(
      id: "getNotice", summary: "One notice with its parts and deliveries.", tag: "notices",
      response: [
        "type": "object", "required": ["notice", "parts", "deliveries", "cases"],
        "properties": [
          "notice": columns.schema(),
          "parts": [
            "type": "array",
            "items": [
              "type": "object", "required": ["name", "type"],
              "properties": [
                "name": ["type": "string"], "type": ["type": "string"],
                "text": ["type": "string"],
                "base64": ["type": "string", "description": "The octets of a seal."],
              ],
            ],
          ],
          "deliveries": [
            "type": "array", "items": Self.deliveryColumns(states: reading.states).schema(),
          ],
          "cases": ["type": "array", "items": ["type": "string"]],
        ],
      ])
  }

  private func json(_ detail: NoticeDetail) -> JSON {
    let columns = Self.deliveryColumns(states: reading.states)
    return [
      "notice": self.columns.json(detail.summary),
      "parts": .array(
        detail.parts.map { part in
          let (name, type) = (JSON.string(part.name), JSON.string(part.type))
          if let text = part.text { return ["name": name, "type": type, "text": .string(text)] }
          let octets = Data(part.content).base64EncodedString()
          return ["name": name, "type": type, "base64": .string(octets)]
        }),
      "deliveries": .array(detail.deliveries.map { columns.json($0) }),
      "cases": .array(detail.cases.map { .string($0) }),
    ]
  }
}
