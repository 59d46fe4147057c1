import Findings
import HTTPTypes
import Hummingbird
import NetworkTypes

/// Cases: the list, and one with its history and what can be done.
struct CasePages: Sendable {
  let reading: CaseReading
  var flows = FlowLink()

  /// The longest comment that is kept, in characters: our own choice.
  static let commentLength = 4_000
  /// Why a case is closed: `close.REASON` in the catalogue.
  static let reasons = ["resolved", "false-positive", "not-ours", "accepted"]

  var table: Table<CaseSummary> {
    Table(
      name: "cases", path: "/cases", section: "cases", audience: .signedIn, columns: columns,
      order: .init("-updated"),
      rows: { query, visit in try await reading.cases(query, visit.scope) })
  }

  var columns: [Column<CaseSummary>] {
    [
      Column("id", .text, link: { "/cases/\(QueryText.encode($0.id))" }, value: { .text($0.id) }),
      Column(
        "state", .choice(prefix: "case", words: reading.states),
        markup: { item, visit in
          "<span class=\"badge case-\(item.state)\">\(visit.name("case", item.state))</span>"
        }, value: { .choice($0.state) }),
      Column(
        "kind", .choice(prefix: "kind", words: Finding.Kind.allCases.map(\.rawValue)),
        value: { .choice($0.kind.rawValue) }),
      Column(
        "address", .address, link: { TelescopeTables.hostLink($0.address) },
        value: { .text($0.address.description) }),
      Column("detail", .text, sort: false, filter: false, value: { .optional($0.detail) }),
      Column(
        "organisation", .text,
        link: { item in item.organisation.map { "/organisations/\(QueryText.encode($0))" } },
        value: { .optional($0.organisation) }),
      Column("assignee", .text, value: { .optional($0.assignee) }),
      Column("confidence", .integer, value: { .integer(Int64($0.confidence)) }),
      Column("findings", .integer, value: { .integer(Int64($0.findings)) }),
      Column(
        "marking", .choice(prefix: "tlp", words: TrafficLight.allCases.map(\.rawValue)),
        hidden: true, value: { .choice($0.marking.rawValue) }),
      Column("opened", .time, value: { .time($0.opened) }),
      Column("updated", .time, value: { .time($0.updated) }),
      Column("closed_at", .time, hidden: true, value: { .optional($0.closed) }),
    ]
  }

  var routes: [Route] {
    table.routes + [
      .page("/cases/{id}", .signedIn) { try await view($0) },
      .api("/cases/{id}", .signedIn, operation) { json(try await find($0)) },
      action("acknowledge") { _ in .acknowledge },
      action("fixed") { _ in .fixed },
      action("reopen") { _ in .reopen },
      action("comment") { visit in .comment(try Self.text(visit, isRequired: true)) },
      action("close") { visit in
        let reason = visit.form["reason"] ?? ""
        guard Self.reasons.contains(reason) else {
          throw Problem.field(
            "reason", "choice", ["words": Self.reasons.joined(separator: ", ")])
        }
        return .close(reason: reason, text: try Self.text(visit, isRequired: false))
      },
      action("assign") { visit in
        let name = visit.form["assignee"] ?? ""
        guard let account = try await visit.platform.accounts.account(named: name),
          !account.isDisabled
        else { throw Problem.field("assignee", "unknown-account") }
        let assignee = account.role.organisation
        // An ISP's user gives a case to colleagues only, and learns nothing of other accounts.
        if let own = visit.scope.organisation, own != assignee {
          throw Problem.field("assignee", "unknown-account")
        }
        return .assign(account.name)
      },
    ]
  }

  private func action(
    _ name: String, _ make: @escaping @Sendable (Visit) async throws -> CaseAction
  ) -> Route {
    .form("/cases/{id}/\(name)", .signedIn) { visit in
      let detail = try await find(visit)
      let actor = try visit.requireViewer().account.name
      try await reading.act(detail.summary.id, try await make(visit), actor)
      return Answer.redirect(to: "/cases/\(QueryText.encode(detail.summary.id))")
    }
  }

  private static func text(_ visit: Visit, isRequired: Bool) throws -> String {
    let text = visit.form["text"] ?? ""
    if isRequired, text.allSatisfy(\.isWhitespace) { throw Problem.field("text", "empty") }
    guard text.count <= commentLength else {
      throw Problem.field("text", "long", ["limit": String(commentLength)])
    }
    return text
  }

  private func find(_ visit: Visit) async throws -> CaseDetail {
    guard let detail = try await reading.detail(visit.parameter("id"), visit.scope) else {
      throw Problem.notFound
    }
    return detail
  }

  private func view(_ visit: Visit) async throws -> View {
    let detail = try await find(visit)
    let summary = detail.summary
    let title = visit.t("case.title", ["id": summary.id])
    var facts = Facts()
    for column in columns where !["id", "state"].contains(column.name) {
      facts.add(visit.t("column.\(column.name)"), column.html(summary, visit))
    }
    return View(
      title: title, section: "cases",
      body: """
        <p class="trail"><a href="/cases">\(visit.t("table.cases"))</a></p>
        <h1>\(title) <span class="badge case-\(summary.state)">\
        \(visit.name("case", summary.state))</span></h1>
        <div class="columns">
        <section class="panel"><h2>\(visit.t("case.facts"))</h2>\(facts.html)\
        \(flowLink(detail, visit))</section>
        <section class="panel"><h2>\(visit.t("case.act"))</h2>\
        \(try await actions(summary, visit))</section>
        </div>
        <section class="panel"><h2>\(visit.t("case.history"))</h2>\
        \(history(detail.steps, visit))</section>
        <section class="panel"><h2>\(visit.t("case.findings"))</h2>\
        \(FindingMarkup.list(detail.findings, visit))</section>
        \(notices(detail, visit))
        """)
  }

