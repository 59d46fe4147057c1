import ArgumentParser
import Casework
import Constituency

struct NoticePrepare: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prepare",
    abstract: "Make the notices that are due; each holds its organisation's own cases only.",
    discussion: """
      What was told and has not changed is not told again before notices.repeatDays. Running it twice \
      makes nothing twice.

      Examples:
        noroshi notice prepare
        noroshi notice prepare --now --organisation example-isp
      """)

  @OptionGroup var options: HouseOptions

  @Option(name: .long, help: "Only notices of this organisation.")
  var organisation: String?

  @Flag(name: .long, help: "Do not wait for the organisation's interval.")
  var now = false

  func run() async throws {
    let house = try options.house()
    if let organisation { try house.requireOrganisation(organisation) }
    let outbox = try house.outbox(house.caseRegister(house.store()))
    let report = try outbox.makeNotices(
      for: house.constituency(), at: House.now, organisation: organisation, isForced: now)
    let output = Terminal.output
    for notice in report.made {
      output.line(
        "\(notice.number)  \(notice.organisation)  \(Quantity.grouped(notice.cases.count)) cases")
    }
    output.line(
      report.made.isEmpty
        ? "No notice is due."
        : "\(report.made.count) made; "
          + "`noroshi notice send` brings them, as a running `noroshi serve` does.")
    let held = report.held.filter { !$0.value.isEmpty }
      .sorted { $0.key.rawValue < $1.key.rawValue }
    for (hold, cases) in held {
      Terminal.error.line("\(Quantity.grouped(cases.count)) cases not told: \(Self.words(hold))")
    }
    for problem in report.problems { Terminal.error.line(problem) }
    if !report.problems.isEmpty {
      throw CommandFailure("\(report.problems.count) notices could not be made")
    }
  }

  private static func words(_ hold: Directive.Hold) -> String {
    switch hold {
    case .unassigned: "nobody answers for the address (`noroshi org lookup`)"
    case .contested: "several organisations claim the address (`noroshi case reassign`)"
    case .unknownOrganisation: "the organisation is no longer in the constituency"
    case .doNotNotify: "the organisation asked not to be notified"
    case .never: "the organisation's interval is never"
    case .noContact: "mail is the way, and there is no abuse contact (`noroshi org contact add`)"
    case .confidence: "less sure than the organisation wants to be told"
    case .marking: "marked more narrowly than the organisation may see"
    case .alreadyTold: "told before, and nothing new"
    case .notDue: "collected until the organisation's interval ends (--now does not wait)"
    }
  }
}
