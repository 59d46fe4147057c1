import ArgumentParser

struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Look at the configuration.",
    subcommands: [ConfigShow.self, ConfigCheck.self, ConfigReference.self])
}
