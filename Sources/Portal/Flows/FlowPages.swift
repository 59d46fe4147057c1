import FlowArchive
import Foundation
import HTTPTypes
import Hummingbird
import NetworkTypes

/// Searching flows: form, results, a conversation, exports. For analysts and administrators; who searched
/// for what, and why, goes to the audit trail.
struct FlowPages: Sendable {
  let reading: FlowReading
  let desk: FlowDesk
  private let inquiry: FlowInquiry

  init(reading: FlowReading, parameters: FlowDeskParameters) {
    self.reading = reading
    desk = FlowDesk(parameters: parameters)
    inquiry = FlowInquiry(
      reading: reading, desk: desk, purposes: FlowPurposes(limit: parameters.remembered))
  }

  var exporters: FlowExporters { FlowExporters(source: reading.source) }

  var routes: [Route] {
    [
      Route(method: .get, path: "/flows", audience: .staff, face: .page) { try await search($0) },
      Route(method: .get, path: "/flows/conversation", audience: .staff, face: .page) {
        try await conversation($0)
      },
      Route(method: .get, path: "/flows/export/{format}", audience: .staff, face: .download) {
        try await export($0)
      },
      .form("/flows/searches/{id}/cancel", .staff) { visit in
        let owner = try visit.requireViewer().account.id
        guard let job = desk.job(visit.parameter("id"), owner: owner) else {
          throw Problem.notFound
        }
        desk.cancel(job)
        return Answer.redirect(to: visit.form["next"] ?? "/flows")
      },
    ] + exporters.table.routes + FlowAPI(inquiry: inquiry, reading: reading).routes
  }

  // MARK: The search page

  private func size(_ question: FlowQuestion, _ visit: Visit) -> Int {
    question.size ?? visit.platform.configuration.parameters.pageSize
  }

  private func search(_ visit: Visit) async throws -> Response {
    var question = try FlowQuestion(visit)
    let built = try FlowBuilder.condition(visit)
    let isRun = visit.query("run") != nil
    if !built.isEmpty {
      question.filter = FlowBuilder.both(question.filter, built)
      // The address says what is searched for, in one place.
      if isRun, !question.purpose.isEmpty, Self.fault(question) == nil, !visit.isFromElsewhere {
        return Answer.redirect(to: question.link())
      }
    }
    let size = size(question, visit)
    let limits = desk.parameters
    return try await answer(visit, question, path: "/flows", isRun: isRun, isConversation: false) {
      [question] span throws(FilterError) in
      try FlowPlan(question, span: span, size: size, limits: limits)
    } show: { question, answer in
      FlowResults(question: question, answer: answer, size: size, depth: limits.depth).html(visit)
    }
  }

  private func conversation(_ visit: Visit) async throws -> Response {
    let question = try FlowQuestion(visit)
    let limits = desk.parameters
    guard let a = question.a, let b = question.b else {
      return try await answer(
        visit, question, path: "/flows/conversation", isRun: false, isConversation: true
      ) { _ throws(FilterError) in
        try FlowPlan(question, span: nil, size: 1, limits: limits)
      } show: { _, _ in
        .empty
      }
    }
    return try await answer(
      visit, question, path: "/flows/conversation", isRun: visit.query("run") != nil,
      isConversation: true
    ) { span throws(FilterError) in
      try FlowPlan(conversation: question, a: a, b: b, span: span, limits: limits)
    } show: { question, answer in
      FlowConversation(question: question, a: a, b: b, answer: answer).html(visit)
    }
  }

  private static func fault(_ question: FlowQuestion) -> FilterError? {
    do throws(FilterError) {
      _ = try FlowFilter(question.filter)
      return nil
    } catch {
      return error
    }
  }

