import Anonymisation
import Foundation
import NetworkTypes
import Store
import Telescope
import Testing

@Suite("The export of events")
struct ExportTests {
  static let hasDuckDB: Bool = (try? python("import duckdb; print('yes', end='')")) == "yes"

  private static func python(_ script: String) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", "-c", script]
    let pipe = Pipe()
    process.standardOutput = pipe
    // What Python complains about belongs into the failure's message.
    process.standardError = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
  }

  private func filledStore() throws -> TelescopeStore {
    var traffic = SyntheticTraffic()
    for index in 0..<300 as Range<UInt32> {
      traffic.add(
        .init(
          source: 0x1401_0000 | index % 50, destination: darkBase | index, sequence: index),
        at: start + UInt64(index) * 1_000_000)
    }
    let engine = try observe([traffic.bytes], space: darkSixteen)
    let store = try TelescopeStore(DataStore.inMemory())
    try store.record(engine.checkpoint(), inputs: [], generation: 1, now: engine.now) { consume in
      try engine.forEachOpenEvent(consume)
    }
    return store
  }

  @Test(
    "is read by DuckDB with the same sums",
    .enabled(if: hasDuckDB, "needs Python's duckdb: scripts/setup installs it"))
  func duckDB() throws {
    let path = FileManager.default.temporaryDirectory.appending(
      path: "events-\(UUID().uuidString).parquet"
    ).path
    defer { try? FileManager.default.removeItem(atPath: path) }
    var export = EventExport(try filledStore())
    #expect(try export.write(to: path) == 50)
    let answer = try Self.python(
      """
      import duckdb
      row = duckdb.sql("SELECT count(*), sum(packets)::INT, min(source), max(port)::INT, "
        "min(class), min(country), sum(closed::INT)::INT FROM '\(path)'").fetchall()[0]
      print(*row, end='')
      """)
    #expect(answer == "50 300 20.1.0.0 23 syn-scan None 0")
  }

  @Test("anonymised keeps prefixes and no address", .enabled(if: hasDuckDB))
  func anonymised() throws {
    let path = FileManager.default.temporaryDirectory.appending(
      path: "events-\(UUID().uuidString).parquet"
    ).path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let key = try #require(AnonymisationKey(bytes: (0..<32).map { UInt8($0 * 7) }))
    var export = EventExport(try filledStore(), anonymisedWith: key)
    _ = try export.write(to: path)
    let sources = try Self.python(
      "import duckdb; print(*[r[0] for r in duckdb.sql(\"SELECT source FROM '\(path)'\").fetchall()])"
    ).split(whereSeparator: \.isWhitespace).compactMap { IPAddress($0) }
    #expect(sources.count == 50)
    #expect(Set(sources).count == 50)
    // All lie in one /26 as before, and not in the one they came from.
    #expect(Set(sources.map { $0.bits >> 6 }).count == 1)
    #expect(sources.allSatisfy { $0.bits >> 6 != IPAddress("20.1.0.0")!.bits >> 6 })
  }
}
