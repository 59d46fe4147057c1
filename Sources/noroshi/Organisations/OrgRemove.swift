import ArgumentParser
import Constituency

struct OrgRemove: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove",
    abstract: "Remove an organisation; its cases stay as they are.")

  @OptionGroup var organisation: OrganisationChange

  func run() throws {
    let id = organisation.id
    try organisation.make("removed", done: "\(id) is removed.") { try $0.remove(id) }
  }
}
