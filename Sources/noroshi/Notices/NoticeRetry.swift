import ArgumentParser
import Casework
import NetworkTypes
import Store

struct NoticeRetry: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retry",
    abstract: "Try deliveries again that failed, wait or are in doubt.",
    discussion: """
      A delivery in doubt may have arrived: the process ended between the mail server's answer and our \
      note of it. Look first; if it has arrived, `noroshi notice confirm` says so.

      Examples:
        noroshi notice retry N-20261125-0001        all its deliveries that have not arrived
        noroshi notice retry N-20261125-0001-2      one delivery
      """)

  @OptionGroup var options: HouseOptions

  @Argument(help: "A notice, or a delivery of one.")
  var id: String

  func run() async throws {
    let house = try options.house()
    let outbox = try house.outbox(house.caseRegister(house.store()))
    var deliveries = [id]
    if let record = try outbox.notice(id, visibleTo: .everything) {
      deliveries = record.deliveries.filter { $0.state != .delivered && $0.state != .sending }
        .map(\.id)
    }
    guard !deliveries.isEmpty else {
      Terminal.error.line("Everything of \(id) has arrived.")
      return
    }
    for delivery in deliveries {
      try outbox.retry(delivery, by: House.operator, at: House.now)
      Terminal.error.line("\(delivery) is tried again at the next `noroshi notice send`.")
    }
  }
}

struct NoticeConfirm: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "confirm",
    abstract: "Say that a delivery in doubt has arrived after all.")

  @OptionGroup var options: HouseOptions

  @Argument(help: "The delivery, as `noroshi notice show` names it: N-20261125-0001-1.")
  var delivery: String

  func run() async throws {
    let house = try options.house()
    let outbox = try house.outbox(house.caseRegister(house.store()))
    try outbox.confirm(delivery, by: House.operator, at: House.now)
    Terminal.error.line("\(delivery) counts as delivered.")
  }
}
