import Foundation
import Glibc
import NetworkTypes
import Testing

@testable import Telescope

@Suite("Fingerprints of tools run now")
struct FingerprintFreshCaptureTests {
  private static let missing: String? = {
    if geteuid() != 0 { return "needs root for network namespaces" }
    for tool in ["ip", "tcpdump", "bash"] where !isInstalled(tool) { return "needs \(tool)" }
    let scanners = ["masscan", "zmap", "nmap", "hping3"]
    guard scanners.contains(where: isInstalled) else {
      return "needs one of \(scanners.joined(separator: ", "))"
    }
    // Containers often may not make namespaces, root or not.
    let probe = "nf-probe-\(ProcessInfo.processInfo.processIdentifier)"
    guard run(["ip", "netns", "add", probe]) == 0 else { return "may not make namespaces" }
    return run(["ip", "netns", "del", probe]) == 0 ? nil : "may not delete namespaces"
  }()

  private static func isInstalled(_ tool: String) -> Bool {
    ["/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/", "/usr/local/bin/"]
      .contains { FileManager.default.isExecutableFile(atPath: $0 + tool) }
  }

  /// Runs a command and waits for it.
  ///
  /// Not by Foundation's Process, whose children start with most signals blocked, so that tcpdump
  /// could not be told to end.
  private static func run(_ command: [String]) -> Int32 {
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
    for descriptor: Int32 in 1...2 {
      posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_WRONLY, 0)
    }
    var arguments = command.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var child: pid_t = 0
    guard posix_spawnp(&child, command[0], &actions, &attributes, &arguments, environ) == 0 else {
      return -1
    }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
    return status
  }

  @Test(
    "the installed scanners are named by what they send, and an ordinary connect is not",
    .enabled(if: missing == nil, "\(missing ?? "")"), .timeLimit(.minutes(2)))
  func installedTools() throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "noroshi-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    #expect(
      Self.run(["bash", FingerprintSamples.fixtures + "fresh-captures.sh", folder]) == 0)
    let files = try FileManager.default.contentsOfDirectory(atPath: folder)
      .filter { $0.hasSuffix(".pcap") }.sorted()
    #expect(!files.isEmpty)
    let captures = files.map { file in
      let tool = String(file.prefix { $0 != "-" && $0 != "." })
      return LabelledCapture(
        path: folder + "/" + file, truth: file == "nmap-connect.pcap" ? .none : .tool(tool))
    }
    let evaluation = try FingerprintEvaluation(of: captures, by: FingerprintSamples.matcher)
    for row in evaluation.captures {
      #expect(row.probes >= 20, "\(row.path)")
      #expect(row.missedSources == 0 && row.wrongSources == 0, "\(row.path): \(row.sourcesByTool)")
    }
  }
}
