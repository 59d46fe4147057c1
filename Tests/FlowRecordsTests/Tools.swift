import Foundation
import Glibc
import NetworkTypes

@testable import FlowRecords

/// Another program, when it is installed.
struct Tool {
  let path: String

  init?(_ name: String) {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "") + ":/usr/sbin:/sbin"
    let found = folders.split(separator: ":").map { "\($0)/\(name)" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
    guard let found else { return nil }
    path = found
  }

  static func has(_ names: String...) -> Bool { names.allSatisfy { Tool($0) != nil } }

  /// Runs to its end and gives standard output.
  func run(_ arguments: [String]) throws -> String {
    let process = try start(arguments, output: true)
    let output =
      (process.standardOutput as? Pipe)?.fileHandleForReading.readDataToEndOfFile() ?? Data()
    process.waitUntilExit()
    return String(decoding: output, as: UTF8.self)
  }

  /// Starts it, to be stopped by whoever asked.
  func start(_ arguments: [String], output: Bool = false) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.environment = ["TZ": "UTC", "PATH": "/usr/bin:/usr/sbin:/bin:/sbin"]
    process.standardInput = FileHandle.nullDevice
    if output {
      process.standardOutput = Pipe()
    } else {
      process.standardOutput = FileHandle.nullDevice
    }
    process.standardError = FileHandle.nullDevice
    // Threads of Swift's pool block SIGTERM, and a child inherits that: it could not be stopped.
    var none = sigset_t()
    var before = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try process.run()
    return process
  }
}

extension Process {
  /// Asks it to end, and after three seconds makes it.
  func stop() {
    terminate()
    for _ in 0..<60 where isRunning { usleep(50_000) }
    if isRunning { kill(processIdentifier, SIGKILL) }
    waitUntilExit()
  }
}

/// A directory that is removed afterwards.
func withTemporaryDirectory<Result>(_ body: (String) throws -> Result) throws -> Result {
  let url = FileManager.default.temporaryDirectory
    .appendingPathComponent("flows-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: url) }
  return try body(url.path)
}

/// UDP ports that nobody uses, found by asking the kernel for one.
func freePort() throws -> UInt16 {
  let socket = try Socket.receiving(loopback(0), buffer: 1 << 16, isShared: false)
  return socket.localPort
}

func loopback(_ port: UInt16) -> CollectorConfiguration.Endpoint {
  .init(address: IPAddress(v4: 0x7f00_0001), port: port)
}

/// What nfcapd or sfcapd stored of datagrams that were sent to it.
struct NfdumpArchive {
  /// Runs a collector of nfdump while `send` sends to its port, and gives the paths of its files.
  static func collect(
    with collector: String = "nfcapd", options: [String] = [], in directory: String,
    send: (UInt16) throws -> Void
  ) throws -> [String] {
    guard let tool = Tool(collector) else { return [] }
    let port = try freePort()
    let process = try tool.start(
      ["-b", "127.0.0.1", "-p", String(port), "-w", directory, "-B", "4194304"] + options)
    defer { if process.isRunning { process.stop() } }
    waitForListener(port)
    try send(port)
    // It reads what is in the socket's buffer within this time, and writes when it ends.
    usleep(400_000)
    process.stop()
    return try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
      .filter { $0.hasPrefix("nfcapd.") }.map { directory + "/" + $0 }
  }

  static func waitForListener(_ port: UInt16) {
    let needle = ":" + String(format: "%04X", port) + " "
    for _ in 0..<100 {
      let table = (try? String(contentsOfFile: "/proc/net/udp", encoding: .utf8)) ?? ""
      if table.contains(needle) { return usleep(50_000).ignored }
      usleep(50_000)
    }
  }

  static func sendDatagrams(_ payloads: [[UInt8]], to port: UInt16) throws {
    let socket = try Socket.sending(to: loopback(port))
    for payload in payloads {
      _ = send(socket.descriptor, payload, payload.count, 0)
      usleep(2_000)
    }
  }

  /// The flows that `nfdump -I` counts.
  static func count(_ files: [String]) throws -> Int {
    guard let nfdump = Tool("nfdump") else { return 0 }
    var sum = 0
    for file in files {
      for line in try nfdump.run(["-r", file, "-I"]).split(separator: "\n")
      where line.hasPrefix("Flows: ") {
        sum += Int(line.dropFirst(7).trimmingCharacters(in: .whitespaces)) ?? 0
      }
    }
    return sum
  }

  /// The rows of `nfdump -o csv`, by column name.
  static func rows(_ file: String) throws -> [[String: String]] {
    guard let nfdump = Tool("nfdump") else { return [] }
    let lines = try nfdump.run(["-r", file, "-o", "csv"]).split(separator: "\n")
    guard let header = lines.first?.split(separator: ",", omittingEmptySubsequences: false) else {
      return []
    }
    return lines.dropFirst().prefix { !$0.hasPrefix("Summary") }.compactMap { line in
      let cells = line.split(separator: ",", omittingEmptySubsequences: false)
      // Where there are no flows, a sentence says so.
      guard cells.count == header.count else { return nil }
      return Dictionary(
        zip(header, cells).map { (String($0), $1.trimmingCharacters(in: .whitespaces)) },
        uniquingKeysWith: { first, _ in first })
    }
  }
}

extension Int32 {
  fileprivate var ignored: Void { () }
}

extension FlowRecord {
  /// The cells of `nfdump -o csv` that this flow gives.
  var nfdumpCells: [String: String] {
    func clock(_ time: Timestamp) -> String {
      String(Timestamp(seconds: time.seconds).description.prefix(19))
        .replacingOccurrences(of: "T", with: " ")
    }
    func mac(_ value: UInt64) -> String {
      (0..<6).map {
        String(format: "%02x", UInt8(truncatingIfNeeded: value >> (40 - 8 * UInt64($0))))
      }
      .joined(separator: ":")
    }
    func hop(_ address: IPAddress) -> String {
      address.bits == 0 ? "0.0.0.0" : address.description
    }
    let port: String
    switch transport {
    case .icmp, .icmpv6: port = "\(destinationPort)"
    default: port = "\(destinationPort)"
    }
    return [
      "ts": clock(start), "te": clock(end), "sa": source.description,
      "da": destination.description, "sp": "\(sourcePort)", "dp": port,
      "stos": "\(typeOfService)", "ipkt": "\(packets)", "ibyt": "\(bytes)",
      "opkt": "\(reversePackets)", "obyt": "\(reverseBytes)", "in": "\(inputInterface)",
      "out": "\(outputInterface)", "sas": "\(sourceAS)", "das": "\(destinationAS)",
      "smk": "\(sourceMask)", "dmk": "\(destinationMask)", "dtos": "\(postTypeOfService)",
      "dir": "\(direction)", "nh": hop(nextHop), "nhb": hop(bgpNextHop),
      "svln": "\(sourceVLAN)", "dvln": "\(destinationVLAN)", "ismc": mac(sourceMAC),
      "odmc": mac(postDestinationMAC), "idmc": mac(destinationMAC), "osmc": mac(postSourceMAC),
      "fwd": "\(forwardingStatus)",
    ]
  }
}
