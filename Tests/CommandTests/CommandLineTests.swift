import ArgumentParser
import Foundation
import Testing

@testable import noroshi

/// What a run of the program came to.
private struct Outcome {
  let code: Int32
  let output: String
  let error: String
}

/// The program that was built beside the tests.
private let program = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
  .appending(path: "noroshi").path
private let isBuilt = FileManager.default.isExecutableFile(atPath: program)

// Swift Testing has an ExitStatus too.
private typealias Status = noroshi.ExitStatus

private let root = URL(filePath: #filePath).resolvingSymlinksInPath()
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

/// A data directory that goes with the test.
private final class House {
  let path = FileManager.default.temporaryDirectory
    .appending(path: "noroshi-house-\(UUID().uuidString)").path

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func run(_ arguments: String..., environment: [String: String] = [:]) throws -> Outcome {
    try run(arguments, environment: environment)
  }

  func run(_ arguments: [String], environment: [String: String] = [:]) throws -> Outcome {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    var variables = ["PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "NO_COLOR": "1"]
    variables.merge(environment) { $1 }
    process.environment = variables
    process.standardInput = FileHandle.nullDevice
    // Files, as a full pipe would stop the program.
    let folder = FileManager.default.temporaryDirectory
    let files = [folder, folder].map { $0.appending(path: "noroshi-\(UUID().uuidString)") }
    for file in files { _ = FileManager.default.createFile(atPath: file.path, contents: nil) }
    defer { for file in files { try? FileManager.default.removeItem(at: file) } }
    process.standardOutput = try FileHandle(forWritingTo: files[0])
    process.standardError = try FileHandle(forWritingTo: files[1])
    try process.run()
    process.waitUntilExit()
    return Outcome(
      code: process.terminationStatus, output: try String(contentsOf: files[0], encoding: .utf8),
      error: try String(contentsOf: files[1], encoding: .utf8))
  }

  func make() throws {
    let outcome = try run(
      ["init", path], environment: ["NOROSHI_PASSWORD": "correct horse battery"])
    try #require(outcome.code == 0)
  }
}

@Suite("The help")
struct HelpTests {
  private static func all(
    _ command: any ParsableCommand.Type, _ path: [String] = []
  ) -> [(path: [String], command: any ParsableCommand.Type)] {
    let name = path + [command._commandName]
    return [(name, command)] + command.configuration.subcommands.flatMap { all($0, name) }
  }

  @Test("every command says in a sentence what it does, and its help can be printed")
  func abstracts() {
    let commands = Self.all(Noroshi.self)
    #expect(commands.count > 50)
    for (path, command) in commands {
      let name = path.joined(separator: " ")
      #expect(command.configuration.abstract.hasSuffix("."), "\(name)")
      let help = Noroshi.helpMessage(for: command)
      #expect(help.contains("USAGE: noroshi"), "\(name)")
    }
    #expect(Set(commands.map { $0.path.joined(separator: " ") }).count == commands.count)
  }

  @Test("the exit codes of the help and of docs/operating.md are those of the program")
  func exitCodes() throws {
    let document = try String(contentsOfFile: root + "/docs/operating.md", encoding: .utf8)
    // The help is wrapped to lines.
    let help = Noroshi.helpMessage().split { $0.isWhitespace }.joined(separator: " ")
    for status in Status.allCases {
      #expect(document.contains("| \(status.rawValue) | \(status.meaning) |"))
      #expect(help.contains(" \(status.rawValue) "))
    }
  }

  @Test("completions are made for every shell", arguments: [CompletionShell.bash, .zsh, .fish])
  func completions(shell: CompletionShell) {
    #expect(Noroshi.completionScript(for: shell).contains("telescope"))
  }
}

@Suite("The command line", .enabled(if: isBuilt, "the program was not built beside the tests"))
struct CommandLineTests {
  @Test("init makes a private house once, and changes nothing the second time")
  func initialisation() throws {
    let house = House()
    let first = try house.run(
      "init", house.path, "--network", "192.0.2.0/24",
      environment: ["NOROSHI_PASSWORD": "correct horse battery"])
    #expect(first.code == 0)
    #expect(first.error.isEmpty)
    let mode = try FileManager.default.attributesOfItem(atPath: house.path)[.posixPermissions]
    #expect((mode as? NSNumber)?.intValue == 0o700)
    let configuration = try String(contentsOfFile: house.path + "/noroshi.yaml", encoding: .utf8)
    let again = try house.run("init", house.path)
    #expect(again.code == 0)
    #expect(again.output.contains("kept      accounts"))
    #expect(
      try String(contentsOfFile: house.path + "/noroshi.yaml", encoding: .utf8) == configuration)
    let check = try house.run("config", "check", "--data", house.path)
    #expect(check.code == 0)
    #expect(check.output.contains("is right"))
    let shown = try house.run(
      "config", "show", "--set-only", "--format", "csv", "--data", house.path)
    #expect(shown.output.contains("telescope.networks,[192.0.2.0/24],"))
  }

  @Test("without a password one is made and shown")
  func generatedPassword() throws {
    let house = House()
    let outcome = try house.run("init", house.path)
    #expect(outcome.output.contains("password"))
    let set = try house.run("user", "set-password", "administrator", "--data", house.path)
    #expect(set.output.hasPrefix("Password: "))
  }

  @Test("a wrong configuration is refused with its place and exit code 78")
  func wrongConfiguration() throws {
    let house = House()
    try house.make()
    let path = house.path + "/noroshi.yaml"
    try "dataDirectory: .\nportal:\n  prot: 1\n".write(
      toFile: path, atomically: true, encoding: .utf8)
    let outcome = try house.run("org", "list", "--data", house.path)
    #expect(outcome.code == Status.badConfiguration.rawValue)
    #expect(outcome.error.contains("noroshi.yaml:3: portal.prot: there is no such key"))
    #expect(outcome.error.contains("portal.port"))
    let variable = try house.run("config", "check", environment: ["NOROSHI_NONSENSE": "1"])
    #expect(variable.code == Status.badConfiguration.rawValue)
  }

  @Test("each kind of mistake has its exit code, and a sentence")
  func exitCodes() throws {
    let house = House()
    try house.make()
    let data = house.path
    let expectations: [(Status, [String])] = [
      (.usage, ["nonsense"]),
      (.usage, ["case", "list", "--filter", "state", "--data", data]),
      (.usage, ["org", "add", "Not Valid", "--data", data]),
      (.usage, ["audit", "list", "--columns", "nonsense", "--data", data]),
      (.noInput, ["audit", "list", "--data", data + "/nowhere"]),
      (.noInput, ["telescope", "read", "nowhere.pcap", "--data", data]),
      (.noInput, ["case", "close", "C-2026-000001", "--reason", "x", "--data", data]),
      (.badData, ["org", "show", "nobody", "--data", data]),
      (.badData, ["case", "list", "--filter", "nonsense=1", "--data", data]),
      (.badData, ["geo", "import", root + "/README.md", "--data", data]),
      (.badData, ["anonymise", root + "/README.md", "--output", data + "/x.pcap"]),
      (.negative, ["org", "lookup", "192.0.2.1", "--data", data]),
      (.cannotCreate, ["backup", data, "--data", data]),
      (.unavailable, ["geo", "lookup", "192.0.2.1", "--data", data]),
    ]
    for (status, arguments) in expectations {
      let outcome = try house.run(arguments)
      #expect(outcome.code == status.rawValue, "\(arguments.joined(separator: " "))")
      #expect(status == .negative || !outcome.error.isEmpty)
    }
  }

  @Test("organisations are added, changed, found by address and removed, and all is on record")
  func organisations() throws {
    let house = House()
    try house.make()
    func org(_ arguments: String...) throws -> Outcome {
      try house.run(["org"] + arguments + ["--data", house.path])
    }
    #expect(
      try org(
        "add", "example-isp", "--name", "Example ISP", "--prefix", "203.0.113.0/24", "--mail",
        "abuse@isp.example"
      ).code == 0)
    #expect(try org("add", "example-isp").code != 0)
    #expect(try org("prefix", "add", "example-isp", "2001:db8::/32").code == 0)
    #expect(try org("lookup", "2001:db8::1").output.contains("example-isp"))
    #expect(try org("set", "example-isp", "--interval", "weekly", "--name-ja", "例示").code == 0)
    let shown = try org("show", "example-isp").output
    #expect(shown.contains("weekly") && shown.contains("例示"))
    #expect(try org("contact", "remove", "example-isp", "abuse@isp.example").code == 0)
    #expect(try org("import", root + "/Demo/constituency.yaml").output.hasPrefix("4 added"))
    #expect(try org("import", root + "/Demo/constituency.yaml").output.hasPrefix("0 added, 0"))
    #expect(try org("lookup", "203.0.113.17").output.contains("minato-city"))
    #expect(try org("remove", "example-isp").code == 0)
    let audit = try house.run("audit", "list", "--format", "csv", "--data", house.path).output
    for action in ["added", "prefix-added", "changed", "contact-removed", "imported", "removed"] {
      #expect(audit.contains("organisation.\(action),"), "\(action)")
    }
    #expect(try house.run("audit", "verify", "--data", house.path).code == 0)
  }

  @Test("a backup is a house of its own, and is refused where something is")
  func backup() throws {
    let house = House()
    try house.make()
    let copy = House()
    #expect(try house.run("backup", copy.path, "--data", house.path).code == 0)
    #expect(try house.run("backup", copy.path, "--data", house.path).code == 73)
    let users = try copy.run("user", "list", "--format", "json", "--data", copy.path)
    #expect(users.output.contains("\"administrator\""))
    #expect(try copy.run("audit", "verify", "--data", copy.path).code == 0)
  }

  @Test("doctor finds what is wrong and says how to put it right")
  func doctor() throws {
    let house = House()
    try house.make()
    let well = try house.run("doctor", "--data", house.path)
    #expect(well.code == 0)
    #expect(well.output.contains("is sound"))
    let ill = try house.run(
      "doctor", "--data", house.path + "/nowhere", "--format", "json",
      environment: ["NOROSHI_TELESCOPE_SURVEY_SCANNERS": "/nowhere/list.json"])
    #expect(ill.code == Status.negative.rawValue)
    let rows = try #require(
      try JSONSerialization.jsonObject(with: Data(ill.output.utf8)) as? [[String: Any]])
    let faults = rows.filter { $0["verdict"] as? String == "fault" }
    #expect(faults.contains { $0["subject"] as? String == "telescope.surveyScanners" })
    #expect(faults.allSatisfy { $0["remedy"] is String })
  }
}

