import ArgumentParser
import NetworkTypes
import Telescope

struct TelescopeStatus: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Say what has been read, and what was left out and why.",
    discussion: """
      Examples:
        noroshi telescope status
        noroshi telescope status --format json
      """)

  @OptionGroup var options: HouseOptions
  @OptionGroup var list: ListOutput

  func run() async throws {
    let store = try options.house().telescopeStore()
    let counters = try store.counters()
    if list.format == .table {
      var sheet = Sheet("Counters")
      sheet.add("packets", .count(counters.packets))
      sheet.add("bytes", .bytes(Int64(clamping: counters.bytes)))
      sheet.add("sources (about)", .decimal(counters.sources, digits: 0))
      for (name, count) in counters.byClass.sorted(by: { $0.key < $1.key }) {
        sheet.add("class \(name)", .count(count))
      }
      for (name, count) in counters.undecoded.sorted(by: { $0.key < $1.key }) {
        sheet.add("not decoded: \(name)", .count(count))
      }
      sheet.add("not to dark addresses", .count(counters.outsideDarkSpace))
      sheet.add("ignored sources", .count(counters.ignored))
      sheet.add("late packets", .count(counters.late))
      sheet.add("events forgotten early", .count(counters.evictedEvents))
      sheet.add("sources forgotten early", .count(counters.evictedSources))
      sheet.add("victims forgotten early", .count(counters.evictedVictims))
      sheet.add("packets of forgotten events", .count(counters.evictedPackets))
      sheet.add("events without samples", .count(counters.unsampled))
      sheet.write()
      Terminal.output.line()
    }
    try list.write(
      try store.inputs(),
      columns: [
        ListColumn("capture") { .text($0.name) },
        ListColumn("packets") { .count($0.packets) },
        ListColumn("first_packet") { .time($0.firstPacket) },
        ListColumn("read_at") { .time($0.readAt) },
        ListColumn("ending") { .text($0.ending) },
        ListColumn("digest", extra: true) { .text($0.digest) },
      ], nothing: "No capture has been read yet.")
  }
}
