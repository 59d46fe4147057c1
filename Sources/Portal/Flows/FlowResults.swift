import FlowArchive
import FlowRecords
import NetworkTypes

/// How an answer looks: its totals, the ways to see it, and the view that was asked for.
struct FlowResults {
  let question: FlowQuestion
  let answer: FlowAnswer
  let size: Int
  let depth: Int

  func html(_ visit: Visit) -> HTML {
    """
    <section class="panel" aria-label="\(visit.t("flows.result"))">
    \(tabs(visit))
    \(totals(visit))
    \(body(visit))
    </section>
    """
  }

  private func tabs(_ visit: Visit) -> HTML {
    let items = FlowQuestion.View.allCases.map { view -> HTML in
      let link = question.link { asked in
        asked.view = view
        asked.sort = nil
        asked.page = 1
      }
      return """
        <li><a href="\(link)"\(when: view == question.view, " aria-current=\"page\"")>\
        \(visit.t("flow-view.\(view.rawValue)"))</a></li>
        """
    }
    return "<nav class=\"tabs\" aria-label=\"\(visit.t("flows.views"))\"><ul>\(items)</ul></nav>"
  }

  private func totals(_ visit: Visit) -> HTML {
    let totals = answer.totals
    let scanned = answer.results.map(\.scanned).max() ?? 0
    let files = answer.results.map(\.files).max() ?? 0
    let exports = ["csv", "json", "parquet"].map { format -> HTML in
      let link = question.link("/flows/export/\(format)", isRun: false) { $0.page = 1 }
      return
        "<a href=\"\(link)\" download>\(format == "parquet" ? "Parquet" : format.uppercased())</a>"
    }
    let exporting: HTML =
      question.view == .summary
      ? .empty : "<p class=\"exports\">\(visit.t("table.export")) \(exports.joined(" "))</p>"
    return """
      <div class="toolbar"><p class="count" role="status">\
      \(visit.t("flows.found", [
        "flows": visit.number(totals.flows), "packets": visit.number(totals.packets),
        "bytes": NumberText.compact(Double(totals.bytes)),
      ]))</p>\(exporting)</div>
      <p class="meta">\(Self.window(answer, visit)) \
      \(visit.t("flows.scanned", [
        "records": visit.number(scanned), "files": visit.number(files),
      ]))\(when: question.isRaw, " ")\(question.isRaw ? visit.t("flows.as-sent") : "")</p>
      """
  }

  static func window(_ answer: FlowAnswer, _ visit: Visit) -> String {
    let window = answer.plan.window
    let first = [window?.lowerBound, answer.span?.first].compactMap(\.self).max()
    let last = [window?.upperBound, answer.span?.last].compactMap(\.self).min()
    guard let first, let last, first <= last else { return visit.t("flows.outside") }
    return visit.t(
      "flows.searched",
      ["from": visit.time(first), "to": visit.time(last), "zone": visit.zone.rawValue])
  }

  private func body(_ visit: Visit) -> HTML {
    guard let result = answer.results.first, let query = answer.plan.queries.first else {
      return .empty
    }
    switch question.view {
    case .summary: return summary(visit)
    case .top, .connections:
      let markup = FlowTableMarkup(
        columns: FlowColumns.sums(query, question), question: question,
        title: visit.t("flow-view.\(question.view.rawValue)"))
      let rows = Array(result.rows.dropFirst((question.page - 1) * size).prefix(size))
      return """
        \(question.view == .top ? ranking(visit) : .empty)
        <p class="meta">\(visit.t("flows.groups", ["count": visit.number(result.groupCount)]))</p>
        \(markup.html(rows, visit))
        \(markup.paging(total: result.groupCount, size: size, depth: depth, visit))
        """
    case .list:
      let markup = FlowTableMarkup(
        columns: FlowColumns.listing(question), question: question, title: visit.t("flow-view.list")
      )
      let rows = Array(result.records.dropFirst((question.page - 1) * size).prefix(size))
      return """
        <p class="meta">\(visit.t("flows.records", ["count": visit.number(result.matched)]))</p>
        \(markup.html(rows, visit))
        \(markup.paging(total: result.matched, size: size, depth: depth, visit))
        """
    }
  }

