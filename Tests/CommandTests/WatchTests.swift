import Foundation
import Glibc
import Testing

/// The program that was built beside the tests.
private let program = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
  .appending(path: "noroshi").path

private let captures = URL(filePath: #filePath).resolvingSymlinksInPath()
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  .appending(path: "Demo/captures").path

private func run(_ command: String, _ arguments: [String]) throws -> String {
  let process = Process()
  process.executableURL = URL(filePath: "/usr/bin/env")
  process.arguments = [command] + arguments
  // Not what sets the configuration of whoever runs the tests.
  let environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("NOROSHI_") }
  process.environment = environment.merging(
    [
      "PATH": (environment["PATH"] ?? "") + ":/usr/sbin:/sbin:/usr/bin:/bin",
      "NOROSHI_PASSWORD": "correct horse battery", "NO_COLOR": "1",
    ]) { $1 }
  process.standardInput = FileHandle.nullDevice
  let output = Pipe()
  process.standardOutput = output
  process.standardError = FileHandle.nullDevice
  try process.run()
  let text = output.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  return String(decoding: text, as: UTF8.self)
}

private func has(_ command: String) -> Bool {
  (try? run("sh", ["-c", "command -v \(command)"]))?.isEmpty == false
}

private let canWatch =
  geteuid() == 0 && FileManager.default.isExecutableFile(atPath: program) && has("ip")
  && has("tcpreplay") && (try? run("python3", ["-c", "import pyte; print(1)"])) == "1\n"

/// Runs a command on a pseudo terminal, and shows what a person would see on it (pyte is a terminal
/// emulator). Usage: PROGRAM-OF-THE-TEST JSON; each step waits until a text is on the screen and
/// some seconds more, gives the screen, and then may resize, press, run or signal.
private let terminal = """
  import fcntl, json, os, pty, select, signal, struct, subprocess, sys, termios, time
  import pyte
  spec = json.loads(sys.argv[1])
  def resize(fd, columns, rows):
      fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
  ready, go = os.pipe()
  pid, fd = pty.fork()
  if pid == 0:
      os.environ["TERM"] = "xterm-256color"
      os.read(ready, 1)
      os.execvp(spec["command"][0], spec["command"])
  resize(fd, spec["columns"], spec["rows"])
  os.write(go, b"x")
  before = termios.tcgetattr(fd)[3]
  screen = pyte.Screen(spec["columns"], spec["rows"])
  stream = pyte.ByteStream(screen)
  raw = b""
  def watch(seconds):
      global raw
      end = time.monotonic() + seconds
      while time.monotonic() < end:
          ready, _, _ = select.select([fd], [], [], 0.05)
          if not ready: continue
          try: data = os.read(fd, 65536)
          except OSError: return False
          if not data: return False
          raw += data
          stream.feed(data)
      return True
  def watch_for(text):
      end = time.monotonic() + 90
      while time.monotonic() < end and not any(text in line for line in screen.display):
          if not watch(0.1): return False
      return True
  shots, during = [], None
  for step in spec["steps"]:
      alive = watch_for(step["until"]) and watch(step["wait"])
      shots.append(list(screen.display))
      if not alive: break
      if "resize" in step:
          screen.resize(step["resize"][1], step["resize"][0])
          screen.reset()
          resize(fd, *step["resize"])
      during = termios.tcgetattr(fd)[3]
      if "keys" in step: os.write(fd, step["keys"].encode())
      if "run" in step: subprocess.run(step["run"])
      if "signal" in step: os.kill(pid, step["signal"])
  watch(15)
  _, status = os.waitpid(pid, 0)
  try: after = termios.tcgetattr(fd)[3]
  except termios.error: after = before
  print(json.dumps({
      "shots": shots, "status": os.waitstatus_to_exitcode(status),
      "raw": raw.decode("utf-8", "replace"),
      "wasRaw": bool(during is not None and not during & termios.ICANON),
      "isRestored": bool(after & termios.ICANON and after & termios.ECHO)}))
  """

private struct Seen: Decodable {
  var shots: [[String]]
  var status: Int32
  var raw: String
  var wasRaw: Bool
  var isRestored: Bool
}

