import NetworkTypes

/// How a table looks: filters, the chips of those in force, the rows, paging and exports.
extension Table {
  func page(_ visit: Visit, lead: HTML) async throws -> HTML {
    let query = try query(visit)
    let answer = try await rows(query, visit)
    return """
      <h1>\(visit.t("table.\(name)"))</h1>
      <p class="note">\(visit.t("table.\(name).note"))</p>
      \(lead)
      <section class="panel" aria-label="\(visit.t("table.\(name)"))">
      \(toolbar(visit, query: query, total: answer.total))
      \(rowsMarkup(answer, query: query, visit))
      \(paging(visit, query: query, total: answer.total))
      </section>
      """
  }

  /// The first rows without controls, for overviews and records; `filter` narrows them.
  func brief(
    _ visit: Visit, limit: Int, filters: [TableQuery.Filter] = [], order: TableQuery.Order? = nil,
    only names: [String]? = nil, more: String? = nil, heading: String? = nil
  ) async throws -> HTML {
    let query = TableQuery(order: order ?? self.order, size: limit, filters: filters)
    let answer = try await rows(query, visit)
    let title = heading ?? visit.t("table.\(name)")
    let all: HTML =
      answer.total > answer.rows.count
      ? """
      <p class="more"><a href="\(more ?? path)">\
      \(visit.t("table.all", ["count": visit.number(answer.total)]))</a></p>
      """ : .empty
    return """
      <section class="panel">
      <h2>\(title)</h2>
      \(rowsMarkup(answer, query: query, visit, isBrief: true, only: names))
      \(all)
      </section>
      """
  }

  private func rowsMarkup(
    _ answer: Rows<Row>, query: TableQuery, _ visit: Visit, isBrief: Bool = false,
    only names: [String]? = nil
  ) -> HTML {
    guard !answer.rows.isEmpty else {
      return "<p class=\"empty\">\(visit.t("table.empty"))</p>"
    }
    let columns = shown.filter { names?.contains($0.name) ?? true }
    let titles = columns.map { visit.t("column.\($0.name)") }
    let head = zip(columns, titles).map { column, title -> HTML in
      isBrief || !column.isSortable
        ? "<th scope=\"col\"\(when: column.isNumeric, " class=\"number\"")>\(title)</th>"
        : sortHeader(column, title: title, query: query, visit)
    }
    let body = answer.rows.map { row -> HTML in
      let cells = zip(columns, titles).map { column, title -> HTML in
        """
        <td role="cell" data-label="\(title)"\
        \(when: column.isNumeric, " class=\"number\"")\
        \(when: column.kind == .address, " class=\"address\"")>\(column.html(row, visit))</td>
        """
      }
      return "<tr role=\"row\">\(cells)</tr>\n"
    }
    return """
      <div class="scroll" role="region" aria-label="\(visit.t("table.\(name)"))" tabindex="0">
      <table role="table"><caption class="unseen">\(visit.t("table.\(name)"))</caption>
      <thead role="rowgroup"><tr role="row">\(head)</tr></thead>
      <tbody role="rowgroup">
      \(body)</tbody></table></div>
      """
  }

  private func sortHeader(
    _ column: Column<Row>, title: String, query: TableQuery, _ visit: Visit
  ) -> HTML {
    let isCurrent = query.order.column == column.name
    let next =
      isCurrent
      ? (query.order.isDescending ? column.name : "-" + column.name)
      : (column.isNumeric || column.kind == .time ? "-" + column.name : column.name)
    let state = isCurrent ? (query.order.isDescending ? "descending" : "ascending") : "none"
    let mark = isCurrent ? (query.order.isDescending ? "▼" : "▲") : ""
    return """
      <th scope="col" role="columnheader" aria-sort="\(state)"\
      \(when: column.isNumeric, " class=\"number\"")>\
      <a href="\(visit.address(replacing: ["sort": next, "page": nil]))">\(title)\
      <span class="sort" aria-hidden="true">\(mark)</span></a></th>
      """
  }

  private func toolbar(_ visit: Visit, query: TableQuery, total: Int) -> HTML {
    let fields = shown.filter(\.isFilterable).map { $0.filterField(visit) }
    let hidden = ["sort", "size"].compactMap { name -> HTML? in
      visit.query(name).map { "<input type=\"hidden\" name=\"\(name)\" value=\"\($0)\">" }
    }
    let controls = ["sort", "size", "page", "lang"]
    let chips = visit.query.filter { !$0.value.isEmpty && !controls.contains($0.name) }
      .map { name, value -> HTML in
        let label = filterLabel(name, visit)
        let text = filterText(name, value, visit)
        return """
          <li><a class="chip" href="\(visit.address(replacing: [name: nil, "page": nil]))">\
          \(label): \(text) <span aria-hidden="true">×</span>\
          <span class="unseen">\(visit.t("table.remove"))</span></a></li>
          """
      }
    let chipList: HTML = chips.isEmpty ? .empty : "<ul class=\"chips\">\(chips)</ul>"
    let form: HTML =
      fields.isEmpty
      ? .empty
      : """
      <details class="filters"><summary>\(visit.t("table.filter"))</summary>
      <form method="get" action="\(visit.path)">\(hidden)
      <div class="fields">\(fields)</div>
      <p class="buttons"><button type="submit">\(visit.t("table.apply"))</button>
      <a href="\(visit.path)">\(visit.t("table.clear"))</a></p></form></details>
      """
    return """
      <div class="toolbar">
      <p class="count">\(visit.t("table.count", ["count": visit.number(total)]))</p>
      \(chipList)
      <p class="exports">\(visit.t("table.export"))
      <a href="\(visit.address(replacing: ["page": nil, "size": nil], path: path + ".csv"))" \
      download>CSV</a>
      <a href="\(visit.address(replacing: ["page": nil, "size": nil], path: path + ".json"))" \
      download>JSON</a></p>
      \(form)
      </div>
      """
  }

  private func filterLabel(_ name: String, _ visit: Visit) -> String {
    for (suffix, key) in [("_min", "filter.min"), ("_from", "filter.from"), ("_to", "filter.to")]
    where name.hasSuffix(suffix) {
      let column = visit.t("column.\(name.dropLast(suffix.count))")
      return key == "filter.min"
        ? visit.t("filter.min", ["column": column])
        : visit.t(key, ["column": column, "zone": visit.inputZone.rawValue])
    }
    return visit.t("column.\(name)")
  }

  private func filterText(_ name: String, _ value: String, _ visit: Visit) -> String {
    let stem = ["_from", "_to"].first { name.hasSuffix($0) }.map { name.dropLast($0.count) }
    guard let column = columns.first(where: { $0.name == stem ?? name[...] }) else { return value }
    switch column.kind {
    case .choice: return column.choiceText(value, visit)
    case .country: return visit.country(value.uppercased())
    case .flag: return visit.t(value == "true" ? "word.yes" : "word.no")
    case .time:
      return Timestamp(dateOrMoment: value, in: visit.inputZone).map { visit.time($0) } ?? value
    default: return value
    }
  }

  private func paging(_ visit: Visit, query: TableQuery, total: Int) -> HTML {
    let last = max(1, (total + query.size - 1) / query.size)
    guard last > 1 else { return .empty }
    let previous: HTML =
      query.page > 1
      ? "<a rel=\"prev\" href=\"\(visit.address(page: query.page - 1))\">\(visit.t("table.previous"))</a>"
      : .empty
    let next: HTML =
      query.page < last
      ? "<a rel=\"next\" href=\"\(visit.address(page: query.page + 1))\">\(visit.t("table.next"))</a>"
      : .empty
    let place = visit.t(
      "table.page", ["page": visit.number(query.page), "pages": visit.number(last)])
    return """
      <nav class="paging" aria-label="\(visit.t("table.paging"))">\
      \(previous)<span>\(place)</span>\(next)</nav>
      """
  }
}