  /// The flows of the case's address around the time of what was found.
  private func flowLink(_ detail: CaseDetail, _ visit: Visit) -> HTML {
    let first = detail.findings.map(\.firstSeen).min() ?? detail.summary.opened
    let last = detail.findings.map(\.lastSeen).max() ?? detail.summary.updated
    return flows.html(
      detail.summary.address, seen: min(first, last)...max(first, last),
      purpose: visit.t("flows.purpose-case", ["id": detail.summary.id]), visit)
  }

  private func actions(_ summary: CaseSummary, _ visit: Visit) async throws -> HTML {
    let path = "/cases/\(QueryText.encode(summary.id))"
    let me = try visit.requireViewer().account
    let accounts = try await visit.platform.accounts.all().filter { account in
      !account.isDisabled
        && (visit.scope == .everything || account.role.organisation == visit.scope.organisation)
    }
    let people = accounts.map { account -> HTML in
      """
      <option value="\(account.name)"\(when: account.name == (summary.assignee ?? me.name), " selected")>\
      \(account.name)</option>
      """
    }
    let comment: HTML = """
      <form method="post" action="\(path)/comment" class="stack">\(Form.token(visit))
      <label>\(visit.t("case.comment"))<textarea name="text" rows="3" required maxlength="\(Self.commentLength)"></textarea></label>
      <p class="buttons"><button type="submit">\(visit.t("case.comment-do"))</button></p></form>
      """
    guard summary.closed == nil else {
      return Form.button(path + "/reopen", visit.t("case.reopen"), visit) + comment
    }
    let reasons = Self.reasons.map { reason -> HTML in
      "<option value=\"\(reason)\">\(visit.t("close.\(reason)"))</option>"
    }
    return """
      \(Form.button(path + "/acknowledge", visit.t("case.acknowledge"), visit))
      \(Form.button(path + "/fixed", visit.t("case.fix"), visit))
      <form method="post" action="\(path)/assign" class="row">\(Form.token(visit))
      <label>\(visit.t("column.assignee"))<select name="assignee">\(people)</select></label>
      <button type="submit">\(visit.t("case.assign"))</button></form>
      \(comment)
      <form method="post" action="\(path)/close" class="row">\(Form.token(visit))
      <label>\(visit.t("case.reason"))<select name="reason">\(reasons)</select></label>
      <label>\(visit.t("case.note"))<input name="text" maxlength="\(Self.commentLength)"></label>
      <button type="submit" class="danger">\(visit.t("case.close"))</button></form>
      """
  }

  private func history(_ steps: [CaseStep], _ visit: Visit) -> HTML {
    guard !steps.isEmpty else { return "<p class=\"empty\">\(visit.t("table.empty"))</p>" }
    let items = steps.map { step -> HTML in
      let text: HTML? = step.text.flatMap { $0.isEmpty ? nil : "<p>\(spoken($0, step, visit))</p>" }
      return """
        <li>\(visit.timeElement(step.moment)) <strong>\(visit.name("step", step.action))</strong> \
        <span class="actor">\(visit.name("actor", step.actor))</span>\(text)</li>
        """
    }
    return "<ol class=\"history\">\(items)</ol>"
  }

  /// A reason for closing is a word of the catalogue, perhaps with a note behind it.
  private func spoken(_ text: String, _ step: CaseStep, _ visit: Visit) -> String {
    guard step.action == "closed" else { return text }
    let word = String(text.prefix { $0 != ":" })
    return Self.reasons.contains(word)
      ? visit.t("close.\(word)") + text.dropFirst(word.count) : text
  }

  private func notices(_ detail: CaseDetail, _ visit: Visit) -> HTML {
    guard !detail.notices.isEmpty else { return .empty }
    let items = detail.notices.map { notice -> HTML in
      """
      <li><a href="/notices/\(QueryText.encode(notice.id))">\(notice.id)</a> \
      \(visit.timeElement(notice.moment))</li>
      """
    }
    return """
      <section class="panel"><h2>\(visit.t("table.notices"))</h2><ul>\(items)</ul></section>
      """
  }

  private var operation: Operation {
    Operation(
      id: "getCase", summary: "One case with its history and findings.", tag: "cases",
      response: [
        "type": "object", "required": ["case", "history", "findings", "notices"],
        "properties": [
          "case": columns.schema(),
          "history": [
            "type": "array",
            "items": [
              "type": "object", "required": ["time", "actor", "action", "text"],
              "properties": [
                "time": ["type": "string", "format": "date-time"], "actor": ["type": "string"],
                "action": ["type": "string"], "text": ["type": ["string", "null"]],
              ],
            ],
          ],
          "findings": ["type": "array", "items": FindingMarkup.columns.schema()],
          "notices": ["type": "array", "items": ["type": "string"]],
        ],
      ])
  }

  private func json(_ detail: CaseDetail) -> JSON {
    [
      "case": columns.json(detail.summary),
      "history": .array(
        detail.steps.map { step in
          [
            "time": .string(step.moment.description), "actor": .string(step.actor),
            "action": .string(step.action), "text": step.text.map { .string($0) } ?? .null,
          ]
        }),
      "findings": .array(detail.findings.map { FindingMarkup.columns.json($0) }),
      "notices": .array(detail.notices.map { .string($0.id) }),
    ]
  }
}
