import Foundation
import NetworkTypes
import PacketCapture

@testable import Telescope

enum FingerprintSamples {
  static let fixtures =
    URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Fixtures/fingerprints").path + "/"

  /// The folder of large test data, absent on most machines.
  static let shared: String? = {
    let named = ProcessInfo.processInfo.environment["NOROSHI_SHARED"]
    let beside = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appending(path: "shared").path
    return [named, beside].compactMap(\.self).map { $0 + "/data/telescope/" }
      .first { FileManager.default.fileExists(atPath: $0) }
  }()

  static let matcher = FingerprintMatcher(.standard)

  static func labelled() throws -> [LabelledCapture] {
    let csv = try String(contentsOfFile: fixtures + "LABELS.csv", encoding: .utf8)
    return try LabelledCapture.read(csv: csv, directory: fixtures, rules: .standard)
  }

  /// A TCP SYN from 203.0.113.7 without options.
  static func syn(
    to destination: String = "198.18.1.2", port: UInt16 = 80, from sourcePort: UInt16 = 40_000,
    sequence: UInt32 = 0x1234_5678, window: UInt16 = 29_200, ttl: UInt8 = 50,
    options: String = "none"
  ) throws -> PacketHeaders {
    var headers = PacketHeaders()
    headers.transport = .tcp
    headers.tcpFlags = 2
    headers.source = IPAddress(v4: 0xcb00_7107)
    headers.destination = IPAddress(destination) ?? IPAddress(v4: 0)
    headers.sourcePort = sourcePort
    headers.destinationPort = port
    headers.sequence = sequence
    headers.window = window
    headers.timeToLive = ttl
    headers.timestamp = Timestamp(seconds: 1_795_394_750)
    headers.ipLength = 40
    headers.optionLayout = TCPOptionLayout(fingerprint: options) ?? .none
    return headers
  }

  static func ids(_ headers: PacketHeaders, _ matcher: FingerprintMatcher = matcher) -> [String] {
    matcher.rules(in: matcher.match(headers) & FingerprintTally.packetRules).map(\.id)
  }

  static func decide(
    _ packets: [PacketHeaders], _ matcher: FingerprintMatcher = matcher
  ) -> [ToolAttribution] {
    matcher.decide(tally(packets, matcher))
  }

  static func tally(
    _ packets: [PacketHeaders], _ matcher: FingerprintMatcher = matcher
  ) -> FingerprintTally {
    var tally = FingerprintTally()
    for packet in packets { tally.add(mask: matcher.match(packet), headers: packet) }
    return tally
  }
}
