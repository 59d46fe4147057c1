internal import CPcap
import Glibc
import NetworkTypes
import Synchronization

/// Captures packets from a network interface, through libpcap.
///
/// ```swift
/// let capture = try LiveCapture(interface: "eth1", bpfFilter: "not arp")
/// while !capture.isStopped {
///   _ = try capture.read(limit: 4096, timeoutMilliseconds: 500) { record, bytes in … }
/// }
/// ```
///
/// One thread reads; any other may call ``stop()``. Times have nanoseconds where the interface can.
public final class LiveCapture: @unchecked Sendable {
  // @unchecked Sendable: `handle` is used by the one reading thread only; `stop` touches the atomic
  // flag and the wake-up pipe, both safe from any thread.

  /// An interface that can be captured from.
  public struct Interface: Hashable, Sendable {
    public let name: String
    /// The system's words for it, empty without any.
    public let description: String
    public let isUp: Bool
    public let isLoopback: Bool
  }

  /// How many packets passed and how many were lost since the start.
  public struct Statistics: Hashable, Sendable {
    /// Packets that the filter let through, delivered or dropped.
    public var received = 0
    /// Packets lost because the buffer was full: make it larger, or the filter narrower.
    public var droppedByKernel = 0
    /// Packets lost by the interface or its driver, where it tells.
    public var droppedByInterface = 0

    public init() {}
  }

  public let interface: String
  public let linkType: LinkType
  /// Whether the times have nanoseconds; microseconds otherwise.
  public let hasNanoseconds: Bool

  private let handle: OpaquePointer
  private let descriptor: Int32
  private let wakeUp: (read: Int32, write: Int32)
  private let stopped = Atomic<Bool>(false)
  private var index = 0
  private var total = Statistics()
  private var last = pcap_stat()

  /// Starts capturing.
  ///
  /// - Parameters:
  ///   - snapshotLength: octets kept of each packet.
  ///   - bufferBytes: size of the kernel's buffer, which holds what comes while nobody reads.
  ///   - promiscuous: also take packets for other stations, as a mirror port needs.
  ///   - bpfFilter: a filter in the language of pcap-filter(7).
  public init(
    interface: String, snapshotLength: Int = 65_535, bufferBytes: Int = 64 * 1024 * 1024,
    promiscuous: Bool = true, bpfFilter: String? = nil
  ) throws(CaptureError) {
    var message = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
    guard let handle = pcap_create(interface, &message) else {
      throw .captureFailed(interface: interface, reason: Self.text(message))
    }
    pcap_set_snaplen(handle, Int32(clamping: snapshotLength))
    pcap_set_promisc(handle, promiscuous ? 1 : 0)
    pcap_set_buffer_size(handle, Int32(clamping: bufferBytes))
    // How long the kernel gathers packets before it wakes the reader, in milliseconds.
    pcap_set_timeout(handle, 50)
    hasNanoseconds = pcap_set_tstamp_precision(handle, PCAP_TSTAMP_PRECISION_NANO) == 0
    let code = pcap_activate(handle)
    guard code >= 0 else {
      let detail = String(cString: pcap_geterr(handle))
      let status = String(cString: pcap_statustostr(code))
      let reason = detail.isEmpty ? status : "\(status): \(detail)"
      pcap_close(handle)
      if code == PCAP_ERROR_PERM_DENIED || code == PCAP_ERROR_PROMISC_PERM_DENIED {
        throw .noPermission(interface: interface, reason: reason)
      }
      throw .captureFailed(interface: interface, reason: reason)
    }
    if let bpfFilter {
      do throws(CaptureError) {
        try Self.apply(bpfFilter, to: handle, interface: interface)
      } catch {
        pcap_close(handle)
        throw error
      }
    }
    descriptor = pcap_get_selectable_fd(handle)
    var ends: [Int32] = [-1, -1]
    let piped = pipe(&ends) == 0
    wakeUp = (read: ends[0], write: ends[1])
    guard pcap_setnonblock(handle, 1, &message) == 0, descriptor >= 0, piped else {
      for end in ends where end >= 0 { Glibc.close(end) }
      pcap_close(handle)
      throw .captureFailed(interface: interface, reason: "it cannot be waited for")
    }
    for end in ends {
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
    }
    self.interface = interface
    self.handle = handle
    linkType = LinkType(rawValue: UInt16(truncatingIfNeeded: pcap_datalink(handle)))
  }

  deinit {
    pcap_close(handle)
    Glibc.close(wakeUp.read)
    Glibc.close(wakeUp.write)
  }

