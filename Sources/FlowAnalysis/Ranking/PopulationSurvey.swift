import Foundation
import NetworkTypes

/// One pass over everything a tracker remembers: which way each pair goes, what each client does
/// besides, how many clients each service and its neighbourhood has.
struct PopulationSurvey: ~Copyable {
  enum Direction: UInt8 {
    case outbound, inbound
    /// Within the home networks, or past them.
    case other
  }

  let home: HomeNetworks
  private(set) var isHome: [Bool]
  /// By address number, in thousandths: sums of whole numbers do not depend on their order.
  private(set) var suspicion: [UInt16]
  private(set) var conduct: [Int: ClientConduct] = [:]
  /// Clients of services outside.
  private(set) var population = 0
  private(set) var suspects = 0.0
  /// By service number.
  private(set) var clients: [UInt32]
  /// Those that came all the time: visitors and scanners of a day make no server popular.
  private(set) var repeatingClients: [UInt32]
  /// Sums of their clients' suspicions, in thousandths.
  private(set) var suspectClients: [UInt64]
  private(set) var isAnswered: [Bool]
  private(set) var firstSeen: [UInt32]
  private(set) var lastSeen: [UInt32]
  /// By client and port: silent servers, and contacts of all silent pairs there.
  private var scans: Numbering<UInt64>
  private var silentServers: [UInt32] = []
  private var allServers: [UInt32] = []
  private var silentContacts: [UInt64] = []
  /// By neighbourhood (/24, /48): a bit for each of 64 classes of clients.
  private var neighbourhoods: Numbering<UInt64>
  private var neighbourClients: [UInt64] = []

  init(
    _ tracker: ContactTracker, home given: HomeNetworks?, knownInfected: Set<IPAddress>,
    parameters: RankingParameters
  ) {
    home = given ?? Self.inferred(tracker)
    let addressCount = tracker.addresses.count
    isHome = []
    isHome.reserveCapacity(addressCount)
    for number in 0..<addressCount {
      isHome.append(home.contains(IPAddress(bits: tracker.addresses[number])))
    }
    suspicion = [UInt16](repeating: 0, count: addressCount)
    let serviceCount = tracker.services.count
    clients = [UInt32](repeating: 0, count: serviceCount)
    repeatingClients = clients
    suspectClients = [UInt64](repeating: 0, count: serviceCount)
    isAnswered = [Bool](repeating: false, count: serviceCount)
    firstSeen = [UInt32](repeating: .max, count: serviceCount)
    lastSeen = clients
    scans = Numbering(capacity: 4_000_000)
    neighbourhoods = Numbering(capacity: 4_000_000)
    lookAtClients(tracker, knownInfected, parameters)
    lookAtServices(tracker, parameters)
  }

  private static func inferred(_ tracker: ContactTracker) -> HomeNetworks {
    // Two hundred thousand pairs say as much as all, and take little memory.
    let step = max(1, tracker.pairs.count / 200_000)
    let sample = stride(from: 0, to: tracker.pairs.count, by: step).lazy.map { index in
      let key = tracker.pairs[index]
      let service = tracker.services[Int(key & 0xffff_ffff)]
      let state = tracker.states[index]
      return (
        IPAddress(bits: tracker.addresses[Int(key >> 32)]),
        IPAddress(bits: tracker.addresses[Int(service >> 24)]),
        UInt64(max(state.contacts, state.replies))
      )
    }
    return .inferred(from: sample)
  }

  func direction(client: Int, server: Int) -> Direction {
    if home.isUnknown { return .outbound }
    return isHome[client]
      ? (isHome[server] ? .other : .outbound) : isHome[server] ? .inbound : .other
  }

  static func isSilent(_ pair: Pair) -> Bool { !pair.isAnswered && pair.replies == 0 }