  /// The form, and below it what came of it.
  private func answer(
    _ visit: Visit, _ asked: FlowQuestion, path: String, isRun: Bool, isConversation: Bool,
    _ planning: @escaping FlowInquiry.Planning, show: (FlowQuestion, FlowAnswer) -> HTML
  ) async throws -> Response {
    var question = asked
    if question.purpose.isEmpty, !isRun {
      question.purpose = inquiry.purposes.purpose(of: visit.viewer) ?? ""
    }
    var form = FlowForm(question: question, isConversation: isConversation)
    form.fault = Self.fault(question)
    form.lacksPurpose = isRun && question.purpose.isEmpty
    var status = HTTPResponse.Status.ok
    var below: HTML = .empty
    var refresh: String?
    if form.fault != nil || form.lacksPurpose {
      status = .badRequest
    } else if isRun, visit.isFromElsewhere {
      // Another site's link must not search in somebody's name; it fills the form.
      below = "<p class=\"alert\" role=\"status\">\(visit.t("flows.from-elsewhere"))</p>"
    } else if isRun {
      do {
        switch try await inquiry.ask(visit, question, path: path, planning) {
        case .answered(let answer): below = show(question, answer)
        case .failed(let failure):
          status = failure.problem.status
          below = notice(failure.problem, visit)
        case .working(let job):
          let language = visit.query("lang").map { "&lang=\(QueryText.encode($0))" } ?? ""
          refresh = question.link(path) + language + "&ticket=\(job.id)"
          below = progress(job, back: question.link(path, isRun: false), visit)
        }
      } catch let problem as Problem where problem.code == "flows-busy" {
        status = problem.status
        below = notice(problem, visit)
      }
    } else if !isConversation {
      below = await introduction(visit)
    }
    let title = visit.t(isConversation ? "flows.conversation" : "flows.title")
    let view = View(
      title: title, section: "flows",
      body: """
        <h1>\(title)</h1>
        <p class="note">\(visit.t("flows.note"))</p>
        \(Self.subnavigation(isConversation ? "conversation" : "search", visit))
        \(form.html(visit))
        \(below)
        \(running(visit, except: refresh))
        """, status: status)
    var response = Answer.html(Layout.page(view, for: visit), status: status)
    if let refresh, let name = HTTPField.Name("Refresh") {
      response.headers[name] = "1; url=\(refresh)"
    }
    return response
  }

  static func subnavigation(_ current: String, _ visit: Visit) -> HTML {
    let items = [
      ("search", "/flows"), ("conversation", "/flows/conversation"),
      ("exporters", "/flows/exporters"),
    ].map { name, path -> HTML in
      """
      <li><a href="\(path)"\(when: name == current, " aria-current=\"page\"")>\
      \(visit.t("flows.nav-\(name)"))</a></li>
      """
    }
    return "<nav class=\"sub\" aria-label=\"\(visit.t("flows.pages"))\"><ul>\(items)</ul></nav>"
  }

  /// What the archive holds, for a page that has not searched yet.
  private func introduction(_ visit: Visit) async -> HTML {
    let source = reading.source
    let now = visit.platform.now()
    let span: FlowSpan? = await withCheckedContinuation { continuation in
      Thread.detachNewThread { continuation.resume(returning: source.span(now: now)) }
    }
    guard let span else {
      return "<section class=\"panel\"><p class=\"empty\">\(visit.t("flows.empty"))</p></section>"
    }
    var words = [
      "from": visit.time(span.first), "to": visit.time(span.last), "zone": visit.zone.rawValue,
    ]
    words["octets"] = span.octets.map { NumberText.compact(Double($0)) }
    let held = visit.t(span.octets == nil ? "flows.span-remote" : "flows.span", words)
    return "<p class=\"meta\">\(held)</p>"
  }

  private func notice(_ problem: Problem, _ visit: Visit) -> HTML {
    """
    <section class="panel" role="alert"><h2>\(visit.t("problem.\(problem.code)"))</h2>
    <p>\(visit.t("problem.\(problem.code).detail"))</p></section>
    """
  }

  private func progress(_ job: FlowJob, back: String, _ visit: Visit) -> HTML {
    let percent = Int(job.done * 100)
    let text =
      job.isRunning
      ? visit.t("flows.working", ["percent": String(percent)]) : visit.t("flows.waiting")
    return """
      <section class="panel"><h2>\(visit.t("flows.in-progress"))</h2>
      <p role="status">\(text)</p>
      <progress max="100" value="\(percent)" aria-label="\(visit.t("flows.in-progress"))">\
      \(percent)%</progress>
      \(cancel(job, back: back, visit))</section>
      """
  }

