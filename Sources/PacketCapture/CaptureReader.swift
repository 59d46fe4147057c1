public import NetworkTypes

/// Reads the packets of a pcap or pcapng capture in order, without copying them.
///
/// The format is known by its first octets: pcap with micro- or nanoseconds, or pcapng, in either
/// byte order, plain or compressed with gzip or zstd, from a file or a pipe.
///
/// ```swift
/// var reader = try CaptureReader(path: "darknet.pcap.zst")
/// var headers = PacketHeaders()
/// while try reader.read(limit: 4096, { record, bytes in
///   if PacketDecoder.decode(record, bytes, into: &headers) == .decoded { count += 1 }
/// }) > 0 {}
/// if case .broken(let offset, let reason) = reader.ending { … }
/// ```
///
/// Files and streams are read through a window of ``CaptureParameters/windowLength`` octets, which grows
/// only for longer blocks.
public struct CaptureReader: ~Copyable, @unchecked Sendable {
  // @unchecked Sendable: the reader is the only owner of its memory and its source, cannot be
  // copied, and every use of them is mutating.

  /// The format behind any compression.
  public enum Format: String, Sendable {
    case pcap
    case pcapng
  }

  /// How the capture is compressed.
  public enum Compression: String, Sendable {
    case none
    case gzip
    case zstd
  }

  /// The path as given; `-` is standard input.
  public let path: String
  public let format: Format
  public let compression: Compression
  /// The size of the file in octets as it is stored; nil for a pipe.
  public let totalBytes: Int?

  @usableFromInline var window: CaptureWindow
  @usableFromInline let isStream: Bool
  /// The next packet's number.
  @usableFromInline var index = 0
  @usableFromInline var finished = false
  /// The time of the packet given last; ``Timestamp/distantPast`` before the first.
  @usableFromInline var latestTimestamp = Timestamp.distantPast
  @usableFromInline var classic: ClassicHeader
  @usableFromInline var section = PcapngSection()
  var _ending = CaptureEnding.complete

  /// How the capture ended; ``CaptureEnding/complete`` while it has not ended.
  public var ending: CaptureEnding { _ending }

  /// Octets read so far of ``totalBytes``: compressed ones for a compressed capture.
  public var bytesRead: Int {
    if let source = window.source {
      return compression == .none ? window.offset : source.consumed
    }
    return window.offset
  }

  /// Opens a capture file, or standard input for `-`.
  ///
  /// - Parameter tap: given every octet of a pipe as it comes, still compressed, in order; not called
  ///   for a regular file that is named by its path.
  /// - Throws: ``CaptureError`` if it cannot be opened or is not a capture.
  public init(
    path: String, tap: ((UnsafeRawBufferPointer) -> Void)? = nil
  ) throws(CaptureError) {
    let opened = try OpenedCapture(path: path, tap: tap)
    var window = try opened.window()
    let preamble = try CapturePreamble(of: &window, path: path)
    self.init(
      path: path, window: window, preamble: preamble, compression: opened.compression,
      totalBytes: opened.length)
  }

  /// Reads a capture, compressed or not, that is in memory.
  ///
  /// - Throws: ``CaptureError`` if it is not a capture.
  public init(bytes: [UInt8]) throws(CaptureError) {
    let path = "memory"
    let compression = Compression(magic: bytes)
    var window =
      switch compression {
      case .none: CaptureWindow(bytes: bytes)
      case .gzip: CaptureWindow(source: try GzipSource(ByteInput(bytes: bytes, path: path)))
      case .zstd: CaptureWindow(source: try ZstdSource(ByteInput(bytes: bytes, path: path)))
      }
    let preamble = try CapturePreamble(of: &window, path: path)
    self.init(
      path: path, window: window, preamble: preamble, compression: compression,
      totalBytes: bytes.count)
  }

