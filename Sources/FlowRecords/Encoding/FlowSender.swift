import CNetwork
import Glibc
public import NetworkTypes

/// Sends flows as datagrams at a bounded rate.
public final class FlowSender {
  private let socket: Socket
  private var encoder: any FlowEncoder
  /// Flows a second; nil for as fast as it goes.
  private let rate: Double?
  private let slots = Int(CNETWORK_SLOTS)
  private let stride: Int
  private var buffer: [UInt8]
  private var lengths: [UInt32]
  private var waiting = 0
  private var started: ContinuousClock.Instant?

  public private(set) var flows: UInt64 = 0
  public private(set) var datagrams: UInt64 = 0
  public private(set) var octets: UInt64 = 0
  /// Flows that the protocol has no place for.
  public var skipped: UInt64 { encoder.skipped }

  /// - Parameter source: the address to send from; nil for the system's choice.
  public init(
    to destination: CollectorConfiguration.Endpoint, _ parameters: EncoderParameters,
    flowsPerSecond rate: Double?, from source: IPAddress? = nil
  ) throws(CollectorError) {
    socket = try Socket.sending(to: destination, from: source)
    encoder = parameters.encoder()
    self.rate = rate.flatMap { $0 > 0 ? $0 : nil }
    stride = max(parameters.largestDatagram, 512) + 512
    buffer = Array(repeating: 0, count: stride * slots)
    lengths = Array(repeating: 0, count: slots)
  }

  /// Sends a batch, waiting as the rate asks for. In between nothing is waited for longer than a
  /// flush takes.
  public func send(_ batch: FlowBatch, exportTime: Timestamp) throws(CollectorError) {
    // Some hundred at a time, so that a slow rate is not one burst a second.
    let step = rate.map { min(max(Int($0 / 100), 1), 1_024) } ?? 1_024
    var row = 0
    while row < batch.count {
      let end = min(row + step, batch.count)
      var failure: CollectorError?
      encoder.encode(batch, rows: row..<end, exportTime: exportTime) { datagram in
        do throws(CollectorError) { try queue(datagram) } catch { failure = error }
      }
      if let failure { throw failure }
      flows &+= UInt64(end - row)
      row = end
      if rate != nil {
        try flush()
        pace()
      }
    }
    try flush()
  }

  private func queue(_ datagram: RawSpan) throws(CollectorError) {
    let length = min(datagram.byteCount, stride)
    datagram.withUnsafeBytes { bytes in
      buffer.withUnsafeMutableBytes { into in
        // The slot exists, as `waiting` is below the number of slots, and it holds `length` octets.
        UnsafeMutableRawBufferPointer(rebasing: into[waiting * stride..<waiting * stride + length])
          .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[0..<length]))
      }
    }
    lengths[waiting] = UInt32(length)
    waiting += 1
    datagrams &+= 1
    octets &+= UInt64(length)
    if waiting == slots { try flush() }
  }

  private func flush() throws(CollectorError) {
    var sent = 0
    var refusals = 0
    while sent < waiting {
      let count = buffer.withUnsafeBufferPointer { octets -> Int32 in
        lengths.withUnsafeBufferPointer { lengths -> Int32 in
          guard let octets = octets.baseAddress, let lengths = lengths.baseAddress else { return 0 }
          return cnetwork_send(
            socket.descriptor, octets + sent * stride, lengths + sent, Int32(waiting - sent),
            Int32(stride))
        }
      }
      if count > 0 {
        sent += Int(count)
        continue
      }
      // Nobody listened to an earlier datagram, or the device's queue is full: neither is an end.
      refusals += 1
      guard [ECONNREFUSED, ENOBUFS, EAGAIN, EINTR].contains(errno), refusals < 1_000 else {
        throw .socket(
          endpoint: socket.endpoint.description, call: "send",
          reason: String(cString: strerror(errno)))
      }
      if errno == ENOBUFS { usleep(1_000) }
    }
    waiting = 0
  }

  private func pace() {
    guard let rate else { return }
    let begun = started ?? .now
    started = begun
    let due = begun + .seconds(Double(flows) / rate)
    let left = due - .now
    guard left > .microseconds(50) else { return }
    let (seconds, attoseconds) = left.components
    var wait = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
    nanosleep(&wait, nil)
  }
}