  private mutating func lookAtClients(
    _ tracker: ContactTracker, _ known: Set<IPAddress>, _ parameters: RankingParameters
  ) {
    let rules = parameters.conduct
    var isClient = [Bool](repeating: false, count: suspicion.count)
    var mailClients: [Int: Int] = [:]
    var floods: [Int: Double] = [:]
    for index in 0..<tracker.pairs.count {
      let key = tracker.pairs[index]
      let client = Int(key >> 32)
      let service = tracker.services[Int(key & 0xffff_ffff)]
      let port = UInt16(truncatingIfNeeded: service >> 8)
      let transport = UInt8(truncatingIfNeeded: service)
      let server = Int(service >> 24)
      let pair = tracker.states[index]
      if direction(client: client, server: server) == .outbound { isClient[client] = true }
      let silent = Self.isSilent(pair)
      if transport == 6 {
        if port == 25 { mailClients[server, default: 0] += 1 }
        if let entry = scans.number(UInt64(client) << 16 | UInt64(port)) {
          if entry.isNew {
            silentServers.append(0)
            allServers.append(0)
            silentContacts.append(0)
          }
          allServers[entry.number] &+= 1
          if silent {
            silentServers[entry.number] &+= 1
            silentContacts[entry.number] &+= UInt64(pair.contacts)
          }
        }
      }
      let seconds = Double(max(1, pair.last - min(pair.last, pair.first)))
      let isOneWay =
        Double(pair.bytesIn) <= rules.floodReplyShare * Double(pair.bytesOut)
        && (transport != 6 || !pair.isAnswered)
      let rate = Double(pair.packetsOut) / seconds
      if isOneWay, pair.packetsOut >= rules.floodPackets, rate >= rules.floodRate {
        floods[client] = max(floods[client] ?? 0, rate)
      } else if silent, transport == 6, pair.contacts >= rules.floodAttempts,
        Double(pair.contacts) / seconds >= rules.floodAttemptRate
      {
        floods[client] = max(floods[client] ?? 0, Double(pair.contacts) / seconds)
      }
    }
    for number in 0..<scans.count {
      let client = Int(scans[number] >> 16)
      let port = UInt16(truncatingIfNeeded: scans[number])
      let all = Double(allServers[number])
      let silent = Double(silentServers[number])
      if silent >= rules.scanFrom, silent >= rules.scanSilence * all {
        let grade = ConductParameters.grade(silent, from: rules.scanFrom, sure: rules.scanSure)
        var conduct = conduct[client] ?? ClientConduct()
        if Int(silent) > conduct.scanned {
          conduct.scanned = Int(silent)
          conduct.scannedPort = port
        }
        conduct.suspicion = max(conduct.suspicion, grade)
        self.conduct[client] = conduct
      }
      if port == 25, all >= rules.mailFrom, (mailClients[client] ?? 0) < rules.mailServerClients {
        var conduct = conduct[client] ?? ClientConduct()
        conduct.mailServers = Int(all)
        conduct.suspicion = max(
          conduct.suspicion,
          ConductParameters.grade(all, from: rules.mailFrom, sure: rules.mailSure))
        self.conduct[client] = conduct
      }
    }
    for (client, rate) in floods {
      conduct[client, default: ClientConduct()].floodRate = rate
      conduct[client, default: ClientConduct()].suspicion = 1
    }
    if !known.isEmpty {
      for number in suspicion.indices
      where known.contains(IPAddress(bits: tracker.addresses[number])) {
        conduct[number, default: ClientConduct()].isKnownInfected = true
        conduct[number, default: ClientConduct()].suspicion = 1
      }
    }
    for (client, conduct) in conduct {
      suspicion[client] = UInt16(min(1_000, max(0, (conduct.suspicion * 1_000).rounded())))
    }
    var thousandths: UInt64 = 0
    for client in isClient.indices where isClient[client] {
      population += 1
      thousandths += UInt64(suspicion[client])
    }
    suspects = Double(thousandths) / 1_000
  }

  private mutating func lookAtServices(_ tracker: ContactTracker, _ parameters: RankingParameters) {
    let window = max(1, tracker.lastSecond - min(tracker.lastSecond, tracker.firstSecond ?? 0))
    for index in 0..<tracker.pairs.count {
      let key = tracker.pairs[index]
      let client = Int(key >> 32)
      let number = Int(key & 0xffff_ffff)
      let server = Int(tracker.services[number] >> 24)
      let pair = tracker.states[index]
      clients[number] &+= 1
      if pair.contacts >= UInt32(parameters.persistentContacts),
        pair.last - min(pair.last, pair.first) >= window / 2
      {
        repeatingClients[number] &+= 1
      }
      suspectClients[number] += UInt64(suspicion[client])
      if !Self.isSilent(pair) { isAnswered[number] = true }
      firstSeen[number] = min(firstSeen[number], pair.first)
      lastSeen[number] = max(lastSeen[number], pair.last)
      if !Self.isSilent(pair) || pair.contacts > 3 {
        let prefix = Self.neighbourhood(IPAddress(bits: tracker.addresses[server]))
        if let entry = neighbourhoods.number(prefix) {
          if entry.isNew { neighbourClients.append(0) }
          // By address and not by number, which depends on who came first.
          neighbourClients[entry.number] |= 1 << (tracker.addresses[client].mixed & 63)
        }
      }
    }
  }

  private static func neighbourhood(_ address: IPAddress) -> UInt64 {
    address.v4.map { UInt64($0 >> 8) } ?? UInt64(truncatingIfNeeded: address.bits >> 80) | 1 << 63
  }

  /// Distinct clients of a server's neighbourhood by linear counting (Whang et al. 1990).
  func neighbourClientCount(_ address: IPAddress) -> Double {
    guard let number = neighbourhoods.find(Self.neighbourhood(address)) else { return 0 }
    let free = 64 - neighbourClients[number].nonzeroBitCount
    return free == 0 ? 300 : -64 * log(Double(free) / 64)
  }

  /// Silent servers of a client on a port, and how many contacts each had on average.
  func scan(client: Int, port: UInt16) -> (servers: Int, contacts: Double) {
    guard let number = scans.find(UInt64(client) << 16 | UInt64(port)),
      silentServers[number] > 0
    else { return (0, 0) }
    return (
      Int(silentServers[number]), Double(silentContacts[number]) / Double(silentServers[number])
    )
  }
}
