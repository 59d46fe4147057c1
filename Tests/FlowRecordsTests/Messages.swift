import NetworkTypes

@testable import FlowRecords

/// Datagrams written by hand, so that the decoder is not tested with our own encoder alone.
enum Message {
  static func big(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * (count - 1 - $0))) }
  }

  static func set(_ id: Int, _ body: [UInt8]) -> [UInt8] {
    big(id, 2) + big(body.count + 4, 2) + body
  }

  static func netflow9(
    _ sets: [[UInt8]], uptime: Int = 100_000, seconds: Int = 1_700_000_000, sequence: Int = 0,
    domain: Int = 7
  ) -> [UInt8] {
    big(9, 2) + big(sets.count, 2) + big(uptime, 4) + big(seconds, 4) + big(sequence, 4)
      + big(domain, 4) + sets.joined()
  }

  static func ipfix(
    _ sets: [[UInt8]], seconds: Int = 1_700_000_000, sequence: Int = 0, domain: Int = 7
  ) -> [UInt8] {
    let body = Array(sets.joined())
    return big(10, 2) + big(16 + body.count, 2) + big(seconds, 4) + big(sequence, 4)
      + big(domain, 4) + body
  }

  /// A template: pairs of element and length, an element above 0x8000 with CERT's number behind it.
  static func template(_ id: Int, _ fields: [(Int, Int)]) -> [UInt8] {
    big(id, 2) + big(fields.count, 2) + fields.flatMap { big($0.0, 2) + big($0.1, 2) }
  }

  /// Addresses, ports, protocol, counters.
  static let usual = [(8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (2, 4), (1, 4)]

  static func record(_ last: Int, bytes: Int = 1_000) -> [UInt8] {
    [192, 0, 2, UInt8(last), 198, 51, 100, 1] + big(40_000, 2) + big(443, 2) + [6] + big(2, 4)
      + big(bytes, 4)
  }
}
