import ArgumentParser

struct TelescopeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "telescope",
    abstract: "Observe unused address space: scanners, infected hosts, victims, campaigns.",
    subcommands: [
      TelescopeRead.self, TelescopeWatch.self, TelescopeTop.self, TelescopeHosts.self,
      TelescopeEvents.self, TelescopeVictims.self, TelescopeAlerts.self, TelescopeCampaigns.self,
      TelescopeStatus.self, TelescopeExport.self, FingerprintsCommand.self,
    ])
}
