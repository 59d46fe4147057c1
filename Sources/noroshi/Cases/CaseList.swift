import ArgumentParser
import Casework
import Findings
import NetworkTypes
import Store

struct CaseList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List cases, the last changed first.",
    discussion: """
      Examples:
        noroshi case list --filter state=open
        noroshi case list --filter 'state=open|reopened' --filter organisation=example-isp
        noroshi case list --filter address=203.0.113.0/24 --sort -confidence
        noroshi case list --filter responsibility=unassigned --format csv --limit 0

      Filters: a column's value, or several with |; with _min, _max, _from, _to and _contains after its \
      name, as confidence_min=80, last_seen_from=2026-11-25T00:00:00Z.
      """)

  @OptionGroup var listing: Listing

  func run() async throws {
    try listing.write(
      Case.self,
      columns: [
        ListColumn("id", "CASE") { .text($0.id) },
        ListColumn("state") { .text($0.state.rawValue, Self.style(of: $0.state)) },
        ListColumn("kind") { .text($0.kind.rawValue) },
        ListColumn("address") { .text($0.address.description) },
        ListColumn("organisation") { .text(Self.responsible($0), Self.style(of: $0)) },
        ListColumn("detail") { .text($0.detail) },
        ListColumn("confidence", "SURE") { .percent(Double($0.confidence.percent)) },
        ListColumn("last_seen") { .time($0.lastSeen) },
        ListColumn("first_seen", extra: true) { .time($0.firstSeen) },
        ListColumn("opened", extra: true) { .time($0.opened) },
        ListColumn("updated", extra: true) { .time($0.updated) },
        ListColumn("closed", extra: true) { .time($0.closed) },
        ListColumn("due", extra: true) { .time($0.due) },
        ListColumn("assignee", extra: true) { .text($0.assignee) },
        ListColumn("findings", extra: true) { .count($0.findings) },
        ListColumn("reopened", extra: true) { .count($0.reopened) },
        ListColumn("marking", extra: true) { .text($0.marking.rawValue) },
      ], nothing: "There is no such case."
    ) { house in
      let register = try house.caseRegister(house.store())
      return { try register.cases($0, visibleTo: .everything) }
    }
  }

  static func responsible(_ item: Case) -> String {
    switch item.responsibility {
    case .unassigned: "unassigned"
    case .organisation(let id): id
    case .contested(let claims): "contested: \(claims.joined(separator: ", "))"
    }
  }

  private static func style(of item: Case) -> Terminal.Style {
    item.responsibility.organisation == nil ? .yellow : .plain
  }

  private static func style(of state: Case.State) -> Terminal.Style {
    switch state {
    case .open, .reopened: .red
    case .notified, .unreachable: .yellow
    case .acknowledged: .cyan
    case .fixed, .closed: .green
    }
  }
}
