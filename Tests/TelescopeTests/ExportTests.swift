import Anonymisation
import Foundation
import NetworkTypes
import Store
import Telescope
import Testing

@Suite("The export of events")
struct ExportTests {
  static let hasDuckDB: Bool = (try? python("import duckdb; print('yes', end='')")) == "yes"

  static let hasArrow: Bool = (try? python("import pyarrow; print('yes', end='')")) == "yes"

  static func python(_ script: String, arguments: [String] = []) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", "-c", script] + arguments
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
    #expect(try export.writeEvents(to: path) == 50)
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
    _ = try export.writeEvents(to: path)
    let sources = try Self.python(
      "import duckdb; print(*[r[0] for r in duckdb.sql(\"SELECT source FROM '\(path)'\").fetchall()])"
    ).split(whereSeparator: \.isWhitespace).compactMap { IPAddress($0) }
    #expect(sources.count == 50)
    #expect(Set(sources).count == 50)
    // All lie in one /26 as before, and not in the one they came from.
    #expect(Set(sources.map { $0.bits >> 6 }).count == 1)
    #expect(sources.allSatisfy { $0.bits >> 6 != IPAddress("20.1.0.0")!.bits >> 6 })
  }

  @Test(
    "gives the same rows as Parquet, CSV and JSON to DuckDB, pyarrow and Python",
    .enabled(if: hasDuckDB && hasArrow))
  func formats() throws {
    let folder = try TestFolder()
    let store = try filledStore()
    var counts: [Int] = []
    for format in ExportFormat.allCases {
      var export = EventExport(store)
      counts.append(
        try export.writeEvents(to: "\(folder.path)/events.\(format.rawValue)", format: format))
    }
    #expect(counts == [50, 50, 50])
    let answer = try Self.python(
      """
      import csv, json, sys
      import duckdb
      import pyarrow.parquet as pq
      base = sys.argv[1] + '/events.'
      table = pq.read_table(base + 'parquet').to_pylist()
      rows = list(csv.DictReader(open(base + 'csv', newline='')))
      objects = json.load(open(base + 'json'))
      assert len(table) == len(rows) == len(objects) == 50
      for one, two, three in zip(table, rows, objects):
        assert list(one) == list(two) == list(three)
        for name in ('source', 'class'): assert one[name] == two[name] == three[name]
        for name in ('port', 'packets', 'bytes'): assert one[name] == int(two[name]) == three[name]
        for name in ('rate_pps', 'destinations'):
          assert one[name] == float(two[name]) == three[name]
        assert one['closed'] == (two['closed'] == 'true') == three['closed']
        assert one['country'] is None and two['country'] == '' and three['country'] is None
        assert one['tools'] == two['tools'] == ';'.join(three['tools'])
        assert two['first_seen'] == three['first_seen']
        assert two['first_seen'].startswith(str(one['first_seen'])[:19].replace(' ', 'T'))
      print(duckdb.sql(f"SELECT sum(packets)::INT FROM '{base}csv'").fetchall()[0][0], end='')
      """, arguments: [folder.path])
    #expect(answer == "300")
  }

  @Test("of a time holds what went on then; hosts and victims are exported too")
  func hostsAndVictims() throws {
    let folder = try TestFolder()
    let store = try filledStore()
    var query = EventQuery()
    // Event 0 of source 0 begins at second 0, and the last packet is the 300th second's.
    query.restrict(since: nil, until: Timestamp(seconds: Int64(start / 1_000_000) + 10))
    var export = EventExport(store)
    #expect(try export.writeEvents(to: folder.path + "/some.csv", format: .csv, query) == 10)
    query = EventQuery()
    query.restrict(since: Timestamp(seconds: Int64(start / 1_000_000) + 295), until: nil)
    #expect(try export.writeEvents(to: folder.path + "/late.csv", format: .csv, query) == 5)
    let hosts = try export.writeHosts(
      to: folder.path + "/hosts.csv", format: .csv, since: nil, until: nil)
    #expect(try store.hosts().total == hosts)
    #expect(
      try export.writeVictims(to: folder.path + "/v.json", format: .json, since: nil, until: nil)
        == 0)
    #expect(try String(contentsOfFile: folder.path + "/v.json", encoding: .utf8) == "[]\n")
  }

  @Test("that cannot be finished leaves no file")
  func unfinished() throws {
    let folder = try TestFolder()
    for format in ExportFormat.allCases {
      do {
        let sink = try ExportSink(
          EventExport.eventColumns, format: format, path: folder.path + "/x")
        #expect(throws: TelescopeError.self) { try sink.append([.missing]) }
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }
    #expect(throws: (any Error).self) {
      try ExportSink(EventExport.eventColumns, format: .csv, path: folder.path + "/no/such")
    }
  }
}
