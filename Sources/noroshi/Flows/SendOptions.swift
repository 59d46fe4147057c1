import ArgumentParser
import FlowRecords
import NetworkTypes

/// The options of commands that send flows.
struct SendOptions: ParsableArguments {
  @Option(
    name: .long, help: ArgumentHelp("Where to send to.", valueName: "address:port"))
  var to: FlowEndpoint

  @Option(
    name: .customLong("protocol"), help: "netflow5, netflow9, ipfix or sflow5.",
    transform: { text in
      guard let version = FlowProtocol(rawValue: text) else {
        throw ValidationError("--protocol \(text) is none of netflow5, netflow9, ipfix and sflow5.")
      }
      return version
    })
  var version = FlowProtocol.netflow9

  @Option(name: .long, help: "Flows a second.")
  var rate = 1_000.0

  @Option(name: .long, help: "Observation domain, source identifier, engine or sub-agent.")
  var domain: UInt32 = 1

  /// Above what two cores can send and receive.
  static let largestRate = 10_000_000.0

  func validate() throws {
    guard rate > 0, rate <= Self.largestRate else {
      throw ValidationError("--rate is above 0, and at most 10000000.")
    }
  }

  func sender(samplingRate: UInt32? = nil) throws -> FlowSender {
    var parameters = EncoderParameters(version: version)
    parameters.domain = domain
    parameters.samplingRate = samplingRate
    do {
      return try FlowSender(to: to.endpoint, parameters, flowsPerSecond: rate)
    } catch {
      throw CommandFailure("\(error)", status: .unavailable)
    }
  }

  static func report(_ sender: FlowSender) {
    let skipped =
      sender.skipped == 0
      ? "" : " \(Quantity.grouped(sender.skipped)) flows of IPv6 have no place in NetFlow v5."
    Terminal.error.line(
      "\(Quantity.grouped(sender.flows)) flows in \(Quantity.grouped(sender.datagrams)) datagrams, "
        + "\(Quantity.bytes(sender.octets)).\(skipped)")
  }
}
