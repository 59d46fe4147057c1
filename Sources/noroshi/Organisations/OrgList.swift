import ArgumentParser
import Constituency
import NetworkTypes

struct OrgList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the organisations.")

  @OptionGroup var options: HouseOptions
  @OptionGroup var list: ListOutput

  func run() throws {
    let house = try options.house()
    let organisations = try house.constituency().organisations.sorted { $0.id < $1.id }
    try list.write(
      organisations,
      columns: [
        ListColumn("id") { .text($0.id) },
        ListColumn("name") { .text($0.name) },
        ListColumn("name_ja", "名称") { .text($0.nameJa) },
        ListColumn("roles") { .list($0.roles.map(\.rawValue).sorted()) },
        ListColumn("prefixes") { .list($0.prefixes.map(\.description)) },
        ListColumn("asns", "AS") { .list($0.asns.map(\.description)) },
        ListColumn("interval", "TOLD") {
          .text(
            $0.delivery.isSilent
              ? "never" : OrganisationFields.word(ofInterval: $0.delivery.intervalSeconds), .plain)
        },
        ListColumn("contacts", extra: true) { .list($0.contacts.map(\.email)) },
        ListColumn("language", extra: true) { .text($0.language.rawValue) },
        ListColumn("parent", extra: true) { .text($0.parent) },
        ListColumn("member_alerts", extra: true) { .flag($0.memberAlerts) },
      ], nothing: "There is no organisation yet; `noroshi org add` adds one.")
  }
}
