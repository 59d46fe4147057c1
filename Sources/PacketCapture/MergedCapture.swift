public import NetworkTypes

/// Reads several captures as one, in the order of their packets' times: two taps of one link, or
/// rotated files that overlap.
///
/// The packets come as from `mergecap`: of all captures the one whose next packet is the earliest gives
/// it, and inside a capture the order stays. Captures that share a moment are ordered by their first
/// packets' times, then by path, so that it does not matter in which order they are named. A capture is
/// opened when the first of its packets is due, and closed at its end; a file that overlaps no other is
/// read in batches, as by a reader of its own.
///
/// ```swift
/// var capture = try MergedCapture(paths: ["tap-a.pcap", "tap-b.pcap.gz"])
/// while try capture.read(limit: 4096, { record, bytes in … }) > 0 {}
/// for part in capture.parts { print(part.path, part.packets, part.ending) }
/// ```
public struct MergedCapture: ~Copyable {
  /// What became of one of the captures.
  public struct Part: Sendable {
    public let path: String
    /// The time of the first packet; nil without packets, and for a lone pipe.
    public internal(set) var firstPacket: Timestamp?
    /// The time of the last packet in the capture's own order; set at its end, like what follows.
    public internal(set) var lastPacket: Timestamp?
    public internal(set) var packets = 0
    public internal(set) var ending = CaptureEnding.complete
  }

  /// A capture that is being read. A class, because an array cannot hold a reader.
  @usableFromInline
  final class Open {
    @usableFromInline var reader: CaptureReader
    fileprivate(set) var part: Int
    /// The next packet's time; nil when it has to be looked up.
    @usableFromInline var head: Timestamp?

    init(_ reader: consuming CaptureReader, part: Int) {
      self.reader = reader
      self.part = part
    }
  }

  /// All captures in their order.
  public private(set) var parts: [Part] = []
  /// Octets read of the captures that have ended.
  private var endedBytes = 0
  private var open: [Open] = []
  /// Parts that have not been opened, the next one last.
  private var waiting: [(part: Int, first: Timestamp)] = []
  private let maximumOpen: Int
  private let hasPipe: Bool

  /// Looks at the first packet of each capture.
  ///
  /// - Parameters:
  ///   - paths: files and pipes, each once; pipes are opened at once, and `-` is standard input.
  ///   - maximumOpen: captures that may be open at one moment.
  ///   - tap: as of ``CaptureReader/init(path:tap:)``, for the pipes.
  /// - Throws: ``CaptureError`` when one of them cannot be opened or is not a capture.
  public init(
    paths: [String], maximumOpen: Int = CaptureParameters.maximumOpenCaptures,
    tap: ((UnsafeRawBufferPointer) -> Void)? = nil
  ) throws(CaptureError) {
    self.maximumOpen = maximumOpen
    var pipes: [String: Open] = [:]
    var timed: [(path: String, first: Timestamp)] = []
    for path in paths {
      guard CaptureReader.isPipe(path: path) else {
        timed.append((path, try CaptureReader.firstTimestamp(path: path) ?? .distantFuture))
        continue
      }
      let pipe = Open(try CaptureReader(path: path, tap: tap), part: 0)
      pipes[path] = pipe
      // A lone pipe is not waited for.
      let first = paths.count == 1 ? nil : try pipe.reader.nextTimestamp()
      timed.append((path, first ?? .distantFuture))
    }
    timed.sort { ($0.first, $0.path) < ($1.first, $1.path) }
    for (number, item) in timed.enumerated() {
      parts.append(
        Part(path: item.path, firstPacket: item.first == .distantFuture ? nil : item.first))
      if let pipe = pipes[item.path] {
        pipe.part = number
        open.append(pipe)
      } else {
        waiting.append((number, item.first))
      }
    }
    waiting.reverse()
    hasPipe = !pipes.isEmpty
  }

  /// The part that gave the last packet.
  private var current = 0

  /// The path of the capture that gave the last packet; empty without captures.
  public var currentPath: String { parts.indices.contains(current) ? parts[current].path : "" }

  /// Octets read of all captures: compressed ones of compressed captures.
  public var bytesRead: Int { open.reduce(endedBytes) { $0 + $1.reader.bytesRead } }

