import Foundation
import Sketches

/// What a router that looks at one packet in N would have told of a flow.
public struct FlowSampling: Sendable {
  /// N; 1 leaves flows as they are.
  public let rate: UInt32
  private var generator: SeededGenerator

  public init(rate: UInt32, seed: UInt64) {
    self.rate = max(1, rate)
    generator = SeededGenerator(seed: seed ^ UInt64(rate))
  }

  /// The flow as sampled; nil where none of its packets was looked at.
  public mutating func sample(_ flow: LabelledFlow) -> LabelledFlow? {
    guard rate > 1 else { return flow }
    var flow = flow
    let before = flow.contact
    let out = binomial(before.packetsOut)
    let back = binomial(before.packetsIn)
    guard out + back > 0 else { return nil }
    var contact = before
    contact.samplingRate = rate
    contact.packetsOut = out
    contact.packetsIn = back
    contact.bytesOut = share(before.bytesOut, out, before.packetsOut)
    contact.bytesIn = share(before.bytesIn, back, before.packetsIn)
    contact.side = out == 0 ? .inward : back == 0 ? .outward : .both
    contact.isAnswered = back > 0
    let length = Double(before.end &- before.start)
    let first = generator.nextUnit()
    let second = out + back > 1 ? generator.nextUnit() : first
    contact.start = before.start &+ Int64(length * min(first, second))
    contact.end = before.start &+ Int64(length * max(first, second))
    flow.contact = contact
    return flow
  }

  private func share(_ octets: UInt64, _ part: UInt64, _ all: UInt64) -> UInt64 {
    all == 0 ? 0 : UInt64(Double(octets) * Double(part) / Double(all))
  }

  /// How many of `count` packets are looked at: by counting the gaps between them, which are
  /// geometric.
  private mutating func binomial(_ count: UInt64) -> UInt64 {
    let chance = 1 / Double(rate)
    if count > 10_000_000 { return UInt64(Double(count) * chance) }
    var seen: UInt64 = 0
    var position = 0.0
    while true {
      position += (log(max(generator.nextUnit(), 1e-300)) / log(1 - chance)).rounded(.down) + 1
      guard position <= Double(count) else { return seen }
      seen += 1
    }
  }
}
