import Glibc
public import NetworkTypes

/// When a capture's packets were captured, without reading them.
extension CaptureReader {
  /// The time of the next packet, which stays to be read; nil at the end. Waits for a pipe's packet.
  ///
  /// - Throws: ``CaptureError/readFailed(path:reason:)`` as ``read(limit:_:)`` does.
  public mutating func nextTimestamp() throws(CaptureError) -> Timestamp? {
    guard !finished else { return nil }
    guard format == .pcap else {
      var record = PacketRecord(
        timestamp: .distantPast, index: 0, capturedLength: 0, originalLength: 0,
        linkType: classic.linkType)
      return try nextBlockPacket(&record, mayWait: true) ? record.timestamp : nil
    }
    guard try refillClassicRecord() else { return nil }
    let at = window.position
    let seconds = Int64(window.bytes.loadUInt32(at, swapped: classic.swapped))
    let fraction = Int64(window.bytes.loadUInt32(at &+ 4, swapped: classic.swapped))
    return Timestamp(
      nanoseconds: seconds &* 1_000_000_000 &+ fraction &* classic.nanosecondsPerTick)
  }

  /// Whether `path` can be read only once: `-`, a pipe, a device.
  public static func isPipe(path: String) -> Bool {
    guard path != "-" else { return true }
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT != S_IFREG
      && status.st_mode & S_IFMT != S_IFDIR
  }

  /// The time of the first packet, to put files in order; nil without packets or for a pipe, which
  /// could not be read again.
  ///
  /// - Throws: ``CaptureError`` as ``init(path:tap:)`` does.
  public static func firstTimestamp(path: String) throws(CaptureError) -> Timestamp? {
    guard !isPipe(path: path) else { return nil }
    var reader = try CaptureReader(path: path)
    return try reader.nextTimestamp()
  }

  /// Reads a pipe to its end behind a break, so that the tap of ``init(path:tap:)`` has seen all of it.
  public mutating func drain() throws(CaptureError) {
    try window.source?.input.drain()
  }
}
