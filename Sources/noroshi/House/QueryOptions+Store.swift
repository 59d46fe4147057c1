import ArgumentParser
import Store

extension QueryOptions {
  /// What these options ask of a list.
  func listQuery(offset: Int, limit: Int) -> ListQuery {
    ListQuery(
      filters: filters, search: search,
      sort: order.map { .init(column: $0.column, isAscending: $0.ascending) }, offset: offset,
      limit: limit)
  }

  /// The rows that were asked for, fetched in as many pages as it takes.
  func page<Row>(_ fetch: (ListQuery) throws -> ListPage<Row>) throws -> ListPage<Row> {
    var rows: [Row] = []
    var total = 0
    let wanted = limit == 0 ? Int.max : limit
    while rows.count < wanted {
      // The most that a list gives at once.
      let query = listQuery(offset: offset + rows.count, limit: min(wanted - rows.count, 10_000))
      let page = try fetch(query)
      rows += page.rows
      total = page.total
      if page.rows.isEmpty || offset + rows.count >= total { break }
    }
    return ListPage(rows: rows, total: total)
  }

  /// - Throws: `ValidationError` for a column that is not there.
  func check(against columns: Set<String>) throws {
    let known = columns.sorted().joined(separator: ", ")
    for column in filters.keys where !columns.contains(column) {
      throw ValidationError("There is no column “\(column)” to filter by. There are: \(known).")
    }
    if let order, !columns.contains(order.column) {
      throw ValidationError("There is no column “\(order.column)” to sort by. There are: \(known).")
    }
  }
}
