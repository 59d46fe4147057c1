import Foundation
import NetworkTypes
import Testing

@testable import FlowRecords

@Suite("Decoding")
struct DecodingTests {
  private let router = IPAddress(v4: 0xc000_0201)

  @Test("data that come before their template are decoded when it comes")
  func heldData() {
    let collected = CollectedFlows()
    collected.feed(Message.netflow9([Message.set(256, Message.record(1))]))
    #expect(collected.decoder.statistics[0].heldOctets == 21)
    collected.feed(
      Message.netflow9([Message.set(0, Message.template(256, Message.usual))], sequence: 1))
    let flows = collected.finish()
    #expect(flows.map(\.source.description) == ["192.0.2.1"])
    #expect(flows.first?.bytes == 1_000)
    #expect(collected.decoder.statistics[0].heldSets == 1)
    #expect(collected.decoder.statistics[0].heldOctets == 0)
  }

  @Test("data of unknown templates are held within a bound, and what is given up is counted")
  func heldBound() {
    var parameters = FlowParameters()
    parameters.heldOctetsPerExporter = 100
    let collected = CollectedFlows(parameters)
    for sequence in 0..<10 {
      collected.feed(
        Message.netflow9([Message.set(256, Message.record(sequence))], sequence: sequence))
    }
    let statistics = collected.decoder.statistics[0]
    #expect(statistics.heldOctets <= 100)
    #expect(statistics.faults[.unknownTemplate] == 6)
    // Too late, they are given up without a template as well.
    collected.decoder.expire(now: Timestamp(seconds: 1_700_000_000 + 2_000))
    #expect(collected.decoder.statistics[0].heldOctets == 0)
    #expect(collected.decoder.statistics[0].faults[.unknownTemplate] == 10)
  }

  @Test("templates of another exporter, domain or protocol are not used")
  func templateKeys() {
    let template = Message.set(0, Message.template(256, Message.usual))
    let data = Message.set(256, Message.record(1))
    let collected = CollectedFlows()
    collected.feed(Message.netflow9([template], domain: 1), from: router)
    collected.feed(Message.netflow9([data], domain: 2), from: router)
    collected.feed(Message.netflow9([data], domain: 1), from: IPAddress(v4: 1))
    collected.feed(Message.ipfix([data], domain: 1), from: router)
    #expect(collected.finish().isEmpty)
    collected.feed(Message.netflow9([data], sequence: 1, domain: 1), from: router)
    #expect(collected.finish().count == 1)
  }

  @Test("a template that was not announced for its lifetime is not used")
  func expiry() {
    let collected = CollectedFlows()
    let start: Int64 = 1_700_000_000
    collected.feed(
      Message.netflow9([Message.set(0, Message.template(256, Message.usual))]),
      at: Timestamp(seconds: start))
    let data = Message.netflow9([Message.set(256, Message.record(1))], sequence: 1)
    collected.feed(data, at: Timestamp(seconds: start + 5_000))
    #expect(collected.finish().count == 1)
    collected.feed(data, at: Timestamp(seconds: start + 5_500))
    #expect(collected.finish().count == 1)
    #expect(collected.decoder.statistics[0].expiredTemplates == 1)
  }

  @Test("after a restart of the exporter its old templates are not used")
  func restart() {
    let collected = CollectedFlows()
    let data = Message.set(256, Message.record(1))
    collected.feed(
      Message.netflow9(
        [Message.set(0, Message.template(256, Message.usual)), data], uptime: 90_000_000))
    // A late datagram: less uptime, and as much less time.
    collected.feed(
      Message.netflow9([data], uptime: 89_970_000, seconds: 1_699_999_970, sequence: 1))
    #expect(collected.finish().count == 2)
    collected.feed(
      Message.netflow9([data], uptime: 5_000, seconds: 1_700_000_100, sequence: 0))
    #expect(collected.finish().count == 2)
    #expect(collected.decoder.statistics[0].restarts == 1)
    // 32 bits of milliseconds that begin again are none.
    let wrapped = CollectedFlows()
    wrapped.feed(
      Message.netflow9(
        [Message.set(0, Message.template(256, Message.usual))], uptime: 0xffff_ff00))
    wrapped.feed(
      Message.netflow9([data], uptime: 30_000, seconds: 1_700_000_030, sequence: 1))
    #expect(wrapped.finish().count == 1 && wrapped.decoder.statistics[0].restarts == 0)
  }

