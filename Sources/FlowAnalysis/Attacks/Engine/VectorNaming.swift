import Glibc
import NetworkTypes
import Sketches

/// Makes vectors, sources and their nature of what was counted.
struct VectorNaming {
  let parameters: AttackParameters

  /// Where Linux' ports of clients begin (ip_local_port_range); services are below.
  private static let firstClientPort: UInt16 = 32_768

  struct Outcome {
    var vectors: [AttackVector] = []
    var sources: [AttackSource] = []
    var sourceCount = 0.0
    var sourceCountError = 0.0
  }

  /// One vector with the tallies that belong to it.
  private struct Group {
    var name: String
    var service: AmplificationService?
    var tallies: [VectorTally]
    var volume: AttackVolume
    var sourceCount: HyperLogLog
    var share = 0.0

    var kind: TrafficKind { tallies.max { $0.volume.packets < $1.volume.packets }?.kind ?? .other }
    var impossible: UInt64 { tallies.reduce(0) { $0.addingClamped($1.impossible) } }
    var impossibleShare: Double { Double(impossible) / Double(max(1, volume.packets)) }
    var isOrdinary: Bool { kind == .tcpConnection }
  }

  func outcome(_ profile: AttackProfile) -> Outcome {
    var groups: [String: Group] = [:]
    let order = profile.tallies.sorted {
      ($0.key.kind.rawValue, $0.key.port) < ($1.key.kind.rawValue, $1.key.port)
    }
    for (key, tally) in order {
      let service = reflectionService(key, tally)
      let name = service.map { "\($0.name)-amplification" } ?? Self.name(tally)
      if groups[name] == nil {
        groups[name] = Group(
          name: name, service: service, tallies: [tally], volume: tally.volume,
          sourceCount: tally.sourceCount)
      } else {
        groups[name]?.tallies.append(tally)
        groups[name]?.volume.add(tally.volume)
        groups[name]?.sourceCount.merge(tally.sourceCount)
      }
    }
    let packets = Double(max(1, profile.total.packets))
    let octets = Double(max(1, profile.total.octets))
    var chosen: [Group] = []
    for var group in groups.values {
      group.share = max(
        Double(group.volume.packets) / packets, Double(group.volume.octets) / octets)
      chosen.append(group)
    }
    chosen.sort { (left: Group, right: Group) -> Bool in
      left.share != right.share ? left.share > right.share : left.name < right.name
    }
    // Whole connections are a victim's ordinary traffic, unless there is nothing else.
    let special = chosen.filter { !$0.isOrdinary && $0.share >= parameters.leastVectorShare }
    chosen = special.isEmpty ? Array(chosen.prefix(1)) : special
    var outcome = Outcome()
    var sources: [IPAddress: AttackSource] = [:]
    var count = HyperLogLog(precision: 14)
    for group in chosen {
      let (nature, evidence) = nature(group)
      outcome.vectors.append(vector(group, nature, evidence))
      collect(group, nature, into: &sources)
      count.merge(group.sourceCount)
    }
    outcome.sources = sources.values.sorted {
      $0.packets != $1.packets ? $0.packets > $1.packets : $0.address < $1.address
    }.prefix(parameters.reportedSourceCount).map { $0 }
    outcome.sourceCount = count.estimate.rounded()
    // The sparse form of the counter, of up to 3/32 of its registers, is practically exact.
    outcome.sourceCountError =
      count.estimate <= Double((3 << count.precision) >> 5) ? 0 : count.relativeStandardError
    return outcome
  }

  /// The service that reflects, where this is a reflection.
  private func reflectionService(
    _ key: AttackProfile.Key, _ tally: VectorTally
  ) -> AmplificationService? {
    guard key.kind == .udpFromAmplifierPort, let service = AmplificationService.at(key.port),
      tally.volume.octetsPerPacket >= service.leastOctetsPerPacket
    else { return nil }
    let impossible = Double(tally.impossible) / Double(max(1, tally.volume.packets))
    return impossible < parameters.nature.forgedShare ? service : nil
  }

