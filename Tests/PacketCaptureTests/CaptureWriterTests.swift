import Foundation
import NetworkTypes
import PacketCapture
import Testing

@Suite("Writing captures")
struct CaptureWriterTests {
  @Test("what is written is read back, with either precision", arguments: [false, true])
  func roundTrip(nanoseconds: Bool) throws {
    try withTemporaryFile { path in
      var writer = try CaptureWriter(
        path: path, linkType: .raw, precision: nanoseconds ? .nanoseconds : .microseconds,
        snapshotLength: 100)
      for index in 0..<5000 {
        let bytes = [UInt8](repeating: UInt8(index & 255), count: index % 150)
        try writer.write(
          bytes.span.bytes, timestamp: Timestamp(nanoseconds: Int64(index) * 1_000_000_007))
      }
      #expect(writer.count == 5000)
      try writer.close()
      let (packets, ending) = try drain(CaptureReader(path: path))
      #expect(packets.count == 5000 && ending == .complete)
      for (index, packet) in packets.enumerated() {
        #expect(packet.bytes.count == min(100, index % 150) && packet.linkType == .raw)
        #expect(Int(packet.originalLength) == index % 150)
        let time = Int64(index) * 1_000_000_007
        #expect(packet.nanoseconds == (nanoseconds ? time : time / 1000 * 1000))
      }
    }
  }

  @Test("a full disk is an error and not a silent loss")
  func fullDisk() throws {
    guard FileManager.default.fileExists(atPath: "/dev/full") else { return }
    var writer = try CaptureWriter(path: "/dev/full", linkType: .ethernet)
    try writer.write([1, 2, 3].span.bytes, timestamp: Timestamp(seconds: 1))
    #expect(
      throws: CaptureError.writeFailed(path: "/dev/full", reason: "No space left on device")
    ) { try writer.flush() }
    #expect(throws: CaptureError.self) {
      _ = try CaptureWriter(path: "/nonexistent/file", linkType: .ethernet).count
    }
  }

  @Test("tcpdump reads what is written", .enabled(if: Tool("tcpdump") != nil))
  func tcpdumpReads() throws {
    try withTemporaryFile { path in
      var writer = try CaptureWriter(path: path, linkType: .ethernet)
      let frame = Octets.ethernet(0x0800, Octets.ipv4(6, Octets.tcp()))
      for _ in 0..<3 {
        try writer.write(
          frame.span.bytes, timestamp: Timestamp(nanoseconds: 1_700_000_000_123_456_789))
      }
      try writer.close()
      let output = try #require(Tool("tcpdump")).run(["-ttnr", path, "--nano", "dst port 23"])
      let text = String(decoding: output, as: UTF8.self)
      #expect(text.split(separator: "\n").count == 3)
      #expect(text.contains("1700000000.123456789 IP 192.0.2.1.1000 > 198.51.100.2.23"), "\(text)")
    }
  }
}
