import ArgumentParser
import Portal

struct UserList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the accounts.")

  @OptionGroup var options: HouseOptions
  @OptionGroup var list: ListOutput

  func run() async throws {
    let house = try options.house()
    let accounts = try await house.accounts(try house.store()).all()
    try list.write(
      accounts,
      columns: [
        ListColumn("name") { .text($0.name) },
        ListColumn("role") { .text($0.role.name) },
        ListColumn("organisation") { .text($0.role.organisation) },
        ListColumn("created") { .time($0.created) },
        ListColumn("last_sign_in", "LAST SIGN-IN") { .time($0.lastSignIn) },
        ListColumn("disabled") { .flag($0.isDisabled) },
      ], nothing: "There is no account yet; `noroshi user add NAME` makes one.")
  }
}