  @Test("an IPFIX exporter that counts from 0 again has restarted")
  func restartIPFIX() {
    let collected = CollectedFlows()
    let template = Message.set(2, Message.template(256, Message.usual))
    let data = Message.set(256, Message.record(1))
    collected.feed(Message.ipfix([template, data], sequence: 500_000))
    collected.feed(Message.ipfix([data], seconds: 1_700_000_060, sequence: 0))
    #expect(collected.finish().count == 1)
    #expect(collected.decoder.statistics[0].restarts == 1)
  }

  @Test("a template announced with another layout replaces the old one, and withdrawal removes it")
  func redefinition() {
    let collected = CollectedFlows()
    collected.feed(Message.ipfix([Message.set(2, Message.template(256, Message.usual))]))
    let other = [(12, 4), (8, 4), (1, 4)]
    collected.feed(Message.ipfix([Message.set(2, Message.template(256, other))]))
    collected.feed(
      Message.ipfix([Message.set(256, [198, 51, 100, 1, 192, 0, 2, 9, 0, 0, 3, 232])]))
    #expect(collected.finish().first?.source.description == "192.0.2.9")
    #expect(collected.decoder.statistics[0].redefinitions == 1)
    collected.feed(Message.ipfix([Message.set(2, Message.template(256, []))], sequence: 1))
    #expect(collected.decoder.statistics[0].templates == 0)
    // With the number of the set all are withdrawn.
    collected.feed(
      Message.ipfix([Message.set(2, Message.template(300, Message.usual))], sequence: 1))
    collected.feed(Message.ipfix([Message.set(2, Message.template(2, []))], sequence: 1))
    #expect(collected.decoder.statistics[0].templates == 0)
  }

  @Test("sampling from options scales flows of the same datagram, wherever they stand in it")
  func samplingInSameDatagram() {
    let options =
      Message.big(512, 2) + Message.big(4, 2) + Message.big(12, 2)
      + [1, 4, 48, 4, 49, 1, 50, 4].flatMap { Message.big($0, 2) } + [0, 0]
    let sampler = [0, 0, 0, 0, 0, 0, 0, 1, 2] + Message.big(2_000, 4) + [0, 0, 0]
    let template = Message.template(256, Message.usual + [(48, 4)])
    let collected = CollectedFlows()
    collected.feed(
      Message.netflow9([
        Message.set(0, template), Message.set(256, Message.record(1) + Message.big(1, 4)),
        Message.set(512, sampler), Message.set(1, options),
      ]))
    let flow = collected.finish().first
    #expect(flow?.sampling == SamplingRate(rate: 2_000, source: .options))
    #expect(flow?.bytes == 1_000 && flow?.scaledBytes == 2_000_000)
    #expect(collected.decoder.statistics[0].optionsRecords == 1)
  }

  @Test("an IPFIX selector of 1 in 1 + space packets, and an interval of 0, which scales nothing")
  func selectors() {
    func options(_ interval: Int, _ space: Int) -> [UInt8] {
      Message.ipfix([
        Message.set(
          3,
          Message.big(600, 2) + Message.big(3, 2) + Message.big(1, 2)
            + [302, 4, 305, 4, 306, 4].flatMap { Message.big($0, 2) }),
        Message.set(600, Message.big(5, 4) + Message.big(interval, 4) + Message.big(space, 4)),
        Message.set(2, Message.template(256, Message.usual + [(302, 4)])),
        Message.set(256, Message.record(1) + Message.big(5, 4)),
      ])
    }
    for (interval, space, rate) in [(1, 999, 1_000), (10, 990, 100), (0, 5, 0), (1, 0, 1)] {
      let collected = CollectedFlows()
      collected.feed(options(interval, space))
      #expect(collected.finish().first?.sampling.rate == UInt32(rate))
    }
  }

