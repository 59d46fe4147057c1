import ArgumentParser
import Casework
import Constituency
import Findings
import NetworkTypes

struct NoticeShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show a notice as it was sent, and what came of each delivery.",
    discussion: """
      Examples:
        noroshi notice show N-20261125-0001
        noroshi notice show N-20261125-0001 --part csv > cases.csv
      """)

  @OptionGroup var options: HouseOptions

  @Argument(help: "The notice, by its number.")
  var number: String

  @Option(name: .long, help: "Print only this part, as it was sent: mail, csv or xarf.")
  var part: String?

  func run() async throws {
    let house = try options.house()
    let outbox = try house.outbox(house.caseRegister(house.store()))
    guard let record = try outbox.notice(number, visibleTo: .everything) else {
      throw CommandFailure(
        "There is no notice \(number)", advice: "`noroshi notice list` lists them.",
        status: .noInput)
    }
    if let part {
      let format: DeliveryPreferences.Format = try OrganisationFields.choice(part, "--part")
      guard let chosen = record.parts.first(where: { $0.format == format }) else {
        throw CommandFailure(
          "\(number) has no part \(part)",
          advice: "It has: \(record.parts.map(\.format.rawValue).joined(separator: ", ")).",
          status: .noInput)
      }
      Terminal.output.write(chosen.text)
      return
    }
    var sheet = Sheet(record.notice.number)
    sheet.add("organisation", record.notice.organisation)
    sheet.add("state", record.state.rawValue)
    sheet.add("made", .time(record.notice.created))
    sheet.add("tells of", "\(record.notice.firstSeen) to \(record.notice.lastSeen)")
    sheet.add("marking", record.notice.marking.rawValue)
    sheet.add("cases", .list(record.notice.cases))
    sheet.add("parts", .list(record.parts.map(\.name)))
    for delivery in record.deliveries {
      let failure = delivery.failure.map { ": \($0)" } ?? ""
      sheet.add(
        "delivery \(delivery.id)",
        "\(delivery.channel.rawValue) to \(delivery.target), \(delivery.state.rawValue), "
          + "\(delivery.attempts) attempts\(failure)")
    }
    sheet.write()
    for part in record.parts where part.format == .mail && !part.isSeal {
      let lines = part.text.split(separator: "\n", omittingEmptySubsequences: false)
      Terminal.output.line()
      Terminal.output.line(Terminal.output.styled(part.subject ?? part.name, .bold))
      // Line by line, so that nothing in a text can steer the terminal.
      for line in lines {
        Terminal.output.line(DisplayWidth.printable(line.filter { $0 != "\r" }))
      }
    }
  }
}
