import Foundation
import NetworkTypes
import Testing

@testable import PacketCapture

@Suite("Reading captures")
struct CaptureReaderTests {
  static let packets: [(seconds: UInt64, fraction: UInt64, bytes: [UInt8])] = [
    (1_700_000_000, 999_999, [1, 2, 3]), (1_700_000_001, 5, []),
    (4_000_000_000, 0, Array(0..<60)),
  ]

  @Test("pcap is read in both byte orders and both precisions", arguments: [false, true])
  func pcapVariants(big: Bool) throws {
    for (magic, tick) in [(0xa1b2_c3d4, 1000), (0xa1b2_3c4d, 1)] as [(UInt64, Int64)] {
      let file = Octets.pcap(Self.packets, magic: magic, big: big, linkType: 0x1000_0071)
      for stream in [false, true] {
        let (packets, ending) = try drain(
          stream ? CaptureReader(streaming: file) : CaptureReader(bytes: file))
        #expect(ending == .complete)
        #expect(packets.map(\.bytes) == Self.packets.map(\.bytes))
        #expect(packets[0].nanoseconds == 1_700_000_000_000_000_000 + 999_999 * tick)
        #expect(packets[2].nanoseconds == 4_000_000_000_000_000_000)
        #expect(packets.allSatisfy { $0.linkType == .linuxCooked })
        #expect(packets[0].originalLength == 4)
      }
    }
  }

  @Test("what is no capture is refused with its first octets")
  func notACapture() throws {
    #expect(throws: CaptureError.notACapture(path: "memory", reason: "it begins with 50 4b 03 04"))
    {
      _ = try CaptureReader(bytes: [0x50, 0x4b, 3, 4, 5, 6]).format
    }
    #expect(throws: CaptureError.notACapture(path: "memory", reason: "it is empty")) {
      _ = try CaptureReader(bytes: []).format
    }
    #expect(throws: CaptureError.self) {
      _ = try CaptureReader(bytes: [0xd4, 0xc3]).format
    }
    for bytes in [[0xa1, 0xb2, 0xcd, 0x34], [0x34, 0xcd, 0xb2, 0xa1]] as [[UInt8]] {
      let error = #expect(throws: CaptureError.self) { _ = try CaptureReader(bytes: bytes).format }
      #expect(error?.description.contains("editcap") == true)
    }
    #expect(
      throws: CaptureError.cannotOpen(path: "/nonexistent", reason: "No such file or directory")
    ) { _ = try CaptureReader(path: "/nonexistent").format }
    let error = #expect(throws: CaptureError.self) { _ = try CaptureReader(path: "/tmp").format }
    #expect(error?.description.contains("directory") == true)
  }

  @Test("pcap 2.2, whose lengths are swapped, is refused")
  func oldVersion() throws {
    var file = Octets.pcap(Self.packets)
    file[6] = 2
    #expect(throws: CaptureError.self) { _ = try CaptureReader(bytes: file).format }
  }

  @Test(
    "a captured length above the bound ends the capture; one above the original length does not")
  func lengths() throws {
    var file = Octets.pcap(Self.packets)
    file.replaceSubrange(36..<40, with: Octets.little(1, 4))
    var (packets, ending) = try drain(CaptureReader(bytes: file))
    #expect(packets.count == 3 && packets[0].originalLength == 1 && ending == .complete)
    // The second record starts at 24 + 16 + 3.
    file.replaceSubrange(51..<55, with: Octets.little(262_145, 4))
    (packets, ending) = try drain(CaptureReader(bytes: file))
    #expect(packets.count == 1)
    guard case .broken(43, let reason) = ending else {
      Issue.record("\(ending)")
      return
    }
    #expect(reason.contains("262145"))
  }

  @Test("a window grows for packets and blocks longer than it, up to their bounds")
  func longRecords() throws {
    let long = [UInt8](repeating: 7, count: 262_144)
    let file = Octets.pcap([(1, 2, long), (1, 2, [1]), (1, 2, long), (1, 2, long), (1, 2, long)])
    let (packets, ending) = try drain(CaptureReader(streaming: file))
    #expect(packets.map(\.bytes.count) == [262_144, 1, 262_144, 262_144, 262_144])
    #expect(ending == .complete)

    let unknown = Octets.block(0x4000_0bad, [UInt8](repeating: 1, count: 3_000_000))
    let next =
      Octets.section() + unknown + Octets.interface() + Octets.enhanced(0, ticks: 3, [9]) + unknown
      + Octets.enhanced(0, ticks: 3, [8])
    #expect(try drain(CaptureReader(streaming: next)).packets.map(\.bytes) == [[9], [8]])
    #expect(try drain(CaptureReader(bytes: next)).packets.map(\.bytes) == [[9], [8]])
  }

  @Test("limits are kept and progress is told")
  func limitsAndProgress() throws {
    let file = Octets.pcap(Array(repeating: (1, 1, [1, 2, 3, 4]), count: 100))
    var reader = try CaptureReader(bytes: file)
    #expect(try reader.read(limit: 30) { _, _ in } == 30)
    #expect(reader.bytesRead == 24 + 30 * 20)
    #expect(reader.totalBytes == file.count)
    #expect(try reader.read(limit: 0) { _, _ in } == 0)
    #expect(try reader.read(limit: 300) { _, _ in } == 70)
    #expect(try reader.read(limit: 300) { _, _ in } == 0)
    #expect(try reader.read(limit: 300) { _, _ in } == 0)
    #expect(reader.bytesRead == file.count)
  }

  @Test("a pipe's packets are given before the pipe ends")
  func pipeIsNotHeldBack() throws {
    try withTemporaryFile { path in
      try FileManager.default.removeItem(atPath: path)
      try #require(mkfifo(path, 0o600) == 0)
      let file = Octets.pcap(Self.packets)
      let gate = DispatchSemaphore(value: 0)
      let writer = Thread {
        guard let handle = FileHandle(forWritingAtPath: path) else { return }
        // All of the first packet and half of the second's header.
        try? handle.write(contentsOf: file[..<50])
        gate.wait()
        try? handle.write(contentsOf: file[50...])
        try? handle.close()
      }
      writer.start()
      var reader = try CaptureReader(path: path)
      #expect(reader.totalBytes == nil)
      #expect(try reader.read(limit: 100) { _, _ in } == 1)
      gate.signal()
      #expect(try drain(reader, limit: 100).ending == .complete)
    }
  }

  @Test("the first time of a file puts files in order")
  func firstTimestamp() throws {
    try withTemporaryFile(Octets.pcap(Self.packets)) { path in
      let first = try CaptureReader.firstTimestamp(path: path)
      #expect(first == Timestamp(nanoseconds: 1_700_000_000_999_999_000))
    }
    try withTemporaryFile(Octets.pcap([])) { path in
      let first = try CaptureReader.firstTimestamp(path: path)
      #expect(first == nil)
    }
  }
}

