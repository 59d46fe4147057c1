import ArgumentParser
import NetworkTypes
import Settings

struct ForgetCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "forget",
    abstract: "Delete what the telescope stored of longer ago than telescope.retention says.",
    discussion: """
      Cases, their findings, notices and the audit trail stay. Run it daily; a `noroshi serve` that \
      captures live does it by itself.

      Examples:
        noroshi forget
        noroshi forget --as-of 2026-11-25T00:00:00Z
      """)

  @OptionGroup var options: HouseOptions

  @Option(
    name: .long,
    help: ArgumentHelp("Count back from this moment; now unless given.", valueName: "time"))
  var asOf: String?

  func validate() throws {
    if let asOf, Timestamp(asOf) == nil {
      throw ValidationError("--as-of “\(asOf)” is no time such as 2026-11-25T05:10:58Z.")
    }
  }

  func run() async throws {
    let house = try options.house()
    let store = try house.store()
    let moment = asOf.flatMap { Timestamp($0) } ?? House.now
    let count = try house.forgetOldObservations(asOf: moment, in: store)
    let retention = house.configuration.telescope.retention
    try house.record(
      "telescope.forgotten", subject: house.configuration.telescope.sensor,
      details: [
        "as-of": moment.description, "event-days": String(retention.eventDays),
        "series-days": String(retention.seriesDays), "rows": String(count),
      ], in: store)
    Terminal.output.line("\(Quantity.grouped(count)) rows deleted.")
  }
}
