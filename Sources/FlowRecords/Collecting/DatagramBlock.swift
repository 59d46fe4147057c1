import CNetwork
import Glibc
import NetworkTypes

/// Memory for 128 datagrams, which the kernel writes to and the decoder reads from without a copy.
final class DatagramBlock {
  /// Twice what one system call takes: threads that wake each other up for some tens of datagrams spend
  /// as much time on that as on the datagrams. More would not stay in the cache until it is decoded.
  static let slots = 2 * Int(CNETWORK_SLOTS)

  private let stride: Int
  private let octets: UnsafeMutablePointer<UInt8>
  private let entries: UnsafeMutablePointer<cnetwork_datagram>
  private(set) var count = 0
  /// When they were received, Unix nanoseconds.
  private(set) var received: Int64 = 0

  init(largestDatagram: Int) {
    // An odd number of cache lines, so that the starts of datagrams are not all in the same cache set.
    stride = ((max(largestDatagram, 64) + 63) / 64 | 1) * 64
    octets = .allocate(capacity: stride * Self.slots)
    entries = .allocate(capacity: Self.slots)
    entries.initialize(repeating: cnetwork_datagram(), count: Self.slots)
  }

  deinit {
    octets.deallocate()
    entries.deallocate()
  }

  /// Whether there is no room for another datagram.
  var isFull: Bool { count == Self.slots }

  func removeAll() { count = 0 }

  /// Receives what is there, behind what the block has, and when `waits` as long as the socket's
  /// timeout for the first datagram; errno when nothing came.
  func receive(from socket: Int32, waits: Bool, overflow: inout UInt32) -> Int32 {
    guard !isFull else { return EAGAIN }
    var waits = waits
    repeat {
      let asked = min(Self.slots - count, Int(CNETWORK_SLOTS))
      let result = cnetwork_receive(
        socket, octets + count * stride, Int32(asked), Int32(stride), entries + count, &overflow,
        waits ? 1 : 0)
      guard result > 0 else {
        if !waits, count > 0 { break }
        return result == 0 ? EAGAIN : errno
      }
      count += Int(result)
      if Int(result) < asked { break }
      waits = false
    } while !isFull
    received = Self.now()
    return 0
  }

  /// One datagram; the index is below ``count``.
  func withDatagram<Result>(
    _ index: Int, _ body: (RawSpan, IPAddress, _ isTruncated: Bool) -> Result
  ) -> Result {
    precondition(index >= 0 && index < count, "a datagram of the block")
    let entry = entries[index]
    let length = min(Int(entry.length), stride)
    let bytes = UnsafeRawBufferPointer(start: octets + index * stride, count: length)
    let source = withUnsafeBytes(of: entry.address) { octets in
      // Sixteen octets, of which an IPv4 address fills the first four.
      let high = octets.loadUnaligned(as: UInt64.self).bigEndian
      let low = octets.loadUnaligned(fromByteOffset: 8, as: UInt64.self).bigEndian
      return entry.family == 6
        ? IPAddress(bits: UInt128(high) << 64 | UInt128(low))
        : IPAddress(v4: UInt32(truncatingIfNeeded: high >> 32))
    }
    return body(unsafe RawSpan(_unsafeBytes: bytes), source, entry.truncated != 0)
  }

  static func address(family: UInt8, _ octets: [UInt8]) -> IPAddress {
    let bytes = family == 6 ? octets.prefix(16) : octets.prefix(4)
    let bits = bytes.reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
    // A dual-stack socket gives IPv4 addresses in their mapped form, as IPAddress keeps them.
    return family == 6 ? IPAddress(bits: bits) : IPAddress(v4: UInt32(truncatingIfNeeded: bits))
  }

  static func now() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return Int64(now.tv_sec) &* 1_000_000_000 &+ Int64(now.tv_nsec)
  }
}
