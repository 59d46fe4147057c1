import ArgumentParser
import Portal

struct UserDisable: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "disable",
    abstract: "Keep an account from signing in, at once; what it did stays on record.")

  @OptionGroup var options: HouseOptions

  @Argument(help: "The account.")
  var name: String

  func run() async throws {
    let house = try options.house()
    try await house.accounts(try house.store()).setDisabled(true, name: name)
    Terminal.error.line("\(name) can no longer sign in; `noroshi user enable \(name)` undoes it.")
  }
}

struct UserEnable: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "enable", abstract: "Let a disabled account sign in again.")

  @OptionGroup var options: HouseOptions

  @Argument(help: "The account.")
  var name: String

  func run() async throws {
    let house = try options.house()
    try await house.accounts(try house.store()).setDisabled(false, name: name)
    Terminal.error.line("\(name) can sign in again.")
  }
}
