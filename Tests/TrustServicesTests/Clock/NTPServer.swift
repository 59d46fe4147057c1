import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A small NTP server on the loopback that says whatever it is told to.
final class NTPServer: Sendable {
  struct Manner: Sendable {
    /// How far its clock is ahead of ours, in seconds.
    var ahead = 0.0
    var leap: UInt8 = 0
    var stratum: UInt8 = 1
    var rootDispersion = 0.001
    var mode: UInt8 = 4
    /// Answers with this instead of what was asked.
    var originate: UInt64?
    var isSilent = false
    /// Octets of the answer that are sent.
    var length = 48
    var reference = Array("GPS\0".utf8)
  }

  let port: UInt16
  private let descriptor: Int32
  private let manner: Mutex<Manner>

  var source: String { "127.0.0.1:\(port)" }

  init(_ manner: Manner = Manner()) throws {
    self.manner = Mutex(manner)
    #if canImport(Glibc)
      let kind = Int32(SOCK_DGRAM.rawValue)
    #else
      let kind = SOCK_DGRAM
    #endif
    descriptor = socket(AF_INET, kind, 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = descriptor
    port = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        _ = bind(descriptor, $0, length)
        _ = getsockname(descriptor, $0, &length)
      }
      return UInt16(bigEndian: $0.pointee.sin_port)
    }
    Thread.detachNewThread { [self] in serve() }
  }

  func behave(_ change: (inout Manner) -> Void) { manner.withLock { change(&$0) } }

  func stop() { shutdown(descriptor, Int32(SHUT_RDWR)) }

  private func serve() {
    defer { close(descriptor) }
    while true {
      var question = [UInt8](repeating: 0, count: 512)
      var peer = sockaddr_in()
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      let count = withUnsafeMutablePointer(to: &peer) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          recvfrom(descriptor, &question, 512, 0, $0, &length)
        }
      }
      // A socket that was shut down gives nothing.
      guard count > 0 else { return }
      let manner = manner.withLock { $0 }
      guard !manner.isSilent, count >= 48 else { continue }
      var answer = [UInt8](repeating: 0, count: 48)
      answer[0] = manner.leap << 6 | 4 << 3 | manner.mode
      answer[1] = manner.stratum
      func put(_ value: UInt64, _ start: Int, _ octets: Int) {
        for index in 0..<octets {
          answer[start + index] = UInt8(
            truncatingIfNeeded: value >> UInt64((octets - 1 - index) * 8))
        }
      }
      put(UInt64(manner.rootDispersion * 65_536), 8, 4)
      answer.replaceSubrange(12..<16, with: manner.reference.prefix(4))
      let asked = question[40..<48].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      put(manner.originate ?? asked, 24, 8)
      let now = Date().timeIntervalSince1970 + manner.ahead + 2_208_988_800
      let stamp = UInt64(now) << 32 | UInt64((now - now.rounded(.down)) * 4_294_967_296)
      put(stamp, 32, 8)
      put(stamp, 40, 8)
      let sent = Array(answer.prefix(manner.length))
      withUnsafeMutablePointer(to: &peer) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          _ = sendto(descriptor, sent, sent.count, 0, $0, length)
        }
      }
    }
  }
}
