import ArgumentParser
import Constituency

struct OrgRemove: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove",
    abstract: "Remove an organisation; its cases stay as they are.")

  @OptionGroup var options: HouseOptions

  @Argument(help: "The organisation, by its identifier.")
  var id: String

  func run() throws {
    let house = try options.house()
    try house.requireOrganisation(id)
    try house.editConstituency(action: "organisation.removed", subject: id) { try $0.remove(id) }
    Terminal.error.line("\(id) is removed.")
  }
}
