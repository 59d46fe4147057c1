import ArgumentParser

struct OrgCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "org",
    abstract: "The organisations: what they answer for, and how they are told.",
    subcommands: [
      OrgList.self, OrgShow.self, OrgAdd.self, OrgSet.self, OrgRemove.self, OrgImport.self,
      OrgLookup.self, OrgContact.self, OrgPrefix.self,
    ])
}