  private func cancel(_ job: FlowJob, back: String, _ visit: Visit) -> HTML {
    Form.button(
      "/flows/searches/\(job.id)/cancel", visit.t("flows.cancel"), visit,
      fields: "<input type=\"hidden\" name=\"next\" value=\"\(back)\">", isDangerous: true)
  }

  /// One's other searches that have not ended, from another window or by a program.
  private func running(_ visit: Visit, except shown: String?) -> HTML {
    guard let owner = visit.viewer?.account.id else { return .empty }
    let jobs = desk.open(owner: owner).filter { shown?.hasSuffix($0.id) != true }
    guard !jobs.isEmpty else { return .empty }
    let items = jobs.map { job -> HTML in
      "<li><code>\(String(job.title.prefix(120)))</code> \(cancel(job, back: "/flows", visit))</li>"
    }
    return """
      <section class="panel"><h2>\(visit.t("flows.running"))</h2><ul class="plain">\(items)</ul>\
      </section>
      """
  }

  // MARK: Exports

  private func export(_ visit: Visit) async throws -> Response {
    let format = visit.parameter("format")
    guard ["csv", "json", "parquet"].contains(format) else { throw Problem.notFound }
    var question = try FlowQuestion(visit)
    if question.view == .summary { question.view = .list }
    question.page = 1
    guard !visit.isFromElsewhere else { throw Problem.staleForm }
    if let fault = Self.fault(question) { throw FlowAPI.problem(fault, visit) }
    let rows = visit.platform.configuration.parameters.exportRows
    var limits = desk.parameters
    limits.depth = rows
    let answer = try await inquiry.wait(
      visit, question, way: format, export: format == "parquet"
    ) { [question, limits] span throws(FilterError) in
      var plan = try FlowPlan(question, span: span, size: rows, limits: limits)
      // All of a listing; of groups as many as the other formats have.
      if format == "parquet", question.view == .list { plan.queries[0].limit = nil }
      return plan
    }
    let name = "noroshi-flows-\(question.view.rawValue).\(format)"
    if let file = answer.file { return try Self.stream(file, name: name) }
    guard let query = answer.plan.queries.first, let result = answer.results.first else {
      throw Problem.notFound
    }
    if format == "json" {
      return Answer.file(
        FlowAPI.json(answer, question, query, result, rows: 0..<rows).text, name: name,
        type: "application/json")
    }
    let text =
      question.view == .list
      ? Self.csv(result.records, FlowColumns.listing(question), of: result.matched)
      : Self.csv(result.rows, FlowColumns.sums(query, question), of: result.groupCount)
    return Answer.file(text, name: name, type: "text/csv; charset=utf-8")
  }

  /// RFC 4180: one header line, CRLF, UTF-8.
  private static func csv<Row>(_ rows: [Row], _ columns: [Column<Row>], of total: Int) -> String {
    let columns = columns.filter(\.isExported)
    var result = columns.map { Cell.text($0.name).csv }.joined(separator: ",") + "\r\n"
    for row in rows {
      result += columns.map { $0.value(row).csv }.joined(separator: ",") + "\r\n"
    }
    if rows.count < total { result += "# \(total - rows.count) more rows\r\n" }
    return result
  }

  /// Sends a file piece by piece. It loses its name at once, so that it goes away whatever happens.
  private static func stream(_ path: String, name: String) throws -> Response {
    let handle = try FileHandle(forReadingFrom: URL(filePath: path))
    let length = Int(try handle.seekToEnd())
    try handle.seek(toOffset: 0)
    try FileManager.default.removeItem(atPath: path)
    let body = ResponseBody(contentLength: length) { writer in
      while let piece = try handle.read(upToCount: 256 << 10), !piece.isEmpty {
        try await writer.write(ByteBuffer(bytes: piece))
      }
      try handle.close()
      try await writer.finish(nil)
    }
    return Response(
      status: .ok,
      headers: [
        .contentType: "application/vnd.apache.parquet", .cacheControl: "no-store",
        .contentDisposition: "attachment; filename=\"\(name)\"",
      ], body: body)
  }
}
