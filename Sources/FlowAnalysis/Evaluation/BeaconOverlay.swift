import Foundation
public import NetworkTypes
import Sketches

/// A synthetic C&C channel to lay over real flows, so that the detector's limits can be measured.
public struct BeaconOverlay: Hashable, Sendable, Codable {
  /// Seconds between check-ins.
  public var period: Double
  /// Each interval is drawn from period·(1 ± jitter).
  public var jitter: Double
  /// Octets that the client sends, and by how much they vary.
  public var bytes: Double
  public var byteJitter: Double
  /// Infected clients.
  public var clients: Int
  public var port: UInt16
  /// Share of check-ins that fail to happen: the device is off, the network is down.
  public var gaps: Double
  /// Addresses that each infected client tries on port 23 besides, without an answer.
  public var scans: Int
  /// Whether the server answers.
  public var isAnswered: Bool

  public init(
    period: Double, jitter: Double = 0, bytes: Double = 400, byteJitter: Double = 0,
    clients: Int = 1, port: UInt16 = 4_444, gaps: Double = 0,
    scans: Int = 0, isAnswered: Bool = true
  ) {
    self.period = period
    self.jitter = jitter
    self.bytes = bytes
    self.byteJitter = byteJitter
    self.clients = clients
    self.port = port
    self.gaps = gaps
    self.scans = scans
    self.isAnswered = isAnswered
  }

  /// TEST-NET-2 (RFC 5737): no real server has it.
  public static let server = IPAddress(v4: 0xc633_6407)

  public var service: Service { Service(Self.server, port: port, transport: .tcp) }

  /// The flows of the channel between two moments in nanoseconds, in order of time for each client.
  ///
  /// - Parameter hosts: clients to infect; the first ``clients`` of a seeded shuffle are taken.
  public func flows(
    from: Int64, to: Int64, hosts: [IPAddress], seed: UInt64
  ) -> [LabelledFlow] {
    var generator = SeededGenerator(seed: seed)
    let infected = hosts.sorted().shuffled(using: &generator).prefix(max(1, clients))
    var flows: [LabelledFlow] = []
    for client in infected {
      var moment = from &+ Int64(generator.nextUnit() * period * 1e9)
      var port: UInt16 = 49_152
      while moment < to, flows.count < 5_000_000 {
        if generator.nextUnit() >= gaps {
          let vary = { (jitter: Double, unit: Double) in max(0, 1 + jitter * (2 * unit - 1)) }
          let out = UInt64(max(60, bytes * vary(byteJitter, generator.nextUnit())))
          port = port == .max ? 49_152 : port + 1
          flows.append(
            LabelledFlow(
              contact: Contact(
                start: moment, end: moment &+ 400_000_000, client: client, server: Self.server,
                clientPort: port, serverPort: self.port, transport: 6, isAnswered: isAnswered,
                packetsOut: isAnswered ? 6 : 3, packetsIn: isAnswered ? 5 : 0,
                bytesOut: isAnswered ? out : 180,
                bytesIn: isAnswered ? UInt64(300 + 200 * generator.nextUnit()) : 0),
              sourceIsClient: true, label: .commandAndControl))
        }
        let interval = period * max(0.01, 1 + jitter * (2 * generator.nextUnit() - 1))
        moment = moment &+ Int64(max(0.5, interval) * 1e9)
      }
      for _ in 0..<min(scans, 1_000_000) {
        let start = from &+ Int64(generator.nextUnit() * Double(to &- from))
        // Anywhere in 203.0.0.0/8 and above, below multicast: it is only an address that is silent.
        let target = IPAddress(v4: 0xcb00_0000 &+ UInt32(generator.nextUnit() * 0x0f00_0000))
        flows.append(
          LabelledFlow(
            contact: Contact(
              start: start, end: start &+ 3_000_000_000, client: client, server: target,
              clientPort: UInt16(32_768 + generator.nextUnit() * 28_000), serverPort: 23,
              transport: 6, isAnswered: false, packetsOut: 2, packetsIn: 0, bytesOut: 120,
              bytesIn: 0),
            sourceIsClient: true, label: .malicious))
      }
    }
    return flows
  }
}
