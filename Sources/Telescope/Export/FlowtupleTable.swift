public import NetworkTypes
public import PacketCapture

/// What packets of one minute have in common: the key of CAIDA's FlowTuple (Corsaro 3), beside the minute.
public struct Flowtuple: Hashable, Sendable {
  public var source: IPAddress
  public var destination: IPAddress
  /// The minute in which its packets came, since 1970.
  public var minute: Int64
  /// The type for ICMP and ICMPv6.
  public var sourcePort: UInt16
  /// The code for ICMP and ICMPv6.
  public var destinationPort: UInt16
  /// IPv4 Total Length, or IPv6 Payload Length + 40, in octets.
  public var ipLength: UInt16
  public var transport: UInt8
  public var timeToLive: UInt8
  /// FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128.
  public var tcpFlags: UInt8

  /// The tuple of a decoded packet.
  public init(_ packet: PacketHeaders) {
    source = packet.source
    destination = packet.destination
    // Also before 1970 a minute begins below its packets.
    let nanoseconds = packet.timestamp.nanoseconds
    let whole = nanoseconds / 60_000_000_000
    minute = nanoseconds % 60_000_000_000 < 0 ? whole - 1 : whole
    transport = packet.transport.rawValue
    let isControl = packet.transport == .icmp || packet.transport == .icmpv6
    sourcePort = isControl ? UInt16(packet.icmpType) : packet.sourcePort
    destinationPort = isControl ? UInt16(packet.icmpCode) : packet.destinationPort
    ipLength = packet.ipLength
    timeToLive = packet.timeToLive
    tcpFlags = packet.tcpFlags
  }

  /// Two addresses and two words say it all; hashing field by field takes twice the time.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(source.bits)
    hasher.combine(destination.bits)
    hasher.combine(
      UInt64(sourcePort) << 48 | UInt64(destinationPort) << 32 | UInt64(ipLength) << 16
        | UInt64(transport) << 8 | UInt64(timeToLive))
    hasher.combine(minute << 8 | Int64(tcpFlags))
  }
}

extension Flowtuple: Comparable {
  /// By minute, then by what makes neighbours alike.
  public static func < (left: Self, right: Self) -> Bool {
    if left.minute != right.minute { return left.minute < right.minute }
    if left.transport != right.transport { return left.transport < right.transport }
    if left.destinationPort != right.destinationPort {
      return left.destinationPort < right.destinationPort
    }
    if left.source != right.source { return left.source < right.source }
    if left.destination != right.destination { return left.destination < right.destination }
    if left.sourcePort != right.sourcePort { return left.sourcePort < right.sourcePort }
    return (left.tcpFlags, left.timeToLive, left.ipLength)
      < (right.tcpFlags, right.timeToLive, right.ipLength)
  }
}

/// Numbers that bound the making of flowtuples.
public struct FlowtupleParameters: Sendable {
  /// Tuples in memory at once, about 130 octets each. Corsaro has no such bound; the busiest minute of
  /// a /8 has some ten million.
  public var tuples = 2_000_000
  /// Minutes behind the newest one that stay open for late packets (our own choice: captures of
  /// several queues are out of order by less than a second).
  public var openMinutes: Int64 = 1

  /// The values above.
  public init() {}
}

/// Counts packets by flowtuple, minute for minute, in bounded memory.
struct FlowtupleTable {
  private var counts: [Flowtuple: UInt64] = [:]
  private var newest = Int64.min
  /// Minutes before this one have been written.
  private var written = Int64.min
  private let parameters: FlowtupleParameters
  /// Tuples written before their minute had ended, because memory was full: more packets of the same
  /// tuple make another row.
  private(set) var spilled = 0
  /// Packets of minutes that had been written: they make rows of their own.
  private(set) var late: UInt64 = 0

  init(_ parameters: FlowtupleParameters) { self.parameters = parameters }

  /// - Parameter emit: called with tuples that are complete, in their order.
  mutating func add(
    _ packet: PacketHeaders, emit: (Flowtuple, UInt64) throws -> Void
  ) rethrows {
    let tuple = Flowtuple(packet)
    if tuple.minute > newest {
      newest = tuple.minute
      let border = newest &- parameters.openMinutes
      if border > written {
        try write(emit) { $0.minute < border }
        written = border
      }
    } else if tuple.minute < written {
      late &+= 1
    }
    counts[tuple, default: 0] &+= 1
    if counts.count >= max(1, parameters.tuples) {
      spilled += counts.count
      try write(emit) { _ in true }
    }
  }

  mutating func finish(emit: (Flowtuple, UInt64) throws -> Void) rethrows {
    try write(emit) { _ in true }
  }

  private mutating func write(
    _ emit: (Flowtuple, UInt64) throws -> Void, _ isDue: (Flowtuple) -> Bool
  ) rethrows {
    let due = counts.filter { isDue($0.key) }
    guard !due.isEmpty else { return }
    if due.count == counts.count {
      counts.removeAll(keepingCapacity: true)
    } else {
      counts = counts.filter { !isDue($0.key) }
    }
    for (tuple, packets) in due.sorted(by: { $0.key < $1.key }) { try emit(tuple, packets) }
  }
}
