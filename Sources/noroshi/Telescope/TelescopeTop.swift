public import ArgumentParser
import NetworkTypes
public import Telescope

extension SeriesPoint.Dimension: ExpressibleByArgument {}

struct TelescopeTop: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "top",
    abstract: "List the ports, countries, systems, tools or classes with the most sources.",
    discussion: """
      Without --from, over the last 24 hours of what the telescope has seen.

      Examples:
        noroshi telescope top port
        noroshi telescope top country --from 2026-11-24T00:00:00Z --limit 20
      """)

  @OptionGroup var options: HouseOptions
  @OptionGroup var list: ListOutput

  @Argument(help: "What to rank: class, port, country, asn or tool.")
  var dimension = SeriesPoint.Dimension.port

  @Option(name: .long, help: "From this moment on.")
  var from: String?

  @Option(name: .long, help: "Before this moment.")
  var to: String?

  @Option(name: .long, help: "At most this many.")
  var limit = 10

  func validate() throws {
    for text in [from, to].compactMap({ $0 }) where Timestamp(text) == nil {
      throw ValidationError("“\(text)” is no time such as 2026-11-25T05:00:00Z.")
    }
    guard limit > 0 else { throw ValidationError("--limit must be 1 or more.") }
  }

  func run() async throws {
    let store = try options.house().telescopeStore()
    var start = from.flatMap { Timestamp($0) }
    if start == nil, let now = try store.now() { start = now.advanced(bySeconds: -86_400) }
    let rows = try store.top(
      dimension, .hour, from: start, to: to.flatMap { Timestamp($0) }, limit: limit)
    try list.write(
      rows,
      columns: [
        ListColumn("key", dimension.rawValue.uppercased()) { .text($0.key) },
        ListColumn("hosts", "HOSTS (BUSIEST HOUR)") { .decimal($0.hosts, digits: 0) },
        ListColumn("packets") { .count($0.packets) },
        ListColumn("bytes") { .bytes(Int64(clamping: $0.bytes)) },
      ], nothing: "Nothing in this time.")
  }
}
