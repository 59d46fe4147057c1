import ArgumentParser
import FlowAnalysis
import NetworkTypes
import Store

struct DDoSAttacks: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "attacks", abstract: "List the attacks that were found, the latest first.",
    discussion: """
      Filter and sort by id, target, name, start, end, ongoing, packets, octets, peak_pps, peak_bps \
      and sources.

      Examples:
        noroshi ddos attacks --filter ongoing=yes
        noroshi ddos attacks --filter peak_bps_min=1000000000 --sort -peak_bps
        noroshi ddos attacks --address 192.0.2.7      of which it is the target or a source
      """)

  @OptionGroup var listing: Listing

  @Option(name: .long, help: "Only attacks on, or with, this address.")
  var address: String?

  func run() async throws {
    if let address {
      guard let address = IPAddress(address) else {
        throw ValidationError("--address “\(address)” is no address.")
      }
      let attacks = try listing.options.house().attackStore().attacks(touching: address)
      try listing.list.write(
        attacks, columns: DDoSTable.attacks, nothing: "No attack has to do with \(address).")
      return
    }
    try listing.write(
      Attack.self, columns: DDoSTable.attacks, nothing: "No such attack was found."
    ) { house in
      let store = try house.attackStore()
      return { try store.attacks($0) }
    }
  }
}

struct DDoSScanners: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scanners",
    abstract: "List who scans: many hosts on one port, or many ports of a host.",
    discussion: """
      Without files, what the live watch and `ddos detect --record` stored; filter and sort by source, \
      shape, port, targets, packets, first and last.

      Examples:
        noroshi ddos scanners --filter port=23 --sort -targets
        noroshi ddos scanners scan.pcap
      """)

  @OptionGroup var listing: Listing

  @Argument(help: "Files of nfcapd, or captures, to look into.", completion: .file())
  var files: [String] = []

  @Option(name: .long, help: "Hosts on a port from which on it is a scan.")
  var hosts: Int?

  @Option(name: .long, help: "Ports of a host from which on it is a scan.")
  var ports: Int?

  func run() async throws {
    guard !files.isEmpty else {
      try listing.write(
        ObservedScan.self, columns: DDoSTable.scans, nothing: "Nobody was seen scanning."
      ) { house in
        let store = try house.attackStore()
        return { try store.scans($0) }
      }
      return
    }
    var parameters = ScanParameters()
    if let hosts { parameters.horizontalTargets = hosts }
    if let ports { parameters.verticalPorts = ports }
    let watch = ScanWatch(parameters)
    _ = try FlowInput.of(files).forEach(listing.options.house(), title: "Looking for scanners") {
      watch.ingest($0)
    }
    try listing.list.write(
      watch.takeScans(), columns: DDoSTable.scans, nothing: "Nobody scans in these flows.")
  }
}

struct DDoSReflectors: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reflectors",
    abstract: "List own hosts that answer services of which attacks are reflected.",
    discussion: """
      Without files, what was stored; with files, the prefixes of one's own network are needed.

      Examples:
        noroshi ddos reflectors
        noroshi ddos reflectors --own 203.0.113.0/24 nfcapd.202611250905
      """)

  @OptionGroup var listing: Listing

  @Argument(help: "Files of nfcapd, or captures, to look into.", completion: .file())
  var files: [String] = []

  @Option(
    name: .long,
    help: "A prefix of one's own network, several times. Default: those of all organisations.")
  var own: [IPPrefix] = []

  func run() async throws {
    guard !files.isEmpty else {
      try listing.write(
        ObservedReflector.self, columns: DDoSTable.reflectors, nothing: "No reflector was seen."
      ) { house in
        let store = try house.attackStore()
        return { try store.reflectors($0) }
      }
      return
    }
    let house = try listing.options.house()
    let prefixes = try own.isEmpty ? house.ownPrefixes() : own
    guard !prefixes.isEmpty else {
      throw CommandFailure(
        "It is not known which addresses are one's own",
        advice: "Name prefixes with --own, or add organisations with `noroshi org add`.",
        status: .usage)
    }
    let watch = ReflectorWatch(own: prefixes)
    _ = try FlowInput.of(files).forEach(house, title: "Looking for reflectors") { watch.ingest($0) }
    try listing.list.write(
      watch.reflectors, columns: DDoSTable.reflectors,
      nothing: "No host of these prefixes reflects in these flows.")
  }
}

extension FlowInput {
  /// Only these files.
  static func of(_ files: [String]) -> FlowInput {
    var input = FlowInput()
    input.files = files
    input.from = nil
    input.to = nil
    input.archive = nil
    input.purpose = nil
    return input
  }
}
