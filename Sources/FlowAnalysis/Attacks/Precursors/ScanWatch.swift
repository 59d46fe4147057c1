public import NetworkTypes
import Sketches

/// The numbers that decide who scans, each with its source.
public struct ScanParameters: Sendable {
  /// Hosts on one port, without an answer of theirs, from which on a source scans horizontally. Our
  /// own choice; Slips takes five, which a browser with dead servers reaches.
  public var horizontalTargets = 20
  /// Ports of one host without an answer from which on a source scans vertically. Our own choice;
  /// Slips takes five, Snort's portscan fifteen.
  public var verticalPorts = 15
  /// The greatest share of targets that answered: a scan meets few services. Own choice.
  public var largestAnsweredShare = 0.5
  /// Packets of a probe at most, so that retries count and traffic does not.
  public var largestProbePackets: UInt64 = 20
  /// Seconds without a probe after which a scan is over and its counts begin anew.
  public var quietSeconds = 3_600.0
  /// Sources with a port, and with a host, that are counted at the same time, about 200 octets
  /// each.
  public var largestEntryCount = 131_072
  /// Sources that are never reported: one's own monitors.
  public var ignored: [IPPrefix] = []

  public init() {}
}

/// A source that probes many hosts or many ports: an attack's precursor.
public struct ObservedScan: Sendable, Codable, Hashable, Identifiable {
  public enum Shape: String, Sendable, Codable, CaseIterable {
    /// Many hosts on one port, or many hosts by ICMP.
    case horizontal
    /// Many ports of one host.
    case vertical
  }

  public var source: IPAddress
  public var shape: Shape
  public var transport: IPProtocol
  /// The port of a horizontal scan; nil for ICMP and vertical ones.
  public var port: UInt16?
  /// The host of a vertical scan.
  public var target: IPAddress?
  /// Distinct hosts or ports that did not answer.
  public var targets: Double
  /// Distinct hosts or ports that answered.
  public var answered: Double
  /// Packets, scaled by the sampling rate, and flow records.
  public var packets: UInt64
  public var flows: UInt64
  public var first: Timestamp
  public var last: Timestamp

  /// The same for the same scan, however far it has got.
  public var id: String {
    [
      source.description, shape.rawValue, transport.description, port.map { "\($0)" } ?? "",
      target?.description ?? "", "\(first.nanoseconds)",
    ].joined(separator: "|")
  }
}

/// Finds scanners in flows.
///
/// A probe is a flow that asks: TCP with SYN and without ACK (with RST or not), a few packets of
/// UDP to the lower port, an ICMP echo request. That a host answered TCP is seen by the client's
/// own flags, which then have ACK, so that flows of one direction are enough, and sampled ones too.
/// That it answered UDP or an echo is seen by a flow the other way.
public final class ScanWatch {
  public let parameters: ScanParameters
  private let ignored: PrefixMap<Bool>

  private struct Key: Hashable {
    var source: IPAddress
    /// The target of a vertical scan; all zero bits for horizontal ones.
    var target: IPAddress
    var transport: UInt8
    var port: UInt16
  }

  fileprivate struct Entry {
    // Exact up to 96.
    var asked = HyperLogLog(precision: 10)
    var answered = HyperLogLog(precision: 10)
    var packets: UInt64 = 0
    var flows: UInt64 = 0
    var first = Int64.max
    var last = Int64.min
  }

  private var entries: [Key: Entry] = [:]
  private var now = Int64.min
  /// Counts that were dropped for want of room.
  public private(set) var dropped: UInt64 = 0
  private var finished: [ObservedScan] = []
  private var swept = Int64.min

  public init(_ parameters: ScanParameters = ScanParameters()) {
    self.parameters = parameters
    ignored = PrefixMap(parameters.ignored.map { ($0, true) })
  }

  private enum Role { case probe, gotOn, answer, neither }

  private func role(_ flow: AttackFlow) -> Role {
    switch flow.transport {
    case 6:
      let flags = flow.tcpFlags
      // The lower port is the service's: what comes from there is a server's own.
      guard flow.destinationPort <= flow.sourcePort else {
        return flags & 18 == 2 ? .probe : .neither
      }
      if flags & 18 == 2 {
        let seen = flow.packets / UInt64(flow.samplingRate)
        return seen <= parameters.largestProbePackets ? .probe : .neither
      }
      return flags & 20 == 16 ? .gotOn : .neither
    case 17:
      guard flow.packets / UInt64(flow.samplingRate) <= 3 else { return .answer }
      // The lower port is the service's, as clients take theirs from the upper range.
      return flow.destinationPort <= flow.sourcePort ? .probe : .answer
    case 1: return flow.icmpType == 8 ? .probe : flow.icmpType == 0 ? .answer : .neither
    case 58: return flow.icmpType == 128 ? .probe : flow.icmpType == 129 ? .answer : .neither
    default: return .neither
    }
  }

