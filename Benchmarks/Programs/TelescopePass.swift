import ArgumentParser
import NetworkTypes
import PacketCapture
import Telescope

/// The telescope's full pass over one capture: classify, fingerprint, events, victims, alerts, series, and
/// the conclusions at the end; without storing them.
struct TelescopePass: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "telescope", abstract: "Observe a capture, and store nothing.")

  @Argument(help: "The capture.")
  var capture: String
  @Option(help: "The dark network.")
  var network = "198.18.0.0/16"
  @Option(help: "Threads that keep tables.")
  var threads = 2

  func run() throws {
    guard let prefix = IPPrefix(network) else {
      throw ValidationError("\(network) is not a prefix such as 198.18.0.0/15")
    }
    var surroundings = TelescopeEngine.Surroundings()
    surroundings.threads = threads
    let engine = TelescopeEngine(
      space: DarkSpace(prefixes: [prefix]), surroundings: surroundings)
    let clock = ContinuousClock()
    let started = clock.now
    var reader = try CaptureReader(path: capture)
    while try engine.read(&reader, limit: 1 << 20) > 0 {}
    let read = started.duration(to: clock.now) / .seconds(1)
    let results = engine.checkpoint()
    let whole = started.duration(to: clock.now) / .seconds(1)
    let packets = Double(results.counters.packets) / 1e6
    func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }
    print(
      "\(threads) threads: \(rounded(packets / read)) Mpps, with the conclusions "
        + "\(rounded(packets / whole)) Mpps; tables \(engine.memoryBytes >> 20) MiB; "
        + "\(results.hosts.count) hosts, \(results.victims.count) victims")
  }
}