  /// Reads an uncompressed capture from memory as if it came through a pipe.
  init(streaming bytes: [UInt8]) throws(CaptureError) {
    var window = CaptureWindow(source: PlainSource(ByteInput(bytes: bytes, path: "memory")))
    let preamble = try CapturePreamble(of: &window, path: "memory")
    self.init(
      path: "memory", window: window, preamble: preamble, compression: .none, totalBytes: nil)
  }

  private init(
    path: String, window: consuming CaptureWindow, preamble: CapturePreamble,
    compression: Compression, totalBytes: Int?
  ) {
    self.path = path
    self.compression = compression
    self.totalBytes = totalBytes
    format = preamble.format
    classic = preamble.classic
    isStream = window.source != nil
    self.window = window
    if let fault = preamble.fault { breakOff(fault) }
  }

  /// Gives up to `limit` packets to `body` and returns how many; 0 is the end of the capture.
  ///
  /// Fewer than `limit` may be given although more follow, so that a pipe's packets are not held
  /// back. The octets are valid only within `body`.
  ///
  /// - Throws: ``CaptureError/readFailed(path:reason:)`` when the system cannot read on; damage in
  ///   the capture ends it instead, see ``ending``.
  @inlinable
  public mutating func read(
    limit: Int, _ body: (borrowing PacketRecord, RawSpan) -> Void
  ) throws(CaptureError) -> Int {
    // No packet is later than that, so the comparison goes when this is inlined.
    try read(limit: limit, notAfter: .distantFuture, body)
  }

  /// As ``read(limit:_:)``, but stops in front of the first packet that is later than `bound`: 0 also
  /// when the next packet is.
  @inlinable @inline(__always)
  public mutating func read(
    limit: Int, notAfter bound: Timestamp, _ body: (borrowing PacketRecord, RawSpan) -> Void
  ) throws(CaptureError) -> Int {
    var delivered = 0
    var latest = latestTimestamp
    var record = PacketRecord(
      timestamp: Timestamp(nanoseconds: 0), index: 0, capturedLength: 0, originalLength: 0,
      linkType: classic.linkType)
    while delivered < limit, !finished {
      let start: Int
      if format == .pcap {
        // A record: seconds, fraction, captured length, original length, octets.
        let at = window.position
        guard window.available >= 16 else {
          if delivered > 0, isStream { break }
          if try !refillClassicRecord() { break }
          continue
        }
        let swapped = classic.swapped
        let captured = window.bytes.loadUInt32(at &+ 8, swapped: swapped)
        guard Int(captured) <= window.available &- 16,
          Int(captured) <= CaptureParameters.maximumCapturedLength
        else {
          if delivered > 0, isStream { break }
          if try !refillClassicRecord() { break }
          continue
        }
        let seconds = Int64(window.bytes.loadUInt32(at, swapped: swapped))
        let fraction = Int64(window.bytes.loadUInt32(at &+ 4, swapped: swapped))
        record.timestamp = Timestamp(
          nanoseconds: seconds &* 1_000_000_000 &+ fraction &* classic.nanosecondsPerTick)
        record.originalLength = window.bytes.loadUInt32(at &+ 12, swapped: swapped)
        record.capturedLength = captured
        start = at &+ 16
      } else {
        guard try nextBlockPacket(&record, mayWait: delivered == 0) else { break }
        start = section.packetStart
      }
      if record.timestamp > bound { break }
      let end = start &+ Int(record.capturedLength)
      record.index = index
      index &+= 1
      delivered &+= 1
      latest = record.timestamp
      body(record, window.bytes.extracting(start..<end))
      window.position = format == .pcap ? end : section.nextBlock
    }
    latestTimestamp = latest
    return delivered
  }

  /// Ends the capture at the current record. Damage of the compression is the better reason.
  mutating func breakOff(_ reason: String) {
    finished = true
    var reason = window.source?.damage ?? reason
    if compression != .none { reason += " (offset in the uncompressed stream)" }
    _ending = .broken(offset: window.offset, reason: reason)
  }

  /// Ends the capture where nothing is left, unless its compression was damaged.
  mutating func finish() {
    if window.source?.damage != nil {
      breakOff("")
    } else {
      finished = true
    }
  }
}
