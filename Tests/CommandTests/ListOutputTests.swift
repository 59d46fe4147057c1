import Foundation
import NetworkTypes
import Testing

@testable import noroshi

private struct Row {
  var name: String
  var count: Int
  var seen: Timestamp?
}

private let rows = [
  Row(name: "日の出ネット", count: 1_234_567, seen: Timestamp(nanoseconds: 1_500_000_000)),
  Row(name: "=cmd|' /C calc'!A0", count: -5, seen: nil),
  Row(name: "a,\"b\"", count: 0, seen: Timestamp(seconds: 0)),
]

private var columns: [ListColumn<Row>] {
  [
    ListColumn("name") { .text($0.name) },
    ListColumn("count") { .count($0.count) },
    ListColumn("last_seen") { .time($0.seen) },
  ]
}

@Suite("A list")
struct ListOutputTests {
  @Test("a table aligns by width on the screen, numbers to the right")
  func table() {
    let text = ListOutput.table(rows, columns: columns, terminal: .output, width: nil).text
    #expect(
      text == """
        NAME                    COUNT  LAST SEEN
        日の出ネット        1,234,567  1970-01-01T00:00:01Z
        =cmd|' /C calc'!A0         -5  –
        a,"b"                       0  1970-01-01T00:00:00Z

        """)
  }

  @Test("a table is made to fit the window by cutting the widest texts")
  func narrowTable() {
    let text = ListOutput.table(rows, columns: columns, terminal: .output, width: 45).text
    for line in text.split(separator: "\n") { #expect(DisplayWidth.of(line) <= 45) }
    #expect(text.contains("…"))
    #expect(text.contains("1,234,567"))
  }

  @Test("JSON is read by others, with numbers as numbers and nothing as null")
  func json() throws {
    let text = ListOutput.json(rows, columns: columns)
    let parsed = try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]])
    #expect(parsed.count == 3)
    #expect(parsed[0]["count"] as? Int == 1_234_567)
    #expect(parsed[0]["last_seen"] as? String == "1970-01-01T00:00:01.5Z")
    #expect(parsed[1]["last_seen"] is NSNull)
    #expect(parsed[2]["name"] as? String == "a,\"b\"")
    #expect(ListOutput.json([Row](), columns: columns) == "[]\n")
  }

  @Test("CSV follows RFC 4180, and no cell is a formula")
  func csv() {
    #expect(
      ListOutput.csv(rows, columns: columns)
        == "name,count,last_seen\r\n日の出ネット,1234567,1970-01-01T00:00:01.5Z\r\n"
        + "'=cmd|' /C calc'!A0,-5,\r\n\"a,\"\"b\"\"\",0,1970-01-01T00:00:00Z\r\n")
  }

  @Test("every character of a text survives JSON")
  func jsonStrings() throws {
    let text = String(String.UnicodeScalarView((0...0x2ff).compactMap(Unicode.Scalar.init)))
    let data = Data("[\(ListCell.jsonString(text))]".utf8)
    #expect(try JSONSerialization.jsonObject(with: data) as? [String] == [text])
  }

  @Test("columns are chosen by name, and a wrong name is refused with the right ones")
  func choice() throws {
    var list = ListOutput.table
    list.columns = "count,nam"
    let error = try #require(throws: (any Error).self) { try list.write(rows, columns: columns) }
    #expect("\(error)".contains("nam") && "\(error)".contains("name, count, last_seen"))
  }
}

@Suite("Quantities")
struct QuantityTests {
  @Test("numbers are grouped, shortened and given in units people read")
  func numbers() {
    #expect(Quantity.grouped(-1_234_567) == "-1,234,567")
    #expect(Quantity.grouped(999) == "999")
    #expect(Quantity.grouped(Int64.min) == "-9,223,372,036,854,775,808")
    #expect(Quantity.short(12_345_678, unit: "packets") == "12.3 M packets")
    #expect(Quantity.short(999, unit: "packets") == "999 packets")
    #expect(Quantity.short(999_600, unit: "") == "1.00 M")
    #expect(Quantity.bytes(1_234_000_000) == "1.23 GB")
    #expect(Quantity.bytes(0) == "0 B")
  }

  @Test("durations are given in the two units that matter")
  func durations() {
    #expect(Quantity.duration(seconds: 4.25) == "4.2 s")
    #expect(Quantity.duration(seconds: 42) == "42 s")
    #expect(Quantity.duration(seconds: 185) == "3 min 05 s")
    #expect(Quantity.duration(seconds: 7_800) == "2 h 10 min")
    #expect(Quantity.duration(seconds: 273_600) == "3 d 4 h")
    #expect(Quantity.duration(seconds: .infinity) == "?")
    #expect(Quantity.duration(seconds: -1) == "?")
  }

  @Test("a progress line says how far, how fast and how long still")
  func progress() {
    let line = ProgressBar.text(
      title: "Reading", unit: "packets", count: 5_000_000, fraction: 0.25, detail: "203 sources",
      elapsed: .seconds(5), barWidth: 8)
    #expect(
      line
        == "Reading [██······] 25 % 5.00 M packets, 1.00 M packets/s · 203 sources · 15 s left")
    let endless = ProgressBar.text(
      title: "Reading -", unit: "packets", count: 10, fraction: nil, detail: "",
      elapsed: .seconds(65), barWidth: 0)
    #expect(endless == "Reading - 10 packets, 0 packets/s · 1 min 05 s")
  }
}
