import Foundation
import GRDB
import Store
import Testing

@Suite("Lists")
struct ListStatementTests {
  let store: DataStore
  let columns: [ListColumn] = [
    .text("name"), .integer("age"), .choice("rank", ["low": 0, "high": 1]),
    ListColumn("code", expected: "a range of letters as a-f") { text in
      let ends = text.split(separator: "-").map { [UInt8]($0.utf8) }
      return ends.count == 2 && ends[0].lexicographicallyPrecedes(ends[1])
        ? .bytes(ends[0])...ListColumn.Key.bytes(ends[1]) : nil
    },
  ]

  init() throws {
    store = try DataStore.inMemory()
    try store.writer.write { database in
      try database.execute(
        sql: "CREATE TABLE person (name TEXT, age INTEGER, rank INTEGER, code BLOB)")
      for (name, age, rank, code) in [
        ("Aoi", 30, 0, "b"), ("ben", 25, 1, "c"), ("O'Hara", 30, 1, "x"), ("100%", 5, 0, "z"),
      ] {
        try database.execute(
          sql: "INSERT INTO person VALUES (?, ?, ?, ?)",
          arguments: [name, age, rank, Data(code.utf8)])
      }
    }
  }

  private func names(_ query: ListQuery, requiring condition: String? = nil) throws -> [String] {
    var statement = try ListStatement(
      query, columns: columns, searched: ["name"], order: .init(column: "name", isAscending: true),
      tieBreak: "rowid")
    if let condition { statement.require(condition) }
    let finished = statement
    return try store.writer.read { database in
      try finished.page(of: "name", from: "person", in: database) { $0["name"] as String }.rows
    }
  }

  @Test(
    "conditions hold as the documentation says",
    arguments: [
      (["name": "ben"], ["ben"]), (["name": "ben|Aoi"], ["Aoi", "ben"]),
      (["name_contains": "AO"], ["Aoi"]), (["name": "O'Hara"], ["O'Hara"]),
      (["name_contains": "%"], ["100%"]), (["name": "' OR 1=1 --"], []),
      (["age_min": "26"], ["Aoi", "O'Hara"]), (["age_max": "25"], ["100%", "ben"]),
      (["age_from": "25", "age_to": "29"], ["ben"]), (["rank": "high"], ["O'Hara", "ben"]),
      (["code": "a-d"], ["Aoi", "ben"]), (["rank": "low", "age": "30"], ["Aoi"]),
    ])
  func conditions(_ filters: [String: String], _ expected: [String]) throws {
    #expect(try names(ListQuery(filters: filters)) == expected)
  }

  @Test(
    "what is not there, and values that cannot be, are refused by name",
    arguments: [
      ["colour": "red"], ["age": "old"], ["rank": "middle"], ["code": "zz"], ["age_min": ""],
      ["name; DROP TABLE person": "x"], ["_min": "3"],
    ])
  func refused(_ filters: [String: String]) throws {
    let error = #expect(throws: ListQueryError.self) { try names(ListQuery(filters: filters)) }
    #expect(error?.description.isEmpty == false)
    #expect(throws: ListQueryError.self) {
      try names(ListQuery(sort: .init(column: "rowid; --", isAscending: true)))
    }
  }

  @Test("equal keys keep one order, so that pages neither repeat nor skip")
  func pages() throws {
    let sort = ListQuery.Sort(column: "rank", isAscending: false)
    let paged = try (0..<4).flatMap { try names(ListQuery(sort: sort, offset: $0, limit: 1)) }
    #expect(paged == (try names(ListQuery(sort: sort))))
    #expect(Set(paged).count == 4)
  }

  @Test("a condition of the program joins any of the visitor's")
  func required() throws {
    #expect(
      try names(ListQuery(filters: ["name": "ben|Aoi"]), requiring: "rank = 0 OR rank = 5")
        == ["Aoi"])
    #expect(try names(ListQuery(search: "a"), requiring: "age < 0").isEmpty)
  }

  @Test("offsets and limits outside their range are brought inside")
  func bounds() {
    let query = ListQuery(offset: -5, limit: 1_000_000)
    #expect((query.offset, query.limit) == (0, 10_000))
    #expect(ListQuery(limit: 0).limit == 1)
  }

  @Test("canonical JSON sorts by bytes, escapes what must be and reads as JSON")
  func canonical() throws {
    let value = CanonicalJSON.object([
      "b": .array([.integer(.min), .boolean(true), .null]), "é": .string("\u{8}/\u{7f}"),
      "B": .strings(["x": "\"\\\n"]),
    ])
    #expect(
      value.text
        == #"{"B":{"x":"\"\\\n"},"b":[-9223372036854775808,true,null],"é":"\u0008/"#
        + "\u{7f}\"}")
    #expect(throws: Never.self) {
      try JSONSerialization.jsonObject(with: Data(value.text.utf8))
    }
  }
}
