import Foundation
import FoundationNetworking
import Glibc
import NetworkTypes
import Synchronization
import Testing
import TrustServices

@testable import noroshi

/// The program that was built beside the tests.
private let program = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
  .appending(path: "noroshi").path

/// Counts across tasks.
private final class Counter: Sendable {
  private let count = Mutex(0)
  var value: Int { count.withLock { $0 } }
  func add() { count.withLock { $0 += 1 } }
}

/// A data directory with a certificate authority and a time-stamp unit, and at most one server.
final class StampHouse {
  /// Whether there is a program to be tried.
  static var isBuilt: Bool { FileManager.default.isExecutableFile(atPath: program) }

  let path = FileManager.default.temporaryDirectory
    .appending(path: "noroshi-stamps-\(UUID().uuidString)").path
  private(set) var server: Process?
  private(set) var url = ""
  /// More variables for the program.
  var settings: [String: String] = [:]

  /// - Parameter passphrase: encrypts the keys, which costs the better part of a second at each start.
  init(passphrase: String? = nil) throws {
    if let passphrase { settings["NOROSHI_PASSPHRASE"] = passphrase }
    try run("init", path)
    try run("ca", "init", "--key", "p256", "--name", "Test root", "--base", "http://127.0.0.1/ca")
    try run("tsa", "init", "--name", "Test unit")
  }

  deinit {
    if let server, server.isRunning {
      kill(server.processIdentifier, SIGKILL)
      server.waitUntilExit()
    }
    try? FileManager.default.removeItem(atPath: path)
  }

  private func process(_ arguments: [String], output: URL) throws -> Process {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    process.environment = [
      "PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "NO_COLOR": "1",
      "NOROSHI_PASSWORD": "correct horse battery", "NOROSHI_CONFIG": path + "/noroshi.yaml",
    ]
    if arguments.first == "init" { process.environment?["NOROSHI_CONFIG"] = nil }
    for (name, value) in settings { process.environment?[name] = value }
    process.standardInput = FileHandle.nullDevice
    _ = FileManager.default.createFile(atPath: output.path, contents: nil)
    let handle = try FileHandle(forWritingTo: output)
    process.standardOutput = handle
    process.standardError = handle
    try process.run()
    return process
  }

  /// What a run of the program wrote, with its exit code.
  @discardableResult
  func run(_ arguments: String..., expecting code: Int32 = 0) throws -> String {
    try run(arguments, expecting: code)
  }

  @discardableResult
  func run(_ arguments: [String], expecting code: Int32 = 0) throws -> String {
    let output = URL(filePath: path + ".\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: output) }
    let process = try process(arguments, output: output)
    process.waitUntilExit()
    let text = try String(contentsOf: output, encoding: .utf8)
    try #require(
      process.terminationStatus == code, "\(arguments.joined(separator: " ")): \(text)")
    return text
  }

  /// Starts the server and waits until it answers.
  func serve(_ arguments: [String]) async throws {
    let log = URL(filePath: path + "/serve.log")
    let server = try process(arguments, output: log)
    self.server = server
    let deadline = ContinuousClock.now + .seconds(240)
    while ContinuousClock.now < deadline {
      let text = try String(contentsOf: log, encoding: .utf8)
      try #require(server.isRunning, "\(text)")
      if let line = text.split(separator: "\n").first(where: { $0.contains("http://127") }),
        let start = line.range(of: "http://")?.lowerBound
      {
        url = String(line[start...].dropLast())
        return
      }
      try await Task.sleep(for: .milliseconds(50))
    }
    throw CommandFailure("the server does not start")
  }

  func kill9() {
    guard let server else { return }
    kill(server.processIdentifier, SIGKILL)
    server.waitUntilExit()
  }

  func stamp(_ content: [UInt8]) async throws -> TimeStampToken {
    try await Self.stamp(content, at: url)
  }

