import ArgumentParser
import Portal

struct UserSetPassword: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set-password",
    abstract: "Set a new password, which ends the account's sessions.",
    discussion: """
      The password is asked for, or taken from the variable NOROSHI_PASSWORD; without either one is \
      made, and printed once.
      """)

  @OptionGroup var options: HouseOptions

  @Argument(help: "The account.")
  var name: String

  func run() async throws {
    let house = try options.house()
    let accounts = try house.accounts(try house.store())
    guard try await accounts.account(named: name) != nil else {
      throw CommandFailure(
        "There is no account \(name)", advice: "`noroshi user list` lists them.", status: .badData)
    }
    let (password, isGenerated) = try Password.obtain(for: name)
    try await accounts.setPassword(of: name, to: password)
    Terminal.error.line("The password of \(name) is set.")
    if isGenerated { Terminal.output.line("Password: \(password)") }
  }
}
