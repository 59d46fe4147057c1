public import ArgumentParser
import Constituency
import FlowAnalysis
public import NetworkTypes
import Settings

extension IPPrefix: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

/// What is protected, and what is too much.
struct DDoSOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "A prefix to protect, several times. Without any: ddos.protect, or the prefixes of all organisations, or every address.",
      valueName: "prefix"))
  var protect: [IPPrefix] = []

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Packets per second to one host, of any kind, that are an attack.", valueName: "number"))
  var limitPackets: Double?

  @Option(name: .long, help: ArgumentHelp("The same in megabits per second.", valueName: "number"))
  var limitMegabits: Double?

  @Option(name: .long, help: ArgumentHelp("The same in flows per second.", valueName: "number"))
  var limitFlows: Double?

  @Flag(name: .long, help: "Only fixed limits, none that are learned from the traffic.")
  var fixedOnly = false

  func validate() throws {
    for limit in [limitPackets, limitMegabits, limitFlows] {
      guard (limit ?? 1) > 0 else { throw ValidationError("Limits must be above 0.") }
    }
  }

  /// What the options say, over the house's configuration.
  func parameters(of house: House) -> AttackParameters {
    var parameters = house.attackParameters
    if limitPackets != nil || limitMegabits != nil || limitFlows != nil {
      parameters.setLimits(
        RateLimits(packets: limitPackets, megabits: limitMegabits, flows: limitFlows))
    }
    if fixedOnly { parameters.learns = false }
    return parameters
  }

  /// The prefixes given, or those of the configuration, or of the constituency.
  func prefixes(of house: House) throws -> [IPPrefix] {
    try protect.isEmpty ? house.protectedPrefixes() : protect
  }
}

extension RateLimits {
  /// Limits as people write them; what is not given has none.
  init(packets: Double?, megabits: Double?, flows: Double?) {
    self.init(
      packetsPerSecond: packets ?? .infinity, bitsPerSecond: megabits.map { $0 * 1e6 } ?? .infinity,
      flowsPerSecond: flows ?? .infinity)
  }
}

extension House {
  /// What the keys below `ddos` say.
  var attackParameters: AttackParameters {
    let ddos = configuration.ddos
    var parameters = AttackParameters()
    let limits = ddos.limits
    if limits.packets != nil || limits.megabits != nil || limits.flows != nil {
      parameters.setLimits(
        RateLimits(packets: limits.packets, megabits: limits.megabits, flows: limits.flows))
    }
    parameters.learns = ddos.learn
    parameters.warmUpMinutes = ddos.warmUpMinutes
    parameters.quietSeconds = ddos.quietSeconds
    return parameters
  }

  /// The networks of `ddos.protect`, or those of all organisations that are known.
  func protectedPrefixes() throws -> [IPPrefix] {
    try configuration.ddos.protect.isEmpty ? ownPrefixes() : configuration.ddos.protect
  }

  /// The prefixes of all organisations that are known; none without a constituency.
  func ownPrefixes() throws -> [IPPrefix] {
    Set(try constituency().organisations.flatMap(\.prefixes)).sorted()
  }

  /// Attack detection that protects these prefixes; every address where there are none.
  func attackWatch(_ prefixes: [IPPrefix], _ parameters: AttackParameters) -> AttackWatch {
    AttackWatch(
      monitor: AttackMonitor(
        protecting: prefixes.map { ProtectedNetwork($0) }, parameters: parameters),
      scans: ScanWatch(), reflectors: ReflectorWatch(own: prefixes))
  }
}
