import FlowArchive
import FlowRecords
import FlowSamples
import Foundation
import NetworkTypes
import Testing

@Suite(.enabled(if: Interchange.isHere, "needs python3 with pyarrow and duckdb"))
struct InterchangeTests {
  @Test("pyarrow and DuckDB read the archive, with the same sums, and pyarrow checks every page")
  func read() throws {
    let folder = try TemporaryFolder()
    let flows = Flows.many(2_500)
    try Flows.write(flows, to: folder.path)
    let text = try Interchange.script(["read", folder.path])
    #expect(text.status == 0, "\(text.output)")
    let narrow = flows.filter { $0.source.isIPv4 }
    let bytes = flows.reduce(0) { $0 + $1.bytes }
    let sources = Set(narrow.map(\.source)).count
    let starts = flows.map { $0.start.nanoseconds / 1_000_000 }.min() ?? 0
    let expected = "\(flows.count) \(bytes) \(narrow.count) \(sources) \(starts) 2 1"
    #expect(text.output.split(separator: "\n").map(String.init) == [expected, expected])
  }

  @Test("an archive that DuckDB wrote again in its own way is read the same")
  func rewritten() throws {
    let folder = try TemporaryFolder()
    let flows = Flows.many(1_200)
    try Flows.write(flows, to: folder.file("ours"))
    try FileManager.default.createDirectory(
      atPath: folder.file("theirs"), withIntermediateDirectories: true)
    for program in ["duckdb", "pyarrow"] {
      let target = folder.file("theirs/\(program).parquet")
      let text = try Interchange.script(["write", program, folder.file("ours"), target])
      #expect(text.status == 0, "\(text.output)")
      var found: [FlowRecord] = []
      try Flows.search(target).forEachBatch(try FlowQuery(.listing)) { found += $0.records }
      #expect(found.count == flows.count)
      #expect(Set(found) == Set(flows), "\(program)")
      for filter in ["src net 10.0.0.0/27", "inet6 and dst port 443", "router ip 192.0.2.1"] {
        let query = try FlowQuery(
          .statistic(FlowElement.connection, splitsByProtocol: false), filter: filter)
        let result = try Flows.search(target).run(query)
        #expect(result.matched == flows.filter { Model.matches(query.filter, $0) }.count)
      }
      try FileManager.default.removeItem(atPath: target)
    }
  }
}

private enum Interchange {
  static let isHere = (try? run(["python3", "-c", "import pyarrow, duckdb"]))?.status == 0

  static func script(_ arguments: [String]) throws -> (status: Int32, output: String) {
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures/others.py").path
    return try run(["python3", script] + arguments)
  }
}
