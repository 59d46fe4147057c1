import ArgumentParser
import Casework
import Constituency
import Findings
import NetworkTypes
import Store

struct NoticeList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the notices, the newest first.",
    discussion: """
      Examples:
        noroshi notice list --filter organisation=example-isp
        noroshi notice list --filter 'state=failed|in-doubt'
      """)

  @OptionGroup var listing: Listing

  func run() async throws {
    try listing.write(
      NoticeListing.self,
      columns: [
        ListColumn("number", "NOTICE") { .text($0.number) },
        ListColumn("organisation") { .text($0.organisation) },
        ListColumn("cases") { .count($0.cases) },
        ListColumn("state") { .text($0.state.rawValue, Self.style(of: $0.state)) },
        ListColumn("created") { .time($0.created) },
        ListColumn("delivered") { .time($0.delivered) },
        ListColumn("formats") { .list($0.formats.map(\.rawValue)) },
        ListColumn("marking", extra: true) { .text($0.marking.rawValue) },
        ListColumn("id", extra: true) { .text($0.id) },
      ], nothing: "There is no such notice; `noroshi notice prepare` makes them."
    ) { house in
      let outbox = try house.outbox(house.caseRegister(house.store()))
      return { try outbox.notices($0, visibleTo: .everything) }
    }
  }

  static func style(of state: Delivery.State) -> Terminal.Style {
    switch state {
    case .delivered: .green
    case .failed, .inDoubt: .red
    case .unsealed, .pending, .sending, .retrying: .yellow
    }
  }
}
