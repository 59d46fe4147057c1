import ArgumentParser
import Casework
import Settings

struct NoticeSend: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "send",
    abstract: "Bring what waits: to the directory, and by mail where it is configured.",
    discussion: """
      Only one process delivers at a time; a running `noroshi serve` does it by itself every half minute.
      """)

  @OptionGroup var options: HouseOptions

  func run() async throws {
    let house = try options.house()
    let outbox = try house.outbox(house.caseRegister(house.store()))
    let round = try await house.deliveryService(outbox).deliverDue()
    Terminal.output.line(round.summary)
    let counts = try outbox.counts()
    let waiting = counts[.pending] + counts[.retrying]
    if waiting > 0 {
      Terminal.error.line(
        "\(Quantity.grouped(waiting)) still wait"
          + (house.configuration.smtp.host == nil
            ? "; without smtp.host no mail is sent." : " for their next attempt."))
    }
    if counts[.unsealed] > 0 {
      Terminal.error.line(
        "\(Quantity.grouped(counts[.unsealed])) wait for their seals: "
          + (house.configuration.notices.sealed
            ? "the authority of seal.timeStamps must answer." : "notices.sealed is not set."))
    }
    if counts.needsAttention > 0 {
      Terminal.error.line(
        "\(Quantity.grouped(counts.needsAttention)) need a person: "
          + "`noroshi notice list --filter 'state=failed|in-doubt'`.")
    }
    if round.failed + round.inDoubt + round.unsealed > 0 {
      throw ExitCode(ExitStatus.failure.rawValue)
    }
  }
}
