import ArgumentParser
import Portal

struct UserAdd: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add",
    abstract: "Make an account.",
    discussion: """
      The password is asked for, or taken from the variable NOROSHI_PASSWORD; without either one is \
      made, and printed once.

      Roles: an administrator may do everything; an analyst sees everything and works on cases; an \
      isp sees the cases and notices of its own organisation, and nothing else.

      Examples:
        noroshi user add hanako --role analyst
        noroshi user add desk@isp.example --role isp --organisation example-isp
      """)

  enum RoleName: String, CaseIterable, ExpressibleByArgument {
    case administrator
    case analyst
    case isp
  }

  @OptionGroup var options: HouseOptions

  @Argument(help: "The name to sign in with: letters, digits, . - _ @.")
  var name: String

  @Option(name: .long, help: "administrator, analyst or isp.")
  var role: RoleName

  @Option(name: .long, help: "The organisation of an isp account, by its identifier.")
  var organisation: String?

  func validate() throws {
    guard (role == .isp) == (organisation != nil) else {
      throw ValidationError(
        role == .isp
          ? "An isp account needs its --organisation."
          : "Only an isp account has an --organisation.")
    }
  }

  func run() async throws {
    let house = try options.house()
    if let organisation { try house.requireOrganisation(organisation) }
    guard let role = Role(name: role.rawValue, organisation: organisation) else {
      throw CommandFailure("There is no role \(role.rawValue)", status: .usage)
    }
    let accounts = try house.accounts(try house.store())
    let (password, isGenerated) = try Password.obtain(for: name)
    try await accounts.create(name: name, password: password, role: role)
    Terminal.error.line("\(name) may sign in as \(role).")
    if isGenerated { Terminal.output.line("Password: \(password)") }
  }
}
