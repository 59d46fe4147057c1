public import ArgumentParser
import Constituency
import FlowAnalysis
public import NetworkTypes

extension IPPrefix: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

/// What is protected, and what is too much.
struct DDoSOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "A prefix to protect, several times. Without any: the prefixes of all organisations, or every address.",
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

  var parameters: AttackParameters {
    var parameters = AttackParameters()
    if limitPackets != nil || limitMegabits != nil || limitFlows != nil {
      parameters.setLimits(
        RateLimits(
          packetsPerSecond: limitPackets ?? .infinity,
          bitsPerSecond: limitMegabits.map { $0 * 1e6 } ?? .infinity,
          flowsPerSecond: limitFlows ?? .infinity))
    }
    if fixedOnly { parameters.learns = false }
    return parameters
  }

  /// The prefixes given, or those of the constituency.
  func prefixes(of house: House) throws -> [IPPrefix] {
    try protect.isEmpty ? house.ownPrefixes() : protect
  }
}

extension House {
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