/// A house, and a link whose far end is in a network namespace; the dark network is behind us.
private final class Site {
  let house = FileManager.default.temporaryDirectory.appending(
    path: "noroshi-watch-\(UUID().uuidString)"
  ).path
  let near: String
  /// Our end's hardware address, which the tools are told: nobody answers for the dark network.
  let router: String
  private let namespace: String

  init() throws {
    let id = String(UInt16.random(in: .min ... .max), radix: 16)
    near = "nrw\(id)"
    namespace = near
    _ = try run(program, ["init", house])
    for line in [
      "netns add \(namespace)",
      "link add \(near) type veth peer name far netns \(namespace)",
      "addr add 192.0.2.1/30 dev \(near)", "link set \(near) up",
      "-n \(namespace) addr add 192.0.2.2/30 dev far", "-n \(namespace) link set far up",
      "-n \(namespace) link set lo up", "-n \(namespace) route add default via 192.0.2.1",
    ] {
      _ = try run("ip", line.split(separator: " ").map(String.init))
    }
    router = try String(contentsOfFile: "/sys/class/net/\(near)/address", encoding: .utf8)
      .trimmingCharacters(in: .whitespacesAndNewlines)
    _ = try run(
      "ip", ["-n", namespace, "neigh", "replace", "192.0.2.1", "lladdr", router, "dev", "far"])
  }

  deinit {
    _ = try? run("ip", ["link", "del", near])
    _ = try? run("ip", ["netns", "del", namespace])
    try? FileManager.default.removeItem(atPath: house)
  }

  var watch: [String] {
    [program, "telescope", "watch", near, "--network", "198.19.0.0/16", "--data", house]
  }

  /// Whether a program listens on our end: `/proc/net/packet` names the interfaces of packet sockets.
  private static func isListening(_ near: String) -> Bool {
    guard
      let index = try? String(contentsOfFile: "/sys/class/net/\(near)/ifindex", encoding: .utf8),
      let sockets = try? String(contentsOfFile: "/proc/net/packet", encoding: .utf8)
    else { return false }
    let wanted = index.trimmingCharacters(in: .whitespacesAndNewlines)
    return sockets.split(separator: "\n").dropFirst().contains {
      let fields = $0.split(separator: " ")
      return fields.count > 4 && fields[4] == wanted
    }
  }

  /// Sends from the far end, as `sh -c` would, once our end is watched.
  func send(_ command: String) {
    let (near, namespace) = (near, namespace)
    Thread {
      let deadline = Date() + 90
      while !Self.isListening(near), Date() < deadline { usleep(20_000) }
      _ = try? run("ip", ["netns", "exec", namespace, "sh", "-c", command])
    }.start()
  }

  func see(_ steps: String, columns: Int = 110, rows: Int = 40, more: [String] = []) throws -> Seen
  {
    let command = try JSONEncoder().encode(watch + more)
    let spec =
      "{\"command\":\(String(decoding: command, as: UTF8.self)),\"columns\":\(columns),"
      + "\"rows\":\(rows),\"steps\":\(steps)}"
    return try JSONDecoder().decode(
      Seen.self, from: Data(run("python3", ["-c", terminal, spec]).utf8))
  }

  func status() throws -> String {
    try run(program, ["telescope", "status", "--data", house])
  }
}

@Suite(
  "telescope watch", .serialized,
  .enabled(if: canWatch, "needs root, ip, tcpreplay, and Python's pyte"))
struct WatchTests {
  @Test("shows bots and scanners on the whole terminal, follows its size, and gives it back on q")
  func screen() throws {
    let site = try Site()
    site.send(
      "tcpreplay -q -i far --pps 2000 \(captures)/mirai-synthetic-50bots.pcap; "
        + "timeout 6 nmap -n -Pn -sS -p 8443 --send-ip --max-retries 0 --min-rate 500 198.19.7.0/24"
    )
    let seen = try site.see(
      """
      [{"until": "203.0.113.", "wait": 2, "resize": [60, 20]},
       {"until": "noroshi", "wait": 2, "keys": "q"}]
      """)
    let first = try #require(seen.shots.first)
    let text = first.joined(separator: "\n")
    #expect(first[0].hasPrefix("noroshi  \(site.near) → 198.19.0.0/16"))
    #expect(text.contains("dropped by the kernel 0"))
    #expect(first.contains { $0.hasPrefix("syn-scan") })
    #expect(text.contains("mirai"))
    #expect(text.contains("23/tcp"))
    #expect(text.contains("INFECTED HOSTS: ") && text.contains("203.0.113."), "\(text)")
    // The other size: everything is still there, and no line is wrapped.
    let second = try #require(seen.shots.last)
    #expect(second.count == 20 && second[0].hasPrefix("noroshi"))
    #expect(second[4].isEmpty || second[4].allSatisfy { $0 == " " })
    #expect(seen.wasRaw && seen.isRestored)
    #expect(seen.status == 0)
    #expect(seen.raw.contains("\u{1b}[?1049h"))
    // The report comes after the screen was given back.
    let rest = try #require(seen.raw.components(separatedBy: "\u{1b}[?1049l").last)
    #expect(rest.contains("hosts: infected"))
    #expect(seen.raw.contains("\u{1b}[?25h"))
    #expect(!seen.raw.dropFirst(40).contains("\u{1b}[2J"))
  }

