import Glibc
import Settings

/// The portal's port and the mail server.
enum NetworkChecks {
  /// How long the mail server may take to answer a connection.
  private static let patienceMilliseconds: Int32 = 3_000

  static func run(_ configuration: NoroshiConfiguration) -> [Diagnosis] {
    [port(configuration.portal), mail(configuration)]
  }

  private static func port(_ portal: NoroshiConfiguration.Portal) -> Diagnosis {
    let place = "\(portal.address) port \(portal.port)"
    switch attempt(portal.address, portal.port, passive: true) {
    case .success: return .ok("portal", "\(place) is free")
    case .failure(let problem) where problem.code == EADDRINUSE:
      return .note(
        "portal", "\(place) is taken, maybe by a running `noroshi serve`",
        "ss -ltnp 'sport = :\(portal.port)' says by whom; portal.port sets another")
    case .failure(let problem) where problem.code == EACCES:
      return .fault(
        "portal", "\(place) may not be used by this user",
        "ports below 1024 need root or CAP_NET_BIND_SERVICE; set portal.port to another")
    case .failure(let problem):
      return .fault(
        "portal", "\(place): \(problem.text)", "set portal.address to one of this machine's")
    }
  }

  private static func mail(_ configuration: NoroshiConfiguration) -> Diagnosis {
    guard let host = configuration.smtp.host else {
      return .note(
        "mail", "no server is configured; notices go to the directory only",
        "set smtp.host and notices.from to send mail")
    }
    let place = "\(host) port \(configuration.smtp.port)"
    switch attempt(host, configuration.smtp.port, passive: false) {
    case .success: return .ok("mail", "\(place) answers")
    case .failure(let problem):
      return .fault(
        "mail", "\(place): \(problem.text)", "check smtp.host, smtp.port and the way there")
    }
  }

  private struct Problem: Error {
    let code: Int32
    let text: String
  }

  /// Binds to the place, or connects to it, and lets it go again.
  private static func attempt(
    _ host: String, _ port: Int, passive: Bool
  ) -> Result<Void, Problem> {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = passive ? AI_PASSIVE | AI_NUMERICHOST : 0
    var found: UnsafeMutablePointer<addrinfo>?
    let status = getaddrinfo(host, String(port), &hints, &found)
    guard status == 0, let first = found else {
      return .failure(Problem(code: 0, text: String(cString: gai_strerror(status))))
    }
    defer { freeaddrinfo(found) }
    var problem = Problem(code: 0, text: "no address")
    var next: UnsafeMutablePointer<addrinfo>? = first
    while let info = next?.pointee {
      next = info.ai_next
      let descriptor = socket(
        info.ai_family, info.ai_socktype | Int32(SOCK_NONBLOCK.rawValue), info.ai_protocol)
      guard descriptor >= 0 else { continue }
      defer { close(descriptor) }
      if passive {
        // As servers do, so that connections which are still closing do not count.
        var yes: Int32 = 1
        setsockopt(
          descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        if bind(descriptor, info.ai_addr, info.ai_addrlen) == 0 { return .success(()) }
      } else {
        if connect(descriptor, info.ai_addr, info.ai_addrlen) == 0 { return .success(()) }
        if errno == EINPROGRESS {
          var poller = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
          guard poll(&poller, 1, patienceMilliseconds) == 1 else {
            problem = Problem(code: ETIMEDOUT, text: "does not answer")
            continue
          }
          var result: Int32 = 0
          var length = socklen_t(MemoryLayout<Int32>.size)
          getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &result, &length)
          if result == 0 { return .success(()) }
          errno = result
        }
      }
      problem = Problem(code: errno, text: String(cString: strerror(errno)))
    }
    return .failure(problem)
  }
}
