import ArgumentParser

struct UserCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "user",
    abstract: "The people who may sign in to the portal.",
    subcommands: [
      UserList.self, UserAdd.self, UserSetPassword.self, UserDisable.self, UserEnable.self,
    ])
}