@Suite("Compressed captures")
struct CompressedCaptureTests {
  static let file = Octets.pcap(
    (0..<20_000).map { (UInt64($0), 1, Octets.big(UInt64($0) &* 0x9e37_79b9_7f4a_7c15, 8)) })

  static func compress(_ tool: String, _ bytes: [UInt8]) throws -> [UInt8] {
    try #require(Tool(tool)).run(["-c", "-"], input: bytes)
  }

  @Test("gzip and zstd are read, also in several members", arguments: ["gzip", "zstd"])
  func members(tool: String) throws {
    guard Tool(tool) != nil else { return }
    let plain = try drain(CaptureReader(bytes: Self.file)).packets
    #expect(plain.count == 20_000)
    let halves =
      try Self.compress(tool, Array(Self.file[..<100_001]))
      + Self.compress(tool, Array(Self.file[100_001...]))
    for packed in [try Self.compress(tool, Self.file), halves] {
      let (packets, ending) = try drain(CaptureReader(bytes: packed), limit: 1000)
      #expect(packets == plain)
      #expect(ending == .complete)
      try withTemporaryFile(packed) { path in
        var reader = try CaptureReader(path: path)
        #expect(reader.compression.rawValue == tool)
        var count = 0
        while try reader.read(limit: 999, { _, _ in count += 1 }) > 0 {}
        #expect(count == 20_000)
        #expect(reader.bytesRead == packed.count && reader.totalBytes == packed.count)
      }
    }
  }

  @Test("a cut or damaged stream is read up to the break", arguments: ["gzip", "zstd"])
  func damage(tool: String) throws {
    guard Tool(tool) != nil else { return }
    let packed = try Self.compress(tool, Self.file)
    let plain = try drain(CaptureReader(bytes: Self.file)).packets
    for cut in stride(from: 1, to: packed.count, by: 1 + packed.count / 97) {
      guard let reader = try? CaptureReader(bytes: Array(packed[..<cut])) else { continue }
      let (packets, ending) = try drain(reader, limit: 1000)
      #expect(packets == Array(plain[..<packets.count]))
      #expect(ending != .complete)
    }
    let (packets, ending) = try drain(CaptureReader(bytes: packed + [1, 2, 3]), limit: 1000)
    #expect(packets.count == 20_000)
    guard case .broken(let offset, let reason) = ending else {
      Issue.record("garbage behind the stream went unnoticed")
      return
    }
    #expect(offset == Self.file.count)
    #expect(reason.contains(tool) && reason.contains("uncompressed"))
    if tool == "gzip" {
      let padded = packed + [UInt8](repeating: 0, count: 512)
      #expect(try drain(CaptureReader(bytes: padded), limit: 1000).ending == .complete)
    }
  }

  @Test("a compressed pipe is read", arguments: ["gzip", "zstd"])
  func pipe(tool: String) throws {
    guard Tool(tool) != nil else { return }
    let packed = try Self.compress(tool, Self.file)
    try withTemporaryFile { path in
      try FileManager.default.removeItem(atPath: path)
      try #require(mkfifo(path, 0o600) == 0)
      Thread { try? Data(packed).write(to: URL(filePath: path), options: []) }.start()
      let (packets, ending) = try drain(CaptureReader(path: path), limit: 1000)
      #expect(packets.count == 20_000 && ending == .complete)
    }
  }
}