@Suite("From a capture to a notice", .enabled(if: isBuilt))
struct WholePathTests {
  @Test("captures become cases at the right organisation, and notices with exactly those")
  func captureToNotice() throws {
    let house = House()
    let data = ["--data", house.path]
    let made = try house.run(
      [
        "init", house.path, "--network", "192.150.186.0/23", "--network", "198.18.0.0/15",
      ], environment: ["NOROSHI_PASSWORD": "correct horse battery"])
    #expect(made.code == 0)
    #expect(try house.run(["org", "import", root + "/Demo/constituency.yaml"] + data).code == 0)
    let captures = try FileManager.default.contentsOfDirectory(atPath: root + "/Demo/captures")
      .filter { $0.hasSuffix(".pcap") }.map { root + "/Demo/captures/" + $0 }
    #expect(try house.run(["telescope", "read"] + captures + data).code == 0)

    func cases(_ filter: String) throws -> Int {
      let list = try house.run(
        ["case", "list", "--limit", "0", "--format", "csv", "--filter", "kind=infected-host"]
          + ["--filter", filter] + data)
      return list.output.split(separator: "\r\n").count - 1
    }
    // Bots .1 to .31 without the city's .16 to .23; .32 to .47; .48 to .50.
    #expect(try cases("organisation=hinode-net") == 23)
    #expect(try cases("organisation=minato-city") == 8)
    #expect(try cases("organisation=seto-cable") == 16)
    #expect(try cases("organisation=kita-university") == 3)
    #expect(try cases("address=0.0.0.0/0") == 50)

    let victims = try house.run(["telescope", "victims", "--format", "csv"] + data).output
    #expect(victims.contains("202.229.120.98"))
    #expect(victims.split(separator: "\r\n").count == 2)

    #expect(try house.run(["notice", "prepare"] + data).code == 0)
    #expect(try house.run(["notice", "send"] + data).code == 0)
    let notices = try house.run(["notice", "list", "--format", "csv"] + data).output
    #expect(!notices.contains("kita-university"))
    let folder = house.path + "/notices/seto-cable"
    let tables = try FileManager.default.contentsOfDirectory(atPath: folder)
      .filter { $0.hasSuffix(".csv") }
    #expect(tables.count == 1)
    let table = try String(contentsOfFile: folder + "/" + (tables.first ?? ""), encoding: .utf8)
    #expect(table.contains("203.0.113.40") && !table.contains("203.0.113.9"))

    // The same again changes nothing.
    let before = try house.run(["case", "list", "--limit", "0", "--format", "json"] + data).output
    #expect(try house.run(["telescope", "read"] + captures + data).code == 0)
    #expect(
      try house.run(["case", "list", "--limit", "0", "--format", "json"] + data).output == before)
    #expect(try house.run(["notice", "prepare"] + data).output.hasPrefix("No notice is due"))
    #expect(try house.run(["audit", "verify"] + data).code == 0)

    // Observations are forgotten by the configured age, cases are not.
    #expect(try house.run(["forget", "--as-of", "2011-06-01T00:00:00Z"] + data).code == 0)
    let left = try house.run(["telescope", "victims", "--format", "csv"] + data).output
    #expect(!left.contains("202.229.120.98"))
    #expect(
      try house.run(["case", "list", "--limit", "0", "--format", "json"] + data).output
        .contains("202.229.120.98"))
  }
}
