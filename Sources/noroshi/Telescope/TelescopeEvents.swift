import ArgumentParser
import NetworkTypes
import Store
import Telescope

struct TelescopeEvents: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "events",
    abstract: "List events: one source's traffic of one class to one port.",
    discussion: """
      Events that ended, and those that are going on as of the last checkpoint. With --since and \
      --until, those that went on in that time.

      Examples:
        noroshi telescope events --port 23 --order -packets
        noroshi telescope events --source 192.0.2.7
        noroshi telescope events --prefix 192.0.2.0/24 --type syn-scan --since 24h --page 2
      """)

  @OptionGroup var options: HouseOptions
  @OptionGroup var events: EventOptions
  @OptionGroup var query: QueryOptions

  @Option(
    name: .long, parsing: .unconditional,
    help: ArgumentHelp("The same as --sort.", valueName: "column"))
  var order: String?

  @Option(name: .long, help: "The page to show, from 1, of --limit rows each.")
  var page = 1

  @OptionGroup var list: ListOutput

  func validate() throws {
    guard page >= 1, page <= 1_000_000 else { throw ValidationError("--page must be 1 or more.") }
    guard order == nil || query.sort == nil else {
      throw ValidationError("--order and --sort say the same thing; give one of them.")
    }
    guard page == 1 || query.offset == 0 else {
      throw ValidationError("--page and --offset say the same thing; give one of them.")
    }
    guard page == 1 || query.limit > 0 else {
      throw ValidationError("--limit 0 shows all rows, which have no pages.")
    }
  }

  func run() async throws {
    let store = try options.house().telescopeStore()
    var words = query.listQuery(offset: query.offset, limit: 1)
    if let order {
      let isDescending = order.hasPrefix("-")
      words.sort = .init(
        column: isDescending ? String(order.dropFirst()) : order, isAscending: !isDescending)
    }
    var question: EventQuery
    do {
      question = try EventQuery(words)
    } catch let error as ListQueryError {
      throw ValidationError("\(error)")
    }
    question.limit = query.limit == 0 ? EventArchiveParameters().deepestRow : query.limit
    if page > 1 { question.offset = (page - 1) * query.limit }
    question.wantsSamples = list.format != .table || list.columns != nil
    try events.restrict(&question, now: store.now())
    let page = try store.events(question)
    try list.write(
      page.rows,
      columns: [
        ListColumn("source") { .text($0.source.description) },
        ListColumn("class") { .text($0.trafficClass.name) },
        ListColumn("port") { .integer(Int64($0.port)) },
        ListColumn("packets") { .count($0.packets) },
        ListColumn("bytes", extra: true) { .bytes(Int64(clamping: $0.bytes)) },
        ListColumn("destinations") { .decimal($0.destinations, digits: 0) },
        ListColumn("destination_blocks", extra: true) { .decimal($0.destinationBlocks, digits: 0) },
        ListColumn("rate_pps", "RATE PPS") { .rate($0.rate) },
        ListColumn("rate_lower", extra: true) { .decimal($0.rate.lower, digits: 0) },
        ListColumn("rate_upper", extra: true) { .decimal($0.rate.upper, digits: 0) },
        ListColumn("country") { .country($0.country) },
        ListColumn("asn", "AS") { .asn($0.asn) },
        ListColumn("tools") { .list($0.tools) },
        ListColumn("first_seen", extra: true) { .time($0.firstSeen) },
        ListColumn("last_seen") { .time($0.lastSeen) },
        ListColumn("closed", extra: true) { .flag($0.isClosed) },
        ListColumn("samples", extra: true) { event in
          .list(
            event.samples.map { $0.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() })
        },
      ], total: page.total, nothing: "No event yet.")
  }
}
