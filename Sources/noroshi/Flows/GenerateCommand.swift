import ArgumentParser
import FlowRecords
import Foundation
import NetworkTypes

struct FlowsGenerateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Send made-up flows that look like a carrier's to a collector on this machine.",
    discussion: """
      The same seed gives the same flows. They go to loopback addresses only, for a bounded time.

      Examples:
        noroshi flows generate --to 127.0.0.1:2055 --rate 10000 --seconds 10
        noroshi flows generate --to 127.0.0.1:6343 --protocol sflow5 --count 1000
      """)

  @OptionGroup var sending: SendOptions

  @Option(name: .long, help: "Flows to send, instead of a time.")
  var count: UInt64?

  @Option(name: .long, help: "Seconds to send, 1 to 3600.")
  var seconds = 10

  @Option(name: .long, help: "The seed.")
  var seed: UInt64 = 1

  @Option(name: .long, help: "A sampling rate to announce.")
  var sampling: UInt32?

  @Option(name: .long, help: "Share of IPv6, 0 to 1.")
  var ipv6Share = 0.15

  func validate() throws {
    guard sending.to.isLoopback else {
      throw ValidationError("--to must be a loopback address: made-up flows go nowhere else.")
    }
    guard (1...3_600).contains(seconds), (0...1).contains(ipv6Share), (sampling ?? 1) > 0 else {
      throw ValidationError("--seconds is 1 to 3600, --ipv6-share 0 to 1, --sampling from 1.")
    }
  }

  func run() async throws {
    let sender = try sending.sender(samplingRate: sampling)
    var profile = TrafficProfile()
    profile.ipv6Share = ipv6Share
    var generator = FlowGenerator(seed: seed, profile: profile)
    let total = count ?? UInt64(sending.rate * Double(seconds))
    let deadline = ContinuousClock.now + .seconds(count == nil ? seconds : 3_600)
    let bar = ProgressBar("Sending", unit: "flows", total: total)
    let batch = FlowBatch()
    let step = min(max(Int(sending.rate / 4), 1), batch.capacity)
    while sender.flows < total, ContinuousClock.now < deadline {
      try Task.checkCancellation()
      batch.removeAll()
      let now = Timestamp(seconds: Int64(Date().timeIntervalSince1970))
      generator.fill(
        batch, count: Int(min(UInt64(step), total - sender.flows)), endingBy: now)
      try sender.send(batch, exportTime: now)
      bar.update(sender.flows)
    }
    bar.finish()
    SendOptions.report(sender)
  }
}
