import ArgumentParser
import NetworkTypes
import Telescope

extension ListCell {
  static func country(_ code: CountryCode) -> ListCell {
    code == .unknown ? .none : .text(code.description)
  }

  static func asn(_ number: ASN) -> ListCell {
    number == .unknown ? .none : .text(number.description)
  }

  static func rate(_ rate: RateEstimate) -> ListCell {
    .decimal(rate.packetsPerSecond, digits: 0)
  }

  static func ports(_ ports: [ObservedHost.PortCount]) -> ListCell {
    .list(ports.map { "\($0.port)/\($0.transport)" })
  }
}

struct TelescopeHosts: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hosts",
    abstract: "List hosts of which there is something to say.",
    discussion: """
      Examples:
        noroshi telescope hosts --filter verdict=infected
        noroshi telescope hosts --filter address=192.0.2.0/24 --sort -packets
        noroshi telescope hosts --filter verdict=infected --limit 0 --format csv > infected.csv
      """)

  @OptionGroup var listing: Listing

  func run() async throws {
    try listing.write(
      ObservedHost.self,
      columns: [
        ListColumn("address") { .text($0.address.description) },
        ListColumn("verdict") { .text($0.verdict.rawValue) },
        ListColumn("confidence") { .percent(Double($0.confidence)) },
        ListColumn("malware") { .text($0.malware) },
        ListColumn("tools") { .list($0.tools) },
        ListColumn("country") { .country($0.country) },
        ListColumn("asn", "AS") { .asn($0.asn) },
        ListColumn("packets") { .count($0.packets) },
        ListColumn("destinations", extra: true) { .decimal($0.destinations, digits: 0) },
        ListColumn("ports") { .ports($0.ports) },
        ListColumn("rate_pps", "RATE PPS", extra: true) { .rate($0.rate) },
        ListColumn("first_seen", extra: true) { .time($0.firstSeen) },
        ListColumn("last_seen") { .time($0.lastSeen) },
        ListColumn("reasons", extra: true) { .list($0.reasons.map(\.name)) },
        ListColumn("surveyor", extra: true) { .text($0.surveyor) },
      ], nothing: "No host of note yet.", known: TelescopeStore.hostColumns
    ) { house in
      let store = try house.telescopeStore()
      return { try store.hosts($0) }
    }
  }
}

struct TelescopeVictims: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "victims",
    abstract: "List victims of randomly spoofed denial-of-service attacks.",
    discussion: """
      The rate is that of the victim's answers on the whole Internet, with its 95 % interval: a lower \
      bound of the attack's.

      Examples:
        noroshi telescope victims --sort -rate
      """)

  @OptionGroup var listing: Listing

  func run() async throws {
    try listing.write(
      VictimEvent.self,
      columns: [
        ListColumn("victim") { .text($0.victim.description) },
        ListColumn("services") { .ports($0.services) },
        ListColumn("start") { .time($0.start) },
        ListColumn("end") { .time($0.end) },
        ListColumn("packets") { .count($0.packets) },
        ListColumn("peak_ppm", "PEAK PPM") { .count($0.peakPacketsPerMinute) },
        ListColumn("rate_pps", "RATE PPS") { .rate($0.rate) },
        ListColumn("rate_lower", extra: true) { .decimal($0.rate.lower, digits: 0) },
        ListColumn("rate_upper", extra: true) { .decimal($0.rate.upper, digits: 0) },
        ListColumn("destinations", extra: true) { .decimal($0.destinations, digits: 0) },
        ListColumn("evidence") { event in
          .list(event.evidence.map { "\($0.trafficClass.name) \($0.packets)" })
        },
        ListColumn("quote_mismatches", extra: true) { .count($0.quoteMismatches) },
        ListColumn("country") { .country($0.country) },
        ListColumn("asn", "AS") { .asn($0.asn) },
        ListColumn("over", extra: true) { .flag($0.isClosed) },
      ], nothing: "No victim yet.", known: TelescopeStore.victimColumns
    ) { house in
      let store = try house.telescopeStore()
      return { try store.victims($0) }
    }
  }
}

struct TelescopeAlerts: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "alerts",
    abstract: "List member organisations' addresses that reached dark space.",
    discussion: """
      Examples:
        noroshi telescope alerts --filter organisation=example-isp
      """)

  @OptionGroup var listing: Listing

  func run() async throws {
    try listing.write(
      MemberAlert.self,
      columns: [
        ListColumn("organisation") { .text($0.organisation) },
        ListColumn("address") { .text($0.address.description) },
        ListColumn("reach") { .text($0.reach.rawValue) },
        ListColumn("state") { .text($0.state.rawValue) },
        ListColumn("packets") { .count($0.packets) },
        ListColumn("destinations", extra: true) { .decimal($0.destinations, digits: 0) },
        ListColumn("ports") { .list($0.ports.map(String.init)) },
        ListColumn("first_seen") { .time($0.firstSeen) },
        ListColumn("last_seen") { .time($0.lastSeen) },
      ], nothing: "No member's address has reached dark space.", known: TelescopeStore.alertColumns
    ) { house in
      let store = try house.telescopeStore()
      return { try store.alerts($0) }
    }
  }
}

struct TelescopeCampaigns: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "campaigns",
    abstract: "List what many sources began to do together.",
    discussion: """
      Examples:
        noroshi telescope campaigns --filter isOver=0
      """)

  @OptionGroup var listing: Listing

  func run() async throws {
    try listing.write(
      Campaign.self,
      columns: [
        ListColumn("kind") { .text($0.subject.rawValue) },
        ListColumn("key") { .text($0.key) },
        ListColumn("began") { .time($0.began) },
        ListColumn("last_seen") { .time($0.lastSeen) },
        ListColumn("sources") { .decimal($0.peakSources, digits: 0) },
        ListColumn("baseline") { .decimal($0.baseline, digits: 1) },
        ListColumn("deviations") { .decimal($0.deviations, digits: 1) },
        ListColumn("tools") { .list($0.tools.map { "\($0.name) \(Int($0.sources))" }) },
        ListColumn("countries") { .list($0.countries.map { "\($0.name) \(Int($0.sources))" }) },
        ListColumn("over", extra: true) { .flag($0.isOver) },
      ], nothing: "No campaign yet.", known: TelescopeStore.campaignColumns
    ) { house in
      let store = try house.telescopeStore()
      return { try store.campaigns($0) }
    }
  }
}