  /// Takes in a flow.
  public func ingest(_ flow: AttackFlow) {
    guard flow.hasTime else { return }
    if flow.end > now { now = flow.end }
    switch role(flow) {
    case .neither: return
    case .gotOn:
      let none = IPAddress(bits: 0)
      answer(
        Key(
          source: flow.source, target: none, transport: flow.transport, port: flow.destinationPort),
        hash: AttackProfile.hash(flow.destination))
      answer(
        Key(source: flow.source, target: flow.destination, transport: flow.transport, port: 0),
        hash: mix64(UInt64(flow.destinationPort) + 1))
    case .probe:
      guard ignored.index(flow.source) == 0 else { return }
      let none = IPAddress(bits: 0)
      note(
        Key(
          source: flow.source, target: none, transport: flow.transport, port: flow.destinationPort),
        flow, hash: AttackProfile.hash(flow.destination))
      guard flow.transport == 6 || flow.transport == 17 else { return }
      note(
        Key(source: flow.source, target: flow.destination, transport: flow.transport, port: 0),
        flow,
        hash: mix64(UInt64(flow.destinationPort) + 1))
    case .answer:
      let none = IPAddress(bits: 0)
      answer(
        Key(
          source: flow.destination, target: none, transport: flow.transport, port: flow.sourcePort),
        hash: AttackProfile.hash(flow.source))
      guard flow.transport == 6 || flow.transport == 17 else { return }
      answer(
        Key(source: flow.destination, target: flow.source, transport: flow.transport, port: 0),
        hash: mix64(UInt64(flow.sourcePort) + 1))
    }
    sweepIfDue()
  }

  private func note(_ key: Key, _ flow: AttackFlow, hash: UInt64) {
    if entries[key] == nil, entries.count >= parameters.largestEntryCount {
      makeRoom()
      guard entries.count < parameters.largestEntryCount else {
        dropped &+= 1
        return
      }
    }
    entries[key, default: Entry()].add(flow, hash: hash)
  }

  private func answer(_ key: Key, hash: UInt64) {
    entries[key]?.answered.insert(hash: hash)
  }

  /// Ends what has been quiet; twice in the quiet time.
  private func sweepIfDue() {
    let quiet = Int64(min(max(parameters.quietSeconds, 1), 1e6) * 1e9)
    if swept == .min { swept = now }
    guard now - swept > quiet / 2 else { return }
    swept = now
    for (key, entry) in entries where entry.last < now - quiet {
      if let scan = scan(key, entry) { finished.append(scan) }
      entries[key] = nil
    }
  }

  /// Forgets those with the fewest targets that were seen least recently: half of what is not a
  /// scan.
  private func makeRoom() {
    let weak = entries.filter { scan($0.key, $0.value) == nil }
      .map { (key: $0.key, last: $0.value.last) }.sorted { $0.last < $1.last }
    for item in weak.prefix(max(1, weak.count / 2)) {
      entries[item.key] = nil
      dropped &+= 1
    }
  }

  private func scan(_ key: Key, _ entry: Entry) -> ObservedScan? {
    let isVertical = key.target.bits != 0
    // A TCP connection that got on is no probe; a question by UDP or ICMP is one in any case.
    // A flow asks one host on one port, so that an estimate above their number is surely too high.
    var asked = min(entry.asked.estimate.rounded(), Double(entry.flows))
    var answered = entry.answered.estimate.rounded()
    if key.transport == 6 { asked += answered } else { answered = min(answered, asked) }
    let silent = asked - answered
    let least = isVertical ? parameters.verticalPorts : parameters.horizontalTargets
    // Whoever pings many hosts looks for them, whether they answer or not.
    let isPing = key.transport == 1 || key.transport == 58
    guard (isPing ? asked : silent) >= Double(max(2, least)) else { return nil }
    guard isPing || answered <= parameters.largestAnsweredShare * asked else { return nil }
    return ObservedScan(
      source: key.source, shape: isVertical ? .vertical : .horizontal,
      transport: IPProtocol(rawValue: key.transport), port: isVertical || isPing ? nil : key.port,
      target: isVertical ? key.target : nil, targets: isPing ? asked : silent, answered: answered,
      packets: entry.packets, flows: entry.flows, first: Timestamp(nanoseconds: entry.first),
      last: Timestamp(nanoseconds: entry.last))
  }

  /// The scans so far, those of most targets first; those that ended are given once.
  public func takeScans() -> [ObservedScan] {
    defer { finished = [] }
    return (finished + entries.compactMap { scan($0.key, $0.value) }).sorted {
      $0.targets != $1.targets ? $0.targets > $1.targets : $0.id < $1.id
    }
  }
}

extension ScanWatch.Entry {
  fileprivate mutating func add(_ flow: AttackFlow, hash: UInt64) {
    asked.insert(hash: hash)
    packets = packets.addingClamped(flow.packets)
    flows &+= UInt64(flow.flows)
    first = min(first, flow.start)
    last = max(last, flow.end)
  }
}
