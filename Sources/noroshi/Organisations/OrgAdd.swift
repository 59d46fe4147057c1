import ArgumentParser
import Constituency

struct OrgAdd: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add",
    abstract: "Add an organisation.",
    discussion: """
      Examples:
        noroshi org add example-isp --name "Example ISP" --name-ja 例示インターネット \\
          --role isp --prefix 203.0.113.0/24 --asn 64500 --mail abuse@isp.example --language ja
        noroshi org add example-univ --name "Example University" --prefix 198.51.100.0/24 \\
          --member-alerts
      """)

  @OptionGroup var options: HouseOptions
  @OptionGroup var fields: OrganisationFields

  @Argument(help: "Its identifier: a-z, 0-9 and hyphens, up to 64 characters.")
  var id: String

  func run() throws {
    let house = try options.house()
    guard Organisation.isValidID(id) else {
      throw ValidationError("“\(id)” is no identifier: use a-z, 0-9 and hyphens, as example-isp.")
    }
    var organisation = Organisation(id: id, name: fields.name ?? id, roles: [.isp])
    try fields.apply(to: &organisation)
    if let contact = try fields.contact() {
      organisation.contacts.append(contact)
      // A mail address is given to be written to.
      if fields.channels == nil { organisation.delivery.channels = [.directory, .smtp] }
    }
    let added = organisation
    try house.editConstituency(action: "organisation.added", subject: id) { try $0.add(added) }
    Terminal.error.line(
      "\(id) is added"
        + (added.prefixes.isEmpty && added.asns.isEmpty
          ? "; it answers for nothing yet: `noroshi org prefix add \(id) PREFIX`." : "."))
  }
}
