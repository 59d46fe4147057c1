import CNetwork
import Glibc
import NetworkTypes

/// An open socket, closed with its owner.
final class Socket: @unchecked Sendable {
  let descriptor: Int32
  let endpoint: CollectorConfiguration.Endpoint

  private init(_ descriptor: Int32, _ endpoint: CollectorConfiguration.Endpoint) {
    self.descriptor = descriptor
    self.endpoint = endpoint
  }

  deinit { close(descriptor) }

  /// A UDP socket that waits at most a quarter of a second for datagrams.
  static func receiving(
    _ endpoint: CollectorConfiguration.Endpoint, buffer: Int, isShared: Bool
  ) throws(CollectorError) -> Socket {
    let socket = try open(endpoint, SOCK_DGRAM)
    if isShared { try socket.set(SOL_SOCKET, SO_REUSEPORT, 1, "SO_REUSEPORT") }
    // Above net.core.rmem_max only the FORCE variant works, and only with CAP_NET_ADMIN.
    let size = Int32(clamping: buffer)
    if !socket.trySet(SOL_SOCKET, SO_RCVBUFFORCE, size) {
      _ = socket.trySet(SOL_SOCKET, SO_RCVBUF, size)
    }
    _ = cnetwork_report_overflow(socket.descriptor)
    var timeout = timeval(tv_sec: 0, tv_usec: 250_000)
    setsockopt(
      socket.descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    try socket.bind()
    return socket
  }

  /// A TCP socket that accepts connections without waiting.
  static func listening(
    _ endpoint: CollectorConfiguration.Endpoint
  ) throws(CollectorError) -> Socket {
    let socket = try open(endpoint, SOCK_STREAM)
    try socket.set(SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR")
    try socket.bind()
    guard listen(socket.descriptor, 128) == 0 else { throw socket.failure("listen") }
    _ = fcntl(socket.descriptor, F_SETFL, O_NONBLOCK)
    return socket
  }

  /// A UDP socket that sends to one address only.
  static func sending(
    to endpoint: CollectorConfiguration.Endpoint, from source: IPAddress? = nil
  ) throws(CollectorError) -> Socket {
    let socket = try open(endpoint, SOCK_DGRAM)
    _ = socket.trySet(SOL_SOCKET, SO_SNDBUF, 4 << 20)
    if let source {
      let own = CollectorConfiguration.Endpoint(address: source, port: 0)
      let bound = withAddress(own) { Glibc.bind(socket.descriptor, $0, $1) }
      guard bound == 0 else { throw socket.failure("bind to \(source)") }
    }
    let connected = withAddress(endpoint) { Glibc.connect(socket.descriptor, $0, $1) }
    guard connected == 0 else { throw socket.failure("connect") }
    return socket
  }

  private static func open(
    _ endpoint: CollectorConfiguration.Endpoint, _ type: __socket_type
  ) throws(CollectorError) -> Socket {
    let family = endpoint.address.isIPv4 ? AF_INET : AF_INET6
    let kind = Int32(type.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let descriptor = Glibc.socket(family, kind, 0)
    guard descriptor >= 0 else {
      throw .socket(
        endpoint: endpoint.description, call: "socket", reason: String(cString: strerror(errno)))
    }
    return Socket(descriptor, endpoint)
  }

  private func bind() throws(CollectorError) {
    // `::` listens to IPv4 as well, whatever the system's default is.
    if !endpoint.address.isIPv4 { _ = trySet(Int32(IPPROTO_IPV6), IPV6_V6ONLY, 0) }
    let bound = Self.withAddress(endpoint) { Glibc.bind(descriptor, $0, $1) }
    guard bound == 0 else { throw failure("bind") }
  }

  /// The port that the kernel chose for port 0.
  var localPort: UInt16 {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    return withUnsafeMutableBytes(of: &storage) { bytes in
      // Zeroed, at least as large as the call is told, and the port is at octet 2 in both families.
      guard let base = bytes.baseAddress,
        getsockname(descriptor, base.assumingMemoryBound(to: sockaddr.self), &length) == 0
      else { return 0 }
      return base.load(fromByteOffset: 2, as: UInt16.self).bigEndian
    }
  }

  func trySet(_ level: Int32, _ option: Int32, _ value: Int32) -> Bool {
    var value = value
    return setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size)) == 0
  }

  private func set(
    _ level: Int32, _ option: Int32, _ value: Int32, _ name: String
  ) throws(CollectorError) {
    guard trySet(level, option, value) else { throw failure(name) }
  }

  private func failure(_ call: String) -> CollectorError {
    .socket(
      endpoint: endpoint.description, call: call, reason: String(cString: strerror(errno)))
  }

  private static func withAddress(
    _ endpoint: CollectorConfiguration.Endpoint,
    _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
    if let v4 = endpoint.address.v4 {
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = endpoint.port.bigEndian
      address.sin_addr.s_addr = v4.bigEndian
      return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
    }
    var address = sockaddr_in6()
    address.sin6_family = sa_family_t(AF_INET6)
    address.sin6_port = endpoint.port.bigEndian
    withUnsafeMutableBytes(of: &address.sin6_addr) { bytes in
      for index in 0..<min(bytes.count, 16) {
        bytes[index] = UInt8(
          truncatingIfNeeded: endpoint.address.bits >> UInt128(120 - 8 * index))
      }
    }
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<sockaddr_in6>.size))
      }
    }
  }
}
