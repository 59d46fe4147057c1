import NetworkTypes
import Testing

@testable import PacketCapture

@Suite("pcapng")
struct PcapngTests {
  @Test("every packet block is read in both byte orders", arguments: [false, true])
  func blocks(big: Bool) throws {
    let file =
      Octets.section(big: big) + Octets.interface(1, snapshotLength: 4, big: big)
      + Octets.interface(101, options: [(2, [101, 116, 104]), (9, [9])], big: big)
      + Octets.block(0xbad, [1, 2, 3], big: big)
      + Octets.enhanced(0, ticks: 1_700_000_000_000_001, [1, 2, 3], big: big)
      + Octets.enhanced(1, ticks: 1_700_000_000_000_000_002, [4], big: big)
      + Octets.simple([5, 6, 7, 8], original: 9, big: big)
      + Octets.obsolete(1, ticks: 3, [9], big: big) + Octets.block(5, [], big: big)
    let (packets, ending) = try drain(CaptureReader(bytes: file))
    #expect(ending == .complete)
    #expect(packets.map(\.bytes) == [[1, 2, 3], [4], [5, 6, 7, 8], [9]])
    #expect(packets.map(\.linkType) == [.ethernet, .raw, .ethernet, .raw])
    #expect(
      packets.map(\.nanoseconds) == [
        1_700_000_000_000_001_000, 1_700_000_000_000_000_002, 1_700_000_000_000_000_002, 3,
      ])
    #expect(packets[2].originalLength == 9)
    #expect(try drain(CaptureReader(streaming: file)).packets == packets)
  }

  @Test("sections of different byte orders follow each other, each with its own interfaces")
  func sections() throws {
    let first =
      Octets.section() + Octets.interface(113) + Octets.enhanced(0, ticks: 1, [1])
    let second =
      Octets.section(big: true) + Octets.interface(1, big: true)
      + Octets.enhanced(0, ticks: 2, [2], big: true)
    let (packets, ending) = try drain(CaptureReader(bytes: first + second + first))
    #expect(packets.map(\.linkType) == [.linuxCooked, .ethernet, .linuxCooked])
    #expect(packets.map(\.nanoseconds) == [1000, 2000, 1000])
    #expect(ending == .complete)
    let orphan = first + Octets.section(big: true) + Octets.enhanced(0, ticks: 2, [2], big: true)
    let broken = try drain(CaptureReader(bytes: orphan))
    #expect(broken.packets.count == 1)
    #expect(broken.ending.description.contains("interface 0"))
  }

  @Test("resolutions and offsets of time are applied", arguments: [false, true])
  func times(big: Bool) throws {
    let cases: [(resolution: UInt8, ticks: UInt64, nanoseconds: Int64)] = [
      (0, 5, 5_000_000_000), (3, 1_700_000_000_123, 1_700_000_000_123_000_000), (6, 7, 7000),
      (9, 11, 11), (12, 13_999, 13), (19, 99_999_999_999, 9), (127, .max, 1),
      (0x80, 3, 3_000_000_000), (0x80 | 10, 1536, 1_500_000_000), (0x80 | 127, .max, 0),
      (0, .max, .max), (0x80, .max, .max),
    ]
    for item in cases {
      let file =
        Octets.section(big: big) + Octets.interface(options: [(9, [item.resolution])], big: big)
        + Octets.enhanced(0, ticks: item.ticks, [], big: big)
      #expect(try drain(CaptureReader(bytes: file)).packets[0].nanoseconds == item.nanoseconds)
    }
    for (seconds, expected) in [
      (100, 100_000_007_000), (-1, -999_993_000), (.max, .max), (.min, .min + 7000),
    ] as [(Int64, Int64)] {
      let value = Octets.number(UInt64(bitPattern: seconds), 8, big: big)
      let file =
        Octets.section(big: big) + Octets.interface(options: [(14, value)], big: big)
        + Octets.enhanced(0, ticks: 7, [], big: big)
      #expect(try drain(CaptureReader(bytes: file)).packets[0].nanoseconds == expected)
    }
  }

  @Test("contradictions end the capture and name themselves")
  func contradictions() throws {
    let start = Octets.section() + Octets.interface()
    var wrongTrailer = Octets.enhanced(0, ticks: 1, [1, 2, 3, 4])
    wrongTrailer[wrongTrailer.count - 4] &+= 4
    var tooLong = Octets.enhanced(0, ticks: 1, [1, 2, 3, 4])
    tooLong[20] = 5
    let cases: [([UInt8], String)] = [
      (wrongTrailer, "ends with the length"), (tooLong, "5 captured octets"),
      (Octets.enhanced(1, ticks: 1, []), "interface 1"),
      (Octets.little(6, 4) + Octets.little(13, 4) + Octets.little(0, 4), "length of 13"),
      (Octets.little(6, 4) + Octets.little(0, 4) + Octets.little(0, 4), "length of 0"),
      (Octets.block(6, [1]), "too short"), (Octets.block(3, []), "too short"),
      (Octets.block(1, [1]), "too short"),
      (Octets.block(1, [1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 200, 0]), "option"),
      (Octets.block(0x0a0d_0d0a, [1, 2, 3, 4]), "byte-order magic"),
      (
        Octets.little(9, 4) + Octets.little(0x2000_0000, 4) + Octets.little(0, 4),
        "length of 536870912"
      ),
    ]
    for (block, reason) in cases {
      let (packets, ending) = try drain(CaptureReader(bytes: start + block))
      #expect(packets.isEmpty)
      guard case .broken(let offset, let text) = ending else {
        Issue.record("\(reason) went unnoticed")
        continue
      }
      #expect(offset == start.count && text.contains(reason), "\(text)")
    }
    let noInterface = Octets.section() + Octets.simple([1])
    #expect(try drain(CaptureReader(bytes: noInterface)).ending != .complete)
  }
}
