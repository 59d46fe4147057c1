import ArgumentParser
import Constituency

struct OrgSet: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set",
    abstract: "Change an organisation; what is not named stays as it is.",
    discussion: """
      --role, --prefix and --asn replace the lists; `org prefix add` and `org contact add` add to them.

      Examples:
        noroshi org set example-isp --interval weekly --formats mail,csv,xarf
        noroshi org set example-isp --no-notify
      """)

  @OptionGroup var options: HouseOptions
  @OptionGroup var fields: OrganisationFields

  @Argument(help: "The organisation, by its identifier.")
  var id: String

  func run() throws {
    let house = try options.house()
    let before = try house.requireOrganisation(id)
    var after = before
    try fields.apply(to: &after)
    if let contact = try fields.contact() {
      after.contacts.removeAll { $0.email == contact.email }
      after.contacts.append(contact)
    }
    guard after != before else {
      Terminal.error.line("Nothing changes.")
      return
    }
    let changed = after
    try house.editConstituency(action: "organisation.changed", subject: id) { constituency in
      try constituency.update(id) { $0 = changed }
    }
    Terminal.error.line("\(id) is changed.")
  }
}