  private static func name(_ tally: VectorTally) -> String {
    switch tally.kind {
    case .udp, .udpFromAmplifierPort: "udp-flood"
    case .tcpSYN: "tcp-syn-flood"
    case .tcpSYNACK: "tcp-syn-ack-flood"
    case .tcpACK: "tcp-ack-flood"
    case .tcpRST: "tcp-rst-flood"
    case .tcpConnection: "tcp-connection-flood"
    case .tcpOdd: "tcp-odd-flags-flood"
    case .icmp: "icmp-flood"
    case .fragment: "fragments"
    case .other, .all: "\(IPProtocol(rawValue: tally.transport))-flood"
    }
  }

  // MARK: Nature

  private func nature(_ group: Group) -> (SourceNature, String) {
    let limits = parameters.nature
    let count = max(1, group.sourceCount.estimate.rounded())
    let size = Int(group.volume.octetsPerPacket.rounded())
    let sources = "\(Int(count)) sources"
    if let service = group.service {
      return (
        .reflector,
        "\(sources) send from port \(service.port) (\(service.title)) \(size) octets per packet, as "
          + "its answers have, and \(Self.percent(group.impossibleShare)) of the packets name an "
          + "impossible source."
      )
    }
    if group.impossibleShare >= limits.forgedShare {
      return (
        .forged,
        "\(Self.percent(group.impossibleShare)) of the packets name a source that no packet can come "
          + "from (0/8, 127/8, 224/3); random forging makes 13 %."
      )
    }
    if group.kind == .tcpConnection {
      return (.direct, "\(sources) completed connections, which forged addresses cannot.")
    }
    if let answer = answers(group) {
      return (.reflector, "\(sources) \(answer), which answer packets that named the target.")
    }
    let single = count / Double(max(1, group.volume.flows))
    if single >= limits.singleFlowShare,
      let evenness = Self.evenness(group.tallies, leastOctets: limits.leastOctets),
      evenness >= limits.evenness
    {
      return (
        .forged,
        "\(sources) in \(group.volume.flows) flows: nearly each is seen once, and their first octets "
          + "are spread as evenly as chance does (\(Self.percent(evenness)))."
      )
    }
    if Double(group.volume.flows) >= 3 * count {
      return (
        .direct,
        "\(sources) in \(group.volume.flows) flows: the same ones come again and again, and "
          + "\(Self.percent(group.impossibleShare)) of the packets name an impossible one."
      )
    }
    return (
      .unknown,
      "\(sources) in \(group.volume.flows) flows are too few, or too uneven, to tell."
    )
  }

  /// What kind of answers these are, when they are answers to forged packets.
  private func answers(_ group: Group) -> String? {
    let packets = Double(max(1, group.volume.packets))
    switch group.kind {
    case .tcpSYNACK, .tcpRST:
      let top = ports(group.tallies.map(\.sourcePorts), packets).first
      guard let top, top.share >= 0.5, top.value < Self.firstClientPort else { return nil }
      return "send SYN-ACK or RST from port \(top.value)"
    case .icmp:
      // Echo reply, destination unreachable, time exceeded; of ICMPv6 1, 3 and 129.
      let types = merged(group.tallies.map(\.icmpTypes))
      let isVersion6 = group.tallies.contains { $0.transport == 58 }
      let answers: [UInt8] = isVersion6 ? [1, 3, 129] : [0, 3, 11]
      let sum = answers.reduce(0.0) { $0 + Double(types[$1] ?? 0) }
      return sum / packets >= 0.8 ? "send ICMP answers and errors" : nil
    default: return nil
    }
  }

  /// How evenly flows lie over the first octets of their IPv4 sources: the number of octets that an
  /// even spread of the same entropy (with the correction of Miller and Madow, 1955) would have, as
  /// a share of those that occur. Nil where too few flows or octets are there to say.
  static func evenness(_ tallies: [VectorTally], leastOctets: Int) -> Double? {
    var sums = [Double](repeating: 0, count: 256)
    for tally in tallies {
      for octet in 0..<256 { sums[octet] += Double(tally.firstOctets[octet]) }
    }
    let total = sums.reduce(0, +)
    let filled = Double(sums.count { $0 > 0 })
    // Five flows an octet: below, chance makes as much unevenness as there is.
    guard filled >= Double(leastOctets), total >= 5 * filled else { return nil }
    var entropy = 0.0
    for value in sums where value > 0 { entropy -= value / total * log(value / total) }
    return min(1, exp(entropy + (filled - 1) / (2 * total)) / filled)
  }

