import NetworkTypes
import Testing

@testable import FlowRecords

@Suite("Sequence numbers of IPFIX")
struct SequenceCountingTests {
  /// What is counted for messages of these numbers of records; negative ones do not arrive.
  private func count(_ messages: [Int], includesMessage: Bool, from start: Int = 0)
    -> ExporterStatistics
  {
    let collected = CollectedFlows()
    collected.feed(
      Message.ipfix([Message.set(2, Message.template(256, Message.usual))], sequence: start))
    var before = start
    for records in messages {
      let sequence = includesMessage ? before + abs(records) : before
      before += abs(records)
      guard records > 0 else { continue }
      collected.feed(
        Message.ipfix(
          [Message.set(256, (0..<records).flatMap { Message.record($0) })], sequence: sequence))
    }
    return collected.decoder.statistics[0]
  }

  private static let sizes = [3, 7, 2, 9, 9, 4, 12, 1, 5, 8, 6]

  @Test("an exporter that counts its message's own records loses nothing by that")
  func ownRecords() {
    for start in [0, 5_000] {
      let statistics = count(Self.sizes, includesMessage: true, from: start)
      #expect(statistics.lost == 0 && statistics.gaps == 0 && statistics.reordered == 0)
    }
    let plain = count(Self.sizes, includesMessage: false)
    #expect(plain.lost == 0 && plain.gaps == 0 && plain.reordered == 0)
  }

  @Test("an exporter that leaves out its options records loses nothing by that")
  func options() {
    let collected = CollectedFlows()
    let templates = [
      Message.set(2, Message.template(256, Message.usual)),
      // Scope 149, the observation domain; then the sampling interval.
      Message.set(3, [1, 44, 0, 2, 0, 1, 0, 149, 0, 4, 0, 34, 0, 4]),
    ]
    let options = Message.set(300, [0, 0, 0, 7, 0, 0, 0, 100])
    var sequence = 0
    for (index, records) in Self.sizes.enumerated() {
      sequence += records
      var sets = [Message.set(256, (0..<records).flatMap { Message.record($0) })]
      if index % 3 == 0 { sets = templates + [options] + sets }
      collected.feed(Message.ipfix(sets, sequence: sequence))
    }
    let statistics = collected.decoder.statistics[0]
    #expect(statistics.lost == 0 && statistics.gaps == 0 && statistics.reordered == 0)
    #expect(statistics.optionsRecords == 4)
  }

  @Test("what is missing is counted exactly, whichever way the exporter counts")
  func loss() {
    for includesMessage in [false, true] {
      let statistics = count(
        Self.sizes + [4, 7, -11, 6, 3, -2, -5, 8], includesMessage: includesMessage, from: 5_000)
      #expect(statistics.lost == 18 && statistics.gaps == 2 && statistics.reordered == 0)
    }
  }

  @Test("loss that looks once like another way of counting stays loss")
  func coincidence() {
    // Four records are missing, which is by how much the second message is larger.
    let statistics = count([3, -4, 7, 2, 5, 5], includesMessage: false, from: 5_000)
    #expect(statistics.lost == 4 && statistics.gaps == 1)
  }
}
