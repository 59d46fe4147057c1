import Foundation

/// Python's standard library as a second opinion: `ipaddress` and `datetime` were written by others
/// from the same RFCs.
enum PythonOracle {
  static let isPresent = path != nil

  static let path: String? = (ProcessInfo.processInfo.environment["PATH"] ?? "")
    .split(separator: ":").map { "\($0)/python3" }
    .first { FileManager.default.isExecutableFile(atPath: $0) }

  /// Runs `body` for each line, which it finds in `line`, and gives what it prints, one line each.
  static func answers(to lines: [String], imports: String, body: String) throws -> [String] {
    let script = """
      import sys
      \(imports)
      for line in open(sys.argv[1], encoding="utf-8", newline="\\n"):
        line = line[:-1]
      \(body.split(separator: "\n").map { "  " + $0 }.joined(separator: "\n"))
      """
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("oracle-\(UUID().uuidString).txt")
    try (lines.joined(separator: "\n") + "\n").write(to: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: file) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path ?? "python3")
    process.arguments = ["-c", script, file.path]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
  }
}

/// A generator that gives the same numbers in every run, so that a failure can be seen again.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  // SplitMix64: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators" (2014).
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }
}
