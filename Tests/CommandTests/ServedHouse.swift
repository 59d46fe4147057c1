import Foundation
import Glibc
import Testing

/// The program that was built beside the tests.
let builtProgram = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
  .appending(path: "noroshi").path
let isProgramBuilt = FileManager.default.isExecutableFile(atPath: builtProgram)

/// A data directory that goes with the test, and at most one `noroshi serve` in it.
final class ServedHouse {
  let path = FileManager.default.temporaryDirectory
    .appending(path: "noroshi-flows-\(UUID().uuidString)").path
  let port = ServedHouse.freePort()
  var retentionDays = 90
  var retentionGigabytes = 100.0
  /// Keys of the configuration beside those that flows need.
  var settings: [String: String] = [:]
  private var server: Process?

  deinit {
    server?.terminate()
    server?.waitUntilExit()
    try? FileManager.default.removeItem(atPath: path)
  }

  private var environment: [String: String] {
    let flows = [
      "PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "NO_COLOR": "1",
      "NOROSHI_PASSWORD": "correct horse battery", "NOROSHI_CONFIG": path + "/noroshi.yaml",
      "NOROSHI_FLOWS_ENABLED": "yes", "NOROSHI_FLOWS_LISTEN": "127.0.0.1:\(port)",
      "NOROSHI_FLOWS_ALLOW": "127.0.0.0/8", "NOROSHI_FLOWS_SAMPLING": "127.0.0.0/8=100!",
      "NOROSHI_FLOWS_RETENTION_DAYS": String(retentionDays),
      "NOROSHI_FLOWS_RETENTION_GIGABYTES": String(retentionGigabytes),
      "NOROSHI_PORTAL_PORT": "0", "NOROSHI_METRICS_OPEN": "yes",
    ]
    return flows.merging(settings) { _, own in own }
  }

  private func process(_ arguments: [String], output: URL) throws -> Process {
    let process = Process()
    process.executableURL = URL(filePath: builtProgram)
    process.arguments = arguments
    process.environment = environment
    if arguments.first == "init" { process.environment?["NOROSHI_CONFIG"] = nil }
    process.standardInput = FileHandle.nullDevice
    // A file, as a full pipe would stop the program.
    _ = FileManager.default.createFile(atPath: output.path, contents: nil)
    let handle = try FileHandle(forWritingTo: output)
    process.standardOutput = handle
    process.standardError = handle
    try process.run()
    return process
  }

  /// What a run of the program wrote; it must succeed.
  @discardableResult
  func run(_ arguments: String...) throws -> String {
    let (status, text) = try finish(arguments)
    try #require(status == 0, "\(arguments.joined(separator: " ")): \(text)")
    return text
  }

  /// What a run of the program wrote that must not succeed.
  func refused(_ arguments: String...) throws -> String {
    let (status, text) = try finish(arguments)
    try #require(status != 0, "\(arguments.joined(separator: " ")): \(text)")
    return text
  }

  private func finish(_ arguments: [String]) throws -> (status: Int32, text: String) {
    let output = URL(filePath: path + ".\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: output) }
    let process = try process(arguments, output: output)
    process.waitUntilExit()
    return (process.terminationStatus, try String(contentsOf: output, encoding: .utf8))
  }

  /// Starts `serve` and waits for its portal: the address of it.
  func serve() async throws -> String {
    let log = URL(filePath: path + "/serve.log")
    let server = try process(["serve", "--data", path], output: log)
    self.server = server
    let mark = "The portal listens on "
    var address: String?
    try await wait("the portal") {
      let text = try String(contentsOf: log, encoding: .utf8)
      try #require(server.isRunning, "\(text)")
      address = text.split(separator: "\n")
        .first { $0.hasPrefix(mark) }.map { String($0.dropFirst(mark.count).dropLast()) }
      return address != nil
    }
    return try #require(address)
  }

  /// Stops `serve` as systemd does: its exit code.
  func stop() -> Int32? {
    server?.terminate()
    server?.waitUntilExit()
    defer { server = nil }
    return server?.terminationStatus
  }

  /// Asks again and again, for two minutes at most.
  func wait(_ what: String, until isDone: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(120)
    while try await !isDone() {
      try #require(ContinuousClock.now < deadline, "\(what) did not come")
      try await Task.sleep(for: .milliseconds(50))
    }
  }

  /// A UDP port of the loopback address that nobody has.
  private static func freePort() -> UInt16 {
    let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        _ = bind(descriptor, $0, length)
        _ = getsockname(descriptor, $0, &length)
      }
    }
    return UInt16(bigEndian: address.sin_port)
  }
}
