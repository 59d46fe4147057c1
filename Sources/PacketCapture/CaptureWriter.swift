import Glibc
public import NetworkTypes

/// Writes packets to a pcap file (draft-ietf-opsawg-pcap), for samples, exports and tests.
///
/// ```swift
/// var writer = try CaptureWriter(path: "sample.pcap", linkType: .ethernet)
/// try writer.write(record, bytes)
/// try writer.close()
/// ```
///
/// Records are buffered; ``close()`` writes the last of them, and is the way to learn of an error.
public struct CaptureWriter: ~Copyable {
  /// The unit of the fraction of a second.
  public enum Precision: Sendable {
    case microseconds
    case nanoseconds
  }

  private let path: String
  private let descriptor: Int32
  private let precision: Precision
  private let snapshotLength: Int
  private var buffer: [UInt8] = []
  /// How many packets were written.
  public private(set) var count = 0

  /// Creates or replaces the file; `-` is standard output.
  ///
  /// - Parameter snapshotLength: longer packets are cut to it, in octets, up to
  ///   ``CaptureParameters/maximumCapturedLength``.
  public init(
    path: String, linkType: LinkType, precision: Precision = .nanoseconds,
    snapshotLength: Int = CaptureParameters.maximumCapturedLength
  ) throws(CaptureError) {
    self.path = path
    self.precision = precision
    self.snapshotLength = max(0, min(snapshotLength, CaptureParameters.maximumCapturedLength))
    descriptor =
      path == "-" ? STDOUT_FILENO : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw .cannotOpen(path: path, reason: String(cString: strerror(errno)))
    }
    append(precision == .microseconds ? 0xa1b2_c3d4 : 0xa1b2_3c4d)
    // Version 2.4, the lower half first.
    append(4 << 16 | 2)
    append(0)
    append(0)
    append(UInt32(self.snapshotLength))
    append(UInt32(linkType.rawValue))
  }

  deinit {
    // An error here has nobody to tell it to; close() is the way to learn of one.
    _ = try? Self.flush(buffer[...], descriptor, path)
    if descriptor != STDOUT_FILENO { Glibc.close(descriptor) }
  }

  /// Appends one packet with its record's time and original length. The file has one link type, so
  /// the record's own is not looked at.
  public mutating func write(
    _ record: borrowing PacketRecord, _ bytes: RawSpan
  ) throws(CaptureError) {
    try write(bytes, timestamp: record.timestamp, originalLength: Int(record.originalLength))
  }

  /// Appends one packet.
  ///
  /// The format holds seconds from 1970 to 2106; times outside become its ends.
  public mutating func write(
    _ bytes: RawSpan, timestamp: Timestamp, originalLength: Int? = nil
  ) throws(CaptureError) {
    let seconds = timestamp.seconds
    let fraction = timestamp.nanoseconds &- seconds &* 1_000_000_000
    append(UInt32(clamping: seconds))
    append(UInt32(clamping: precision == .microseconds ? fraction / 1000 : fraction))
    let captured = min(bytes.byteCount, snapshotLength)
    append(UInt32(captured))
    append(UInt32(clamping: originalLength ?? bytes.byteCount))
    bytes.extracting(first: captured).withUnsafeBytes { buffer.append(contentsOf: $0) }
    count += 1
    if buffer.count >= CaptureParameters.inputLength { try flush() }
  }

  /// Hands everything written so far to the system.
  public mutating func flush() throws(CaptureError) {
    // What could not be written once will not be better twice.
    let pending = buffer
    buffer.removeAll(keepingCapacity: true)
    try Self.flush(pending[...], descriptor, path)
  }

  /// Writes what is buffered and closes the file.
  public consuming func close() throws(CaptureError) {
    try flush()
  }

  private mutating func append(_ value: UInt32) {
    withUnsafeBytes(of: value) { buffer.append(contentsOf: $0) }
  }

  private static func flush(
    _ bytes: ArraySlice<UInt8>, _ descriptor: Int32, _ path: String
  ) throws(CaptureError) {
    var rest = bytes
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if written > 0 {
        rest = rest.dropFirst(written)
      } else if errno != EINTR {
        throw .writeFailed(path: path, reason: String(cString: strerror(errno)))
      }
    }
  }
}
