import FlowSamples
import Foundation
import Testing

@testable import noroshi

@Suite(
  "flows detect, servers, verdict, evaluate, fit",
  .enabled(if: isProgramBuilt, "the program was not built beside the tests"))
struct FlowDetectTests {
  private static let controller = "203.0.113.9:4444"

  /// A day of one office in CSV: a beacon to the controller every minute, and people who browse.
  private static func office(labelled: Bool = true) -> String {
    var lines = [
      "start,duration,source_address,source_port,destination_address,destination_port,protocol,"
        + "packets,bytes,reverse_packets,reverse_bytes,label"
    ]
    let start = 1_795_392_000
    for minute in 0..<600 {
      lines.append(
        "\(start + 60 * minute),0.4,192.168.1.20,\(40_000 + minute),203.0.113.9,4444,tcp,5,420,4,380,"
          + (labelled ? "commandAndControl" : ""))
    }
    var state: UInt64 = 9
    for visit in 0..<1_500 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let second = Int(state >> 33) % 36_000
      let client = Int(state >> 20 & 0xff) % 12 + 1
      let server = Int(state >> 12 & 0xff) % 40 + 1
      let bytes = Int(state >> 40) % 60_000 + 200
      lines.append(
        "\(start + second),2,192.168.1.\(client),\(33_000 + visit),198.51.100.\(server),443,tcp,20,"
          + "\(bytes),30,\(bytes * 7),normal")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  @Test("a file of flows is ranked, and the controller is first, in every format")
  func files() throws {
    let house = try ProgramRun()
    let path = try house.file("office.csv", Self.office())
    let table = try house.run("flows", "detect", path, "--home", "192.168.0.0/16")
    #expect(table.code == 0)
    #expect(table.output.contains(Self.controller + "/tcp"))
    #expect(table.error.contains("2,100 flows"))
    let rows = try house.run("flows", "detect", path, "--all", "--limit", "5", "--format", "json")
      .rows()
    #expect(rows.count <= 5)
    #expect(rows.first?["server"] as? String == Self.controller + "/tcp")
    #expect((rows.first?["probability"] as? Double ?? 0) > 50)
    let csv = try house.run("flows", "detect", path, "--format", "csv").output
    #expect(csv.hasPrefix("server,probability,grade,"))
    let explained = try house.run("flows", "detect", path, "--explain", Self.controller)
    #expect(explained.code == 0)
    #expect(explained.output.contains(Self.controller) && explained.output.contains("192.168.1.20"))
    // Files leave nothing in the register.
    #expect(try house.run("flows", "servers", "--format", "json").rows().isEmpty)
  }

  @Test("lists and known hosts raise a server, wrong ones are refused")
  func knowledge() throws {
    let house = try ProgramRun()
    let path = try house.file("office.csv", Self.office())
    let list = try house.file("c2.txt", "# a list\n198.51.100.7\n")
    let infected = try house.file("infected.txt", "192.168.1.20\n192.168.1.3,since May\n")
    let rows = try house.run(
      "flows", "detect", path, "--all", "--list", list, "--infected", infected, "--format", "json",
      "--columns", "all"
    ).rows()
    let listed = rows.first { ($0["server"] as? String)?.hasPrefix("198.51.100.7:") == true }
    let listsText = "\(listed?["lists"] ?? "")"
    #expect(listsText.contains("c2"))
    let evidenceText = "\(rows.first?["evidence"] ?? "")"
    #expect(evidenceText.contains("enriched"))
    try house.refuses(
      "flows", "detect", path, "--infected", house.folder + "/none", code: .noInput,
      saying: "There is no readable")
    try house.refuses(
      "flows", "detect", path, "--list", house.folder + "/none", code: .noInput, saying: "none")
    let weights = try house.file("weights.json", "{\"bias\": \"heavy\"}")
    try house.refuses(
      "flows", "detect", path, "--parameters", weights, code: .badData, saying: "holds no weights")
  }

  @Test("the archive fills the register, verdicts count in the next ranking and can be taken back")
  func register() throws {
    let house = try ProgramRun()
    try DayOfFlows(people: 800).write(to: house.data + "/flows")
    let detect = ["flows", "detect", "--purpose", "daily look", "--format", "json", "--all"]
    let found = try house.run(detect)
    #expect(found.code == 0, "\(found.error)")
    let first = try #require(try found.rows().first?["server"] as? String)
    let servers = try house.run("flows", "servers", "--format", "json").rows()
    #expect(servers.contains { $0["server"] as? String == first })
    let audit = try house.run("audit", "list", "--format", "csv").output
    #expect(audit.contains("purpose=daily look"))

    let wrong = try house.run("flows", "verdict", first, "wrong", "--reason", "our own monitor")
    #expect(wrong.code == 0, "\(wrong.error)")
    let again = try house.run(detect).rows()
    #expect(again.first { $0["server"] as? String == first }?["grade"] as? String == "none")
    let judged = try house.run(
      "flows", "servers", "--expired", "--format", "json", "--columns", "all"
    ).rows()
    let entry = judged.first { $0["server"] as? String == first }
    #expect(entry?["verdict"] as? String == "wrong")
    #expect(entry?["verdict_reason"] as? String == "our own monitor")
    #expect(
      try house.run("flows", "verdict", first, "none", "--reason", "a mistake").code == 0)
    let back = try house.run(detect).rows()
    #expect(back.first?["server"] as? String == first)
    // A window in which there is nothing.
    let empty = try house.run(detect + ["--to", "2020-01-01T00:00:00Z", "--dry-run"])
    #expect(empty.code == 0)
    #expect(try empty.rows().isEmpty)
  }

