import ArgumentParser
import Constituency
import NetworkTypes

struct OrgShow: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show one organisation with everything that is set of it.")

  @OptionGroup var options: HouseOptions

  @Argument(help: "The organisation, by its identifier.")
  var id: String

  func run() throws {
    let house = try options.house()
    let organisation = try house.requireOrganisation(id)
    let delivery = organisation.delivery
    var sheet = Sheet(organisation.name)
    sheet.add("identifier", organisation.id)
    sheet.add("名称", organisation.nameJa)
    sheet.add("roles", .list(organisation.roles.map(\.rawValue).sorted()))
    sheet.add("prefixes", .list(organisation.prefixes.map(\.description)))
    sheet.add("AS numbers", .list(organisation.asns.map(\.description)))
    sheet.add("sold by", organisation.parent)
    sheet.add("language", organisation.language.rawValue)
    sheet.add("member alerts", .flag(organisation.memberAlerts))
    sheet.add(
      "told",
      delivery.isSilent ? "never" : OrganisationFields.word(ofInterval: delivery.intervalSeconds))
    sheet.add("formats", .list(delivery.formats.map(\.rawValue).sorted()))
    sheet.add("channels", .list(delivery.channels.map(\.rawValue).sorted()))
    sheet.add("one notice per", delivery.aggregateBy.rawValue)
    sheet.add("from confidence", .percent(Double(delivery.minimumConfidence)))
    sheet.add("up to marking", delivery.maximumMarking)
    for contact in organisation.contacts {
      let silent = contact.doNotNotify ? ", asked not to be notified" : ""
      sheet.add("contact", "\(contact.name) <\(contact.email)>, \(contact.role.rawValue)\(silent)")
    }
    sheet.write()
  }
}