  static func stamp(_ content: [UInt8], at url: String) async throws -> TimeStampToken {
    let sent = TimeStampRequest(MessageImprint(.sha256, of: content))
    var request = URLRequest(url: try #require(URL(string: url)))
    request.httpMethod = "POST"
    request.timeoutInterval = 60
    request.setValue("application/timestamp-query", forHTTPHeaderField: "Content-Type")
    request.httpBody = Data(sent.encoded)
    let (data, _) = try await URLSession.shared.data(for: request)
    let token = try TimeStampResponse(encoded: Array(data)).granted()
    try token.checkAnswers(sent)
    return token
  }

  /// A file below the data directory.
  func file(_ name: String, _ content: some Sequence<UInt8> = []) throws -> String {
    let file = path + "/" + name
    try Data(content).write(to: URL(filePath: file))
    return file
  }
}

@Suite("noroshi tsa and noroshi ca", .enabled(if: StampHouse.isBuilt), .serialized)
struct TimeStampServeTests {
  @Test("a file is stamped, verified and proven; another file is not")
  func round() async throws {
    let house = try StampHouse()
    let file = try house.file("report.txt", "content".utf8)
    try await house.serve(["tsa", "serve", "--trust-clock", "--listen", "127.0.0.1:0"])
    try house.run("tsa", "stamp", file, "--url", house.url, "--hash", "sha3-256")
    #expect(try house.run("tsa", "verify", file).contains("The stamp holds"))
    #expect(
      try house.run("tsa", "prove", file + ".tsr", "--url", house.url).contains("record 0 of 1"))
    let key = try house.file("key")
    try house.run("tsa", "status", "--url", house.url)
    let other = try house.file("other.txt", "other".utf8)
    try house.run("tsa", "verify", other, "--stamp", file + ".tsr", expecting: 2)
    try house.run("tsa", "verify", file, "--anchors", key, expecting: 2)
    // The log of another key proves nothing.
    let stranger = try LogSigner(name: "noroshi/tsa", key: FileKey.generate(.ed25519)).verifier
    try house.run(
      "tsa", "prove", file + ".tsr", "--url", house.url, "--log-key", "\(stranger)", expecting: 2)
    try house.run("tsa", "request", file)
    #expect(FileManager.default.fileExists(atPath: file + ".tsq"))
    #expect(try house.run("audit", "list", "--format", "csv").contains("tsa.initialised"))
  }

