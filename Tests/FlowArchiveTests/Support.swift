import FlowArchive
import FlowSamples
import Foundation

extension Flows {
  static func search(
    _ root: String, audit: @escaping @Sendable (SearchRecord) throws -> Void = { _ in }
  ) throws -> FlowSearch {
    FlowSearch(
      archive: root, purpose: try SearchPurpose(actor: "test", purpose: "a test"), audit: audit)
  }
}

/// Runs a program and gives back its status and what it wrote.
func run(
  _ arguments: [String], environment: [String: String]? = nil
) throws -> (status: Int32, output: String) {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = arguments
  if let environment {
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
  }
  let pipe = Pipe()
  process.standardOutput = pipe
  process.standardError = pipe
  try process.run()
  let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
  process.waitUntilExit()
  return (process.terminationStatus, String(decoding: output, as: UTF8.self))
}

func isOnPath(_ program: String) -> Bool {
  (try? run(["sh", "-c", "command -v \(program)"]))?.status == 0
}

/// Starts a program that may be ended by a signal: the threads of a test block signals, and a child
/// would inherit that.
func spawn(_ arguments: [String]) throws -> pid_t {
  struct Failure: Error { let code: Int32 }
  var attributes = posix_spawnattr_t()
  posix_spawnattr_init(&attributes)
  defer { posix_spawnattr_destroy(&attributes) }
  var none = sigset_t()
  sigemptyset(&none)
  posix_spawnattr_setsigmask(&attributes, &none)
  posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  for descriptor in [STDOUT_FILENO, STDERR_FILENO] {
    posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_WRONLY, 0)
  }
  var texts: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
  defer { for text in texts { free(text) } }
  var process: pid_t = 0
  let code = posix_spawnp(&process, arguments[0], &actions, &attributes, &texts, environ)
  guard code == 0 else { throw Failure(code: code) }
  return process
}