  private static func apply(
    _ filter: String, to handle: OpaquePointer, interface: String
  ) throws(CaptureError) {
    var program = bpf_program()
    // PCAP_NETMASK_UNKNOWN: only the "ip broadcast" test needs the mask.
    guard pcap_compile(handle, &program, filter, 1, 0xffff_ffff) == 0 else {
      throw .badFilter(expression: filter, reason: String(cString: pcap_geterr(handle)))
    }
    defer { pcap_freecode(&program) }
    guard pcap_setfilter(handle, &program) == 0 else {
      throw .captureFailed(interface: interface, reason: String(cString: pcap_geterr(handle)))
    }
  }

  /// Whether ``stop()`` was called.
  public var isStopped: Bool { stopped.load(ordering: .acquiring) }

  /// Makes a waiting ``read(limit:timeoutMilliseconds:_:)`` and all later ones return.
  public func stop() {
    stopped.store(true, ordering: .releasing)
    // A full pipe wakes the reader as well; the octet is never taken out again.
    var octet: UInt8 = 1
    _ = write(wakeUp.write, &octet, 1)
  }

  /// Gives up to `limit` packets to `body` and returns how many, waiting for the first of them up
  /// to the timeout; 0 when none came or the capture was stopped.
  ///
  /// The octets are valid only within `body`.
  ///
  /// - Throws: ``CaptureError/captureFailed(interface:reason:)`` when the interface goes away.
  public func read(
    limit: Int, timeoutMilliseconds: Int = 500, _ body: (borrowing PacketRecord, RawSpan) -> Void
  ) throws(CaptureError) -> Int {
    var delivered = 0
    var hasWaited = false
    while delivered < limit, !isStopped {
      var header: UnsafeMutablePointer<pcap_pkthdr>?
      var octets: UnsafePointer<UInt8>?
      switch pcap_next_ex(handle, &header, &octets) {
      case 1:
        guard let header = header?.pointee, let octets else { return delivered }
        let fraction = Int64(header.ts.tv_usec) &* (hasNanoseconds ? 1 : 1000)
        let record = PacketRecord(
          timestamp: Timestamp(
            nanoseconds: Int64(header.ts.tv_sec) &* 1_000_000_000 &+ fraction),
          index: index, capturedLength: header.caplen, originalLength: header.len,
          linkType: linkType)
        index += 1
        delivered += 1
        // libpcap keeps `caplen` octets there until its next call.
        body(record, RawSpan(_unsafeStart: octets, byteCount: Int(header.caplen)))
      case 0:
        if delivered > 0 || hasWaited { return delivered }
        hasWaited = true
        try wait(milliseconds: timeoutMilliseconds)
      default:
        throw .captureFailed(interface: interface, reason: String(cString: pcap_geterr(handle)))
      }
    }
    return delivered
  }

  /// Waits for packets, the stop or the timeout. libpcap's own timeout does not run out while no
  /// packet comes (pcap(3PCAP), "packet buffer timeout").
  private func wait(milliseconds: Int) throws(CaptureError) {
    var set = [
      pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
      pollfd(fd: wakeUp.read, events: Int16(POLLIN), revents: 0),
    ]
    if poll(&set, 2, Int32(clamping: max(0, milliseconds))) < 0, errno != EINTR {
      throw .captureFailed(interface: interface, reason: String(cString: strerror(errno)))
    }
  }

  /// The counters up to now; called by the reading thread.
  public func statistics() throws(CaptureError) -> Statistics {
    var now = pcap_stat()
    guard pcap_stats(handle, &now) == 0 else {
      throw .captureFailed(interface: interface, reason: String(cString: pcap_geterr(handle)))
    }
    // libpcap counts in 32 bits; the differences are right also when they wrap.
    total.received += Int(now.ps_recv &- last.ps_recv)
    total.droppedByKernel += Int(now.ps_drop &- last.ps_drop)
    total.droppedByInterface += Int(now.ps_ifdrop &- last.ps_ifdrop)
    last = now
    return total
  }

  /// The interfaces that this process may capture from.
  public static func interfaces() throws(CaptureError) -> [Interface] {
    var message = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
    var list: UnsafeMutablePointer<pcap_if_t>?
    guard pcap_findalldevs(&list, &message) == 0 else {
      throw .captureFailed(interface: "any", reason: text(message))
    }
    defer { pcap_freealldevs(list) }
    var result: [Interface] = []
    var next = list
    while let entry = next?.pointee {
      let flags = entry.flags
      result.append(
        Interface(
          name: entry.name.map { String(cString: $0) } ?? "",
          description: entry.description.map { String(cString: $0) } ?? "",
          isUp: flags & UInt32(PCAP_IF_UP) != 0,
          isLoopback: flags & UInt32(PCAP_IF_LOOPBACK) != 0))
      next = entry.next
    }
    return result
  }

  private static func text(_ message: [CChar]) -> String {
    String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