  // MARK: Vectors and sources

  private func vector(
    _ group: Group, _ nature: SourceNature, _ evidence: String
  ) -> AttackVector {
    let packets = Double(max(1, group.volume.packets))
    let sourcePorts = ports(group.tallies.map(\.sourcePorts), packets)
    let hasPorts = group.kind != .fragment
    let flags = merged(group.tallies.map(\.flags)).map {
      AttackVector.FlagShare(flags: $0.key, share: Double($0.value) / packets)
    }.filter { $0.share >= 0.05 }.sorted { ($1.share, $0.flags) < ($0.share, $1.flags) }
    let types = merged(group.tallies.map(\.icmpTypes)).map {
      AttackVector.PortShare(value: UInt16($0.key), share: Double($0.value) / packets)
    }.filter { $0.share >= 0.05 }.sorted { ($1.share, $0.value) < ($0.share, $1.value) }
    return AttackVector(
      name: group.name, kind: group.kind, transport: group.tallies.first?.transport ?? 0,
      service: group.service?.name,
      sourcePort: hasPorts ? sourcePorts.first.flatMap { $0.share >= 0.9 ? $0.value : nil } : nil,
      volume: group.volume, share: group.share,
      first: Timestamp(nanoseconds: group.tallies.map(\.first).min() ?? 0),
      last: Timestamp(nanoseconds: group.tallies.map(\.last).max() ?? 0),
      destinationPorts: hasPorts
        ? Array(ports(group.tallies.map(\.destinationPorts), packets).prefix(10)) : [],
      tcpFlags: flags, icmpTypes: types, sourceCount: group.sourceCount.estimate.rounded(),
      nature: nature, evidence: evidence)
  }

  /// The ports with at least a twentieth of the packets, the most frequent first.
  private func ports(
    _ counters: [TopK<UInt16>], _ packets: Double
  ) -> [AttackVector.PortShare] {
    var sums: [UInt16: UInt64] = [:]
    for counter in counters {
      for entry in counter.entries() {
        sums[entry.key, default: 0] = (sums[entry.key] ?? 0).addingClamped(
          entry.count - entry.error)
      }
    }
    return sums.map { AttackVector.PortShare(value: $0.key, share: Double($0.value) / packets) }
      .filter { $0.share >= 0.05 }.sorted { ($1.share, $0.value) < ($0.share, $1.value) }
  }

  private func merged(_ counts: [[UInt8: UInt64]]) -> [UInt8: UInt64] {
    counts.reduce(into: [:]) { sum, next in
      for (key, value) in next { sum[key] = (sum[key] ?? 0).addingClamped(value) }
    }
  }

  private func collect(
    _ group: Group, _ nature: SourceNature, into sources: inout [IPAddress: AttackSource]
  ) {
    for tally in group.tallies {
      for entry in tally.ledger.counts.entries() {
        let details = tally.ledger.details[entry.key] ?? SourceLedger.Details()
        let own: SourceNature =
          details.hasConnections
          ? .direct : VectorTally.isImpossible(entry.key) ? .forged : nature
        let first = Timestamp(nanoseconds: details.first)
        let last = Timestamp(nanoseconds: details.last)
        guard var known = sources[entry.key] else {
          sources[entry.key] = AttackSource(
            address: entry.key, packets: entry.count, error: entry.error, octets: details.octets,
            flows: details.flows, first: first, last: last, nature: own, vectors: [group.name])
          continue
        }
        known.packets = known.packets.addingClamped(entry.count)
        known.error = known.error.addingClamped(entry.error)
        known.octets = known.octets.addingClamped(details.octets)
        known.flows = known.flows.addingClamped(details.flows)
        known.first = min(known.first, first)
        known.last = max(known.last, last)
        if !known.vectors.contains(group.name) { known.vectors.append(group.name) }
        sources[entry.key] = known
      }
    }
  }

  static func percent(_ share: Double) -> String {
    let tenths = Int((min(max(share, 0), 10) * 1_000).rounded())
    return "\(tenths / 10).\(tenths % 10) %"
  }
}
