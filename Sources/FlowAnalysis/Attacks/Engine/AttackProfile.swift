import NetworkTypes
import Sketches

/// What an attack is made of, counted from its first second on, in bounded memory.
struct AttackProfile {
  /// A class, and for reflections the service's port.
  struct Key: Hashable {
    var kind: TrafficKind
    var port: UInt16
  }

  let start: Int64
  private let parameters: AttackParameters
  private(set) var total = AttackVolume()
  private(set) var tallies: [Key: VectorTally] = [:]
  private(set) var destinations: TopK<IPAddress>
  private(set) var destinationCount = HyperLogLog(precision: 12)
  private(set) var samplingRate: UInt16 = 1
  private(set) var last = Int64.min

  /// Source ports of amplifiers that are counted apart, and the share of packets below which one of
  /// them makes room for another.
  private static let largestPortCount = 8
  private static let weakShare = 0.02

  init(start: Int64, parameters: AttackParameters) {
    self.start = start
    self.parameters = parameters
    destinations = TopK(capacity: 256)
  }

  mutating func add(_ flow: AttackFlow) {
    guard flow.end >= start else { return }
    var packets = flow.packets
    var octets = flow.octets
    if flow.start < start, flow.end > flow.start {
      // In floating point, since a hostile time may make the difference of integers wrap.
      let whole = Double(flow.end) - Double(flow.start)
      let share = min(max((Double(flow.end) - Double(start)) / whole, 0), 1)
      packets = UInt64(min(Double(packets) * share, 1e19).rounded(.up))
      octets = UInt64(min(Double(octets) * share, 1e19).rounded(.up))
    }
    let volume = AttackVolume(packets: packets, octets: octets, flows: UInt64(flow.flows))
    total.add(volume)
    samplingRate = max(samplingRate, flow.samplingRate)
    last = max(last, flow.end)
    destinations.add(flow.destination, count: packets)
    destinationCount.insert(hash: Self.hash(flow.destination))
    let key = key(flow)
    if tallies[key] == nil {
      tallies[key] = VectorTally(kind: key.kind, sourceCapacity: parameters.sourcesPerVector)
    }
    tallies[key]?.add(flow, volume)
  }

  /// Counts only whom it was sent to.
  mutating func addDestination(_ flow: AttackFlow) {
    destinations.add(flow.destination, count: flow.packets)
    destinationCount.insert(hash: Self.hash(flow.destination))
  }

  private mutating func key(_ flow: AttackFlow) -> Key {
    guard flow.kind == .udpFromAmplifierPort else { return Key(kind: flow.kind, port: 0) }
    let key = Key(kind: .udpFromAmplifierPort, port: flow.sourcePort)
    if tallies[key] != nil { return key }
    // Source ports are random in many floods, and a few hit each amplifier's port: the weakest goes
    // back to what it is.
    let own = tallies.filter { $0.key.kind == .udpFromAmplifierPort }
    guard own.count >= Self.largestPortCount else { return key }
    let plain = Key(kind: .udp, port: 0)
    guard
      let weakest = own.min(by: {
        ($0.value.volume.packets, $0.key.port) < ($1.value.volume.packets, $1.key.port)
      }), Double(weakest.value.volume.packets) < Self.weakShare * Double(total.packets)
    else { return plain }
    tallies[weakest.key] = nil
    if tallies[plain] == nil {
      tallies[plain] = VectorTally(kind: .udp, sourceCapacity: parameters.sourcesPerVector)
    }
    tallies[plain]?.merge(weakest.value)
    return key
  }

  static func hash(_ address: IPAddress) -> UInt64 {
    mix64(
      UInt64(truncatingIfNeeded: address.bits >> 64), UInt64(truncatingIfNeeded: address.bits))
  }
}

/// One class of an attack's traffic, as it is counted.
struct VectorTally {
  let kind: TrafficKind
  var transport: UInt8 = 0
  var volume = AttackVolume()
  var first = Int64.max
  var last = Int64.min
  var ledger: SourceLedger
  var sourceCount = HyperLogLog(precision: 14)
  var destinationPorts = TopK<UInt16>(capacity: 64)
  var sourcePorts = TopK<UInt16>(capacity: 64)
  var flags: [UInt8: UInt64] = [:]
  var icmpTypes: [UInt8: UInt64] = [:]
  /// Packets from addresses that no packet can come from.
  var impossible: UInt64 = 0
  /// Flows of IPv4 sources by first octet.
  var firstOctets: [UInt32] = Array(repeating: 0, count: 256)

  init(kind: TrafficKind, sourceCapacity: Int) {
    self.kind = kind
    ledger = SourceLedger(capacity: sourceCapacity)
  }

  mutating func add(_ flow: AttackFlow, _ part: AttackVolume) {
    transport = flow.transport
    volume.add(part)
    first = min(first, flow.start)
    last = max(last, flow.end)
    ledger.add(flow, packets: part.packets, octets: part.octets)
    sourceCount.insert(hash: AttackProfile.hash(flow.source))
    switch flow.transport {
    case 6:
      flags[flow.tcpFlags, default: 0] &+= part.packets
      fallthrough
    case 17:
      destinationPorts.add(flow.destinationPort, count: part.packets)
      sourcePorts.add(flow.sourcePort, count: part.packets)
    case 1, 58: icmpTypes[flow.icmpType, default: 0] &+= part.packets
    default: break
    }
    if Self.isImpossible(flow.source) { impossible = impossible.addingClamped(part.packets) }
    if let v4 = flow.source.v4 { firstOctets[Int(v4 >> 24)] &+= 1 }
  }

  /// Takes in what another tally counted.
  mutating func merge(_ other: VectorTally) {
    if volume.flows == 0 { transport = other.transport }
    volume.add(other.volume)
    first = min(first, other.first)
    last = max(last, other.last)
    ledger.merge(other.ledger)
    sourceCount.merge(other.sourceCount)
    destinationPorts.merge(other.destinationPorts)
    sourcePorts.merge(other.sourcePorts)
    flags.merge(other.flags) { $0.addingClamped($1) }
    icmpTypes.merge(other.icmpTypes) { $0.addingClamped($1) }
    impossible = impossible.addingClamped(other.impossible)
    for octet in 0..<256 { firstOctets[octet] &+= other.firstOctets[octet] }
  }

  /// Addresses that no packet on a network has as its source (RFC 6890): 0/8, 127/8, multicast and
  /// reserved space, and their like of IPv6. Private addresses are not among them, as they are
  /// used.
  static func isImpossible(_ address: IPAddress) -> Bool {
    if let v4 = address.v4 {
      let octet = v4 >> 24
      return octet == 0 || octet == 127 || octet >= 224
    }
    // Unspecified, loopback, multicast.
    return address.bits <= 1 || address.bits >> 120 == 0xff
  }
}