  @Test("the record's rate goes before options, and a configuration that overrides before both")
  func samplingPrecedence() throws {
    let message = Message.netflow9([
      Message.set(0, Message.template(256, Message.usual + [(34, 4)])),
      Message.set(256, Message.record(1) + Message.big(50, 4)),
      Message.set(256, Message.record(2) + Message.big(0, 4)),
    ])
    let plain = CollectedFlows()
    plain.feed(message, from: router)
    #expect(plain.finish().map(\.sampling.rate) == [50, 0])
    var parameters = FlowParameters()
    let prefix = try #require(IPPrefix("192.0.2.0/24"))
    parameters.sampling = [SamplingConfiguration(exporters: prefix, rate: 9)]
    let configured = CollectedFlows(parameters)
    configured.feed(message, from: router)
    #expect(configured.finish().map(\.sampling.rate) == [50, 9])
    #expect(configured.flows.map(\.sampling.source) == [.record, .configuration])
    parameters.sampling[0].overrides = true
    let overriding = CollectedFlows(parameters)
    overriding.feed(message, from: router)
    #expect(overriding.finish().map(\.sampling.rate) == [9, 9])
  }

  @Test("NetFlow v5 takes its rate from the header")
  func headerSampling() {
    let datagram =
      Message.big(5, 2) + Message.big(1, 2) + Message.big(100_000, 4)
      + Message.big(1_700_000_000, 4) + Message.big(0, 4) + Message.big(0, 4) + [0, 3]
      + Message.big(0x4064, 2) + [192, 0, 2, 1, 198, 51, 100, 1] + Message.big(0, 4)
      + Message.big(3, 2) + Message.big(4, 2) + Message.big(7, 4) + Message.big(900, 4)
      + Message.big(40_000, 4) + Message.big(90_000, 4) + Message.big(1_234, 2)
      + Message.big(80, 2) + [0, 0x12, 6, 0] + Message.big(100, 2) + Message.big(200, 2)
      + [24, 16, 0, 0]
    let collected = CollectedFlows()
    collected.feed(datagram)
    let flow = collected.finish().first
    #expect(flow?.sampling == SamplingRate(rate: 100, source: .header))
    #expect(flow?.start == Timestamp(seconds: 1_699_999_940))
    #expect(flow?.end == Timestamp(seconds: 1_699_999_990))
    #expect(flow?.exporter.domain == 3 && flow?.sourceMask == 24 && flow?.tcpFlags == 0x12)
    #expect(flow?.packets == 7 && flow?.bytes == 900 && flow?.destinationAS == 200)
  }

  @Test("biflows, enterprise elements and fields of variable length (RFC 5103, RFC 7011)")
  func biflow() {
    let template =
      Message.big(256, 2) + Message.big(7, 2)
      + [(8, 4), (12, 4), (4, 1), (1, 8)].flatMap { Message.big($0.0, 2) + Message.big($0.1, 2) }
      + Message.big(0x8001, 2) + Message.big(4, 2) + Message.big(29_305, 4)
      + Message.big(0x8123, 2) + Message.big(65_535, 2) + Message.big(9, 4)
      + Message.big(2, 2) + Message.big(65_535, 2)
    func record(_ text: Int, _ packets: [UInt8]) -> [UInt8] {
      let length: [UInt8] = text < 255 ? [UInt8(text)] : [255] + Message.big(text, 2)
      return [192, 0, 2, 1, 198, 51, 100, 2, 17] + Message.big(5_000, 8) + Message.big(77, 4)
        + length + [UInt8](repeating: 65, count: text) + [UInt8(packets.count)] + packets
    }
    let collected = CollectedFlows()
    collected.feed(
      Message.ipfix([
        Message.set(2, template), Message.set(256, record(3, [9]) + record(300, [1, 0])),
      ]))
    let flows = collected.finish()
    #expect(flows.map(\.bytes) == [5_000, 5_000])
    #expect(flows.map(\.reverseBytes) == [77, 77])
    #expect(flows.map(\.packets) == [9, 256])
    #expect(collected.faults.total == 0)
  }

