import FlowArchive
import NetworkTypes

/// A table of flows or sums: the house's columns, with links that sort and page by the question.
struct FlowTableMarkup<Row: Sendable>: Sendable {
  let columns: [Column<Row>]
  let question: FlowQuestion
  /// Names the table for screen readers.
  let title: String
  /// Whether headers sort and pages follow.
  var isBrief = false

  private var shown: [Column<Row>] { columns.filter { !$0.isHidden } }

  func html(_ rows: [Row], _ visit: Visit) -> HTML {
    guard !rows.isEmpty else { return "<p class=\"empty\">\(visit.t("flows.nothing"))</p>" }
    let titles = shown.map { $0.title(visit) }
    let head = zip(shown, titles).map { column, title in header(column, title, visit) }
    let body = rows.map { row -> HTML in
      let cells = zip(shown, titles).map { column, title -> HTML in
        """
        <td role="cell" data-label="\(title)"\
        \(when: column.isNumeric, " class=\"number\"")\
        \(when: column.kind == .address, " class=\"address\"")>\(column.html(row, visit))</td>
        """
      }
      return "<tr role=\"row\">\(cells)</tr>\n"
    }
    return """
      <div class="scroll" role="region" aria-label="\(title)" tabindex="0">
      <table role="table"><caption class="unseen">\(title)</caption>
      <thead role="rowgroup"><tr role="row">\(head)</tr></thead>
      <tbody role="rowgroup">
      \(body)</tbody></table></div>
      """
  }

  private func header(_ column: Column<Row>, _ title: String, _ visit: Visit) -> HTML {
    guard !isBrief, column.isSortable,
      FlowPlan.order(column.name, of: question.view) != nil
    else {
      return
        "<th scope=\"col\" role=\"columnheader\"\(when: column.isNumeric, " class=\"number\"")>\(title)</th>"
    }
    let sort = question.sort ?? FlowPlan.usualSort(question)
    let isFalling = sort == "-" + column.name
    let isCurrent = isFalling || sort == column.name
    let next = isCurrent ? (isFalling ? column.name : "-" + column.name) : "-" + column.name
    let state = isCurrent ? (isFalling ? "descending" : "ascending") : "none"
    let link = question.link { asked in
      asked.sort = next
      asked.page = 1
    }
    return """
      <th scope="col" role="columnheader" aria-sort="\(state)"\
      \(when: column.isNumeric, " class=\"number\"")><a href="\(link)">\(title)\
      <span class="sort" aria-hidden="true">\(isCurrent ? (isFalling ? "▼" : "▲") : "")</span></a></th>
      """
  }

  /// The way to the neighbouring pages, as far as paging goes.
  func paging(total: Int, size: Int, depth: Int, _ visit: Visit) -> HTML {
    let reachable = min(total, max(depth, size))
    let last = max(1, (reachable + size - 1) / size)
    let note: HTML =
      total > reachable
      ? "<p class=\"meta\">\(visit.t("flows.depth", ["count": visit.number(reachable)]))</p>"
      : .empty
    guard last > 1 else { return note }
    func link(_ page: Int, _ rel: HTML, _ text: String) -> HTML {
      "<a rel=\"\(rel)\" href=\"\(question.link { $0.page = page })\">\(text)</a>"
    }
    let page = question.page
    let place = visit.t("table.page", ["page": visit.number(page), "pages": visit.number(last)])
    return """
      <nav class="paging" aria-label="\(visit.t("table.paging"))">\
      \(page > 1 ? link(page - 1, "prev", visit.t("table.previous")) : .empty)<span>\(place)</span>\
      \(page < last ? link(page + 1, "next", visit.t("table.next")) : .empty)</nav>\(note)
      """
  }
}

extension Column {
  func title(_ visit: Visit) -> String {
    titleKey == "column" ? visit.t("column.\(name)") : visit.name(titleKey, name)
  }
}
