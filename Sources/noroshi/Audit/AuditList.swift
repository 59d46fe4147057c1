import ArgumentParser
import NetworkTypes
import Store

struct AuditList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List what was done, the latest first.",
    discussion: """
      Examples:
        noroshi audit list --limit 20
        noroshi audit list --filter subject=C-2026-000123
        noroshi audit list --filter action=account.created --format csv
      """)

  @OptionGroup var listing: Listing

  func run() async throws {
    try listing.write(
      AuditRecord.self,
      columns: [
        ListColumn("sequence", "NO.") { .integer($0.sequence) },
        ListColumn("time") { .time(Timestamp(nanoseconds: $0.entry.nanoseconds)) },
        ListColumn("actor") { .text($0.entry.actor.text) },
        ListColumn("action") { .text($0.entry.action) },
        ListColumn("subject") { .text($0.entry.subject) },
        ListColumn("details") {
          .list($0.entry.details.sorted { $0.key < $1.key }.map { "\($0)=\($1)" })
        },
        ListColumn("hash", extra: true) { .text($0.hash) },
      ], nothing: "Nothing was done yet."
    ) { house in
      let trail = AuditTrail(store: try house.store())
      return { try trail.entries(matching: $0) }
    }
  }
}