  @Test("gaps, late datagrams and new counts in sequence numbers are told apart")
  func sequences() {
    let collected = CollectedFlows()
    func feed(_ sequence: Int) { collected.feed(Message.netflow9([], sequence: sequence)) }
    for sequence in [10, 11, 14, 12, 15] { feed(sequence) }
    var statistics = collected.decoder.statistics[0]
    #expect(statistics.lost == 1 && statistics.gaps == 1 && statistics.reordered == 1)
    feed(4_000_000_000)
    statistics = collected.decoder.statistics[0]
    #expect(statistics.lost == 1)
    // Over the end of 32 bits.
    let wrapping = CollectedFlows()
    for sequence in [0xffff_ffff, 0, 1] { wrapping.feed(Message.netflow9([], sequence: sequence)) }
    #expect(wrapping.decoder.statistics[0].lost == 0)
    // IPFIX counts records, and of unknown templates nobody knows how many there are.
    let ipfix = CollectedFlows()
    let template = Message.set(2, Message.template(256, Message.usual))
    let data = Message.set(256, Message.record(1) + Message.record(2))
    ipfix.feed(Message.ipfix([template, data], sequence: 100))
    ipfix.feed(Message.ipfix([data], sequence: 102))
    ipfix.feed(Message.ipfix([Message.set(999, [1, 2, 3])], sequence: 104))
    ipfix.feed(Message.ipfix([data], sequence: 109))
    ipfix.feed(Message.ipfix([data], sequence: 121))
    #expect(ipfix.decoder.statistics[0].lost == 10)
  }

  @Test("what is kept over a restart of the collector serves until the exporter restarts")
  func remembered() throws {
    let first = CollectedFlows()
    let data = Message.set(256, Message.record(1))
    first.feed(
      Message.netflow9([Message.set(0, Message.template(256, Message.usual))], uptime: 50_000_000))
    let octets = try JSONEncoder().encode(first.decoder.remembered())
    let kept = try JSONDecoder().decode(RememberedExporters.self, from: octets)
    let second = CollectedFlows()
    second.decoder.restore(kept)
    second.feed(
      Message.netflow9([data], uptime: 50_060_000, seconds: 1_700_000_060, sequence: 9),
      at: Timestamp(seconds: 1_700_000_060))
    #expect(second.finish().count == 1)
    // Two days later it has run for 15 hours: it was started in between.
    let third = CollectedFlows()
    third.decoder.restore(kept)
    third.feed(
      Message.netflow9([data], uptime: 54_000_000, seconds: 1_700_003_600, sequence: 9),
      at: Timestamp(seconds: 1_700_003_600))
    #expect(third.finish().count == 1)
    let fourth = CollectedFlows()
    fourth.decoder.restore(kept)
    fourth.feed(
      Message.netflow9([data], uptime: 51_000_000, seconds: 1_700_003_600, sequence: 9),
      at: Timestamp(seconds: 1_700_003_600))
    #expect(fourth.finish().isEmpty && fourth.decoder.statistics[0].restarts == 1)
  }

