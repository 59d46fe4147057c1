import ArgumentParser

struct GeoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "geo",
    abstract: "Countries and AS numbers of addresses.",
    subcommands: [GeoImport.self, GeoLookup.self, GeoStatus.self])
}
