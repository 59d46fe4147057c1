import ArgumentParser
import Constituency
import NetworkTypes

struct OrgPrefix: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prefix", abstract: "The networks an organisation answers for.",
    subcommands: [OrgPrefixAdd.self, OrgPrefixRemove.self])
}

struct OrgPrefixAdd: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Add networks.")

  @OptionGroup var options: HouseOptions

  @Argument(help: "The organisation, by its identifier.")
  var id: String

  @Argument(help: "The networks.")
  var prefixes: [String]

  func run() throws {
    let house = try options.house()
    try house.requireOrganisation(id)
    let added = try prefixes.map(OrganisationFields.prefix)
    try house.editConstituency(
      action: "organisation.prefix-added", subject: id,
      details: ["prefixes": added.map(\.description).joined(separator: " ")]
    ) { constituency in
      for prefix in added { try constituency.add(prefix, to: id) }
    }
    Terminal.error.line("\(id) answers for \(added.map(\.description).joined(separator: ", ")).")
  }
}

struct OrgPrefixRemove: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove", abstract: "Remove networks.")

  @OptionGroup var options: HouseOptions

  @Argument(help: "The organisation, by its identifier.")
  var id: String

  @Argument(help: "The networks.")
  var prefixes: [String]

  func run() throws {
    let house = try options.house()
    try house.requireOrganisation(id)
    let removed = try prefixes.map(OrganisationFields.prefix)
    try house.editConstituency(
      action: "organisation.prefix-removed", subject: id,
      details: ["prefixes": removed.map(\.description).joined(separator: " ")]
    ) { constituency in
      for prefix in removed { try constituency.remove(prefix, from: id) }
    }
    Terminal.error.line(
      "\(id) no longer answers for \(removed.map(\.description).joined(separator: ", ")).")
  }
}
