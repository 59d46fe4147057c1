import NetworkTypes
import PacketCapture

/// Which /24 blocks a capture's packets go to: what to suggest when no dark network is named.
enum CaptureDestinations {
  private static let packetsLookedAt = 20_000

  /// The busiest blocks of the first packets, at most five: `198.51.100.0/24`.
  static func busiest(in captures: [String]) throws -> [String] {
    var counts: [IPPrefix: Int] = [:]
    for path in captures.prefix(4) where path != "-" {
      var reader = try CaptureReader(path: path)
      var headers = PacketHeaders()
      var left = packetsLookedAt
      while left > 0 {
        let count = try reader.read(limit: left) { record, bytes in
          if PacketDecoder.decode(copy record, bytes, into: &headers) == .decoded,
            let block = IPPrefix(headers.destination, length: headers.destination.isIPv4 ? 24 : 64)
          {
            counts[block, default: 0] += 1
          }
        }
        if count == 0 { break }
        left -= count
      }
    }
    return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(5)
      .map(\.key.description)
  }
}