  /// Gives up to `limit` packets to `body` and returns how many; 0 is the end of all captures.
  ///
  /// Fewer than `limit` may be given although more follow. ``PacketRecord/index`` counts in each
  /// capture. The octets are valid only within `body`.
  ///
  /// - Throws: ``CaptureError`` when the system cannot read on, or when more captures overlap than may
  ///   be open at once; damage in a capture ends that capture, see ``Part/ending``.
  @inlinable
  public mutating func read(
    limit: Int, _ body: (borrowing PacketRecord, RawSpan) -> Void
  ) throws(CaptureError) -> Int {
    var delivered = 0
    while delivered < limit, let turn = try nextTurn(hasGiven: delivered > 0) {
      let count = try turn.capture.reader.read(
        limit: limit &- delivered, notAfter: turn.bound, body)
      turn.capture.head = nil
      delivered &+= count
      if count == 0 { try close(turn.capture) }
    }
    return delivered
  }

  /// The capture with the earliest next packet, and up to when it may be read before another has to
  /// be asked; nil at the end, or where a pipe would have to be waited for while packets are at hand.
  @usableFromInline
  mutating func nextTurn(
    hasGiven: Bool
  ) throws(CaptureError) -> (capture: Open, bound: Timestamp)? {
    if hasGiven, hasPipe, open.contains(where: { $0.reader.totalBytes == nil && $0.head == nil }) {
      return nil
    }
    while true {
      if open.isEmpty {
        guard !waiting.isEmpty else { return nil }
        try openNext()
      }
      if open.count == 1, waiting.isEmpty { return turn(open[0], .distantFuture) }
      guard try lookAhead() else { continue }
      // All heads are known now, and there is at least one. By index, as this may come per packet.
      var chosen = open[0]
      var earliest = chosen.head ?? .distantFuture
      for index in 1..<open.count {
        let head = open[index].head ?? .distantFuture
        guard head <= earliest else { continue }
        if head < earliest || open[index].part < chosen.part {
          (chosen, earliest) = (open[index], head)
        }
      }
      if let next = waiting.last, next.first < earliest {
        try openNext()
        continue
      }
      var bound = waiting.last?.first ?? .distantFuture
      for index in 0..<open.count where open[index] !== chosen {
        let head = open[index].head ?? .distantFuture
        bound = min(bound, Self.bound(chosen.part, open[index].part, head))
      }
      return turn(chosen, bound)
    }
  }

  /// Up to when a capture goes first against another whose next packet is at `head`.
  private static func bound(_ part: Int, _ other: Int, _ head: Timestamp) -> Timestamp {
    part < other ? head : Timestamp(nanoseconds: head.nanoseconds &- 1)
  }

  private mutating func turn(
    _ capture: Open, _ bound: Timestamp
  ) -> (capture: Open, bound: Timestamp) {
    current = capture.part
    return (capture, bound)
  }

  /// Looks up the next packets' times; false when a capture turned out to have ended.
  private mutating func lookAhead() throws(CaptureError) -> Bool {
    for index in 0..<open.count where open[index].head == nil {
      open[index].head = try open[index].reader.nextTimestamp()
      if open[index].head == nil {
        try close(open[index])
        return false
      }
    }
    return true
  }

  private mutating func openNext() throws(CaptureError) {
    guard let next = waiting.popLast() else { return }
    let path = parts[next.part].path
    guard open.count < maximumOpen else {
      throw .cannotOpen(
        path: path,
        reason: "\(open.count) other captures overlap it in time, and no more are read at once; "
          + "merge some of them first, with: mergecap -w ALL.pcapng FILE FILE …")
    }
    open.append(Open(try CaptureReader(path: path), part: next.part))
  }

  @usableFromInline
  mutating func close(_ capture: Open) throws(CaptureError) {
    try capture.reader.drain()
    let latest = capture.reader.latestTimestamp
    endedBytes += capture.reader.bytesRead
    parts[capture.part].packets = capture.reader.index
    parts[capture.part].lastPacket = capture.reader.index == 0 ? nil : latest
    parts[capture.part].ending = capture.reader.ending
    open.removeAll { $0 === capture }
  }
}
