public import NetworkTypes
import Sketches

/// The numbers that decide what an own host reflects, each with its source.
public struct ReflectorParameters: Sendable {
  /// Octets answered for one asked from which on a service that answers everybody on purpose (DNS,
  /// NTP) is an amplifier. Our own choice: ordinary answers are two to four times their question.
  public var publicFactor = 8.0
  /// The same for services that nobody outside should reach; answering at all is the fault there,
  /// and below this it is told with less confidence.
  public var privateFactor = 1.0
  /// Octets answered from which on a host is told of.
  public var leastOctets: UInt64 = 1_000
  /// Hosts and services that are counted, about 150 octets each.
  public var largestEntryCount = 65_536

  public init() {}
}

/// An own host that answers a service of which attacks are reflected.
public struct ObservedReflector: Sendable, Codable, Hashable, Identifiable {
  public var address: IPAddress
  /// The name in ``AmplificationService``.
  public var service: String
  public var port: UInt16
  public var octetsIn: UInt64
  public var octetsOut: UInt64
  public var packetsIn: UInt64
  public var packetsOut: UInt64
  /// Addresses outside that were answered.
  public var clients: Double
  /// The share of the octets that went to the one that got most: near 1 when it is being used.
  public var topClientShare: Double
  public var topClient: IPAddress
  public var first: Timestamp
  public var last: Timestamp

  public var id: String { "\(address)|\(port)|\(first.nanoseconds)" }

  /// Octets of IP answered for one asked; nil where no question was seen, as with asymmetric
  /// routes.
  public var factor: Double? {
    octetsIn == 0 ? nil : Double(octetsOut) / Double(octetsIn)
  }
}

/// Finds hosts of one's own network that answer amplification services to the outside.
public final class ReflectorWatch {
  public let parameters: ReflectorParameters
  private let own: PrefixMap<Bool>
  private struct Key: Hashable {
    var address: IPAddress
    var port: UInt16
  }
  fileprivate struct Entry {
    var octetsIn: UInt64 = 0
    var octetsOut: UInt64 = 0
    var packetsIn: UInt64 = 0
    var packetsOut: UInt64 = 0
    var clients = TopK<IPAddress>(capacity: 16)
    var clientCount = HyperLogLog(precision: 8)
    var first = Int64.max
    var last = Int64.min
  }
  private var entries: [Key: Entry] = [:]
  /// Answers that were not counted for want of room.
  public private(set) var dropped: UInt64 = 0

  /// - Parameter own: the prefixes of one's own network; without any, nothing is found.
  public init(own: [IPPrefix], parameters: ReflectorParameters = ReflectorParameters()) {
    self.parameters = parameters
    self.own = PrefixMap(own.map { ($0, true) })
  }

  /// Takes in a flow.
  public func ingest(_ flow: AttackFlow) {
    guard flow.transport == 17, flow.hasTime, !own.isEmpty else { return }
    if AmplificationService.isPort(flow.sourcePort), own.index(flow.source) != 0,
      own.index(flow.destination) == 0
    {
      let key = Key(address: flow.source, port: flow.sourcePort)
      // A client that uses the service's port itself, as NTP and DNS once did, asks and does not
      // answer.
      guard flow.destinationPort != flow.sourcePort || flow.octets > 200 &* flow.packets else {
        return
      }
      if entries[key] == nil, entries.count >= parameters.largestEntryCount {
        dropped &+= 1
        return
      }
      entries[key, default: Entry()].answer(flow)
    } else if AmplificationService.isPort(flow.destinationPort), own.index(flow.destination) != 0,
      own.index(flow.source) == 0
    {
      let key = Key(address: flow.destination, port: flow.destinationPort)
      if entries[key] == nil, entries.count >= parameters.largestEntryCount {
        dropped &+= 1
        return
      }
      entries[key, default: Entry()].ask(flow)
    }
  }

  /// The reflectors so far, those that answered most first.
  public var reflectors: [ObservedReflector] {
    entries.compactMap { key, entry in
      guard let service = AmplificationService.at(key.port),
        entry.octetsOut >= parameters.leastOctets
      else { return nil }
      let top = entry.clients.entries(limit: 1).first
      let reflector = ObservedReflector(
        address: key.address, service: service.name, port: key.port, octetsIn: entry.octetsIn,
        octetsOut: entry.octetsOut, packetsIn: entry.packetsIn, packetsOut: entry.packetsOut,
        clients: entry.clientCount.estimate.rounded(),
        topClientShare: Double((top?.count ?? 0) - (top?.error ?? 0))
          / Double(max(1, entry.octetsOut)),
        topClient: top?.key ?? IPAddress(bits: 0), first: Timestamp(nanoseconds: entry.first),
        last: Timestamp(nanoseconds: entry.last))
      let octetsPerPacket = Double(entry.octetsOut) / Double(max(1, entry.packetsOut))
      if service.isPublic {
        // Unasked answers alone say little: the questions may come by another way.
        guard let factor = reflector.factor, factor >= parameters.publicFactor else { return nil }
      } else {
        guard octetsPerPacket >= min(60, service.leastOctetsPerPacket) else { return nil }
      }
      return reflector
    }.sorted {
      $0.octetsOut != $1.octetsOut ? $0.octetsOut > $1.octetsOut : $0.id < $1.id
    }
  }
}

extension ReflectorWatch.Entry {
  fileprivate mutating func answer(_ flow: AttackFlow) {
    octetsOut = octetsOut.addingClamped(flow.octets)
    packetsOut = packetsOut.addingClamped(flow.packets)
    clients.add(flow.destination, count: flow.octets)
    clientCount.insert(hash: AttackProfile.hash(flow.destination))
    first = min(first, flow.start)
    last = max(last, flow.end)
  }

  fileprivate mutating func ask(_ flow: AttackFlow) {
    octetsIn = octetsIn.addingClamped(flow.octets)
    packetsIn = packetsIn.addingClamped(flow.packets)
  }
}
