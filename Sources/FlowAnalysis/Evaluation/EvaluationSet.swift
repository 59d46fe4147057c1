public import NetworkTypes

/// A labelled set to evaluate on: its files and what is known of it.
public struct EvaluationSet: Sendable {
  /// A true channel: a server, its port where that is known, and a client where that matters.
  public struct Channel: Hashable, Sendable, CustomStringConvertible {
    public var client: IPAddress?
    public var server: IPAddress
    public var port: UInt16?

    public init(client: IPAddress? = nil, server: IPAddress, port: UInt16? = nil) {
      self.client = client
      self.server = server
      self.port = port
    }

    /// Reads `SERVER`, `SERVER:PORT[/tcp]` and `CLIENT>SERVER[:PORT]`.
    public init?(text: String) {
      let ends = text.split(separator: ">", maxSplits: 1).map(String.init)
      guard let last = ends.last else { return nil }
      if ends.count == 2 {
        guard let address = IPAddress(ends[0]) else { return nil }
        client = address
      }
      if let address = IPAddress(last) {
        server = address
      } else if let service = Service(text: last) {
        server = service.address
        port = service.port
      } else {
        return nil
      }
    }

    public var description: String {
      (client.map { "\($0)>" } ?? "") + "\(server)" + (port.map { ":\($0)" } ?? "")
    }
  }

  public var name: String
  public var paths: [String]
  /// Channels known from elsewhere than labels.
  public var channels: [Channel]
  /// The networks that are watched; nil to guess.
  public var home: HomeNetworks?

  public init(
    name: String, paths: [String], channels: [Channel] = [], home: HomeNetworks? = nil
  ) {
    self.name = name
    self.paths = paths
    self.channels = channels
    self.home = home
  }
}

/// The flows of a set, in memory while they fit, else read again each time.
final class EvaluationFlows {
  let set: EvaluationSet
  private var kept: [LabelledFlow]?
  private(set) var counts = LabelledFlowReader.Counts()
  private(set) var first = Int64.max
  private(set) var last = Int64.min
  private(set) var control: Set<EvaluationSet.Channel> = []
  private(set) var malicious: Set<Service> = []

  init(_ set: EvaluationSet, keeping limit: Int) throws {
    self.set = set
    var flows: [LabelledFlow] = []
    var fits = true
    for path in set.paths {
      let counts = try LabelledFlowReader(path: path).forEachFlow { flow in
        let contact = flow.contact
        first = min(first, contact.start)
        last = max(last, contact.end)
        if flow.label == .commandAndControl {
          control.insert(
            EvaluationSet.Channel(
              client: contact.client, server: contact.server, port: contact.serverPort))
        } else if flow.label == .malicious, malicious.count < 1_000_000 {
          malicious.insert(
            Service(
              contact.server, port: contact.serverPort,
              transport: IPProtocol(rawValue: contact.transport)))
        }
        if fits { flows.append(flow) }
        if flows.count > limit {
          fits = false
          flows = []
        }
      }
      self.counts.flows += counts.flows
      self.counts.passedOver += counts.passedOver
    }
    if fits { kept = flows }
    for channel in set.channels { control.insert(channel) }
  }

  /// Seconds between the first and the last packet, at least one.
  var seconds: Double { last > first ? max(1, Double(last &- first) / 1e9) : 1 }

  var canReplay: Bool { kept != nil }

  func forEachFlow(_ body: (LabelledFlow) throws -> Void) throws {
    if let kept {
      for flow in kept { try body(flow) }
    } else {
      for path in set.paths { try LabelledFlowReader(path: path).forEachFlow(body) }
    }
  }

  /// In the order in which a collector gets them: by their end.
  func forEachByEnd(_ body: (LabelledFlow) throws -> Void) throws {
    guard let kept else { return }
    let order = kept.indices.sorted {
      let (one, other) = (kept[$0].contact.end, kept[$1].contact.end)
      return one != other ? one < other : $0 < $1
    }
    for index in order { try body(kept[index]) }
  }

  /// Hosts that could be infected: the clients in the home networks, else the busiest client.
  func hosts() throws -> [IPAddress] {
    let home = set.home ?? HomeNetworks(HomeNetworks.privatePrefixes)
    var all: [IPAddress: Int] = [:]
    try forEachFlow { flow in
      if all.count < 1 << 20 { all[flow.contact.client, default: 0] += 1 }
    }
    let inside = all.keys.filter { home.contains($0) }.sorted()
    guard inside.isEmpty else { return inside }
    return all.max { ($0.value, $0.key) < ($1.value, $1.key) }.map { [$0.key] } ?? []
  }

  /// Whether a listed service is a true one.
  func isTrue(_ service: Service) -> Bool {
    control.contains { $0.server == service.address && ($0.port ?? service.port) == service.port }
  }

  /// True services, those of several clients once.
  var trueServices: Set<EvaluationSet.Channel> {
    Set(control.map { EvaluationSet.Channel(server: $0.server, port: $0.port) })
  }
}
