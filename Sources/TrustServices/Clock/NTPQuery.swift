import Dispatch

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Asks one NTP server once. The only place here that hands pointers to the network.
struct NTPQuery: Sendable {
  /// As the configuration names it: `ntp.nict.jp`, `192.0.2.1:1123`, `[2001:db8::1]:123`.
  let source: String
  let host: String
  let port: String
  let timeoutSeconds: Double

  init(_ source: String, timeoutSeconds: Double) {
    self.source = source
    self.timeoutSeconds = timeoutSeconds
    var host = source[...]
    var port = "123"
    // A bare IPv6 address has more than one colon and no port.
    if let colon = source.lastIndex(of: ":"),
      source.hasPrefix("[")
        ? source[..<colon].hasSuffix("]") : source.count(where: { $0 == ":" }) == 1
    {
      host = source[..<colon]
      port = String(source[source.index(after: colon)...])
    }
    if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
    self.host = String(host)
    self.port = port
  }

  private static let queue = DispatchQueue(label: "noroshi.ntp", attributes: .concurrent)

  /// Waits on a thread of its own, at most the timeout and the name's resolution.
  func run() async throws -> ClockObservation {
    try await withCheckedThrowingContinuation { continuation in
      Self.queue.async { continuation.resume(with: Result { try ask() }) }
    }
  }

  private func ask() throws(ClockSourceError) -> ClockObservation {
    var hints = addrinfo()
    #if canImport(Glibc)
      hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
    #else
      hints.ai_socktype = SOCK_DGRAM
    #endif
    var list: UnsafeMutablePointer<addrinfo>?
    let status = getaddrinfo(host, port, &hints, &list)
    guard status == 0, let first = list else {
      throw .unreachable(String(cString: gai_strerror(status)))
    }
    defer { freeaddrinfo(first) }
    let descriptor = socket(first.pointee.ai_family, hints.ai_socktype | O_CLOEXEC, 0)
    guard descriptor >= 0 else { throw .unreachable(String(cString: strerror(errno))) }
    defer { close(descriptor) }
    // A connected socket takes datagrams of that address alone.
    guard connect(descriptor, first.pointee.ai_addr, first.pointee.ai_addrlen) == 0 else {
      throw .unreachable(String(cString: strerror(errno)))
    }
    let number = UInt64.random(in: 1...UInt64.max)
    let question = NTPPacket.question(transmit: number)
    let sent = ClockPair.read()
    guard send(descriptor, question, question.count, 0) == question.count else {
      throw .unreachable(String(cString: strerror(errno)))
    }
    var failure = ClockSourceError.noAnswer
    while true {
      let passed = Double(ClockPair.read().monotonic &- sent.monotonic) / 1e9
      let left = timeoutSeconds - passed
      guard left > 0 else { throw failure }
      var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let ready = poll(&waiting, 1, Int32(min(left * 1000 + 1, 60_000)))
      if ready < 0, errno == EINTR { continue }
      guard ready > 0 else { throw failure }
      var buffer = [UInt8](repeating: 0, count: 1024)
      // At most as many octets as the buffer has.
      let count = recv(descriptor, &buffer, buffer.count, 0)
      let received = ClockPair.read()
      guard count >= 0 else { throw .unreachable(String(cString: strerror(errno))) }
      do throws(ClockSourceError) {
        let packet = try NTPPacket(Array(buffer.prefix(count)))
        return try packet.observation(
          source: source, question: number, sent: sent, received: received)
      } catch {
        // Somebody else's datagram must not end the wait for the right one.
        guard case .malformedAnswer = error else { throw error }
        failure = error
      }
    }
  }
}
