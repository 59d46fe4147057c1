import Foundation
import NetworkTypes
import Synchronization
import Testing

@testable import PacketCapture

/// What a merged reading gave: each packet's time in milliseconds and its first octet, the tap.
private struct Given: Hashable, Comparable {
  var time: Int64
  var tap: UInt8
  static func < (left: Self, right: Self) -> Bool {
    (left.time, left.tap) < (right.time, right.tap)
  }
}

/// A folder of captures that goes with the test.
private final class Folder {
  let path = FileManager.default.temporaryDirectory.appending(path: "merge-\(UUID().uuidString)")
    .path
  init() throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }
  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// A capture with a packet at each of the times, in milliseconds.
  func capture(_ name: String, tap: UInt8, _ times: some Sequence<Int64>) throws -> String {
    let file = path + "/" + name
    var writer = try CaptureWriter(path: file, linkType: .ethernet)
    let packet = [UInt8](repeating: tap, count: 60)
    for time in times {
      try writer.write(packet.span.bytes, timestamp: Timestamp(nanoseconds: time * 1_000_000))
    }
    try writer.close()
    return file
  }
}

private func readAll(
  _ paths: [String], limit: Int = 5, maximumOpen: Int = 64
) throws -> (given: [Given], parts: [MergedCapture.Part]) {
  var capture = try MergedCapture(paths: paths, maximumOpen: maximumOpen)
  var given: [Given] = []
  while try capture.read(
    limit: limit,
    { record, bytes in
      given.append(
        Given(time: record.timestamp.nanoseconds / 1_000_000, tap: bytes.loadByte(0)))
    }) > 0
  {}
  return (given, capture.parts)
}

@Suite("Captures read as one")
struct MergedCaptureTests {
  @Test("two taps give their packets in the order of time, however they are named")
  func taps() throws {
    let folder = try Folder()
    let a = try folder.capture("a.pcap", tap: 1, (0..<500).map { $0 * 7 })
    let b = try folder.capture("b.pcap", tap: 2, (0..<300).map { $0 * 11 + 3 })
    let c = try folder.capture("c.pcap", tap: 3, (100..<200).map { $0 * 7 })
    let (given, parts) = try readAll([a, b, c])
    #expect(given == given.sorted())
    #expect(given.count == 900)
    #expect(try readAll([c, b, a], limit: 1).given == given)
    #expect(try readAll([b, c, a], limit: 1_000).given == given)
    #expect(parts.map(\.packets) == [500, 300, 100])
    #expect(
      parts.map { $0.lastPacket?.nanoseconds } == [3_493, 3_292, 1_393].map { $0 * 1_000_000 })
  }

  @Test("files that follow each other are open one at a time")
  func sequence() throws {
    let folder = try Folder()
    let files = try (0..<20 as Range<Int64>).map { hour in
      try folder.capture("\(hour).pcap", tap: UInt8(hour), (0..<50).map { hour * 50 + $0 })
    }
    let (given, _) = try readAll(files.shuffled(), limit: 1_000, maximumOpen: 1)
    #expect(given.map(\.time) == Array(0..<1_000))
  }

  @Test("more overlapping captures than may be open are refused with what to do")
  func tooMany() throws {
    let folder = try Folder()
    let files = try (1...3).map { try folder.capture("\($0)", tap: UInt8($0), [0, 10, 20]) }
    #expect(try readAll(files, maximumOpen: 3).given.count == 9)
    let error = #expect(throws: CaptureError.self) { try readAll(files, maximumOpen: 2) }
    #expect(error?.description.contains("mergecap") == true)
  }

  @Test("packets out of order inside a capture stay where they are")
  func disorder() throws {
    let folder = try Folder()
    let a = try folder.capture("a", tap: 1, [10, 40, 20, 50])
    let b = try folder.capture("b", tap: 2, [15, 30, 45])
    #expect(try readAll([a, b]).given.map(\.time) == [10, 15, 30, 40, 20, 45, 50])
  }

  @Test(
    "a random heap of overlapping captures gives what mergecap gives",
    .enabled(if: Tool("mergecap") != nil))
  func mergecap() throws {
    let tool = try #require(Tool("mergecap"))
    let folder = try Folder()
    var generator = SystemRandomNumberGenerator()
    let files = try (1...9 as ClosedRange<UInt8>).map { tap in
      var time = Int64.random(in: 0..<2_000, using: &generator)
      return try folder.capture(
        "\(tap).pcap", tap: tap,
        (0..<200).map { _ in
          // Now and then a step back.
          time += Int64.random(in: -3..<40, using: &generator)
          // No two taps at the same moment: there mergecap takes the last named.
          return max(0, time) * 10 + Int64(tap)
        })
    }
    let merged = folder.path + "/all.pcap"
    try tool.run(["-F", "nsecpcap", "-w", merged] + files)
    let expected = try readAll([merged]).given
    #expect(expected.count == 1_800)
    #expect(try readAll(files.shuffled(), limit: 64).given == expected)
  }

  @Test("a broken capture ends at its break, and the others go on")
  func broken() throws {
    let folder = try Folder()
    let a = try folder.capture("a", tap: 1, [0, 2, 4, 6])
    let bytes = try Data(contentsOf: URL(filePath: a))
    try bytes.dropLast(70).write(to: URL(filePath: a))
    let b = try folder.capture("b", tap: 2, [1, 3, 5, 7])
    let (given, parts) = try readAll([a, b])
    #expect(given.map(\.time) == [0, 1, 2, 3, 4, 5, 7])
    #expect(parts[0].packets == 3 && parts[0].ending != .complete)
    #expect(parts[1].packets == 4 && parts[1].ending == .complete)
  }

  @Test("a pipe is merged with files, and its tap sees every octet, also behind a break")
  func pipe() throws {
    let folder = try Folder()
    let a = try folder.capture("a", tap: 1, (0..<1_000).map { $0 * 2 })
    let b = try folder.capture("b", tap: 2, (0..<1_000).map { $0 * 2 + 1 })
    let content = try Data(contentsOf: URL(filePath: b)) + Data(repeating: 0xff, count: 100_000)
    let pipe = Pipe()
    Thread {
      pipe.fileHandleForWriting.write(content)
      try? pipe.fileHandleForWriting.close()
    }.start()
    let path = "/dev/fd/\(pipe.fileHandleForReading.fileDescriptor)"
    #expect(CaptureReader.isPipe(path: path))
    let seen = Mutex(Data())
    var capture = try MergedCapture(paths: [path, a]) { bytes in
      seen.withLock { $0.append(contentsOf: bytes) }
    }
    var times: [Int64] = []
    while try capture.read(
      limit: 64, { record, _ in times.append(record.timestamp.nanoseconds / 1_000_000) }) > 0
    {}
    #expect(times == Array(0..<2_000))
    #expect(seen.withLock { $0 } == content)
    #expect(capture.parts.first { $0.path == path }?.ending != .complete)
  }

  @Test("an empty capture among others gives nothing")
  func empty() throws {
    let folder = try Folder()
    let a = try folder.capture("a", tap: 1, [] as [Int64])
    let b = try folder.capture("b", tap: 2, [1, 2])
    let (given, parts) = try readAll([a, b])
    #expect(given.count == 2)
    #expect(parts.map(\.path) == [b, a])
    #expect(parts[1].packets == 0 && parts[1].lastPacket == nil && parts[1].ending == .complete)
  }
}
