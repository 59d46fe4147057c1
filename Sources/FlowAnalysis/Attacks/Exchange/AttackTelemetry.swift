import NetworkTypes

/// An attack in the words of DOTS, as JSON (RFC 7951): what RFC 9244 calls telemetry, and the
/// request of RFC 9066 to the network that sources are in.
public struct AttackTelemetry: Sendable {
  /// The numbers that these messages need from outside.
  public struct Options: Sendable {
    /// IANA's private enterprise number of whoever names attacks; 32473 is the one for
    /// documentation (RFC 5612).
    public var vendor: UInt32
    /// Sources named at most.
    public var talkers: Int
    /// Seconds for which mitigation is asked; RFC 9132 suggests an hour.
    public var lifetime: Int

    public init(vendor: UInt32 = 32_473, talkers: Int = 100, lifetime: Int = 3_600) {
      self.vendor = vendor
      self.talkers = max(1, talkers)
      self.lifetime = max(1, lifetime)
    }
  }

  public let attack: Attack
  public let options: Options

  public init(_ attack: Attack, _ options: Options = Options()) {
    self.attack = attack
    self.options = options
  }

  /// `ietf-dots-telemetry:telemetry` with `pre-or-ongoing-mitigation` (RFC 9244 §8): the target,
  /// the percentiles of the attack's rate, each vector, and its strongest sources.
  public var telemetryJSON: String {
    let details = attack.vectors.map { detail($0) }
    return JSONText.object([
      (
        "ietf-dots-telemetry:telemetry",
        .object([
          (
            "pre-or-ongoing-mitigation",
            .list([
              .object([
                ("target", .object(target(prefixName: "target-prefix"))),
                (
                  "total-attack-traffic",
                  .list([
                    traffic("packet-ps", attack.series.packets, attack.peak.packetsPerSecond),
                    traffic("bit-ps", attack.series.bits, attack.peak.bitsPerSecond),
                  ])
                ),
                ("attack-detail", .list(details)),
              ])
            ])
          )
        ])
      )
    ]).written() + "\n"
  }

  /// `ietf-dots-signal-channel:mitigation-scope` with the sources of one network (RFC 9066 §5.3.1):
  /// "these of yours attack this target". Sources that are probably forged are left out; nil when
  /// none is left.
  public func callHomeJSON(sources: [AttackSource]) -> String? {
    let real = sources.filter { $0.nature != .forged }.prefix(options.talkers)
    guard !real.isEmpty else { return nil }
    var scope = target(prefixName: "target-prefix")
    scope.append(
      (
        "ietf-dots-call-home:source-prefix",
        .list(real.map { .text(IPPrefix($0.address).description) })
      ))
    let names = Set(real.flatMap(\.vectors))
    let vectors = attack.vectors.filter { names.contains($0.name) }
    let ports = vectors.compactMap(\.sourcePort)
    if !ports.isEmpty, ports.count == vectors.count {
      scope.append(("ietf-dots-call-home:source-port-range", .list(ports.map { range($0) })))
    }
    let types = vectors.flatMap(\.icmpTypes).map(\.value)
    if !types.isEmpty {
      scope.append(
        (
          "ietf-dots-call-home:source-icmp-type-range",
          .list(types.map { .object([("lower-type", .integer(Int64($0)))]) })
        ))
    }
    scope.append(("lifetime", .integer(Int64(options.lifetime))))
    return JSONText.object([
      (
        "ietf-dots-signal-channel:mitigation-scope",
        .object([("scope", .list([.object(scope)]))])
      )
    ]).written() + "\n"
  }

  private func target(prefixName: String) -> [(String, JSONText)] {
    var members: [(String, JSONText)] = [
      (prefixName, .list([.text(attack.target.description)]))
    ]
    var ports: [UInt16] = []
    for vector in attack.vectors where vector.kind != .fragment {
      for port in vector.destinationPorts where !ports.contains(port.value) {
        ports.append(port.value)
      }
    }
    if !ports.isEmpty {
      members.append(("target-port-range", .list(ports.sorted().map { range($0) })))
    }
    let protocols = Set(attack.vectors.map(\.transport)).sorted()
    members.append(("target-protocol", .list(protocols.map { .integer(Int64($0)) })))
    return members
  }

  private func range(_ port: UInt16) -> JSONText {
    .object([("lower-port", .integer(Int64(port)))])
  }

  private func traffic(_ unit: String, _ values: [Double], _ peak: Double) -> JSONText {
    // RFC 9244 §6.1.1: 10th, 50th and 90th percentile by default.
    .object([
      ("unit", .text(unit)),
      ("low-percentile-g", .yang64(RateSeries.percentile(0.1, of: values))),
      ("mid-percentile-g", .yang64(RateSeries.percentile(0.5, of: values))),
      ("high-percentile-g", .yang64(RateSeries.percentile(0.9, of: values))),
      ("peak-g", .yang64(peak)),
    ])
  }

  private func detail(_ vector: AttackVector) -> JSONText {
    let talkers = attack.sources.filter { $0.vectors.contains(vector.name) }.prefix(options.talkers)
    var members: [(String, JSONText)] = [
      ("vendor-id", .integer(Int64(options.vendor))),
      ("attack-id", .integer(Self.identifier(vector))),
      ("attack-description", .text(vector.name)),
      ("attack-severity", .text(severity)),
      ("start-time", .text(String(max(0, vector.first.seconds)))),
    ]
    if attack.isOver { members.append(("end-time", .text(String(max(0, vector.last.seconds))))) }
    members.append(("source-count", .object([("peak-g", .yang64(vector.sourceCount))])))
    if !talkers.isEmpty {
      members.append(
        (
          "top-talker",
          .object([("talker", .list(talkers.map { talker($0, vector) }))])
        ))
    }
    return .object(members)
  }

  private func talker(_ source: AttackSource, _ vector: AttackVector) -> JSONText {
    var members: [(String, JSONText)] = [
      ("spoofed-status", .flag(source.nature == .forged)),
      ("source-prefix", .text(IPPrefix(source.address).description)),
    ]
    if let port = vector.sourcePort { members.append(("source-port-range", .list([range(port)]))) }
    members.append(
      (
        "total-attack-traffic",
        .list([
          .object([
            ("unit", .text("packet-ps")),
            ("mid-percentile-g", .yang64(Double(source.packets) / attack.seconds)),
          ])
        ])
      ))
    return .object(members)
  }

  /// The number of a kind of attack, which the vendor's mapping (RFC 9244 §8.1.6) explains: the
  /// class times 100,000, and the service's port.
  static func identifier(_ vector: AttackVector) -> Int64 {
    let port = vector.service.flatMap { name in AmplificationService.all.first { $0.name == name }
    }?.port
    return Int64(vector.kind.rawValue) * 100_000 + Int64(port ?? 0)
  }

  /// By how much the limit was passed: ten times is high, three times medium (our own choice); what
  /// a person pointed at is unknown.
  private var severity: String {
    guard attack.trigger.limit > 0 else { return "unknown" }
    let peak =
      switch attack.trigger.unit {
      case .packets: attack.peak.packetsPerSecond
      case .bits: attack.peak.bitsPerSecond
      case .flows: attack.peak.flowsPerSecond
      }
    let factor = max(peak, attack.trigger.value) / attack.trigger.limit
    return factor >= 10 ? "high" : factor >= 3 ? "medium" : "low"
  }
}
