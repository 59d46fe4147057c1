import Foundation
import Testing

@testable import noroshi

/// A data directory that goes with the test, and runs of the built program in it.
final class ProgramRun {
  struct Outcome {
    let code: Int32
    let output: String
    let error: String

    /// What was written as JSON.
    func rows() throws -> [[String: Any]] {
      let object = try JSONSerialization.jsonObject(with: Data(output.utf8))
      return try #require(object as? [[String: Any]], "\(output.prefix(300))")
    }

    func object() throws -> [String: Any] {
      let object = try JSONSerialization.jsonObject(with: Data(output.utf8))
      return try #require(object as? [String: Any], "\(output.prefix(300))")
    }
  }

  let folder = NSTemporaryDirectory() + "noroshi-run-\(UUID().uuidString)"
  var data: String { folder + "/data" }

  init() throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let made = try run("init", data)
    try #require(made.code == 0, "\(made.error)")
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  func file(_ name: String, _ text: String) throws -> String {
    let path = folder + "/" + name
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    return path
  }

  /// Runs `noroshi ARGUMENTS`, in the house but for `init`.
  func run(_ arguments: String...) throws -> Outcome { try run(arguments) }

  /// Commands that need no data directory, and so take none.
  private static func isHouseless(_ arguments: [String]) -> Bool {
    arguments.first == "init" || arguments.starts(with: ["flows", "evaluate"])
      || arguments.starts(with: ["flows", "fit"])
  }

  func run(_ arguments: [String]) throws -> Outcome {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: builtProgram)
    process.arguments = arguments + (Self.isHouseless(arguments) ? [] : ["--data", data])
    process.environment = [
      "PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "NO_COLOR": "1",
      "NOROSHI_PASSWORD": "correct horse battery",
    ]
    process.standardInput = FileHandle.nullDevice
    // Files, as a full pipe would stop the program.
    let paths = ["out", "err"].map { folder + "/" + $0 }
    for path in paths { _ = FileManager.default.createFile(atPath: path, contents: nil) }
    process.standardOutput = FileHandle(forWritingAtPath: paths[0])
    process.standardError = FileHandle(forWritingAtPath: paths[1])
    try process.run()
    process.waitUntilExit()
    return Outcome(
      code: process.terminationStatus,
      output: try String(contentsOfFile: paths[0], encoding: .utf8),
      error: try String(contentsOfFile: paths[1], encoding: .utf8))
  }

  /// A run that is refused: with this exit code, nothing on standard output, and a sentence with this in it
  /// on standard error.
  func refuses(
    _ arguments: String..., code: noroshi.ExitStatus, saying words: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let outcome = try run(arguments)
    let what = arguments.joined(separator: " ")
    #expect(
      outcome.code == code.rawValue, "\(what): \(outcome.error)", sourceLocation: sourceLocation)
    #expect(
      outcome.error.contains(words), "\(what): \(outcome.error)", sourceLocation: sourceLocation)
    #expect(outcome.output.isEmpty, "\(what)", sourceLocation: sourceLocation)
  }
}
