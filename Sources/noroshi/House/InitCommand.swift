import ArgumentParser
import Constituency
import Foundation
import Portal
import Settings
import Store

struct InitCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init",
    abstract: "Make a data directory: configuration, constituency, database, administrator.",
    discussion: """
      What is there already stays as it is, so that it may be run again. The administrator's password \
      is asked for, or taken from the variable NOROSHI_PASSWORD; without either one is made, and printed \
      once.

      Examples:
        noroshi init /var/lib/noroshi
        noroshi init ./tower --network 192.0.2.0/24 --network 198.51.100.0/24
      """)

  @Argument(help: "The directory.", completion: .directory)
  var directory = "."

  @Option(name: .long, help: "The name of the first administrator.")
  var administrator = "administrator"

  @Option(
    name: .long,
    help: ArgumentHelp(
      "A dark network, for telescope.networks. May be given several times.", valueName: "prefix"))
  var network: [String] = []

  func run() async throws {
    for text in network where DarkNetwork.read(text, base: "/") == nil {
      throw ValidationError("--network “\(text)”: expected \(DarkNetwork.expectation).")
    }
    try makeDirectory()
    try write("noroshi.yaml", configurationText())
    try write("constituency.yaml", Self.constituencyText)
    let options = try HouseOptions.parse(["--data", directory])
    let house = try options.house()
    let store = try house.openStore()
    try FileManager.default.createDirectory(
      atPath: house.data.notices, withIntermediateDirectories: true,
      attributes: [.posixPermissions: 0o700])
    said("database", "noroshi.sqlite")
    try await makeAdministrator(house, store)
    Terminal.output.line(
      """

      Next\(directory == "." ? "" : ", in \(directory)"):
        edit noroshi.yaml           your dark networks, your name, your mail server
        noroshi doctor              what is missing on this machine
        noroshi geo import          countries and AS numbers
        noroshi org add …           who answers for which network
        noroshi telescope read …    captures of your dark networks
        noroshi serve               the portal
      """)
  }

  private func makeDirectory() throws {
    let files = FileManager.default
    var isDirectory: ObjCBool = false
    if files.fileExists(atPath: directory, isDirectory: &isDirectory) {
      guard isDirectory.boolValue else {
        throw CommandFailure(
          "\(directory) is a file", advice: "Name a directory.", status: .cannotCreate)
      }
      return
    }
    do {
      try files.createDirectory(
        atPath: directory, withIntermediateDirectories: true,
        attributes: [.posixPermissions: 0o700])
    } catch {
      throw CommandFailure(
        "\(directory) cannot be made: \(error.localizedDescription)", status: .cannotCreate)
    }
    said("directory", directory)
  }

  /// Writes a file that does not exist yet.
  private func write(_ name: String, _ text: String) throws {
    let path = directory + "/" + name
    guard !FileManager.default.fileExists(atPath: path) else {
      Terminal.output.line("kept      \(name)")
      return
    }
    try DurableFile.write(text.utf8, to: path)
    said("made", name)
  }

  private func said(_ what: String, _ name: String) {
    Terminal.output.line(what.padding(toLength: 10, withPad: " ", startingAt: 0) + name)
  }

  private func configurationText() -> String {
    var values = ["dataDirectory": "."]
    if !network.isEmpty {
      values["telescope.networks"] =
        "[" + network.map { "\"\($0)\"" }.joined(separator: ", ") + "]"
    }
    return ConfigurationReference.sample(
      values: values,
      heading: """
        Noroshi's configuration. A key with a # before it has its default; remove the # to set it.
        Each key can be set by an environment variable too: NOROSHI_PORTAL_PORT for portal.port.
        `noroshi config check` says what is wrong, `noroshi config show` what counts.
        """)
  }

  /// An example that is not in force: every line of it is a comment.
  private static let constituencyText = """
    # Who answers for which addresses, and how they are told. `noroshi org add` adds to this file (and
    # writes it anew, without these comments); `noroshi org lookup ADDRESS` says who it gives.
    #
    # organisations:
    #   - id: example-isp
    #     name: Example ISP
    #     nameJa: 例示インターネット
    #     roles: [isp]
    #     prefixes: ["203.0.113.0/24", "2001:db8::/32"]
    #     asns: [64500]
    #     language: ja
    #     contacts:
    #       - name: Abuse desk
    #         email: abuse@isp.example
    #         role: abuse
    #     delivery:
    #       formats: [mail, csv, xarf]
    #       channels: [directory, smtp]
    #       interval: 86400
    organisations: []

    """

  private func makeAdministrator(_ house: House, _ store: DataStore) async throws {
    let accounts = try house.accounts(store)
    guard try await accounts.all().isEmpty else {
      Terminal.output.line("kept      accounts")
      return
    }
    let (password, isGenerated) = try Password.obtain(for: administrator)
    try await accounts.create(name: administrator, password: password, role: .administrator)
    said("account", "\(administrator) (administrator)")
    if isGenerated { said("password", "\(password)   (shown only now)") }
  }
}