  @Test(
    "the rate that our encoders announce is known to the decoder, and its source",
    arguments: [
      (FlowProtocol.netflow5, SamplingSource.header), (.netflow9, .options), (.ipfix, .options),
      (.sflow5, .record),
    ])
  func announcedRate(version: FlowProtocol, source: SamplingSource) {
    var parameters = EncoderParameters(version: version)
    parameters.samplingRate = 100
    var encoder = parameters.encoder()
    var generator = FlowGenerator(seed: 3)
    let batch = FlowBatch(capacity: 500)
    generator.fill(batch, count: 500, endingBy: Timestamp(seconds: 1_700_000_000))
    let collected = CollectedFlows()
    encoder.encode(batch, rows: 0..<500, exportTime: Timestamp(seconds: 1_700_000_001)) {
      collected.decoder.decode($0, from: router, received: Timestamp(seconds: 1_700_000_001))
    }
    let flows = collected.finish()
    #expect(!flows.isEmpty)
    #expect(flows.allSatisfy { $0.sampling == SamplingRate(rate: 100, source: source) })
    #expect(collected.faults.total == 0 && collected.decoder.statistics[0].lost == 0)
  }

  @Test("IPv4 flows have narrow columns, and flows of IPv6 a batch of their own")
  func families() {
    var batches: [(isIPv4: Bool, count: Int)] = []
    let decoder = FlowDecoder(batchCapacity: 16) { batch in
      batches.append((batch.isIPv4, batch.count))
      return batch
    }
    var generator = FlowGenerator(seed: 3)
    var encoder = EncoderParameters(version: .ipfix).encoder()
    let batch = FlowBatch(capacity: 1_000)
    generator.fill(batch, count: 1_000, endingBy: Timestamp(seconds: 1_700_000_000))
    encoder.encode(batch, rows: 0..<1_000, exportTime: Timestamp(seconds: 1_700_000_001)) {
      decoder.decode($0, from: router, received: Timestamp(seconds: 1_700_000_001))
    }
    decoder.flush()
    #expect(batches.contains { $0.isIPv4 } && batches.contains { !$0.isIPv4 })
    #expect(batches.reduce(0) { $0 + $1.count } == 1_000)
    #expect(batches.allSatisfy { $0.count <= 16 })
  }

  @Test("cut, altered and random datagrams never trap, and bounds hold")
  func hostile() throws {
    var samples: [[UInt8]] = []
    for version in FlowProtocol.allCases {
      var parameters = EncoderParameters(version: version)
      parameters.samplingRate = 10
      var generator = FlowGenerator(seed: 9)
      var encoder = parameters.encoder()
      let batch = FlowBatch(capacity: 40)
      generator.fill(batch, count: 40, endingBy: Timestamp(seconds: 1_700_000_000))
      encoder.encode(batch, rows: 0..<40, exportTime: Timestamp(seconds: 1_700_000_001)) {
        samples.append($0.withUnsafeBytes { Array($0) })
      }
    }
    if SharedData.isPresent {
      for file in SharedData.files(in: "logstash", suffixes: [".dat"]) {
        samples.append(try SharedData.octets(file))
      }
    }
    var parameters = FlowParameters()
    parameters.largestExporterCount = 8
    parameters.heldOctets = 10_000
    parameters.largestTemplateCount = 16
    let collected = CollectedFlows(parameters, batchCapacity: 32)
    var numbers = SeededNumbers(seed: 4)
    for sample in samples {
      for length in stride(from: 0, through: sample.count, by: max(sample.count / 40, 1)) {
        collected.feed(Array(sample[0..<length]))
      }
      for _ in 0..<60 {
        var altered = sample
        for _ in 0..<Int(1 + numbers.below(6)) {
          altered[Int(numbers.below(UInt64(altered.count)))] = UInt8(
            truncatingIfNeeded: numbers.next())
        }
        collected.feed(altered)
      }
    }
    collected.finish()
    let statistics = collected.decoder.statistics
    #expect(statistics.count <= 8)
    #expect(statistics.allSatisfy { $0.templates <= 16 })
    #expect(statistics.reduce(0) { $0 + $1.heldOctets } <= 10_000)
    #expect(collected.faults[.tooManyExporters] > 0)
  }
}
