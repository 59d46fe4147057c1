import NetworkTypes
import Testing

@Suite("Times")
struct TimestampTests {
  @Test(
    "5,000 moments over the whole range are written as Python's datetime writes them",
    .enabled(if: PythonOracle.isPresent))
  func writesAsPython() throws {
    var random = SeededGenerator(seed: 3339)
    var moments = (0..<5000).map { _ in Int64(bitPattern: random.next()) }
    moments += [0, -1, 1, 999_999_999, -1_000_000_000, .min, .max]
    let expected = try PythonOracle.answers(
      to: moments.map { "\($0)" }, imports: "import datetime",
      body: """
        whole, fraction = divmod(int(line), 10**9)
        t = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=whole)
        digits = f".{fraction:09}".rstrip("0") if fraction else ""
        print(t.strftime("%Y-%m-%dT%H:%M:%S") + digits + "Z")
        """)
    try #require(expected.count == moments.count)
    for (moment, answer) in zip(moments, expected) {
      let own = Timestamp(nanoseconds: moment)
      #expect(own.description == answer)
      #expect(Timestamp(own.description) == own, "\(answer) must come back")
    }
  }

  @Test(
    "8,000 dates, possible and impossible, with offsets are read as Python reads them",
    .enabled(if: PythonOracle.isPresent))
  func readsAsPython() throws {
    var random = SeededGenerator(seed: 8601)
    func digits(_ range: ClosedRange<Int>, _ width: Int = 2) -> String {
      let text = String(Int.random(in: range, using: &random))
      return String(repeating: "0", count: width - text.count) + text
    }
    let lines = (0..<8000).map { _ -> String in
      let date = "\(digits(1680...2260, 4))-\(digits(0...13))-\(digits(0...32))"
      let time = "\(digits(0...24)):\(digits(0...60)):\(digits(0...59))"
      let fraction = ["", ".\(digits(0...999, 3))", ".\(digits(0...999_999, 6))"]
      let zone = ["", "Z", "+\(digits(0...24)):\(digits(0...59))", "-\(digits(0...23)):30"]
      return date + ["T", " "][Int(random.next() % 2)] + time + fraction[Int(random.next() % 3)]
        + zone[Int(random.next() % 4)]
    }
    let expected = try PythonOracle.answers(
      to: lines, imports: "from datetime import datetime, timedelta, timezone",
      body: """
        try:
          if line[11:13] == "24": raise ValueError("newer Pythons read hour 24 as the next day")
          t = datetime.fromisoformat(line)
          if t.tzinfo is None: t = t.replace(tzinfo=timezone.utc)
          print((t - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(microseconds=1) * 1000)
        except ValueError:
          print("refused")
        """)
    try #require(expected.count == lines.count)
    var refused = 0
    for (line, answer) in zip(lines, expected) {
      let own = Timestamp(line).map { "\($0.nanoseconds)" } ?? "refused"
      if own == "refused" { refused += 1 }
      #expect(own == answer, "\(line)")
    }
    #expect(refused > 500 && refused < 7500, "both kinds must be among the dates")
  }

  @Test(
    "text that is not a time is refused",
    arguments: [
      "", "2026-11-25", "2026-11-25T05:10", "2026-11-25T05:10:58.", "2026-11-25T05:10:58+9",
      "2026-11-25T05:10:58+0900", "2026-11-25T05:10:58+09:60", "2026-11-25T05:10:58ZZ",
      "2026-02-30T00:00:00Z",
      "2025-02-29T00:00:00Z", "1600-01-01T00:00:00Z", "2262-04-11T23:47:16.854775808Z",
      "1677-09-21T00:12:43.145224191Z", "+026-11-25T05:10:58Z", "２026-11-25T05:10:58Z",
    ])
  func refused(text: String) {
    #expect(Timestamp(text) == nil)
  }

  @Test("a leap second is the first second after it")
  func leapSecond() {
    #expect(Timestamp("2016-12-31T23:59:60Z") == Timestamp("2017-01-01T00:00:00Z"))
  }

  @Test("arithmetic stays at the ends of the range and never traps")
  func arithmetic() {
    #expect(Timestamp(seconds: .max) == .distantFuture)
    #expect(Timestamp(seconds: .min) == .distantPast)
    let start = Timestamp(seconds: 0)
    for seconds in [Double.infinity, 1e300, 1e10] {
      #expect(start.advanced(bySeconds: seconds) == .distantFuture)
      #expect(start.advanced(bySeconds: -seconds) == .distantPast)
    }
    #expect(start.advanced(bySeconds: .nan) == start)
    #expect(Timestamp.distantFuture.advanced(bySeconds: 1) == .distantFuture)
    #expect(start.advanced(bySeconds: -0.25).nanoseconds == -250_000_000)
    #expect(Timestamp(nanoseconds: -1).seconds == -1)
    let late = Timestamp(nanoseconds: 1_764_047_458_000_000_001)
    #expect(late.seconds(since: Timestamp(seconds: 1_764_047_458)) == 1e-9)
    #expect(Timestamp.distantFuture.seconds(since: .distantPast) > 1.8e10)
  }
}
