import GRDB
import NetworkTypes
import Store
import Telescope

@testable import Portal

/// An empty house is enough: what is tried is the reading and the SQL, not the rows.
private let store = try? DataStore.inMemory()
private let telescope = store.flatMap { try? TelescopeStore($0) }

private let columns: [ListColumn] = [
  .text("text"), .integer("number"), .choice("choice", ["one": 1, "two": 2]),
  .text("odd", expression: "coalesce(text, '')"),
]

/// Reads the input as the query of an address, and asks every list that.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzQuery(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  guard let start, count > 0 else { return 0 }
  let text = String(
    decoding: UnsafeBufferPointer(start: start, count: min(count, 16_384)), as: UTF8.self)
  let pairs = QueryText.pairs(text)
  precondition(pairs.count <= 200)
  for (name, value) in pairs {
    precondition(QueryText.decode(QueryText.encode(name)) == name)
    precondition(QueryText.decode(QueryText.encode(value)) == value)
    _ = Timestamp(dateOrMoment: value)
    _ = TableQuery.Order(value).text
  }
  var query = ListQuery()
  for (name, value) in pairs {
    switch name {
    case "sort":
      let order = TableQuery.Order(value)
      query.sort = .init(column: order.column, isAscending: !order.isDescending)
    case "search": query.search = value
    case "page": query = ListQuery(offset: Int(value) ?? 0, limit: query.limit)
    case "size": query = ListQuery(offset: query.offset, limit: Int(value) ?? 1)
    default: query.filters[name] = value
    }
  }
  ask(query)
  return 0
}

private func ask(_ query: ListQuery) {
  guard let store, let telescope else { preconditionFailure("no database in memory") }
  _ = try? telescope.hosts(query)
  _ = try? telescope.events(query)
  _ = try? telescope.victims(query)
  _ = try? telescope.alerts(query)
  _ = try? telescope.campaigns(query)
  guard
    let statement = try? ListStatement(
      query, columns: columns, searched: ["text", "odd"],
      order: .init(column: "number", isAscending: true), tieBreak: "number")
  else { return }
  do {
    _ = try store.writer.read { database in
      try statement.page(
        of: "number", from: "(SELECT 'a' AS text, 1 AS number, 2 AS choice)", in: database
      ) { row in row[0] as Int }
    }
  } catch let error as DatabaseError {
    // More values than SQLite takes are refused by SQLite; SQL that is wrong would be our mistake.
    precondition(error.message?.contains("syntax") != true, "\(error)")
  } catch {}
}
