import Foundation
import Glibc
import NetworkTypes

/// Takes IPFIX over TCP (RFC 7011 §10.4): one thread that waits for all connections at once.
final class StreamListener: @unchecked Sendable {
  private let listeners: [Socket]
  private let shards: [CollectorShard]
  private let configuration: CollectorConfiguration
  private let allowed: [IPPrefix]
  // Used by the thread of `run` only.
  private var connections: [Connection] = []
  private var lastSession: UInt64 = 0

  private let lock = NSLock()
  // Guarded by `lock`.
  private var isStopped = false
  private var openCount = 0
  private var closedCount: UInt64 = 0

  /// One connection, and the message of it that has not come whole.
  private struct Connection {
    let descriptor: Int32
    let session: UInt64
    let shard: CollectorShard
    let source: IPAddress
    var pending: [UInt8] = []
    var heard: Int64
  }

  init(_ configuration: CollectorConfiguration, shards: [CollectorShard]) throws(CollectorError) {
    self.configuration = configuration
    self.shards = shards
    allowed = configuration.allowed
    var sockets: [Socket] = []
    for endpoint in configuration.streams { sockets.append(try Socket.listening(endpoint)) }
    listeners = sockets
  }

  /// The ports listened on, as the kernel gave them for port 0.
  var ports: [UInt16] { listeners.map(\.localPort) }
  var counts: (open: Int, closed: UInt64) { lock.withLock { (openCount, closedCount) } }

  func stop() { lock.withLock { isStopped = true } }

  func run() {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while !lock.withLock({ isStopped }) {
      var polled = listeners.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
      polled += connections.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
      let ready = poll(&polled, nfds_t(polled.count), 250)
      let now = DatagramBlock.now()
      if ready > 0 {
        // From the last, because a connection that ends leaves the list.
        for index in connections.indices.reversed()
        where polled[listeners.count + index].revents != 0 {
          if !serve(index, &buffer, now) { end(index) }
        }
        for (index, listener) in listeners.enumerated() where polled[index].revents != 0 {
          accept(listener, now)
        }
      }
      let idle = FlowDecoder.nanoseconds(configuration.connectionIdleSeconds)
      for index in connections.indices.reversed() where now - connections[index].heard > idle {
        end(index)
      }
    }
    for index in connections.indices.reversed() { end(index) }
  }

  private func accept(_ listener: Socket, _ now: Int64) {
    var storage = sockaddr_in6()
    var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
    let descriptor = withUnsafeMutablePointer(to: &storage) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.accept(listener.descriptor, $0, &length)
      }
    }
    guard descriptor >= 0 else { return }
    let octets = withUnsafeBytes(of: storage) { Array($0) }
    let isIPv6 = Int32(storage.sin6_family) == AF_INET6
    // Behind family and port: at 4 in an IPv4 address, behind the flow label at 8 in an IPv6 one.
    let source = DatagramBlock.address(
      family: isIPv6 ? 6 : 4, Array(isIPv6 ? octets[8..<24] : octets[4..<8]))
    let isAllowed = allowed.isEmpty || allowed.contains { $0.contains(source) }
    guard isAllowed, connections.count < configuration.largestConnectionCount else {
      close(descriptor)
      lock.withLock { closedCount &+= 1 }
      return
    }
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    lastSession &+= 1
    connections.append(
      Connection(
        descriptor: descriptor, session: lastSession,
        shard: shards[FlowCollector.shard(of: source, shards.count)], source: source, heard: now))
    lock.withLock { openCount = connections.count }
  }

  /// Reads what is there, and hands on whole messages; false when the connection is to end.
  private func serve(_ index: Int, _ buffer: inout [UInt8], _ now: Int64) -> Bool {
    let count = recv(connections[index].descriptor, &buffer, buffer.count, 0)
    if count < 0 { return errno == EAGAIN || errno == EINTR }
    guard count > 0 else { return false }
    connections[index].heard = now
    connections[index].pending.append(contentsOf: buffer[0..<count])
    var at = 0
    let pending = connections[index].pending
    while pending.count - at >= IPFIX.headerLength {
      let version = Int(pending[at]) << 8 | Int(pending[at + 1])
      let length = Int(pending[at + 2]) << 8 | Int(pending[at + 3])
      // Where a stream is not IPFIX, or lost its step, no later message can be found.
      guard version == 10, length >= IPFIX.headerLength else {
        lock.withLock { closedCount &+= 1 }
        return false
      }
      guard pending.count - at >= length else { break }
      let source = withUnsafeBytes(of: connections[index].source.bits.bigEndian) { Array($0) }
      connections[index].shard.work.put(
        .message(
          Array(pending[at..<at + length]), source: source, family: 6,
          session: connections[index].session, received: now))
      at += length
    }
    connections[index].pending.removeFirst(at)
    return true
  }

  private func end(_ index: Int) {
    let connection = connections.remove(at: index)
    close(connection.descriptor)
    connection.shard.work.put(.sessionEnd(connection.session))
    lock.withLock { openCount = connections.count }
  }
}
