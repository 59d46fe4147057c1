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

  @OptionGroup var networks: OrganisationNetworks

  func run() throws {
    try networks.change("prefix-added", "answers for") { try $0.add($1, to: $2) }
  }
}

struct OrgPrefixRemove: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove", abstract: "Remove networks.")

  @OptionGroup var networks: OrganisationNetworks

  func run() throws {
    try networks.change("prefix-removed", "no longer answers for") { try $0.remove($1, from: $2) }
  }
}

/// The networks that a command gives to an organisation or takes from it.
struct OrganisationNetworks: ParsableArguments {
  @OptionGroup var organisation: OrganisationChange

  @Argument(help: "The networks.")
  var prefixes: [String]

  /// Takes one step with each network; `verb` is what the organisation does with them from now on.
  fileprivate func change(
    _ action: String, _ verb: String,
    _ step: (inout Constituency, IPPrefix, _ id: String) throws -> Void
  ) throws {
    let networks = try prefixes.map(OrganisationFields.prefix)
    let names = networks.map(\.description)
    try organisation.make(
      action, details: ["prefixes": names.joined(separator: " ")],
      done: "\(organisation.id) \(verb) \(names.joined(separator: ", "))."
    ) { constituency in
      for network in networks { try step(&constituency, network, organisation.id) }
    }
  }
}