  @Test("gives the terminal back on a signal too", arguments: [SIGINT, SIGTERM, SIGHUP])
  func signals(number: Int32) throws {
    let site = try Site()
    let seen = try site.see("[{\"until\": \"noroshi\", \"wait\": 0.5, \"signal\": \(number)}]")
    #expect(seen.status == 0)
    #expect(seen.wasRaw && seen.isRestored)
    #expect(seen.raw.contains("\u{1b}[?1049l"))
  }

  @Test("gives the terminal back when the interface goes away")
  func error() throws {
    let site = try Site()
    let seen = try site.see(
      """
      [{"until": "noroshi", "wait": 0.5, "run": ["ip", "link", "del", "\(site.near)"]}]
      """)
    #expect(seen.isRestored)
    #expect(seen.status != 0)
    let rest = try #require(seen.raw.components(separatedBy: "\u{1b}[?1049l").last)
    #expect(rest.contains("noroshi:"))
  }

  @Test("writes lines where there is no terminal, and knows the scanners by their packets")
  func lines() throws {
    let site = try Site()
    let scans = [
      "hping3 -q -S -p 445 -c 300 -i u2000 --rand-dest 198.19.9.x -I far",
      "masscan 198.19.10.0/25 -p8080 --rate 1000 --wait 0 --adapter far --adapter-ip 192.0.2.2 "
        + "--router-mac \(site.router)",
      "zmap -q -p 5555 -r 1000 -i far -S 192.0.2.2 -G \(site.router) -b /dev/null -c 0 "
        + "-o /dev/null 198.19.11.0/25",
    ].filter { has(String($0.prefix { $0 != " " })) }
    site.send(scans.map { "timeout 5 \($0)" }.joined(separator: "; "))
    let output = try run(
      site.watch[0], Array(site.watch.dropFirst()) + ["--seconds", "20", "--every", "1"])
    let lines = output.split(separator: "\n")
    #expect(lines.count { $0.contains(" \(site.near): ") } >= 10)
    #expect(!output.contains("\u{1b}"))
    #expect(lines.contains { $0.contains("syn-scan") })
    let tools = try run(
      program, ["telescope", "events", "--data", site.house, "--format", "csv", "--limit", "0"])
    for (tool, port) in [("hping3", 445), ("masscan", 8080), ("zmap", 5555)]
    where scans.contains(where: { $0.hasPrefix(tool) }) {
      #expect(
        tools.split(separator: "\r\n").contains {
          $0.contains(",\(port),") && $0.lowercased().contains(tool)
        }, "\(tool)")
    }
  }

  @Test("what was stored along the way outlives a kill")
  func killed() throws {
    let site = try Site()
    site.send(
      "tcpreplay -q -i far --pps 2000 \(captures)/mirai-synthetic-50bots.pcap")
    let seen = try site.see(
      "[{\"until\": \"203.0.113.\", \"wait\": 6, \"signal\": \(SIGKILL)}]",
      more: ["--save-every", "2"])
    #expect(seen.status == -SIGKILL)
    let status = try site.status()
    let packets = status.split(separator: "\n").first { $0.hasPrefix("packets") }
    #expect(packets.map { !$0.hasSuffix(" 0") } == true)
    let hosts = try run(
      program,
      [
        "telescope", "hosts", "--data", site.house, "--filter", "verdict=infected", "--format",
        "csv",
      ])
    #expect(hosts.contains("203.0.113."))
  }
}