  /// Which element is ranked.
  private func ranking(_ visit: Visit) -> HTML {
    var names = FlowPlan.elements
    if !names.contains(question.by) { names.append(question.by) }
    let options = names.map { name -> HTML in
      """
      <option value="\(name)"\(when: name == question.by, " selected")>\
      \(visit.name("element", name)) (\(name))</option>
      """
    }
    return """
      <form method="get" action="/flows" class="row controls">\(hidden(leavingOut: ["by", "sort", "page"]))
      <label>\(visit.t("flows.by"))<select name="by">\(options)</select></label>
      <button type="submit" name="run" value="1">\(visit.t("series.show"))</button></form>
      """
  }

  private func hidden(leavingOut names: Set<String>) -> HTML {
    question.parameters.filter { !names.contains($0.name) }.map { name, value -> HTML in
      "<input type=\"hidden\" name=\"\(name)\" value=\"\(value)\">"
    }.joined()
  }

  /// Bytes, packets or flows: links to the same with another measure.
  static func measures(_ question: FlowQuestion, path: String, _ visit: Visit) -> HTML {
    let items = FlowQuestion.Measure.allCases.map { measure -> HTML in
      """
      <li><a href="\(question.link(path) { $0.measure = measure })"\
      \(when: measure == question.measure, " aria-current=\"true\"")>\
      \(visit.t("flow-measure.\(measure.rawValue)"))</a></li>
      """
    }
    return "<nav class=\"sub\" aria-label=\"\(visit.t("series.measure"))\"><ul>\(items)</ul></nav>"
  }

  private func summary(_ visit: Visit) -> HTML {
    let measure = visit.t("flow-measure.\(question.measure.rawValue)")
    let element = FlowElement(name: "proto")
    let chart = FlowSeries(answer, question.measure).chart(
      id: "flow-course", title: visit.t("flows.series", ["measure": measure]),
      measure: question.measure, visit
    ) { value in element.map { FlowColumns.text($0, value) } ?? value.description }
    let tops = zip(FlowPlan.summarised, zip(answer.plan.queries, answer.results).dropFirst())
      .map { name, pair in top(name, pair.0, pair.1, visit) }
    return """
      \(Self.measures(question, path: "/flows", visit))
      <h2>\(visit.t("telescope.course"))</h2>
      \(chart.html(visit))
      <div class="columns tops">\(tops)</div>
      """
  }

  private func top(
    _ name: String, _ query: FlowQuery, _ result: FlowQueryResult, _ visit: Visit
  ) -> HTML {
    let elements = query.elements
    let bars = result.rows.compactMap { row -> BarList.Bar? in
      guard let value = row.key.last, let element = elements.last else { return nil }
      var text = FlowColumns.text(element, value)
      var conditions = [FlowColumns.condition(name, value)].compactMap(\.self)
      if row.key.count == 2, let transport = elements.first {
        text += "/" + FlowColumns.text(transport, row.key[0])
        conditions.insert("proto \(row.key[0])", at: 0)
      }
      let link = question.narrowed(by: conditions.joined(separator: " and ")).link()
      return .init(name: text, value: FlowSeries.number(row, question.measure), link: link)
    }
    let title = visit.t("flows.top-\(name)")
    let list = BarList(
      title: title, unit: visit.t("flow-measure.\(question.measure.rawValue)"),
      nameTitle: visit.name("element", name), bars: bars)
    let all = question.link { asked in
      asked.view = .top
      asked.by = name == "dstport" ? "dstport:p" : name
      asked.sort = nil
      asked.page = 1
    }
    return """
      <section><h3>\(title)</h3>\(list.html(visit))
      <p class="more"><a href="\(all)">\(visit.t("flows.all-top"))</a></p></section>
      """
  }
}
