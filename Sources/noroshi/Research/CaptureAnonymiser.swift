import Anonymisation
import NetworkTypes
import PacketCapture

/// Rewrites a capture packet by packet for ``AnonymiseCommand``.
struct CaptureAnonymiser {
  struct Counts {
    var written = 0
    /// Packets that are not IP, or whose headers cannot be read so far that all their addresses
    /// are known.
    var leftOut = 0
    var ending = CaptureEnding.complete
  }

  private var rewriter: PacketRewriter

  init(key: AnonymisationKey, payloadOctets: Int) {
    rewriter = PacketRewriter(
      mapper: CachedCryptoPAn(CryptoPAn(key: key)), payloadOctets: payloadOctets)
  }

  /// Reads `source` to its end, or to where it breaks, and writes `target` with link type RAW.
  mutating func run(from source: String, to target: String) throws -> Counts {
    var reader = try CaptureReader(path: source)
    var writer = try CaptureWriter(path: target, linkType: .raw)
    let bar = ProgressBar("Anonymising \(source)", unit: "packets")
    var counts = Counts()
    var batch: [(packet: [UInt8], time: Timestamp, length: UInt32)] = []
    while true {
      batch.removeAll(keepingCapacity: true)
      let read = try reader.read(limit: 4_096) { record, bytes in
        if let packet = rewriter.rewritten(record, bytes) {
          batch.append((packet.octets, record.timestamp, packet.originalLength))
        } else {
          counts.leftOut += 1
        }
      }
      if read == 0 { break }
      for (packet, time, length) in batch {
        try writer.write(packet.span.bytes, timestamp: time, originalLength: Int(length))
      }
      counts.written += batch.count
      bar.update(
        UInt64(counts.written),
        fraction: reader.totalBytes.map { Double(reader.bytesRead) / Double(max($0, 1)) })
    }
    bar.finish()
    try writer.close()
    counts.ending = reader.ending
    return counts
  }
}
