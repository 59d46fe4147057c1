import Foundation
import Glibc
import NetworkTypes
import PacketCapture
import Synchronization
import Testing

/// A pair of virtual Ethernet interfaces whose far end is in a network namespace of its own.
private struct VirtualLink {
  let near: String
  /// The far end's address, in a network of this link's own out of 198.18.0.0/15 (RFC 2544).
  let far: String
  let own: String
  private let namespace: String
  private let ip: Tool

  init?() throws {
    guard geteuid() == 0, let ip = Tool("ip") else { return nil }
    let id = String(UInt16.random(in: .min ... .max), radix: 16)
    near = "nrs\(id)a"
    namespace = "nrs\(id)"
    let network = "198.19.\(UInt8.random(in: .min ... .max))"
    own = network + ".1"
    far = network + ".2"
    self.ip = ip
    try ip.run(["netns", "add", namespace])
    try ip.run(["link", "add", near, "type", "veth", "peer", "name", "far", "netns", namespace])
    try ip.run(["addr", "add", own + "/24", "dev", near])
    try ip.run(["link", "set", near, "up"])
    try ip.run(["-n", namespace, "addr", "add", far + "/24", "dev", "far"])
    try ip.run(["-n", namespace, "link", "set", "far", "up"])
    guard FileManager.default.fileExists(atPath: "/sys/class/net/\(near)") else {
      _ = try? ip.run(["netns", "del", namespace])
      return nil
    }
  }

  func remove() throws {
    try ip.run(["link", "del", near])
    try ip.run(["netns", "del", namespace])
  }

  /// Sends UDP datagrams from this side.
  func send(_ count: Int, to port: UInt16, size: Int) throws {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    try #require(socket >= 0)
    defer { close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = inet_addr(far)
    let payload = [UInt8](repeating: 65, count: size)
    for _ in 0..<count {
      let sent = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          sendto(socket, payload, size, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
      try #require(sent == size)
    }
  }
}

@Suite("Live capture", .serialized, .enabled(if: geteuid() == 0))
struct LiveCaptureTests {
  @Test("packets on a link are captured, filtered, timed and counted")
  func capture() throws {
    guard let link = try VirtualLink() else { return }
    defer { try? link.remove() }
    let capture = try LiveCapture(interface: link.near, bpfFilter: "udp dst port 4789")
    #expect(capture.linkType == .ethernet)
    // The neighbour must be known before, or the kernel drops what it cannot send.
    try link.send(1, to: 9, size: 1)
    usleep(200_000)
    let before = Date().timeIntervalSince1970
    try link.send(500, to: 4789, size: 11)
    try link.send(300, to: 4790, size: 11)
    var count = 0
    while count < 500 {
      let got = try capture.read(limit: 64, timeoutMilliseconds: 2000) { record, bytes in
        var headers = PacketHeaders()
        let outcome = PacketDecoder.decode(record, bytes, into: &headers)
        precondition(record.index == count)
        count += 1
        #expect(outcome == .decoded && headers.destinationPort == 4789)
        #expect(headers.payloadLength == 11 && headers.source == IPAddress(link.own))
        let seconds = Double(headers.timestamp.nanoseconds) / 1e9
        #expect(abs(seconds - before) < 10)
      }
      #expect(got <= 64)
      if got == 0 { break }
    }
    #expect(count == 500)
    #expect(try capture.read(limit: 1, timeoutMilliseconds: 100) { _, _ in } == 0)
    let statistics = try capture.statistics()
    #expect(statistics.received == 500 && statistics.droppedByKernel == 0)
  }

  @Test("another thread stops a capture that waits")
  func stop() throws {
    guard let link = try VirtualLink() else { return }
    defer { try? link.remove() }
    let capture = try LiveCapture(interface: link.near, bpfFilter: "tcp port 1")
    Thread {
      usleep(200_000)
      capture.stop()
    }.start()
    let start = ContinuousClock.now
    #expect(try capture.read(limit: 1, timeoutMilliseconds: 30_000) { _, _ in } == 0)
    #expect(ContinuousClock.now - start < .seconds(5))
    #expect(capture.isStopped)
  }

  @Test("a wrong filter and a missing interface are named")
  func errors() throws {
    let filter = #expect(throws: CaptureError.self) {
      _ = try LiveCapture(interface: "lo", bpfFilter: "prot 80")
    }
    #expect(filter?.description.contains("\"prot 80\"") == true)
    let missing = #expect(throws: CaptureError.self) {
      _ = try LiveCapture(interface: "nosuchif0")
    }
    #expect(missing?.description.contains("nosuchif0") == true)
    #expect(try LiveCapture.interfaces().contains { $0.name == "lo" && $0.isLoopback })
  }

  @Test("a lack of permission says what to grant")
  func permission() {
    let error = CaptureError.noPermission(interface: "eth0", reason: "socket: denied")
    #expect(error.description.contains("CAP_NET_RAW") && error.description.contains("setcap"))
  }
}