extension Column {
  /// The form field of its filter, filled in with what is in force.
  fileprivate func filterField(_ visit: Visit) -> HTML {
    let title = visit.t("column.\(name)")
    let zoned = ["column": title, "zone": visit.inputZone.rawValue]
    switch kind {
    case .choice(_, let words):
      let options = words.map { ($0, choiceText($0, visit)) }
      return select(title, options: options, visit)
    case .flag:
      return select(
        title, options: [("true", visit.t("word.yes")), ("false", visit.t("word.no"))], visit)
    case .integer, .number:
      return input(
        name + "_min", visit.t("filter.min", ["column": title]), "number",
        " min=\"0\" step=\"any\"", visit)
    case .time:
      return input(
        name + "_from", visit.t("filter.from", zoned), "datetime-local", .empty, visit)
        + input(
          name + "_to", visit.t("filter.to", zoned), "datetime-local", .empty, visit)
    case .country:
      return input(name, title, "text", " maxlength=\"2\" placeholder=\"JP\"", visit)
    case .system: return input(name, title, "text", " placeholder=\"AS64500\"", visit)
    case .address:
      return input(
        name, title, "text", " placeholder=\"192.0.2.0/24\" autocapitalize=\"off\"", visit)
    case .text, .list: return input(name, title, "search", .empty, visit)
    }
  }

  private func input(
    _ name: String, _ title: String, _ type: String, _ more: HTML, _ visit: Visit
  ) -> HTML {
    """
    <label>\(title)<input type="\(type)" name="\(name)" \
    value="\(type == "datetime-local" ? visit.localInput(name) : visit.query(name) ?? "")"\(more)>\
    </label>
    """
  }

  private func select(_ title: String, options: [(String, String)], _ visit: Visit) -> HTML {
    let chosen = visit.query(name)
    let items = options.map { word, text -> HTML in
      "<option value=\"\(word)\"\(when: chosen == word, " selected")>\(text)</option>"
    }
    return """
      <label>\(title)<select name="\(name)"><option value="">\(visit.t("filter.any"))</option>\
      \(items)</select></label>
      """
  }
}