  @Test("what cannot be answered is refused with a sentence and its exit code")
  func refusals() throws {
    let house = try ProgramRun()
    let path = try house.file("office.csv", Self.office())
    let notes = try house.file("notes.txt", "dear diary\n")
    let empty = try house.file("empty.csv", "")
    try house.refuses("flows", "detect", code: .usage, saying: "--purpose must say why")
    try house.refuses("flows", "detect", "--purpose", " ", code: .usage, saying: "--purpose")
    try house.refuses(
      "flows", "detect", house.folder + "/none.csv", code: .noInput, saying: "none.csv")
    try house.refuses("flows", "detect", notes, code: .badData, saying: "notes.txt")
    #expect(try house.run("flows", "detect", empty).code != 0)
    try house.refuses(
      "flows", "detect", path, "--explain", "nobody", code: .usage, saying: "is no service")
    try house.refuses(
      "flows", "detect", path, "--explain", "192.0.2.99:1", code: .negative,
      saying: "is not among")
    try house.refuses(
      "flows", "detect", path, "--home", "192.168", code: .usage, saying: "is no prefix")
    try house.refuses(
      "flows", "detect", path, "--limit", "0", code: .usage, saying: "--limit must be above 0")
    try house.refuses(
      "flows", "detect", path, "--pairs", "5", code: .usage, saying: "--pairs 1000 to")
    try house.refuses(
      "flows", "detect", "--purpose", "x", "--from", "yesterday", code: .usage,
      saying: "is no time")
    try house.refuses("flows", "detect", path, "--frobnicate", code: .usage, saying: "frobnicate")
    try house.refuses(
      "flows", "detect", "--purpose", "x", "--on", "http://db1", code: .usage, saying: "--on")
    try house.refuses(
      "flows", "detect", path, "--on", "clickhouse://127.0.0.1/a/b", code: .usage,
      saying: "Only one of")
    try house.refuses(
      "flows", "detect", "--purpose", "x", "--on", "clickhouse://127.0.0.1:1/a/b",
      code: .unavailable, saying: "127.0.0.1:1")
    try house.refuses(
      "flows", "verdict", "nobody", "wrong", "--reason", "x", code: .usage, saying: "is no service")
    try house.refuses(
      "flows", "verdict", "192.0.2.1:80", "guilty", "--reason", "x", code: .usage,
      saying: "guilty")
    try house.refuses(
      "flows", "verdict", "192.0.2.1:80", "wrong", "--reason", " ", code: .usage,
      saying: "--reason must say")
  }

  @Test("evaluate measures labelled sets, and the same seed gives the same digits")
  func evaluate() throws {
    let house = try ProgramRun()
    let path = try house.file("office.csv", Self.office())
    let arguments = ["flows", "evaluate", "office=\(path);home:192.168.0.0/16"]
    let table = try house.run(arguments)
    #expect(table.code == 0, "\(table.error)")
    #expect(table.output.contains("office"))
    let one = try house.run(arguments + ["--format", "json"])
    #expect(one.code == 0, "\(one.error)")
    _ = try JSONSerialization.jsonObject(with: Data(one.output.utf8))
    #expect(one.output.contains("203.0.113.9"))
    #expect(try house.run(arguments + ["--format", "json"]).output == one.output)
    let page = try house.run(arguments + ["--format", "html"])
    #expect(page.output.contains("<svg"))
    try house.refuses(
      "flows", "evaluate", house.folder + "/none", code: .noInput, saying: "There is no")
    try house.refuses(
      "flows", "evaluate", path + ";somebody", code: .usage, saying: "is neither a channel")
    try house.refuses("flows", "evaluate", code: .usage, saying: "Name a labelled set")
  }

  @Test("fit writes weights that detect takes")
  func fit() throws {
    let house = try ProgramRun()
    let path = try house.file("office.csv", Self.office())
    let fitted = try house.run("flows", "fit", "office=" + path)
    #expect(fitted.code == 0, "\(fitted.error)")
    #expect(try fitted.object()["bias"] is Double)
    #expect(fitted.error.contains("mean log-loss"))
    let weights = try house.file("weights.json", fitted.output)
    let rows = try house.run(
      "flows", "detect", path, "--parameters", weights, "--all", "--format", "json"
    ).rows()
    #expect(rows.first?["server"] as? String == Self.controller + "/tcp")
    try house.refuses(
      "flows", "fit", house.folder + "/none", code: .noInput, saying: "There is no")
  }
}