  @Test("after kill -9 under load no serial number comes twice, and every stamp is in the journal")
  func killed() async throws {
    let house = try StampHouse()
    var tokens: [TimeStampToken] = []
    for _ in 0..<3 {
      try await house.serve(["tsa", "serve", "--trust-clock", "--listen", "127.0.0.1:0"])
      let url = house.url
      let count = Counter()
      tokens += await withTaskGroup(of: [TimeStampToken].self) { group in
        for task in 0..<24 {
          group.addTask {
            var list: [TimeStampToken] = []
            // Until the server is gone.
            while let token = try? await StampHouse.stamp(
              Array("\(task) \(list.count)".utf8), at: url)
            {
              list.append(token)
              count.add()
            }
            return list
          }
        }
        while count.value < 200, house.server?.isRunning == true {
          try? await Task.sleep(for: .milliseconds(5))
        }
        house.kill9()
        var all: [TimeStampToken] = []
        for await list in group { all += list }
        return all
      }
    }
    #expect(tokens.count >= 600)
    #expect(Set(tokens.map(\.info.serialNumber)).count == tokens.count)
    let text = try house.run("tsa", "audit")
    #expect(text.contains("stands as it was written"))
    let reader = try JournalReader(folder: house.path + "/tsa/journal")
    var logged: Set<[UInt8]> = []
    for index in 0..<reader.size {
      if case .stamp(_, _, let hash, _)? = TimeStampEntry(try reader.record(index)) {
        logged.insert(hash)
      }
    }
    for token in tokens { #expect(logged.contains(HashAlgorithm.sha256.hash(token.encoded))) }
    #expect(logged.count == Int(reader.size))
  }

  @Test("an audit finds a journal that was cut, edited or rewritten")
  func attacked() async throws {
    let house = try StampHouse()
    try await house.serve(["tsa", "serve", "--trust-clock", "--listen", "127.0.0.1:0"])
    for number in 0..<20 { _ = try await house.stamp([UInt8(number)]) }
    let seen = house.path + "/seen"
    try house.run("tsa", "audit", "--url", house.url, "--state", seen)
    for number in 0..<5 { _ = try await house.stamp([UInt8(number)]) }
    #expect(
      try house.run("tsa", "audit", "--url", house.url, "--state", seen).contains("25"))
    house.kill9()
    let files = FileManager.default
    let journal = house.path + "/tsa/journal"
    let kept = house.path + "/kept"
    try files.copyItem(atPath: journal, toPath: kept)
    func restore() throws {
      try files.removeItem(atPath: journal)
      try files.copyItem(atPath: kept, toPath: journal)
    }
    // Edited in place.
    let records = URL(filePath: journal + "/records")
    var octets = try Data(contentsOf: records)
    octets[octets.count / 2] ^= 1
    try octets.write(to: records)
    try house.run("tsa", "audit", expecting: 2)
    try restore()
    // Cut: everything, the derived files too, as a clean shorter log.
    let reader = try JournalReader(folder: kept)
    try files.removeItem(atPath: journal)
    do {
      let shorter = try Journal(folder: journal)
      for index in 0..<15 { _ = try await shorter.append(try reader.record(UInt64(index))) }
    }
    #expect(
      try house.run("tsa", "audit", "--state", seen, expecting: 2).contains("was cut off"))
    // Without memory it looks fine: that is why the head has to be kept elsewhere.
    try house.run("tsa", "audit")
    // Rewritten with other content and grown beyond what was seen.
    try files.removeItem(atPath: journal)
    do {
      let forged = try Journal(folder: journal)
      for index in 0..<reader.size where index != 3 {
        _ = try await forged.append(try reader.record(index))
      }
      for number in 0..<9 {
        let entry = TimeStampEntry.stamp(
          serialNumber: [1, UInt8(number)], genTime: House.now,
          tokenHash: MerkleTree.leafHash([UInt8(number)]), clockRecord: nil)
        _ = try await forged.append(entry.encoded)
      }
    }
    #expect(
      try house.run("tsa", "audit", "--state", seen, expecting: 2).contains("does not continue"))
  }

  @Test("without clock sources that agree nothing is stamped, and status says why")
  func clockless() async throws {
    let house = try StampHouse()
    let file = try house.file("a", [1])
    let text = try house.run("tsa", "stamp", file, expecting: 1)
    #expect(text.contains("timeNotAvailable"))
    #expect(try house.run("tsa", "status", expecting: 2).contains("have to"))
  }

  @Test("noroshi serve stamps at /tsa, and publishes what the CA has")
  func portal() async throws {
    let house = try StampHouse()
    house.settings = [
      "NOROSHI_TSA_ENABLED": "yes", "NOROSHI_TSA_CLOCK_GUARDED": "no", "NOROSHI_CA_PUBLISH": "yes",
      "NOROSHI_METRICS_OPEN": "yes", "NOROSHI_PORTAL_PORT": "\(Int.random(in: 20_000...32_000))",
    ]
    try await house.serve(["serve"])
    // "The portal listens on http://…": the address of the portal, without /tsa.
    let base = house.url
    let file = try house.file("a", [1])
    try house.run("tsa", "stamp", file, "--url", base + "/tsa")
    try house.run("tsa", "verify", file)
    try house.run("tsa", "prove", file + ".tsr", "--url", base + "/tsa")
    // Without a URL, the running server is asked.
    try house.run("tsa", "stamp", file)
    let (list, _) = try await URLSession.shared.data(
      from: try #require(URL(string: base + "/ca/crl")))
    _ = try CertificateRevocationList(derEncoded: Array(list))
    let (metrics, _) = try await URLSession.shared.data(
      from: try #require(URL(string: base + "/metrics")))
    #expect(String(decoding: metrics, as: UTF8.self).contains("noroshi_tsa_stamps_total 2"))
  }

  @Test("certificates are issued, listed and revoked, and openssl agrees")
  func authority() throws {
    let house = try StampHouse(passphrase: "open sesame")
    let seal = house.path + "/seal"
    try house.run(
      "ca", "issue", "seal", "--organisation", "国税庁", "--corporate-number", "7000012050002",
      "--output", seal)
    try house.run(
      "ca", "issue", "seal", "--organisation", "国税庁", "--corporate-number", "7000012050003",
      "--output", seal + "2", expecting: 64)
    try house.run("ca", "issue", "server", "--dns", "a.example", "--output", house.path + "/web")
    let listed = try house.run("ca", "list", "--format", "csv")
    #expect(listed.contains("NTRJP-7000012050002") && listed.contains("a.example"))
    #expect(try String(contentsOfFile: seal + ".key", encoding: .utf8).contains("ENCRYPTED"))
    try house.run("ca", "revoke", seal + ".pem", "--reason", "keyCompromise")
    try house.run("ca", "revoke", seal + ".pem", expecting: 1)
    #expect(try house.run("ca", "list").contains("revoked (keyCompromise)"))
    let list = try CertificateRevocationList(
      derEncoded: Array(try Data(contentsOf: URL(filePath: house.path + "/ca/crl.der"))))
    #expect(list.entries.count == 1 && list.number == [2])
    #expect(try house.run("audit", "list", "--format", "csv").contains("certificate.revoked"))
  }
}
