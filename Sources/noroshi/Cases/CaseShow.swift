import ArgumentParser
import Casework
import Findings
import Geolocation
import NetworkTypes

struct CaseShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show one case: what is known, how, and what was done.",
    discussion: """
      Example:
        noroshi case show C-2026-000123
      """)

  @OptionGroup var options: HouseOptions

  @Argument(help: "The case.")
  var id: String

  func run() async throws {
    let house = try options.house()
    let register = try house.caseRegister(try house.store())
    guard let item = try register.case(id, visibleTo: .everything) else {
      throw CaseError.notFound(id)
    }
    let place = try house.geo().lookup(item.address)
    var sheet = Sheet("\(item.id)  \(item.kind.rawValue)  \(item.address)")
    sheet.add("state", item.state.rawValue)
    sheet.add("responsible", CaseList.responsible(item))
    sheet.add("detail", item.detail)
    sheet.add("confidence", .percent(Double(item.confidence.percent)))
    sheet.add("country", place.country == .unknown ? nil : place.country.name(in: .english))
    sheet.add("AS", place.asn == .unknown ? nil : place.asn.description)
    sheet.add("first seen", .time(item.firstSeen))
    sheet.add("last seen", .time(item.lastSeen))
    sheet.add("opened", .time(item.opened))
    sheet.add("closed", .time(item.closed))
    sheet.add("answer due", .time(item.due))
    sheet.add("assigned to", item.assignee)
    sheet.add("came back", .count(item.reopened))
    sheet.add("marking", item.marking.rawValue)
    sheet.write()

    let output = Terminal.output
    output.line()
    output.line(output.styled("How we know", .bold))
    for finding in try register.findings(ofCase: id, visibleTo: .everything, limit: 10) {
      output.line(
        "\(Timestamp(seconds: finding.lastSeen.seconds))  \(finding.sensor), "
          + "\(finding.confidence.percent) %")
      for evidence in finding.evidence {
        output.line("  " + DisplayWidth.printable(evidence.summary))
      }
    }
    output.line()
    output.line(output.styled("What was done", .bold))
    for event in try register.history(of: id, visibleTo: .everything) {
      let text = event.text.map { $0.isEmpty ? "" : ": " + DisplayWidth.printable($0) } ?? ""
      output.line(
        "\(Timestamp(seconds: event.moment.seconds))  \(event.actor) \(event.action.rawValue)\(text)"
      )
    }
  }
}
