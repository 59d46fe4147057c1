public import ArgumentParser
import Constituency
public import FlowAnalysis
import Foundation
import Geolocation
import NetworkTypes

/// Which attack a command is about: one that is stored, or a capture of one.
struct AttackChoice: ParsableArguments {
  @Argument(help: "The attack's identifier; `latest` for the latest one.")
  var id = "latest"

  @Option(
    name: .long,
    help:
      "A file of nfcapd or a capture that is the attack, several times, in place of a stored one.",
    completion: .file())
  var file: [String] = []

  @Option(name: .long, help: "With --file: whom it was on. Default: who got most packets.")
  var target: IPPrefix?

  func attack(_ house: House) throws -> Attack {
    guard file.isEmpty else { return try dissect(house) }
    guard let attack = try house.attackStore().attack(id) else {
      throw CommandFailure(
        id == "latest" ? "No attack is stored" : "There is no attack \(id)",
        advice: "`noroshi ddos attacks` lists them.", status: .noInput)
    }
    return attack
  }

  private func dissect(_ house: House) throws -> Attack {
    var dissection = AttackDissection(target: target)
    let input = FlowInput.of(file)
    _ = try input.forEach(house, title: "Reading") { dissection.survey($0) }
    dissection.begin()
    _ = try input.forEach(house, title: "Looking into the attack") { dissection.ingest($0) }
    guard let attack = dissection.attack else {
      throw CommandFailure(
        target.map { "No flow goes to \($0)" } ?? "There are no flows in these files",
        status: .badData)
    }
    return attack
  }
}

extension House {
  /// Who is behind an address: the organisation that answers for it, AS number and country.
  func sourceOwners() throws -> (IPAddress) -> SourceOwner {
    let index = ConstituencyIndex(try constituency())
    let geo = try geo()
    return { address in
      let place = geo.lookup(address)
      let asn = place.asn == .unknown ? nil : place.asn
      return SourceOwner(
        organisation: index.responsible(for: address, asn: asn).organisation, asn: asn,
        country: place.country == .unknown ? nil : place.country,
        network: IPPrefix(address, length: address.isIPv4 ? 24 : 48))
    }
  }
}

struct DDoSShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show one attack: when, how much, of what, from whom.",
    discussion: """
      Examples:
        noroshi ddos show latest
        noroshi ddos show --file attack.pcap
      """)

  @OptionGroup var options: HouseOptions
  @OptionGroup var choice: AttackChoice

  func run() async throws {
    let house = try options.house()
    let attack = try choice.attack(house)
    var sheet = Sheet(attack.id)
    sheet.add("what", attack.name)
    sheet.add("target", attack.target.description)
    sheet.add("from", .time(attack.start))
    sheet.add("to", .time(attack.end))
    sheet.add("duration", .seconds(attack.seconds))
    sheet.add("ongoing", .flag(!attack.isOver))
    sheet.add("noticed by", DDoSTable.trigger(attack.trigger))
    sheet.add(
      "peak",
      "\(Quantity.short(attack.peak.packetsPerSecond, unit: "packets/s")), "
        + "\(Quantity.short(attack.peak.bitsPerSecond, unit: "bit/s")), "
        + "\(Quantity.short(attack.peak.flowsPerSecond, unit: "flows/s")) at \(attack.peakTime)")
    sheet.add(
      "in all",
      "\(Quantity.grouped(attack.total.packets)) packets, "
        + "\(Quantity.bytes(Int64(clamping: attack.total.octets))), "
        + "\(Quantity.grouped(attack.total.flows)) flow records"
        + (attack.samplingRate > 1 ? ", sampled 1:\(attack.samplingRate)" : ""))
    sheet.add("packets/s", Self.plot(attack.series.packets))
    sheet.add(
      "sources",
      "\(Quantity.grouped(Int64(attack.sourceCount)))"
        + (attack.sourceCountError > 0
          ? " ± \(Quantity.decimal(attack.sourceCountError * 100, digits: 1)) %" : ""))
    sheet.write()
    for vector in attack.vectors {
      var part = Sheet("\n\(vector.name)")
      part.add("share", .percent(vector.share * 100))
      part.add("packets", .count(vector.volume.packets))
      part.add("bytes/packet", .decimal(vector.volume.octetsPerPacket, digits: 0))
      part.add("source port", vector.sourcePort.map { "\($0)" } ?? "varies")
      part.add(
        "ports",
        vector.destinationPorts.isEmpty
          ? "varies"
          : vector.destinationPorts.map { "\($0.value) (\(Int(($0.share * 100).rounded())) %)" }
            .joined(separator: ", "))
      part.add("sources are", "\(vector.nature.rawValue): \(vector.evidence)")
      part.write()
    }
    Terminal.output.line()
    let owners = try house.sourceOwners()
    var groups = attack.sourceGroups(by: .asn, owner: owners)
    // Without geographic data every system is unknown; the organisations still are not.
    if groups.allSatisfy({ $0.owner.asn == nil }) {
      groups = attack.sourceGroups(by: .organisation, owner: owners)
    }
    try ListOutput.table.write(Array(groups.prefix(10)), columns: DDoSTable.groups)
  }

  /// The rates as a line of blocks, at most 60.
  static func plot(_ values: [Double]) -> String {
    guard let top = values.max(), top > 0 else { return "–" }
    let step = max(1, (values.count + 59) / 60)
    let blocks = Array("▁▂▃▄▅▆▇█")
    let line = stride(from: 0, to: values.count, by: step).map { start in
      let part = values[start..<min(values.count, start + step)].max() ?? 0
      return blocks[min(7, max(0, Int(part / top * 7.999)))]
    }
    return String(line) + " \(Quantity.short(top, unit: ""))"
  }
}

extension SourceGroup.Key: ExpressibleByArgument {}

struct DDoSSources: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sources",
    abstract: "List an attack's sources, one by one or by whom they belong to.",
    discussion: """
      Packets are at least the true number, and at most `error` too many. `nature` says whether the \
      address is a reflector's, probably forged, or probably true.

      Examples:
        noroshi ddos sources latest
        noroshi ddos sources latest --by organisation --format csv
      """)

  @OptionGroup var options: HouseOptions
  @OptionGroup var choice: AttackChoice
  @OptionGroup var list: ListOutput

  @Option(name: .long, help: "Add up by organisation, asn, country or network.")
  var by: SourceGroup.Key?

  @Option(name: .long, help: "At most this many rows; 0 for all.")
  var limit = 50

  func validate() throws {
    guard limit >= 0 else { throw ValidationError("--limit must be 0 or more.") }
  }

  func run() async throws {
    let house = try options.house()
    let attack = try choice.attack(house)
    let most = limit == 0 ? Int.max : limit
    if let by {
      let groups = attack.sourceGroups(by: by, owner: try house.sourceOwners())
      try list.write(
        Array(groups.prefix(most)), columns: DDoSTable.groups, total: groups.count)
    } else {
      try list.write(
        Array(attack.sources.prefix(most)), columns: DDoSTable.sources,
        total: attack.sources.count)
    }
    if list.format == .table {
      Terminal.error.line(
        "\(attack.id), \(attack.name): \(Quantity.grouped(Int64(attack.sourceCount))) sources in all"
          + (attack.sourceCountError > 0
            ? " (± \(Quantity.decimal(attack.sourceCountError * 100, digits: 1)) %)" : "")
          + ", the strongest \(Quantity.grouped(attack.sources.count)) kept.")
    }
  }
}
