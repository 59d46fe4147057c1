public import ArgumentParser
public import FlowAnalysis
import Foundation
import NetworkTypes
import Settings

/// In which words an attack is told to others.
enum AttackFormat: String, CaseIterable, ExpressibleByArgument, Sendable {
  /// The DDoS Clearing House's.
  case clearingHouse = "clearing-house"
  /// RFC 9244.
  case telemetry
  /// RFC 9066.
  case callHome = "call-home"
}

struct DDoSFingerprint: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fingerprint",
    abstract: "Write an attack as JSON for others: Clearing House, RFC 9244, RFC 9066.",
    discussion: """
      The target is `Anonymous` in the Clearing House's format unless --name-target is given. A call \
      home (RFC 9066) tells an organisation, or an AS, which of its addresses attack; sources that are \
      probably forged are left out.

      Examples:
        noroshi ddos fingerprint latest > fingerprint.json
        noroshi ddos fingerprint --file attack.pcap --name-target
        noroshi ddos fingerprint latest --as telemetry
        noroshi ddos fingerprint latest --as call-home --organisation isp-a
      """)

  @OptionGroup var options: HouseOptions
  @OptionGroup var choice: AttackChoice

  @Option(name: .long, help: "clearing-house, telemetry or call-home.")
  var `as` = AttackFormat.clearingHouse

  @Flag(name: .long, help: "Name the target.")
  var nameTarget = false

  @Flag(name: .long, help: "With packets by source.")
  var packetsBySource = false

  @Option(name: .long, help: "Where it was recorded.")
  var location: String?

  @Option(name: .long, help: "The enterprise number that attack numbers belong to (RFC 9244).")
  var vendor: UInt32 = 32_473

  @Option(name: .long, help: "Only sources of this organisation (call-home).")
  var organisation: String?

  @Option(name: .long, help: "Only sources of this AS (call-home).")
  var asn: String?

  @Option(name: [.customShort("o"), .long], help: "The file to write. Default: standard output.")
  var output: String?

  func run() async throws {
    let house = try options.house()
    let attack = try choice.attack(house)
    let text: String
    switch `as` {
    case .clearingHouse:
      let zone =
        TimeZone(identifier: house.configuration.notices.timeZone) ?? TimeZone(secondsFromGMT: 0)
      guard let zone else {
        throw CommandFailure("There is no time zone", status: .badConfiguration)
      }
      text =
        AttackFingerprint(
          attack,
          .init(
            timeZone: zone, namesTarget: nameTarget, location: location,
            hasPacketsBySource: packetsBySource)
        ).json
    case .telemetry: text = AttackTelemetry(attack, .init(vendor: vendor)).telemetryJSON
    case .callHome:
      let owners = try house.sourceOwners()
      let number = asn.flatMap { ASN(text: $0) }
      if asn != nil, number == nil { throw ValidationError("--asn is no AS number.") }
      let sources = attack.sources.filter { source in
        let owner = owners(source.address)
        return (organisation == nil || owner.organisation == organisation)
          && (number == nil || owner.asn == number)
      }
      guard
        let json = AttackTelemetry(attack, .init(vendor: vendor)).callHomeJSON(sources: sources)
      else {
        throw CommandFailure(
          "There is no source to tell of",
          advice: "`noroshi ddos sources` shows whose they are, and which are probably forged.",
          status: .negative)
      }
      text = json
    }
    guard let output else {
      Terminal.output.write(text)
      return
    }
    try Data(text.utf8).write(to: URL(fileURLWithPath: output), options: .atomic)
  }
}

extension MitigationFormat: ExpressibleByArgument {}

struct DDoSMitigate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mitigate",
    abstract: "Write filters against an attack: nftables, BGP, access lists.",
    discussion: """
      What is written is applied by a person, after reading it. Where nothing but the rate tells an \
      attack's packets from others, they are limited and not dropped.

      Examples:
        noroshi ddos mitigate latest > attack.nft && nft -c -f attack.nft
        noroshi ddos mitigate latest --as flowspec
        noroshi ddos mitigate latest --as rtbh --next-hop 192.0.2.1 --community 64500:666
      """)

  @OptionGroup var options: HouseOptions
  @OptionGroup var choice: AttackChoice

  @Option(name: .long, help: "nftables, rtbh, flowspec, cisco or juniper.")
  var `as` = MitigationFormat.nftables

  @Option(name: .long, help: "The next hop of dropped routes (rtbh).")
  var nextHop: String?

  @Option(name: .long, help: "The community of dropped routes (rtbh), such as 64500:666.")
  var community: String?

  @Option(name: .long, help: "Packets per second that are let through where a limit is all.")
  var limit: Int?

  func validate() throws {
    if let nextHop, IPAddress(nextHop) == nil {
      throw ValidationError("--next-hop “\(nextHop)” is no address.")
    }
    if let community {
      let parts = community.split(separator: ":", omittingEmptySubsequences: false)
      guard parts.count == 2, parts.allSatisfy({ UInt16($0) != nil }) else {
        throw ValidationError("--community is such as 64500:666.")
      }
    }
    guard (1...1_000_000_000).contains(limit ?? 1) else {
      throw ValidationError("--limit must be above 0.")
    }
  }

  func run() async throws {
    let attack = try choice.attack(options.house())
    var parameters = MitigationParameters()
    if let limit { parameters.limitPacketsPerSecond = limit }
    if let community { parameters.community = community }
    if let hop = nextHop.flatMap({ IPAddress($0) }) {
      if hop.isIPv4 { parameters.nextHopV4 = hop } else { parameters.nextHopV6 = hop }
    }
    Terminal.output.write(attack.mitigation(`as`, parameters: parameters))
  }
}
