import Foundation
import NetworkTypes
import PacketCapture
import Store
import Testing

@testable import Telescope

/// A telescope's memory in a folder that goes with the test.
private final class Memory {
  let path = FileManager.default.temporaryDirectory.appending(
    path: "telescope-\(UUID().uuidString)"
  ).path
  let store: TelescopeStore

  init() throws {
    store = try TelescopeStore(DataStore.inMemory())
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }
  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ bytes: [UInt8], _ name: String) throws -> String {
    try Data(bytes).write(to: URL(filePath: "\(path)/\(name)"))
    return "\(path)/\(name)"
  }

  @discardableResult
  func read(_ paths: [String]) throws -> [TelescopeSession.Reading] {
    let session = try TelescopeSession(
      engine: TelescopeEngine(space: darkSixteen, surroundings: .init()), store: store,
      directory: "\(path)/state", clock: { Timestamp(seconds: 1_770_000_000) })
    return try session.read(paths: paths) { _, _, _ in }
  }

  /// Reads octets through a pipe, with files beside it.
  func read(piped bytes: [UInt8], _ paths: [String] = []) throws -> [TelescopeSession.Reading] {
    let pipe = Pipe()
    Thread {
      pipe.fileHandleForWriting.write(Data(bytes))
      try? pipe.fileHandleForWriting.close()
    }.start()
    return try read(paths + ["/dev/fd/\(pipe.fileHandleForReading.fileDescriptor)"])
  }

  var contents: Contents {
    get throws {
      let all = ListQuery(sort: .init(column: "packets", isAscending: true), limit: 10_000)
      return Contents(
        hosts: try store.hosts(all).rows, events: try store.events(all).rows,
        series: try store.series(.all, .fiveMinutes), counters: try store.counters())
    }
  }
}

private struct Contents: Equatable {
  var hosts: [ObservedHost]
  var events: [TelescopeEvent]
  var series: [SeriesPoint]
  var counters: TelescopeCounters
}

@Suite("Reading overlapping captures and pipes")
struct SessionReadingTests {
  /// Hosts that scan for two hours, their packets dealt out to `taps` captures; and all in one.
  private func traffic(taps: Int) -> (apart: [[UInt8]], together: [UInt8]) {
    var apart = (0..<taps).map { _ in SyntheticTraffic() }
    var together = SyntheticTraffic()
    for index in 0..<4_000 as Range<UInt32> {
      let packet = SyntheticTraffic.TCP(
        source: 0x1401_0100 + index % 7, destination: darkBase | (index &* 2_654_435_761) >> 16,
        destinationPort: index % 3 == 0 ? 23 : 445, sequence: index &* 97)
      let time = start + UInt64(index) * 1_800_000
      together.add(packet, at: time)
      // Now one tap and now another sees a stretch of packets.
      apart[Int(index / 40 &+ index % 5) % taps].add(packet, at: time)
    }
    return (apart.map(\.bytes), together.bytes)
  }

  @Test("overlapping captures give what the merged one gives, in whatever order they are named")
  func overlapping() throws {
    let (apart, together) = traffic(taps: 3)
    let whole = try Memory()
    try whole.read([whole.file(together, "all.pcap")])
    for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
      let memory = try Memory()
      let files = try order.map { try memory.file(apart[$0], "\($0).pcap") }
      let readings = try memory.read(files)
      #expect(readings.reduce(0) { $0 + $1.input.packets } == 4_000)
      #expect(try memory.contents == whole.contents)
      #expect(try memory.contents.counters.late == 0)
      #expect(try memory.read(files).allSatisfy(\.wasKnown))
    }
  }

  @Test("a pipe with octets that were read before changes nothing")
  func pipedTwice() throws {
    let bytes = traffic(taps: 1).together
    let memory = try Memory()
    #expect(try memory.read(piped: bytes).map(\.wasKnown) == [false])
    let before = try memory.contents
    #expect(before.counters.packets == 4_000)
    #expect(try memory.read(piped: bytes).map(\.wasKnown) == [true])
    #expect(try memory.contents == before)
    // And the same octets as a file.
    #expect(try memory.read([memory.file(bytes, "same.pcap")]).map(\.wasKnown) == [true])
    #expect(try memory.contents == before)
  }

  @Test("a known pipe beside a new file leaves the file's packets")
  func pipeAndFile() throws {
    let (apart, _) = traffic(taps: 2)
    let expected = try Memory()
    try expected.read([expected.file(apart[0], "a.pcap")])
    try expected.read([expected.file(apart[1], "b.pcap")])

    let memory = try Memory()
    try memory.read([memory.file(apart[0], "a.pcap")])
    let readings = try memory.read(piped: apart[0], [memory.file(apart[1], "b.pcap")])
    #expect(readings.map(\.wasKnown) == [false, true])
    #expect(try memory.contents == expected.contents)
  }

  @Test("a broken pipe is known again too")
  func brokenPipe() throws {
    let bytes = traffic(taps: 1).together.dropLast(10) + [UInt8](repeating: 0xff, count: 300_000)
    let memory = try Memory()
    let first = try memory.read(piped: Array(bytes))
    #expect(first.first?.input.ending.hasPrefix("broken at octet ") == true)
    #expect(try memory.read(piped: Array(bytes)).map(\.wasKnown) == [true])
  }

  @Test("a second pipe is refused")
  func twoPipes() throws {
    let memory = try Memory()
    #expect(throws: TelescopeError.self) { try memory.read(["-", "/dev/null"]) }
  }

  @Test("a file and a pipe have one digest, whatever pieces it comes in")
  func digest() throws {
    let memory = try Memory()
    var generator = SystemRandomNumberGenerator()
    for size in [0, 1, 4_095, 1 << 20, (1 << 20) + 1, 3_500_000, 9_437_184] {
      let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 11) }
      let file = try InputDigest.of(path: memory.file(bytes, "x"))
      var piped = InputDigest()
      var rest = bytes[...]
      while !rest.isEmpty {
        let piece = rest.prefix(Int.random(in: 1...700_000, using: &generator))
        piece.withUnsafeBytes { piped.add($0) }
        rest = rest.dropFirst(piece.count)
      }
      #expect(piped.finish() == file, "\(size) octets")
      guard size > 0 else { continue }
      var other = bytes
      other[size - 1] ^= 1
      #expect(try InputDigest.of(path: memory.file(other, "y")) != file)
      #expect(try InputDigest.of(path: memory.file(bytes + [0], "y")) != file)
    }
  }
}
